"""Flask's routes, as the guard asks for them before Flask does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from guard_wsgi.resolvers import Resolution
from guard_wsgi.routes import RouteConfig, layers_of, route_config_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("guard_wsgi.routes")

MAX_CACHED_PATHS = 2048
"""A match costs 10 us and more, a look-up 0.2; the cache is emptied when full, so it can't grow
under a client that makes up paths."""

ANY_METHOD = ("GET", "POST")
"""What stands for the methods of a rule that names none."""


class FlaskResolver:
    """Matches against the app's own ``url_map``.

    Only when some view carries rules: an app without decorators pays for none of this. Views
    registered later are seen when their number changes.
    """

    def __init__(self, app: Flask, decorated: Callable[[], Iterable[Any]] = tuple) -> None:
        """:param decorated: gives all views that decorators marked, for the audit."""
        self._app = app
        self._decorated = decorated
        self._known_views = -1
        self._by_endpoint: dict[tuple[str, str], RouteConfig | None] = {}
        self._has_rules = False
        self._cache: dict[tuple[str, str, str, str], Resolution | None] = {}

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        if len(self._app.view_functions) != self._known_views:
            self._read_views()
        if not self._has_rules:
            return None
        key = (
            environ["REQUEST_METHOD"],
            environ.get("HTTP_HOST", ""),
            environ.get("SCRIPT_NAME", ""),
            environ.get("PATH_INFO", ""),
        )
        try:
            return self._cache[key]
        except KeyError:
            resolution = self._match(environ)
            if len(self._cache) >= MAX_CACHED_PATHS:
                self._cache.clear()
            self._cache[key] = resolution
            return resolution

    def route_of(self, endpoint: str, method: str) -> RouteConfig | None:
        """The rules of the view behind an endpoint."""
        key = (endpoint, method)
        try:
            return self._by_endpoint[key]
        except KeyError:
            view = self._app.view_functions.get(endpoint)
            route = route_config_of(view, method) if view is not None else None
            self._by_endpoint[key] = route
            return route

    def _read_views(self) -> None:
        self._known_views = len(self._app.view_functions)
        self._by_endpoint.clear()
        self._cache.clear()
        self._has_rules = any(route is not None for *_, route in self.routes())
        self._audit()

    def routes(self) -> Iterator[tuple[Rule, str, RouteConfig | None]]:
        """Each rule of the app, method by method, with what its view carries."""
        for rule in self._app.url_map.iter_rules():
            for method in sorted(rule.methods or ANY_METHOD):
                yield rule, method, self.route_of(rule.endpoint, method)

    def _audit(self) -> None:
        """Say which views have rules, and which rules protect nothing: they look as if they did."""
        for rule, method, route in self.routes():
            if route is not None:
                logger.info("%s %s (%s): %r", method, rule, rule.endpoint, route)
        for view in self.unreached(self._decorated()):
            logger.error(
                "%s.%s has guard rules, but no route leads to it: they protect nothing",
                getattr(view, "__module__", "?"),
                getattr(view, "__qualname__", repr(view)),
            )

    def unreached(self, decorated: Iterable[Any]) -> list[Any]:
        """Those of the decorated functions and classes that no route leads to."""
        reached: set[int] = set()
        for rule, method, _ in self.routes():
            view = self._app.view_functions.get(rule.endpoint)
            if view is not None:
                reached.update(id(layer) for layer in layers_of(view, method))
        return [view for view in decorated if id(view) not in reached]

    def _match(self, environ: WSGIEnvironment) -> Resolution | None:
        try:
            adapter = self._app.create_url_adapter(self._app.request_class(environ))
            if adapter is None:
                return None
            rule, _ = adapter.match(return_rule=True)
        except HTTPException:
            # Not found, not allowed, or a redirect, at whose target the rules hold.
            return None
        method = environ["REQUEST_METHOD"]
        return Resolution(rule.endpoint, self.route_of(rule.endpoint, method))
