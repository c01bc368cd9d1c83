"""The layers of a view: the functions, classes and methods that it wraps or leads to.

A framework knows only the outermost callable. A decorator with functools.wraps names the function
below. Others keep the view in a closure, in a list in a closure, in a default argument or in an
attribute of an instance. There, a wrapper of a view looks like a view that refers to another one.
Python allows some distinction: a wrapper got the wrapped function as an argument of the function
around it, or passes on any arguments. A view may refer to any object, so none of its code runs
(introspection.py).
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FunctionType, MethodType, SimpleNamespace
from typing import Any

from attrs import frozen

from guard_wsgi.routes.introspection import attributes, is_a, items, stored
from guard_wsgi.routes.ruled_function import without_rules

logger = logging.getLogger("guard_wsgi.routes")

MAX_REFERENCES = 1000
"""How many objects of a view to search for rules; wrappers with functools.wraps are followed to
their end."""

_MAX_DEPTH = 3
"""How deep to search containers in containers."""


@frozen(slots=True)
class Layer:
    """One callable or class of a view.

    :ivar is_sure: whether it certainly belongs to the view; otherwise the view may only refer to
        it.
    :ivar named: the callables on the way to it that the view only refers to.
    :ivar method: the name of a class's method.
    :ivar served: for a class-based view, or one of its methods, the class that serves: each class
        that inherits a rule counts separately.
    """

    target: Any
    is_sure: bool = True
    named: tuple[Any, ...] = ()
    method: str = ""
    served: type | None = None


class View:
    """The layers of a view.

    :ivar target: the callable that the framework calls.
    """

    def __init__(self, view: Any) -> None:
        self.target = view
        self._wrapped = tuple(_unwrapped(view))
        self._classes: list[tuple[Layer, type, Any]] = []
        for layer in self._wrapped:
            cls = None if is_a(layer.target, type) else class_of(layer.target)
            # functools.wraps copies the attribute.
            if cls is not None and not any(cls is known for _, known, _ in self._classes):
                self._classes.append((layer, cls, stored(layer.target, "actions")))

    def handlers(self, method: str) -> tuple[str, ...]:
        """Return the methods of its classes that answer a request method; none for a function.
        Methods that clients make up add none."""
        return tuple(_handler_name(cls, actions, method) for _, cls, actions in self._classes)

    def layers(self, method: str) -> Iterator[Layer]:
        """Return the layers from the least to the most specific: class, function, wrappers, the
        answering method."""
        for layer, cls, _ in self._classes:
            for base in reversed(cls.__mro__[:-1]):
                yield Layer(base, layer.is_sure, layer.named, "", cls)
        yield from reversed(self._wrapped)
        for layer, cls, actions in self._classes:
            for name in ("dispatch", "dispatch_request", _handler_name(cls, actions, method)):
                function = _of_class(cls, name) if name else None
                for inner in reversed(tuple(_unwrapped(function))):
                    is_sure = layer.is_sure and inner.is_sure
                    yield Layer(inner.target, is_sure, layer.named + inner.named, name, cls)

    def all_layers(self) -> Iterator[Layer]:
        """Return the layers of every method of its classes."""
        yield from self.layers("GET")
        for _, cls, _ in self._classes:
            for name in type.__dir__(cls):
                if not name.startswith("_"):
                    yield from _unwrapped(_function(inspect.getattr_static(cls, name, None)))


def class_of(view: Any) -> type | None:
    """Return the class of a class-based view: ``as_view()`` of Flask and Django keeps it as
    ``view_class``, that of Django REST framework as ``cls``."""
    for name in ("view_class", "cls"):
        cls = stored(view, name)
        if is_a(cls, type):
            found: type = cls
            return found
    return None


def _handler_name(cls: type, actions: Any, method: str) -> str:
    """Return the method of a view's class that answers a request method.

    :param actions: for a viewset of Django REST framework, the route's mapping of methods.
    """
    name = method.lower()
    if is_a(actions, dict):
        if name == "head" and "head" not in actions:
            name = "get"
        name = str(actions.get(name, name))
    elif name == "head" and _of_class(cls, "head") is None:
        name = "get"
    return name if _of_class(cls, name) is not None else ""


def _of_class(cls: type, name: str) -> Any:
    """Return the method that the class's dispatch would find; ``None`` if there is none."""
    try:
        return getattr(cls, name, None)
    except Exception:  # the class computes the attribute
        return None


def _function(target: Any) -> Any:
    """Return the function of a method of any kind."""
    if is_a(target, MethodType, staticmethod, classmethod):
        return target.__func__
    return target


def _unwrapped(view: Any) -> Iterator[Layer]:
    """Yield a callable, and the callables that it wraps or refers to, the outermost first."""
    if view is None:
        return
    seen: set[int] = set()
    references = 0
    waiting = [Layer(_function(view))]
    if is_a(view, MethodType):
        waiting[:0] = _referred(waiting[0], view.__func__, attributes(view.__self__))
        waiting[:0] = _owners(view, waiting[-1])
    while waiting:
        layer = waiting.pop()
        target = layer.target
        if target is None or id(target) in seen:
            continue
        seen.add(id(target))
        yield layer
        if is_a(target, type):
            continue
        waiting[:0] = _owners(target, layer)
        inner = stored(target, "func" if is_a(target, partial) else "__wrapped__")
        if inner is not None:
            waiting[:0] = _owners(inner, layer)
            # A wrapper with functools.wraps refers to other functions for its own purposes.
            waiting.append(Layer(_function(inner), layer.is_sure, layer.named))
            continue
        if references > MAX_REFERENCES:
            continue
        try:
            further = _further(layer)
        except Exception:
            # An odd object in a view must not take the site down.
            logger.exception("could not search a part of a view for rules")
            continue
        references += len(further)
        waiting.extend(reversed(further))


