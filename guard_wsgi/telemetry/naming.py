"""How an event is labelled, in the words that the collector's dashboards know.

``handler_name`` is the part of the guard that speaks, ``action_taken`` what it did,
``decorator_type`` the kind of a view's own rule that refused, ``rule_type`` the kind of rule.
"""

from __future__ import annotations

from collections.abc import Mapping

HANDLERS: Mapping[str, str] = {
    "ip_ban": "ip_ban",
    "ip_banned": "ip_ban",
    "ip_unbanned": "ip_ban",
    "ip_ban_failed": "ip_ban",
    "rate_limit": "rate_limit",
    "behavior": "behavior",
    "behavioral_violation": "behavior",
    "cloud_provider": "cloud",
    "cloud_ranges_failed": "cloud",
    "cloud_ranges_recovered": "cloud",
    "cloud_ranges_stale": "cloud",
    "cloud_ranges_updated": "cloud",
    "country": "ipinfo",
    "geo_lookup_failed": "ipinfo",
    "detection_excluded": "sus_patterns",
    "suspicious_activity": "sus_patterns",
    "store_degraded": "redis",
    "store_recovered": "redis",
    "redis_error": "redis",
    "csp_violation": "security_headers",
    "client_address_unresolved": "ip_extraction",
    "xff_malformed": "ip_extraction",
    "suspicious_request": "ip_extraction",
    "dynamic_rule_applied": "dynamic_rules",
    "dynamic_rule_expired": "dynamic_rules",
    "dynamic_rule_rejected": "dynamic_rules",
    "dynamic_rule_updated": "dynamic_rules",
    "emergency_mode_activated": "dynamic_rules",
    "emergency_mode_deactivated": "dynamic_rules",
}
"""By check, else by type of event; what is in neither is the middleware's."""

MIDDLEWARE = "middleware"

ACTIONS: Mapping[str, str] = {
    "ip_banned": "banned",
    "detection_excluded": "let_pass",
    "ip_unbanned": "unbanned",
    "ip_ban_failed": "ban_not_applied",
    "dynamic_rule_applied": "rules_updated",
    "dynamic_rule_updated": "rules_received",
    "dynamic_rule_expired": "rules_expired",
    "dynamic_rule_rejected": "rules_rejected",
    "emergency_mode_activated": "emergency_lockdown",
    "emergency_mode_deactivated": "emergency_ended",
    "geo_lookup_failed": "lookup_failed",
    "cloud_ranges_failed": "lookup_failed",
    "cloud_ranges_updated": "ranges_updated",
    "cloud_ranges_recovered": "ranges_updated",
    "cloud_ranges_stale": "ranges_stale",
    "store_degraded": "connection_failed",
    "store_recovered": "connection_established",
}
"""By type of event, where nobody else says it."""

LOGGED = "logged"
"""The action of all others: they were logged, and nothing was done."""

_ACCESS = "access_control"
_CONTENT = "content_filtering"
_ADVANCED = "advanced"

DECORATORS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ip_security": (_ACCESS, ("ip_whitelist", "ip_blacklist")),
    "country": (_ACCESS, ("whitelist_countries", "blocked_countries")),
    "cloud_provider": (_ACCESS, ("block_cloud_providers",)),
    "https_enforcement": ("authentication", ("require_https",)),
    "authentication": (
        "authentication",
        ("auth_required", "api_key_required", "authorization_header_required"),
    ),
    "required_headers": ("authentication", ("required_headers",)),
    "rate_limit": ("rate_limiting", ("rate_limit", "geo_rate_limits")),
    "request_size_content": (_CONTENT, ("max_request_size", "allowed_content_types")),
    "referrer": (_CONTENT, ("require_referrer",)),
    "user_agent": (_CONTENT, ("blocked_user_agents",)),
    "custom_validators": (_CONTENT, ("custom_validators",)),
    "time_window": (_ADVANCED, ("time_restrictions",)),
    "honeypot": (_ADVANCED, ("honeypot_fields",)),
    "behavior": ("behavioral", ("behavior_rules",)),
}
"""By check: the kind of the decorators that ask for it, and the options that they set."""


def handler_of(check: str, event_type: str) -> str:
    return HANDLERS.get(check) or HANDLERS.get(event_type) or MIDDLEWARE


def action_of(event_type: str) -> str:
    return ACTIONS.get(event_type, LOGGED)


def decorator_of(check: str, route: object) -> str | None:
    """The kind of the view's own rule that a check spoke for; ``None`` for a global one."""
    if route is None or check not in DECORATORS:
        return None
    kind, options = DECORATORS[check]
    return kind if any(getattr(route, option, None) for option in options) else None
