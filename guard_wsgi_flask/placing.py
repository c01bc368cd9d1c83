"""Where among an app's middlewares the guard stands.

It stands outermost, but inside of ``ProxyFix``, so that it sees the client that the app sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.middleware.profiler import ProfilerMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from guard_wsgi.config import SecurityConfig
from guard_wsgi.layers import INNER_NAMES
from guard_wsgi.network.forwarding import proxy_fix_conflict

_ALWAYS_CALLING = (ProxyFix, ProfilerMiddleware, LintMiddleware)
"""Middlewares that call the app for every request, with its own environ."""

MAX_LAYERS = 50


def place(app: Flask, wrap: Callable[[Any], Any]) -> Any:
    """Put ``wrap`` around the app's ``wsgi_app``, or around what its innermost ProxyFix calls;
    returns what ``wrap`` made."""
    fix = _innermost_proxy_fix(app)
    if fix is None:
        guard = wrap(app.wsgi_app)
        app.wsgi_app = guard  # type: ignore[method-assign]
    else:
        guard = fix.app = wrap(fix.app)
    return guard


def conflict(app: Flask, config: SecurityConfig) -> str:
    """Why the guard and ProxyFix can't both have their say; ``""`` where they can."""
    fix = _innermost_proxy_fix(app)
    return "" if fix is None else proxy_fix_conflict(fix, config)


def leads_to(app: Flask, wsgi: Any) -> bool:
    """Whether what ``wsgi`` is called for, Flask itself surely is called for, as it is."""
    for _ in range(MAX_LAYERS):
        if getattr(wsgi, "__self__", None) is app:
            return getattr(wsgi, "__func__", None) is Flask.wsgi_app and _asks_before_all(app)
        if type(wsgi) not in _ALWAYS_CALLING:
            return False
        wsgi = wsgi.app if hasattr(wsgi, "app") else wsgi._app
    return False


def _asks_before_all(app: Flask) -> bool:
    """Whether an app dispatches its requests as Flask does."""
    names = ("full_dispatch_request", "preprocess_request", "request_context")
    return all(
        getattr(type(app), name) is getattr(Flask, name) and name not in vars(app) for name in names
    )


def _innermost_proxy_fix(app: Flask) -> ProxyFix | None:
    found = None
    layer: Any = app.wsgi_app
    for _ in range(MAX_LAYERS):
        if isinstance(layer, ProxyFix):
            found = layer
        inner = (getattr(layer, name, None) for name in INNER_NAMES)
        layer = next((each for each in inner if callable(each)), None)
        if layer is None or layer is app:
            break
    return found
