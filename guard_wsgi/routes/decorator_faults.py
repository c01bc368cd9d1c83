"""Faults of decorators, in the words of their arguments."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from guard_wsgi.config.security import DoubtfulOption
from guard_wsgi.errors import ConfigError

ARGUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "ip_whitelist": "@require_ip: whitelist",
        "ip_blacklist": "@require_ip: blacklist",
        "blocked_countries": "@block_countries",
        "whitelist_countries": "@allow_countries",
        "block_cloud_providers": "@block_clouds",
        "blocked_user_agents": "@block_user_agents",
        "bypassed_checks": "@bypass",
        "auth_required": "@require_auth: type",
        "auth_verifier": "@require_auth: verifier",
        "api_key_header": "@api_key_auth: header_name",
        "api_key_verifier": "@api_key_auth: verifier",
        "authorization_header_required": "@require_authorization_header: scheme",
        "required_headers": "@require_headers",
        "require_referrer": "@require_referrer",
        "allowed_content_types": "@content_type_filter",
        "max_request_size": "@max_request_size: size_bytes",
        "time_restrictions": "@time_window",
        "custom_validators": "@custom_validation: validator",
        "honeypot_fields": "@honeypot_detection",
        "rate_limit": "@rate_limit: requests",
        "rate_limit_window": "@rate_limit: window",
        "rate_limit_cost": "@rate_limit: cost",
        "rate_limit_key": "@rate_limit: key",
        "rate_limit_exempt_when": "@rate_limit: exempt_when",
        "geo_rate_limits": "@geo_rate_limit",
        "enable_suspicious_detection": "@suspicious_detection: enabled",
        "excluded_detection_headers": "@detection_exclusion: headers",
        "excluded_detection_params": "@detection_exclusion: params",
        "excluded_detection_body_fields": "@detection_exclusion: body_fields",
        "enabled_detection_categories": "@detection_exclusion: enabled_categories",
        "detection_scan_body": "@detection_exclusion: scan_body",
        "upload_inspection": "@upload_inspection: mode",
        "security_headers": "@security_headers",
    }
)
"""The argument of a decorator that sets each option of a view. ``require_https`` takes none."""

RULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "usage": ("@usage_monitor", "max_calls"),
        "return_pattern": ("@return_monitor", "max_occurrences"),
        "frequency": ("@suspicious_frequency", "max_frequency"),
    }
)
"""The decorator of each kind of behaviour rule, and its argument for the threshold."""


def only_enabled(categories: list[str], enabled: list[str] | None) -> list[str]:
    """Return ``categories`` of @detection_exclusion, which are those that stay on, with a warning:
    the name reads like those that are excluded.

    :param enabled: ``enabled_categories``, its clear name.
    :raises ConfigError: if both are given.
    """
    if enabled is not None:
        raise ConfigError(
            [
                "@detection_exclusion: categories and enabled_categories are the same argument:"
                " keep enabled_categories"
            ]
        )
    warnings.warn(
        f"@detection_exclusion(categories={list(categories)!r}) leaves only these categories on and"
        " turns off all others, as in flaskapi-guard. If that is what you want, write"
        " enabled_categories instead of categories. To turn these off, use the option"
        " detection_exclusions",
        DoubtfulOption,
        stacklevel=3,
    )
    return categories


def in_arguments(faults: Iterable[str], options: Mapping[str, Any]) -> list[str]:
    """Name the decorator and its argument in faults, in place of the option of a RouteConfig.

    :param options: what the decorator sets.
    """
    return [_in_arguments(fault, options) for fault in faults]


def _in_arguments(fault: str, options: Mapping[str, Any]) -> str:
    name, _, rest = fault.partition(" ")
    if name != "behavior_rules":
        return f"{ARGUMENTS.get(name, name)} {rest}"
    rule = options["behavior_rules"][0]
    kind = str(rule.get("rule_type")) if isinstance(rule, Mapping) else ""
    decorator, threshold = RULES.get(kind, ("@behavior_analysis", ""))
    if threshold and rest.startswith("threshold "):
        rest = threshold + rest.removeprefix("threshold")
    return f"{decorator}: {rest}"
