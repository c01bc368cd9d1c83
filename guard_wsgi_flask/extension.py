"""The Flask extension: it puts the guard around an app and gives it the app's routes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from attrs import fields
from flask import Flask, Response, current_app, has_app_context

from guard_wsgi.config.foreign_names import translated, without_kubernetes, without_own_names
from guard_wsgi.config.security import DoubtfulOption, SecurityConfig, needed
from guard_wsgi.config.sources import is_option, read_texts
from guard_wsgi.errors import ConfigError
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.options.resolving import options_of
from guard_wsgi.routes.decorated_views import decorated_by
from guard_wsgi.routes.decorators import SecurityDecorator
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.ratelimit import LimitState
from guard_wsgi_flask.compat import GuardResponseFactory, OriginalState
from guard_wsgi_flask.guarded_app import GuardedApp
from guard_wsgi_flask.placement import conflict, leads_to, place
from guard_wsgi_flask.registry import register
from guard_wsgi_flask.request_hooks import (
    EXTENSION_NAME,
    check_matched_route,
    hook_context_of,
    modify_response,
    renderer_of,
)
from guard_wsgi_flask.resolver import FlaskResolver
from guard_wsgi_flask.rewrite_watch import RewriteWatch

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from guard_wsgi.agent import GuardAgentHandler

ORIGINAL_NAME = "flaskapi_guard"
"""The key of flaskapi-guard's state in ``app.extensions``."""

CONFIG_PREFIX = "GUARD_"


