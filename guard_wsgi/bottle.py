"""Rules of Bottle's routes.

The guard predicts the route with Bottle's own router. Hooks that rewrite the path may lead to
another route, and a mounted app has its own router. So the guard checks the rules again for each
route that a router finds, just before Bottle runs it. The router itself asks the guard: a route
could skip a plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.verdict import ENVIRON_KEY
from guard_wsgi.request.view import is_preflight
from guard_wsgi.routes.audit import log_audit, route_limits
from guard_wsgi.routes.calls import as_bottle
from guard_wsgi.routes.resolvers import Resolution, Signature, signature_of
from guard_wsgi.routes.view_rules import ViewRules

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from guard_wsgi.request.block import Block


MAX_MOUNTS = 32
"""How deep apps may be mounted in apps. The limit ends a loop if an app is mounted in itself."""

_PARSED = tuple(
    f"bottle.request.{name}" for name in ("body", "post", "forms", "files", "params", "json")
)
"""The environ keys under which Bottle keeps what it has read of a body."""


_APP_KEY = "bottle.app"
"""In the environ while Bottle handles the request."""

_OF_A_BODY = frozenset({"content-type", "content-length"})


class BottleResolver:
    """Finds the routes of a Bottle app, and of the apps mounted in it, with Bottle's own router."""

    confirms = False

    def __init__(self, app: Any) -> None:
        from bottle import HTTPError, path_shift

        self._app = app
        self._http_error = HTTPError
        self._path_shift = path_shift
        self._guard: Any = None
        self._known_routes = -1
        self._endpoints: dict[int, tuple[str, Any]] = {}
        self._rules = ViewRules()

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        self._read_routes()
        method = environ["REQUEST_METHOD"]
        found = self._predicted(self._app, method, environ.get("PATH_INFO", ""))
        if found is None:
            return None
        route, _ = found
        return Resolution(self._endpoint_of(route), self._rules.of(route.call, method))

    def signature(self, environ: WSGIEnvironment) -> Signature | None:
        """The route and its arguments, for limits by path."""
        self._read_routes()
        found = self._predicted(self._app, environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))
        if found is None:
            return None
        route, arguments = found
        return signature_of(self._endpoint_of(route), sorted(arguments.items()))

    def attach(self, guard: Any) -> None:
        """Make the routers of the app, and of those mounted in it, ask the guard."""
        self._guard = self._guard or guard
        self.confirms = True
        self._read_routes()

    @contextmanager
    def hook_context(self, environ: WSGIEnvironment) -> Iterator[None]:
        """Bind ``bottle.request`` and ``bottle.response`` for functions of the app that run before
        Bottle does. Bottle binds them again to the same environ."""
        from bottle import request, response

        try:
            is_bound = request.environ is environ
        except RuntimeError:  # the thread's first request
            is_bound = False
        if not is_bound:
            request.bind(environ)
            response.bind()
        yield

    def forget_body(self, environ: WSGIEnvironment) -> None:
        """Remove what Bottle has parsed of the body from the environ."""
        for name in _PARSED:
            environ.pop(name, None)

    def renderer(
        self, block: Block, environ: WSGIEnvironment, plain: Callable[[], GuardResponse]
    ) -> GuardResponse | None:
        """Answer a refusal as the app answers its own errors: with its handler for the status,
        which gets a ``bottle.HTTPError`` with the refusal as ``block``, and through its
        ``after_request`` hooks. An app without either pays two lookups."""
        app = self._app
        handler = app.error_handler.get(block.status) if block.response is None else None
        # Inside of Bottle, Bottle itself calls the hooks for the answer.
        hooks = () if _APP_KEY in environ else app._hooks["after_request"]
        if handler is None and not hooks:
            return None
        from bottle import HTTPError, response

        refusal = plain()
        with self.hook_context(environ):
            response.bind()
            answer: Any = as_bottle(refusal)
            if handler is not None:
                error = HTTPError(block.status, block.message)
                error.block = block
                error.apply(response)
                answer = handler(error)
            body = b"".join(app._cast(answer))
            if hooks:
                app.trigger_hook("after_request")
            headers = response.headers
            for name, value in refusal.header_list:
                if name not in headers and name.lower() not in _OF_A_BODY:
                    response.set_header(name, value)
            return GuardResponse(body, response.status_code, list(response.headerlist))

    def _all_routes(self) -> list[tuple[str, Any, str]]:
        """Yield endpoint, view and method of each route."""
        self._read_routes()
        return [
            (endpoint, route.call, route.method) for endpoint, route in self._endpoints.values()
        ]

    def route_limits(self) -> dict[str, str]:
        """Map each endpoint to the limit of its view, "" for none."""
        routes = self._all_routes()
        return route_limits(self._rules, routes)

    def audit(self, decorated: Iterable[Any]) -> None:
        routes = self._all_routes()
        log_audit(self._rules, routes, decorated)

    def check_found(self, environ: WSGIEnvironment, route: Any) -> None:
        """Check the rules of a route that a router has found.

        :raises bottle.HTTPResponse: the refusal.
        """
        if _target(route) is not None:
            return  # its app's router asks
        self._read_routes()
        verdict = environ.get(ENVIRON_KEY)
        guard = getattr(verdict, "guard", None) or self._guard
        rules = self._rules.of(route.call, environ["REQUEST_METHOD"])
        if (
            verdict is not None
            and verdict.route is rules
            and verdict.action != "block"
            and not is_preflight(environ)
        ):
            return
        refused = guard.check_route(environ, rules, self._endpoint_of(route))
        if refused is not None:
            raise as_bottle(refused)

    def _read_routes(self) -> None:
        """Look for new routes and mounts: apps may get some while they run."""
        apps = _apps(self._app)
        count = sum(len(app.routes) for app in apps)
        if count == self._known_routes:
            return
        self._endpoints = {id(route): (name, route) for name, route in _routes(self._app)}
        # `call`: the callback in the decorators that its route applies.
        self._rules = ViewRules(route.call for _, route in self._endpoints.values())
        self._known_routes = count
        if self._guard is not None:
            for app in apps:
                if not isinstance(app.router.match, _AskingMatch):
                    app.router.match = _AskingMatch(app.router.match, self)

    def _endpoint_of(self, route: Any) -> str:
        known = self._endpoints.get(id(route))
        return str(route.rule) if known is None else known[0]

    def _predicted(self, app: Any, method: str, path: str) -> Any:
        """Find the route, with its arguments, for a path as PEP 3333 encodes it, or ``None``.

        Bottle drops bytes that are not UTF-8, and a mounted app does so again.
        """
        try:
            path = path.encode("latin-1").decode("utf-8", "ignore")
        except UnicodeEncodeError:
            return None
        match = app.router.match
        if isinstance(match, _AskingMatch):
            match = match.match
        try:
            found = match({"REQUEST_METHOD": method, "PATH_INFO": path})
        except self._http_error:
            return None
        route = found[0]
        target = _target(route)
        if target is None:
            return found
        depth = len(_segments(route.config["mountpoint.prefix"]))
        _, rest = self._path_shift("/", "/" + path.lstrip("/"), depth)
        return self._predicted(target, method, rest)


