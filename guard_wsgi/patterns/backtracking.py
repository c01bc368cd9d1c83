"""Decides which expressions Python's backtracking ``re`` may search on a short text.

No linear engine supports look-around and back-references. On a text of some hundred characters,
``re`` may search them, unless the time grows with a high power of the length (three repetitions in
a row) or doubles with each character (a repetition in a repetition). The parsed expression shows
both; in doubt, the answer is no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_REPETITIONS = 2
"""The most repetitions in a row, with the search for the beginning: 512 characters squared take 2
ms, cubed 0.5 s."""

FEW = 8
"""A repetition of at most this many characters counts as text, not as a repetition."""

MAX_WAYS = 1000
"""The most ways to take short repetitions, optional parts and alternatives in a row, which
multiply."""

_REPEATS = (kinds.MAX_REPEAT, kinds.MIN_REPEAT)
_AROUND = (kinds.ASSERT, kinds.ASSERT_NOT)


def why_too_slow(expression: str) -> str:
    """Say why ``re`` must not search an expression; ``""`` if it may.

    :raises re.error: if it is not a regular expression.
    """
    tree: Any = parser.parse(expression, re.IGNORECASE | re.MULTILINE)
    if any(_nests(item) for item in _items(tree)):
        return "it repeats a repetition or alternatives, which can take exponential time"
    if _ways(tree) > MAX_WAYS:
        return "it can match in too many ways"
    starts_anywhere = not (tree and tree[0] == (kinds.AT, kinds.AT_BEGINNING))
    if _degree(tree) + starts_anywhere > MAX_REPETITIONS:
        return "it has more repetitions in a row than can be searched in time"
    return ""


def _items(tree: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    """Every node of a parsed expression."""
    for kind, value in tree:
        yield kind, value
        for inner in _inner(kind, value):
            yield from _items(inner)


def _inner(kind: Any, value: Any) -> Iterable[Any]:
    """The expressions inside of a node."""
    if kind is kinds.BRANCH:
        return list(value[1])
    parts = value if isinstance(value, tuple) else (value,)
    return [part for part in parts if isinstance(part, parser.SubPattern)]


def _ways(tree: Iterable[Any]) -> int:
    """Count the ways to take the short repetitions, optional parts and alternatives."""
    ways = 1
    for kind, value in tree:
        if kind in _REPEATS and not _is_long(kind, value):
            ways *= int(value[1]) - int(value[0]) + 1
        elif kind is kinds.BRANCH:
            ways *= len(value[1])
        for inner in _inner(kind, value):
            ways *= _ways(inner)
        if ways > MAX_WAYS:
            return ways
    return ways


def _is_long(kind: Any, value: Any) -> bool:
    return kind in _REPEATS and (value[1] is kinds.MAXREPEAT or value[1] > FEW)


def _nests(item: tuple[Any, Any]) -> bool:
    """Whether it repeats a part that can match in more than one way."""
    kind, value = item
    if kind not in _REPEATS or value[1] in (0, 1):
        return False
    return any(
        inner_kind in (*_REPEATS, kinds.BRANCH, kinds.GROUPREF)
        for inner_kind, _ in _items(value[2])
    )


def _degree(tree: Iterable[Any]) -> int:
    """Return the power of the text's length that a match can take. Repetitions in a row add up.
    Those of alternatives do not, nor those of look-around, into which ``re`` never backtracks."""
    in_a_row, around = 0, 0
    for kind, value in tree:
        inner = [_degree(part) for part in _inner(kind, value)]
        deepest = max(inner, default=0)
        if kind in _AROUND:
            around = max(around, deepest)
        else:
            in_a_row += deepest + _is_long(kind, value) + (kind is kinds.GROUPREF)
    return max(in_a_row, in_a_row + around if in_a_row and around else around)
