"""Names that the guard_agent package exports and that this package does not need itself.

The other package's methods wait in an event loop. These answer at once: a WSGI app has no event
loop.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from attrs import field, frozen

from guard_wsgi.agent.batch import Batch, Encoder, Kind, batches, new_batch_id
from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.delivery import attempt
from guard_wsgi.agent.handler import GuardAgentHandler
from guard_wsgi.agent.identity import install_id
from guard_wsgi.agent.rules import DynamicRules, RulesError
from guard_wsgi.agent.sender import BufferFullError
from guard_wsgi.agent.status import AgentStatus
from guard_wsgi.agent.transport import Transport, TransportError, load
from guard_wsgi.errors import ConfigError, GuardError
from guard_wsgi.telemetry.events import SecurityEvent, SecurityMetric, utc_now
from guard_wsgi.telemetry.redaction import REDACTED

T = TypeVar("T")

TRUNCATED = "...[TRUNCATED]"

GuardAgentError = GuardError
SyncGuardAgentHandler = GuardAgentHandler


@frozen(slots=True, kw_only=True)
class EventBatch:
    """Events and metrics in a batch, as the collector reads them."""

    project_id: str
    events: tuple[SecurityEvent, ...] = field(default=(), converter=tuple)
    metrics: tuple[SecurityMetric, ...] = field(default=(), converter=tuple)
    batch_id: str = field(factory=new_batch_id)
    created_at: datetime = field(factory=utc_now)
    compressed: bool = False
    agent_version: str | None = None
    guard_version: str | None = None
    guard_core_version: str | None = None

    def as_wire(self) -> dict[str, Any]:
        """Return the JSON object, nulls included."""
        return {
            "project_id": self.project_id,
            "events": [event.as_wire() for event in self.events],
            "metrics": [metric.as_wire() for metric in self.metrics],
            "batch_id": self.batch_id,
            "created_at": self.created_at.isoformat(),
            "compressed": self.compressed,
            "agent_version": self.agent_version,
            "guard_version": self.guard_version,
            "guard_core_version": self.guard_core_version,
        }


class EventBuffer:
    """Keeps up to ``buffer_size`` events and as many metrics in memory; the oldest is dropped
    first.

    :raises BufferFullError: from ``add_*``, under the overflow policy ``raise``.
    """

    def __init__(
        self, config: AgentConfig, flush_callback: Callable[[], Any] | None = None
    ) -> None:
        self.config = config
        self._flush = flush_callback
        self._lock = threading.Lock()
        self._events: deque[SecurityEvent] = deque()
        self._metrics: deque[SecurityMetric] = deque()
        self._dropped = 0

    def add_event(self, event: SecurityEvent) -> None:
        self._add(self._events, event)

    def add_metric(self, metric: SecurityMetric) -> None:
        self._add(self._metrics, metric)

    def flush_events(self) -> list[SecurityEvent]:
        """Remove and return all."""
        return self._taken(self._events)

    def flush_metrics(self) -> list[SecurityMetric]:
        return self._taken(self._metrics)

    def clear_buffer(self) -> None:
        self._taken(self._events)
        self._taken(self._metrics)

    def get_buffer_size(self) -> int:
        return len(self._events) + len(self._metrics)

    def get_stats(self) -> dict[str, Any]:
        return {
            "current_event_buffer_size": len(self._events),
            "current_metric_buffer_size": len(self._metrics),
            "events_dropped": self._dropped,
        }

    def _add(self, queue: deque[T], thing: T) -> None:
        with self._lock:
            if len(queue) >= self.config.buffer_size:
                if self.config.buffer_overflow_policy == "raise":
                    raise BufferFullError(f"{self.config.buffer_size} are queued")
                queue.popleft()
                self._dropped += 1
            queue.append(thing)
            is_high = len(queue) >= self.config.high_watermark_ratio * self.config.buffer_size
        if is_high and self._flush is not None:
            self._flush()

    def _taken(self, queue: deque[T]) -> list[T]:
        with self._lock:
            things = list(queue)
            queue.clear()
        return things


class HTTPTransport:
    """Posts events, metrics and status to a collector, once each. Returns whether it accepted
    them."""

    def __init__(self, config: AgentConfig) -> None:
        load()
        self.config = config
        self._encoder = Encoder(config)
        self._transport = Transport(config, config.install_id or install_id())
        self._counts = {"requests_sent": 0, "requests_failed": 0, "bytes_sent": 0}

    def initialize(self) -> None:
        """Do nothing: the first request connects."""

    def send_events(self, events: Iterable[SecurityEvent]) -> bool:
        return self._sent("events", events)

    def send_metrics(self, metrics: Iterable[SecurityMetric]) -> bool:
        return self._sent("metrics", metrics)

    def send_status(self, status: AgentStatus) -> bool:
        sealed = self._encoder.seal_plain(status.as_wire())
        try:
            answer = self._transport.request("POST", "/api/v1/status", sealed.body, sealed.headers)
        except TransportError:
            return False
        return 200 <= answer.status < 300

    def fetch_dynamic_rules(self) -> DynamicRules | None:
        """Return the collector's rules; ``None`` if there are none or they can't be fetched."""
        handler = GuardAgentHandler(self.config)
        try:
            return handler.get_dynamic_rules()
        except (TransportError, RulesError):
            return None
        finally:
            handler.stop(0)

    def get_stats(self) -> dict[str, Any]:
        return dict(self._counts)

    def close(self) -> None:
        self._transport.close()

    def _sent(self, kind: Kind, things: Iterable[SecurityEvent | SecurityMetric]) -> bool:
        items = [self._encoder.encode(thing) for thing in things]
        made = batches(items, self.config.batch_size, self._encoder.room_bytes)
        return sum(self._took(batch) for batch in made) == len(made)

    def _took(self, batch: Batch) -> bool:
        outcome = attempt(batch, self._encoder, self._transport)
        took = not outcome.trouble and not outcome.again and not outcome.dropped
        self._counts["requests_sent" if took else "requests_failed"] += 1
        self._counts["bytes_sent"] += outcome.bytes_sent
        return took


class RateLimiter:
    """Allows ``max_calls`` in any ``time_window`` seconds."""

    def __init__(self, max_calls: int, time_window: float) -> None:
        self.max_calls = max_calls
        self.time_window = time_window
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def acquire(self) -> bool:
        """Whether one more call is allowed now; an allowed call is counted."""
        with self._lock:
            self._forget()
            if len(self._calls) >= self.max_calls:
                return False
            self._calls.append(time.monotonic())
            return True

    def get_retry_after(self) -> float:
        """Return the seconds until the next call is allowed."""
        with self._lock:
            self._forget()
            if len(self._calls) < self.max_calls or not self._calls:
                return 0.0
            return max(0.0, self._calls[0] + self.time_window - time.monotonic())

    def _forget(self) -> None:
        before = time.monotonic() - self.time_window
        while self._calls and self._calls[0] <= before:
            self._calls.popleft()


class CircuitBreaker:
    """Blocks calls for ``recovery_timeout`` seconds after ``failure_threshold`` failures; then one
    call probes.

    :ivar state: ``CLOSED``, ``OPEN`` or ``HALF_OPEN``.
    """

    def __init__(self, failure_threshold: int = 5, recovery_timeout: float = 60.0) -> None:
        self.failure_threshold = failure_threshold
        self.recovery_timeout = recovery_timeout
        self.failure_count = 0
        self.last_failure_time: float | None = None
        self.state = "CLOSED"
        self._lock = threading.Lock()

    def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call the function.

        :raises GuardAgentError: while the breaker is open.
        """
        with self._lock:
            if self.state != "CLOSED":
                waited = time.monotonic() - (self.last_failure_time or 0.0)
                if self.state == "HALF_OPEN" or waited < self.recovery_timeout:
                    raise GuardAgentError("the circuit breaker is open")
                self.state = "HALF_OPEN"
        try:
            result = function(*args, **kwargs)
        except BaseException:
            with self._lock:
                self.failure_count += 1
                self.last_failure_time = time.monotonic()
                if self.state == "HALF_OPEN" or self.failure_count >= self.failure_threshold:
                    self.state = "OPEN"
            raise
        with self._lock:
            self.failure_count, self.state = 0, "CLOSED"
        return result