class _AskingMatch:
    """A router's ``match`` that checks the rules of the route it finds."""

    def __init__(self, match: Any, resolver: BottleResolver) -> None:
        self.match = match
        self._resolver = resolver

    def __call__(self, environ: WSGIEnvironment) -> Any:
        found = self.match(environ)
        self._resolver.check_found(environ, found[0])
        return found


def _target(route: Any) -> Any:
    """Return the Bottle app of a mount; ``None`` for another kind of app, or another route."""
    target = route.config.get("mountpoint.target")
    return target if hasattr(target, "router") else None


def _segments(prefix: str) -> list[str]:
    return [segment for segment in prefix.split("/") if segment]


def _apps(app: Any) -> list[Any]:
    """Yield an app and all apps mounted in it."""
    found = [app]
    for each in found:
        inner = [*getattr(each, "_mounts", ()), *map(_target, each.routes)]
        found.extend(
            mounted
            for mounted in inner
            if mounted is not None and not any(mounted is known for known in found)
        )
    return found


def _routes(app: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the routes of an app and of the apps mounted in it, with paths as a client sees
    them."""
    for route in app.routes:
        target = _target(route)
        if target is None:
            yield prefix + route.rule, route
        elif depth < MAX_MOUNTS:
            mounted_at = "/".join(["", *_segments(route.config["mountpoint.prefix"])])
            yield from _routes(target, prefix + mounted_at, depth + 1)
