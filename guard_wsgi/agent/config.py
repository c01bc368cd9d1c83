"""The agent's configuration. The names are those of the existing agent's ``AgentConfig``.

If a default differs from the existing agent's, the reason is beside it.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import field, frozen

from guard_wsgi.options.declaring import SECRET
from guard_wsgi.options.numbers import flag, is_blank, number, whole_number
from guard_wsgi.options.resolving import checked
from guard_wsgi.options.values import http_url, one_of, strings, synchronous, text
from guard_wsgi.request.hook_types import OnError

DEFAULT_ENDPOINT = "https://api.guard-core.com"

MIN_API_KEY_CHARS = 10
ENCRYPTION_KEY_BYTES = 32
"""AES-256."""

OverflowPolicy = Literal["drop", "block", "raise"]


def _endpoint(endpoint: str) -> str:
    """Remove a trailing slash and ``/api/v1``, which every path already contains."""
    endpoint = http_url(text(endpoint).strip()).rstrip("/")
    return endpoint.removesuffix("/api/v1").rstrip("/")


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else strings(names)


def _api_key(key: str) -> str:
    if not isinstance(key, str) or len(key) < MIN_API_KEY_CHARS:
        raise ValueError(f"must have at least {MIN_API_KEY_CHARS} characters")
    return _of_a_header(key)


def _of_a_header(value: str) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("must be printable ASCII, as it travels in a header")
    return value


def _unless_blank(value: str | None) -> str | None:
    """Return a text; blank text from the environment means that the option is not set."""
    return None if value is None or is_blank(value) else text(value)


def _header_unless_blank(value: str | None) -> str | None:
    given = _unless_blank(value)
    return None if given is None else _of_a_header(given)


def _key_unless_blank(value: str | None) -> str | None:
    given = _unless_blank(value)
    if given is not None:
        decode_encryption_key(given)
    return given


@checked
@frozen(slots=True, kw_only=True)
class AgentConfig:
    """Where telemetry goes, and how much of it is kept while the collector is down.

    Times are in seconds, sizes in bytes.

    :raises ConfigError: with every fault found.
    """

    # Where to
    api_key: str = field(converter=_api_key, repr=False)
    endpoint: str = field(default=DEFAULT_ENDPOINT, converter=_endpoint)
    project_id: str | None = field(default=None, converter=_header_unless_blank)
    # None: read from ~/.guard-agent/install-id, or generated once and written there.
    install_id: str | None = field(default=None, converter=_header_unless_blank)
    guard_version: str | None = field(default=None, converter=_unless_blank)
    guard_core_version: str | None = field(default=None, converter=_unless_blank)

    # What
    enable_events: bool = field(default=True, converter=flag)
    enable_metrics: bool = field(default=True, converter=flag)
    # Off, since a path may hold a secret and the collector may be somebody else's; events have the
    # route. Switch it on for your own console, which proposes exclusions by path.
    send_paths: bool = field(default=False, converter=flag)
    sensitive_headers: tuple[str, ...] = field(
        default=("authorization", "proxy-authorization", "cookie", "x-api-key"), converter=_names
    )
    # Longer texts in an event's metadata are cut to this many characters.
    max_payload_size: int = field(default=1024, validator=whole_number(1))

    # The queue. 10,000 events are at most some 10 MB, and hold the first minute of an attack.
    buffer_size: int = field(default=10_000, validator=whole_number(1))
    buffer_overflow_policy: OverflowPolicy = field(
        default="drop", validator=one_of("drop", "block", "raise")
    )
    # How long the policy `block` may delay a request; then the event is dropped and counted.
    buffer_block_timeout: float = field(default=0.1, validator=number(0))
    # A batch is sent when it is this big or this old, whichever comes first.
    batch_size: int = field(default=200, validator=whole_number(1))
    # Bytes of a body before compression: the most that the collector's service accepts.
    batch_max_bytes: int = field(default=262_144, validator=whole_number(4096))
    flush_interval: float = field(default=5.0, validator=number(0, above=True))
    # When the queue is this full, the sender wakes at once.
    high_watermark_ratio: float = field(default=0.8, validator=number(0, 1, above=True))
    max_concurrent_flushes: int = field(default=1, validator=whole_number(1))

    # The wire
    # Time for the answer. Connecting has 3.05 s, just over the first TCP retransmission.
    timeout: float = field(default=10.0, validator=number(0, above=True))
    # Quick retries of one batch; then it lets the next one go first.
    retry_attempts: int = field(default=3, validator=whole_number(0))
    backoff_factor: float = field(default=1.0, validator=number(0, above=True))
    compression_enabled: bool = field(default=True, converter=flag)
    compression_threshold: int = field(default=1024, validator=whole_number(0))
    project_encryption_key: str | None = field(
        default=None, converter=_key_unless_blank, repr=False
    )
    payload_signing_secret: str | None = field(
        default=None, converter=_unless_blank, metadata=SECRET, repr=False
    )

    # Exit. Telemetry must not make a worker's restart noticeably longer.
    exit_timeout: float = field(default=1.0, validator=number(0, 60))

    # Queue on disk, which outlives the process. None: memory only.
    spool_path: str | None = field(default=None, converter=_unless_blank)
    spool_max_bytes: int = field(default=67_108_864, validator=whole_number(1_048_576))
    # A week of outage; older events help nobody.
    spool_max_age: float = field(default=604_800.0, validator=number(0, above=True))

    # Intervals
    dynamic_rule_interval: float = field(default=300, validator=number(60))
    status_interval: float = field(default=300, validator=number(60, 86_400))

    # on_error(stage, exception, context): transport_send, encryption, serialization, spool
    on_error: OnError | None = field(default=None, validator=synchronous)

    def __attrs_post_init__(self) -> None:
        if self.max_concurrent_flushes > 1:
            warnings.warn(
                "max_concurrent_flushes has no effect: one thread sends, in batches that grow"
                " with the queue",
                stacklevel=3,
            )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> AgentConfig:
        """Build from a mapping in which ``None`` means the default.

        :raises ConfigError: on any fault, including an unknown name.
        """
        return cls(**{name: value for name, value in options.items() if value is not None})


def decode_encryption_key(key: str) -> bytes:
    """Decode a key of 32 bytes from URL-safe base64, padded or not.

    :raises ValueError: if it is anything else.
    """
    try:
        decoded = base64.b64decode(
            key.strip().rstrip("=") + "=" * (-len(key.strip().rstrip("=")) % 4),
            altchars=b"-_",
            validate=True,
        )
    except (binascii.Error, ValueError, AttributeError) as error:
        raise ValueError(f"must be URL-safe base64 ({error})") from None
    if len(decoded) != ENCRYPTION_KEY_BYTES:
        raise ValueError(f"must encode {ENCRYPTION_KEY_BYTES} bytes, not {len(decoded)}")
    return decoded
