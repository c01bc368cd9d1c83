"""Reports on requests: events, the app's ``on_block``, faults, statistics."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic
from typing import TYPE_CHECKING, Any

from guard_wsgi.repeats import is_reported, times
from guard_wsgi.request.block import Block
from guard_wsgi.request.hook_types import OnBlock
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.telemetry.bus import EventBus

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("guard_wsgi.checks")

NOTE_INTERVAL_SECONDS = 60.0
"""After one note of a kind, the guard stays silent about that kind for this long."""


class Report:
    """Counts the requests of one guard and reports them to the sinks.

    :param events: the bus to the log, the agent and other sinks.
    :param inside: enters the app's context, for the app's own functions.
    :ivar passed: how many requests have reached the app.
    """

    def __init__(
        self, events: EventBus, inside: Callable[[WSGIEnvironment], AbstractContextManager[Any]]
    ) -> None:
        self.events = events
        self.passed = 0
        self._inside = inside
        self._faults: Counter[str] = Counter()
        self._decisions: Counter[str] = Counter()
        self._noted: Counter[str] = Counter()
        self._note_again_at: dict[str, float] = {}

    def refused(
        self, request: GuardRequest, block: Block, on_block: OnBlock | None, *, passive: bool
    ) -> None:
        """Record a refusal in the verdict, and report it to the bus and ``on_block``.

        :param passive: whether passive mode lets the request pass all the same.
        """
        verdict = request.verdict
        verdict.action = "observe" if passive else "block"
        if verdict.block is None:
            verdict.block = block
        action_taken = "logged_only" if passive else "request_blocked"
        self._decisions[action_taken] += 1
        self.events.emit(
            block.event, request, action_taken, block.check, lambda: _details(block, passive)
        )
        if on_block is None:
            return
        payload = {
            "check_name": block.check,
            "reason": block.reason or block.message,
            "trigger_info": block.category or block.reason,
            "passive_mode": passive,
            "client_ip": request.client_ip,
            "path": request.path,
            "method": request.method,
            "status_code": None if passive else block.status,
        }
        with self._inside(request.environ):
            try:
                on_block(request, payload)
            except Exception as error:  # the app's own hook
                self.fault("on_block", error)

    def notes(self, request: GuardRequest) -> None:
        """Report oddities that refused nothing: one event per kind and minute, with the count.

        Anybody can send a forged header or a large body a thousand times a second. An event for
        each would hide important events.
        """
        now = monotonic()
        for event, reason in request.notes:
            self._noted[event] += 1
            if now >= self._note_again_at.get(event, 0.0):
                self._note_again_at[event] = now + NOTE_INTERVAL_SECONDS
                count, self._noted[event] = self._noted[event], 0
                self.events.emit(event, request, reason=reason, count=count)

    def fault(self, where: str, error: Exception) -> None:
        """Log the first fault of a kind and then every power of two, so that a storm makes few
        lines."""
        self._faults[where] += 1
        count = self._faults[where]
        if is_reported(count):
            logger.error("%s raised an exception (%s so far)", where, times(count), exc_info=error)

    def stats(self) -> dict[str, int]:
        """Count requests that passed, were refused or would have been, and faults of each part."""
        return {
            "passed": self.passed,
            **self._decisions,
            **{f"faults:{where}": count for where, count in self._faults.items()},
        }

    def reset(self) -> None:
        """Start counting from zero."""
        self.passed = 0
        self._decisions.clear()
        self._faults.clear()


def _details(block: Block, passive: bool) -> dict[str, Any]:
    """Return what an event reports about a refusal."""
    return {
        "reason": block.reason or block.message,
        "status_code": block.status,
        "passive_mode": passive,
        **block.metadata,
        **block.details(),
    }
