"""Finds the rules of a view, through all of its wrappers."""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType, MethodType
from typing import Any

from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.introspection import is_a, stored
from guard_wsgi.routes.ruled_function import ROUTE_ATTRIBUTE
from guard_wsgi.routes.view_layers import Layer, View

_VIEW_ATTRIBUTE = "_guard_view"
"""The attribute in which a view caches the result."""

Carried = tuple[tuple[RouteConfig, bool], ...]
"""The rules of a view's layers, and whether each layer certainly belongs to it."""


class Names:
    """The names under which views count: module and name, with a number if two are the same. The
    numbers follow the order of the app's routes, so that all processes have the same."""

    def __init__(self) -> None:
        self._named: dict[str, list[Any]] = {}

    def of(self, layer: Layer) -> str:
        """Return the name under which the rules of a layer count."""
        target = layer.target if layer.served is None else layer.served
        name = f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', '')}"
        known = self._named.setdefault(name, [])
        place = next((place for place, one in enumerate(known) if one is target), len(known))
        if place == len(known):
            known.append(target)
        numbered = f"{name}#{place + 1}" if place else name
        return f"{numbered}.{layer.method}" if layer.method else numbered


class RuledView:
    """A view and the rules of its layers."""

    def __init__(self, view: Any) -> None:
        self.view = View(view)
        self._merged: dict[tuple[Any, ...], tuple[Carried, RouteConfig]] = {}

    def rules(
        self, method: str, routed: frozenset[int] = frozenset(), names: Names | None = None
    ) -> RouteConfig | None:
        """
        :param routed: the ids of views that have their own routes.
        :param names: the names under which views count.
        """
        if names is None:
            names = Names()
        carried: list[tuple[RouteConfig, bool]] = []
        limits = behavior = ""
        for layer in self.layers(method, routed):
            route = _carried(layer.target)
            # functools.wraps copies the rules, so that both wrapper and wrapped function have them.
            if is_a(route, RouteConfig) and not (carried and carried[-1][0] is route):
                carried.append((route, layer.is_sure))
                # The most specific limit wins, while behaviour rules add up.
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
            # Keep the parts, so that no other object can get their ids.
            known = self._merged[key] = tuple(carried), merged
        return known[1]

    def layers(self, method: str, routed: frozenset[int]) -> list[Layer]:
        """Return the layers of the view, without callables that it only refers to."""
        return [
            layer
            for layer in self.view.layers(method)
            if not any(id(named) in routed for named in layer.named)
        ]


class ViewRules:
    """The rules of an app's views.

    The size of the cache depends only on the app, not on methods that clients make up.

    :param views: all views. If a view only refers to a decorated function that has its own route,
        it gets none of its rules.
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
        """Return the rules of a view, as the same object each time."""
        ruled = self._ruled(view)
        key = id(view), ruled.view.handlers(method)
        # A view may be decorated after its first lookup.
        carried = view.__dict__.get(ROUTE_ATTRIBUTE) if type(view) is FunctionType else None
        known = self._rules.get(key)
        if known is None or known[0] is not carried:
            known = self._rules[key] = carried, ruled.rules(method, self._routed, self._names)
        return known[1]

    def unreached(self, decorated: Iterable[Any], routes: Iterable[tuple[Any, str]]) -> list[Any]:
        """Return the decorated functions and classes that no route leads to.

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
        # Keep the view, so that no other object can get its id.
        ruled = self._views.get(id(view))
        if ruled is None:
            ruled = self._views[id(view)] = RuledView(view)
        return ruled


def route_config_of(view: Any, method: str = "GET") -> RouteConfig | None:
    """Return the rules of a view: a function, or a class-based view with rules on its class, on the
    function that ``as_view()`` made, and on the method that serves ``method``. The most specific
    wins.

    A function that the view only refers to adds its restrictions, but not its exemptions: without
    functools.wraps, a wrapper can't be distinguished from a view that calls another one.
    :class:`ViewRules` knows the app's other views and can distinguish more.

    The same view and method give the same object each time, so that compiled rules can be cached by
    its identity.
    """
    target = view.__func__ if is_a(view, MethodType) else view
    attributes = target.__dict__ if is_a(target, FunctionType) else stored(target, "__dict__")
    if type(attributes) is not dict:
        return RuledView(view).rules(method)
    ruled = attributes.get(_VIEW_ATTRIBUTE)
    # functools.wraps copies attributes, so this may belong to another function.
    if not isinstance(ruled, RuledView) or ruled.view.target is not target:
        ruled = attributes[_VIEW_ATTRIBUTE] = RuledView(target)
    return ruled.rules(method)


def _carried(target: Any) -> Any:
    """Return the rules on the function or class itself."""
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
