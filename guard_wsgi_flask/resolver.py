"""Finds Flask's routes before Flask does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from attrs import frozen
from flask import Flask, Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from guard_wsgi.doctor.layers import outside_of
from guard_wsgi.routes.audit import log_audit, route_limits
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.resolvers import Resolution, Signature, signature_of
from guard_wsgi.routes.ruled_function import ROUTE_ATTRIBUTE
from guard_wsgi.routes.view_rules import ViewRules
from guard_wsgi_flask.matching import remember_matches
from guard_wsgi_flask.request_hooks import forget_body

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("guard_wsgi.routes")

MAX_CACHED_PATHS = 2048
"""The size of the cache: a match takes 10 us and more, a lookup 0.2. It is emptied when full, so
that a client that makes up paths can't fill the memory."""

MAX_CACHED_CHARS = 512
"""The longest key (host and path): few real ones are longer, and clients can't fill the memory."""

_Rules = tuple[Any, Any, RouteConfig | None]
"""A view, what it carries itself, and its rules, with those of all its layers."""

_UNKNOWN: _Rules = object(), None, None
"""The rules of an endpoint without a view."""

ANY_METHOD = ("GET", "POST")
"""Stands for the methods of a rule that names none."""


@frozen(slots=True, kw_only=True)
class _Match(Resolution):
    """The router's result for a path."""

    signature: Signature


