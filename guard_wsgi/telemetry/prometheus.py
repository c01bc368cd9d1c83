"""Counters and a histogram in the app's Prometheus registry. Needs the ``prometheus`` extra.

    bus.add_sink(PrometheusSink())

Every label has few values: event types, checks, endpoint templates, methods, status classes; a
client can't invent any. With several workers, run ``prometheus_client`` in its multiprocess mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard_wsgi.errors import MissingExtra
from guard_wsgi.telemetry.aggregation import MAX_SERIES, METHODS, OTHER, UNMATCHED
from guard_wsgi.telemetry.event_types import EVENT_TYPES
from guard_wsgi.telemetry.events import SecurityEvent

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The client library's default buckets, without the ones that are useless for web requests."""


class PrometheusSink:
    """Counts events and requests.

    ``guard_events_total{event_type, check, action}``,
    ``guard_requests_total{endpoint, method, status, blocked}``,
    ``guard_request_duration_seconds{endpoint, method}``.

    :param registry: ``None`` means the client library's default one.
    :raises MissingExtra: without ``prometheus_client``.
    """

    def __init__(self, registry: CollectorRegistry | None = None, namespace: str = "guard") -> None:
        try:
            import prometheus_client
        except ImportError:
            raise MissingExtra("PrometheusSink", "prometheus") from None
        self._registry: Any = prometheus_client.REGISTRY if registry is None else registry
        self._endpoints: set[str] = set()
        self._events = prometheus_client.Counter(
            "events",
            "Events of the guard",
            ("event_type", "check", "action"),
            namespace=namespace,
            registry=self._registry,
        )
        self._requests = prometheus_client.Counter(
            "requests",
            "Requests seen by the guard",
            ("endpoint", "method", "status", "blocked"),
            namespace=namespace,
            registry=self._registry,
        )
        self._seconds = prometheus_client.Histogram(
            "request_duration_seconds",
            "Time from the start of the guard to the start of the response",
            ("endpoint", "method"),
            namespace=namespace,
            registry=self._registry,
            buckets=BUCKETS_SECONDS,
        )

    def send_event(self, event: SecurityEvent) -> None:
        """Count an event."""
        event_type = event.event_type if event.event_type in EVENT_TYPES else OTHER
        check = event.metadata.get("check")
        self._events.labels(event_type, check or "", event.action_taken).inc()

    def observe(
        self, endpoint: str | None, method: str, status: int, seconds: float, blocked: bool
    ) -> None:
        """Count a request."""
        endpoint = endpoint or UNMATCHED
        if endpoint not in self._endpoints:
            if len(self._endpoints) >= MAX_SERIES:
                endpoint = OTHER
            self._endpoints.add(endpoint)
        method = method if method in METHODS else OTHER
        outcome = "true" if blocked else "false"
        self._requests.labels(endpoint, method, f"{status // 100}xx", outcome).inc()
        self._seconds.labels(endpoint, method).observe(seconds)

    def close(self) -> None:
        """Remove the metrics from the registry, so that another guard can use the names."""
        for metric in (self._events, self._requests, self._seconds):
            self._registry.unregister(metric)
