"""The effects of the options of logs and telemetry."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig
from guard_wsgi.errors import MissingExtra
from guard_wsgi.network.geo import MaxMindGeoIP
from guard_wsgi.state.schemes import is_installed
from guard_wsgi.telemetry.bus import EventBus
from tests.effects.site import VISITOR, LiveSite
from tests.kit.capture import CapturingServer
from tests.kit.gateway import Environ, serve
from tests.network import databases

REFUSED = {"blacklist": [VISITOR]}


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[logging.LogRecord]:
    return [r for r in caplog.records if getattr(r, "guard_event", "") == event]


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "guard_wsgi")


def test_custom_log_file(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "guard.log"
    with LiveSite({**REFUSED, "custom_log_file": str(path)}) as site:
        site.visit("/page")
    assert "/page" in path.read_text()


def test_log_format(tmp_path: Path) -> None:
    path = tmp_path / "guard.log"
    with LiveSite({**REFUSED, "custom_log_file": str(path), "log_format": "json"}) as site:
        site.visit("/page")
    (document,) = [
        line for line in map(json.loads, path.read_text().splitlines()) if "/page" in str(line)
    ]
    assert document["level"] == "WARNING"
    assert VISITOR in document["message"]


def test_log_request_level(caplog: pytest.LogCaptureFixture) -> None:
    with LiveSite({"log_request_level": "INFO"}) as site:
        site.visit("/page")
    (record,) = lines(caplog, "request")
    assert record.levelno == logging.INFO
    caplog.clear()
    with LiveSite({"log_request_level": None}) as site:
        site.visit("/page")
    assert lines(caplog, "request") == []


def test_log_suspicious_level(caplog: pytest.LogCaptureFixture) -> None:
    for level in ("WARNING", "CRITICAL", None):
        caplog.clear()
        with LiveSite({**REFUSED, "log_suspicious_level": level}) as site:
            site.visit()
        found = [record.levelname for record in lines(caplog, "ip_blocked")]
        assert found == ([level] if level else [])


def test_log_country_check_level(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    path = databases.maxmind(tmp_path / "countries.mmdb", {"81.2.69.0/24": "GB"})
    options = {"geo_ip_handler": MaxMindGeoIP(path), "blocked_countries": ["SE"]}
    for level in ("INFO", "ERROR", None):
        caplog.clear()
        with LiveSite({**options, "log_country_check_level": level}) as site:
            site.visit()
        found = [record.levelname for record in lines(caplog, "country_check")]
        assert found == ([level] if level else [])


class Events:
    """A sink that takes events."""

    def __init__(self) -> None:
        self.types: list[str] = []

    def send_event(self, event: Any) -> None:
        self.types.append(event.event_type)


def test_muted_event_types() -> None:
    for muted in ([], ["ip_blocked"]):
        events = Events()
        with LiveSite({**REFUSED, "muted_event_types": muted}) as site:
            site.guard.services.events.add_sink(events)
            assert site.visit().status == 403
        assert events.types == ([] if muted else ["ip_blocked"])


def test_muted_check_logs(caplog: pytest.LogCaptureFixture) -> None:
    options = {**REFUSED, "blocked_user_agents": ["curl"], "muted_check_logs": ["ip_security"]}
    with LiveSite(options) as site:
        assert site.visit().status == 403
        assert site.visit(ip="9.9.9.9", headers={"User-Agent": "curl/8"}).status == 403
    assert lines(caplog, "ip_blocked") == []
    assert len(lines(caplog, "user_agent_blocked")) == 1


class Metrics:
    """A sink that takes metrics."""

    def __init__(self) -> None:
        self.types: list[str] = []

    def send_metric(self, metric: Any) -> None:
        self.types.append(metric.metric_type)


def test_muted_metric_types() -> None:
    for muted in ([], ["response_time"]):
        metrics = Metrics()
        with LiveSite({"muted_metric_types": muted}) as site:
            site.guard.services.events.add_sink(metrics)
            site.visit()
            site.guard.services.events.flush_metrics(final=True)
        assert "request_count" in metrics.types
        assert ("response_time" in metrics.types) is (not muted)


@pytest.mark.parametrize(
    "name", ["log_sensitive_params", "log_sensitive_body_fields", "log_sensitive_headers"]
)
def test_log_sensitive_headers_params_and_body_fields(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for options, hidden in (({name: ["voucher"]}, True), ({}, False)):
        caplog.clear()
        with LiveSite({"log_request_level": "INFO", **options}) as site:
            site.visit("/cart?voucher=abc123&item=7")
            events = site.guard.services.events
            events.emit("suspicious_request", None, reason="x", sent={"voucher": "abc123"})
        told = "\n".join(
            f"{record.getMessage()} {vars(record)}"
            for record in caplog.records
            if record.name.startswith("guard_wsgi")
            and (
                name != "log_sensitive_headers"
                or getattr(record, "guard_event", "") == "suspicious_request"
            )
        )
        assert ("abc123" not in told) is hidden, told


def test_enable_otel_and_otel_service_name_and_otel_resource_attributes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    spans = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(spans))
    # The API lets a process set its provider once; a test gives it back.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    options = {
        "enable_otel": True,
        "otel_service_name": "shop",
        "otel_resource_attributes": {"deployment.environment": "test"},
    }
    with LiveSite({**REFUSED, **options}) as site:
        assert site.visit("/page").status == 403
    (span,) = spans.get_finished_spans()
    assert span.name == "guard.event.ip_blocked"
    assert span.attributes["client.address"] == VISITOR
    assert span.attributes["service.name"] == "shop"
    assert span.attributes["deployment.environment"] == "test"


def test_otel_exporter_endpoint(capturing_server: CapturingServer) -> None:
    """An endpoint needs the exporter's package; without it, the site says what to install."""
    options = {"enable_otel": True, "otel_exporter_endpoint": capturing_server.url}
    if not is_installed("opentelemetry.exporter.otlp.proto.http"):
        with pytest.raises(MissingExtra, match="otel"), LiveSite(options):
            raise AssertionError("it must not be served")
        return
    with LiveSite({**REFUSED, **options}) as site:
        assert site.visit().status == 403
    assert any(request.path == "/v1/traces" for request in capturing_server.requests)


