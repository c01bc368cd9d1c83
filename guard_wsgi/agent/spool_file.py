"""One process's file of the spool: a SQLite database of events and metrics."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from guard_wsgi.agent.batch import Item, Kind
from guard_wsgi.agent.spool_errors import SpoolError, SpoolFull

CHECKPOINT_SECONDS = 10.0
"""Seconds between check-points: the most that a power failure costs, and the bound on the growth of
the log."""

SETTLED_AT_ONCE = 50
"""How many items one transaction removes: it takes some 0.1 ms, and a request may wait for it."""

BUSY_SECONDS = 0.05
"""How long to wait for the sender's check-point; it never holds the write lock for longer."""

_KINDS: tuple[Kind, Kind] = ("events", "metrics")

_never_closed: list[sqlite3.Connection] = []
"""Connections of parent processes, kept alive if an object can't be made immortal."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    written REAL NOT NULL,
    key TEXT NOT NULL,
    data BLOB NOT NULL
)
"""


class SpoolFile:
    """One process's items, in order. Any thread of the process may use it.

    :param lock_handle: an open, locked file; the lock shows that the items have an owner.
    :ivar count: items that are not settled yet.
    :ivar waiting: those of them that are not taken yet.
    :ivar bytes: their size.
    """

    def __init__(self, path: Path, lock_handle: int) -> None:
        self.path = path
        self._lock_handle = lock_handle
        self._lock = threading.RLock()
        self._cursor = 0
        self._connections: list[sqlite3.Connection] = []
        try:
            self._connection = self._connect()
            self._connection.execute(_SCHEMA)
            # The connection of the sender's thread: in WAL mode a reader never blocks a writer.
            self._reader = self._connect()
            count, size = self._connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(LENGTH(data)), 0) FROM items"
            ).fetchone()
        except sqlite3.Error as error:
            self._close_connections()
            os.close(lock_handle)
            raise SpoolError(f"{path}: {error}") from error
        self.count: int = count
        self.waiting: int = count
        self.bytes: int = size
        self._next_checkpoint = time.monotonic() + CHECKPOINT_SECONDS

    def append(self, item: Item, max_bytes: int) -> None:
        """Write one item; this takes about 15 us.

        :raises SpoolFull: if the spool would exceed ``max_bytes``.
        :raises SpoolError: on faults.
        """
        with self._lock:
            if self.bytes + len(item.data) > max_bytes:
                raise SpoolFull(f"{self.path} holds {self.bytes} bytes")
            try:
                self._connection.execute(
                    "INSERT INTO items (kind, written, key, data) VALUES (?, ?, ?, ?)",
                    (_KINDS.index(item.kind), time.time(), item.key, item.data),
                )
            except sqlite3.Error as error:
                raise SpoolError(f"{self.path}: {error}") from error
            self.count += 1
            self.waiting += 1
            self.bytes += len(item.data)

    def take(self, max_items: int) -> list[Item]:
        """Take the next items. They stay in the file until they are settled.

        :raises SpoolError: on faults.
        """
        try:
            rows = self._reader.execute(
                "SELECT place, kind, key, data FROM items WHERE place > ? ORDER BY place LIMIT ?",
                (self._cursor, max_items),
            ).fetchall()
        except sqlite3.Error as error:
            raise SpoolError(f"{self.path}: {error}") from error
        if rows:
            with self._lock:
                self._cursor = rows[-1][0]
                self.waiting -= len(rows)
        return [Item(_KINDS[kind], key, data, (self, place)) for place, kind, key, data in rows]

    def settle(self, items: Sequence[Item]) -> None:
        """Remove items that arrived or never will.

        :raises SpoolError: on faults.
        """
        placed = [item for item in items if item.place is not None]
        for start in range(0, len(placed), SETTLED_AT_ONCE):
            some = placed[start : start + SETTLED_AT_ONCE]
            places = [(item.place[1],) for item in some if item.place is not None]
            with self._lock:
                try:
                    self._connection.execute("BEGIN IMMEDIATE")
                    try:
                        self._connection.executemany("DELETE FROM items WHERE place = ?", places)
                    finally:
                        self._connection.execute("COMMIT")
                except sqlite3.Error as error:
                    raise SpoolError(f"{self.path}: {error}") from error
                self.count -= len(places)
                self.bytes -= sum(len(item.data) for item in some)

    def expire(self, max_age_seconds: float) -> int:
        """Remove items that are older than this. Return how many there were.

        :raises SpoolError: on faults.
        """
        with self._lock:
            try:
                cursor = self._connection.execute(
                    "DELETE FROM items WHERE written < ? AND place > ?",
                    (time.time() - max_age_seconds, self._cursor),
                )
                expired = max(cursor.rowcount, 0)
                if expired:
                    self.count -= expired
                    self.waiting -= expired
                    self.bytes = self._connection.execute(
                        "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM items"
                    ).fetchone()[0]
            except sqlite3.Error as error:
                raise SpoolError(f"{self.path}: {error}") from error
        return expired

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file from time to time. The sender's thread calls this.

        :raises SpoolError: on faults.
        """
        now = time.monotonic()
        if now < self._next_checkpoint:
            return
        self._next_checkpoint = now + CHECKPOINT_SECONDS
        try:
            # Not on the writers' connection: writers must not wait for the disk.
            self._reader.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise SpoolError(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Close the file. An empty file is removed; another one waits for its next owner."""
        with self._lock:
            is_empty = self.count == 0
            self._close_connections()
            if is_empty:
                for suffix in (".db", ".db-wal", ".db-shm", ".lock"):
                    with contextlib.suppress(OSError):
                        os.unlink(self.path.with_suffix(suffix))
            os.close(self._lock_handle)

    def abandon(self) -> None:
        """Give up the connections in a forked child: never use them again, and never close them.

        SQLite forbids both, and a thread that does not exist in the child may hold SQLite's locks
        forever.
        """
        for connection in self._connections:
            try:
                import ctypes

                ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
            except (ImportError, AttributeError):  # pragma: no cover - not CPython
                _never_closed.append(connection)
        with contextlib.suppress(OSError):
            os.close(self._lock_handle)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connections.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection

    def _close_connections(self) -> None:
        for connection in reversed(self._connections):
            with contextlib.suppress(sqlite3.Error):
                connection.close()
