"""Records of an LMDB file, read and written in a transaction."""

from __future__ import annotations

import struct
from array import array
from typing import Any

from guard_wsgi.state.backends.lmdb_counts import own_entries

EXPIRY = struct.Struct("<Q")


def read_record(txn: Any, name: bytes) -> bytes | None:
    record: bytes | None = txn.get(name)
    return record


def entries_in(txn: Any) -> int:
    """Count the entries without the file's own."""
    entries: int = txn.stat()["entries"]
    return entries - own_entries(txn)


def write_record(txn: Any, name: bytes, record: bytes) -> None:
    txn.put(name, record)


def log_of(record: bytes | None) -> array[int]:
    """Return the times of hits in a record of a moving window."""
    times = array("q")
    if record is not None:
        times.frombytes(record[EXPIRY.size :])
    return times