def test_enable_logfire_and_logfire_service_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Logfire(ModuleType):
        """The part of the package that is used, for the package is large and closed."""

        def __init__(self) -> None:
            super().__init__("logfire")
            self.__spec__ = ModuleSpec("logfire", None)
            self.tags: list[str] = []
            self.told: list[str] = []
            self.DEFAULT_LOGFIRE_INSTANCE = self

        def with_tags(self, *tags: str) -> Logfire:
            self.tags.extend(tags)
            return self

        def metric_histogram(self, name: str, **_: Any) -> Logfire:
            return self

        metric_counter = metric_histogram

        def record(self, *_: Any) -> None: ...

        add = record

        def log(self, level: str, message: str, attributes: Any) -> None:
            self.told.append(message)

    logfire = Logfire()
    monkeypatch.setitem(sys.modules, "logfire", logfire)
    options = {"enable_logfire": True, "logfire_service_name": "shop"}
    with LiveSite({**REFUSED, **options}) as site:
        assert site.visit().status == 403
    assert logfire.tags == ["shop"]
    assert logfire.told == ["guard.event.ip_blocked"]


def test_a_route_is_named_in_metrics_by_its_template() -> None:
    tags: list[dict[str, Any]] = []

    class Tags:
        def send_metric(self, metric: Any) -> None:
            tags.append(dict(metric.tags))

    with LiveSite(routes={"/item/<int:number>": RouteConfig()}) as site:
        site.guard.services.events.add_sink(Tags())
        site.visit("/item/1")
        site.visit("/item/2")
        site.guard.services.events.flush_metrics(final=True)
    assert {tag["endpoint"] for tag in tags if "endpoint" in tag} == {"/item/<int:number>"}


@pytest.mark.parametrize("code", [200, 404, 500])
def test_each_answer_of_the_app_is_counted_by_its_status(code: int) -> None:
    counted: list[tuple[str, str]] = []

    class Counts:
        def send_metric(self, metric: Any) -> None:
            if metric.metric_type == "request_count":
                counted.append((metric.tags["status"], str(metric.value)))

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        if code == 500:
            raise LookupError("the app's own")
        start_response(f"{code} -", [])
        return []

    guard = GuardMiddleware(app, SecurityConfig(), events=EventBus([Counts()]))
    for _ in range(2):
        with suppress(LookupError):
            serve(guard)
    guard.services.events.flush_metrics(final=True)
    assert counted == [(f"{code // 100}xx", "2.0")]
