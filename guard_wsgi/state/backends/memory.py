"""``memory://``: counts in this process, bounded, on the monotonic clock.

Unlike `limits`' MemoryStorage, it has an upper bound, no timer thread and no lock per key. It
survives a fork and a step of the wall clock, and takes about the same time with a million keys as
with a thousand.

A record is a tuple of numbers. So addresses take little memory (`DEFAULT_MAX_KEYS`), and the
garbage collector visits each record only once.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from guard_wsgi.errors import ConfigError
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
from guard_wsgi.state.backends.generations import Generations
from guard_wsgi.state.clock import NANOSECONDS, SYSTEM_CLOCK, Clock
from guard_wsgi.state.fork_pauses import renew_after_fork
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

_Record = tuple[float, int, int]
"""The record of a key: the end of its current window (monotonic, seconds), previous and current
count. Times converted from seconds are the same nanoseconds while a machine is up for less than a
month, and within two of them after that."""

_SOON_SECONDS = 1e-6
"""Nearer to its end than this, a window is computed in nanoseconds."""

_ROUNDING_SECONDS = 1e-8
"""Larger than the rounding error of a time in seconds after three years of uptime."""


class MemoryStorage:
    """Counts in a bounded table; the least recently used keys are dropped first."""

    scheme = "memory"
    failures: tuple[type[Exception], ...] = ()
    max_bans = UNBOUNDED
    bans_are_shared = False

    def __init__(self, *, max_keys: int = DEFAULT_MAX_KEYS, clock: Clock = SYSTEM_CLOCK) -> None:
        """
        :param max_keys: the most keys of each kind (limits, moving windows, counters). At least
            half as many are kept, the most recently used.
        :raises ConfigError: when ``max_keys`` is not positive.
        """
        if max_keys < 1:
            raise ConfigError([f"max_keys must be at least 1, not {max_keys}"])
        self.max_keys = max_keys
        self._now = clock.monotonic_ns
        self._monotonic = clock.monotonic
        self._entries: Generations[_Record] = Generations(max_keys)
        self._logs: Generations[array[int]] = Generations(max_keys)
        self._counters: Generations[tuple[int, int, int]] = Generations(max_keys)
        self._values: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._lock = threading.Lock()
        # The functions of `taker` keep the methods of the lock; this gives them those of a new
        # lock.
        self._lock_bindings: list[Callable[[], None]] = []
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        for bind_lock in self._lock_bindings:
            bind_lock()

    # -- what the rooms above use -------------------------------------------------------------

    def taker(self, strategy: Strategy) -> Take:
        if strategy == "moving-window":
            return self._take_moving
        return self._counting(take_fixed if strategy == "fixed-window" else take_sliding)

    def viewer(self, strategy: Strategy) -> Peek:
        if strategy == "moving-window":
            return self._view_moving
        take = take_fixed if strategy == "fixed-window" else take_sliding
        kept = _kept_windows(take)

        def view(key: str, requests: int, window_seconds: int, cost: int = 1) -> Taken:
            window_ns = window_seconds * NANOSECONDS
            record = _in_nanoseconds(self._entries.find(key), kept * window_ns)
            return view_counts(take, *record, self._now(), window_ns, requests, cost)

        return view

    def forget(self, strategy: Strategy, key: str, window_seconds: int) -> None:
        with self._lock:
            (self._logs if strategy == "moving-window" else self._entries).drop(key)

    def _counting(self, counting: Counting) -> Take:
        entries = self._entries
        now = self._now
        monotonic = self._monotonic
        acquire, release = self._lock.acquire, self._lock.release

        def bind_lock() -> None:
            nonlocal acquire, release
            acquire, release = self._lock.acquire, self._lock.release

        self._lock_bindings.append(bind_lock)
        kept = _kept_windows(counting)

        # Optimization: the case of most hits (the window continues, and requests remain) is written
        # out, with numbers that are fast in the interpreter. Beside an app, whose code has
        # displaced ours from the caches, integers of nanoseconds took five times as long as in a
        # benchmark of this function alone. Where rounding could matter, it uses them.
        def take(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
            acquire()  # half the time of a `with`
            try:
                young = entries.young
                record = young.get(key)
                if record is not None:
                    ends, previous, current = record
                    seconds_left = ends - monotonic()
                    remaining = requests - current - cost
                    if previous:
                        weight = int(previous * (seconds_left - _ROUNDING_SECONDS) / window_seconds)
                        if weight != int(
                            previous * (seconds_left + _ROUNDING_SECONDS) / window_seconds
                        ):
                            weight = remaining
                        remaining -= weight
                    if remaining > 0 and seconds_left > _SOON_SECONDS:
                        young[key] = ends, previous, current + cost
                        return True, remaining, seconds_left, requests
                is_new = record is None
                if record is None:
                    record = entries.recall(key)
                now_ns = now()
                window_ns = window_seconds * NANOSECONDS
                expires_ns, previous, current = _in_nanoseconds(record, kept * window_ns)
                allowed, remaining, wait_ns, expires_ns, previous, current = counting(
                    expires_ns, previous, current, now_ns, window_ns, requests, cost
                )
                young[key] = (expires_ns - kept * window_ns) / NANOSECONDS, previous, current
                if is_new:
                    entries.added(now_ns, expires_ns - now_ns)
            finally:
                release()
            return allowed, remaining, wait_ns / NANOSECONDS, requests

        return take

    def _take_moving(self, key: str, requests: int, window_seconds: int, cost: int) -> Taken:
        window_ns = window_seconds * NANOSECONDS
        with self._lock:
            now_ns = self._now()
            log = self._logs.young.get(key)
            if log is None:
                log = self._logs.young[key] = self._logs.recall(key) or array("q")
                self._logs.added(now_ns, window_ns)
            allowed, remaining, wait_ns = take_moving(log, now_ns, window_ns, requests, cost)
        return allowed, remaining, wait_ns / 1e9, requests

    def _view_moving(self, key: str, requests: int, window_seconds: int, cost: int = 1) -> Taken:
        with self._lock:
            log = list(self._logs.find(key) or ())
        return view_moving(log, self._now(), window_seconds * NANOSECONDS, requests, cost)

    def increment(self, key: str, window_seconds: int, amount: int) -> int:
        counters = self._counters
        now_ns = self._now()
        with self._lock:
            record = counters.young.get(key)
            is_new = record is None
            if record is None:
                record = counters.recall(key) or (0, 0, 0)
            window_ns = window_seconds * NANOSECONDS
            expires_ns, previous, current = count_in_halves(*record, now_ns, window_ns)
            current += amount
            counters.young[key] = expires_ns, previous, current
            if is_new:
                counters.added(now_ns, expires_ns - now_ns)
        return previous + current

    def counted(self, key: str, window_seconds: int) -> int:
        record = self._counters.find(key) or (0, 0, 0)
        _, previous, current = count_in_halves(*record, self._now(), window_seconds * NANOSECONDS)
        return previous + current

    def drop_counter(self, key: str, window_seconds: int) -> None:
        with self._lock:
            self._counters.drop(key)

    def read_value(self, key: str) -> bytes | None:
        found = self._values.get(key)
        return found[1] if found is not None and self._now() < found[0] else None

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None:
        now_ns = self._now()
        with self._lock:
            self._values[key] = (now_ns + int(ttl_seconds * NANOSECONDS), value)
            self._values.move_to_end(key)
            for old_key in [key for key, (expiry, _) in self._values.items() if now_ns >= expiry]:
                del self._values[old_key]
            if len(self._values) > self.max_keys:
                self._values.popitem(last=False)

    def drop_value(self, key: str) -> None:
        with self._lock:
            self._values.pop(key, None)

    # The bans of a single process live in `Bans` itself.

    def save_ban(self, entry: BanEntry) -> None:
        return None

    def drop_ban(self, target: str) -> bool:
        return False

    def ban_changes(self, since: int | None) -> BanChanges:
        return BanChanges(version=0, complete=False, entries=())

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        return ()

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        return None  # no answer brings it along

    def begin_request(self) -> None:
        return None  # there is nothing to wait for

    def size(self) -> int | None:
        return len(self._entries) + len(self._logs) + len(self._counters)

    def erase(self) -> None:
        with self._lock:
            self._entries.clear()
            self._logs.clear()
            self._counters.clear()

    def close(self) -> None:
        self.erase()
        self._values.clear()


def open_backend(url: str, settings: StoreSettings) -> Backend:
    """Make the counts of this process; the URL has no further options."""
    return MemoryStorage(max_keys=settings.max_keys, clock=settings.clock)


def _kept_windows(counting: Counting) -> int:
    """Return for how many windows beyond the current one the counts matter."""
    return 1 if counting is take_sliding else 0


def _in_nanoseconds(record: _Record | None, beyond_ns: int) -> tuple[int, int, int]:
    """Return a record in the form of windows.py: until when the counts matter, and both counts."""
    if record is None:
        return 0, 0, 0
    ends, previous, current = record
    return round(ends * NANOSECONDS) + beyond_ns, previous, current
