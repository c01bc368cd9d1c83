"""The layers of WSGI apps, and the guard's place among them."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getclosurevars
from types import FunctionType
from typing import Any

INNER_NAMES = ("wsgi_app", "app", "application", "wsgi", "_app", "_wsgi_app")
"""The attributes in which frameworks and middleware keep the wrapped app: ``wsgi_app`` in Flask and
Socket.IO, ``application`` in WhiteNoise."""

_SILENT = frozenset({"ProxyFix", "GuardMiddleware"})
"""Layers that never answer by themselves, or are guards."""


def layers(app: object) -> Iterator[object]:
    """Yield an app and what it wraps, from the outside in."""
    seen: set[int] = set()
    while app is not None and id(app) not in seen:
        seen.add(id(app))
        yield app
        # Flask's own wsgi_app is a bound method; its owner was already yielded.
        inner = _wrapped(app)
        owner = _read(inner, "__self__")
        app = inner if owner is None else owner


def outside_of(guard: object, app: object) -> list[str]:
    """List the layers around a guard that may answer by themselves; empty if there is no guard.

    It leaves out the app that the guard belongs to (Flask), and layers that only rewrite the
    environ.
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


def _wrapped(layer: object) -> Any:
    """Return what a layer wraps; ``None`` if nothing is found.

    A function that somebody wrote around an app has it in its closure or its module.
    """
    found = _inner_of(layer)
    if found is None and isinstance(layer, FunctionType):
        used = getclosurevars(layer)
        for inner in (*used.nonlocals.values(), *used.globals.values()):
            if callable(inner) and not isinstance(inner, type) and _inner_of(inner) is not None:
                return inner
    return found


def _inner_of(layer: object) -> Any:
    return next((inner for name in INNER_NAMES if callable(inner := _read(layer, name))), None)


def _read(layer: object, name: str) -> Any:
    """Read an attribute; ``None`` if there is none or reading it fails. A middleware may compute it
    from a request that does not exist now."""
    try:
        return getattr(layer, name, None)
    except Exception:
        return None
