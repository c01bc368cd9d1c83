"""The extension's state for one app."""

from __future__ import annotations

from attrs import define

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.routes.decorators import SecurityDecorator
from guard_wsgi_flask.resolver import FlaskResolver
from guard_wsgi_flask.rewrite_watch import RewriteWatch


@define(eq=False)
class GuardedApp:
    """The extension's state for one app, at ``app.extensions["guard_wsgi"]``."""

    guard: object
    middleware: GuardMiddleware
    resolver: FlaskResolver
    rewriting: RewriteWatch
    decorator: SecurityDecorator | None = None

    @property
    def config(self) -> SecurityConfig:
        return self.middleware.policy.config
