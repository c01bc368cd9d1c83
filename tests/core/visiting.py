"""Visits a guarded app as a client would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig
from tests.kit.gateway import Answer, environ_for, sandwich, serve, text_app

INJECTION = "1' UNION SELECT username, password FROM users--"


class Site:
    """An app in the sandwich ``Lint > guard > guard > Lint``, with one configuration for both.

    :ivar seen: the environs that reached the app.
    """

    def __init__(
        self,
        config: SecurityConfig | None = None,
        *,
        routes: dict[str, RouteConfig] | None = None,
        resolver: Any = None,
        app: Any = None,
        **options: Any,
    ) -> None:
        self.config = config if config is not None else SecurityConfig(**options)
        self.seen: list[dict[str, Any]] = []
        self.guards: list[GuardMiddleware] = []
        inner = app if app is not None else text_app()

        def recording(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            self.seen.append(environ)
            return inner(environ, start_response)

        def guarded(wrapped: Any) -> GuardMiddleware:
            guard = GuardMiddleware(wrapped, self.config, routes=routes, resolver=resolver)
            self.guards.append(guard)
            return guard

        self._app = sandwich(recording, guarded)

    @property
    def guard(self) -> GuardMiddleware:
        """The outer of the two: the one that decides."""
        return self.guards[-1]

    def visit(
        self,
        path: str = "/",
        *,
        ip: str = "203.0.113.7",
        server: dict[str, Any] | None = None,
        **options: Any,
    ) -> Answer:
        """:param server: values that the server puts into the environ, over all others."""
        environ = environ_for(path, **options)
        environ.update(server or {})
        environ["REMOTE_ADDR"] = ip
        return serve(self._app, environ)
