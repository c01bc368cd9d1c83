"""What a view is made of: the functions, classes and methods that it stands for or leads to.

A framework knows the outermost callable only. A decorator that keeps to the custom
(functools.wraps) says what is below. Others keep the view in a closure, in a list in a closure,
in a default argument or in an attribute of an instance, and there a wrapper of a view looks like
a view that names another one. They are told apart as far as Python lets us: a wrapper was handed
what it wraps as an argument of the function around it, or passes on any arguments.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FunctionType, MappingProxyType, MethodType, SimpleNamespace
from typing import Any

from attrs import frozen

MAX_REFERENCES = 1000
"""Of so many objects that a view refers to, its rules are looked for; wrappers that say what they
wrap (functools.wraps) are followed to their end."""

_MAX_DEPTH = 3
"""Of containers in containers."""

_CONTAINERS = (list, tuple, set, frozenset, deque)
_TABLES = (dict, MappingProxyType)


@frozen(slots=True)
class Layer:
    """One callable or class of which a view consists.

    :ivar is_sure: whether it surely belongs to the view, or is only referred to by it.
    :ivar named: the callables on the way to it that the view merely names, as far as can be told.
    """

    target: Any
    is_sure: bool = True
    named: tuple[Any, ...] = ()


class View:
    """A view, taken apart once.

    :ivar target: what the framework calls.
    """

    def __init__(self, view: Any) -> None:
        self.target = view
        self._wrapped = tuple(_unwrapped(view))
        self._classes: list[tuple[Layer, type]] = []
        for layer in self._wrapped:
            cls = class_of(layer.target)
            # functools.wraps copies the attribute.
            if cls is not None and not any(cls is known for _, known in self._classes):
                self._classes.append((layer, cls))

    def handlers(self, method: str) -> tuple[str, ...]:
        """The methods of its classes that answer a request method. There are few, whatever
        methods clients make up; of a function, none."""
        return tuple(handler_name(layer.target, method) for layer, _ in self._classes)

    def layers(self, method: str) -> Iterator[Layer]:
        """From the least to the most specific: class, function, wrappers, what answers."""
        for layer, cls in self._classes:
            yield Layer(cls, layer.is_sure, layer.named)
        yield from reversed(self._wrapped)
        for layer, cls in self._classes:
            for name in ("dispatch", "dispatch_request", handler_name(layer.target, method)):
                function = getattr(cls, name, None) if name else None
                for inner in reversed(tuple(_unwrapped(function))):
                    is_sure = layer.is_sure and inner.is_sure
                    yield Layer(inner.target, is_sure, layer.named + inner.named)

    def all_layers(self) -> Iterator[Layer]:
        """Those of every method that its classes have."""
        yield from self.layers("GET")
        for _, cls in self._classes:
            for name in dir(cls):
                if not name.startswith("_"):
                    function = inspect.getattr_static(cls, name, None)
                    yield from _unwrapped(getattr(function, "__func__", function))


def class_of(view: Any) -> type | None:
    """The class of a class-based view: Flask's and Django's ``as_view()`` keep it as
    ``view_class``, Django REST framework's as ``cls``."""
    for name in ("view_class", "cls"):
        cls = getattr(view, name, None)
        if isinstance(cls, type):
            return cls
    return None


def handler_name(view: Any, method: str) -> str:
    """The method of a view's class that answers a request method; ``""`` for a function.

    Of a viewset of Django REST framework, the action that the route maps the method to.
    """
    cls = class_of(view)
    if cls is None:
        return ""
    name = method.lower()
    actions = getattr(view, "actions", None)
    if isinstance(actions, dict):
        if name == "head" and "head" not in actions:
            name = "get"
        name = str(actions.get(name, name))
    elif name == "head" and not hasattr(cls, "head"):
        name = "get"
    return name if hasattr(cls, name) else ""


def _unwrapped(view: Any) -> Iterator[Layer]:
    """A callable and those that it wraps or refers to, the outermost first."""
    if view is None:
        return
    seen: set[int] = set()
    references = 0
    waiting = [Layer(getattr(view, "__func__", view))]
    if isinstance(view, MethodType):
        waiting[:0] = _referred(waiting[0], view.__func__, _attributes(view.__self__))
    while waiting:
        layer = waiting.pop()
        target = layer.target
        if target is None or id(target) in seen:
            continue
        seen.add(id(target))
        yield layer
        inner = target.func if isinstance(target, partial) else getattr(target, "__wrapped__", None)
        if inner is not None:
            # What says what it wraps refers to other functions for its own purposes.
            waiting.append(Layer(getattr(inner, "__func__", inner), layer.is_sure, layer.named))
            continue
        if references > MAX_REFERENCES:
            continue
        further: list[Layer] = []
        if isinstance(target, FunctionType):
            further.extend(_from_closure(layer, target))
            defaults = [*(target.__defaults__ or ()), *(target.__kwdefaults__ or {}).values()]
            further.extend(_referred(layer, target, defaults))
        elif not isinstance(target, type):
            call = _call_of(target)
            if call is not None:
                further.append(Layer(call, layer.is_sure, layer.named))
                further.extend(_referred(layer, call, _attributes(target)))
        references += len(further)
        waiting.extend(reversed(further))


