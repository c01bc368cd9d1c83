"""Rules of Django's views, and of those of Django REST framework.

The guard predicts the view with Django's own URL resolver. A middleware may then change the
language, ``request.urlconf`` or the path, which leads to another view. So the guard checks the
rules again in ``process_view``, for the view that Django has found. It puts itself there if it
finds Django's handler in the app that it wraps. Otherwise, name
``"guard_wsgi.django.ViewRulesMiddleware"`` first in ``MIDDLEWARE``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from guard_wsgi.errors import ConfigError
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.request.current_request import ViewRefused
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.verdict import ENVIRON_KEY
from guard_wsgi.request.view import is_preflight
from guard_wsgi.routes.audit import log_audit, route_limits
from guard_wsgi.routes.django_app import as_django, body_of, handlers_in, parts_of
from guard_wsgi.routes.introspection import is_a
from guard_wsgi.routes.resolvers import Resolution, Signature, signature_of
from guard_wsgi.routes.ruled_class import answers_preflights
from guard_wsgi.routes.ruled_function import without_rules
from guard_wsgi.routes.view_layers import class_of
from guard_wsgi.routes.view_rules import ViewRules

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("guard_wsgi.routes")

MIDDLEWARE_NAME = "guard_wsgi.django.ViewRulesMiddleware"

_IN_HOOKS_KEY = "guard_wsgi.context_of_hooks"

MAX_KEPT_SIGNATURES = 2048
MAX_KEPT_CHARS = 512
"""Resolved paths to keep: resolving one costs 20 us and more, and each limit by path resolves its
own path as well. The bound stops a client that makes up paths from filling the memory."""


class DjangoResolver:
    """Finds the routes of a Django project with its own URL resolver.

    :param urlconf: another root URLconf than that of the settings.
    """

    def __init__(self, urlconf: str | None = None) -> None:
        from django.core.handlers.wsgi import get_path_info
        from django.urls import Resolver404, get_resolver

        self.confirms = False
        self._path_info = get_path_info
        self._not_found = Resolver404
        self._get_resolver = get_resolver
        self._urlconf = urlconf
        self._rules: tuple[object, ViewRules] = None, ViewRules()
        self._signatures: tuple[object, dict[str, Signature | None]] = None, {}

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        match = self._match(environ)
        if match is None:
            return None
        return Resolution(endpoint_of(match), self.rules_of(match.func, environ["REQUEST_METHOD"]))

    def signature(self, environ: WSGIEnvironment) -> Signature | None:
        """The route and its arguments, for limits by path."""
        resolver, known = self._signatures
        if resolver is not self._get_resolver(self._urlconf):
            known = {}
            self._signatures = self._get_resolver(self._urlconf), known
        path = self._path_info(environ)
        try:
            return known[path]
        except KeyError:
            match = self._match(environ)
        signature = None
        if match is not None:
            signature = signature_of(endpoint_of(match), (match.args, sorted(match.kwargs.items())))
        if len(known) >= MAX_KEPT_SIGNATURES:
            known.clear()
        if len(path) <= MAX_KEPT_CHARS:
            known[path] = signature
        return signature

    def _match(self, environ: WSGIEnvironment) -> Any:
        resolver = self._get_resolver(self._urlconf)
        path = self._path_info(environ)
        with _language_of(path):
            try:
                return resolver.resolve(path)
            except self._not_found:
                return None

    def rules_of(self, view: Any, method: str) -> Any:
        """Return the rules of a view, as the same object each time."""
        resolver = self._get_resolver(self._urlconf)
        known_of, rules = self._rules
        if known_of is not resolver:  # a test overrides settings, or this is the first request
            rules = ViewRules(view for view, _ in _views(resolver))
            self._rules = resolver, rules
        return rules.of(view, method)

    def attach(self, guard: Any) -> None:
        """Check the rules before each view of the Django handler in the wrapped app, if there is
        one."""
        from django.conf import settings

        self.confirms = MIDDLEWARE_NAME in settings.MIDDLEWARE
        handlers = [] if self.confirms else handlers_in(guard.app)
        for handler in handlers:
            before = handler._view_middleware
            if not any(isinstance(_owner(method), ViewRulesMiddleware) for method in before):
                rules = ViewRulesMiddleware(None, guard)
                before.insert(0, rules.process_view)
                handler._exception_middleware.insert(0, rules.process_exception)
        self.confirms = self.confirms or bool(handlers)

    @contextmanager
    def hook_context(self, environ: WSGIEnvironment) -> Iterator[None]:
        """For functions of the site that run before Django does: check database connections that an
        earlier request of the thread has left, and close old ones. Django does the same at the
        beginning and the end of each request."""
        from django.db import close_old_connections

        if environ.get(_IN_HOOKS_KEY):
            yield
            return
        environ[_IN_HOOKS_KEY] = True
        close_old_connections()
        try:
            yield
        finally:
            del environ[_IN_HOOKS_KEY]
            close_old_connections()

    @contextmanager
    def unguarded(self) -> Iterator[list[str]]:
        """Collect the paths of the requests that Django answers meanwhile without the guard, as
        those of ``django.test.Client`` without the middleware. They are complete at the end."""
        from django.conf import settings
        from django.core.signals import request_started

        environs: list[WSGIEnvironment] = []
        paths: list[str] = []

        def note(environ: Any = None, **signal: Any) -> None:
            if environ is not None:
                environs.append(environ)

        request_started.connect(note)
        try:
            yield paths
        finally:
            request_started.disconnect(note)
            if MIDDLEWARE_NAME not in settings.MIDDLEWARE:
                paths.extend(
                    str(environ.get("PATH_INFO"))
                    for environ in environs
                    if ENVIRON_KEY not in environ
                )

    def _all_routes(self) -> list[tuple[str, Any, str]]:
        """Yield endpoint, view and method of each route."""
        return [
            (endpoint, view, method)
            for view, endpoint in _views(self._get_resolver(self._urlconf))
            for method in _methods_of(view)
        ]

    def route_limits(self) -> dict[str, str]:
        """Map each endpoint to the limit of its view, "" for none."""
        self.rules_of(None, "GET")
        return route_limits(self._rules[1], self._all_routes())

    def audit(self, decorated: Iterable[Any]) -> None:
        routes = self._all_routes()
        self.rules_of(None, "GET")
        has_rules = log_audit(self._rules[1], routes, decorated)
        if has_rules and not self.confirms:
            logger.error(
                "middleware that rewrites paths can bypass the rules of views: put %r first in"
                " MIDDLEWARE",
                MIDDLEWARE_NAME,
            )


class ViewRulesMiddleware:
    """Checks a view's rules just before Django runs it, unless the guard has already checked them.

    :param guard: the guard around the app. By default the guard that decided on the request; if
        none did (as with ``django.test.Client``), the guard in ``settings.WSGI_APPLICATION``.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[Any], Any] | None, guard: Any = None) -> None:
        self._get_response = get_response
        self._guard = guard

    def __call__(self, request: Any) -> Any:
        assert self._get_response is not None
        return self._get_response(request)

    def process_view(
        self, request: Any, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        environ: Any = getattr(request, "environ", None)
        if environ is None and ViewRules().of(view, request.method) is not None:
            raise ConfigError(
                [f"{view!r} has guard rules, and Django serves it by ASGI, which has no guard"]
            )
        guard = None if environ is None else self._guard_for(environ)
        if guard is None:
            if ViewRules().of(view, request.method) is None:
                return None
            raise ConfigError(
                [
                    f"{view!r} has guard rules, but no guard wraps the app: make"
                    " WSGI_APPLICATION name the app that GuardMiddleware wraps"
                ]
            )
        resolver = guard.resolver
        if not isinstance(resolver, DjangoResolver):
            return None
        route = resolver.rules_of(view, request.method)
        verdict = environ.get(ENVIRON_KEY)
        if (
            verdict is not None
            and verdict.route is route
            and verdict.action != "block"
            and not is_preflight(environ)
        ):
            return None
        endpoint = endpoint_of(request.resolver_match)
        runs_view = request.method != "OPTIONS" or not _answers_options(view, environ)
        with body_of(request):
            refused = guard.check_route(environ, route, endpoint, runs_view=runs_view)
        return None if refused is None else as_django(refused)

    def process_exception(self, request: Any, exception: Exception) -> Any:
        """The refusal of a decorated function that was not handed the request."""
        if isinstance(exception, ViewRefused) and exception.response is not None:
            refused: Any = exception.response
            headers = list(refused.headers)
            return as_django(GuardResponse(refused.get_data(), refused.status_code, headers))
        return None

    def _guard_for(self, environ: WSGIEnvironment) -> Any:
        verdict = environ.get(ENVIRON_KEY)
        if verdict is not None and verdict.guard is not None:
            return verdict.guard
        if self._guard is None:
            from django.conf import settings

            if settings.WSGI_APPLICATION:
                from django.core.servers.basehttp import get_internal_wsgi_application

                app = get_internal_wsgi_application()
                self._guard = next(
                    (part for part in parts_of(app) if is_a(part, GuardMiddleware)), None
                )
        return self._guard


def endpoint_of(match: Any) -> str:
    """Return the template of a route, which is the same for all of its paths."""
    return "/" + str(match.route)


class _language_of:
    """Resolve a path in the language that ``LocaleMiddleware`` will find in it, not in the language
    that the thread's last request has left active."""

    def __init__(self, path: str) -> None:
        from django.conf import settings
        from django.utils import translation

        self._override = None
        if settings.USE_I18N:
            language = translation.get_language_from_path(path) or settings.LANGUAGE_CODE
            self._override = translation.override(language)

    def __enter__(self) -> None:
        if self._override is not None:
            self._override.__enter__()

    def __exit__(self, *raised: Any) -> None:
        if self._override is not None:
            self._override.__exit__(*raised)


def _views(resolver: Any, prefix: str = "/") -> Iterator[tuple[Any, str]]:
    """Yield all views of a URL resolver with their endpoints."""
    for pattern in resolver.url_patterns:
        template = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _views(pattern, template)
        else:
            yield pattern.callback, template


def _methods_of(view: Any) -> list[str]:
    cls = class_of(view)
    if cls is None:
        return ["GET"]
    actions = getattr(view, "actions", None)
    if isinstance(actions, dict):
        return [method.upper() for method in actions]
    names = getattr(cls, "http_method_names", ("get", "post"))
    return [name.upper() for name in names if hasattr(cls, name)]


def _answers_options(view: Any, environ: WSGIEnvironment) -> bool:
    """Whether a view answers OPTIONS with its own method, which runs nothing of the other
    methods."""
    from django.views import View

    cls: Any = class_of(view)
    # Every method goes through the view's own dispatch, as in Django REST framework.
    if cls is None or not issubclass(cls, View) or without_rules(cls.dispatch) is not View.dispatch:
        return False
    if without_rules(cls.options) is View.options:
        return True
    return is_preflight(environ) and answers_preflights(cls)


def _owner(method: Any) -> Any:
    return getattr(method, "__self__", None)
