"""A circuit breaker: a failing store is left alone, and one request at a time probes it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Literal

from guard_wsgi.state.clock import NANOSECONDS, SYSTEM_CLOCK, Clock
from guard_wsgi.state.fork_pauses import renew_after_fork

log = logging.getLogger("guard_wsgi.state")

Change = Literal["degraded", "recovered"]

FAILURES_TO_OPEN = 3
"""One failure may be chance (a restarted server closes every connection once); three in a row are
not."""

PROBE_SECONDS = (1, 2, 4, 8, 16, 30)
"""Seconds between probes. Each may cost one request the timeout, so they get rarer; but a store
that is back is used again within half a minute."""


class Breaker:
    """Closed: calls go through. Open: none do, except a probe from time to time.

    Every call reads ``closed`` without a lock; every change takes the lock.
    """

    def __init__(
        self,
        name: str,
        *,
        on_change: Callable[[Change, str], None] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """:param name: the name of the store in the log."""
        self.closed = True
        self.last_error = ""
        self.opened = 0
        """How often it has opened."""
        self.since_ns = clock.wall_ns()
        """When it last opened or closed, in epoch ns."""
        self._name = name
        self._on_change = on_change
        self._clock = clock
        self.failures = 0
        """Failures in a row, until now."""
        self._probes = 0
        self._probing = False
        self._probe_at_ns = 0
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        self._probing = False  # the probing thread is in the parent

    @property
    def retry_seconds(self) -> float:
        """Return the seconds until the next probe; 0.0 while closed."""
        if self.closed:
            return 0.0
        return max(0, self._probe_at_ns - self._clock.monotonic_ns()) / NANOSECONDS

    def admits_probe(self) -> bool:
        """While open: whether this caller should try the store, and report the result."""
        if self._probing or self._clock.monotonic_ns() < self._probe_at_ns:
            return False
        with self._lock:
            if self._probing or self._clock.monotonic_ns() < self._probe_at_ns:
                return False
            self._probing = True
            return True

    def succeeded(self) -> None:
        """Report that a call succeeded."""
        if self.closed and not self.failures:
            return
        with self._lock:
            self.failures = 0
            self._probing = False
            if self.closed:
                return
            self.closed = True
            self._probes = 0
            seconds = (self._clock.wall_ns() - self.since_ns) / NANOSECONDS
            self.since_ns = self._clock.wall_ns()
        self._report("recovered", f"store {self._name} is back after {seconds:.1f} s")

    def failed(self, error: BaseException) -> None:
        """Report that a call failed."""
        with self._lock:
            self.failures += 1
            self.last_error = f"{type(error).__name__}: {error}"[:200]
            if self.closed and self.failures < FAILURES_TO_OPEN:
                return
            was_closed, self.closed = self.closed, False
            if was_closed:
                self.opened += 1
                self.since_ns = self._clock.wall_ns()
            elif not self._probing:
                return  # a call that began before it opened
            self._probing = False
            wait = PROBE_SECONDS[min(self._probes, len(PROBE_SECONDS) - 1)]
            self._probes += 1
            self._probe_at_ns = self._clock.monotonic_ns() + wait * NANOSECONDS
        if was_closed:
            self._report("degraded", f"store {self._name} is down: {self.last_error}")

    def abandoned(self) -> None:
        """Report that a call was interrupted: another thread may probe."""
        self._probing = False

    def _report(self, change: Change, detail: str) -> None:
        if self._on_change is None:  # otherwise the listener logs it
            log.warning("%s", detail)
            return
        try:
            self._on_change(change, detail)
        except Exception:  # a fault of the listener must not affect the request
            log.exception("on_change of store %s failed", self._name)
