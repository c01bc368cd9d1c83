"""Growing texts from the structure of a regular expression.

A backtracking search takes long if a text can be read in several ways: two repetitions that take
the same text, a repetition in a repetition, or a search that begins anew at each place. So for each
repetition of a pattern this module yields what leads to it and what it repeats, in characters that
many parts of the pattern take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# `re` has no public parser, and a parser of our own would read patterns differently.
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LONG = 200
"""A repetition of fewer is text: it takes a constant time for each place."""
MOST_ATOMS = 5
"""For each repetition: those that most other repetitions of the pattern take as well."""
MOST_BRANCHES = 3
_REPEATS = (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT)
_ONE = (kinds.IN, kinds.LITERAL, kinds.NOT_LITERAL, kinds.ANY)
# One of each kind that patterns tell apart; the letters that equal others in any case come last.
ALPHABET = "a0 \n_-./'\"\\;:,=<>()[]{}&|%+*#@!$?`^~\tA\r\x00\x0b\u00e9\u017f"


def pumps(pattern: str | bytes, flags: int) -> dict[tuple[str, str], None]:
    """Return pairs of a prefix and an atom that the pattern may repeat."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    tree = parser.parse(text, flags & (re.IGNORECASE | re.DOTALL | re.MULTILINE | re.VERBOSE))
    loops = list(_loops(tree, "", 0))
    taken = {char: sum(_takes_all(body, char) for _, body in loops) for char in ALPHABET}
    found: dict[tuple[str, str], None] = {}
    for prefix, body in loops:
        for atom in _atoms(body, taken):
            found[prefix, atom] = None
            if prefix:
                found["", prefix + atom] = None  # a search begins at each of them
    return found


def _loops(tree: Iterable[Any], before: str, choice: int) -> Iterator[tuple[str, Any]]:
    """Yield each long repetition's body, and a text that leads to it."""
    for kind, value in tree:
        if kind in _REPEATS:
            _, highest, body = value
            if kind is not kinds.POSSESSIVE_REPEAT and highest >= LONG:
                yield before, body
            yield from _loops(body, before, choice)
        elif kind is kinds.BRANCH:
            for branch in value[1]:
                yield from _loops(branch, before, choice)
        elif kind is kinds.SUBPATTERN:
            yield from _loops(value[3], before, choice)
        elif kind is kinds.ATOMIC_GROUP:
            yield from _loops(value, before, choice)
        elif kind in (kinds.ASSERT, kinds.ASSERT_NOT):
            yield from _loops(value[1], before if value[0] > 0 else "", choice)
        before += sample([(kind, value)], choice)


def _atoms(body: Any, taken: dict[str, int]) -> list[str]:
    """Return short texts that a repetition takes once."""
    if len(body) == 1 and body[0][0] in _ONE:
        found = [char for char in ALPHABET if _takes(body[0], char)] or [sample(body, 0)]
        return sorted(found, key=lambda char: -taken.get(char, 0))[:MOST_ATOMS]
    found = [sample(body, choice) for choice in range(MOST_BRANCHES)]
    found += [char for char in ALPHABET if _takes_all(body, char)][:MOST_BRANCHES]
    return [atom for atom in dict.fromkeys(found) if atom]


def _takes_all(body: Any, char: str) -> bool:
    """Whether a repetition may consist of one character alone, as far as this can tell."""
    needed = [item for item in body if not _is_optional(item)] or list(body)
    return all(_takes_inside(item, char) for item in needed)


def _is_optional(item: tuple[Any, Any]) -> bool:
    kind, value = item
    return kind in (kinds.AT, kinds.ASSERT, kinds.ASSERT_NOT) or (
        kind in _REPEATS and value[0] == 0
    )


def _takes_inside(item: tuple[Any, Any], char: str) -> bool:
    kind, value = item
    if kind in _ONE:
        return _takes(item, char)
    if kind is kinds.BRANCH:
        return any(_takes_all(branch, char) for branch in value[1])
    if kind in _REPEATS:
        return _takes_all(value[2], char)
    if kind is kinds.SUBPATTERN:
        return _takes_all(value[3], char)
    return kind is kinds.ATOMIC_GROUP and _takes_all(value, char)


def _takes(item: tuple[Any, Any], char: str) -> bool:
    """Whether an item of one character takes a character."""
    kind, value = item
    code = ord(char)
    if kind is kinds.ANY:
        return char != "\n"
    if kind is kinds.LITERAL:
        return chr(value).lower() == char.lower()
    if kind is kinds.NOT_LITERAL:
        return bool(code != value)
    negated, found = False, False
    for what, inner in value:
        if what is kinds.NEGATE:
            negated = True
        elif what is kinds.LITERAL:
            found |= chr(inner).lower() == char.lower()
        elif what is kinds.RANGE:
            found |= any(
                inner[0] <= ord(one) <= inner[1] for one in (char.lower(), char.upper()[:1])
            )
        elif what is kinds.CATEGORY:
            found |= _CATEGORIES[inner].fullmatch(char) is not None
    return found != negated


_CATEGORIES = {
    kinds.CATEGORY_DIGIT: re.compile(r"\d"),
    kinds.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    kinds.CATEGORY_SPACE: re.compile(r"\s"),
    kinds.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    kinds.CATEGORY_WORD: re.compile(r"\w"),
    kinds.CATEGORY_NOT_WORD: re.compile(r"\W"),
}


def sample(tree: Iterable[Any], choice: int) -> str:
    """Return a short text that a pattern takes.

    :param choice: which alternative and which character of a class.
    """
    found = ""
    for kind, value in tree:
        if kind is kinds.LITERAL:
            found += chr(value)
        elif kind in _ONE:
            chars = [char for char in ALPHABET if _takes((kind, value), char)]
            chars = chars or [chr(inner) for what, inner in value if what is kinds.LITERAL]
            chars = chars or [chr(inner[0]) for what, inner in value if what is kinds.RANGE]
            found += chars[choice % len(chars)] if chars else ""
        elif kind is kinds.BRANCH:
            found += sample(value[1][choice % len(value[1])], choice)
        elif kind in _REPEATS:
            least = value[0] or (1 if choice == 2 else 0)
            found += sample(value[2], choice) * min(least, LONG)
        elif kind is kinds.SUBPATTERN:
            found += sample(value[3], choice)
        elif kind is kinds.ATOMIC_GROUP:
            found += sample(value, choice)
    return found
