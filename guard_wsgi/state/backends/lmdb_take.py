"""One hit of a limit, counted in an LMDB file: what every request of every worker waits for.

The transaction is written out here, not handed to `LMDBFile.write`, and so is the case of most
hits: the place of the count is remembered, the window goes on, and more remains. Then LMDB's tree
is not walked; its write lock is all that is taken. Numbers are seconds, as in memory, as long
integers are slow beside an app; where rounding could tell, they are nanoseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from guard_wsgi.errors import StoreError
from guard_wsgi.state.backend import Take, Taken
from guard_wsgi.state.backends.lmdb_counts import (
    COUNT,
    CURRENT,
    CURRENT_AT,
    MAX_KNOWN,
    MAX_KNOWN_CHARACTERS,
    PLACE,
)
from guard_wsgi.state.backends.lmdb_file import ATTEMPTS, FAILURES, LMDBFile
from guard_wsgi.state.clock import NANOSECONDS, Clock
from guard_wsgi.state.windows import Counting, take_sliding

_NANOSECOND = 1e-9

_ROUNDING_SECONDS = 1e-6
"""More than an epoch time is off in seconds, which are kept to a quarter of this."""


def taker(
    file: LMDBFile,
    name_of: Callable[[str], bytes],
    counting: Counting,
    clock: Clock,
    added: Callable[[Any, int], None],
) -> Take:
    """
    :param name_of: from a key to the file's.
    :param added: called with the transaction and the time (epoch ns) for each new key.
    """
    counts = file.counts
    places = counts.known(name_of(""))
    wall, wall_ns = clock.wall, clock.wall_ns
    read, count_bytes = COUNT.unpack_from, COUNT.size
    change = CURRENT.pack_into
    slides = counting is take_sliding

    def take(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
        for _ in ATTEMPTS:
            lock = file.lock
            lock.acquire()  # half the time of a `with`
            txn = None
            try:
                txn = file.begin(None, None, True)
                now = wall()  # only now: the lock may have been waited for
                known = places.get(key)
                if known is not None:
                    at, tag = known
                    expires_ns, previous, current, present_tag = read(counts.records, at)
                    if present_tag != tag:
                        known = None
                if known is None:
                    found = txn.get(name_of(key))
                    if found:
                        at = PLACE.unpack(found)[0] * count_bytes
                        expires_ns, previous, current, tag = read(counts.records, at)
                        known = at, tag
                        if tag and len(key) <= MAX_KNOWN_CHARACTERS:
                            if len(places) >= MAX_KNOWN:
                                places.clear()
                            places[key] = known
                    else:
                        expires_ns = previous = current = 0
                left = expires_ns * _NANOSECOND - now
                if slides:
                    left -= window_seconds
                if _ROUNDING_SECONDS < left < window_seconds:
                    remaining = requests - current - cost
                    if previous:
                        weight = int(previous * (left - _ROUNDING_SECONDS) / window_seconds)
                        if weight != int(previous * (left + _ROUNDING_SECONDS) / window_seconds):
                            weight = remaining
                        remaining -= weight
                    if remaining > 0:
                        change(counts.records, at + CURRENT_AT, current + cost)
                        txn.commit()
                        return True, remaining, left, requests
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
                if allowed and known:
                    record = COUNT.pack(expires_ns, previous, current, tag or time.time_ns())
                    # In one piece: a process may be killed between two.
                    counts.records[at : at + count_bytes] = record
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
