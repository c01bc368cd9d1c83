"""What an object holds, read without running any code of its own.

Whoever looks for the rules of a view comes across all that an app refers to: proxies of a request
that is not there (werkzeug's ``LocalProxy``), objects that load themselves when touched (Django's
``LazyObject``), clients and mocks that answer any name with a further object. An attribute, a
truth value, a comparison, even ``isinstance`` may call into them, and raise, query a database or
never end. So nothing is asked but Python itself.
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
    """Whether its class is one of ``kinds`` or below; whatever it says that its class were."""
    return issubclass(type(instance), kinds)


def stored(instance: Any, name: str) -> Any:
    """An attribute as it is kept in an object or its class; ``None`` for what is computed."""
    if type(instance) is FunctionType:
        return instance.__dict__.get(name)
    try:
        found = inspect.getattr_static(instance, name, None)
        if type(found) in _BY_PYTHON:
            found = found.__get__(instance, type(instance))
    except Exception:  # an unset slot, or a class that is made up
        return None
    return found


def attributes(instance: Any) -> list[Any]:
    """The values that an instance holds, in its dictionary or in slots."""
    held = stored(instance, "__dict__")
    values = list(dict.values(held)) if is_a(held, dict) else []
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
    """The first items of a built-in collection, or the values of a table; of anything else, none.

    A subclass's own way to iterate is not asked.
    """
    if is_a(container, dict):
        return list(islice(dict.values(container), limit))
    if type(container) is MappingProxyType:
        # What it shows can't be reached but through its methods.
        try:
            return list(islice(container.values(), limit))
        except Exception:
            return []
    kind = next((kind for kind in _SEQUENCES if is_a(container, kind)), None)
    return [] if kind is None else list(islice(kind.__iter__(container), limit))
