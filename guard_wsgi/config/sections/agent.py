"""The agent, dynamic rules, emergency."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen

from guard_wsgi.config import texts as texts
from guard_wsgi.config import values as values
from guard_wsgi.config.values import one_of
from guard_wsgi.options.declaring import BLANK_IS_UNSET, SECRET
from guard_wsgi.options.numbers import flag, number, optional_flag, whole_number

_DAY_SECONDS = 86_400


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class AgentOptions:
    """The agent, dynamic rules, emergency."""

    enable_agent: bool = field(
        # Off: nothing leaves the process unless you say so.
        default=False,
        converter=flag,
    )
    agent_api_key: str | None = field(
        # None; without one there is no agent.
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
        # Where the existing agent sends; set your own collector's base URL.
        default="https://api.guard-core.com",
        converter=texts.http_url,
        metadata=BLANK_IS_UNSET,
    )
    agent_project_id: str | None = field(
        # None: the key's own project.
        default=None,
        converter=values.optional_text,
    )
    agent_buffer_size: int = field(
        # Events waiting to be sent; some 10 MB at worst, an attack's first minute.
        default=10_000,
        validator=whole_number(1),
    )
    agent_flush_interval: float = field(
        # A batch goes when it is this old, if it has not gone for its size.
        default=5.0,
        validator=number(0, above=True),
    )
    agent_timeout: float = field(
        # Of the sender's thread; no request waits for it.
        default=10.0,
        validator=number(0, above=True),
    )
    agent_retry_attempts: int = field(
        # Quick attempts of one batch after the first; then it makes way for the next.
        default=3,
        validator=whole_number(0),
    )
    agent_enable_events: bool = field(
        # On: what the agent is for.
        default=True,
        converter=flag,
    )
    agent_enable_metrics: bool = field(
        # On: aggregated over an interval and a route, they cost next to nothing.
        default=True,
        converter=flag,
    )
    agent_send_paths: bool = field(
        # A path may hold a secret, so a collector is told routes. On for a console of your own.
        default=False,
        converter=flag,
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
        # None: this package's version.
        default=None,
        converter=values.optional_text,
    )
    agent_install_id: str | None = field(
        # None: read from ~/.guard-agent/install-id, or made up once and kept there.
        default=None,
        converter=values.optional_text,
    )
    agent_high_watermark_ratio: float | None = field(
        # A queue filled so far is sent at once, whatever its age.
        default=None,
        validator=number(0, 1, optional=True, above=True),
    )
    agent_max_concurrent_flushes: int | None = field(
        # One thread sends; more would only reorder.
        default=None,
        validator=whole_number(1, optional=True),
    )
    agent_buffer_overflow_policy: Literal["drop", "block", "raise"] | None = field(
        # "drop", counted: a request must not wait for telemetry.
        default=None,
        validator=one_of("drop", "block", "raise", optional=True),
    )
    agent_backoff_factor: float | None = field(
        # Seconds of the first pause, doubled with each, with full jitter.
        default=None,
        validator=number(0, optional=True, above=True),
    )
    agent_sensitive_headers: frozenset[str] | None = field(
        # The agent's list: authorization, proxy-authorization, cookie, x-api-key.
        default=None,
        converter=values.optional_lower_set,
    )
    agent_max_payload_size: int | None = field(
        # Characters of the longest text in an event's metadata.
        default=None,
        validator=whole_number(1, optional=True),
    )
    agent_compression_enabled: bool | None = field(
        # On: batches are repetitive and shrink to a tenth.
        default=None,
        converter=optional_flag,
    )
    agent_compression_threshold: int | None = field(
        # Bytes under which gzip gains nothing.
        default=None,
        validator=whole_number(0, optional=True),
    )
    agent_batch_max_bytes: int | None = field(
        # 256 KiB, the most that the collector's service takes in one body.
        default=None,
        validator=whole_number(4096, optional=True),
    )
    agent_status_interval: int = field(
        # Five minutes: soon enough to notice a silent worker.
        default=300,
        validator=whole_number(60, _DAY_SECONDS),
    )
    agent_spool_path: Path | None = field(
        # None: what is queued when the process is killed is lost.
        default=None,
        converter=values.optional_path,
    )
    agent_spool_max_bytes: int | None = field(
        # What an outage may take of the disk; the oldest goes first.
        default=None,
        validator=whole_number(1_048_576, optional=True),
    )
    agent_spool_max_age: int | None = field(
        # Seconds after which news helps nobody.
        default=None,
        validator=whole_number(60, optional=True),
    )
    agent_exit_timeout: float = field(
        # What the end of a process waits at most for the last batch.
        default=1.0,
        validator=number(0, 60),
    )
    enable_dynamic_rules: bool = field(
        # Off: who may send rules may also block everybody.
        default=False,
        converter=flag,
    )
    dynamic_rule_interval: int = field(
        # Five minutes, one fetch a process; rules are no emergency switch.
        default=300,
        validator=whole_number(60),
    )
    dynamic_rules_cache_path: Path | None = field(
        # None: after a restart the last rules come from the store, or anew.
        default=None,
        converter=values.optional_path,
    )
    emergency_mode: bool = field(
        # True answers 503 to all but emergency_whitelist.
        default=False,
        converter=flag,
    )
    emergency_whitelist: tuple[str, ...] = field(
        # Empty: nobody gets in. Name the networks of those who work on the site.
        default=(),
        converter=texts.networks,
    )
