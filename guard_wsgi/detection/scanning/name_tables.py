"""Tables of names in patterns: Hyperscan looks for any name, and `re` confirms that it is listed.

A table of 300 names takes 80 kB of a database in each pattern that has it, and seven patterns of
one family have the same one. Where a pattern begins at the beginning of a value, `re` looks in one
place only, and fails there after half a microsecond. So in these patterns Hyperscan gets a class of
characters for the table, which matches more, and `re` searches with the pattern itself in the few
values that match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.scanning.scanner import SEPARATOR

MIN_NAMES: Final = 40
"""A shorter table takes less memory than its class, which runs on with any text."""

MIN_CHARS: Final = 3 * MIN_NAMES

_ANY_NAME: Final = r"[\w.+-]+"
# Whatever matches such a group consists of the characters of `_ANY_NAME`.
_OF_NAMES: Final = re.compile(
    r"\(\?:(?:\(\?:|[\w|)?*+-]|\\[wd.+-]|\[(?:a-z|0-9|[\w.+]|\\[wd])+\])*\)", re.ASCII
)
_NOT_EMPTY: Final = re.compile(r"(?:\w\?|\(\?:[^()]*\)\??)*\w(?![?*])", re.ASCII)
_PIECES: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def without_tables(pattern: str) -> str:
    """Return a pattern that matches whatever this one does, without its tables of names; the same
    pattern if it may begin anywhere."""
    if len(pattern) < MIN_CHARS or not pattern.startswith("^"):
        return pattern
    if not all(part.startswith("^") for part in _alternatives(pattern)):
        return pattern
    for group in sorted(_groups(pattern), key=len):
        if len(group) >= MIN_CHARS and _is_table(group):
            pattern = pattern.replace(group, _ANY_NAME)
    return pattern


def _alternatives(pattern: str) -> list[str]:
    """Split a pattern at the bars outside of its groups."""
    parts, depth = [""], 0
    for piece in _PIECES.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _groups(pattern: str) -> Iterator[str]:
    """Every group of a pattern, at any depth."""
    begins: list[int] = []
    at = 0
    for piece in _PIECES.findall(pattern):
        at += len(piece)
        if piece == "(":
            begins.append(at - 1)
        elif piece == ")":
            yield pattern[begins.pop() : at]


@lru_cache(maxsize=32)
def _is_table(group: str) -> bool:
    """Whether a group is a list of names, none of them empty."""
    if not _OF_NAMES.fullmatch(group):
        return False
    names = _alternatives(group[3:-1])
    return len(names) >= MIN_NAMES and all(map(_NOT_EMPTY.match, names))


_BEGINNING: Final = re.compile(r"(\\xff\\xfe\\xff(?:\\s|\[(?:\\.|[^\]\\])+\])\*)(?!\+)")


def without_retries(pattern: str) -> str:
    """Return a pattern that takes the quotes and blanks at its beginning once and for all.

    After fewer of them nothing else matches, because names begin with a letter. Otherwise `re`
    would look a table up after each of 400 quotes.
    """
    return _BEGINNING.sub(r"\1+", pattern, count=1)


def by_first_letter(pattern: str) -> str:
    """Return a pattern that matches the same texts, with its tables grouped by the first letters of
    their names: `re` tries one name after the other, and so it fails in a quarter of the time."""
    for group in sorted(_groups(pattern), key=len, reverse=True):
        if len(group) >= MIN_CHARS and _OF_NAMES.fullmatch(group):
            pattern = pattern.replace(group, _grouped(group))
    return pattern


def _grouped(group: str) -> str:
    rests: dict[str, list[str]] = {}
    others: list[str] = []
    for name in _alternatives(group[3:-1]):
        if name[:1].isalpha() and name[1:2] not in tuple("?*+{"):
            rests.setdefault(name[0], []).append(name[1:])
        else:
            others.append(name)
    grouped = [f"{letter}(?:{'|'.join(rest)})" for letter, rest in rests.items()]
    return f"(?:{'|'.join([*grouped, *others])})"


class Confirmation:
    """Says whether patterns match whose tables Hyperscan does not know.

    Each pattern is compiled when it is first asked for: most processes never see what could match.

    :param patterns: by the names of their indicators.
    :ivar names: these names.
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self.names = frozenset(patterns)
        self._patterns = patterns
        self._matches: dict[str, Callable[[bytes, int], object]] = {}

    def confirms(self, name: str, data: bytes) -> bool:
        """Whether the pattern of this name matches in the data, which may have several texts: one
        after each `SEPARATOR`."""
        match = self._matches.get(name)
        if match is None:
            pattern = without_retries(by_first_letter(self._patterns[name])).encode()
            match = self._matches[name] = re.compile(pattern, re.IGNORECASE | re.DOTALL).match
        # Optimization: each pattern begins where a text begins (`without_tables`), and a search
        # would try every place.
        at = data.find(SEPARATOR)
        while at >= 0:
            if match(data, at):
                return True
            at = data.find(SEPARATOR, at + 1)
        return False
