"""Hyperscan: searches a text for many patterns in one pass, in linear time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from guard_wsgi.patterns.database import database_key, load_database, save_database

hyperscan: Any
try:
    import hyperscan
except ImportError:  # no wheel: PyPy, musl on rare machines
    hyperscan = None

Pieces = tuple[list[int], list[int], list[int], list[int], Sequence[str], list[set[str]]]
"""The bounds of the pieces of a text, the piece in which each pattern was found last, the names of
the patterns, and those found in each piece."""

MOST_HITS: Final = 3
"""In each of several pieces. Where there are more, it takes less time to scan each for one."""

OPTIONS: Final = frozenset({"caseless", "dotall", "multiline", "once", "unicode"})
"""``once`` reports each pattern once, which takes a fifth more time. With ``unicode``, Hyperscan's
behaviour is undefined on text that is not UTF-8."""


class HyperscanRefused(ValueError):
    """Hyperscan can't match a pattern in linear time; the message says why.

    :ivar index: the index of the pattern; ``None`` if only all of them together are refused.
    """

    def __init__(self, index: int | None, reason: str) -> None:
        super().__init__(reason)
        self.index = index


def has_hyperscan() -> bool:
    """Whether Hyperscan can be used here."""
    return hyperscan is not None


def _stop(*_: object) -> bool:
    return True


def _note(index: int, start: int, end: int, flags: int, hits: set[int]) -> None:
    hits.add(index)


def _note_piece(index: int, start: int, end: int, flags: int, pieces: Pieces) -> None:
    begins, ends, lowest, highest, names, found = pieces
    # Most matches of a pattern are in the same piece as its last match.
    if not lowest[index] < end <= highest[index]:
        piece = bisect_left(ends, end)
        lowest[index], highest[index] = begins[piece], ends[piece]
        found[piece].add(names[index])


def _note_end(index: int, start: int, end: int, flags: int, hits: tuple[list[int], int]) -> bool:
    ends, most = hits
    ends.append(end)
    return len(ends) >= most


class HyperscanScanner:
    """A compiled database with scratch space. A scan takes time linear in the text.

    A scratch serves one scan at a time (the scan releases the interpreter's lock), so each scan
    takes one from the stock and puts it back. A forked child has copies of the scratches in stock;
    it never sees one that was in use.

    :param ids: the names of the patterns in results of `scan`.
    :param options: which of `OPTIONS` apply to every pattern.
    :param keep: whether to load the compiled form from disk, or store it there (database.py). For
        constants of the package only.
    :ivar key: the name of the compiled form on disk.
    :raises HyperscanRefused: if a pattern can't be matched in linear time.
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
        """Load a scanner whose compiled form is on disk; ``None`` if it is not.

        :param also: further folders of this process.
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
        self.any = self._tripwire()

    # Everything is inlined, because each call takes noticeable time. Arguments are positional: by
    # name they would take a quarter of a microsecond, half of a short scan.

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

    def among(
        self, data: bytes, ends: list[int], names: Sequence[str], found: list[set[str]]
    ) -> None:
        """Add the names of the patterns that match in each piece of the data: where a match ends
        counts.

        :param ends: of the pieces, in bytes; the last is the length of the data.
        :param names: of the patterns, by their ids.
        :param found: in each piece.
        """
        # An empty match at the very beginning belongs to the first piece.
        begins = [-1, *ends[:-1]]
        lowest, highest = [0] * self._ids, [-1] * self._ids
        stock = self._stock
        try:
            scratch = stock.pop()
        except IndexError:
            scratch = hyperscan.Scratch(self._database)
        pieces = begins, ends, lowest, highest, names, found
        try:
            self._database.scan(data, _note_piece, 0, pieces, scratch)
        finally:
            stock.append(scratch)

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

    def matching(self, pieces: Sequence[bytes]) -> list[int]:
        """The indexes of the pieces that match, in order: all are scanned at once. A match that
        begins in the piece before counts as well.
        """
        most = MOST_HITS * len(pieces)
        hits = self.ends(b"".join(pieces), most)
        if len(hits) >= most:
            return [index for index, piece in enumerate(pieces) if self.any(piece)]
        ends = list(accumulate(map(len, pieces)))
        return sorted({bisect_left(ends, hit) for hit in set(hits)})

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


def key_of(patterns: Sequence[str], ids: Sequence[int], options: Collection[str]) -> str:
    """Return the name of the compiled form on disk (`HyperscanScanner.key`)."""
    return database_key([text.encode() for text in patterns], ids, _flags(options))


def _flags(options: Collection[str]) -> int:
    # Patterns such as "^$" have empty matches.
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
    """Compile one by one to find the refused pattern: the error of the whole set does not name
    it."""
    for index, pattern in enumerate(patterns):
        try:
            hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
                [pattern], ids=[0], flags=[flags]
            )
        except hyperscan.error as one:
            return HyperscanRefused(index, str(one))
    return HyperscanRefused(None, str(error))
