"""A number of uses per minute."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


class Allowance:
    """Counts uses of an allowance that is renewed every minute."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._taken = 0
        self._minute_ends = 0.0

    def take(self) -> bool:
        """Take one use. Return whether there was one; threads that ask at once may take one too
        many."""
        now = self._clock()
        if now >= self._minute_ends:
            self._minute_ends, self._taken = now + 60.0, 0
        self._taken += 1
        return self._taken <= self._a_minute
