"""Which route a request is for, before the framework says so.

A resolver maps an environ to a :class:`Resolution`. The frameworks' own routers are asked, so
that the guard and the framework can't disagree about a path; they are imported only by the
resolver that needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from attrs import frozen
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from guard_wsgi.request import canonical_path
from guard_wsgi.routes import RouteConfig, route_config_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@frozen(slots=True)
class Resolution:
    """The route of a request.

    :ivar endpoint: its name or template: the same for all concrete paths of the route.
    :ivar route: the rules of its view, ``None`` if it has none of its own.
    """

    endpoint: str
    route: RouteConfig | None = None


Resolver = Callable[["WSGIEnvironment"], "Resolution | None"]
"""Answers ``None`` where no route matches."""


class PatternResolver:
    """Routes by path patterns in werkzeug's syntax, for apps whose router can't be asked.

    :param routes: ``{"/admin/<path:rest>": RouteConfig(...)}``; any method.
    :raises ValueError: for a pattern that werkzeug doesn't understand.
    """

    def __init__(self, routes: Mapping[str, RouteConfig]) -> None:
        self._routes = dict(routes)
        # merge_slashes and a missing trailing slash must not lead past a rule.
        rules = [
            Rule(pattern, endpoint=pattern, merge_slashes=True, strict_slashes=False)
            for pattern in self._routes
        ]
        self._adapter = Map(rules).bind("")

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        path = environ.get("PATH_INFO") or "/"
        if not path.isascii():
            path = path.encode("latin-1").decode("utf-8", "replace")
        return self._match(path) or self._match(canonical_path(path))

    def _match(self, path: str) -> Resolution | None:
        try:
            pattern, _ = self._adapter.match(path, method="GET")
        except HTTPException as answer:
            # A redirect to the canonical spelling is a match of that spelling.
            target = getattr(answer, "new_url", None)
            if target is None or _path_of(target) == path:
                return None
            return self._match(_path_of(target))
        return Resolution(pattern, self._routes[pattern])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PatternResolver) and self._routes == other._routes

    __hash__ = object.__hash__


class DjangoResolver:
    """Routes of a Django project, by its own URL resolver.

    :param urlconf: another root URLconf than the settings' one.
    """

    def __init__(self, urlconf: str | None = None) -> None:
        from django.urls import Resolver404, resolve

        self._resolve = resolve
        self._not_found = Resolver404
        self._urlconf = urlconf

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        path = (environ.get("PATH_INFO") or "/").encode("latin-1").decode("utf-8", "replace")
        try:
            match = self._resolve(path, self._urlconf)
        except self._not_found:
            return None
        return Resolution("/" + match.route, route_config_of(match.func, environ["REQUEST_METHOD"]))


class BottleResolver:
    """Routes of a Bottle app, by its own router."""

    def __init__(self, app: Any) -> None:
        from bottle import HTTPError

        self._app = app
        self._http_error = HTTPError

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        # Bottle decodes the path and looks into the environ for the method and a script name.
        path = (environ.get("PATH_INFO") or "/").encode("latin-1").decode("utf-8", "replace")
        asked = {"REQUEST_METHOD": environ["REQUEST_METHOD"], "PATH_INFO": "/" + path.lstrip("/")}
        try:
            route, _ = self._app.router.match(asked)
        except self._http_error:
            return None
        return Resolution(route.rule, route_config_of(route.callback, environ["REQUEST_METHOD"]))


def _path_of(url: str) -> str:
    return unquote(urlsplit(url).path) or "/"
