"""Paths of strings in a large JSON text, without reading the text between them.

A document may consist of brackets, while the paths of few strings are asked for. So the brackets
between many strings are read together, and pairs that close there are removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from guard_wsgi.detection.formats.nesting import LEVEL, cost_of
from guard_wsgi.detection.value import Budget, BudgetSpent, to_text

MAX_NAME_CHARS: Final = 100  # the end of a path, as in structure.py
BLOCK: Final = 1024
"""How many parts of a text to read together. Half of them are strings."""
SHORT: Final = 64
"""Up to this many brackets, reading them one by one takes no longer."""
BRACKETS_EACH: Final = 2
"""Reading this many brackets one by one costs one unit (value.Budget)."""
REMOVED_EACH: Final = 128
"""One search for pairs in this many brackets costs one unit, and one more for the call."""

_BETWEEN: Final = frozenset({b",", b":", b", ", b": "})
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_LIST: Final = ord("[")
_OPENING: Final = frozenset(b"[{")
_NO_KEY: Final = -1

# The index of the key in front, if any, and whether it is a list.
_Opened = tuple[int, bool]


def paths(quotes: bytes, places: list[int], max_depth: int, budget: Budget) -> Iterator[str]:
    """Yield the path of the string at each place, and for a key the path of its object.

    :param quotes: the text; each quote in it begins or ends a string.
    :param places: where strings begin, in order.
    :raises BudgetSpent: also if a string is nested deeper than ``max_depth``.
    """
    # Text between strings, and strings, in turn.
    parts = quotes.split(b'"')
    outer = _Outer(parts, budget)
    done = last = at = 0
    for place in places:
        at += quotes.count(b'"', last, place)
        last = place
        outer.read(done, at + 1)
        done = at + 2
        path, in_list, depth = outer.innermost()
        if depth > max_depth * LEVEL:
            raise BudgetSpent("max_json_depth")
        if at + 2 < len(parts) and parts[at + 2].lstrip()[:1] == b":":
            yield path
        else:
            yield _inner(path, in_list, _key(parts, at) if parts[at].rstrip()[-1:] == b":" else "")


class _Outer:
    """The objects and lists that are open at a place of a text: path, whether it is a list, and
    depth of each."""

    def __init__(self, parts: list[bytes], budget: Budget) -> None:
        self._parts = parts
        self._budget = budget
        self._known: list[tuple[str, bool, int]] = []
        # What follows them: where they begin, and how many of those that begin there are open.
        self._later: list[tuple[int, int, int]] = []

    def read(self, start: int, stop: int) -> None:
        """Go on to another part of the text."""
        while stop - start > BLOCK:
            end = start + BLOCK
            joined = b"".join(self._parts[start:end:2])
            unpaired = self._without_pairs(joined.translate(None, _NOT_BRACKETS))
            opened = unpaired.lstrip(b"]}")
            if opened.strip(b"[{"):  # not of JSON
                self._read_each(start, end)
            else:
                self._close(len(unpaired) - len(opened))
                if opened:
                    self._later.append((start, end, len(opened)))
            start = end
        self._read_each(start, stop)

    def innermost(self) -> tuple[str, bool, int]:
        self._settle()
        return self._known[-1] if self._known else ("", False, 0)

    def _read_each(self, start: int, stop: int) -> None:
        closed, opened = self._left_open(start, stop)
        self._close(closed)
        if opened:
            self._settle()
            self._open(opened)

    def _settle(self) -> None:
        """Find the keys of all that is open."""
        for start, end, count in self._later:
            self._open(self._left_open(start, end)[1][:count])
        self._later.clear()

    def _open(self, opened: list[_Opened]) -> None:
        for key_at, is_list in opened:
            path, in_list, depth = self._known[-1] if self._known else ("", False, 0)
            key = "" if in_list or key_at < 0 else _text(self._parts[key_at])
            depth += LEVEL if in_list else cost_of(path, key)
            self._known.append((_inner(path, in_list, key), is_list, depth))

    def _close(self, count: int) -> None:
        while count and self._later:
            start, end, opened = self._later.pop()
            if opened > count:
                self._later.append((start, end, opened - count))
            count -= min(opened, count)
        if count:
            del self._known[-count:]

    def _left_open(self, start: int, stop: int) -> tuple[int, list[_Opened]]:
        """Return how many levels a part of the text closes that began before it, and what it
        opens."""
        closed = looked = 0
        opened: list[_Opened] = []
        for index in range(start, stop, 2):
            between = self._parts[index]
            if between in _BETWEEN:
                continue
            signs = between.translate(None, _NOT_BRACKETS)
            if not signs:
                continue
            key_at = index - 1 if between.lstrip()[:1] == b":" else _NO_KEY
            if len(signs) > SHORT:
                signs = self._without_pairs(signs)
            looked += len(signs)
            for sign in signs:
                if sign in _OPENING:
                    opened.append((key_at, sign == _LIST))
                elif opened:
                    opened.pop()
                else:
                    closed += 1
                key_at = _NO_KEY
        self._budget.take_chars(looked // BRACKETS_EACH)
        return closed, opened

    def _without_pairs(self, signs: bytes) -> bytes:
        while True:
            self._budget.take_chars(1 + len(signs) // REMOVED_EACH)
            fewer = signs.replace(b"[]", b"").replace(b"{}", b"")
            if len(fewer) == len(signs):
                return signs
            signs = fewer


def _key(parts: list[bytes], at: int) -> str:
    return _text(parts[at - 1]) if at else ""


def _text(key: bytes) -> str:
    return to_text(key)[0]


def _inner(path: str, in_list: bool, key: str) -> str:
    # Shortened at each step: otherwise the paths of n brackets would have n * n characters.
    if in_list:
        return (path + "[]")[-MAX_NAME_CHARS:]
    return (f"{path}.{key}" if path else key)[-MAX_NAME_CHARS:]
