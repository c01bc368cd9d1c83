"""The two clocks of the shared state, as one replaceable value."""

from __future__ import annotations

import time
from collections.abc import Callable

from attrs import field, frozen

NANOSECONDS = 1_000_000_000
"""Nanoseconds per second. Windows are integer nanoseconds, so that a wait is exact."""


@frozen(kw_only=True)
class Clock:
    """``monotonic_ns`` never steps, but means nothing to another machine or after a reboot;
    ``monotonic`` is the same in seconds, if precision does not matter. ``wall_ns`` is the time
    since the epoch, for processes that do not share a boot; ``wall`` is the same in seconds.

    Tests pass clocks that they move themselves.
    """

    monotonic_ns: Callable[[], int] = field(default=time.monotonic_ns)
    wall_ns: Callable[[], int] = field(default=time.time_ns)
    monotonic: Callable[[], float] = field(init=False)
    wall: Callable[[], float] = field(init=False)

    @monotonic.default
    def _monotonic_seconds(self) -> Callable[[], float]:
        monotonic_ns = self.monotonic_ns
        if monotonic_ns is time.monotonic_ns:
            return time.monotonic
        return lambda: monotonic_ns() / NANOSECONDS

    @wall.default
    def _wall_seconds(self) -> Callable[[], float]:
        wall_ns = self.wall_ns
        return time.time if wall_ns is time.time_ns else lambda: wall_ns() / NANOSECONDS


SYSTEM_CLOCK = Clock()
