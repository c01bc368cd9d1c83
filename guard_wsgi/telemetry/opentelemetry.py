"""Events as spans, requests as a histogram and counters, through the OpenTelemetry API alone.

The app decides where they go: it sets up a provider, as for its own telemetry. If
``otel_exporter_endpoint`` names a collector, this sink makes its own providers, which are not
global. That needs ``opentelemetry-sdk`` and ``opentelemetry-exporter-otlp-proto-http``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from guard_wsgi.errors import MissingExtra
from guard_wsgi.forks import track
from guard_wsgi.telemetry.aggregation import METHODS, OTHER, UNMATCHED
from guard_wsgi.telemetry.events import SecurityEvent

SCOPE = "guard_wsgi"


class OpenTelemetrySink:
    """Spans ``guard.event.<type>``; ``guard.request.duration`` (s), ``guard.request.count`` and
    ``guard.error.count``.

    :param tracer_provider: ``None`` means the global one, as for ``meter_provider``.
    :param exporter_endpoint: base URL of an OTLP/HTTP collector, for this sink's own providers.
    :param service_name: the service of these providers' resource; otherwise an attribute of spans.
    :raises MissingExtra: without ``opentelemetry-api``, or without the SDK for an endpoint.
    """

    def __init__(
        self,
        *,
        service_name: str = "guard-wsgi",
        exporter_endpoint: str | None = None,
        resource_attributes: Mapping[str, str] | None = None,
        tracer_provider: Any = None,
        meter_provider: Any = None,
    ) -> None:
        try:
            import opentelemetry.metrics
            import opentelemetry.trace
        except ImportError:
            raise MissingExtra("enable_otel", "otel") from None
        self._trace, self._metrics = opentelemetry.trace, opentelemetry.metrics
        self._endpoint = exporter_endpoint.rstrip("/") if exporter_endpoint else None
        self._resource = {"service.name": service_name, **(resource_attributes or {})}
        self._given = (tracer_provider, meter_provider)
        self._own: tuple[Any, ...] = ()
        self._lock = threading.Lock()
        self._instruments: tuple[Any, Any, Any, Any] | None = None
        if self._endpoint is not None:
            _sdk()
        track(self)

    def send_event(self, event: SecurityEvent) -> None:
        """Record one span, which begins and ends at the event's time."""
        tracer = self._ready()[0]
        at = int(event.timestamp.timestamp() * 1_000_000_000)
        span = tracer.start_span(
            f"guard.event.{event.event_type}", start_time=at, attributes=self._attributes(event)
        )
        span.end(end_time=at)

    def observe(
        self, endpoint: str | None, method: str, status: int, seconds: float, blocked: bool
    ) -> None:
        """Record one request, with the names of OpenTelemetry's HTTP conventions."""
        _, duration, count, errors = self._ready()
        attributes = {
            "http.route": endpoint or UNMATCHED,
            "http.request.method": method if method in METHODS else OTHER,
            "http.response.status_code": status,
            "guard.blocked": blocked,
        }
        duration.record(seconds, attributes)
        count.add(1, attributes)
        if status >= 400:
            errors.add(1, attributes)

    def close(self) -> None:
        """Flush and end this sink's own providers."""
        own, self._own = self._own, ()
        for provider in own:
            provider.shutdown()

    def after_fork_in_child(self) -> None:
        # The API's instruments survive a fork; the SDK renews its own threads.
        self._lock = threading.Lock()

    def _ready(self) -> tuple[Any, Any, Any, Any]:
        """Return the instruments, made on first use, in the process that serves."""
        instruments = self._instruments
        if instruments is None:
            with self._lock:
                if self._instruments is None:
                    self._instruments = self._make()
                instruments = self._instruments
        return instruments

    def _make(self) -> tuple[Any, Any, Any, Any]:
        tracer_provider, meter_provider = self._given
        if self._endpoint is not None:
            tracer_provider, meter_provider = self._own = _providers(self._endpoint, self._resource)
        tracer_provider = tracer_provider or self._trace.get_tracer_provider()
        meter_provider = meter_provider or self._metrics.get_meter_provider()
        tracer = tracer_provider.get_tracer(SCOPE)
        meter = meter_provider.get_meter(SCOPE)
        return (
            tracer,
            meter.create_histogram("guard.request.duration", unit="s"),
            meter.create_counter("guard.request.count", unit="{request}"),
            meter.create_counter("guard.error.count", unit="{request}"),
        )

    def _attributes(self, event: SecurityEvent) -> dict[str, Any]:
        found: dict[str, Any] = {
            "guard.event_type": event.event_type,
            "guard.action_taken": event.action_taken,
            "guard.reason": event.reason,
            "client.address": event.ip_address,
            "guard.country": event.country,
            "user_agent.original": event.user_agent,
            "http.route": event.endpoint,
            "http.request.method": event.method,
            "http.response.status_code": event.status_code,
        }
        if self._endpoint is None:
            found |= self._resource
        for name, value in event.metadata.items():
            name = name if name.startswith("guard.") else f"guard.{name}"
            is_plain = isinstance(value, (str, bool, int, float))
            found[name] = value if is_plain or value is None else json.dumps(value, default=str)
        return {name: value for name, value in found.items() if value is not None and value != ""}


def _sdk() -> None:
    """:raises MissingExtra: if the SDK or its OTLP exporter is not installed."""
    from importlib.util import find_spec

    for module in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
        try:
            found = find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise MissingExtra(
                "otel_exporter_endpoint (opentelemetry-exporter-otlp-proto-http)", "otel"
            )


def _providers(endpoint: str, resource_attributes: Mapping[str, str]) -> tuple[Any, Any]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create(dict(resource_attributes))
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"))
    )
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics"))
    return tracers, MeterProvider(resource=resource, metric_readers=[reader])
