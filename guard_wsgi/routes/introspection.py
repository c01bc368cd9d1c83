"""Reads the contents of an object without running its code.

The search for the rules of a view finds all kinds of objects of an app: proxies of a request that
does not exist now (werkzeug's ``LocalProxy``), objects that load themselves on access (Django's
``LazyObject``), clients and mocks that answer any name with another object. An attribute, a truth
value, a comparison, even ``isinstance`` may run their code, and raise, query a database or never
end. So these functions ask only Python itself.
"""

from __future__ import annotations

import inspect
from collections import deque
from itertools import islice
from types import FunctionType, GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any

_BY_PYTHON = (GetSetDescriptorType, MemberDescriptorType)
"""Descriptors that are not written in Python: slots, and the attributes of built-in types."""

_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset, deque)


def is_a(instance: Any, *kinds: type) -> bool:
    """Whether its real class is one of ``kinds`` or a subclass, whatever ``__class__`` says."""
    return issubclass(type(instance), kinds)


def stored(instance: Any, name: str) -> Any:
    """Read an attribute that is stored in an object or its class; ``None`` if it is computed."""
    if type(instance) is FunctionType:
        return instance.__dict__.get(name)
    try:
        found = inspect.getattr_static(instance, name, None)
        if type(found) in _BY_PYTHON:
            found = found.__get__(instance, type(instance))
    except Exception:  # an unset slot, or a class that only pretends to be one
        return None
    return found


def attributes(instance: Any) -> list[Any]:
    """Return the values of an instance, in its dictionary or in slots."""
    namespace = stored(instance, "__dict__")
    values = list(dict.values(namespace)) if is_a(namespace, dict) else []
    for cls in type(instance).__mro__:
        if "__slots__" in vars(cls):
            for name, slot in vars(cls).items():
                if type(slot) is MemberDescriptorType and name != "__dict__":
                    try:
                        values.append(slot.__get__(instance, type(instance)))
                    except AttributeError:  # not set
                        continue
    return values


def items(container: Any, limit: int) -> list[Any]:
    """Return the first items of a built-in collection, or the values of a dict; none for anything
    else.

    It does not call a subclass's own ``__iter__``.
    """
    if is_a(container, dict):
        return list(islice(dict.values(container), limit))
    if type(container) is MappingProxyType:
        # Its contents can only be reached through its methods.
        try:
            return list(islice(container.values(), limit))
        except Exception:
            return []
    kind = next((kind for kind in _SEQUENCES if is_a(container, kind)), None)
    return [] if kind is None else list(islice(kind.__iter__(container), limit))
