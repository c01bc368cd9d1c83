"""What the guard tells: events, one a happening, and metrics, one a measured interval.

The field names and the set of types are those of the guard collector's wire format (version
3.2.4 of its agent). Datetimes are UTC and travel as RFC 3339 text with a ``T`` and an offset,
``2026-01-02T03:04:05.000006+00:00``: the form that the collector already gets inside encrypted
envelopes, so it reads it in plain bodies too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from attrs import field, frozen

EVENT_TYPES = frozenset(
    {
        # Requests refused, or let through under observation
        "access_denied",
        "authentication_failed",
        "behavioral_violation",
        "cloud_blocked",
        "content_filtered",
        "country_blocked",
        "custom_request_check",
        "decorator_violation",
        "dynamic_rule_violation",
        "emergency_mode_block",
        "framing",
        "https_enforced",
        "ip_blocked",
        "penetration_attempt",
        "rate_limited",
        "route_unresolved",
        "suspicious_request",
        "user_agent_blocked",
        "xff_malformed",
        # Detection
        "body_unreadable",
        "decoding_error",
        "detection_budget",
        "detection_engine_callback_error",
        "detection_excluded",
        "pattern_added",
        "pattern_anomaly_slow_execution",
        "pattern_anomaly_statistical_anomaly",
        "pattern_anomaly_timeout",
        "pattern_detected",
        "pattern_removed",
        # Bans
        "ip_ban_failed",
        "ip_banned",
        "ip_unbanned",
        # Dynamic rules
        "dynamic_rule_applied",
        "dynamic_rule_expired",
        "dynamic_rule_rejected",
        "dynamic_rule_updated",
        "emergency_mode_activated",
        "emergency_mode_deactivated",
        # The guard itself
        "check_failed",
        "cloud_ranges_failed",
        "cloud_ranges_recovered",
        "cloud_ranges_stale",
        "cloud_ranges_updated",
        "csp_violation",
        "geo_lookup_failed",
        "path_excluded",
        "rate_limit_script_reloaded",
        "redis_connection",
        "redis_error",
        "security_bypass",
        "security_headers_applied",
        "store_degraded",
        "store_recovered",
    }
)
"""Every type the guard emits. Those of the existing system are kept, also where this guard never
has cause to emit them, so that a list of muted types carries over."""

MetricType = Literal[
    "request_count",
    "response_time",
    "error_rate",
    "bandwidth_usage",
    "threat_level",
    "block_rate",
    "cache_hit_rate",
]

METRIC_TYPES: frozenset[str] = frozenset(
    {
        "request_count",
        "response_time",
        "error_rate",
        "bandwidth_usage",
        "threat_level",
        "block_rate",
        "cache_hit_rate",
    }
)


def utc_now() -> datetime:
    """The present, with its offset."""
    return datetime.now(UTC)


@frozen(slots=True, kw_only=True, eq=False)
class SecurityEvent:
    """One thing that happened.

    :ivar event_type: one of :data:`EVENT_TYPES`, or a type of the app's own.
    :ivar idempotency_key: stays the same over every retry, so that a collector can accept it
        once.
    :ivar response_time: seconds.
    :ivar endpoint: the route's template, as in metrics; never the path, which may hold a secret.
    :ivar path: the path asked for, without its query. For the log of this machine: it is not part
        of what travels.
    :ivar metadata: whatever else is worth knowing; values that JSON lacks travel as ``str``.
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
        """The JSON object the collector reads, nulls included."""
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

    :ivar value: in the unit of its type: requests, seconds, a share from 0 to 1, bytes.
    :ivar endpoint: the route's template, never a concrete path: paths are without number.
    """

    metric_type: str
    value: float
    endpoint: str | None = None
    tags: Mapping[str, str] = field(factory=dict)
    timestamp: datetime = field(factory=utc_now)

    def as_wire(self) -> dict[str, Any]:
        """The JSON object the collector reads, nulls included."""
        return {
            "timestamp": self.timestamp.isoformat(),
            "metric_type": self.metric_type,
            "value": self.value,
            "endpoint": self.endpoint,
            "tags": self.tags,
        }
