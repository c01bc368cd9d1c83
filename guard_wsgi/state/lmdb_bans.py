"""Bans in an LMDB file: a record each, and a journal, so that a change is read by itself.

Every change has a number, the version; the journal says which target it was about. Its entries
are swept after a while like all records; who has missed some reads all bans.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from guard_wsgi.state.backend import BanChanges, BanEntry
from guard_wsgi.state.clock import NANOSECONDS
from guard_wsgi.state.lmdb_counts import NEVER

BAN, JOURNAL, VERSION = b"b", b"j", b"\x00v"
"""What the keys of the three kinds of records begin with."""

JOURNAL_SECONDS = 600
"""How long a change can be read by itself."""

_EXPIRY = struct.Struct("<Q")
_SEQUENCE = struct.Struct(">Q")  # big-endian: LMDB sorts by bytes


class LMDBBans:
    """The bans of one prefix. Every method works in the transaction it is given."""

    def __init__(self, prefix: bytes) -> None:
        self._ban = BAN + prefix
        self._journal = JOURNAL + prefix
        self._version_key = VERSION + prefix

    def save(self, txn: Any, entry: BanEntry, now_ns: int) -> None:
        expires_ns = round(entry.expires_at * 1000) * 1_000_000  # bans end on a millisecond
        record = _EXPIRY.pack(expires_ns) + entry.reason.encode("utf-8", "replace")
        txn.put(self._ban + entry.target.encode(), record)
        self._note(txn, entry.target, now_ns)

    def drop(self, txn: Any, target: str, now_ns: int) -> bool:
        """Whether there was a ban, and still in force."""
        record = txn.pop(self._ban + target.encode())
        if record is None:
            return False
        self._note(txn, target, now_ns)
        return bool(now_ns < _EXPIRY.unpack_from(record)[0])

    def changes(self, txn: Any, since: int | None) -> BanChanges:
        version = self._version(txn)
        if since == version:
            return BanChanges(version, False, ())
        if since is not None and since < version:
            records = _range(txn, self._journal, _SEQUENCE.pack(since + 1))
            targets = [record[_EXPIRY.size :].decode() for _, record in records]
            if len(targets) == version - since:  # none was swept
                entries = [self._find(txn, target) for target in dict.fromkeys(targets)]
                return BanChanges(version, False, entries)
        begin = len(self._ban)
        entries = [_entry(key[begin:].decode(), record) for key, record in _range(txn, self._ban)]
        return BanChanges(version, True, entries)

    def begin_anew(self, txn: Any) -> None:
        """Make everyone read all bans, after they were deleted."""
        # A number without a journal entry does that.
        txn.put(self._version_key, NEVER + _EXPIRY.pack(self._version(txn) + 2))

    def _note(self, txn: Any, target: str, now_ns: int) -> None:
        version = self._version(txn) + 1
        txn.put(self._version_key, NEVER + _EXPIRY.pack(version))
        expires_ns = now_ns + JOURNAL_SECONDS * NANOSECONDS
        key = self._journal + _SEQUENCE.pack(version)
        txn.put(key, _EXPIRY.pack(expires_ns) + target.encode())

    def _version(self, txn: Any) -> int:
        record = txn.get(self._version_key)
        return _EXPIRY.unpack_from(record, _EXPIRY.size)[0] if record else 0

    def _find(self, txn: Any, target: str) -> BanEntry:
        record = txn.get(self._ban + target.encode())
        return BanEntry(target, 0.0, "") if record is None else _entry(target, record)


def _range(txn: Any, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """The records whose key begins with ``prefix``, from ``prefix + start`` on."""
    cursor = txn.cursor()
    if cursor.set_range(prefix + start):
        for key, record in cursor:
            if not key.startswith(prefix):
                return
            yield key, record


def _entry(target: str, record: bytes) -> BanEntry:
    expires_ns = _EXPIRY.unpack_from(record)[0]
    return BanEntry(target, expires_ns / NANOSECONDS, record[_EXPIRY.size :].decode())
