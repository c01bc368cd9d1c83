"""One hit of a limit, or of a counter, in an LMDB file: what every request of a worker waits for.

The transaction is written out here instead of passed to `LMDBFile.write`. So is the case of most
hits: the place of the count is remembered, the window goes on, and more remains. Such a hit takes
LMDB's write lock and does not walk its tree. Numbers are seconds, as in memory, because long
integers are slow beside an app. They are nanoseconds where rounding could matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guard_wsgi.errors import StoreError
from guard_wsgi.state.backend import Take, Taken
from guard_wsgi.state.backends.lmdb_counts import (
    CHANGE,
    CHANGE_AT,
    COUNT,
    CURRENT,
    CURRENT_AT,
    PLACE,
)
from guard_wsgi.state.backends.lmdb_file import ATTEMPTS, FAILURES, LMDBFile
from guard_wsgi.state.clock import NANOSECONDS, Clock
from guard_wsgi.state.windows import Counting, count_in_halves, take_sliding

_NANOSECOND = 1e-9

_ROUNDING_SECONDS = 1e-6
"""Larger than the rounding error of an epoch time in seconds, which is a quarter of this."""


_MAX_COUNT = 2**32 - 1

Increment = Callable[[str, int, int], int]
Added = Callable[[Any, int], None]
"""Called with the transaction and the time (epoch ns) for each new key."""


def taker(
    file: LMDBFile,
    name_of: Callable[[str], bytes],
    counting: Counting,
    clock: Clock,
    added: Added,
    bans_changed: Callable[[], None],
) -> Take:
    """
    :param name_of: maps a key to its name in the file.
    :param bans_changed: called when a hit finds that somebody has changed bans.
    """
    counts = file.counts
    places = counts.known(name_of(""))
    wall, wall_ns = clock.wall, clock.wall_ns
    read, write = COUNT.unpack_from, CURRENT.pack_into
    change_of = CHANGE.unpack_from
    slides = counting is take_sliding
    last_change: tuple[int, ...] = (0,)

    def take(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
        nonlocal last_change
        for _ in ATTEMPTS:
            lock = file.lock
            lock.acquire()  # half the time of a `with`
            txn = None
            try:
                txn = file.begin(None, None, True)
                now = wall()  # after the lock, for which this may have waited
                if last_change != (change := change_of(counts.records, CHANGE_AT)):
                    last_change = change
                    bans_changed()
                known = places.get(key)
                if known is not None:
                    at, tag = known
                    expires_ns, previous, current, present_tag = read(counts.records, at)
                    if present_tag != tag:
                        known = None
                if known is None:
                    at, expires_ns, previous, current, tag = counts.look_up(
                        txn, places, key, name_of(key)
                    )
                seconds_left = expires_ns * _NANOSECOND - now
                if slides:
                    seconds_left -= window_seconds
                if _ROUNDING_SECONDS < seconds_left < window_seconds:
                    remaining = requests - current - cost
                    if previous:
                        weight = int(previous * (seconds_left - _ROUNDING_SECONDS) / window_seconds)
                        if weight != int(
                            previous * (seconds_left + _ROUNDING_SECONDS) / window_seconds
                        ):
                            weight = remaining
                        remaining -= weight
                    if remaining > 0:
                        write(counts.records, at + CURRENT_AT, current + cost)
                        txn.commit()
                        return True, remaining, seconds_left, requests
                now_ns = wall_ns()
                allowed, remaining, wait_ns, expires_ns, previous, current = counting(
                    expires_ns,
                    previous,
                    current,
                    now_ns,
                    window_seconds * NANOSECONDS,
                    requests,
                    cost,
                )
                if allowed and at:
                    counts.put(at, expires_ns, previous, current, tag)
                elif allowed:
                    place = counts.add(txn, expires_ns, previous, current)
                    txn.put(name_of(key), PLACE.pack(place))
                    added(txn, now_ns)
                txn.commit()
                return allowed, remaining, wait_ns / NANOSECONDS, requests
            except FAILURES as raised:
                file.abort(txn)
                file.repair(raised)
            except BaseException:
                file.abort(txn)
                raise
            finally:
                lock.release()
        raise StoreError(f"state file {file.path} can't be written")

    return take


def incrementer(
    file: LMDBFile, name_of: Callable[[str], bytes], clock: Clock, added: Added
) -> Increment:
    """Return a function that adds to a counter, for refused requests: an attack is many of them.

    :param name_of: maps a key to its name in the file.
    """
    counts = file.counts
    places = counts.known(name_of(""))
    wall_ns = clock.wall_ns
    read, write = COUNT.unpack_from, CURRENT.pack_into

    def increment(key: str, window_seconds: int, amount: int) -> int:
        half_ns = window_seconds * (NANOSECONDS // 2)
        for _ in ATTEMPTS:
            lock = file.lock
            lock.acquire()
            txn = None
            try:
                txn = file.begin(None, None, True)
                now_ns = wall_ns()
                known = places.get(key)
                if known is not None:
                    at, tag = known
                    expires_ns, previous, current, present_tag = read(counts.records, at)
                    if present_tag != tag:
                        known = None
                    elif half_ns < expires_ns - now_ns <= half_ns + half_ns:
                        current = min(current + amount, _MAX_COUNT)
                        write(counts.records, at + CURRENT_AT, current)
                        txn.commit()
                        return int(previous + current)
                if known is None:
                    at, expires_ns, previous, current, tag = counts.look_up(
                        txn, places, key, name_of(key)
                    )
                expires_ns, previous, current = count_in_halves(
                    expires_ns, previous, current, now_ns, half_ns + half_ns
                )
                current = min(current + amount, _MAX_COUNT)
                if at:
                    counts.put(at, expires_ns, previous, current, tag)
                else:
                    place = counts.add(txn, expires_ns, previous, current)
                    txn.put(name_of(key), PLACE.pack(place))
                    added(txn, now_ns)
                txn.commit()
                return int(previous + current)
            except FAILURES as raised:
                file.abort(txn)
                file.repair(raised)
            except BaseException:
                file.abort(txn)
                raise
            finally:
                lock.release()
        raise StoreError(f"state file {file.path} can't be written")

    return increment
