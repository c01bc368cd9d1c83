"""Bans in an LMDB file: one record each, and a journal, so that a process can read single changes.

Every change has a number, the version; the journal names its target. Its entries expire like all
records. A process that has missed some reads all bans.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from guard_wsgi.state.backend import BanChanges, BanEntry
from guard_wsgi.state.backends.lmdb_counts import NEVER
from guard_wsgi.state.clock import NANOSECONDS

BAN, JOURNAL, VERSION = b"b", b"j", b"\x00v"
"""The first bytes of the keys of the three kinds of records."""

JOURNAL_SECONDS = 600
"""How long the journal keeps a change."""

BANS_A_PAGE = 1000
"""How many bans to read at once, in some 5 ms; the rest comes with the next requests."""

_VERSION = struct.Struct("<QQ")
_EXPIRY = struct.Struct("<Q")
_SECONDS = struct.Struct("<cd")
_HAS_SECONDS = b"\x00"
"""Before how long a ban was made for: the records of earlier versions go on with the reason."""
_SEQUENCE = struct.Struct(">Q")  # big-endian: LMDB sorts by bytes


class LMDBBans:
    """The bans of one prefix. Every method works in the given transaction."""

    def __init__(self, prefix: bytes, now: Callable[[], int]) -> None:
        self._now = now
        self._first_ban_ns = 0
        # While all bans are read: the version at the beginning, and from where to go on.
        self._page: tuple[int, bytes] | None = None
        self._ban = BAN + prefix
        self._journal = JOURNAL + prefix
        self._version_key = VERSION + prefix

    def save(self, txn: Any, entry: BanEntry, now_ns: int) -> None:
        expires_ns = round(entry.expires_at * 1000) * 1_000_000  # bans end on a millisecond
        times = _EXPIRY.pack(expires_ns) + _SECONDS.pack(_HAS_SECONDS, entry.seconds)
        record = times + entry.reason.encode("utf-8", "replace")
        txn.put(self._ban + entry.target.encode(), record)
        self._note(txn, entry.target, now_ns)

    def drop(self, txn: Any, target: str, now_ns: int) -> bool:
        """Lift a ban. Return whether it was in force."""
        record = txn.pop(self._ban + target.encode())
        # Noted also if there was none: a process that knows the ban must not write it again to a
        # file that has lost it.
        self._note(txn, target, now_ns)
        return record is not None and now_ns < _EXPIRY.unpack_from(record)[0]

    def changes(self, txn: Any, since: int | None) -> BanChanges:
        """Return the changes since a version; all bans, in pages, if some changes were missed."""
        version, first_ban_ns = self._version(txn)
        # Another file, or an older copy of this one.
        lost = since is not None and (
            self._first_ban_ns not in (0, first_ban_ns) or since > version
        )
        self._first_ban_ns = first_ban_ns
        if since is not None and not lost and self._page is None:
            journal = self._since(txn, since, version)
            if journal is not None:
                return BanChanges(version, False, journal)
        begins = lost or self._page is None or since is None
        if begins:
            self._page = version, b""
        assert self._page is not None
        started, position = self._page
        begin = len(self._ban)
        entries = []
        for key, record in _range(txn, self._ban, position):
            entries.append(_entry(key[begin:].decode(), record))
            if len(entries) == BANS_A_PAGE:
                self._page = started, key[begin:] + b"\x00"
                return BanChanges(started, begins, entries, more=True, lost=lost)
        self._page = None
        journal = self._since(txn, started, version)
        if journal is None:  # so slowly that the journal has forgotten the beginning
            return BanChanges(None, begins, entries, more=True, lost=lost)
        return BanChanges(version, begins, [*entries, *journal], lost=lost)

    def find(self, txn: Any, targets: Sequence[str]) -> list[BanEntry]:
        records = ((target, txn.get(self._ban + target.encode())) for target in targets)
        return [_entry(target, record) for target, record in records if record is not None]

    def _since(self, txn: Any, since: int, version: int) -> list[BanEntry] | None:
        """Return the changes after a version; ``None`` if the journal has lost some."""
        if since == version:
            return []
        if since > version:
            return None
        records = _range(txn, self._journal, _SEQUENCE.pack(since + 1))
        targets = [record[_EXPIRY.size :].decode() for _, record in records]
        if len(targets) != version - since:  # some were swept
            return None
        return [self._find(txn, target) for target in dict.fromkeys(targets)]

    def begin_anew(self, txn: Any) -> None:
        """Make every process read all bans, after they were deleted."""
        # A number without a journal entry does that.
        version, first_ban_ns = self._version(txn, self._now())
        txn.put(self._version_key, NEVER + _VERSION.pack(version + 2, first_ban_ns))

    def _note(self, txn: Any, target: str, now_ns: int) -> None:
        version, first_ban_ns = self._version(txn, now_ns)
        version += 1
        txn.put(self._version_key, NEVER + _VERSION.pack(version, first_ban_ns))
        expires_ns = now_ns + JOURNAL_SECONDS * NANOSECONDS
        key = self._journal + _SEQUENCE.pack(version)
        txn.put(key, _EXPIRY.pack(expires_ns) + target.encode())

    def _version(self, txn: Any, now_ns: int = 0) -> tuple[int, int]:
        """Return the version, and the time of the file's first ban, which distinguishes files."""
        record = txn.get(self._version_key)
        if not record:
            return 0, now_ns
        if len(record) < len(NEVER) + _VERSION.size:  # written by an older version
            return _EXPIRY.unpack_from(record, len(NEVER))[0], 1
        version, first_ban_ns = _VERSION.unpack_from(record, len(NEVER))
        return version, first_ban_ns

    def _find(self, txn: Any, target: str) -> BanEntry:
        record = txn.get(self._ban + target.encode())
        return BanEntry(target, 0.0, "") if record is None else _entry(target, record)


def _range(txn: Any, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """Yield the records whose key begins with ``prefix``, from ``prefix + start`` on."""
    cursor = txn.cursor()
    if cursor.set_range(prefix + start):
        for key, record in cursor:
            if not key.startswith(prefix):
                return
            yield key, record


def _entry(target: str, record: bytes) -> BanEntry:
    expires_ns = _EXPIRY.unpack_from(record)[0]
    reason, seconds = record[_EXPIRY.size :], 0.0
    if reason.startswith(_HAS_SECONDS):
        _, seconds = _SECONDS.unpack_from(reason)
        reason = reason[_SECONDS.size :]
    return BanEntry(target, expires_ns / NANOSECONDS, reason.decode(), seconds)
