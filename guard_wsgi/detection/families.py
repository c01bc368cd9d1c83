"""The built-in indicators, compiled by family."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from guard_wsgi.detection.indicator import Indicator
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanner import Engine, Scanner, compile_patterns


class BuiltinScanners:
    """The built-in indicators, compiled by family: smaller databases compile in less time than
    one large one, and a value needs only microseconds for each.

    They are compiled when the first value is to be weighed, or by `warm`: a process that never
    meets anything suspicious does not pay for them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._families: tuple[tuple[tuple[Indicator, ...], Scanner], ...] = ()

    def warm(self) -> tuple[tuple[tuple[Indicator, ...], Scanner], ...]:
        """Compile now. Two threads at once do the same work twice, which is harmless, where a
        lock could be held over a fork."""
        if not self._families:
            self._families = tuple(self.each())
        return self._families

    def each(self) -> Iterator[tuple[tuple[Indicator, ...], Scanner]]:
        """Compile one family after the other."""
        for family in families():
            pairs = [(one.name, shortest(one.pattern)) for one in family]
            yield family, compile_patterns(pairs, self._engine, keep=True)

    def among(self, data: bytes, ends: list[int]) -> list[set[str]]:
        """The names of what matches in each piece of some data (`Scanner.among`)."""
        found: list[set[str]] = [set() for _ in ends]
        for family, scanner in self._families or self.warm():
            for names, indexes in zip(found, scanner.among(data, ends), strict=True):
                if indexes:
                    names.update([family[index].name for index in indexes])
        return found

    def read(self, data: bytes) -> list[Indicator]:
        """The indicators that match."""
        found = []
        for family, scanner in self._families or self.warm():
            for index in scanner.scan(data):
                found.append(family[index])
        return found


# Not the mark itself, which is behind a backslash.
_MORE = re.compile(r"(?<!\\)\+$|(?<=[1-9]),\d*\}$")


def shortest(pattern: str) -> str:
    """A pattern that matches the same texts, whose matches end as soon as one can: what follows
    may be there once or more often, so once is enough."""
    return _MORE.sub(lambda more: "}" if more[0] != "+" else "", pattern)


def families() -> list[tuple[Indicator, ...]]:
    """The indicators by the first part of their names."""
    groups = groupby(INDICATORS, key=lambda one: one.name.partition(".")[0])
    return [tuple(members) for _, members in groups]


@lru_cache(maxsize=2)
def builtin_scanners(engine: Engine) -> BuiltinScanners:
    """Compiled constants, shared by all detectors of the process: immutable, safe to share
    between threads (each has its own scratch) and over a fork."""
    return BuiltinScanners(engine)
