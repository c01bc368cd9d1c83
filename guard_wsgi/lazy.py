"""Attributes that are made on first access: of an instance, and names of a package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):
    """Computes a value once per instance; afterwards the value is a plain attribute.

    `functools.cached_property` holds one lock for all instances before Python 3.12
    (https://github.com/python/cpython/issues/87634), and werkzeug's is called on every access. A
    request belongs to one thread and reads its attributes often, so it needs neither.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value


def imported_later(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package whose public names are imported when asked for.

    :param names: module -> the names that it has, with blanks between.
    """
    module_of = {name: module for module, some in names.items() for name in some.split()}

    def look_up(name: str) -> Any:
        module = module_of.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module), name)

    return look_up
