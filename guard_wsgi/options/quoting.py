"""Shows a wrong value in a fault, and the names that are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import FunctionType, MethodType

MAX_QUOTED_CHARS = 80
"""A fault quotes at most this many characters: it ends up in logs and terminals."""

MAX_LISTED = 30
"""A fault lists at most this many names. More fill a terminal."""


def quoted(value: object) -> str:
    """Return ``value`` for a fault: its repr, shortened."""
    text = repr(value)
    return text if len(text) <= MAX_QUOTED_CHARS else f"{text[:MAX_QUOTED_CHARS]}..."


def masked_url(url: str) -> str:
    """Return a URL without its user, password and query, any of which may be secret."""
    scheme, separator, rest = url.partition("://")
    if not separator or "?" in rest or "#" in rest:
        return f"{scheme}://***" if separator else "***"
    location = rest.rpartition("@")[2]
    return f"{scheme}://{location}" if location == rest else f"{scheme}://***@{location}"


def shown(value: object) -> str:
    """Return a value for people: functions by their names, in tuples and tables as well."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {shown(one)}' for key, one in value.items())}}}"
    if type(value) is tuple:
        return f"({', '.join(map(shown, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, (FunctionType, MethodType)):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def listed(names: Iterable[str]) -> str:
    """Return names for a fault: ``'a', 'b'``."""
    return ", ".join(repr(name) for name in names)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint with the known name that is most like ``name``, or nothing."""
    by_lower = {one.lower(): one for one in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean {by_lower[close[0]]!r}?)" if close else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the known name that is most like it, else all known names,
    or nothing if there are too many."""
    names = list(known)
    hint = did_you_mean(name, names)
    if hint or len(names) > MAX_LISTED:
        return hint
    return f"; known are {', '.join(names)}"


def unknown_names(given: Iterable[str], known: Iterable[str]) -> str:
    """Return what is wrong with a collection of names, to follow an option's name; "" for
    nothing."""
    names = list(known)
    return "; ".join(
        f"has the unknown name {quoted(name)}{nearest(name, names)}"
        for name in sorted(given)
        if name not in names
    )