class FlaskAPIGuard:
    """Protects a Flask app: ``FlaskAPIGuard(app, config=...)``, or ``init_app`` in a factory.

    Options come from ``config``, then from ``app.config["GUARD_..."]`` if ``config`` has the
    default, then from the defaults. The guard is outside of the app (``app.wsgi_app``), so it
    decides before sessions, other extensions and hooks.

    :raises ConfigError: if the configuration is not valid, or the app is already guarded.
    :raises TypeError: if ``app`` is not a Flask app.
    """

    def __init__(self, app: Flask | None = None, *, config: SecurityConfig | None = None) -> None:
        self._config = needed(config) if config is not None else None
        self._latest: GuardedApp | None = None
        self._decorator: SecurityDecorator | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, config: SecurityConfig | None = None) -> None:
        """Guard an app. One extension object may guard several apps; each has its own state.

        :raises ConfigError: if the configuration is not valid, or the app is already guarded.
        :raises TypeError: if ``app`` is not a Flask app.
        """
        if not hasattr(app, "extensions"):
            kind = type(app).__name__
            raise TypeError(
                f"app must be a Flask app, not {kind}: use GuardMiddleware(app, config)"
            )
        if EXTENSION_NAME in app.extensions:
            raise ConfigError([f"the app {app.name!r} is already guarded"])
        effective = _from_app(app, config if config is not None else self._config)
        fault = conflict(app, effective)
        if fault:
            raise ConfigError([fault])

        def decorated() -> list[Any]:
            handler = guarded.decorator
            views = list(decorated_by(effective))
            if handler is not None and handler.config is not effective:
                views += list(decorated_by(handler.config))
            return views

        resolver = FlaskResolver(app, decorated)
        hook_context = hook_context_of(app)

        def wrap(wsgi_app: WSGIApplication) -> GuardMiddleware:
            return GuardMiddleware(
                wsgi_app,
                effective,
                resolver=resolver,
                renderer=renderer_of(app, hook_context),
                hook_context=hook_context,
                asks_inside=leads_to(app, wsgi_app),
            )

        middleware = place(app, wrap)
        guarded = GuardedApp(self, middleware, resolver, RewriteWatch(effective), self._decorator)
        app.extensions[EXTENSION_NAME] = guarded
        app.extensions[ORIGINAL_NAME] = OriginalState(guarded)
        register(guarded)
        # Before all others: a hook that answers by itself must not answer instead of a guarded
        # view.
        app.before_request_funcs.setdefault(None, []).insert(0, check_matched_route)
        if effective.custom_response_modifier is not None:
            # Flask calls the first function last.
            app.after_request_funcs.setdefault(None, []).insert(0, modify_response)
        self._latest = guarded

    def set_decorator_handler(self, decorator: SecurityDecorator | None) -> None:
        """Add the decorator's views to the audit if its configuration isn't the extension's.

        Decorators take effect without this call. It exists for users of flaskapi-guard.
        """
        self._decorator = decorator
        if self._latest is not None:
            self._latest.decorator = decorator

    # What runs -------------------------------------------------------------------------------

    @property
    def middleware(self) -> GuardMiddleware:
        """The guard of the current app, or of the app guarded last.

        :raises RuntimeError: before ``init_app``.
        """
        return self._guarded().middleware

    @property
    def config(self) -> SecurityConfig | None:
        """The configuration in force, with dynamic rules; before ``init_app`` the given one, if
        any."""
        guarded = self._find()
        return self._config if guarded is None else guarded.config

    @property
    def guard_response_factory(self) -> GuardResponseFactory:
        """Makes answers for checks and validators, under flaskapi-guard's names."""
        return GuardResponseFactory()

    @property
    def bans(self) -> Bans:
        """Ban, lift and list: ``guard.bans.ban("203.0.113.7", 3600, "abuse")``."""
        return self.middleware.bans

    def limits(self, client: str, path: str = "/", method: str = "GET") -> list[LimitState]:
        """Return what a client has left of each limit that applies to a path. This counts
        nothing."""
        return self.middleware.limits(client, path, method)

    @property
    def agent_handler(self) -> GuardAgentHandler | None:
        """The telemetry agent; ``None`` without ``enable_agent``."""
        return self.middleware.services.agent

    @property
    def agent_stats(self) -> dict[str, Any]:
        """The agent's live counters; ``{"enabled": False}`` without one."""
        agent = self.agent_handler
        return {"enabled": False} if agent is None else {"enabled": True, **agent.get_stats()}

    def status(self) -> dict[str, Any]:
        """Return the health of what the guard depends on."""
        return self.middleware.status()

    def stats(self) -> dict[str, int]:
        """Count requests that passed and were refused."""
        return self.middleware.stats()

    def reset(self) -> None:
        """Forget counters, bans and limits."""
        self.middleware.reset()

    def refresh_cloud_ip_ranges(self) -> None:
        """Fetch the ranges of cloud providers now, in this thread."""
        self.middleware.services.clouds.refresh()

    def create_error_response(self, status_code: int, default_message: str) -> Response:
        """Make a refusal in the guard's form, for the app's own use in a view."""
        text = self._guarded().config.custom_error_responses.get(status_code, default_message)
        return Response(text, status_code, mimetype="text/plain")

    def _find(self) -> GuardedApp | None:
        if has_app_context():
            guarded = current_app.extensions.get(EXTENSION_NAME)
            if isinstance(guarded, GuardedApp) and guarded.guard is self:
                return guarded
        return self._latest

    def _guarded(self) -> GuardedApp:
        guarded = self._find()
        if guarded is None:
            raise RuntimeError("no app yet: call init_app(app) first")
        return guarded


def _from_app(app: Flask, config: SecurityConfig | None) -> SecurityConfig:
    """Merge the argument and ``app.config`` into one configuration."""
    prefix = CONFIG_PREFIX
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in app.config.items()
        if name.startswith(prefix)
    }
    known = options_of(SecurityConfig)
    given, doubtful = without_kubernetes(given, {option.name: None for option in known}, prefix)
    options = translated(given)
    secrets = [name for name in options if is_option(name, known)]
    own, faults, doubts = without_own_names(
        options, secrets + [each.name for each in known], prefix
    )
    for message in doubtful + doubts:
        warnings.warn(message, DoubtfulOption, stacklevel=4)
    options, text_faults = read_texts(own, known, prefix)
    try:
        # Secrets may come as *_file: read everything before merging.
        read = SecurityConfig.from_mapping(options)
    except ConfigError as error:
        text_faults = [*text_faults, *error.faults]
    if faults or text_faults:
        raise ConfigError([*faults, *text_faults])
    if config is None:
        return read
    if not options:
        return config
    defaults = {attribute.name: attribute.default for attribute in fields(SecurityConfig)}
    changes = {
        name: getattr(read, name)
        for name, default in defaults.items()
        if not name.startswith("_")
        and getattr(read, name) != default
        and getattr(config, name) == default
    }
    return config.evolve(**changes) if changes else config
