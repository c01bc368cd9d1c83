"""Many patterns over one text in one pass: Hyperscan, or `re` where it has no wheel.

Patterns mean the same to both: bytes, ASCII case ignored, `.` takes newlines, and what counts
is whether a pattern matches anywhere, not where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Literal, Protocol

from guard_wsgi.detection.database import database_key, load_database, save_database
from guard_wsgi.errors import ConfigError

hyperscan: Any
try:
    import hyperscan
except ImportError:  # no wheel: PyPy, musl on rare machines
    hyperscan = None

Engine = Literal["auto", "hyperscan", "re"]


class PatternRefused(ConfigError):
    """A pattern the engine can't take, with the engine's reason."""

    def __init__(self, name: str, pattern: str, reason: str) -> None:
        super().__init__([f"detection pattern {name!r} ({pattern!r}): {reason}"])
        self.name = name
        self.pattern = pattern
        self.reason = reason


class Scanner(Protocol):
    """Which of the compiled patterns match."""

    def scan(self, data: bytes) -> list[int]:
        """Indexes of the patterns that match somewhere in data, each once, unordered."""

    def any(self, data: bytes) -> bool:
        """Whether any pattern matches; stops at the first."""


class Tripwire(Protocol):
    """Whether any of the compiled patterns matches, and where."""

    def any(self, data: bytes) -> bool:
        """Whether any pattern matches; stops at the first."""

    def ends(self, data: bytes, most: int) -> list[int]:
        """Where matches end, in bytes, unordered; stops when there are ``most``."""


def has_hyperscan() -> bool:
    """Whether the Hyperscan engine can be used here."""
    return hyperscan is not None


def compile_patterns(
    patterns: Sequence[tuple[str, str]], engine: Engine = "auto", *, keep: bool = False
) -> Scanner:
    """Compile (name, pattern) pairs; indexes in answers are positions in `patterns`.

    :param keep: use the compiled form left on disk by an earlier process, or leave one
        (see database.py). For constants of the package only.

    :raises PatternRefused: naming the first pattern that can't be taken, and why.
    :raises ConfigError: when "hyperscan" is asked for and not installed.
    """
    if engine == "hyperscan" and hyperscan is None:
        raise ConfigError(["detection engine: hyperscan is not installed"])
    if engine == "re" or hyperscan is None:
        return ReScanner(patterns)
    return HyperscanScanner(patterns, range(len(patterns)), _ONCE, keep)


def compile_tripwire(patterns: Sequence[tuple[str, str]], engine: Engine = "auto") -> Tripwire:
    """Compile constants of the package for one question only: does anything match?

    Those of one name are one to Hyperscan, which then keeps once what they have in common: a
    quarter of the size, where patterns are alike. For thousands of words it would look for that
    half a minute, and find little.
    """
    if engine == "re" or hyperscan is None:
        return ReTripwire(patterns)
    firsts: dict[str, int] = {}
    ids = [firsts.setdefault(name, index) for index, (name, _) in enumerate(patterns)]
    return HyperscanScanner(patterns, ids, _ANY, keep=True)


def _stop(*_: object) -> bool:
    return True


def _note(index: int, start: int, end: int, flags: int, hits: list[int]) -> None:
    hits.append(index)


def _note_end(index: int, start: int, end: int, flags: int, hits: tuple[list[int], int]) -> bool:
    ends, most = hits
    ends.append(end)
    return len(ends) >= most


_ANY = 0 if hyperscan is None else hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL
# Each pattern once. Keeping book of that costs a fifth of the time, so it is asked for only
# where the answer is more than yes or no.
_ONCE = 0 if hyperscan is None else _ANY | hyperscan.HS_FLAG_SINGLEMATCH


class HyperscanScanner:
    """A compiled database and room to scan with it, in time linear in the text.

    A scratch serves one scan at a time (the scan releases the interpreter's lock), so each scan
    takes one out of the stock and puts it back. A forked child has copies of those that were in
    stock; one that was in use elsewhere is not among them.

    :param ids: what `scan` calls the patterns.
    :param flags: Hyperscan's, for every pattern.
    """

    def __init__(
        self, patterns: Sequence[tuple[str, str]], ids: Sequence[int], flags: int, keep: bool
    ) -> None:
        # Empty matches are for custom patterns such as "^$".
        flags |= hyperscan.HS_FLAG_ALLOWEMPTY
        encoded = [text.encode() for _, text in patterns]
        key = database_key(encoded, ids, flags)
        database = load_database(key) if keep else None
        if database is None:
            database = self._compile(patterns, encoded, ids, flags)
            if keep:
                save_database(key, database)
        self._database: Any = database
        self._stock: list[Any] = []
        self.any = self._tripwire()

    # Both written out, as each call less is felt. Arguments by position: by name they cost a
    # quarter of a microsecond, half of a short scan.

    def scan(self, data: bytes) -> list[int]:
        hits: list[int] = []
        stock = self._stock
        try:
            scratch = stock.pop()
        except IndexError:
            scratch = hyperscan.Scratch(self._database)
        try:
            self._database.scan(data, _note, 0, hits, scratch)
        finally:
            stock.append(scratch)
        return hits

    def ends(self, data: bytes, most: int) -> list[int]:
        hits: list[int] = []
        stock = self._stock
        try:
            scratch = stock.pop()
        except IndexError:
            scratch = hyperscan.Scratch(self._database)
        try:
            self._database.scan(data, _note_end, 0, (hits, most), scratch)
        except hyperscan.ScanTerminated:
            pass
        finally:
            stock.append(scratch)
        return hits

    def _tripwire(self) -> Callable[[bytes], bool]:
        database, stock = self._database, self._stock
        take, put_back, scan = stock.pop, stock.append, database.scan
        is_stopped = hyperscan.ScanTerminated

        def any_match(data: bytes) -> bool:
            try:
                scratch = take()
            except IndexError:
                scratch = hyperscan.Scratch(database)
            try:
                scan(data, _stop, 0, None, scratch)
            except is_stopped:
                return True
            finally:
                put_back(scratch)
            return False

        return any_match

    @staticmethod
    def _compile(
        patterns: Sequence[tuple[str, str]], encoded: list[bytes], ids: Sequence[int], flags: int
    ) -> Any:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(encoded, ids=list(ids), flags=[flags] * len(encoded))
        except hyperscan.error as error:
            raise _find_refused(patterns, flags, error) from error
        return database


def _find_refused(
    patterns: Sequence[tuple[str, str]], flags: int, error: Exception
) -> PatternRefused:
    """Compile one by one to name the pattern; the error of the whole set does not."""
    for name, pattern in patterns:
        try:
            hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
                [pattern.encode("utf-8")], ids=[0], flags=[flags]
            )
        except hyperscan.error as one:
            return PatternRefused(name, pattern, str(one))
    return PatternRefused("(all)", "...", str(error))


class ReTripwire:
    """The same answer from `re`: what begins with one byte is one pattern, and is looked for only
    in data that has the byte."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        by_beginning: dict[bytes, list[str]] = {}
        for _, pattern in patterns:
            by_beginning.setdefault(_beginning(pattern), []).append(f"(?:{pattern})")
        self._patterns = [
            (byte, re.compile("|".join(those).encode(), re.IGNORECASE | re.DOTALL))
            for byte, those in by_beginning.items()
        ]

    def any(self, data: bytes) -> bool:
        lower = data.lower()
        return any(byte in lower and pattern.search(data) for byte, pattern in self._patterns)

    def ends(self, data: bytes, most: int) -> list[int]:
        lower = data.lower()
        matches = (
            match.end()
            for byte, pattern in self._patterns
            if byte in lower
            for match in pattern.finditer(data)
        )
        return list(islice(matches, most))


def _beginning(pattern: str) -> bytes:
    """The byte, in lower case, that all of a pattern's matches begin with; empty if there is none.

    For patterns of the package: classes in them have no ``]`` that is not escaped.
    """
    if pattern[0] != "\\":
        char, rest = pattern[0], pattern[1:]
        if char in ".^$|?*+()[{":
            return b""
    elif pattern[1] == "x":
        char, rest = chr(int(pattern[2:4], 16)), pattern[4:]
    elif pattern[1] in _CONTROLS:
        char, rest = _CONTROLS[pattern[1]], pattern[2:]
    else:
        char, rest = pattern[1], pattern[2:]
        if char.isalnum():  # a class, or a boundary
            return b""
    if rest.startswith(("?", "*", "{")) or _has_alternatives(rest):
        return b""
    return char.encode("latin-1").lower()  # of ASCII alone


_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_INSIDE = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]", re.DOTALL)


def _has_alternatives(pattern: str) -> bool:
    """Whether it is several patterns, that is, has a "|" outside of all groups."""
    depth = 0
    for char in _INSIDE.sub("", pattern):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False


class ReScanner:
    """The same answers from `re`, pattern by pattern. Slower, and linear only as far as the
    patterns are: the built-in ones have no nested quantifiers; a text is cut into windows by
    the caller."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        self._searches: list[Callable[[bytes], object]] = []
        for name, pattern in patterns:
            try:
                compiled = re.compile(pattern.encode(), re.IGNORECASE | re.DOTALL)
            except re.error as error:
                raise PatternRefused(name, pattern, str(error)) from error
            self._searches.append(compiled.search)

    def scan(self, data: bytes) -> list[int]:
        return [index for index, search in enumerate(self._searches) if search(data)]

    def any(self, data: bytes) -> bool:
        return any(search(data) for search in self._searches)
