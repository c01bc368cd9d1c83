"""The time budget of a request's store calls.

A timeout per call is not enough: three slow calls are three timeouts. The time that a thread has
spent in slow calls of its request is subtracted from the time of the next call.
"""

from __future__ import annotations

import threading
import time

MIN_CALL_SECONDS = 0.01
"""With less time left, a call is not worth trying."""

SLOW_CALL_SECONDS = 0.005
"""Shorter calls are not subtracted: some of them make no delay."""

FORGET_SECONDS = 1.0
"""After this pause, a call belongs to another request."""


class TimeBudget:
    """The time budget of the requests served by each thread."""

    def __init__(self, timeout_seconds: float, request_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._request_seconds = request_seconds
        self._here = _CallState()

    def begin_request(self) -> None:
        """Start the budget of a new request in this thread."""
        self._here.spent = 0.0
        self._here.serves = True

    def begin_call(self) -> bool:
        """Whether there is time for a call; then set its deadline."""
        here = self._here
        now = time.monotonic()
        if here.spent and now - here.ended > FORGET_SECONDS:
            here.spent = 0.0
        seconds = self._timeout_seconds
        if here.serves:  # a script, a task, or a thread of the guard makes any number of calls
            seconds = min(seconds, self._request_seconds - here.spent)
        if seconds < MIN_CALL_SECONDS:
            return False
        here.began = now
        here.deadline = now + seconds
        return True

    def end_call(self) -> None:
        here = self._here
        here.ended = time.monotonic()
        took = here.ended - here.began
        if took >= SLOW_CALL_SECONDS:
            here.spent += took
        here.deadline = 0.0

    def allow(self, seconds: float) -> None:
        """Set a separate deadline, for work that no request waits for."""
        here = self._here
        here.began = time.monotonic()
        here.deadline = here.began + seconds

    def remaining_seconds(self) -> float:
        """Return the time left of the running call, for a socket's timeout; never zero, which
        would mean "do not block". Outside of a call, return the timeout of a call."""
        deadline = self._here.deadline
        if not deadline:
            return self._timeout_seconds
        return max(0.001, deadline - time.monotonic())


class _CallState(threading.local):
    serves = False
    spent = 0.0
    began = 0.0
    ended = 0.0
    deadline = 0.0
