"""Counters in a window, for suspicion and behaviour: shared by every worker of the store."""

from __future__ import annotations

from contextlib import suppress

from guard_wsgi.errors import StoreError
from guard_wsgi.options.numbers import MAX_SECONDS
from guard_wsgi.state.backend import Backend


class Counters:
    """Counters of the last half to whole window. A burst counts as a whole on either side of a
    border, and a counter never exceeds the events of a window."""

    __slots__ = ("_backend", "_lease")

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lease = backend.taker("fixed-window")

    def increment(self, key: str, window_seconds: int, amount: int = 1) -> int:
        """Add to the counter and return its new value.

        :raises ValueError: when the window or the amount is not positive.
        :raises StoreError: when the store is down and its policy is to deny.
        """
        if not 1 <= window_seconds <= MAX_SECONDS:
            raise ValueError(f"window_seconds must be 1 to {MAX_SECONDS}, not {window_seconds}")
        if amount < 1:
            raise ValueError(f"amount must be positive, not {amount}")
        return self._backend.increment(key, window_seconds, amount)

    def value(self, key: str, window_seconds: int) -> int:
        """Return the counter's value; 0 if there is none.

        ``window_seconds`` must be the one that the counter is incremented with.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        return self._backend.counted(key, window_seconds)

    def take_lease(self, key: str, seconds: int) -> bool:
        """Whether this caller, among all that share the store, gets the lease for the next seconds.

        While the store is down, everybody gets it and does the work alone; the store reports its
        outage itself.
        """
        try:
            return self._lease(key, 1, seconds, 1)[0]
        except StoreError:
            return True

    def end_lease(self, key: str) -> None:
        """Release the lease for others."""
        with suppress(StoreError):
            self._backend.forget("fixed-window", key, 1)

    def reset(self, key: str, window_seconds: int) -> None:
        """Start the counter over.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        self._backend.drop_counter(key, window_seconds)
