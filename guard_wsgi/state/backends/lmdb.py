"""``lmdb:///path``: counts and bans that all processes of one machine share, exactly.

There is no server; the kernel's memory is the medium, one
write transaction is a few microseconds, and a process killed in the middle of one blocks nobody.

Every record begins with its expiry (epoch ns), or says where that is (`lmdb_counts`), so that one
bounded step of a sweep, taken along with every 64th new key of a process, serves all kinds. Keys
are a letter for the kind, the prefix of the store and the caller's key; those too long for LMDB
are hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from guard_wsgi.errors import ConfigError, StoreError
from guard_wsgi.state.backend import (
    UNBOUNDED,
    Backend,
    BanChanges,
    BanEntry,
    Peek,
    Strategy,
    Take,
    Taken,
)
from guard_wsgi.state.backends.lmdb_bans import BAN, LMDBBans
from guard_wsgi.state.backends.lmdb_counts import COUNT, PLACE
from guard_wsgi.state.backends.lmdb_file import LMDBFile
from guard_wsgi.state.backends.lmdb_path import path_of
from guard_wsgi.state.backends.lmdb_records import (
    EXPIRY,
    entries_in,
    log_of,
    read_record,
    write_record,
)
from guard_wsgi.state.backends.lmdb_take import incrementer, taker
from guard_wsgi.state.clock import NANOSECONDS, SYSTEM_CLOCK, Clock
from guard_wsgi.state.settings import DEFAULT_MAX_KEYS, StoreSettings
from guard_wsgi.state.windows import (
    Counting,
    count_in_halves,
    take_fixed,
    take_moving,
    take_sliding,
    view_counts,
    view_moving,
)

MAX_KEY_BYTES = 400
"""LMDB accepts 511 bytes, and the letter and the prefix need some of them. Longer keys are
hashed."""

MAX_PREFIX_BYTES = 64

SWEEP_EVERY_KEYS = 64

SWEEP_STEPS = 128
"""How many records a sweep checks: more than were added since the last one, so that expired ones
never pile up."""

_FIXED, _SLIDING, _MOVING, _COUNTER, _VALUE = b"f", b"s", b"m", b"n", b"v"

_PLACED = frozenset(b"fsn")
"""Kinds whose record has the place of the count."""

_EVICTABLE = frozenset(b"m") | _PLACED


class LMDBStorage:
    """Counts in a file shared by the processes of a machine."""

    scheme = "lmdb"
    failures: tuple[type[Exception], ...] = (StoreError,)
    max_bans = UNBOUNDED
    bans_are_shared = True

    def __init__(
        self,
        uri: str = "lmdb://",
        *,
        prefix: str = "",
        app_name: str | None = None,
        max_keys: int = DEFAULT_MAX_KEYS,
        clock: Clock = SYSTEM_CLOCK,
        file: LMDBFile | None = None,
        must_open: bool = True,
    ) -> None:
        """
        :param uri: ``lmdb:///absolute/path`` of a file, or ``lmdb://`` for `default_path`.
        :param max_keys: counts beyond this number are dropped, even if they have not expired.
        :param must_open: whether it is an error here if the file can't be opened; otherwise each
            use tries again.
        :raises ConfigError: for a URI that names no file, or a prefix of more than 64 bytes.
        :raises StoreError: when the file can't be opened or created.
        """
        if len(prefix.encode()) > MAX_PREFIX_BYTES:
            raise ConfigError(
                [f"redis_prefix must have at most {MAX_PREFIX_BYTES} bytes, not {prefix!r}"]
            )
        if file is None:
            file = LMDBFile.at(path_of(uri, app_name), must_open=must_open)
        self._file = file
        self._write = self._file.write
        # Ended by a zero byte, so that no prefix is the beginning of another.
        self._prefix = prefix.encode() + b"\x00"
        self.max_keys = max_keys
        # The wall clock: processes started before and after a reboot must agree.
        self._now = clock.wall_ns
        self._clock = clock
        self._bans = LMDBBans(self._prefix, self._now)
        self._seen: Callable[[int], None] = _ignore_version
        self._last_change = 0
        #: Adds to a counter: ``(key, window_seconds, amount)``.
        self.increment = incrementer(file, partial(self._key, _COUNTER), clock, self._count_key)
        self._new_keys = 0
        self._sweep_from = b"\x00"

    @property
    def path(self) -> Path:
        return self._file.path

    # -- the interface -------------------------------------------------------------

    def taker(self, strategy: Strategy) -> Take:
        if strategy == "moving-window":
            return self._take_moving
        if strategy == "fixed-window":
            return self._counting(_FIXED, take_fixed)
        return self._counting(_SLIDING, take_sliding)

    def _counting(self, kind: bytes, counting: Counting) -> Take:
        name_of = partial(self._key, kind)
        return taker(
            self._file, name_of, counting, self._clock, self._count_key, self._bans_changed
        )

    def _bans_changed(self) -> None:
        self._seen(-1)

    def viewer(self, strategy: Strategy) -> Peek:
        if strategy == "moving-window":
            return self._view_moving
        fixed = strategy == "fixed-window"
        kind, take = (_FIXED, take_fixed) if fixed else (_SLIDING, take_sliding)

        def view(key: str, requests: int, window_seconds: int, cost: int = 1) -> Taken:
            record = self._count(self._key(kind, key))
            window_ns = window_seconds * NANOSECONDS
            return view_counts(take, *record, self._now(), window_ns, requests, cost)

        return view

    def forget(self, strategy: Strategy, key: str, window_seconds: int) -> None:
        kind = {"fixed-window": _FIXED, "sliding-window-counter": _SLIDING}.get(strategy, _MOVING)
        self._write(self._delete_in, self._key(kind, key))

    def _take_moving(self, key: str, requests: int, window_seconds: int, cost: int) -> Taken:
        window_ns = window_seconds * NANOSECONDS
        name = self._key(_MOVING, key)
        return self._write(self._moving_in, name, requests, window_ns, cost)

    def _moving_in(self, txn: Any, name: bytes, requests: int, window_ns: int, cost: int) -> Taken:
        now_ns = self._now()
        change = self._file.counts.change
        if change != self._last_change:
            self._last_change = change
            self._bans_changed()
        record = txn.get(name)
        times = log_of(record)
        allowed, remaining, wait_ns = take_moving(times, now_ns, window_ns, requests, cost)
        if allowed:
            txn.put(name, EXPIRY.pack(now_ns + window_ns) + times.tobytes())
            if record is None:
                self._count_key(txn, now_ns)
        return allowed, remaining, wait_ns / NANOSECONDS, requests

    def _view_moving(self, key: str, requests: int, window_seconds: int, cost: int = 1) -> Taken:
        times = list(log_of(self._file.read(read_record, self._key(_MOVING, key))))
        return view_moving(times, self._now(), window_seconds * NANOSECONDS, requests, cost)

    def counted(self, key: str, window_seconds: int) -> int:
        record = self._count(self._key(_COUNTER, key))
        _, previous, current = count_in_halves(*record, self._now(), window_seconds * NANOSECONDS)
        return previous + current

    def drop_counter(self, key: str, window_seconds: int) -> None:
        self._write(self._delete_in, self._key(_COUNTER, key))

    def read_value(self, key: str) -> bytes | None:
        record: bytes | None = self._file.read(read_record, self._key(_VALUE, key))
        if record is None or self._now() >= EXPIRY.unpack_from(record)[0]:
            return None
        return record[EXPIRY.size :]

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None:
        expires_ns = self._now() + int(ttl_seconds * NANOSECONDS)
        self._write(write_record, self._key(_VALUE, key), EXPIRY.pack(expires_ns) + value)

    def drop_value(self, key: str) -> None:
        self._write(self._delete_in, self._key(_VALUE, key))

    # -- bans ---------------------------------------------------------------------------------

    def save_ban(self, entry: BanEntry) -> None:
        self._write(self._save_ban_in, entry)

    def _save_ban_in(self, txn: Any, entry: BanEntry) -> None:
        now_ns = self._now()
        self._bans.save(txn, entry, now_ns)
        self._file.counts.note_change()
        self._count_key(txn, now_ns)

    def drop_ban(self, target: str) -> bool:
        return self._write(self._drop_ban_in, target)

    def _drop_ban_in(self, txn: Any, target: str) -> bool:
        self._file.counts.note_change()
        return self._bans.drop(txn, target, self._now())

    def ban_changes(self, since: int | None) -> BanChanges | None:
        self._file.check()
        return self._file.read(self._bans.changes, since)

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        return self._file.read(self._bans.find, targets)

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        self._seen = seen  # without a version: a hit shows that bans have changed, not which

    def begin_request(self) -> None:
        return None  # there is nothing to wait for

    # -- upkeep -------------------------------------------------------------------------------

    def size(self) -> int | None:
        entries: int = self._file.read(entries_in)
        return max(0, entries - 1)

    def erase(self) -> None:
        for kind in (_FIXED, _SLIDING, _MOVING, _COUNTER, BAN):
            prefix = kind + self._prefix
            # In steps, so that other processes aren't kept waiting.
            while self._write(self._erase_in, prefix):
                pass
        self._write(self._bans.begin_anew)

    def _erase_in(self, txn: Any, prefix: bytes) -> bool:
        cursor = txn.cursor()
        if not cursor.set_range(prefix):
            return False
        places: list[int] = []
        goes_on = True
        for _ in range(1000):
            key, record = cursor.item()
            goes_on = key.startswith(prefix)
            if not goes_on:
                break
            if key[0] in _PLACED:
                places += PLACE.unpack(record)
            goes_on = cursor.delete()
            if not goes_on:
                break
        self._file.counts.free(txn, places)
        return goes_on

    def _delete_in(self, txn: Any, name: bytes) -> None:
        record = txn.pop(name)
        if record and name[0] in _PLACED:
            self._file.counts.free(txn, PLACE.unpack(record))

    def close(self) -> None:
        self._file.close()

    def _count_key(self, txn: Any, now_ns: int) -> None:
        """Count an added key, and sweep from time to time. Sweeping costs nothing while there are
        no new keys."""
        self._new_keys += 1
        if self._new_keys % SWEEP_EVERY_KEYS == 0:
            self._sweep(txn, now_ns)

    def _sweep(self, txn: Any, now_ns: int) -> None:
        """Continue the last sweep of this process, for a bounded number of steps."""
        too_many = entries_in(txn) > self.max_keys
        records = self._file.counts.records
        expiry_in, place_of, count_bytes = EXPIRY.unpack_from, PLACE.unpack, COUNT.size
        key = b""
        ended: list[bytes] = []
        places: list[int] = []
        cursor = txn.cursor()
        if cursor.set_range(self._sweep_from):
            for key, record in islice(cursor.iternext(), SWEEP_STEPS):
                if key[0] in _PLACED:
                    (place,) = place_of(record)
                    if expiry_in(records, place * count_bytes)[0] <= now_ns or too_many:
                        ended.append(key)
                        places.append(place)
                elif expiry_in(record)[0] <= now_ns or (too_many and key[0] in _EVICTABLE):
                    ended.append(key)
        # The smallest key that is greater; from the beginning again after the last.
        self._sweep_from = key + b"\x00" if key else b"\x00"
        for key in ended:
            txn.delete(key)
        self._file.counts.free(txn, places)

    def _key(self, kind: bytes, key: str) -> bytes:
        name = key.encode("utf-8", "surrogatepass")
        if len(name) > MAX_KEY_BYTES:
            name = b"#" + blake2b(name, digest_size=32).digest()
        return kind + self._prefix + name

    def _count(self, name: bytes) -> tuple[int, int, int]:
        # For writing, though nothing is written: counts change under that lock alone.
        return self._write(self._count_in, name)

    def _count_in(self, txn: Any, name: bytes) -> tuple[int, int, int]:
        found = txn.get(name)
        if not found:
            return 0, 0, 0
        return self._file.counts.at(PLACE.unpack(found)[0])


def _ignore_version(version: int) -> None:
    return None


def open_backend(url: str, settings: StoreSettings) -> Backend:
    """Open the file."""
    return LMDBStorage(
        url,
        prefix=settings.prefix,
        app_name=settings.app_name,
        max_keys=settings.max_keys,
        clock=settings.clock,
        must_open=False,
    )
