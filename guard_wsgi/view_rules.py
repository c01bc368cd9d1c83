"""Which rules a view carries, whatever it is wrapped in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from guard_wsgi.route_config import RouteConfig

ROUTE_ATTRIBUTE = "__guard_route__"
"""Where a view carries its RouteConfig."""

_MERGED_ATTRIBUTE = "_guard_merged_routes"
"""Where a class-based view keeps what the rules of its parts come to."""

_LAYERS_ATTRIBUTE = "_guard_layers"
"""Where a view keeps the functions that it wraps."""

MAX_WRAPPERS = 64
"""No view stands under more layers; a bound also ends a search among many functions."""


def route_config_of(view: Any, method: str = "GET") -> RouteConfig | None:
    """What a view carries: a function, or a class-based view with rules on its class, on the
    function made of it and on the method that serves ``method``. The most specific wins.

    A function that is only referred to by the view (a wrapper made without functools.wraps can't
    be told from a view that calls another one) adds what it restricts, not what it allows.

    The same view and method give the same object each time, so that what is compiled of it can
    be kept by its identity.
    """
    carried: list[tuple[RouteConfig, bool]] = []
    for layer, is_sure in _sure_layers(view, method):
        route = getattr(layer, ROUTE_ATTRIBUTE, None)
        # functools.wraps copies the rules, which then stand on wrapper and wrapped.
        if isinstance(route, RouteConfig) and not (carried and carried[-1][0] is route):
            carried.append((route, is_sure))
    if not carried:
        return None
    if len(carried) == 1 and carried[0][1]:
        return carried[0][0]
    attributes = getattr(view, "__dict__", None)
    kept: list[tuple[list[tuple[RouteConfig, bool]], RouteConfig]] = []
    if isinstance(attributes, dict):
        kept = attributes.setdefault(_MERGED_ATTRIBUTE, kept)
    for parts, known in kept:
        if len(parts) == len(carried) and all(
            mine is theirs and surely == as_surely
            for (mine, surely), (theirs, as_surely) in zip(parts, carried, strict=True)
        ):
            return known
    merged: RouteConfig | None = None
    for route, is_sure in carried:
        merged = (route if is_sure else route.restrictions()).merged_over(merged)
    assert merged is not None
    kept.append((carried, merged))
    return merged


def layers_of(view: Any, method: str) -> Iterator[Any]:
    """From the least to the most specific of what may carry a view's rules."""
    for layer, _ in _sure_layers(view, method):
        yield layer


def _sure_layers(view: Any, method: str) -> Iterator[tuple[Any, bool]]:
    """Each layer with whether it surely belongs to the view, or is only referred to by it."""
    cls = getattr(view, "view_class", None)  # Flask's and Django's as_view() set it
    if cls is None:
        yield from reversed(_layers(view))
        return
    yield cls, True
    yield from reversed(_layers(view))
    handler = method.lower()
    if handler == "head" and not hasattr(cls, "head"):
        handler = "get"
    for name in ("dispatch", "dispatch_request", handler):
        function = getattr(cls, name, None)
        if function is not None:
            yield from reversed(_layers(function))


def _layers(view: Any) -> tuple[tuple[Any, bool], ...]:
    """A function and those it wraps, the outermost first; looked for once."""
    function = getattr(view, "__func__", view)
    attributes = getattr(view, "__dict__", None)
    if not isinstance(attributes, dict):
        return tuple(_unwrapped(function, set(), True))
    known: tuple[tuple[Any, bool], ...] | None = attributes.get(_LAYERS_ATTRIBUTE)
    # functools.wraps copies attributes, so what is found here may be that of another function.
    if known is None or known[0][0] is not function:
        known = attributes[_LAYERS_ATTRIBUTE] = tuple(_unwrapped(function, set(), True))
    return known


def _unwrapped(view: Any, seen: set[int], is_sure: bool) -> Iterator[tuple[Any, bool]]:
    if view is None or id(view) in seen or len(seen) > MAX_WRAPPERS:
        return
    seen.add(id(view))
    yield view, is_sure
    inner = view.func if isinstance(view, partial) else getattr(view, "__wrapped__", None)
    if inner is not None:
        yield from _unwrapped(inner, seen, is_sure)
        return
    for cell in getattr(view, "__closure__", None) or ():
        try:
            content = cell.cell_contents
        except ValueError:  # not filled: a function that refers to itself before it is made
            continue
        if isinstance(content, (FunctionType, MethodType, partial)):
            yield from _unwrapped(content, seen, False)