class FlaskResolver:
    """Matches against the app's own ``url_map``.

    It only runs if some view has rules: an app without decorators pays nothing. It notices views
    that are registered later when their number changes.
    """

    confirms = True

    def __init__(self, app: Flask, decorated: Callable[[], Iterable[Any]] = tuple) -> None:
        """:param decorated: returns all views that decorators marked, for the audit."""
        self._app = app
        self._decorated = decorated
        self._guard: Any = None
        self._known_views = -1
        self._rules = ViewRules()
        self._has_rules = False
        self._remembers = False
        # An app's own matching may depend on anything in a request.
        self._caches = (
            app.request_class is Request
            and type(app).create_url_adapter is Flask.create_url_adapter
            and "create_url_adapter" not in vars(app)
        )
        self._cache: dict[tuple[str, ...], _Match | None] = {}
        self._routes: dict[tuple[str, str], _Rules] = {}
        self._templates: dict[str, str] = {}

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        if len(self._app.view_functions) != self._known_views:
            self._read_views()
        return self._match(environ) if self._has_rules else None

    def signature(self, environ: WSGIEnvironment) -> Signature | None:
        """Return the rule and its arguments, for limits by path, even if no view has rules."""
        if len(self._app.view_functions) != self._known_views:
            self._read_views()
        match = self._match(environ)
        return None if match is None else match.signature

    def _match(self, environ: WSGIEnvironment) -> _Match | None:
        # Everything that werkzeug matches by, except a WebSocket's handshake, which matches other
        # rules.
        key = (
            environ["REQUEST_METHOD"],
            environ["wsgi.url_scheme"],
            environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}",
            environ.get("SCRIPT_NAME", ""),
            environ.get("PATH_INFO", ""),
        )
        if "HTTP_UPGRADE" in environ or not self._caches:
            return self._ask_router(environ)
        try:
            return self._cache[key]
        except KeyError:
            match = self._ask_router(environ)
            if sum(map(len, key)) <= MAX_CACHED_CHARS:
                if len(self._cache) >= MAX_CACHED_PATHS:
                    self._cache.clear()
                self._cache[key] = match
            return match

    def forget_body(self, environ: WSGIEnvironment) -> None:
        """Drop what Flask has parsed of the body for an app's function."""
        forget_body(environ)

    def template_of(self, environ: WSGIEnvironment, endpoint: str | None) -> str | None:
        """Return the rule of an endpoint, or of the view that a request matches."""
        if endpoint is None:
            match = self._match(environ)
            if match is None:
                return None
            endpoint = match.endpoint
        if len(self._app.view_functions) != self._known_views:
            self._read_views()
        template = self._templates.get(endpoint)
        if template is None:
            try:
                rules = self._app.url_map.iter_rules(endpoint)
            except KeyError:  # a view that another view has called
                return endpoint
            template = self._templates[endpoint] = next((rule.rule for rule in rules), endpoint)
        return template

    def attach(self, guard: Any) -> None:
        """Keep the guard, to notice layers that are put around it later. The extension registers
        the function that asks again before a view runs."""
        self._guard = guard

    def route_of(self, endpoint: str, method: str) -> RouteConfig | None:
        """Return the rules of the view of an endpoint."""
        return self.rules_of(endpoint, method)[2]

    def rules_of(self, endpoint: str, method: str) -> _Rules:
        """Return the view of an endpoint, what it carries itself, and its rules."""
        view = self._app.view_functions.get(endpoint)
        carried = view.__dict__.get(ROUTE_ATTRIBUTE) if type(view) is FunctionType else None
        known = self._routes.get((endpoint, method), _UNKNOWN)
        # Every request asks, since a view may be replaced or decorated later.
        if known[0] is view and known[1] is carried:
            return known
        views = self._app.view_functions
        if len(views) != self._known_views:
            self._read_views()
        if view is None:
            return _UNKNOWN
        if len(self._routes) >= MAX_CACHED_PATHS:  # a view that takes any method
            self._routes.clear()
        known = self._routes[endpoint, method] = view, carried, self._rules.of(view, method)
        return known

    def _read_views(self) -> None:
        views = self._app.view_functions
        self._known_views = len(views)
        self._cache.clear()
        self._routes.clear()
        self._templates.clear()
        self._rules = ViewRules(views.values())
        self._audit()

    def audit(self, decorated: Iterable[Any]) -> None:
        """Audit at the start, and again whenever views are registered."""
        for name in outside_of(self._guard, self._app):
            logger.warning(
                "%s was wrapped around the app after the guard: its own answers are not guarded."
                " Call FlaskAPIGuard(app), or init_app(app), after it",
                name,
            )
        if len(self._app.view_functions) != self._known_views:
            self._read_views()

    def _audit(self) -> None:
        """Log which views have rules, and which rules protect nothing although they seem to."""
        views = self._app.view_functions
        routes = [
            (f"{rule} ({rule.endpoint})", views[rule.endpoint], method)
            for rule, method, _ in self.routes()
            if rule.endpoint in views
        ]
        self._has_rules = log_audit(self._rules, routes, self._decorated())
        if self._has_rules and not self._remembers:
            self._remembers = True
            remember_matches(self._app)

    def routes(self) -> Iterator[tuple[Rule, str, RouteConfig | None]]:
        """Yield each rule of the app, method by method, with the rules of its view."""
        for rule in self._app.url_map.iter_rules():
            for method in sorted(rule.methods or ANY_METHOD):
                yield rule, method, self.route_of(rule.endpoint, method)

    def route_limits(self) -> dict[str, str]:
        """Map each template to the limit of its view, "" for none."""
        views = self._app.view_functions
        return route_limits(
            self._rules,
            [
                (str(rule), views[rule.endpoint], method)
                for rule, method, _ in self.routes()
                if rule.endpoint in views
            ],
        )

    def unreached(self, decorated: Iterable[Any]) -> list[Any]:
        """Return the decorated functions and classes that no route leads to."""
        views = self._app.view_functions
        return self._rules.unreached(
            decorated,
            (
                (views[rule.endpoint], method)
                for rule, method, _ in self.routes()
                if rule.endpoint in views
            ),
        )

    def _ask_router(self, environ: WSGIEnvironment) -> _Match | None:
        try:
            adapter = self._app.create_url_adapter(self._app.request_class(environ))
            if adapter is None:
                return None
            rule, arguments = adapter.match(return_rule=True)
        except HTTPException:
            # Not found, not allowed, or a redirect, whose target has its rules.
            return None
        except RuntimeError:
            # A converter that reads the session or the request works only inside of Flask, where
            # the guard checks the rules of the view that it leads to.
            return None
        method = environ["REQUEST_METHOD"]
        route = self.route_of(rule.endpoint, method)
        signature = signature_of(rule.rule, arguments)
        return _Match(rule.endpoint, route, signature=signature)
