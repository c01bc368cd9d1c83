"""The types of events, one per row: the logger and level, the handler, the action and the score.

Names, handlers, actions and scores are those of the guard collector's dashboards. Types of
flaskapi-guard are here even if this guard never emits them, so that lists of muted types keep
working.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen

MIDDLEWARE = "middleware"
LOGGED = "logged"


@frozen(slots=True)
class EventType:
    """The properties of a type of events.

    :ivar area: its logger is ``guard_wsgi.<area>``.
    :ivar handler: the part of the guard that emits it, if the check does not determine it.
    :ivar action: the action, if the caller gives none.
    :ivar score: from 10 (routine) to 90 (an attack).
    :ivar level: the level of its log line, if no request was refused.
    :ivar is_suspicious: whether it is logged at ``log_suspicious_level`` even if nothing was done.
    :ivar is_quiet: whether it is always logged at ``level``: it belongs to another event, or
        happens at every request, or the site asked for it.
    """

    area: str = "events"
    handler: str = MIDDLEWARE
    action: str = LOGGED
    score: int = 20
    level: int = logging.INFO
    is_suspicious: bool = False
    is_quiet: bool = False


_WARNING = logging.WARNING
_OWN = EventType()

EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        # Requests refused, or let through under observation
        "access_denied": EventType("access", score=35),
        "authentication_failed": EventType("access", score=55),
        "behavioral_violation": EventType("behavior", "behavior", score=75, is_suspicious=True),
        "cloud_blocked": EventType("access", score=45),
        "content_filtered": EventType("access", score=30),
        "country_blocked": EventType("access", score=40),
        "custom_request_check": EventType("access"),
        "decorator_violation": EventType("access", score=35),
        "dynamic_rule_violation": EventType("ratelimit", score=40),
        "emergency_mode_block": EventType("access", score=80),
        "framing": EventType("access", score=50),
        "https_enforced": EventType("access", score=10),
        "ip_blocked": EventType("access", score=50),
        "penetration_attempt": EventType("detection", score=90, is_suspicious=True),
        "rate_limited": EventType("ratelimit", score=40),
        "route_unresolved": EventType("access"),
        "suspicious_request": EventType("access", "ip_extraction", score=60, is_suspicious=True),
        "user_agent_blocked": EventType("access", score=45),
        "xff_malformed": EventType("access", "ip_extraction", score=50, is_suspicious=True),
        # Detection
        "body_unreadable": EventType("detection"),
        "decoding_error": EventType("detection"),
        "detection_budget": EventType("detection", score=70),
        "detection_engine_callback_error": EventType("detection"),
        "detection_excluded": EventType("detection", "sus_patterns", "let_pass", is_quiet=True),
        "pattern_added": EventType(),
        "pattern_anomaly_slow_execution": EventType(),
        "pattern_anomaly_statistical_anomaly": EventType(),
        "pattern_anomaly_timeout": EventType(),
        "pattern_detected": EventType(score=70, is_suspicious=True),
        "pattern_removed": EventType(),
        # Bans
        "ip_ban_failed": EventType("bans", "ip_ban", "ban_not_applied", level=_WARNING),
        "ip_banned": EventType("bans", "ip_ban", "banned", 85, _WARNING),
        "ip_unbanned": EventType("bans", "ip_ban", "unbanned"),
        # Dynamic rules
        "dynamic_rule_applied": EventType("rules", "dynamic_rules", "rules_updated"),
        "dynamic_rule_expired": EventType("rules", "dynamic_rules", "rules_expired"),
        "dynamic_rule_rejected": EventType(
            "rules", "dynamic_rules", "rules_rejected", level=_WARNING
        ),
        "dynamic_rule_updated": EventType("rules", "dynamic_rules", "rules_received"),
        "emergency_mode_activated": EventType(
            "rules", "dynamic_rules", "emergency_lockdown", 80, _WARNING
        ),
        "emergency_mode_deactivated": EventType(
            "rules", "dynamic_rules", "emergency_ended", level=_WARNING
        ),
        # The guard itself
        "check_failed": EventType("checks", level=_WARNING),
        "cloud_ranges_failed": EventType("network", "cloud", "lookup_failed", level=_WARNING),
        "cloud_ranges_recovered": EventType("network", "cloud", "ranges_updated"),
        "cloud_ranges_stale": EventType("network", "cloud", "ranges_stale", level=_WARNING),
        "cloud_ranges_updated": EventType("network", "cloud", "ranges_updated"),
        "csp_violation": EventType("headers", "security_headers"),
        "geo_lookup_failed": EventType("network", "ipinfo", "lookup_failed", level=_WARNING),
        "path_excluded": EventType("access", score=10, level=logging.DEBUG, is_quiet=True),
        "rate_limit_script_reloaded": EventType("state"),
        "redis_connection": EventType("state"),
        "redis_error": EventType("state", "redis", level=_WARNING),
        "security_bypass": EventType("access"),
        "security_headers_applied": EventType("headers", level=logging.DEBUG, is_quiet=True),
        "store_degraded": EventType("state", "redis", "connection_failed", level=_WARNING),
        "store_recovered": EventType("state", "redis", "connection_established", level=_WARNING),
    }
)


def type_of(name: str) -> EventType:
    """Return the row of a type; the defaults for a type of the app's own."""
    return EVENT_TYPES.get(name, _OWN)
