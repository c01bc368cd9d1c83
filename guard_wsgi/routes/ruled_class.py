"""The rules of a decorated class: its methods that answer requests check them, and so do those of
its subclasses and the views that are made from them."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.introspection import is_a, stored
from guard_wsgi.routes.ruled_function import ROUTE_ATTRIBUTE, with_rules, without_rules

_RULES_ATTRIBUTE = "_guard_rules_of_class"
"""The attribute with the rules that the methods of a decorated class check."""

_DISPATCH = ("dispatch", "dispatch_request")

_METHODS = (
    *("get", "post", "put", "patch", "delete", "head", "trace"),
    *("list", "retrieve", "create", "update", "partial_update", "destroy"),
)
"""The methods with which class-based views of Flask, Django and Django REST framework answer
requests. ``options`` is not among them: it answers preflights, which carry no credentials."""

_MARKS = ("mapping", "_urls")
"""The attributes of extra actions of a viewset, and of methods under Flask-Admin's ``expose``."""


def enforce_on_class(cls: type) -> None:
    """Make the methods of a class check its rules, once. Inherited methods stay where they are;
    copies would override those of sibling classes."""
    if not is_a(vars(cls).get(_RULES_ATTRIBUTE), _ClassRules):
        rules = _ClassRules(cls)
        setattr(cls, _RULES_ATTRIBUTE, rules)
        rules.enforce()


def checks_own_rules(cls: type) -> bool:
    """Whether a decorated class has methods that check its rules on every call."""
    return any(without_rules(method) is not method for method in vars(cls).values())


def answers_preflights(cls: type) -> bool:
    """Whether a class has a method for OPTIONS alone, without its own rules."""
    answer = without_rules(getattr(cls, "options", None))
    if answer is None or stored(answer, ROUTE_ATTRIBUTE) is not None:
        return False
    others = (without_rules(getattr(cls, name, None)) for name in _METHODS)
    return all(answer is not other for other in others)


class _ClassRules:
    """The rules of a decorated class and its subclasses."""

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._merged: dict[tuple[int, ...], tuple[list[RouteConfig], RouteConfig]] = {}

    def enforce(self) -> None:
        """Make the methods that answer requests check the rules, in subclasses as well."""
        cls: Any = self._cls
        for each in (cls, *_subclasses(cls)):
            self._wrap_methods(each)
        if callable(getattr(cls, "as_view", None)):
            cls.as_view = self._as_view(vars(cls).get("as_view"))
        cls.__init_subclass__ = self._init_subclass(vars(cls).get("__init_subclass__"))

    def _wrap_methods(self, cls: type) -> None:
        for name, method in tuple(vars(cls).items()):
            if is_a(method, FunctionType) and (
                name in _DISPATCH
                or name in _METHODS
                or name == "__call__"
                or any(stored(method, mark) is not None for mark in _MARKS)
            ):
                setattr(cls, name, self._method(method, is_dispatch=name in _DISPATCH))

    def _init_subclass(self, own: Any) -> Any:
        rules = self
        cls: Any = self._cls

        def __init_subclass__(made: Any, /, **options: Any) -> None:
            if own is None:
                super(cls, made).__init_subclass__(**options)
            else:
                own.__get__(None, made)(**options)
            rules._wrap_methods(made)

        return classmethod(__init_subclass__)

    def of(self, cls: Any) -> RouteConfig | None:
        """Return the rules of a class, with those of its base classes."""
        carried = rules_in(cls if is_a(cls, type) and issubclass(cls, self._cls) else self._cls)
        if len(carried) < 2:
            return carried[0] if carried else None
        key = tuple(map(id, carried))
        known = self._merged.get(key)
        if known is None:
            merged = carried[0]
            for route in carried[1:]:
                merged = route.merged_over(merged)
            # Keep the parts, so that no other object can get their ids.
            known = self._merged[key] = carried, merged
        return known[1]

    def _method(self, method: Any, *, is_dispatch: bool) -> Any:
        return with_rules(
            method, lambda args: self.of(type(args[0]) if args else None), is_dispatch
        )

    def _as_view(self, own: Any) -> Any:
        rules = self
        cls: Any = self._cls

        def as_view(served: Any, *args: Any, **kwargs: Any) -> Any:
            above: Any = super(cls, served)
            make = above.as_view if own is None else own.__get__(None, served)
            view = make(*args, **kwargs)
            if not is_a(view, FunctionType):
                return view
            # A function that Django has marked as a coroutine keeps the mark: wraps() copies it.
            return with_rules(view, lambda _: rules.of(served), True)

        return classmethod(as_view)


def rules_in(cls: type) -> list[RouteConfig]:
    """Return the rules on a class and its base classes, the least specific first."""
    carried = (vars(base).get(ROUTE_ATTRIBUTE) for base in reversed(cls.__mro__))
    return [route for route in carried if isinstance(route, RouteConfig)]


def _subclasses(cls: type) -> Iterator[type]:
    below: type[Any]
    for below in type.__subclasses__(cls):
        yield below
        yield from _subclasses(below)