@runtime_checkable
class AgentHandlerProtocol(Protocol):
    """What a guard needs from an agent."""

    def start(self) -> Any: ...

    def stop(self) -> Any: ...

    def send_event(self, event: Any) -> Any: ...

    def send_metric(self, metric: Any) -> Any: ...

    def flush_buffer(self) -> Any: ...

    def get_dynamic_rules(self) -> Any: ...

    def health_check(self) -> Any: ...


@runtime_checkable
class BufferProtocol(Protocol):
    """What an agent needs from a buffer."""

    def add_event(self, event: SecurityEvent) -> Any: ...

    def add_metric(self, metric: SecurityMetric) -> Any: ...

    def flush_events(self) -> Any: ...

    def flush_metrics(self) -> Any: ...

    def get_buffer_size(self) -> Any: ...


@runtime_checkable
class TransportProtocol(Protocol):
    """What an agent needs from a transport."""

    def send_events(self, events: list[SecurityEvent]) -> Any: ...

    def send_metrics(self, metrics: list[SecurityMetric]) -> Any: ...

    def send_status(self, status: AgentStatus) -> Any: ...

    def fetch_dynamic_rules(self) -> Any: ...


def generate_batch_id() -> str:
    """Milliseconds since the epoch, a hyphen, eight hex digits."""
    return new_batch_id()


