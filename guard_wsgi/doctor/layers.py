"""What WSGI apps are wrapped in, and where the guard stands among it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

INNER_NAMES = ("wsgi_app", "app", "application", "wsgi", "_app", "_wsgi_app")
"""What frameworks and middlewares call the app that they wrap: ``wsgi_app`` is Flask's and
Socket.IO's, ``application`` WhiteNoise's."""

_SILENT = frozenset({"ProxyFix", "GuardMiddleware"})
"""What answers nothing by itself, or is a guard."""


def layers(app: object) -> Iterator[object]:
    """An app and what it wraps, from the outside."""
    seen: set[int] = set()
    while app is not None and id(app) not in seen:
        seen.add(id(app))
        yield app
        # Flask's own wsgi_app is a bound method, whose owner has been seen.
        inner = next(
            (held for name in INNER_NAMES if callable(held := _read(app, name))),
            None,
        )
        owner = _read(inner, "__self__")
        app = inner if owner is None else owner


def outside_of(guard: object, app: object) -> list[str]:
    """What is wrapped around a guard and may answer by itself; empty where no guard is found.

    The app that the guard belongs to (Flask) is not meant, nor what only rewrites the environ.
    """
    around: list[str] = []
    for layer in layers(app):
        if layer is guard:
            return around
        kind = type(layer)
        if _read(layer, "extensions") is not None or kind.__name__ in _SILENT:
            continue
        around.append(f"{kind.__module__}.{kind.__qualname__}")
    return []


def _read(layer: object, name: str) -> Any:
    """An attribute, ``None`` where there is none or reading it fails: a middleware may be anything,
    and may compute it from a request that is not there."""
    try:
        return getattr(layer, name, None)
    except Exception:
        return None