def _owners(view: Any, layer: Layer) -> list[Layer]:
    """Return the classes whose rules hold for a bound method or a callable instance, the least
    specific first. What a view may merely refer to brings none."""
    if not layer.is_sure or is_a(view, FunctionType, partial, type):
        return []
    owner = view.__self__ if is_a(view, MethodType) else view
    cls = owner if is_a(owner, type) else type(owner)
    return [Layer(base, True, layer.named, "", cls) for base in reversed(cls.__mro__[:-1])]


def _further(layer: Layer) -> list[Layer]:
    """Find the callables that a wrapper without functools.wraps refers to."""
    target = layer.target
    further: list[Layer] = []
    if is_a(target, FunctionType):
        further.extend(_from_closure(layer, target))
        defaults = [*(target.__defaults__ or ()), *(target.__kwdefaults__ or {}).values()]
        further.extend(_referred(layer, target, defaults))
    elif not is_a(target, type):
        call = _call_of(target)
        if call is not None:
            further.append(Layer(call, layer.is_sure, layer.named))
            further.extend(_referred(layer, call, attributes(target)))
    return further


def _from_closure(layer: Layer, function: FunctionType) -> Iterator[Layer]:
    cells = function.__closure__ or ()
    if not cells:
        return
    arguments = _arguments_around(function)
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # an empty cell: a function that refers to itself before it is made
            continue
        for target in _callables(content):
            if arguments is not None:
                is_handed = name in arguments
            else:
                is_handed = not _are_siblings(function, target)
            yield _below(layer, target, is_handed or _passes_on(function))


def _referred(layer: Layer, function: Any, contents: Iterable[Any]) -> Iterator[Layer]:
    is_wrapper = _passes_on(function)
    for content in contents:
        for target in _callables(content):
            yield _below(layer, target, is_wrapper)


def _below(layer: Layer, target: Any, is_wrapped: bool) -> Layer:
    function = _function(target)
    named = layer.named if is_wrapped else (*layer.named, function)
    return Layer(function, False, named)


def _callables(content: Any, depth: int = 0) -> Iterator[Any]:
    """Yield possible views from a cell, a default or an attribute."""
    if is_a(content, FunctionType, MethodType, partial):
        yield content
    elif is_a(content, SimpleNamespace):
        yield from _callables(stored(content, "__dict__"), depth)
    elif is_a(content, staticmethod, classmethod):
        yield content.__func__
    elif is_a(content, type):
        return
    elif (
        _call_of(content) is not None
        # Objects like those of functools.lru_cache: their __call__ is not written in Python.
        or (callable(content) and stored(content, "__wrapped__") is not None)
    ):
        yield content
    elif depth < _MAX_DEPTH:
        for item in items(content, MAX_REFERENCES):
            yield from _callables(item, depth + 1)


def _call_of(instance: Any) -> FunctionType | None:
    """Return the ``__call__`` of an instance's class, if Python code defines it. WSGI apps are left
    out, as they refer to all of their views."""
    call = inspect.getattr_static(type(instance), "__call__", None)
    if type(call) is not FunctionType:
        return None
    code = without_rules(call).__code__
    names = code.co_varnames[: code.co_argcount]
    return None if {"environ", "start_response"} <= set(names) else call


def _passes_on(function: Any) -> bool:
    """Whether it takes any arguments, as wrappers do and views rarely do."""
    if not is_a(function, FunctionType):
        return False
    both = CO_VARARGS | CO_VARKEYWORDS
    return bool(function.__code__.co_flags & both == both)


def _are_siblings(function: FunctionType, target: Any) -> bool:
    """Whether both were defined in the same function."""
    target = _function(target)
    if is_a(target, FunctionType):
        module, name = target.__module__, target.__qualname__
    else:
        module, name = stored(target, "__module__"), stored(target, "__qualname__")
    return (
        type(module) is str
        and type(name) is str
        and module == function.__module__
        and name.rpartition(".")[0] == function.__qualname__.rpartition(".")[0]
    )


def _arguments_around(function: FunctionType) -> frozenset[str] | None:
    """Return the argument names of the functions around a nested function; ``None`` if they can't
    be found."""
    head, separator, _ = function.__qualname__.partition(".<locals>")
    if not separator:
        return None
    first, *rest = head.split(".")
    found: Any = function.__globals__.get(first)
    for name in rest:
        found = stored(found, name)
    while found is not None and not is_a(found, FunctionType):
        inner = _function(found)
        found = inner if inner is not found else stored(found, "__wrapped__")
    chain = _codes_around(found.__code__, function.__code__) if found is not None else None
    while chain is None and found is not None:
        # A decorated function: the source is that of the inner function.
        found = stored(found, "__wrapped__")
        if is_a(found, FunctionType):
            chain = _codes_around(found.__code__, function.__code__)
    if chain is None:
        return None
    return frozenset(name for code in chain for name in _arguments(code))


def _codes_around(code: CodeType, inner: CodeType) -> list[CodeType] | None:
    """Return the code objects from ``code`` down to the one that contains ``inner``."""
    for constant in code.co_consts:
        if constant is inner:
            return [code]
        if isinstance(constant, CodeType):
            below = _codes_around(constant, inner)
            if below is not None:
                return [code, *below]
    return None


def _arguments(code: CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & CO_VARARGS) + bool(code.co_flags & CO_VARKEYWORDS)
    return code.co_varnames[:count]
