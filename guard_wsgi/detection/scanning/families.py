"""The built-in indicators, compiled by family."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.indicators.indicator import Indicator
from guard_wsgi.detection.scanning.name_tables import Confirmation, without_tables
from guard_wsgi.detection.scanning.scanner import SEPARATOR, Engine, Scanner, compile_patterns


class BuiltinScanners:
    """The built-in indicators, compiled by family. Small databases compile faster than one large
    database, and a value needs only microseconds for each.

    They are compiled when the first value is weighed, or by `warm`. A process that never sees
    anything suspicious does not pay for them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._families: tuple[tuple[tuple[Indicator, ...], Scanner], ...] = ()
        self._names = [[one.name for one in family] for family in families()]
        self._confirmation = Confirmation(
            {
                one.name: separable(shortest(one.pattern))
                for one in INDICATORS
                if without_tables(one.pattern) != one.pattern
            }
        )

    def warm(self) -> tuple[tuple[tuple[Indicator, ...], Scanner], ...]:
        """Compile now. Two threads at once do the same work twice; a lock instead could stay locked
        after a fork."""
        if not self._families:
            self._families = tuple(self.each())
        return self._families

    def each(self) -> Iterator[tuple[tuple[Indicator, ...], Scanner]]:
        """Compile one family after the other."""
        for family in families():
            pairs = [(one.name, separable(shortest(without_tables(one.pattern)))) for one in family]
            yield family, compile_patterns(pairs, self._engine, keep=True)

    def among(self, data: bytes, ends: list[int]) -> list[set[str]]:
        """Return the names of the patterns that match in each piece of some data (`Scanner.among`).

        If a `SEPARATOR` comes first and each text ends with one, the result is the same as if
        each text was scanned alone.
        """
        found: list[set[str]] = [set() for _ in ends]
        for labels, (_, scanner) in zip(self._names, self._families or self.warm(), strict=True):
            scanner.among(data, ends, labels, found)
        begins = [0, *[max(end - len(SEPARATOR), 0) for end in ends]][: len(ends)]
        doubtful, confirms = self._confirmation.names, self._confirmation.confirms
        for names, at, end in zip(found, begins, ends, strict=True):
            if not doubtful.isdisjoint(names):
                piece = data[at:end]
                names -= {name for name in doubtful & names if not confirms(name, piece)}
        return found

    def read(self, data: bytes) -> list[Indicator]:
        """Return the indicators that match."""
        found = []
        data = SEPARATOR + data + SEPARATOR
        doubtful, confirms = self._confirmation.names, self._confirmation.confirms
        for family, scanner in self._families or self.warm():
            for index in scanner.scan(data):
                one = family[index]
                if one.name not in doubtful or confirms(one.name, data):
                    found.append(one)
        return found


# Not an escaped mark.
_MORE = re.compile(r"(?<!\\)\+$|(?<=[1-9]),\d*\}$")


def shortest(pattern: str) -> str:
    """Return a pattern that matches the same texts, with matches that end as early as possible: one
    occurrence of a part that may repeat is enough."""
    return _MORE.sub(lambda more: "}" if more[0] != "+" else "", pattern)


_SEPARATOR: Final = r"\xff\xfe\xff"
# The pieces of a pattern: an escape, a class, any other character.
_PIECES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_INSIDE: Final = {
    "^": _SEPARATOR,
    "$": r"\n?" + _SEPARATOR,
    ".": r"[^\xff]",
    r"\W": r"[^\w\xff]",
    r"\S": r"[^\s\xff]",
    r"\D": r"[^\d\xff]",
}


def separable(pattern: str) -> str:
    r"""Return the pattern for a text between two `SEPARATOR`s. Its anchors match these, and nothing
    else in it matches a part of one.

    :raises ValueError: if a class contains a negated one, as ``[\W_]`` does.
    """
    return "".join([_inside(piece) for piece in _PIECES.findall(pattern)])


def _inside(piece: str) -> str:
    if not piece.startswith("["):
        return _INSIDE.get(piece, piece)
    if not _NEGATED.isdisjoint(_PIECES.findall(piece[1:-1])):
        raise ValueError(f"{piece} has a negated class in it: name what it takes")
    if not piece.startswith("[^"):
        return piece
    if piece.endswith("-]") and not piece.endswith(r"\-]"):
        return piece[:-2] + r"\xff-]"  # else the hyphen would begin a range
    return piece[:-1] + r"\xff]"


_NEGATED: Final = {r"\W", r"\S", r"\D"}


# Patterns without fixed text run on every byte. All of them in a database form one machine, and
# their states multiply. Two databases, one for such a group and one for the rest of its family,
# take half as much.
_APART: Final = {
    name: group
    for group, names in enumerate(
        (
            "code.php_dynamic_call code.php_index_call",
            "shell.separator_command shell.separator_admin shell.reader_at_command"
            " shell.reader_of_file shell.ifs",
            "shell.quote_splice shell.glob_bracket",
        )
    )
    for name in names.split()
}


def families() -> list[tuple[Indicator, ...]]:
    """Return the indicators by the first part of their names."""
    groups: dict[tuple[str, int | None], list[Indicator]] = {}
    for one in INDICATORS:
        family = one.name.partition(".")[0]
        groups.setdefault((family, _APART.get(one.name)), []).append(one)
    return [tuple(members) for members in groups.values()]


@lru_cache(maxsize=2)
def builtin_scanners(engine: Engine) -> BuiltinScanners:
    """Return the compiled constants. All detectors of the process share them: they are immutable,
    and safe in threads (each has its own scratch) and after a fork."""
    return BuiltinScanners(engine)
