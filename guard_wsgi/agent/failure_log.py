"""How the sender logs its own failures: rarely, and never at interpreter shutdown."""

from __future__ import annotations

import logging

from guard_wsgi.agent.delivery import Outcome
from guard_wsgi.agent.process import ProcessState
from guard_wsgi.agent.transport import TransportError
from guard_wsgi.repeats import is_reported, times
from guard_wsgi.request.hook_types import OnError

log = logging.getLogger("guard_wsgi.agent")


class FailureLog:
    """Logs the first failure of a kind, then every power of two, then the recovery.

    :param on_error: called with every failure, as ``on_error(stage, exception, context)``.
    """

    def __init__(self, on_error: OnError | None) -> None:
        self._on_error = on_error

    def refused(self, state: ProcessState, outcome: Outcome) -> None:
        """Log once, as an error, that the collector does not know the key: only a person can fix
        that."""
        state.last_error = outcome.detail
        if state.backoff.state != "parked":
            self._log(
                state,
                logging.ERROR,
                "the collector refused the API key (%s); telemetry is paused and tried "
                "again every few minutes",
                outcome.detail,
            )

    def failed(self, state: ProcessState, outcome: Outcome) -> None:
        """Log that the collector is down, overloaded or somewhere else."""
        self.log(
            state,
            "transport_send",
            outcome.error or TransportError(outcome.detail),
            "the collector can't be reached (%s so far): %s",
            times(state.failures.get("transport_send", 0) + 1),
            outcome.detail,
        )

    def recovered(self, state: ProcessState) -> None:
        """Log the end of an outage, or of a refusal."""
        text = "the collector is back; %d events are waiting"
        self._log(state, logging.INFO, text, state.pending)
        state.failures.pop("transport_send", None)

    def unencodable(self, state: ProcessState, error: Exception) -> None:
        """Log that an event is lost because it can't be encoded."""
        state.drop("unencodable")
        self.log(state, "serialization", error, "an event can't be written as JSON: %r", error)

    def log(
        self, state: ProcessState, stage: str, error: Exception, message: str, *arguments: object
    ) -> None:
        """Log the first failure and then every power of two; call ``on_error`` with each."""
        state.last_error = str(error)
        count = state.failures[stage] = state.failures.get(stage, 0) + 1
        if is_reported(count):
            self._log(state, logging.WARNING, message, *(arguments or (error,)))
        if self._on_error is not None and not state.stopping:
            try:
                self._on_error(stage, error, {"failures": count})
            except (Exception, SystemExit) as second:  # nothing else can report a fault of the hook
                self._log(state, logging.WARNING, "on_error raised %r", second)

    def _log(self, state: ProcessState, level: int, message: str, *arguments: object) -> None:
        if not state.stopping:  # at interpreter shutdown the streams may be locked or gone
            log.log(level, message, *arguments)
