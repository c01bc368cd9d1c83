"""The arithmetic of windows, in integer nanoseconds, independent of the store.

Every store that counts itself uses these functions (the Redis scripts are the same in Lua), so that
a strategy means the same on all of them. They are pure: a refused hit changes nothing.

A window starts with the first hit of its key, not at a multiple of its length, so that clients do
not all return at the same moment. In a sliding window counter, the previous window counts in
proportion to its overlap with the last ``window_ns`` (the approximation of `limits`; at most the
previous window's unevenness away from a true sliding log, for two numbers a key).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, MutableSequence, Sequence

from guard_wsgi.state.clock import NANOSECONDS

SLACK_NS = NANOSECONDS
"""Processes read the clock at slightly different times. Only a record that is further in the future
than this dates from before the clock was set back."""

Counting = Callable[[int, int, int, int, int, int, int], tuple[bool, int, int, int, int, int]]
"""The common signature of `take_fixed` and `take_sliding`, which share records of (expiry,
previous, current)."""


def take_fixed(
    expires_ns: int,
    previous: int,
    current: int,
    now_ns: int,
    window_ns: int,
    requests: int,
    cost: int,
) -> tuple[bool, int, int, int, int, int]:
    """Count ``cost`` in a fixed window if it fits. ``previous`` is only there for the common
    signature.

    :return: allowed, remaining, ns until the window ends, and the record to keep
        (``expires_ns``, 0, ``current``).
    """
    if now_ns >= expires_ns or expires_ns - now_ns > window_ns + SLACK_NS:
        expires_ns = now_ns + window_ns
        current = 0
    remaining = requests - current - cost
    if remaining >= 0:
        return True, remaining, expires_ns - now_ns, expires_ns, 0, current + cost
    return False, max(0, remaining + cost), expires_ns - now_ns, expires_ns, 0, current


def take_sliding(
    expires_ns: int,
    previous: int,
    current: int,
    now_ns: int,
    window_ns: int,
    requests: int,
    cost: int,
) -> tuple[bool, int, int, int, int, int]:
    """Count ``cost`` in a sliding window counter if it fits.

    ``expires_ns`` is the end of the window *after* the current one: until then the current
    count still weighs.

    :return: allowed, remaining, ns until more is let through, and the record to keep
        (``expires_ns``, ``previous``, ``current``).
    """
    left_ns = expires_ns - window_ns - now_ns
    if left_ns <= 0:
        if now_ns >= expires_ns:
            previous = 0
            left_ns = window_ns
            expires_ns = now_ns + window_ns + window_ns
        else:
            previous = current
            left_ns += window_ns
            expires_ns += window_ns
        current = 0
    elif left_ns > window_ns + SLACK_NS:
        previous = current = 0
        left_ns = window_ns
        expires_ns = now_ns + window_ns + window_ns
    remaining = requests - previous * left_ns // window_ns - current - cost
    if remaining > 0:
        return True, remaining, left_ns, expires_ns, previous, current + cost
    if remaining == 0:
        current += cost
        wait_ns = sliding_wait(previous, current, left_ns, window_ns, requests, 1)
        return True, 0, wait_ns, expires_ns, previous, current
    wait_ns = sliding_wait(previous, current, left_ns, window_ns, requests, cost)
    return False, max(0, remaining + cost), wait_ns, expires_ns, previous, current


def count_in_halves(
    expires_ns: int, previous: int, current: int, now_ns: int, window_ns: int
) -> tuple[int, int, int]:
    """Return a counter's record at ``now_ns``.

    The count is the sum of both numbers: those of the current half of a window and of the half
    before it. So a hit counts for at least half a window and at most a whole one. ``expires_ns`` is
    the end of the half after the current one.
    """
    half_ns = window_ns // 2
    left_ns = expires_ns - half_ns - now_ns
    if left_ns <= 0 and now_ns < expires_ns:
        return expires_ns + half_ns, current, 0
    if left_ns <= 0 or left_ns > half_ns + SLACK_NS:
        return now_ns + half_ns + half_ns, 0, 0
    return expires_ns, previous, current


def sliding_wait(
    previous: int, current: int, left_ns: int, window_ns: int, requests: int, cost: int
) -> int:
    """Return the nanoseconds until a hit of ``cost`` fits, if nothing else is counted meanwhile.

    It is exact: a hit at that moment passes, one a nanosecond earlier does not. A cost above the
    limit never fits; then it returns the whole window.
    """
    if cost > requests:
        return window_ns
    room = requests - cost - current
    if room >= 0:
        if previous * left_ns // window_ns <= room:
            return 0
        return left_ns - ((room + 1) * window_ns - 1) // previous
    # The current window must first become the previous one.
    fits_at_left_ns = ((requests - cost + 1) * window_ns - 1) // current
    return left_ns + max(0, window_ns - fits_at_left_ns)


def take_moving(
    log: MutableSequence[int], now_ns: int, window_ns: int, requests: int, cost: int
) -> tuple[bool, int, int]:
    """Record ``cost`` entries in a log of hit times (ascending) if they fit; drop expired ones.

    :return: allowed, remaining, ns until more is let through.
    """
    if log and log[-1] > now_ns:
        if log[-1] > now_ns + SLACK_NS:
            del log[:]
        else:
            now_ns = log[-1]
    expired = bisect_right(log, now_ns - window_ns)
    if expired:
        del log[:expired]
    remaining = requests - len(log) - cost
    if remaining >= 0:
        for _ in range(cost):
            log.append(now_ns)
        if remaining:
            return True, remaining, window_ns
        return True, 0, moving_wait(log, now_ns, window_ns, requests, 1)
    wait_ns = moving_wait(log, now_ns, window_ns, requests, cost)
    return False, max(0, remaining + cost), wait_ns


def moving_wait(log: Sequence[int], now_ns: int, window_ns: int, requests: int, cost: int) -> int:
    """Return the nanoseconds until a hit of ``cost`` fits into a log without expired entries."""
    if cost > requests:
        return window_ns
    too_many = len(log) + cost - requests
    if too_many <= 0:
        return 0
    return log[too_many - 1] + window_ns - now_ns


def view_counts(
    take: Counting,
    expires_ns: int,
    previous: int,
    current: int,
    now_ns: int,
    window_ns: int,
    requests: int,
    cost: int = 1,
) -> tuple[bool, int, float, int]:
    """Return whether ``cost`` fits by ``take``, what remains, the seconds until that changes, and
    ``requests``."""
    record = expires_ns, previous, current, now_ns, window_ns, requests
    allowed, remaining, wait_ns, *_ = take(*record, cost)
    if allowed:
        _, remaining, wait_ns, *_ = take(*record, 0)
    return allowed, remaining, wait_ns / NANOSECONDS, requests


def view_moving(
    log: list[int], now_ns: int, window_ns: int, requests: int, cost: int = 1
) -> tuple[bool, int, float, int]:
    """Return whether ``cost`` fits, what remains, the seconds until that changes, and ``requests``.

    ``log`` is the caller's copy, from which expired entries are dropped.
    """
    _, remaining, wait_ns = take_moving(log, now_ns, window_ns, requests, 0)
    if remaining < cost:
        wait_ns = moving_wait(log, now_ns, window_ns, requests, cost)
    return remaining >= cost, remaining, wait_ns / NANOSECONDS, requests
