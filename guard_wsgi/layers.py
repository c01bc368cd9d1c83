"""What WSGI apps are wrapped in, and where the guard stands among it."""

from __future__ import annotations

from collections.abc import Iterator

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
            (held for name in INNER_NAMES if callable(held := getattr(app, name, None))),
            None,
        )
        app = getattr(inner, "__self__", inner)


def outside_of(guard: object, app: object) -> list[str]:
    """What is wrapped around a guard and may answer by itself; empty where no guard is found.

    The app that the guard belongs to (Flask) is not meant, nor what only rewrites the environ.
    """
    around: list[str] = []
    for layer in layers(app):
        if layer is guard:
            return around
        kind = type(layer)
        if hasattr(layer, "extensions") or kind.__name__ in _SILENT:
            continue
        around.append(f"{kind.__module__}.{kind.__qualname__}")
    return []
