"""The event bus: passes events from the guard to the log, the agent, metrics and hooks.

A sink is any object with ``send_event(event)``, ``send_metric(metric)`` or
``observe(endpoint, method, status, seconds, blocked)``; it may have ``close()``, and flags:
``wants_metrics`` (default true) and ``takes_muted_events`` (default false, true for the log, which
has its own option for muting). A sink with ``accepts(event_type, request, action_taken, check)`` is
asked before an event is made: an event that no sink accepts takes a microsecond instead of twenty.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from guard_wsgi.forks import track
from guard_wsgi.repeats import is_reported, times
from guard_wsgi.request.hook_types import OnError
from guard_wsgi.telemetry.aggregation import UNMATCHED, RequestAggregate
from guard_wsgi.telemetry.event_types import type_of
from guard_wsgi.telemetry.events import SecurityEvent, SecurityMetric
from guard_wsgi.telemetry.naming import decorator_of, handler_of
from guard_wsgi.telemetry.redaction import Redaction
from guard_wsgi.telemetry.silence import silenced

if TYPE_CHECKING:
    from guard_wsgi.request.view import GuardRequest

log = logging.getLogger("guard_wsgi.telemetry")

"""``on_error(stage, exception, context)`` of the config."""

Send = Callable[[SecurityEvent], object]
SendMetric = Callable[[SecurityMetric], object]
Observe = Callable[[str | None, str, int, float, bool], object]
Accepts = Callable[[str, "GuardRequest | None", str, str], bool]

METRIC_INTERVAL_SECONDS = 60.0
"""Dashboards resolve minutes; an interval costs a few metrics per endpoint."""

MAX_REASON_CHARS = 512
MAX_PATH_CHARS = 512
MAX_USER_AGENT_CHARS = 512
"""Browsers send fewer than 300 characters; nobody needs an attacker's whole user agent."""

_FIELDS = frozenset(
    {
        "country",
        "decorator_type",
        "endpoint",
        "handler_name",
        "ip_address",
        "method",
        "pattern_matched",
        "response_time",
        "rule_type",
        "status_code",
        "user_agent",
    }
)
"""Metadata that has its own field in an event."""


class Enrichment(Protocol):
    """Adds metadata to an event; it runs after redaction."""

    def __call__(self, event: SecurityEvent, /) -> Mapping[str, Any]: ...


