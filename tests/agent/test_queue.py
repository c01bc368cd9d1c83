"""The queue: its bounds, its policies, and what makes a batch go."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from guard_wsgi.agent import (
    AgentConfig,
    BufferFullError,
    GuardAgentHandler,
    SecurityEvent,
    guard_agent,
)
from guard_wsgi.errors import ConfigError
from guard_wsgi.telemetry.bus import EventBus
from tests.agent.collector import Collector, Reply
from tests.agent.conftest import API_KEY, MakeAgent


def event(number: object = 0, text: str = "") -> SecurityEvent:
    return SecurityEvent(event_type="x", reason=text or str(number))


def test_nothing_starts_before_the_first_event(agent: MakeAgent) -> None:
    before = threading.active_count()
    handler = agent()
    assert threading.active_count() == before
    handler.start()
    assert threading.active_count() == before
    assert handler.get_stats()["buffer_stats"]["auto_flush_running"] is False
    handler.send_event(event())
    assert handler.get_stats()["buffer_stats"]["auto_flush_running"] is True


def test_a_batch_goes_when_it_is_full(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(batch_size=5, flush_interval=3600)
    for number in range(5):
        handler.send_event(event(number))
    assert collector.wait_for(lambda: len(collector.events) == 5)


def test_a_batch_goes_when_it_is_old(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(flush_interval=0.2)
    handler.send_event(event())
    assert collector.requests == []
    assert collector.wait_for(lambda: len(collector.events) == 1)


def test_a_batch_goes_at_the_high_watermark(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(buffer_size=10, high_watermark_ratio=0.5, batch_size=10, flush_interval=3600)
    for number in range(5):
        handler.send_event(event(number))
    assert collector.wait_for(lambda: len(collector.events) == 5)


def test_no_batch_is_larger_than_its_bytes(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(batch_max_bytes=4096, compression_enabled=False)
    for number in range(30):
        handler.send_event(event(text=f"{number:03}" * 100))
    assert handler.flush_buffer(10)
    assert len(collector.requests) > 3
    assert all(len(request.body) <= 4096 for request in collector.requests)
    assert [told["reason"][:3] for told in collector.events] == [f"{n:03}" for n in range(30)]


def test_an_event_too_large_for_any_batch_is_dropped(
    agent: MakeAgent, collector: Collector
) -> None:
    handler = agent(batch_max_bytes=4096)
    handler.send_event(event(text="x" * 4000))
    handler.send_event(event(1))
    assert handler.flush_buffer(5)
    assert handler.get_stats()["dropped"] == {"too_big": 1}
    assert [told["reason"] for told in collector.events] == ["1"]


def test_policy_drop_refuses_the_new_and_counts_it(
    agent: MakeAgent, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.default = Reply(hang=30)
    handler = agent(buffer_size=10, batch_size=2, timeout=30)
    with caplog.at_level(logging.WARNING, "guard_wsgi.agent"):
        taken = [handler.send_event(event(number)) for number in range(100)]
    assert taken == [True] * 10 + [False] * 90
    stats = handler.get_stats()
    assert stats["dropped"] == {"queue_full": 90}
    assert stats["pending"] == 10
    assert stats["queued"] == 10
    # The first loss and then every power of two: 1 2 4 8 16 32 64.
    assert len(caplog.records) == 7
    assert handler.get_status().status == "degraded"
    assert not handler.health_check()


def test_policy_raise_tells_the_caller_and_the_bus_survives_it(
    agent: MakeAgent, collector: Collector
) -> None:
    collector.default = Reply(hang=30)
    handler = agent(buffer_size=3, buffer_overflow_policy="raise", timeout=30)
    for number in range(3):
        handler.send_event(event(number))
    with pytest.raises(BufferFullError):
        handler.send_event(event())
    bus = EventBus([handler])
    bus.emit("ip_blocked")
    assert bus.counters()["event_sink_errors"] == 1


def test_policy_block_waits_for_room(agent: MakeAgent, collector: Collector) -> None:
    collector.default = Reply(hang=0.05)
    handler = agent(buffer_size=4, buffer_overflow_policy="block", buffer_block_timeout=10)
    assert all(handler.send_event(event(number)) for number in range(40))
    assert handler.flush_buffer(10)
    assert [told["reason"] for told in collector.events] == [str(n) for n in range(40)]


def test_an_event_that_waited_for_room_is_not_forgotten(
    agent: MakeAgent, collector: Collector
) -> None:
    """It comes when the queue is empty again and the sender asleep: it must wake it."""
    collector.default = Reply(hang=0.2)
    handler = agent(
        buffer_size=1, buffer_overflow_policy="block", buffer_block_timeout=10, flush_interval=0.05
    )
    for number in range(3):
        assert handler.send_event(event(number))
    assert collector.wait_for(lambda: len(collector.events) == 3, 8)


@pytest.mark.parametrize("fault", [SystemExit, RuntimeError])
def test_a_hook_that_fails_does_not_end_the_sending(
    agent: MakeAgent, collector: Collector, fault: type[BaseException]
) -> None:
    def on_error(*arguments: object) -> None:
        raise fault

    collector.script.append(Reply(400))
    handler = agent(on_error=on_error)
    handler.send_event(event("dropped"))
    assert handler.flush_buffer(5)
    handler.send_event(event("sent"))
    assert handler.flush_buffer(5)
    assert len(collector.requests) == 2
    assert handler.get_stats()["pending"] == 0


def test_policy_block_gives_up_in_time(agent: MakeAgent, collector: Collector) -> None:
    collector.default = Reply(hang=30)
    handler = agent(
        buffer_size=2, buffer_overflow_policy="block", buffer_block_timeout=0.2, timeout=30
    )
    taken = [handler.send_event(event(number)) for number in range(3)]
    assert taken == [True, True, False]
    assert handler.get_stats()["dropped"] == {"queue_full": 1}


def test_flush_tells_whether_everything_was_settled(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(timeout=30)
    assert handler.flush_buffer(0)
    collector.script.append(Reply(hang=0.5))
    handler.send_event(event())
    assert not handler.flush_buffer(0.1)
    assert handler.flush_buffer(10)


def test_every_event_of_many_threads_is_sent_or_counted(
    agent: MakeAgent, collector: Collector
) -> None:
    """More than the collector accepts: the rest is counted, and nothing is lost in between."""
    collector.default = Reply(hang=0.05)
    handler = agent(buffer_size=2000)
    offered, threads = 5000, 4
    largest = 0

    def offer() -> None:
        nonlocal largest
        for number in range(offered):
            handler.send_event(event(number))
            if number % 100 == 0:
                largest = max(largest, handler.get_stats()["pending"])

    workers = [threading.Thread(target=offer) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert handler.flush_buffer(30)
    stats = handler.get_stats()
    assert stats["events_sent"] + stats["dropped"].get("queue_full", 0) == offered * threads
    assert largest <= 2000
    keys = [told["idempotency_key"] for told in collector.events]
    assert len(set(keys)) == len(keys) == stats["events_sent"]


def test_disabled_kinds_are_not_sent(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(enable_events=False, enable_metrics=False)
    assert not handler.send_event(event())
    assert not handler.send_metric({"metric_type": "block_rate", "value": 1.0})
    assert not handler.wants_metrics
    assert handler.flush_buffer(1)
    assert collector.requests == []


def test_after_stop_events_are_counted_as_lost_until_start(
    agent: MakeAgent, collector: Collector
) -> None:
    handler = agent()
    handler.send_event(event(1))
    handler.stop()
    assert [told["reason"] for told in collector.events] == ["1"]
    assert not handler.send_event(event(2))
    assert handler.get_stats()["dropped"] == {"shutdown": 1}
    assert handler.get_stats()["state"] == "stopped"
    handler.start()
    assert handler.send_event(event(3))
    assert handler.flush_buffer(5)
    assert [told["reason"] for told in collector.events] == ["1", "3"]


def test_aggregated_metrics_come_without_another_request(
    agent: MakeAgent, collector: Collector
) -> None:
    handler = agent()
    bus = EventBus([handler])
    bus.observe("/items/<id>", "GET", 200, 0.25)
    bus.observe("/items/<id>", "GET", 403, 0.75, blocked=True)
    assert handler.flush_buffer(5)
    told = {metric["metric_type"]: metric for metric in collector.metrics}
    assert told["response_time"]["value"] == 0.5
    assert told["block_rate"]["value"] == 0.5
    assert {metric["endpoint"] for metric in collector.metrics} == {"/items/<id>"}


def test_the_agents_own_trouble_makes_no_events(agent: MakeAgent, collector: Collector) -> None:
    """on_error that emits must not feed the queue that fails."""
    collector.default = Reply(400)
    bus: EventBus
    handler = agent(on_error=lambda stage, error, context: bus.emit("check_failed"))
    bus = EventBus([handler])
    bus.emit("ip_blocked")
    assert handler.flush_buffer(5)
    time.sleep(0.1)
    assert len(collector.requests) == 1
    assert bus.counters()["silenced"] == 1


def test_one_handler_for_a_collector_key_and_project(caplog: pytest.LogCaptureFixture) -> None:
    def config(**options: object) -> AgentConfig:
        settings = {"api_key": API_KEY, "endpoint": "http://127.0.0.1:9", **options}
        return AgentConfig(**settings)  # type: ignore[arg-type]

    first = guard_agent(config())
    assert guard_agent(config()) is first
    assert guard_agent(config(project_id="other")) is not first
    assert guard_agent(config(api_key="another-key-of-tests")) is not first
    with caplog.at_level(logging.WARNING, "guard_wsgi.agent"):
        assert guard_agent(config(buffer_size=5)) is first
    assert "already running" in caplog.text
    assert first.config.buffer_size != 5


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"api_key": "short"}, "api_key"),
        ({"api_key": "with\nline feed in it"}, "api_key"),
        ({"endpoint": "ftp://example.org"}, "endpoint"),
        ({"endpoint": "https://"}, "endpoint"),
        ({"endpoint": "https://host:port"}, "endpoint"),
        ({"buffer_size": 0}, "buffer_size"),
        ({"flush_interval": 0}, "flush_interval"),
        ({"timeout": float("inf")}, "timeout"),
        ({"status_interval": 10}, "status_interval"),
        ({"high_watermark_ratio": 1.5}, "high_watermark_ratio"),
        ({"buffer_overflow_policy": "panic"}, "buffer_overflow_policy"),
        ({"project_encryption_key": "c2hvcnQ="}, "project_encryption_key"),
        ({"project_encryption_key": "!"}, "project_encryption_key"),
        ({"project_id": "a\r\nb"}, "project_id"),
        ({"on_error": 3}, "on_error"),
        ({"retry_attempts": True}, "retry_attempts"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    options: dict[str, object], named: str
) -> None:
    settings = {"api_key": API_KEY, **options}
    with pytest.raises(ConfigError) as refused:
        AgentConfig(**settings)  # type: ignore[arg-type]
    assert [fault.split()[0] for fault in refused.value.faults] == [named]


def test_all_faults_of_a_configuration_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        AgentConfig(api_key="x", endpoint="nowhere", buffer_size=-1)
    assert len(refused.value.faults) == 3


def test_secrets_are_not_in_the_configurations_repr() -> None:
    config = AgentConfig(api_key=API_KEY, payload_signing_secret="s3cret")
    assert API_KEY not in repr(config)
    assert "s3cret" not in repr(config)


def test_options_of_none_are_defaults_and_unknown_ones_faults() -> None:
    assert AgentConfig.from_options({"api_key": API_KEY, "timeout": None}) == AgentConfig(
        api_key=API_KEY
    )
    with pytest.raises(ConfigError, match="colour"):
        AgentConfig.from_options({"api_key": API_KEY, "colour": "red"})


def test_concurrent_flushes_are_accepted_and_said_to_do_nothing() -> None:
    with pytest.warns(UserWarning, match="max_concurrent_flushes"):
        AgentConfig(api_key=API_KEY, max_concurrent_flushes=4)


def test_the_endpoint_is_the_base_however_it_is_written() -> None:
    for written in ("https://h/", "https://h/api/v1", "https://h/api/v1/", " https://h "):
        assert AgentConfig(api_key=API_KEY, endpoint=written).endpoint == "https://h"


def test_a_uwsgi_without_threads_is_reported_once(
    agent: MakeAgent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(opt={b"master": b"true"}))  # type: ignore[arg-type]
    handler = agent()
    with caplog.at_level(logging.WARNING, "guard_wsgi.agent"):
        for number in range(3):
            handler.send_event(event(number))
    assert [record.getMessage() for record in caplog.records] == [
        "uWSGI runs without --enable-threads: the agent's thread won't run between requests"
    ]


def test_plain_http_to_another_host_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "guard_wsgi.agent"):
        GuardAgentHandler(AgentConfig(api_key=API_KEY, endpoint="http://collector.example"))
    assert "unencrypted" in caplog.text
