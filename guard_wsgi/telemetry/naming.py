"""Labels of events, in the words of the collector's dashboards.

``handler_name`` is the part of the guard that emits the event, ``action_taken`` its action,
``decorator_type`` the kind of a view's own rule that refused, ``rule_type`` the kind of rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from guard_wsgi.telemetry.event_types import type_of

HANDLERS: Mapping[str, str] = {
    "ip_ban": "ip_ban",
    "rate_limit": "rate_limit",
    "behavior": "behavior",
    "cloud_provider": "cloud",
    "country": "ipinfo",
    "suspicious_activity": "sus_patterns",
    "client_address_unresolved": "ip_extraction",
}
"""The handler of each check. For other checks, the type of the event names the handler."""

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
"""For each check, the kind of its decorators, and the options that they set."""


def handler_of(check: str, event_type: str) -> str:
    return HANDLERS.get(check) or type_of(event_type).handler


def decorator_of(check: str, route: object) -> str | None:
    """Return the kind of the view's own rule behind a check; ``None`` for a global rule."""
    if route is None or check not in DECORATORS:
        return None
    kind, options = DECORATORS[check]
    return kind if any(getattr(route, option, None) for option in options) else None
