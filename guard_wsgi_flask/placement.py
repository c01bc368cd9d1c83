"""Finds the place of the guard among an app's middleware.

The guard is outermost, but inside of an outermost ``ProxyFix``, so that it sees the same client as
the app. It is never inside of a layer that may answer by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from guard_wsgi.config.proxy_fix import proxy_fix_conflict
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.doctor.layers import INNER_NAMES

_ALWAYS_CALLING = frozenset(
    {
        "werkzeug.middleware.lint.LintMiddleware",
        "werkzeug.middleware.profiler.ProfilerMiddleware",
        "werkzeug.middleware.proxy_fix.ProxyFix",
    }
)
"""Middleware that calls the app for every request, with the same environ. By name: importing the
profiler costs half a megabyte, and an app that uses it has imported it."""

MAX_LAYERS = 50


def place(app: Flask, wrap: Callable[[Any], Any]) -> Any:
    """Put ``wrap`` around the app's ``wsgi_app``, or around the app inside of an outermost
    ProxyFix. Return the result of ``wrap``."""
    fix = _outer_proxy_fix(app)
    if fix is None:
        guard = wrap(app.wsgi_app)
        app.wsgi_app = guard  # type: ignore[method-assign]
    else:
        guard = fix.app = wrap(fix.app)
    return guard


def conflict(app: Flask, config: SecurityConfig) -> str:
    """Say why the guard and ProxyFix conflict; ``""`` if they don't."""
    outer = _outer_proxy_fix(app)
    around: Any = None
    for layer in _layers(app):
        if isinstance(layer, ProxyFix):
            fault = proxy_fix_conflict(layer, config)
            if fault:
                return fault
            if around is not None and not _is_settled(layer, outer, config):
                name = type(around).__qualname__
                return (
                    f"{name} wraps ProxyFix and may answer requests itself: a guard outside of"
                    " it would see the proxy in place of the clients, and a guard inside of it"
                    f" would miss the answers of {name}. Make ProxyFix the outermost layer:"
                    f" app.wsgi_app = ProxyFix({name}(...)), then FlaskAPIGuard(app); or remove"
                    " ProxyFix and name the proxy in trusted_proxies"
                )
        elif around is None and not _calls_always(layer):
            around = layer
    return ""


def _is_settled(fix: ProxyFix, outer: ProxyFix | None, config: SecurityConfig) -> bool:
    """Whether a guard outside of a ProxyFix sees the same client as the app: through a second
    ProxyFix like it, or by its own ``trusted_proxies``."""
    if outer is not None:
        names = ("x_for", "x_proto", "x_host", "x_port", "x_prefix")
        return all(getattr(fix, name, 0) == getattr(outer, name, 0) for name in names)
    return not fix.x_for and bool(config.trusted_proxies)


def leads_to(app: Flask, wsgi: Any) -> bool:
    """Whether every call of ``wsgi`` certainly reaches Flask unchanged."""
    for _ in range(MAX_LAYERS):
        if getattr(wsgi, "__self__", None) is app:
            return getattr(wsgi, "__func__", None) is Flask.wsgi_app and _asks_before_all(app)
        if not _is_always_calling(wsgi):
            return False
        wsgi = wsgi.app if hasattr(wsgi, "app") else wsgi._app
    return False


def _asks_before_all(app: Flask) -> bool:
    """Whether an app dispatches its requests as Flask does."""
    names = ("full_dispatch_request", "preprocess_request", "request_context")
    return all(
        getattr(type(app), name) is getattr(Flask, name) and name not in vars(app) for name in names
    )


def _outer_proxy_fix(app: Flask) -> ProxyFix | None:
    """Return the innermost ProxyFix outside of which no layer answers by itself."""
    found = None
    for layer in _layers(app):
        if isinstance(layer, ProxyFix):
            found = layer
        elif not _calls_always(layer):
            break
    return found


def _calls_always(layer: Any) -> bool:
    return isinstance(layer, ProxyFix) or _is_always_calling(layer)


def _is_always_calling(layer: Any) -> bool:
    kind = type(layer)
    return f"{kind.__module__}.{kind.__qualname__}" in _ALWAYS_CALLING


def _layers(app: Flask) -> Iterator[Any]:
    """Yield the layers around an app, from the outside in."""
    layer: Any = app.wsgi_app
    for _ in range(MAX_LAYERS):
        inner = (getattr(layer, name, None) for name in INNER_NAMES)
        below = next((each for each in inner if callable(each)), None)
        if below is None:
            return  # Flask's own
        yield layer
        if below is app:
            return
        layer = below
