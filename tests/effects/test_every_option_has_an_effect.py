"""Every option and every decorator has a test that sees its effect.

An option that is accepted and does nothing is worse than none, because people rely on it. The table
maps each name of :class:`SecurityConfig` and each decorator to the test that serves a site and sees
the effect. A name without a test fails here, and so does a test that does not exist or does not use
the name.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from inspect import getmembers, isfunction
from pathlib import Path

import pytest
from attrs import fields

from guard_wsgi import SecurityConfig, SecurityDecorator

ROOT = Path(__file__).resolve().parents[2]

_EFFECTS = "tests/effects/test_"
_CLIENTS = f"{_EFFECTS}clients_and_modes.py::test_"
_LISTS = f"{_EFFECTS}lists_and_bans.py::test_"
_SCENARIOS = f"{_EFFECTS}scenarios.py::test_"
_LIMITS = f"{_EFFECTS}limits_and_stores.py::test_"
_HEADERS = f"{_EFFECTS}headers_and_cors.py::test_"
_DETECTION = f"{_EFFECTS}detection_options.py::test_"
_LOGS = f"{_EFFECTS}logs_and_telemetry.py::test_"
_AGENT = f"{_EFFECTS}agent_options.py::test_"
_DECORATORS = f"{_EFFECTS}decorators.py::test_"

_IGNORED = "tests/test_config.py::test_an_option_that_does_nothing_here_says_why"
"""For the options that the configuration marks as having no effect: their effect is to say so, and
why."""


def _named(prefix: str, *names: str) -> dict[str, str]:
    """Options whose test is named after them."""
    return {name: prefix + name for name in names}


OPTIONS: dict[str, str] = {
    **_named(
        _CLIENTS,
        "trusted_proxies",
        "trusted_proxy_depth",
        "trust_x_forwarded_proto",
        "forwarded_header",
        "ipv6_client_prefix",
        "allowed_hosts",
        "enabled",
        "passive_mode",
        "route_resolution_strict",
        "exclude_paths",
        "health_paths",
        "max_request_size",
        "allowed_content_types",
        "unreadable_body",
        "error_format",
        "custom_error_responses",
        "custom_request_check",
        "custom_response_modifier",
        "auth_verifier",
        "on_error",
        "on_block",
    ),
    "fail_secure": f"{_SCENARIOS}a_country_source_that_fails_follows_the_failure_policy",
    **_named(
        _LISTS,
        "whitelist",
        "blacklist",
        "exempt_ips",
        "geo_ip_handler",
        "ipinfo_token",
        "ipinfo_db_path",
        "geo_ip_db_max_age",
        "cloud_ip_store",
        "cloud_ip_refresh_interval",
        "lazy_init",
        "allow_verified_bots",
        "blocked_user_agents",
        "enable_ip_banning",
        "auto_ban_threshold",
        "auto_ban_duration",
        "auto_ban_window",
        "threat_ban_config",
        "enable_rate_limit_auto_ban",
    ),
    "whitelist_countries": f"{_SCENARIOS}with_an_allow_list_only_its_countries_come_in",
    "blocked_countries": f"{_SCENARIOS}a_blocked_country_is_refused_and_others_come_in",
    "block_cloud_providers": f"{_SCENARIOS}a_cloud_is_refused_but_for_a_region_carved_out",
    "cloud_ranges_unavailable": (
        f"{_SCENARIOS}while_ranges_are_missing_closed_refuses_public_addresses"
    ),
    **_named(
        _LIMITS,
        "enable_rate_limiting",
        "rate_limit",
        "rate_limit_window",
        "endpoint_rate_limits",
        "rate_limit_strategy",
        "rate_limit_key",
        "rate_limit_exempt_when",
        "rate_limit_headers",
        "global_behavior_rules",
        "behavior_scan_response_body",
        "behavior_max_response_body_inspect_bytes",
        "store_url",
        "store_failure_policy",
        "memory_store_max_keys",
        "max_bans",
    ),
    **dict.fromkeys(
        ("enable_redis", "redis_url", "redis_prefix"),
        f"{_LIMITS}enable_redis_and_redis_url_and_redis_prefix",
    ),
    **dict.fromkeys(
        ("store_timeout", "redis_socket_timeout"),
        f"{_LIMITS}store_timeout_and_redis_socket_timeout",
    ),
    **dict.fromkeys(
        ("redis_socket_connect_timeout", "redis_max_connections"),
        f"{_LIMITS}redis_socket_connect_timeout_and_redis_max_connections",
    ),
    **_named(
        _HEADERS,
        "enforce_https",
        "security_headers",
        "enable_cors",
        "cors_allow_origins",
        "cors_allow_methods",
        "cors_allow_headers",
        "cors_allow_credentials",
        "cors_expose_headers",
        "cors_max_age",
    ),
    **_named(
        _DETECTION,
        "enable_penetration_detection",
        "enabled_detection_categories",
        "detection_threat_score_threshold",
        "detection_scan_body",
        "detection_graphql_introspection",
        "detection_max_body_inspect_bytes",
        "upload_inspection",
        "detection_max_scan_chars",
        "detection_oversized_body",
        "detection_max_json_depth",
        "detection_custom_patterns",
        "detection_exclusions",
        "excluded_detection_headers",
        "excluded_detection_params",
        "excluded_detection_body_fields",
    ),
    **dict.fromkeys(
        ("detection_max_scan_values", "detection_budget_action"),
        f"{_DETECTION}detection_max_scan_values_and_detection_budget_action",
    ),
    **_named(
        _LOGS,
        "custom_log_file",
        "log_format",
        "log_request_level",
        "log_suspicious_level",
        "log_country_check_level",
        "muted_event_types",
        "muted_metric_types",
        "muted_check_logs",
        "otel_exporter_endpoint",
    ),
    **dict.fromkeys(
        ("log_sensitive_headers", "log_sensitive_params", "log_sensitive_body_fields"),
        f"{_LOGS}log_sensitive_headers_params_and_body_fields",
    ),
    **dict.fromkeys(
        ("enable_otel", "otel_service_name", "otel_resource_attributes"),
        f"{_LOGS}enable_otel_and_otel_service_name_and_otel_resource_attributes",
    ),
    **dict.fromkeys(
        ("enable_logfire", "logfire_service_name"),
        f"{_LOGS}enable_logfire_and_logfire_service_name",
    ),
    **_named(
        _AGENT,
        "enable_enrichment",
        "agent_strict",
        "agent_project_id",
        "agent_flush_interval",
        "agent_high_watermark_ratio",
        "agent_timeout",
        "agent_max_concurrent_flushes",
        "agent_payload_signing_secret",
        "agent_project_encryption_key",
        "agent_sensitive_headers",
        "agent_max_payload_size",
        "agent_batch_max_bytes",
        "agent_send_paths",
        "agent_status_interval",
        "agent_exit_timeout",
        "enable_dynamic_rules",
        "dynamic_rules_cache_path",
        "dynamic_rule_interval",
    ),
    **dict.fromkeys(
        ("enable_agent", "agent_api_key", "agent_endpoint"),
        f"{_AGENT}enable_agent_and_agent_api_key_and_agent_endpoint",
    ),
    **dict.fromkeys(
        ("agent_install_id", "agent_guard_version"),
        f"{_AGENT}agent_install_id_and_agent_guard_version",
    ),
    **dict.fromkeys(
        ("agent_enable_events", "agent_enable_metrics"),
        f"{_AGENT}agent_enable_events_and_agent_enable_metrics",
    ),
    **dict.fromkeys(
        ("agent_buffer_size", "agent_buffer_overflow_policy"),
        f"{_AGENT}agent_buffer_size_and_agent_buffer_overflow_policy",
    ),
    **dict.fromkeys(
        ("agent_retry_attempts", "agent_backoff_factor"),
        f"{_AGENT}agent_retry_attempts_and_agent_backoff_factor",
    ),
    **dict.fromkeys(
        ("agent_compression_enabled", "agent_compression_threshold"),
        f"{_AGENT}agent_compression_enabled_and_agent_compression_threshold",
    ),
    **dict.fromkeys(
        ("agent_spool_path", "agent_spool_max_bytes", "agent_spool_max_age"),
        f"{_AGENT}agent_spool_path_and_its_bounds",
    ),
    **dict.fromkeys(
        ("emergency_mode", "emergency_whitelist"),
        f"{_AGENT}emergency_mode_and_emergency_whitelist",
    ),
}

DECORATORS: dict[str, str] = _named(
    _DECORATORS,
    "require_ip",
    "block_countries",
    "allow_countries",
    "block_clouds",
    "block_user_agents",
    "bypass",
    "require_auth",
    "api_key_auth",
    "require_authorization_header",
    "require_https",
    "require_headers",
    "require_referrer",
    "content_type_filter",
    "max_request_size",
    "time_window",
    "custom_validation",
    "honeypot_detection",
    "rate_limit",
    "geo_rate_limit",
    "usage_monitor",
    "return_monitor",
    "suspicious_frequency",
    "behavior_analysis",
    "suspicious_detection",
    "detection_exclusion",
    "upload_inspection",
    "security_headers",
) | dict.fromkeys(
    (
        "initialize_agent",
        "initialize_behavior_tracking",
        "send_access_denied_event",
        "send_authentication_failed_event",
        "send_decorator_event",
        "send_decorator_violation_event",
        "send_rate_limit_event",
    ),
    "tests/migration/test_names.py::test_events_of_decorators_reach_those_who_listen",
)

# Not decorators: they return the marks.
_LOOKING = {"get_route_config"}


def option_names() -> dict[str, bool]:
    """Every option, and whether the configuration marks it as having no effect."""
    return {
        option.name: "inert" in option.metadata for option in fields(SecurityConfig) if option.init
    }


def decorator_names() -> set[str]:
    members = getmembers(SecurityDecorator, isfunction)
    return {name for name, _ in members if not name.startswith("_")} - _LOOKING


@cache
def sources_by_name(path: str) -> dict[str, str]:
    """The tests of a file, with their source, decorators included."""
    source = (ROOT / path).read_text()
    lines = source.splitlines()
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


def source_of(test: str) -> str:
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file(), f"{path} does not exist"
    tests = sources_by_name(path)
    assert name in tests, f"{path} has no {name}"
    return tests[name]


@pytest.mark.parametrize("name", sorted(option_names()))
def test_every_option_has_a_test_of_its_effect(name: str) -> None:
    if option_names()[name]:
        assert name not in OPTIONS, f"{name} says that it does nothing, and has a test that it does"
        assert source_of(_IGNORED)
        return
    assert name in OPTIONS, (
        f"nobody has seen an effect of {name}: write a test, and name it in this file"
    )
    source = source_of(OPTIONS[name])
    assert re.search(rf"\b{name}\b", source), f"{OPTIONS[name]} does not use {name}"


@pytest.mark.parametrize("name", sorted(decorator_names()))
def test_every_decorator_has_a_test_of_its_effect(name: str) -> None:
    assert name in DECORATORS, (
        f"nobody has seen an effect of @{name}: write a test, and name it in this file"
    )
    assert f".{name}(" in source_of(DECORATORS[name])


def test_the_tables_hold_no_names_that_are_gone() -> None:
    assert set(OPTIONS) <= set(option_names())
    assert set(DECORATORS) <= decorator_names()
