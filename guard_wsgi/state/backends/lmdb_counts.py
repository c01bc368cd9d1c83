"""The counts of rate limits: an array in a file beside the LMDB file.

To change one number, LMDB writes a page on every level of its tree. That is half of the time of a
hit. So LMDB keeps only the place of a key in the array. The count changes in that place, under
LMDB's write lock, which applies to all processes. LMDB decides: a place that no key has means
nothing, so a process may be killed between any two steps.

Processes get places by the hundred. A killed process loses its unused places: 6 KB.

A process remembers the places of some keys, and compares tags to see whether a place still belongs
to its key: each key writes its own tag into its place, and deleting the key clears the tag.
"""

from __future__ import annotations

import logging
import mmap
import os
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from guard_wsgi.errors import StoreError

log = logging.getLogger("guard_wsgi.state")

COUNT = struct.Struct("<QIIQ")
"""Expiry in epoch ns, previous window, current window, tag."""

CURRENT = struct.Struct("<I")
CURRENT_AT = 12
"""The part of a count that most hits change, and its offset."""

_TAG = struct.Struct("<Q")
_TAG_AT = 16

CHANGE = struct.Struct("<Q")
CHANGE_AT = 16
"""The version of the bans is in place 0, after the beginning of the file."""

MAX_KNOWN = 10_000
MAX_KNOWN_CHARACTERS = 200
"""How many places a process remembers of one kind of keys: the clients of the last minutes, some 2
MB. Long keys are rare and not remembered."""

PLACE = struct.Struct("<I")
"""The entry of a key's record; multiplied by the size of a count, it is the offset in the file."""

MAGIC = b"guard-wsgi n 2\r\n"
"""The header, in place 0."""

NEVER = struct.pack("<Q", 2**64 - 1)
"""The expiry of records that don't expire; every other record begins with its expiry."""

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_HEAD_KEY = b"\x00places"
_HEAD = struct.Struct("<8sII")  # never, places ever given out, chunks of free ones
_CHUNK_KEY = struct.Struct(">8sI")
_CHUNK_NAME = b"\x00chunk\x00\x00"
_CHUNK_PLACES = 128
_CHUNK = struct.Struct(f"<8s{_CHUNK_PLACES}I")


KnownPlaces = dict[str, tuple[int, int]]
"""Key -> where its count begins, and its tag."""


