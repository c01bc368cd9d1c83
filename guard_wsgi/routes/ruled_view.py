"""What a decorator returns: a view of any kind that checks its rules when it is called."""

from __future__ import annotations

import functools
from types import FunctionType, MethodType
from typing import Any

from guard_wsgi.routes.introspection import is_a, stored
from guard_wsgi.routes.ruled_class import enforce_on_class
from guard_wsgi.routes.ruled_function import (
    ROUTE_ATTRIBUTE,
    inner_function,
    with_own_rules,
    with_rules,
)


class RuledPartial(functools.partial[Any]):
    """A partial that checks its rules."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return _called_partial(self, *args, **kwargs)


def ruled(view: Any) -> Any:
    """Return a view that checks its rules before it runs. A class, or the class of an instance, is
    changed in place, and the view itself is returned. For an object that is not written in Python,
    return a function with its public attributes."""
    if is_a(view, type):
        enforce_on_class(view)
        return view
    if is_a(view, MethodType):
        return MethodType(ruled(view.__func__), view.__self__)
    if is_a(view, staticmethod, classmethod):
        return type(view)(ruled(view.__func__))
    if is_a(view, FunctionType):
        return view if inner_function(view) is not None else with_own_rules(view)
    if is_a(view, functools.partial):
        return _partial(view)
    if not callable(view) or _enforce_in_instances(type(view)):
        return view
    return with_own_rules(_function_of(view))


def _partial(view: functools.partial[Any]) -> RuledPartial:
    if is_a(view, RuledPartial):
        return view  # type: ignore[return-value]
    made = RuledPartial(view.func, *view.args, **view.keywords)
    vars(made).update(vars(view))
    return made


def _call_partial(partial: RuledPartial, *args: Any, **kwargs: Any) -> Any:
    return functools.partial.__call__(partial, *args, **kwargs)


def _carried(args: tuple[Any, ...]) -> Any:
    return stored(args[0], ROUTE_ATTRIBUTE) if args else None


_called_partial = with_rules(_call_partial, _carried, False)


def _enforce_in_instances(cls: type) -> bool:
    """Make the ``__call__`` of a class check the rules of its instance. Return false if it is not
    written in Python."""
    owner = next((base for base in cls.__mro__ if "__call__" in vars(base)), None)
    call = None if owner is None else vars(owner)["__call__"]
    if owner is None or not is_a(call, FunctionType):
        return False
    if _ENFORCED_ATTRIBUTE not in vars(owner):
        try:
            owner.__call__ = with_rules(call, _carried, False)  # type: ignore[method-assign]
            setattr(owner, _ENFORCED_ATTRIBUTE, True)
        except (AttributeError, TypeError):  # a class that can't be changed
            return False
    return True


_ENFORCED_ATTRIBUTE = "_guard_enforces_in_instances"
"""The attribute of a class whose instances check their rules."""


def _function_of(view: Any) -> Any:
    @functools.wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    for name in dir(view):
        if not name.startswith("_") and not hasattr(call, name):
            setattr(call, name, getattr(view, name))
    return call
