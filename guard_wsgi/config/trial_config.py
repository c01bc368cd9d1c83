"""A configuration for checks and trials."""

from __future__ import annotations

from guard_wsgi.config.security import SecurityConfig


def for_trial(config: SecurityConfig) -> SecurityConfig:
    """Return a configuration with the same decisions, without shared state, telemetry and log
    files."""
    return config.evolve(
        store_url="memory://",
        enable_redis=False,
        enable_agent=False,
        enable_dynamic_rules=False,
        enable_enrichment=False,
        enable_otel=False,
        enable_logfire=False,
        custom_log_file=None,
    )