def get_current_timestamp() -> datetime:
    """Return the current time in UTC."""
    return utc_now()


def hash_ip(ip: str, salt: str = "") -> str:
    """Return the first 16 hex digits of SHA-256 over address and salt: a pseudonym of the
    client."""
    return hashlib.sha256(f"{ip}{salt}".encode()).hexdigest()[:16]


def sanitize_headers(
    headers: Mapping[str, Any], sensitive_headers: Iterable[str]
) -> dict[str, Any]:
    """Return the headers with sensitive values hidden; case does not matter in names."""
    hidden = {name.lower() for name in sensitive_headers}
    return {name: REDACTED if name.lower() in hidden else value for name, value in headers.items()}


def truncate_payload(payload: str, max_size: int) -> str:
    """Return the text, cut at ``max_size`` characters; a mark shows the cut."""
    return payload if len(payload) <= max_size else payload[:max_size] + TRUNCATED


def validate_config(config: AgentConfig | Mapping[str, Any]) -> list[str]:
    """List every fault of a configuration, one sentence each. A constructed configuration has
    none."""
    if isinstance(config, AgentConfig):
        return []
    try:
        AgentConfig.from_options(config)
    except ConfigError as error:
        return list(error.faults)
    except TypeError:
        return ["api_key: at least 10 characters"]
    return []


_FILE_HANDLER = "guard_wsgi.agent.file"


def setup_agent_logging(
    log_file: str | None = None, log_format: str = "text", *, reconfigure: bool = True
) -> logging.Logger:
    """Return the agent's logger; with ``log_file`` its lines go there as well.

    The app's own logging settings decide everything else.
    """
    logger = logging.getLogger("guard_wsgi.agent")
    if log_file is not None and (reconfigure or not logger.handlers):
        for handler in [each for each in logger.handlers if each.name == _FILE_HANDLER]:
            logger.removeHandler(handler)
            handler.close()
        Path(log_file).parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log_file, encoding="utf-8", delay=True)
        handler.set_name(_FILE_HANDLER)
        if log_format == "json":
            from guard_wsgi.telemetry.logs import JsonFormatter

            handler.setFormatter(JsonFormatter())
        else:
            handler.setFormatter(
                logging.Formatter("[%(name)s] %(asctime)s - %(levelname)s - %(message)s")
            )
        logger.addHandler(handler)
    return logger
