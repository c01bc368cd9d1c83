"""Which logger tells of an event: ``guard_wsgi.<area>``."""

from __future__ import annotations

from collections.abc import Mapping

AREAS: Mapping[str, str] = {
    "access_denied": "access",
    "authentication_failed": "access",
    "behavioral_violation": "behavior",
    "body_unreadable": "detection",
    "check_failed": "checks",
    "cloud_blocked": "access",
    "cloud_ranges_failed": "network",
    "cloud_ranges_recovered": "network",
    "cloud_ranges_stale": "network",
    "cloud_ranges_updated": "network",
    "content_filtered": "access",
    "country_blocked": "access",
    "csp_violation": "headers",
    "custom_request_check": "access",
    "decoding_error": "detection",
    "decorator_violation": "access",
    "detection_budget": "detection",
    "detection_engine_callback_error": "detection",
    "detection_excluded": "detection",
    "dynamic_rule_applied": "rules",
    "dynamic_rule_expired": "rules",
    "dynamic_rule_rejected": "rules",
    "dynamic_rule_updated": "rules",
    "dynamic_rule_violation": "ratelimit",
    "emergency_mode_activated": "rules",
    "emergency_mode_block": "access",
    "emergency_mode_deactivated": "rules",
    "framing": "access",
    "geo_lookup_failed": "network",
    "https_enforced": "access",
    "ip_ban_failed": "bans",
    "ip_banned": "bans",
    "ip_blocked": "access",
    "ip_unbanned": "bans",
    "path_excluded": "access",
    "penetration_attempt": "detection",
    "rate_limit_script_reloaded": "state",
    "rate_limited": "ratelimit",
    "redis_connection": "state",
    "redis_error": "state",
    "route_unresolved": "access",
    "security_bypass": "access",
    "security_headers_applied": "headers",
    "store_degraded": "state",
    "store_recovered": "state",
    "suspicious_request": "access",
    "user_agent_blocked": "access",
    "xff_malformed": "access",
}


def area_of(event_type: str) -> str:
    """The area of an event's type; ``events`` for those of an app's own."""
    return AREAS.get(event_type, "events")
