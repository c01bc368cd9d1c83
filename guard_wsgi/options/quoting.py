"""Shows a wrong value in a fault, and the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MAX_QUOTED_CHARS = 80
"""A fault quotes at most this many characters: it ends up in logs and terminals."""


def quoted(value: object) -> str:
    """Return ``value`` for a fault: its repr, shortened."""
    text = repr(value)
    return text if len(text) <= MAX_QUOTED_CHARS else f"{text[:MAX_QUOTED_CHARS]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint with the known name that is most like ``name``, or nothing."""
    names = list(known)
    by_lower = {one.lower(): one for one in names}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean {by_lower[close[0]]!r}?)" if close else ""
