"""Events and metrics of the guard.

The field names and types are those of the guard collector's wire format (version 3.2.4 of its
agent). Datetimes are UTC and are sent as RFC 3339 text with a ``T`` and an offset,
``2026-01-02T03:04:05.000006+00:00``. The collector already gets this form inside encrypted
envelopes, so it reads it in plain bodies too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from attrs import field, frozen

MetricType = Literal[
    "request_count",
    "response_time",
    "error_rate",
    "bandwidth_usage",
    "threat_level",
    "block_rate",
    "cache_hit_rate",
]

METRIC_TYPES: frozenset[str] = frozenset(get_args(MetricType))


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@frozen(slots=True, kw_only=True, eq=False)
class SecurityEvent:
    """One thing that happened.

    :ivar event_type: one of ``EVENT_TYPES`` (event_types.py), or a type of the app's own.
    :ivar idempotency_key: the same on every retry, so that a collector can accept the event once.
    :ivar response_time: seconds.
    :ivar endpoint: the route's template, as in metrics; never the path, which may contain a secret.
    :ivar path: the requested path, without its query. It is only for the log of this machine and is
        not sent.
    :ivar metadata: further facts; values that JSON lacks are sent as ``str``.
    """

    event_type: str
    ip_address: str = ""
    country: str | None = None
    user_agent: str | None = None
    action_taken: str = ""
    reason: str = ""
    endpoint: str | None = None
    method: str | None = None
    status_code: int | None = None
    response_time: float | None = None
    decorator_type: str | None = None
    rule_type: str | None = None
    pattern_matched: str | None = None
    handler_name: str | None = None
    path: str | None = None
    metadata: Mapping[str, Any] = field(factory=dict)
    timestamp: datetime = field(factory=utc_now)
    idempotency_key: UUID | str = field(factory=uuid4)

    def as_wire(self) -> dict[str, Any]:
        """Return the JSON object that the collector reads, nulls included."""
        return {
            "idempotency_key": str(self.idempotency_key),
            "timestamp": self.timestamp.isoformat(),
            "event_type": self.event_type,
            "ip_address": self.ip_address,
            "country": self.country,
            "user_agent": self.user_agent,
            "action_taken": self.action_taken,
            "reason": self.reason,
            "endpoint": self.endpoint,
            "method": self.method,
            "status_code": self.status_code,
            "response_time": self.response_time,
            "decorator_type": self.decorator_type,
            "rule_type": self.rule_type,
            "pattern_matched": self.pattern_matched,
            "handler_name": self.handler_name,
            "metadata": self.metadata,
        }


@frozen(slots=True, kw_only=True, eq=False)
class SecurityMetric:
    """One number about an interval.

    :ivar value: a number in the unit of its type: requests, seconds, a share from 0 to 1, bytes.
    :ivar endpoint: the route's template, never a concrete path: there are endless paths.
    """

    metric_type: str
    value: float
    endpoint: str | None = None
    tags: Mapping[str, str] = field(factory=dict)
    timestamp: datetime = field(factory=utc_now)

    def as_wire(self) -> dict[str, Any]:
        """Return the JSON object that the collector reads, nulls included."""
        return {
            "timestamp": self.timestamp.isoformat(),
            "metric_type": self.metric_type,
            "value": self.value,
            "endpoint": self.endpoint,
            "tags": self.tags,
        }
