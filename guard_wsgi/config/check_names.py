"""The names of the checks."""

from __future__ import annotations

CHECK_NAMES = (
    "client_address_unresolved",
    "ip_ban",
    "emergency_mode",
    "ip_security",
    "country",
    "cloud_provider",
    "allowed_hosts",
    "https_enforcement",
    "framing",
    "request_size_content",
    "required_headers",
    "authentication",
    "referrer",
    "time_window",
    "user_agent",
    "rate_limit",
    "suspicious_activity",
    "honeypot",
    "behavior",
    "custom_validators",
    "custom_request",
    "route_config",
    "request_logging",
    "cloud_ip_refresh",
)
"""The names of checks in logs and events; they include those of the existing system."""
