"""When to try again: full jitter, a circuit breaker, and a pause when the key is refused."""

from __future__ import annotations

import random
import time
from typing import Literal

MAX_DELAY_SECONDS = 60.0
BREAKER_FAILURES = 5
"""Failures in a row; the same as the existing agent's."""
PARK_SECONDS = (60.0, 120.0, 300.0, 900.0)
"""Delays after a refused key: short at first, as a key may be in rotation, then a quarter hour."""

State = Literal["closed", "open", "half_open", "parked"]


class Backoff:
    """Delays between attempts at one collector. One thread uses it; any thread may read it.

    Full jitter (uniform between zero and a bound that doubles) spreads the workers of a fleet after
    an outage better than other kinds; see Brooker, "Exponential Backoff and Jitter".

    :param factor_seconds: the first bound.
    :ivar failures: failures in a row.
    :ivar resume_at: monotonic time before which nothing is sent.
    """

    def __init__(self, factor_seconds: float) -> None:
        self._factor = factor_seconds
        self._refusals = 0
        self.failures = 0
        self.resume_at = 0.0

    @property
    def state(self) -> State:
        """The state of the circuit breaker; ``half_open`` while the next attempt is a probe."""
        if self._refusals:
            return "parked"
        if self.failures < BREAKER_FAILURES:
            return "closed"
        return "open" if time.monotonic() < self.resume_at else "half_open"

    def succeeded(self) -> None:
        self.failures = self._refusals = 0
        self.resume_at = 0.0

    def failed(self, retry_after_seconds: float | None = None) -> float:
        """Count a failure and return the seconds to wait: at least ``Retry-After``."""
        self.failures += 1
        bound = min(MAX_DELAY_SECONDS, self._factor * 2 ** min(self.failures - 1, 16))
        # An open breaker waits at least half of the bound, so that probes are rare.
        least = bound / 2 if self.failures >= BREAKER_FAILURES else 0.0
        delay = random.uniform(least, bound)
        if retry_after_seconds is not None:
            # Add jitter, or all workers come back at the same instant.
            delay = max(delay, retry_after_seconds + random.uniform(0.0, 0.1 * self._factor))
        self.resume_at = time.monotonic() + delay
        return delay

    def refused(self) -> float:
        """Count a refusal of the key and return the seconds until a probe."""
        self.failures += 1
        delay = PARK_SECONDS[min(self._refusals, len(PARK_SECONDS) - 1)]
        self._refusals += 1
        self.resume_at = time.monotonic() + delay
        return delay

    def retry_now(self) -> None:
        """Let the next attempt go at once, unless the breaker is open or the key was refused."""
        if self.state in ("closed", "half_open"):
            self.resume_at = 0.0
