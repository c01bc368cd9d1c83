"""Every event goes to all sinks, redacted; nothing raises, and no event causes itself."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from guard_wsgi.network.client import ClientResolver
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.telemetry.aggregation import MAX_SERIES, OTHER, UNMATCHED
from guard_wsgi.telemetry.bus import EventBus
from guard_wsgi.telemetry.enrichment import Enrichment
from guard_wsgi.telemetry.event_types import EVENT_TYPES
from guard_wsgi.telemetry.events import (
    METRIC_TYPES,
    SecurityEvent,
    SecurityMetric,
)
from guard_wsgi.telemetry.redaction import Redaction


class Sink:
    """A sink that keeps events."""

    def __init__(self) -> None:
        self.events: list[SecurityEvent] = []
        self.metrics: list[SecurityMetric] = []

    def send_event(self, event: SecurityEvent) -> None:
        self.events.append(event)

    def send_metric(self, metric: SecurityMetric) -> None:
        self.metrics.append(metric)


class Broken(Sink):
    def send_event(self, event: SecurityEvent) -> None:
        raise OSError("disk full")

    def send_metric(self, metric: SecurityMetric) -> None:
        raise OSError("disk full")

    def observe(self, *measured: object) -> None:
        raise OSError("disk full")

    def close(self) -> None:
        raise OSError("disk full")


def request(**environ: str) -> GuardRequest:
    given = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/a",
        "QUERY_STRING": "q=1",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_USER_AGENT": "curl/8",
        **environ,
    }
    return GuardRequest(given, ClientResolver(()), lambda address: "DE")


def test_an_event_tells_of_the_request() -> None:
    sink = Sink()
    made = request()
    EventBus([sink]).emit(
        "user_agent_blocked",
        made,
        action_taken="request_blocked",
        reason="curl",
        status_code=403,
        check="user_agent",
        pattern_matched="cur.",
        country="FR",
    )
    [event] = sink.events
    assert event.event_type == "user_agent_blocked"
    assert event.ip_address == "203.0.113.7"
    assert event.user_agent == "curl/8"
    assert (event.method, event.path, event.status_code) == ("GET", "/a", 403)
    assert event.endpoint == "(unmatched)"
    assert event.handler_name == "middleware"
    assert event.pattern_matched == "cur."
    assert event.country == "FR"
    assert event.metadata == {
        "check": "user_agent",
        "request_id": made.request_id,
        "route": None,
    }


def test_an_event_needs_no_request() -> None:
    sink = Sink()
    EventBus([sink]).emit("ip_banned", ip_address="203.0.113.7", seconds=60)
    [event] = sink.events
    assert event.ip_address == "203.0.113.7"
    assert event.method is None
    assert event.metadata == {"seconds": 60}


def test_every_event_has_a_key_of_its_own() -> None:
    sink = Sink()
    bus = EventBus([sink])
    for _ in range(100):
        bus.emit("ip_blocked")
    assert len({event.idempotency_key for event in sink.events}) == 100


def test_a_broken_sink_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[str, Mapping[str, Any]]] = []
    good = Sink()
    bus = EventBus(
        [Broken(), good], on_error=lambda stage, error, context: told.append((stage, context))
    )
    with caplog.at_level(logging.WARNING, "guard_wsgi.telemetry"):
        for _ in range(10):
            bus.emit("ip_blocked")
        bus.observe("/a", "GET", 200, 0.1)
        bus.close()
    assert len(good.events) == 10
    assert good.metrics
    assert told[0] == ("event_sink", {"sink": "Broken"})
    failures = bus.counters()["event_sink_errors"]
    assert failures == len(told) > 10
    # The first and then every power of two.
    assert len(caplog.records) == failures.bit_length()


def test_an_on_error_that_raises_is_survived() -> None:
    def on_error(*arguments: object) -> None:
        raise ValueError("worse")

    EventBus([Broken()], on_error=on_error).emit("ip_blocked")


def test_metadata_that_cannot_be_sent_costs_only_its_event() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    sink = Sink()
    bus = EventBus([sink])
    bus.emit("ip_blocked", hostile=Hostile())
    bus.emit("ip_blocked", SimpleNamespace())  # type: ignore[arg-type] # half a request
    bus.emit("ip_blocked")
    assert len(sink.events) == 1
    assert bus.counters()["event_errors"] == 2


def test_a_sink_that_emits_does_not_go_round_in_circles() -> None:
    bus = EventBus()
    seen: list[str] = []

    class Echo:
        def send_event(self, event: SecurityEvent) -> None:
            seen.append(event.event_type)
            bus.emit("redis_error")

    bus.add_sink(Echo())
    bus.emit("ip_blocked")
    bus.emit("ip_blocked")
    assert seen == ["ip_blocked", "ip_blocked"]
    assert bus.counters()["silenced"] == 2


def test_muted_events_reach_only_who_mutes_for_itself() -> None:
    class Log(Sink):
        takes_muted_events = True

    log, sink = Log(), Sink()
    bus = EventBus([log, sink], muted_event_types={"ip_blocked"})
    bus.emit("ip_blocked")
    bus.emit("ip_banned")
    assert [event.event_type for event in log.events] == ["ip_blocked", "ip_banned"]
    assert [event.event_type for event in sink.events] == ["ip_banned"]
    assert bus.counters()["muted"] == 1


def test_muted_metrics_are_left_out() -> None:
    sink = Sink()
    bus = EventBus([sink], muted_metric_types={"response_time"})
    bus.observe("/a", "GET", 200, 0.1)
    bus.flush_metrics(final=True)
    assert {metric.metric_type for metric in sink.metrics} == {"request_count", "error_rate"}


def test_metrics_are_wanted_only_when_a_sink_takes_them() -> None:
    class EventsOnly:
        def send_event(self, event: SecurityEvent) -> None: ...

    class Declines(Sink):
        wants_metrics = False

    bus = EventBus([EventsOnly(), Declines()])
    assert not bus.wants_metrics
    bus.add_sink(Sink())
    assert bus.wants_metrics


def test_requests_are_aggregated_by_endpoint_and_interval() -> None:
    sink = Sink()
    bus = EventBus([sink], metric_interval_seconds=3600)
    for status, seconds, blocked in ((200, 0.1, False), (200, 0.3, False), (403, 0.2, True)):
        bus.observe("/items/<id>", "GET", status, seconds, blocked)
    bus.observe(None, "BREW", 404, 0.5)
    assert sink.metrics == []
    bus.flush_metrics()
    assert sink.metrics == []
    bus.flush_metrics(final=True)
    told = {
        (metric.metric_type, metric.tags["endpoint"], metric.tags.get("status", "")): metric
        for metric in sink.metrics
    }
    assert told["request_count", "/items/<id>", "2xx"].value == 2
    assert told["request_count", "/items/<id>", "4xx"].value == 1
    assert told["response_time", "/items/<id>", ""].value == pytest.approx(0.2)
    assert told["response_time", "/items/<id>", ""].tags["max"] == "0.300000"
    assert told["error_rate", "/items/<id>", ""].value == pytest.approx(1 / 3)
    assert told["block_rate", "/items/<id>", ""].value == pytest.approx(1 / 3)
    assert told["request_count", UNMATCHED, "4xx"].tags["method"] == OTHER
    assert {metric.metric_type for metric in sink.metrics} <= METRIC_TYPES
    assert all(isinstance(tag, str) for metric in sink.metrics for tag in metric.tags.values())
    bus.flush_metrics(final=True)
    assert len(sink.metrics) == len(told)


def test_an_interval_ends_with_the_first_request_after_it() -> None:
    sink = Sink()
    bus = EventBus([sink], metric_interval_seconds=0.0)
    bus.observe("/a", "GET", 200, 0.1)
    assert sink.metrics


def test_no_client_can_make_series_without_number() -> None:
    sink = Sink()
    bus = EventBus([sink])
    for number in range(MAX_SERIES + 500):
        bus.observe(f"/{number}", "GET", 200, 0.0)
        bus.observe("/a", f"X{number}", 200, 0.0)
    bus.flush_metrics(final=True)
    endpoints = {metric.endpoint for metric in sink.metrics}
    assert len(endpoints) <= MAX_SERIES + 1
    assert OTHER in endpoints
    counted = sum(m.value for m in sink.metrics if m.metric_type == "request_count")
    assert counted == 2 * (MAX_SERIES + 500)


def test_no_request_is_lost_between_threads() -> None:
    sink = Sink()
    bus = EventBus([sink], metric_interval_seconds=0.001)

    def observe() -> None:
        for _ in range(2000):
            bus.observe("/a", "GET", 200, 0.001)

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bus.flush_metrics(final=True)
    assert sum(m.value for m in sink.metrics if m.metric_type == "request_count") == 8000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_does_not_tell_what_its_parent_counted() -> None:
    sink = Sink()
    bus = EventBus([sink])
    bus.observe("/a", "GET", 200, 0.1)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        bus.flush_metrics(final=True)
        os.write(writer, b"%d" % len(sink.metrics))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"0"
    os.close(reader)
    os.close(writer)
    bus.flush_metrics(final=True)
    assert sink.metrics


def test_nothing_of_the_request_is_kept() -> None:
    sink = Sink()
    made = request()
    EventBus([sink]).emit("ip_blocked", made, environ=made.environ, headers=made.headers)
    [event] = sink.events
    assert all(value is not made.environ for value in event.metadata.values())
    made.environ["PATH_INFO"] = "/changed"
    assert event.metadata["environ"]["PATH_INFO"] == "/a"


def test_long_texts_are_cut() -> None:
    sink = Sink()
    bus = EventBus([sink])
    bus.emit(
        "ip_blocked",
        request(PATH_INFO="/" + "a" * 5000, HTTP_USER_AGENT="b" * 5000),
        reason="c" * 5000,
        note="d" * 5000,
        many=list(range(5000)),
        deep=[[[[[[[[[[[[["e"]]]]]]]]]]]]],
    )
    [event] = sink.events
    assert len(event.endpoint or "") < 600
    assert len(event.user_agent or "") < 600
    assert len(event.reason) < 600
    assert len(event.metadata["note"]) < 1100
    assert len(event.metadata["many"]) == 65
    assert "e" not in str(event.metadata["deep"]).replace("[REDACTED]", "")


def test_enrichment_adds_who_what_and_how_bad() -> None:
    sink = Sink()
    enrichment = Enrichment("shop", "web", "production")
    enrichment.set_rule("r1", 4)
    bus = EventBus([sink], enrichment=enrichment)
    for _ in range(3):
        bus.emit("penetration_attempt", request())
    bus.emit("path_excluded", request(REMOTE_ADDR="203.0.113.8"))
    first, _, third, other = (event.metadata for event in sink.events)
    assert first["guard.project_id"] == "shop"
    assert first["guard.service.name"] == "web"
    assert first["guard.deployment.environment"] == "production"
    assert (first["guard.rule.id"], first["guard.rule.version"]) == ("r1", 4)
    assert first["guard.threat_score"] == 90
    assert other["guard.threat_score"] == 10
    assert third["guard.behavior.recent_event_count"] - 2 in (
        first["guard.behavior.recent_event_count"],
        -1,  # a five-minute bucket ended in between
    )
    key = first["guard.behavior.correlation_key"]
    assert len(key) == 16
    assert other["guard.behavior.correlation_key"] != key


def test_enrichment_forgets_the_oldest_clients() -> None:
    from guard_wsgi.telemetry.enrichment import MAX_CORRELATIONS

    enrichment = Enrichment()
    for number in range(MAX_CORRELATIONS + 10):
        enrichment(SecurityEvent(event_type="x", ip_address=str(number)))
    assert len(enrichment._counts) == MAX_CORRELATIONS


def test_the_types_of_the_existing_system_are_all_known() -> None:
    assert {"penetration_attempt", "dynamic_rule_applied", "csp_violation"} <= EVENT_TYPES.keys()
    assert len(METRIC_TYPES) == 7


def test_redaction_of_the_config_reaches_every_sink() -> None:
    sink = Sink()
    bus = EventBus([sink], redaction=Redaction(params=["pin"]))
    bus.emit(
        "ip_blocked",
        reason="seen in ?pin=1234&x=1",
        pattern_matched="pin=1234",
        findings=[{"name": "PIN", "value": "1234"}],
    )
    assert "1234" not in str(sink.events[0].as_wire())