class LMDBCounts:
    """The array of counts. Use it under the write lock of its LMDB file.

    :ivar records: the array; replaced when it grows.
    """

    def __init__(self, path: Path, initial_bytes: int) -> None:
        self.path = path
        self._initial_bytes = initial_bytes
        self.records: Any = b""
        self._fd = -1
        self._free: list[int] = []
        self._known: dict[bytes, KnownPlaces] = {}

    def open(self, *, anew: bool, places: int) -> None:
        """
        :param anew: whether its LMDB file has just been created: then the array here belonged to
            another one.
        :param places: how many its LMDB file has given out.
        :raises OSError: when it can't be opened or created.
        """
        self.close()
        if anew:
            self.path.unlink(missing_ok=True)
        fd = self._open_fd()
        size = os.fstat(fd).st_size
        if size and os.read(fd, len(MAGIC)) != MAGIC:
            os.close(fd)
            self._set_aside()
            fd, size = self._open_fd(), 0
        self._fd = fd
        wanted = max(size, self._initial_bytes)
        while wanted < (places + 1) * COUNT.size:
            wanted *= 2
        if size < wanted:
            allocate(fd, wanted)
        self.follow()
        self.records[: len(MAGIC)] = MAGIC

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self.records:
            self.records.close()
        self.records = b""
        self._free.clear()
        for places in self._known.values():
            places.clear()

    def known(self, kind: bytes) -> KnownPlaces:
        """The remembered places of one kind of keys. Cleared when the file is closed."""
        return self._known.setdefault(kind, {})

    def is_at_its_path(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._fd))
        except OSError:
            return False

    def is_cut(self) -> bool:
        """Whether the file is shorter than its mapped part."""
        return os.fstat(self._fd).st_size < len(self.records)

    def follow(self) -> None:
        """Map the file again after another process has extended it."""
        before, self.records = self.records, mmap.mmap(self._fd, 0)
        if before:
            before.close()

    # -- in a write transaction ------------------------------------------------------------------

    def at(self, place: int) -> tuple[int, int, int]:
        """:raises struct.error: for a place beyond what is mapped: see `follow`."""
        expires_ns, previous, current, _ = COUNT.unpack_from(self.records, place * COUNT.size)
        return expires_ns, previous, current

    def look_up(
        self, txn: Any, places: KnownPlaces, key: str, name: bytes
    ) -> tuple[int, int, int, int, int]:
        """Return the count of a key that LMDB calls ``name``: where it begins (0: nowhere), expiry,
        previous and current window, tag. The place is remembered.

        :raises struct.error: for a place beyond what is mapped: see `follow`.
        """
        found = txn.get(name)
        if not found:
            return 0, 0, 0, 0, 0
        at = PLACE.unpack(found)[0] * COUNT.size
        expires_ns, previous, current, tag = COUNT.unpack_from(self.records, at)
        if tag and len(key) <= MAX_KNOWN_CHARACTERS:
            if len(places) >= MAX_KNOWN:
                places.clear()
            places[key] = at, tag
        return at, expires_ns, previous, current, tag

    def put(self, at: int, expires_ns: int, previous: int, current: int, tag: int) -> None:
        """Write a count in its place, in one piece: a process may be killed between two."""
        record = COUNT.pack(expires_ns, previous, current, tag or time.time_ns())
        self.records[at : at + COUNT.size] = record

    def add(self, txn: Any, expires_ns: int, previous: int, current: int) -> int:
        """Write the count of a new key. Return its place. :raises StoreError: when the file can't
        grow."""
        if not self._free:
            self._fetch(txn)
        place = self._free.pop()
        begin = place * COUNT.size
        if begin + COUNT.size > len(self.records):
            self._grow(begin + COUNT.size)
        # By the real clock, whatever the store's clock is: no two keys are added at the same
        # moment.
        record = COUNT.pack(expires_ns, previous, current, time.time_ns())
        self.records[begin : begin + COUNT.size] = record
        return place

    def free(self, txn: Any, places: Iterable[int]) -> None:
        """Take back the places of keys that the same transaction deletes.

        :raises struct.error: for a place beyond what is mapped: see `follow`.
        """
        for place in places:
            _TAG.pack_into(self.records, place * COUNT.size + _TAG_AT, 0)
            self._free.append(place)
        while len(self._free) > 2 * _CHUNK_PLACES:
            self._leave(txn, self._free[:_CHUNK_PLACES])
            del self._free[:_CHUNK_PLACES]

    def aborted(self) -> None:
        """Forget places after a transaction was aborted, in which they may have changed owners."""
        self._free.clear()

    @property
    def holds_places(self) -> bool:
        return bool(self._free)

    @property
    def change(self) -> int:
        """Return how often the bans have changed."""
        number: int = CHANGE.unpack_from(self.records, CHANGE_AT)[0]
        return number

    def note_change(self) -> None:
        """Note that the bans have changed: every process sees it with its next hit."""
        number = self.change
        CHANGE.pack_into(self.records, CHANGE_AT, (number + 1) % 2**64)

    def give_back(self, txn: Any) -> None:
        """Return this process's unused places to the others."""
        while self._free:
            places = self._free[:_CHUNK_PLACES]
            # The last chunk is filled up with place 0, which is none.
            self._leave(txn, places + [0] * (_CHUNK_PLACES - len(places)))
            del self._free[:_CHUNK_PLACES]

    def _fetch(self, txn: Any) -> None:
        _, given, chunks = _head(txn)
        if chunks:
            _, *places = _CHUNK.unpack(txn.pop(_chunk_key(chunks)))
            self._free += filter(None, places)
            txn.put(_HEAD_KEY, _HEAD.pack(NEVER, given, chunks - 1))
        else:
            last = given + _CHUNK_PLACES
            self._free += range(last, given, -1)
            txn.put(_HEAD_KEY, _HEAD.pack(NEVER, last, 0))

    def _leave(self, txn: Any, places: list[int]) -> None:
        _, given, chunks = _head(txn)
        txn.put(_chunk_key(chunks + 1), _CHUNK.pack(NEVER, *places))
        txn.put(_HEAD_KEY, _HEAD.pack(NEVER, given, chunks + 1))

    def _grow(self, wanted: int) -> None:
        try:
            size = os.fstat(self._fd).st_size
            if size < wanted:
                allocate(self._fd, max(wanted, 2 * size))
            self.follow()
        except OSError as error:
            raise StoreError(f"state file {self.path} can't grow: {error}") from error

    def _open_fd(self) -> int:
        return os.open(self.path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)

    def _set_aside(self) -> None:
        aside = self.path.with_name(f"{self.path.name}.aside-{time.time_ns()}")
        os.rename(self.path, aside)
        log.error(
            "file %s belongs to another program or version: kept as %s, starting new counts",
            self.path,
            aside.name,
            extra={"path": str(self.path), "aside": str(aside)},
        )


def places_given(txn: Any) -> int:
    """Return how many places an LMDB file has ever given out."""
    return _head(txn)[1]


def own_entries(txn: Any) -> int:
    """Return how many entries of the LMDB file are about places and belong to no key."""
    _, given, chunks = _head(txn)
    return chunks + bool(given)


def allocate(fd: int, size: int) -> None:
    """Extend a file and reserve its disk space, so that a write through the map can't fail."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:
        os.ftruncate(fd, size)


def _head(txn: Any) -> tuple[bytes, int, int]:
    head = txn.get(_HEAD_KEY)
    if not head:
        return NEVER, 0, 0
    never, given, chunks = _HEAD.unpack(head)
    return never, given, chunks


def _chunk_key(number: int) -> bytes:
    return _CHUNK_KEY.pack(_CHUNK_NAME, number)
