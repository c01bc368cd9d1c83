"""How long the store calls of one request may take together.

A time-out for each call is not enough: three slow calls are three time-outs. The time a thread
has spent in slow calls since its request began is subtracted from what the next call may take.
"""

from __future__ import annotations

import threading
import time

MIN_CALL_SECONDS = 0.01
"""With less than this left a call isn't worth trying."""

SLOW_CALL_SECONDS = 0.005
"""Calls below this are not subtracted: a handful of them is no delay."""

FORGET_SECONDS = 1.0
"""Time between two store calls after which the second belongs to something else."""


class TimeBudget:
    """The time budget of the requests served by each thread."""

    def __init__(self, timeout_seconds: float, request_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._request_seconds = request_seconds
        self._here = _Here()

    def begin_request(self) -> None:
        """This thread serves a new request."""
        self._here.spent = 0.0
        self._here.serves = True

    def begin_call(self) -> bool:
        """Whether there is time for a call; its deadline is set then."""
        here = self._here
        now = time.monotonic()
        if here.spent and now - here.ended > FORGET_SECONDS:
            here.spent = 0.0
        left = self._timeout_seconds
        if here.serves:  # a script, a task, or a thread of the guard makes any number of calls
            left = min(left, self._request_seconds - here.spent)
        if left < MIN_CALL_SECONDS:
            return False
        here.began = now
        here.deadline = now + left
        return True

    def end_call(self) -> None:
        here = self._here
        here.ended = time.monotonic()
        took = here.ended - here.began
        if took >= SLOW_CALL_SECONDS:
            here.spent += took
        here.deadline = 0.0

    def allow(self, seconds: float) -> None:
        """For work that no request waits for: a deadline of its own."""
        here = self._here
        here.began = time.monotonic()
        here.deadline = here.began + seconds

    def remaining_seconds(self) -> float:
        """What is left of the running call, for a socket's time-out; never zero, which would
        mean "do not block". Outside of a call: the time-out of one."""
        deadline = self._here.deadline
        if not deadline:
            return self._timeout_seconds
        return max(0.001, deadline - time.monotonic())


class _Here(threading.local):
    serves = False
    spent = 0.0
    began = 0.0
    ended = 0.0
    deadline = 0.0
