"""The agent, dynamic rules, emergency."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen

from guard_wsgi.agent.config import DEFAULT_ENDPOINT, AgentConfig
from guard_wsgi.config import texts as texts
from guard_wsgi.options import values as values
from guard_wsgi.options.declaring import BLANK_IS_UNSET, SECRET
from guard_wsgi.options.numbers import flag, whole_number
from guard_wsgi.options.resolving import same_as


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class AgentOptions:
    """The agent, dynamic rules, emergency."""

    # Options of the agent: None means the agent's default (AgentConfig).

    enable_agent: bool = field(
        # Off: nothing leaves the process unless you turn this on.
        default=False,
        converter=flag,
    )
    agent_api_key: str | None = field(
        # None: no agent. enable_agent needs a key of at least 10 characters.
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    agent_strict: bool = field(
        # False: a wrong agent configuration costs telemetry, not the site.
        default=False,
        converter=flag,
    )
    agent_endpoint: str = field(
        # The collector of flaskapi-guard's agent. Set the base URL of your own collector.
        default=DEFAULT_ENDPOINT,
        converter=values.http_url,
        metadata=BLANK_IS_UNSET,
    )
    agent_project_id: str | None = field(
        # None: the project of the key.
        default=None,
        converter=values.optional_text,
    )
    agent_buffer_size: int = same_as(
        # Events waiting to be sent: at most some 10 MB, the first minute of an attack.
        AgentConfig,
        "buffer_size",
    )
    agent_flush_interval: float = same_as(
        # A batch is sent at this age in seconds, unless it is full earlier.
        AgentConfig,
        "flush_interval",
    )
    agent_timeout: float = same_as(
        # Seconds that the sending thread waits. No request waits for it.
        AgentConfig,
        "timeout",
    )
    agent_retry_attempts: int = same_as(
        # Quick attempts to send a batch again. Then the next batch gets its turn.
        AgentConfig,
        "retry_attempts",
    )
    agent_enable_events: bool = same_as(
        # On: the agent exists to send them.
        AgentConfig,
        "enable_events",
    )
    agent_enable_metrics: bool = same_as(
        # On: aggregated over an interval and a route, they cost next to nothing.
        AgentConfig,
        "enable_metrics",
    )
    agent_send_paths: bool = same_as(
        # Off: a path may hold a secret, so a collector gets routes only. Turn it on for your own
        # console.
        AgentConfig,
        "send_paths",
    )
    agent_project_encryption_key: str | None = field(
        # None: TLS alone. 32 bytes in URL-safe base64 (AES-256-GCM).
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    agent_payload_signing_secret: str | None = field(
        # None: the API key proves the sender. HMAC-SHA256 over each body.
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    agent_guard_version: str | None = field(
        # None: the version of this package.
        default=None,
        converter=values.optional_text,
    )
    agent_install_id: str | None = field(
        # None: read from ~/.guard-agent/install-id, or generated once and stored there.
        default=None,
        converter=values.optional_text,
    )
    agent_high_watermark_ratio: float | None = same_as(
        # A queue that is filled to this ratio is sent at once.
        AgentConfig,
        "high_watermark_ratio",
        optional=True,
    )
    agent_max_concurrent_flushes: int | None = same_as(
        # One thread sends. More threads would only reorder batches.
        AgentConfig,
        "max_concurrent_flushes",
        optional=True,
    )
    agent_buffer_overflow_policy: Literal["drop", "block", "raise"] | None = same_as(
        # "drop", with a count: a request must not wait for telemetry.
        AgentConfig,
        "buffer_overflow_policy",
        optional=True,
    )
    agent_backoff_factor: float | None = same_as(
        # Seconds of the first pause. Each further pause is twice as long, with full jitter.
        AgentConfig,
        "backoff_factor",
        optional=True,
    )
    agent_sensitive_headers: frozenset[str] | None = field(
        # None: authorization, proxy-authorization, cookie, x-api-key.
        default=None,
        converter=values.optional_lower_set,
    )
    agent_max_payload_size: int | None = same_as(
        # Characters of the longest text in an event's metadata.
        AgentConfig,
        "max_payload_size",
        optional=True,
    )
    agent_compression_enabled: bool | None = same_as(
        # Batches are repetitive and shrink to a tenth.
        AgentConfig,
        "compression_enabled",
        optional=True,
    )
    agent_compression_threshold: int | None = same_as(
        # Bytes. Smaller batches gain nothing from gzip.
        AgentConfig,
        "compression_threshold",
        optional=True,
    )
    agent_batch_max_bytes: int | None = same_as(
        # The collector takes no more bytes in one body.
        AgentConfig,
        "batch_max_bytes",
        optional=True,
    )
    agent_status_interval: int = same_as(
        # Five minutes: soon enough to notice a silent worker.
        AgentConfig,
        "status_interval",
        within=whole_number(60, 86_400),
    )
    agent_spool_path: Path | None = field(
        # None: queued events are lost when the process is killed.
        default=None,
        converter=values.optional_path,
    )
    agent_spool_max_bytes: int | None = same_as(
        # The most that an outage may take of the disk. The oldest events go first.
        AgentConfig,
        "spool_max_bytes",
        optional=True,
    )
    agent_spool_max_age: int | None = same_as(
        # Seconds. Older events help nobody.
        AgentConfig,
        "spool_max_age",
        within=whole_number(60),
        optional=True,
    )
    agent_exit_timeout: float = same_as(
        # The longest that the end of a process waits for the last batch, in seconds.
        AgentConfig,
        "exit_timeout",
    )
    enable_dynamic_rules: bool = field(
        # Off: a collector that can send rules can also block every visitor.
        default=False,
        converter=flag,
    )
    dynamic_rule_interval: int = same_as(
        # Five minutes, one fetch per process. Rules are not an emergency switch.
        AgentConfig,
        "dynamic_rule_interval",
        within=whole_number(60),
    )
    dynamic_rules_cache_path: Path | None = field(
        # None: after a restart the last rules come from the store or from the collector.
        default=None,
        converter=values.optional_path,
    )
    emergency_mode: bool = field(
        # True answers 503 to everybody outside emergency_whitelist.
        default=False,
        converter=flag,
    )
    emergency_whitelist: tuple[str, ...] = field(
        # Empty: nobody passes. List the networks of the people who work on the site.
        default=(),
        converter=texts.networks,
    )
