"""Hyperscan: many patterns over one text in one pass, in linear time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from guard_wsgi.patterns.database import database_key, load_database, save_database

hyperscan: Any
try:
    import hyperscan
except ImportError:  # no wheel: PyPy, musl on rare machines
    hyperscan = None

Pieces = tuple[list[int], list[int], list[int], list[int], list[set[int]]]
"""Where the pieces of a text begin and end, between which places each pattern was found last, and
what was found in each piece."""

OPTIONS: Final = frozenset({"caseless", "dotall", "multiline", "once", "unicode"})
"""``once`` reports each pattern once. Keeping book of that costs a fifth of the time. Hyperscan is
undefined on text that is not UTF-8 if ``unicode`` is on."""


class Tripwire(NamedTuple):
    """Whether any of some patterns matches, and where.

    :ivar any: whether any pattern matches; stops at the first.
    :ivar ends: where matches end, in bytes, unordered; stops when there are so many.
    """

    any: Callable[[bytes], bool]
    ends: Callable[[bytes, int], list[int]]


class HyperscanRefused(ValueError):
    """A pattern that Hyperscan can't match in linear time; says why.

    :ivar index: of the pattern; ``None`` when only all of them together are refused.
    """

    def __init__(self, index: int | None, reason: str) -> None:
        super().__init__(reason)
        self.index = index


def has_hyperscan() -> bool:
    """Whether Hyperscan can be used here."""
    return hyperscan is not None


def _stop_within(first: int, end: int) -> Callable[..., bool]:
    def stop(index: int, *_: object) -> bool:
        return first <= index < end

    return stop


def _note(index: int, start: int, end: int, flags: int, hits: set[int]) -> None:
    hits.add(index)


def _note_piece(index: int, start: int, end: int, flags: int, pieces: Pieces) -> None:
    begins, ends, lowest, highest, found = pieces
    # Most matches of a pattern are in the piece of the one before.
    if not lowest[index] < end <= highest[index]:
        piece = bisect_left(ends, end)
        lowest[index], highest[index] = begins[piece], ends[piece]
        found[piece].add(index)


def _note_end(
    index: int, start: int, end: int, flags: int, hits: tuple[list[int], int, int, int]
) -> bool:
    ends, most, first, behind = hits
    if first <= index < behind:
        ends.append(end)
    return len(ends) >= most


class HyperscanScanner:
    """A compiled database and room to scan with it, in time linear in the text.

    A scratch serves one scan at a time (the scan releases the interpreter's lock), so each scan
    takes one out of the stock and puts it back. A forked child has copies of those that were in
    stock; one that was in use elsewhere is not among them.

    :param ids: what `scan` calls the patterns.
    :param options: which of `OPTIONS` hold for every pattern.
    :param keep: use the compiled form left on disk by a build or an earlier process, or leave
        one (see database.py). For constants of the package only.
    :ivar key: what the compiled form is called on disk.
    :raises HyperscanRefused: when a pattern can't be matched in linear time.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        ids: Sequence[int],
        options: Collection[str],
        *,
        keep: bool = False,
    ) -> None:
        flags = _flags(options)
        encoded = [text.encode() for text in patterns]
        self.key = database_key(encoded, ids, flags)
        database = load_database(self.key) if keep else None
        if database is None:
            database = _compile(encoded, ids, flags)
            if keep:
                save_database(self.key, database)
        self._serve(database, ids)

    @classmethod
    def kept(cls, key: str, ids: Sequence[int], *also: Path) -> HyperscanScanner | None:
        """One whose compiled form is on disk; ``None`` if it is not.

        :param also: more folders to look into, of this process's own.
        """
        database = load_database(key, *also)
        if database is None:
            return None
        scanner = cls.__new__(cls)
        scanner.key = key
        scanner._serve(database, ids)
        return scanner

    def _serve(self, database: Any, ids: Sequence[int]) -> None:
        self._database: Any = database
        self._ids = max(ids, default=-1) + 1
        self._stock: list[Any] = []
        self._wires: dict[tuple[int, int], Tripwire] = {}
        self.any = self._tripwire(0, self._ids)

    # All written out, as each call less is felt. Arguments by position: by name they cost a
    # quarter of a microsecond, half of a short scan.

    def scan(self, data: bytes) -> list[int]:
        hits: set[int] = set()
        stock = self._stock
        try:
            scratch = stock.pop()
        except IndexError:
            scratch = hyperscan.Scratch(self._database)
        try:
            self._database.scan(data, _note, 0, hits, scratch)
        finally:
            stock.append(scratch)
        return list(hits)

    def among(self, data: bytes, ends: list[int]) -> list[set[int]]:
        """The ids of the patterns that match in each piece of the data: where a match ends counts.

        :param ends: of the pieces, in bytes; the last is the length of the data.
        """
        found: list[set[int]] = [set() for _ in ends]
        # An empty match at the very beginning is one of the first piece.
        begins = [-1, *ends[:-1]]
        lowest, highest = [0] * self._ids, [-1] * self._ids
        stock = self._stock
        try:
            scratch = stock.pop()
        except IndexError:
            scratch = hyperscan.Scratch(self._database)
        pieces = begins, ends, lowest, highest, found
        try:
            self._database.scan(data, _note_piece, 0, pieces, scratch)
        finally:
            stock.append(scratch)
        return found

    def within(self, first: int, end: int) -> Tripwire:
        """The tripwire of those patterns whose ids are in a range."""
        known = self._wires.get((first, end))
        if known is None:
            ends = partial(self._ends, first, end)
            known = self._wires[first, end] = Tripwire(self._tripwire(first, end), ends)
        return known

    def _ends(self, first: int, end: int, data: bytes, most: int) -> list[int]:
        hits: list[int] = []
        stock = self._stock
        try:
            scratch = stock.pop()
        except IndexError:
            scratch = hyperscan.Scratch(self._database)
        try:
            self._database.scan(data, _note_end, 0, (hits, most, first, end), scratch)
        except hyperscan.ScanTerminated:
            pass
        finally:
            stock.append(scratch)
        return hits

    def _tripwire(self, first: int, end: int) -> Callable[[bytes], bool]:
        database, stock, stop = self._database, self._stock, _stop_within(first, end)
        take, put_back, scan = stock.pop, stock.append, database.scan
        is_stopped = hyperscan.ScanTerminated

        def any_match(data: bytes) -> bool:
            try:
                scratch = take()
            except IndexError:
                scratch = hyperscan.Scratch(database)
            try:
                scan(data, stop, 0, None, scratch)
            except is_stopped:
                return True
            finally:
                put_back(scratch)
            return False

        return any_match


