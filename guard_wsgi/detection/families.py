"""The built-in indicators, compiled by family."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final

from guard_wsgi.detection.indicator import Indicator
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanner import Engine, Scanner, compile_patterns


class BuiltinScanners:
    """The built-in indicators, compiled by family. Small databases compile faster than one large
    database, and a value needs only microseconds for each.

    They are compiled when the first value is weighed, or by `warm`. A process that never sees
    anything suspicious does not pay for them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._families: tuple[tuple[tuple[Indicator, ...], Scanner], ...] = ()

    def warm(self) -> tuple[tuple[tuple[Indicator, ...], Scanner], ...]:
        """Compile now. Two threads at once do the same work twice; a lock instead could stay locked
        after a fork."""
        if not self._families:
            self._families = tuple(self.each())
        return self._families

    def each(self) -> Iterator[tuple[tuple[Indicator, ...], Scanner]]:
        """Compile one family after the other."""
        for family in families():
            pairs = [(one.name, separable(shortest(one.pattern))) for one in family]
            yield family, compile_patterns(pairs, self._engine, keep=True)

    def among(self, data: bytes, ends: list[int]) -> list[set[str]]:
        """Return the names of the patterns that match in each piece of some data (`Scanner.among`).

        If each text ends with `SEPARATOR`, the result is the same as if each was scanned alone.
        Other matches can only cross a separator, and belong to none of the texts.
        """
        found: list[set[str]] = [set() for _ in ends]
        for family, scanner in self._families or self.warm():
            scanner.among(data, ends, [one.name for one in family], found)
        return found

    def read(self, data: bytes) -> list[Indicator]:
        """Return the indicators that match."""
        found = []
        for family, scanner in self._families or self.warm():
            for index in scanner.scan(data):
                found.append(family[index])
        return found


# Not an escaped mark.
_MORE = re.compile(r"(?<!\\)\+$|(?<=[1-9]),\d*\}$")


def shortest(pattern: str) -> str:
    """Return a pattern that matches the same texts, but whose matches end as early as possible: one
    occurrence is enough of a part that may repeat."""
    return _MORE.sub(lambda more: "}" if more[0] != "+" else "", pattern)


SEPARATOR: Final = b"\xff"
"""Separates texts that are scanned together: no text in UTF-8 contains it."""
# The pieces of a pattern: an escape, a class, any other character.
_PIECES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_ANCHORS: Final = {"^": r"(?:^|\xff)", "$": r"(?:$|\n?\xff)"}


def separable(pattern: str) -> str:
    """Return a pattern whose anchors also match after and before a `SEPARATOR`."""
    return "".join([_ANCHORS.get(piece, piece) for piece in _PIECES.findall(pattern)])


def families() -> list[tuple[Indicator, ...]]:
    """Group the indicators by the first part of their names."""
    groups = groupby(INDICATORS, key=lambda one: one.name.partition(".")[0])
    return [tuple(members) for _, members in groups]


@lru_cache(maxsize=2)
def builtin_scanners(engine: Engine) -> BuiltinScanners:
    """Return the compiled constants. All detectors of the process share them: they are immutable,
    and safe in threads (each has its own scratch) and after a fork."""
    return BuiltinScanners(engine)
