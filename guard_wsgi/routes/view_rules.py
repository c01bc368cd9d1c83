"""Which rules a view carries, whatever it is wrapped in."""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType, MethodType
from typing import Any

from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.ruled_function import ROUTE_ATTRIBUTE
from guard_wsgi.routes.stored import is_a, stored
from guard_wsgi.routes.view_layers import Layer, View

_VIEW_ATTRIBUTE = "_guard_view"
"""Where a view keeps what was found out about it."""

Carried = tuple[tuple[RouteConfig, bool], ...]
"""The rules of a view's layers, and whether the layer is surely one."""


class Names:
    """What views are counted as: module and name, with a number where two have the same. Numbers
    are in the order of an app's routes, so that all of its processes have the same."""

    def __init__(self) -> None:
        self._named: dict[str, list[Any]] = {}

    def of(self, layer: Layer) -> str:
        """What the rules of a layer are counted as."""
        target = layer.target if layer.served is None else layer.served
        name = f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', '')}"
        known = self._named.setdefault(name, [])
        place = next((place for place, one in enumerate(known) if one is target), len(known))
        if place == len(known):
            known.append(target)
        numbered = f"{name}#{place + 1}" if place else name
        return f"{numbered}.{layer.method}" if layer.method else numbered


class RuledView:
    """A view and the rules that its layers come to."""

    def __init__(self, view: Any) -> None:
        self.view = View(view)
        self._merged: dict[tuple[Any, ...], tuple[Carried, RouteConfig]] = {}

    def rules(
        self, method: str, routed: frozenset[int] = frozenset(), names: Names | None = None
    ) -> RouteConfig | None:
        """
        :param routed: the ids of those that have routes of their own.
        :param names: of what is counted.
        """
        if names is None:
            names = Names()
        carried: list[tuple[RouteConfig, bool]] = []
        limits = behavior = ""
        for layer in self.layers(method, routed):
            route = _carried(layer.target)
            # functools.wraps copies the rules, which then stand on wrapper and wrapped.
            if is_a(route, RouteConfig) and not (carried and carried[-1][0] is route):
                carried.append((route, layer.is_sure))
                # Of limits the most specific holds, while rules on behaviour add up.
                if route.has_limits:
                    limits = names.of(layer)
                if route.behavior_rules and not behavior:
                    behavior = names.of(layer)
        if not carried:
            return None
        key = (limits, behavior, *((id(route), is_sure) for route, is_sure in carried))
        known = self._merged.get(key)
        if known is None:
            merged: RouteConfig | None = None
            for route, is_sure in carried:
                merged = (route if is_sure else route.restrictions()).merged_over(merged)
            assert merged is not None
            if limits or behavior:
                merged = merged.counted_as(limits, behavior)
            # With the parts, so that their ids can't come to mean others.
            known = self._merged[key] = tuple(carried), merged
        return known[1]

    def layers(self, method: str, routed: frozenset[int]) -> list[Layer]:
        """What the view consists of, without what it merely names."""
        return [
            layer
            for layer in self.view.layers(method)
            if not any(id(named) in routed for named in layer.named)
        ]


class ViewRules:
    """The rules of an app's views.

    What is kept is bounded by the app, whatever methods clients make up.

    :param views: all of them. A decorated function that has a route of its own is not taken for
        what another view wraps, where that one merely names it.
    """

    def __init__(self, views: Iterable[Any] = ()) -> None:
        self._views: dict[int, RuledView] = {}
        self._rules: dict[tuple[int, tuple[str, ...]], tuple[Any, RouteConfig | None]] = {}
        self._names = Names()
        routed: set[int] = set()
        for view in views:
            for layer in self._ruled(view).view.all_layers():
                if not layer.named:
                    routed.add(id(layer.target))
                if _carried(layer.target) is not None:
                    self._names.of(layer)
        self._routed = frozenset(routed)

    def of(self, view: Any, method: str) -> RouteConfig | None:
        """What a view carries; the same object each time."""
        ruled = self._ruled(view)
        key = id(view), ruled.view.handlers(method)
        # A view may be decorated after it was asked for.
        carried = view.__dict__.get(ROUTE_ATTRIBUTE) if type(view) is FunctionType else None
        known = self._rules.get(key)
        if known is None or known[0] is not carried:
            known = self._rules[key] = carried, ruled.rules(method, self._routed, self._names)
        return known[1]

    def unreached(self, decorated: Iterable[Any], routes: Iterable[tuple[Any, str]]) -> list[Any]:
        """Those of the decorated functions and classes that no route leads to.

        :param routes: views, each with a method.
        """
        reached = {
            id(layer.target)
            for view, method in routes
            for layer in self._ruled(view).layers(method, self._routed)
        }
        for cls in [view for view in decorated if isinstance(view, type)]:
            if any(id(below) in reached for below in _subclasses(cls)):
                reached.add(id(cls))
        return [view for view in decorated if id(view) not in reached]

    def _ruled(self, view: Any) -> RuledView:
        # An id may not come to mean another view: this one is held.
        ruled = self._views.get(id(view))
        if ruled is None:
            ruled = self._views[id(view)] = RuledView(view)
        return ruled


def route_config_of(view: Any, method: str = "GET") -> RouteConfig | None:
    """What a view carries: a function, or a class-based view with rules on its class, on the
    function made of it and on the method that serves ``method``. The most specific wins.

    A function that is only referred to by the view (a wrapper made without functools.wraps can't
    be distinguished from a view that calls another one) adds what it restricts, not what it allows.
    With an app's other views at hand, :class:`ViewRules` can distinguish more of them.

    The same view and method give the same object each time, so that what is compiled of it can
    be kept by its identity.
    """
    target = view.__func__ if is_a(view, MethodType) else view
    attributes = target.__dict__ if is_a(target, FunctionType) else stored(target, "__dict__")
    if type(attributes) is not dict:
        return RuledView(view).rules(method)
    ruled = attributes.get(_VIEW_ATTRIBUTE)
    # functools.wraps copies attributes, so what is found here may be that of another function.
    if not isinstance(ruled, RuledView) or ruled.view.target is not target:
        ruled = attributes[_VIEW_ATTRIBUTE] = RuledView(target)
    return ruled.rules(method)


def _carried(target: Any) -> Any:
    """What a function or class was given itself."""
    if is_a(target, type):
        return vars(target).get(ROUTE_ATTRIBUTE)
    return stored(target, ROUTE_ATTRIBUTE)


def _subclasses(cls: type[Any]) -> list[type[Any]]:
    below: dict[int, type[Any]] = {}
    waiting: list[type[Any]] = [cls]
    while waiting:
        each: type[Any]
        for each in type.__subclasses__(waiting.pop()):
            if id(each) not in below:
                below[id(each)] = each
                waiting.append(each)
    return list(below.values())