class EventBus:
    """Sends events and metrics to all sinks. It never raises, waits or does I/O itself.

    :param sinks: see the module's docstring; :meth:`add_sink` adds more.
    :param muted_event_types: types that only the log gets.
    :param muted_metric_types: types of aggregated metrics that are dropped.
    :param redaction: applied to everything before any sink sees it.
    :param on_error: called as ``on_error("event_sink", exception, context)`` when a sink raises.
    :param enrichment: gives further metadata for each event.
    :param metric_interval_seconds: how often the aggregated metrics are sent.
    """

    def __init__(
        self,
        sinks: Iterable[object] = (),
        *,
        muted_event_types: Iterable[str] = frozenset(),
        muted_metric_types: Iterable[str] = frozenset(),
        redaction: Redaction | None = None,
        on_error: OnError | None = None,
        enrichment: Enrichment | None = None,
        metric_interval_seconds: float = METRIC_INTERVAL_SECONDS,
    ) -> None:
        self.redaction = redaction if redaction is not None else Redaction()
        self.wants_metrics = False
        # Whether requests send the metrics: a sink with `add_metric_source` asks for them itself.
        self._flushes = False
        self._muted_events = frozenset(muted_event_types)
        self._muted_metrics = frozenset(muted_metric_types)
        self._on_error = on_error
        self._enrichment = enrichment
        self._interval_seconds = metric_interval_seconds
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._emitted: dict[str, int] = {}
        self._aggregate = RequestAggregate()
        self._next_flush = time.monotonic() + metric_interval_seconds
        self._sinks: tuple[object, ...] = ()
        self._event_sinks: tuple[tuple[object, Send, bool, Accepts | None], ...] = ()
        self._metric_sinks: tuple[tuple[object, SendMetric], ...] = ()
        self._observers: tuple[tuple[object, Observe], ...] = ()
        #: Counts one request like `observe`, without a call in between if sinks fetch the counts.
        self.observer: Observe = self.observe
        for sink in sinks:
            self.add_sink(sink)
        track(self)

    def add_sink(self, sink: object) -> None:
        """Send events and metrics to this sink from now on."""
        self._sinks = (*self._sinks, sink)
        send_event = getattr(sink, "send_event", None)
        if send_event is not None:
            takes_muted = bool(getattr(sink, "takes_muted_events", False))
            accepts = getattr(sink, "accepts", None)
            self._event_sinks = (*self._event_sinks, (sink, send_event, takes_muted, accepts))
        if getattr(sink, "wants_metrics", True):
            send_metric = getattr(sink, "send_metric", None)
            observe = getattr(sink, "observe", None)
            if send_metric is not None:
                self._metric_sinks = (*self._metric_sinks, (sink, send_metric))
            if observe is not None:
                self._observers = (*self._observers, (sink, observe))
            add_source = getattr(sink, "add_metric_source", None)
            if send_metric is not None and add_source is not None:
                add_source(self.flush_metrics)
            elif send_metric is not None:
                self._flushes = True
        self.wants_metrics = bool(self._metric_sinks or self._observers)
        if self._metric_sinks and not (self._flushes or self._observers):
            self.observer = self._aggregate.add
        else:
            self.observer = self.observe

    def remove_sink(self, sink: object) -> None:
        """Send no more events to this sink. Sinks of metrics stay to the end."""
        self._sinks = tuple(one for one in self._sinks if one is not sink)
        self._event_sinks = tuple(kept for kept in self._event_sinks if kept[0] is not sink)

    def emit(
        self,
        event_type: str,
        request: GuardRequest | None = None,
        action_taken: str = "",
        check: str = "",
        details: Callable[[], Mapping[str, Any]] | None = None,
        **metadata: Any,
    ) -> None:
        """Send one event to every sink. Never raises, never waits.

        :param action_taken: ``"request_blocked"``, or ``"logged_only"`` when passive.
        :param check: the check that the event is about.
        :param details: makes further metadata, only if a sink accepts the event.
        :param metadata: ``reason=...``, ``findings=...`` and so on; names that an event has a
            field for (``status_code``, ``ip_address``, ``endpoint``, ``pattern_matched``...) fill
            that field.
        """
        if silenced.get():
            self._count("silenced")
            return
        takers = []
        for sink, send_event, takes_muted, accepts in self._event_sinks:
            if (takes_muted or event_type not in self._muted_events) and (
                accepts is None or accepts(event_type, request, action_taken, check)
            ):
                takers.append((sink, send_event))
        with self._lock:
            counts = self._emitted
            counts[event_type] = counts.get(event_type, 0) + 1
        if not takers:
            return
        token = silenced.set(True)
        try:
            if check:
                metadata["check"] = check
            if details is not None:
                metadata.update(details())
            event = self._event(event_type, request, action_taken, metadata)
            for sink, send_event in takers:
                try:
                    send_event(event)
                except Exception as error:  # a fault of a sink must not affect the request
                    self._sink_failed(sink, error)
        except Exception as error:  # metadata whose str() raises, or an incomplete request
            self._failed("event", error, {"event_type": event_type})
        finally:
            silenced.reset(token)

    def observe(
        self,
        endpoint: str | None,
        method: str,
        status: int,
        seconds: float,
        blocked: bool = False,
    ) -> None:
        """Count one request, denied or not. Call only while :attr:`wants_metrics` is true.

        :param endpoint: the route's template, ``None`` when no route is known; never a path.
        """
        if self._metric_sinks:
            self._aggregate.add(endpoint, method, status, seconds, blocked)
            if self._flushes and time.monotonic() >= self._next_flush:
                self.flush_metrics()
        for sink, observe in self._observers:
            try:
                observe(endpoint, method, status, seconds, blocked)
            except Exception as error:  # a fault of a sink must not affect the request
                self._sink_failed(sink, error)

    def flush_metrics(self, *, final: bool = False) -> None:
        """Send the aggregated metrics if their interval is over, or if ``final``."""
        with self._lock:
            now = time.monotonic()
            if now < self._next_flush and not final:
                return
            self._next_flush = now + self._interval_seconds
        for metric in self._aggregate.drain():
            if metric.metric_type in self._muted_metrics:
                continue
            for sink, send_metric in self._metric_sinks:
                try:
                    send_metric(metric)
                except Exception as error:  # a fault of a sink must not affect the request
                    self._sink_failed(sink, error)

    def counters(self) -> dict[str, int]:
        """Return how many events were emitted, in all and by type, muted and silenced, and the
        sinks' faults."""
        with self._lock:
            emitted = dict(self._emitted)
            counts = dict(self._counts)
        muted = sum(count for name, count in emitted.items() if name in self._muted_events)
        reported = {"emitted": sum(emitted.values()) - muted, "muted": muted}
        return emitted | counts | {name: count for name, count in reported.items() if count}

    def close(self) -> None:
        """Send the last metrics, then close the sinks that belong only to this bus."""
        self.flush_metrics(final=True)
        for sink in self._sinks:
            close = getattr(sink, "close", None)
            if close is not None:
                try:
                    close()
                except Exception as error:  # close the others all the same
                    self._sink_failed(sink, error)

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        self._counts = {}
        self._emitted = {}
        self._aggregate.after_fork_in_child()

    def _event(
        self,
        event_type: str,
        request: GuardRequest | None,
        action_taken: str,
        metadata: dict[str, Any],
    ) -> SecurityEvent:
        redaction = self.redaction
        reason = metadata.pop("reason", "")
        fields: dict[str, Any] = {}
        if request is not None:
            fields["ip_address"] = request.client_ip
            fields["country"] = _country(request)
            fields["user_agent"] = _cut(request.user_agent, MAX_USER_AGENT_CHARS)
            fields["path"] = _cut(request.path, MAX_PATH_CHARS)
            fields["endpoint"] = _cut(request.route_template or UNMATCHED, MAX_PATH_CHARS)
            fields["decorator_type"] = decorator_of(
                metadata.get("check", ""), request.verdict.route
            )
            if request.started:
                fields["response_time"] = round(time.perf_counter() - request.started, 6)
            fields["method"] = _cut(request.method, 32)
            metadata.setdefault("request_id", request.request_id)
            metadata.setdefault("route", request.endpoint)
        for name in _FIELDS.intersection(metadata):
            value = metadata.pop(name)
            if isinstance(value, str):
                value = redaction.text(_cut(value, MAX_REASON_CHARS))
            fields[name] = value
        fields.setdefault("handler_name", handler_of(metadata.get("check", ""), event_type))
        reported = redaction.metadata(metadata)
        event = SecurityEvent(
            event_type=event_type,
            action_taken=action_taken or type_of(event_type).action,
            reason=redaction.text(_cut(reason, MAX_REASON_CHARS)),
            metadata=reported,
            **fields,
        )
        if self._enrichment is not None:
            reported.update(self._enrichment(event))
        return event

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1

    def _sink_failed(self, sink: object, error: Exception) -> None:
        self._failed("event_sink", error, {"sink": type(sink).__name__})

    def _failed(self, stage: str, error: Exception, context: Mapping[str, Any]) -> None:
        self._count(f"{stage}_errors")
        count = self._counts[f"{stage}_errors"]
        if is_reported(count):
            log.warning("%s failed (%s so far): %s %r", stage, times(count), context, error)
        if self._on_error is not None:
            try:
                self._on_error(stage, error, context)
            except Exception as second:  # nothing else can report a fault of the hook
                log.warning("on_error raised %r", second)


def _country(request: GuardRequest) -> str | None:
    """Return the country; a source of countries that raises must not suppress the event about
    it."""
    try:
        return request.country
    except Exception:
        return None


def _cut(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else text[:max_chars] + "…"
