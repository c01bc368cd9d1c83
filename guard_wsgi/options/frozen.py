"""Immutable collections of a configuration. Their errors explain how to change one.

Those of flaskapi-guard were lists and dicts that apps appended to. Only the methods that would
change a collection differ from the built-in kind; reading costs nothing extra.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NoReturn

from attrs.exceptions import FrozenInstanceError

_CHANGING = frozenset(
    name
    for kind in (list, set, dict)
    for name in dir(kind)
    if not name.startswith("_") and not hasattr(tuple if kind is list else frozenset, name)
) - frozenset(dir(MappingProxyType))
"""The methods that change a list, a set or a dict: append, add, update and others."""


class ImmutableConfig(FrozenInstanceError, TypeError):
    """Code tried to change a configuration in place."""

    def __init__(self, message: str) -> None:
        AttributeError.__init__(self, message)


class _Frozen:
    """The common part of the three collections."""

    option: str

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        opened, closed = "{}" if isinstance(self, dict) else "[]"
        stars = "**" if isinstance(self, dict) else "*"
        name = self.option
        raise ImmutableConfig(
            f"{name} of a configuration can't be changed in place: make another with"
            f" config.evolve({name}={opened}{stars}config.{name}, ...{closed}), or"
            " config.model_copy(update={...}), and serve it with guard.middleware.reconfigure(...)"
        )

    def __getattr__(self, name: str) -> Any:
        # Not as methods, so hasattr(value, "append") still identifies a list.
        if name in _CHANGING:
            self._refuse()
        raise AttributeError(f"{type(self).__mro__[2].__name__!r} object has no attribute {name!r}")

    __setitem__ = __delitem__ = _refuse


class FrozenList(_Frozen, tuple[Any, ...]):
    """A tuple. Adding a list to it makes a list."""

    def __add__(self, other: Any) -> Any:
        return [*self, *other] if isinstance(other, list) else tuple.__add__(self, other)

    def __radd__(self, other: Any) -> Any:
        return [*other, *self] if isinstance(other, list) else NotImplemented


class FrozenNames(_Frozen, frozenset[Any]):
    """A frozenset."""


class FrozenTable(_Frozen, dict[Any, Any]):
    """A dict."""

    update = setdefault = pop = popitem = clear = __ior__ = _Frozen._refuse

    def __reduce__(self) -> Any:
        """Return a plain copy, which the caller may change."""
        return dict, (dict(self),)


def frozen(option: str, value: Any) -> Any:
    """Freeze the value of an option, if it is a collection."""
    made: Any
    if type(value) is tuple:
        made = FrozenList(value)
    elif type(value) is frozenset:
        made = FrozenNames(value)
    elif type(value) is MappingProxyType or type(value) is dict:
        made = FrozenTable(value)
    else:
        return value
    made.option = option
    return made