def _from_closure(layer: Layer, function: FunctionType) -> Iterator[Layer]:
    cells = function.__closure__ or ()
    if not cells:
        return
    arguments = _arguments_around(function)
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # not filled: a function that refers to itself before it is made
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
    function = getattr(target, "__func__", target)
    named = layer.named if is_wrapped else (*layer.named, function)
    return Layer(function, False, named)


def _callables(content: Any, depth: int = 0) -> Iterator[Any]:
    """What may be a view, of the content of a cell, a default or an attribute."""
    if isinstance(content, (FunctionType, MethodType, partial)):
        yield content
    elif isinstance(content, SimpleNamespace):
        yield from _callables(vars(content), depth)
    elif isinstance(content, _TABLES):
        yield from _callables(tuple(content.values()), depth)
    elif isinstance(content, _CONTAINERS):
        if depth < _MAX_DEPTH:
            for item in tuple(content)[:MAX_REFERENCES]:
                yield from _callables(item, depth + 1)
    elif isinstance(content, (staticmethod, classmethod)):
        yield content.__func__
    elif not isinstance(content, type) and (
        _call_of(content) is not None
        # As functools.lru_cache makes them, whose __call__ is none of Python's.
        or (callable(content) and "__wrapped__" in getattr(content, "__dict__", ()))
    ):
        yield content


def _call_of(instance: Any) -> FunctionType | None:
    """The ``__call__`` that Python code gave an instance's class; of no WSGI app, which refers to
    all of its views."""
    call = inspect.getattr_static(type(instance), "__call__", None)
    inner = call
    while inner is not None and not isinstance(inner, FunctionType):
        inner = getattr(inner, "__wrapped__", None)
    if not isinstance(call, FunctionType) or inner is None:
        return None
    names = inner.__code__.co_varnames[: inner.__code__.co_argcount]
    return None if {"environ", "start_response"} <= set(names) else call


def _attributes(instance: Any) -> list[Any]:
    """What an instance holds, in its dictionary or in slots."""
    values = list(getattr(instance, "__dict__", {}).values())
    for cls in type(instance).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name.startswith("__") and not name.endswith("__"):
                name = f"_{cls.__name__.lstrip('_')}{name}"
            values.append(getattr(instance, name, None))
    return values


def _passes_on(function: Any) -> bool:
    """Whether it takes any arguments, as wrappers do and views rarely."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    both = CO_VARARGS | CO_VARKEYWORDS
    return bool(code.co_flags & both == both)


def _are_siblings(function: FunctionType, target: Any) -> bool:
    """Whether both were defined in the same function."""
    name = getattr(target, "__qualname__", "")
    return (
        getattr(target, "__module__", None) == function.__module__
        and name.rpartition(".")[0] == function.__qualname__.rpartition(".")[0]
    )


def _arguments_around(function: FunctionType) -> frozenset[str] | None:
    """The names of the arguments of the functions that a nested one was made in; ``None`` when
    they can't be found."""
    head, separator, _ = function.__qualname__.partition(".<locals>")
    if not separator:
        return None
    first, *rest = head.split(".")
    found: Any = function.__globals__.get(first)
    for name in rest:
        found = getattr(found, name, None)
    while found is not None and not isinstance(found, FunctionType):
        found = getattr(found, "__func__", None) or getattr(found, "__wrapped__", None)
    chain = _codes_around(found.__code__, function.__code__) if found is not None else None
    while chain is None and found is not None:
        # A decorated function: what it wraps is the one that was written there.
        found = getattr(found, "__wrapped__", None)
        if isinstance(found, FunctionType):
            chain = _codes_around(found.__code__, function.__code__)
    if chain is None:
        return None
    return frozenset(name for code in chain for name in _arguments(code))


def _codes_around(code: CodeType, inner: CodeType) -> list[CodeType] | None:
    """The code objects from ``code`` down to the one that ``inner`` stands in."""
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
