"""The agent's health, as reported to the collector and to the app."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import field, frozen

from guard_wsgi.agent.backoff import State
from guard_wsgi.telemetry.events import utc_now

Health = Literal["healthy", "degraded", "failed"]

DEGRADED_FILL = 0.9
DEGRADED_FAILURE_RATE = 0.1
UNHEALTHY_FILL = 0.95
UNHEALTHY_FAILURE_RATE = 0.5
"""Shares of the queue and of the requests; the same as the existing agent's."""


@frozen(slots=True, kw_only=True)
class AgentStatus:
    """One report. ``uptime`` is in seconds; ``buffer_size`` is the number of queued items.

    :ivar circuit_breaker_state: the existing agent reports neither this nor ``routes``; collectors
        keep fields that they do not know.
    :ivar routes: each route's template with the limit of its view, "" for none.
    """

    status: Health
    uptime: float
    events_sent: int
    events_failed: int
    buffer_size: int
    last_flush: datetime | None = None
    errors: tuple[str, ...] = ()
    timestamp: datetime = field(factory=utc_now)
    circuit_breaker_state: State = "closed"
    routes: Mapping[str, str] = field(factory=dict)

    def as_wire(self) -> dict[str, Any]:
        """Return the JSON object that the collector reads, with nulls."""
        return {
            "timestamp": self.timestamp.isoformat(),
            "status": self.status,
            "uptime": self.uptime,
            "events_sent": self.events_sent,
            "events_failed": self.events_failed,
            "buffer_size": self.buffer_size,
            "last_flush": self.last_flush.isoformat() if self.last_flush else None,
            "errors": list(self.errors),
            "circuit_breaker_state": self.circuit_breaker_state,
            **({"routes": dict(self.routes)} if self.routes else {}),
        }
