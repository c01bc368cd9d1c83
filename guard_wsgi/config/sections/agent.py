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
        # Whether events and metrics are sent to a collector. Off: nothing leaves the process unless
        # you turn this on.
        default=False,
        converter=flag,
    )
    agent_api_key: str | None = field(
        # The collector's key for this app, of at least 10 characters. enable_agent needs it.
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    agent_strict: bool = field(
        # Whether a wrong agent configuration stops the start. False: the site runs without
        # telemetry, and the log says so.
        default=False,
        converter=flag,
    )
    agent_endpoint: str = field(
        # The base URL of the collector. The default is the service of flaskapi-guard; set that of
        # your own collector.
        default=DEFAULT_ENDPOINT,
        converter=values.http_url,
        metadata=BLANK_IS_UNSET,
    )
    agent_project_id: str | None = field(
        # The project at the collector. None: the project of the key.
        default=None,
        converter=values.optional_text,
    )
    agent_buffer_size: int = same_as(
        # The most events that wait to be sent: some 10 MB, the first minute of an attack.
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
        # Whether the agent sends events.
        AgentConfig,
        "enable_events",
    )
    agent_enable_metrics: bool = same_as(
        # Whether the agent sends metrics. On: aggregated over an interval and a route, they cost
        # next to nothing.
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
        # The key that encrypts what is sent, 32 bytes in URL-safe base64 (AES-256-GCM). None: TLS
        # only.
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    agent_payload_signing_secret: str | None = field(
        # The secret that signs each body (HMAC-SHA256). None: the API key proves the sender.
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    agent_guard_version: str | None = field(
        # The version that the agent reports. None: the version of this package.
        default=None,
        converter=values.optional_text,
    )
    agent_install_id: str | None = field(
        # The id of this installation. None: read from ~/.guard-agent/install-id, or generated once
        # and stored there.
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
        # What happens when the queue is full. "drop": events are dropped and counted, because a
        # request must not wait for telemetry.
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
        # Headers that are never sent. None: authorization, proxy-authorization, cookie, x-api-key.
        default=None,
        converter=values.optional_lower_set,
    )
    agent_max_payload_size: int | None = same_as(
        # The most characters of a text in an event's metadata.
        AgentConfig,
        "max_payload_size",
        optional=True,
    )
    agent_compression_enabled: bool | None = same_as(
        # Whether batches are compressed. On: they are repetitive and shrink to a tenth.
        AgentConfig,
        "compression_enabled",
        optional=True,
    )
    agent_compression_threshold: int | None = same_as(
        # Bytes from which a batch is compressed. Smaller batches gain nothing from gzip.
        AgentConfig,
        "compression_threshold",
        optional=True,
    )
    agent_batch_max_bytes: int | None = same_as(
        # The most bytes of a batch. The service of flaskapi-guard accepts no larger body.
        AgentConfig,
        "batch_max_bytes",
        optional=True,
    )
    agent_status_interval: int = same_as(
        # Seconds between two reports of the agent's health. Five minutes are soon enough to notice
        # a silent worker.
        AgentConfig,
        "status_interval",
        within=whole_number(60, 86_400),
    )
    agent_spool_path: Path | None = field(
        # A folder that keeps queued events on disk. None: they are lost when the process is killed.
        default=None,
        converter=values.optional_path,
    )
    agent_spool_max_bytes: int | None = same_as(
        # The most bytes of the folder. The oldest events go first.
        AgentConfig,
        "spool_max_bytes",
        optional=True,
    )
    agent_spool_max_age: int | None = same_as(
        # Seconds after which an event is dropped. A week: older events help nobody.
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
        # Whether the collector may change rules at run time. Off: it could also block every
        # visitor.
        default=False,
        converter=flag,
    )
    dynamic_rule_interval: int = same_as(
        # Seconds between two fetches of rules, one fetch per process. Five minutes: rules are not
        # an emergency switch.
        AgentConfig,
        "dynamic_rule_interval",
        within=whole_number(60),
    )
    dynamic_rules_cache_path: Path | None = field(
        # A file with the last rules, for the next start. None: they come from the store or from the
        # collector.
        default=None,
        converter=values.optional_path,
    )
    emergency_mode: bool = field(
        # True answers 503 to everybody outside emergency_whitelist.
        default=False,
        converter=flag,
    )
    emergency_whitelist: tuple[str, ...] = field(
        # Who passes in an emergency: the networks of the people who work on the site. Empty:
        # nobody.
        default=(),
        converter=texts.networks,
    )
