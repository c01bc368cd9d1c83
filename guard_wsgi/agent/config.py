"""What the agent needs to know. The names are those of the existing agent's ``AgentConfig``.

Where a default differs from its, the reason is beside it.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import field, fields, frozen

from guard_wsgi.errors import ConfigError
from guard_wsgi.options.numbers import Range, flag, is_blank, number, whole_number

DEFAULT_ENDPOINT = "https://api.guard-core.com"

MIN_API_KEY_CHARS = 10
ENCRYPTION_KEY_BYTES = 32
"""AES-256."""

OverflowPolicy = Literal["drop", "block", "raise"]
OnError = Callable[[str, Exception, Mapping[str, Any]], object]


def _endpoint(endpoint: object) -> str:
    """Without a trailing slash and without ``/api/v1``, which every path brings along."""
    endpoint = str(endpoint).strip().rstrip("/")
    return endpoint.removesuffix("/api/v1").rstrip("/")


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


_NUMBERS: Mapping[str, Range] = {
    "buffer_size": whole_number(1),
    "batch_size": whole_number(1),
    "max_concurrent_flushes": whole_number(1),
    "retry_attempts": whole_number(0),
    "compression_threshold": whole_number(0),
    "batch_max_bytes": whole_number(4096),
    "max_payload_size": whole_number(1),
    "spool_max_bytes": whole_number(1_048_576),
    "exit_timeout": number(0),
    "buffer_block_timeout": number(0),
    "flush_interval": number(0, above=True),
    "timeout": number(0, above=True),
    "backoff_factor": number(0, above=True),
    "spool_max_age": number(0, above=True),
    "dynamic_rule_interval": number(60),
    "status_interval": number(60),
    "high_watermark_ratio": number(0, 1, above=True),
}
_OPTIONAL_TEXTS = (
    "project_id",
    "install_id",
    "guard_version",
    "guard_core_version",
    "project_encryption_key",
    "payload_signing_secret",
    "spool_path",
)


@frozen(slots=True, kw_only=True)
class AgentConfig:
    """Where telemetry goes, and how much of it is kept while it can't go.

    Times are in seconds, sizes in bytes.

    :raises ConfigError: with every fault found.
    """

    # Where to
    api_key: str = field(repr=False)
    endpoint: str = field(default=DEFAULT_ENDPOINT, converter=_endpoint)
    project_id: str | None = None
    # None: read from ~/.guard-agent/install-id, or made up once and written there.
    install_id: str | None = None
    guard_version: str | None = None
    guard_core_version: str | None = None

    # What
    enable_events: bool = True
    enable_metrics: bool = True
    # A path may hold a secret, and the collector may be somebody else's: routes do without it.
    # For a console of one's own, which proposes exclusions by path.
    send_paths: bool = False
    sensitive_headers: tuple[str, ...] = field(
        default=("authorization", "proxy-authorization", "cookie", "x-api-key"), converter=_names
    )
    # Characters of the longest text told in an event's metadata; what is longer is cut.
    max_payload_size: int = 1024

    # The queue. 10,000 events are some 10 MB at worst, and an attack's first minute.
    buffer_size: int = 10_000
    buffer_overflow_policy: OverflowPolicy = "drop"
    # How long `block` lets a request wait at most; after that the event is dropped and counted.
    buffer_block_timeout: float = 0.1
    # A batch goes when it is this big, or this old, whichever is first.
    batch_size: int = 200
    # Of a body before compression: the most that the collector's service takes.
    batch_max_bytes: int = 262_144
    flush_interval: float = 5.0
    # This share of the queue wakes the sender at once, whatever the age.
    high_watermark_ratio: float = 0.8
    max_concurrent_flushes: int = 1

    # The wire
    # For the answer; connecting has 3.05 s, just over the first TCP retransmission.
    timeout: float = 10.0
    # Quick attempts of one batch after the first; then it makes way for the next.
    retry_attempts: int = 3
    backoff_factor: float = 1.0
    compression_enabled: bool = True
    compression_threshold: int = 1024
    project_encryption_key: str | None = field(default=None, repr=False)
    payload_signing_secret: str | None = field(default=None, repr=False)

    # The end. A worker's restart may not take noticeably longer for the sake of telemetry.
    exit_timeout: float = 1.0

    # What outlives the process. None: memory only.
    spool_path: str | None = None
    spool_max_bytes: int = 67_108_864
    # A week of outage; older news helps nobody.
    spool_max_age: float = 604_800.0

    # Intervals
    dynamic_rule_interval: float = 300
    status_interval: float = 300

    # on_error(stage, exception, context): transport_send, encryption, serialization, spool
    on_error: OnError | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> AgentConfig:
        """Build from a mapping in which ``None`` means "the default".

        :raises ConfigError: on any fault; an unknown name is one.
        """
        known = {attribute.name for attribute in fields(cls)}
        unknown = sorted(set(options) - known)
        if unknown:
            raise ConfigError([f"{name}: the agent has no such option" for name in unknown])
        return cls(**{name: value for name, value in options.items() if value is not None})

    def __attrs_post_init__(self) -> None:
        faults = [*self._read(), *self._faults()]
        if faults:
            raise ConfigError(faults)
        if self.max_concurrent_flushes > 1:
            warnings.warn(
                "max_concurrent_flushes has no effect: one thread sends, in batches that grow "
                "with the queue",
                stacklevel=3,
            )

    def _read(self) -> Iterable[str]:
        """Turn text of the environment into what it stands for; faults for what stands for
        nothing."""
        for name, reads in _NUMBERS.items():
            try:
                object.__setattr__(self, name, reads.read(getattr(self, name)))
            except ValueError as fault:
                yield f"{name}: {fault}"
        for name in ("enable_events", "enable_metrics", "send_paths", "compression_enabled"):
            try:
                object.__setattr__(self, name, flag(getattr(self, name)))
            except ValueError as fault:
                yield f"{name}: {fault}"
        for name in _OPTIONAL_TEXTS:
            if is_blank(getattr(self, name)):
                object.__setattr__(self, name, None)

    def _faults(self) -> Iterable[str]:
        if not isinstance(self.api_key, str) or len(self.api_key) < MIN_API_KEY_CHARS:
            yield f"api_key: at least {MIN_API_KEY_CHARS} characters"
        elif not self.api_key.isascii() or not self.api_key.isprintable():
            yield "api_key: printable ASCII only, as it travels in a header"
        try:
            parts = urlsplit(self.endpoint)
            _ = parts.port
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
        except (ValueError, TypeError, AttributeError):
            is_url = False
        if not is_url:
            yield f"endpoint: {self.endpoint!r} is no http(s) URL"
        if self.buffer_overflow_policy not in ("drop", "block", "raise"):
            yield (
                f"buffer_overflow_policy: drop, block or raise, not {self.buffer_overflow_policy!r}"
            )
        for name in ("project_id", "install_id"):
            value = getattr(self, name)
            if value is not None and not (
                isinstance(value, str) and value and value.isascii() and value.isprintable()
            ):
                yield f"{name}: printable ASCII, as it travels in a header"
        if self.project_encryption_key is not None:
            try:
                decode_encryption_key(self.project_encryption_key)
            except ValueError as error:
                yield f"project_encryption_key: {error}"
        on_error: object = self.on_error
        if on_error is not None and not callable(on_error):
            yield "on_error: a callable"


def decode_encryption_key(key: str) -> bytes:
    """The 32 bytes that a key in URL-safe base64, padded or not, stands for.

    :raises ValueError: when it stands for anything else.
    """
    try:
        decoded = base64.b64decode(
            key.strip().rstrip("=") + "=" * (-len(key.strip().rstrip("=")) % 4),
            altchars=b"-_",
            validate=True,
        )
    except (binascii.Error, ValueError, AttributeError) as error:
        raise ValueError(f"URL-safe base64 expected ({error})") from None
    if len(decoded) != ENCRYPTION_KEY_BYTES:
        raise ValueError(f"{ENCRYPTION_KEY_BYTES} bytes expected, got {len(decoded)}")
    return decoded
