"""A configuration for checks and trials."""

from __future__ import annotations

from guard_wsgi.config.security import SecurityConfig


def for_trial(config: SecurityConfig) -> SecurityConfig:
    """The same decisions without what reaches beyond this process: state that others share,
    telemetry, and files of logs."""
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
