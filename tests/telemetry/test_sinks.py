"""Prometheus, OpenTelemetry and Logfire get the events of the bus."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from guard_wsgi.errors import MissingExtra
from guard_wsgi.telemetry.bus import EventBus
from guard_wsgi.telemetry.logfire import LogfireSink
from guard_wsgi.telemetry.opentelemetry import OpenTelemetrySink
from guard_wsgi.telemetry.prometheus import PrometheusSink
from tests.agent.collector import Collector


def test_prometheus_counts_events_and_requests() -> None:
    client = pytest.importorskip("prometheus_client")
    registry = client.CollectorRegistry()
    bus = EventBus([PrometheusSink(registry)])
    bus.emit("ip_blocked", action_taken="request_blocked", check="ip_ban")
    bus.emit("ip_blocked", action_taken="request_blocked", check="ip_ban")
    bus.emit("made_up_by_a_client")
    bus.observe("/items/<id>", "GET", 200, 0.03)
    bus.observe("/items/<id>", "GET", 403, 0.03, True)
    bus.observe(None, "BREW", 404, 0.03)
    text = client.generate_latest(registry).decode()
    assert (
        'guard_events_total{action="request_blocked",check="ip_ban",event_type="ip_blocked"} 2.0'
        in text
    )
    assert "made_up" not in text
    assert (
        'guard_requests_total{blocked="true",endpoint="/items/<id>",method="GET",status="4xx"} 1.0'
        in text
    )
    assert "BREW" not in text
    assert (
        'guard_request_duration_seconds_bucket{endpoint="/items/<id>",le="0.05",method="GET"} 2.0'
        in text
    )
    bus.close()
    assert "guard_" not in client.generate_latest(registry).decode()
    PrometheusSink(registry)  # the names are free again


@pytest.fixture
def otel() -> Any:
    """Providers of the SDK that keep everything in memory."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider(metric_readers=[reader])
    yield tracers, meters, exporter, reader
    tracers.shutdown()
    meters.shutdown()


def test_opentelemetry_gets_spans_and_metrics(otel: Any) -> None:
    tracers, meters, exporter, reader = otel
    sink = OpenTelemetrySink(
        service_name="shop",
        resource_attributes={"deployment.environment": "test"},
        tracer_provider=tracers,
        meter_provider=meters,
    )
    bus = EventBus([sink])
    bus.emit(
        "ip_blocked",
        action_taken="request_blocked",
        ip_address="203.0.113.7",
        status_code=403,
        check="ip_ban",
        findings=[{"name": "q"}],
    )
    bus.observe("/items/<id>", "GET", 403, 0.25, True)
    [span] = exporter.get_finished_spans()
    assert span.name == "guard.event.ip_blocked"
    assert span.attributes["client.address"] == "203.0.113.7"
    assert span.attributes["guard.check"] == "ip_ban"
    assert span.attributes["guard.findings"] == '[{"name": "q"}]'
    assert span.attributes["service.name"] == "shop"
    assert span.attributes["deployment.environment"] == "test"
    told = {
        metric.name: metric.data.data_points[0]
        for resource in reader.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert set(told) == {"guard.request.duration", "guard.request.count", "guard.error.count"}
    assert told["guard.request.duration"].sum == 0.25
    assert told["guard.error.count"].value == 1
    assert told["guard.request.count"].attributes["http.route"] == "/items/<id>"


def test_opentelemetry_without_an_sdk_is_a_no_op() -> None:
    pytest.importorskip("opentelemetry")
    bus = EventBus([OpenTelemetrySink()])
    bus.emit("ip_blocked")
    bus.observe("/a", "GET", 200, 0.1)
    bus.close()
    assert "event_sink_errors" not in bus.counters()


def test_opentelemetry_sends_to_an_endpoint_of_its_own() -> None:
    """Providers of the sink's own, not made global; the base URL gets the paths of OTLP/HTTP."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    import opentelemetry.trace

    before = opentelemetry.trace.get_tracer_provider()
    with Collector() as collector:
        sink = OpenTelemetrySink(service_name="shop", exporter_endpoint=collector.url + "/")
        bus = EventBus([sink])
        bus.emit("ip_blocked", check="ip_ban")
        bus.observe("/a", "GET", 200, 0.25)
        bus.close()
        bodies = {request.path: request.plain for request in collector.requests}
    assert set(bodies) == {"/v1/traces", "/v1/metrics"}
    assert b"guard.event.ip_blocked" in bodies["/v1/traces"]
    assert b"guard.request.duration" in bodies["/v1/metrics"]
    assert all(b"shop" in body for body in bodies.values())
    assert opentelemetry.trace.get_tracer_provider() is before


def test_logfire_gets_logs_and_metrics() -> None:
    """The interface of a Logfire instance, recorded: the package needs an account to send."""

    class Instance:
        def __init__(self) -> None:
            self.told: list[tuple[Any, ...]] = []

        def with_tags(self, *tags: str) -> Instance:
            self.told.append(("tags", *tags))
            return self

        def log(self, level: str, message: str, attributes: dict[str, Any]) -> None:
            self.told.append((level, message, attributes["metadata"]["check"]))

        def metric_histogram(self, name: str, *, unit: str = "") -> Any:
            return Instrument(self, name)

        def metric_counter(self, name: str, *, unit: str = "") -> Any:
            return Instrument(self, name)

    class Instrument:
        def __init__(self, instance: Instance, name: str) -> None:
            self.instance, self.name = instance, name

        def record(self, value: float, attributes: dict[str, Any]) -> None:
            self.instance.told.append((self.name, value, attributes["http.route"]))

        add = record

    instance = Instance()
    bus = EventBus([LogfireSink(service_name="shop", instance=instance)])
    bus.emit("ip_blocked", action_taken="request_blocked", check="ip_ban")
    bus.observe("/a", "GET", 500, 0.5)
    assert instance.told == [
        ("tags", "shop"),
        ("warn", "guard.event.ip_blocked", "ip_ban"),
        ("guard.request.duration", 0.5, "/a"),
        ("guard.request.count", 1, "/a"),
        ("guard.error.count", 1, "/a"),
    ]


@pytest.mark.parametrize(
    ("module", "make", "extra"),
    [
        ("prometheus_client", PrometheusSink, "prometheus"),
        ("opentelemetry", OpenTelemetrySink, "otel"),
        ("logfire", LogfireSink, "logfire"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, make: Any, extra: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=extra):
        make()