def key_of(patterns: Sequence[str], ids: Sequence[int], options: Collection[str]) -> str:
    """What the compiled form of these patterns is called on disk (`HyperscanScanner.key`)."""
    return database_key([text.encode() for text in patterns], ids, _flags(options))


def _flags(options: Collection[str]) -> int:
    # Empty matches are for patterns such as "^$".
    flags: int = hyperscan.HS_FLAG_ALLOWEMPTY
    for option, flag in (
        ("caseless", hyperscan.HS_FLAG_CASELESS),
        ("dotall", hyperscan.HS_FLAG_DOTALL),
        ("multiline", hyperscan.HS_FLAG_MULTILINE),
        ("once", hyperscan.HS_FLAG_SINGLEMATCH),
        ("unicode", hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_UCP),
    ):
        if option in options:
            flags |= flag
    return flags


def _compile(patterns: list[bytes], ids: Sequence[int], flags: int) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(patterns, ids=list(ids), flags=[flags] * len(patterns))
    except hyperscan.error as error:
        raise _refused(patterns, flags, error) from None
    return database


def _refused(patterns: list[bytes], flags: int, error: Exception) -> HyperscanRefused:
    """Compile one by one to find the pattern: the error of the whole set does not name it."""
    for index, pattern in enumerate(patterns):
        try:
            hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
                [pattern], ids=[0], flags=[flags]
            )
        except hyperscan.error as one:
            return HyperscanRefused(index, str(one))
    return HyperscanRefused(None, str(error))
