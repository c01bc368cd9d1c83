"""The two clocks of the shared state, as one replaceable value."""

from __future__ import annotations

import time
from collections.abc import Callable

from attrs import field, frozen

NANOSECONDS = 1_000_000_000
"""In one second. Windows are kept in integer nanoseconds, so that a wait is exact."""


@frozen(kw_only=True)
class Clock:
    """``monotonic_ns`` never steps, but means nothing to another machine or after a reboot;
    ``monotonic`` is the same in seconds, for who need not be exact; ``wall_ns`` is the epoch and
    is used only where processes that share no boot must agree.

    Tests hand in clocks that they move themselves.
    """

    monotonic_ns: Callable[[], int] = field(default=time.monotonic_ns)
    wall_ns: Callable[[], int] = field(default=time.time_ns)
    monotonic: Callable[[], float] = field(init=False)

    @monotonic.default
    def _in_seconds(self) -> Callable[[], float]:
        monotonic_ns = self.monotonic_ns
        if monotonic_ns is time.monotonic_ns:
            return time.monotonic
        return lambda: monotonic_ns() / NANOSECONDS


SYSTEM_CLOCK = Clock()
