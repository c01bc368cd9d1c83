"""The agent's reaction to each answer of a collector."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from email.utils import formatdate

import pytest

from guard_wsgi.agent import SecurityEvent
from guard_wsgi.agent.backoff import Backoff
from guard_wsgi.agent.transport import retry_after_seconds
from tests.agent.collector import Collector, Recorded, Reply
from tests.agent.conftest import MakeAgent


def events(count: int) -> list[SecurityEvent]:
    return [SecurityEvent(event_type="x", reason=str(number)) for number in range(count)]


def keys(requests: list[Recorded]) -> list[list[str]]:
    return [[event["idempotency_key"] for event in request.json["events"]] for request in requests]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_acceptance(agent: MakeAgent, collector: Collector, status: int) -> None:
    collector.default = Reply(status, body=b"accepted")
    handler = agent()
    handler.send_event(events(1)[0])
    assert handler.flush_buffer(5)
    time.sleep(0.1)
    assert collector.summary() == ["POST /api/v1/events"]
    assert handler.get_stats()["events_sent"] == 1


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refused_batch_is_dropped_and_counted(
    agent: MakeAgent, collector: Collector, status: int
) -> None:
    collector.script.append(Reply(status))
    told: list[str] = []
    handler = agent(on_error=lambda stage, error, context: told.append(stage))
    for event in events(3):
        handler.send_event(event)
    assert handler.flush_buffer(5)
    assert handler.get_stats()["dropped"] == {"rejected_4xx": 3}
    assert told == ["transport_send"]
    handler.send_event(events(1)[0])
    assert handler.flush_buffer(5)
    assert len(collector.requests) == 2


@pytest.mark.parametrize("status", [307, 408, 425, 429, 500, 502, 503])
def test_a_failed_batch_is_sent_again_byte_for_byte(
    agent: MakeAgent, collector: Collector, status: int
) -> None:
    collector.script.extend([Reply(status), Reply(status)])
    handler = agent()
    for event in events(3):
        handler.send_event(event)
    assert handler.flush_buffer(5)
    first, second, third = collector.requests
    assert first.body == second.body == third.body
    stats = handler.get_stats()
    assert (stats["events_sent"], stats["dropped"]) == (3, {})


def test_an_encrypted_batch_keeps_its_envelope_over_retries(
    agent: MakeAgent, collector: Collector
) -> None:
    """Sealed once: another nonce would be another body under the same batch id."""
    collector.script.append(Reply(503))
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    handler = agent(project_encryption_key=key)
    handler.send_event(events(1)[0])
    assert handler.flush_buffer(5)
    first, second = collector.requests
    assert first.body == second.body


def test_a_reset_connection_and_a_silent_collector_are_failures(
    agent: MakeAgent, collector: Collector
) -> None:
    collector.script.extend([Reply(reset=True), Reply(hang=5)])
    handler = agent(timeout=0.3)
    handler.send_event(events(1)[0])
    assert handler.flush_buffer(5)
    assert len(collector.requests) == 3
    assert len({tuple(batch) for batch in keys(collector.requests)}) == 1


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("1", 1.0, 1.0),
        (" 120 ", 120, 120),
        ("999999", 3600, 3600),
    ],
    ids=["seconds", "padded", "far too long"],
)
def test_retry_after_in_seconds(header: str, least: float, most: float) -> None:
    seconds = retry_after_seconds({"retry-after": header})
    assert seconds is not None
    assert least <= seconds <= most


@pytest.mark.parametrize(("ahead", "least"), [(300, 250), (-300, 0)], ids=["future", "past"])
def test_retry_after_as_a_date(ahead: int, least: float) -> None:
    header = formatdate(time.time() + ahead, usegmt=True)
    seconds = retry_after_seconds({"retry-after": header})
    assert seconds is not None
    assert least <= seconds <= max(ahead, 0)


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Foo"])
def test_nonsense_in_retry_after_is_no_retry_after(header: str) -> None:
    assert retry_after_seconds({"retry-after": header}) is None


def test_429_waits_as_long_as_asked(agent: MakeAgent, collector: Collector) -> None:
    collector.script.append(Reply(429, headers={"Retry-After": "1"}))
    handler = agent()
    handler.send_event(events(1)[0])
    assert handler.flush_buffer(5)
    first, second = collector.requests
    assert second.at - first.at >= 0.99
    assert first.body == second.body


def test_413_is_halved_until_it_fits(agent: MakeAgent, collector: Collector) -> None:
    def small_only(request: Recorded) -> Reply | None:
        return Reply(413) if len(request.json["events"]) > 2 else None

    collector.answer = small_only
    handler = agent()
    sent = events(7)
    for event in sent:
        handler.send_event(event)
    assert handler.flush_buffer(5)
    accepted = [batch for batch in keys(collector.requests) if len(batch) <= 2]
    assert [key for batch in accepted for key in batch] == [
        str(event.idempotency_key) for event in sent
    ]
    assert handler.get_stats()["events_sent"] == 7


def test_413_for_a_single_event_drops_it(agent: MakeAgent, collector: Collector) -> None:
    collector.script.append(Reply(413))
    handler = agent()
    handler.send_event(events(1)[0])
    assert handler.flush_buffer(5)
    assert handler.get_stats()["dropped"] == {"too_big": 1}


@pytest.mark.parametrize(
    "blame",
    [
        lambda key, index: {"idempotency_key": key, "error": "bad"},
        lambda key, index: {"index": index, "error": "bad"},
        lambda key, index: key,
    ],
    ids=["by key", "by index", "bare key"],
)
def test_only_what_failed_is_sent_again(
    agent: MakeAgent, collector: Collector, blame: object
) -> None:
    first = True

    def one_failed(request: Recorded) -> Reply | None:
        nonlocal first
        if not first:
            return None
        first = False
        key = request.json["events"][1]["idempotency_key"]
        body = {"success": False, "errors": [blame(key, 1)]}  # type: ignore[operator]
        return Reply(body=json.dumps(body).encode())

    collector.answer = one_failed
    handler = agent()
    sent = events(3)
    for event in sent:
        handler.send_event(event)
    assert handler.flush_buffer(5)
    assert keys(collector.requests)[1:] == [[str(sent[1].idempotency_key)]]
    assert handler.get_stats()["events_sent"] == 3


def test_a_failure_that_names_nothing_keeps_all_and_waits(
    agent: MakeAgent, collector: Collector
) -> None:
    """The collector answers, and can't take anything: as good as down."""
    failure = Reply(body=b'{"success": false, "errors": ["database is sad"]}')
    collector.script += [failure, Reply(body=b'{"success": false}'), failure]
    handler = agent(retry_attempts=1, backoff_factor=0.05)
    for event in events(2):
        handler.send_event(event)
    assert collector.wait_for(lambda: len(collector.requests) >= 4, 10)
    assert handler.flush_buffer(5)
    assert len({request.body for request in collector.requests}) == 1
    stats = handler.get_stats()
    assert stats["dropped"] == {}
    assert stats["events_sent"] == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_parks_the_agent_with_one_loud_line(
    agent: MakeAgent, collector: Collector, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    collector.default = Reply(status)
    handler = agent()
    with caplog.at_level(logging.INFO, "guard_wsgi.agent"):
        for event in events(3):
            handler.send_event(event)
        assert not handler.flush_buffer(0.5)
        for event in events(3):
            handler.send_event(event)
        assert not handler.flush_buffer(0.3)
    assert len(collector.requests) == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    stats = handler.get_stats()
    assert stats["state"] == "parked"
    assert stats["pending"] == 6
    assert stats["dropped"] == {}
    assert handler.get_status().status == "failed"
    assert not handler.health_check()


def test_a_key_that_works_again_is_found_out_by_the_probe(
    agent: MakeAgent, collector: Collector
) -> None:
    collector.script.append(Reply(401))
    handler = agent(flush_interval=0.05)
    handler.send_event(events(1)[0])
    collector.wait_for(lambda: handler.get_stats()["state"] == "parked" or None, 8)
    state = handler._sender.state
    with state.lock:  # the time of the probe has come
        state.backoff.resume_at = 0.0
        state.wake.notify()
    assert handler.flush_buffer(5)
    assert handler.get_stats()["state"] == "idle"
    assert handler.get_stats()["events_sent"] == 1


def test_an_outage_is_logged_first_then_by_powers_of_two_then_its_end(
    agent: MakeAgent, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.script.extend([Reply(500)] * 9)
    handler = agent(backoff_factor=0.001, flush_interval=0.05)
    with caplog.at_level(logging.INFO, "guard_wsgi.agent"):
        handler.send_event(events(1)[0])
        collector.wait_for(lambda: len(collector.requests) == 10, 20)
        assert handler.flush_buffer(5)
    told = [record.getMessage() for record in caplog.records]
    assert [line.split("(")[1].split()[0] for line in told[:-1]] == ["once", "2", "4", "8"]
    assert "back" in told[-1]


def test_one_event_that_the_collector_fails_over_costs_no_other(
    agent: MakeAgent, collector: Collector
) -> None:
    def poison(request: Recorded) -> Reply | None:
        bad = any(event["reason"] == "poison" for event in request.json["events"])
        return Reply(500) if bad else None

    collector.answer = poison
    handler = agent(retry_attempts=1, backoff_factor=0.001, flush_interval=0.02)
    for event in [*events(3), SecurityEvent(event_type="x", reason="poison"), *events(3)]:
        handler.send_event(event)
    for count in range(40):  # others keep arriving, so the collector is not down
        handler.send_event(SecurityEvent(event_type="x", reason=f"other {count}"))
        time.sleep(0.02)
    assert handler.flush_buffer(10)
    stats = handler.get_stats()
    assert stats["events_sent"] == 46
    assert stats["dropped"] == {"gave_up": 1}


def test_nothing_is_given_up_while_the_collector_is_down(
    agent: MakeAgent, collector: Collector
) -> None:
    collector.default = Reply(503)
    handler = agent(retry_attempts=1, backoff_factor=0.001, flush_interval=0.05)
    for event in events(2):
        handler.send_event(event)
    collector.wait_for(lambda: len(collector.requests) >= 8)
    assert handler.get_stats()["dropped"] == {}
    collector.default = Reply(200)
    assert collector.wait_for(lambda: handler.get_stats()["events_sent"] == 2)


def test_the_breaker_opens_after_five_failures_and_closes_with_the_first_success() -> None:
    backoff = Backoff(factor_seconds=10.0)
    for failures in range(1, 5):
        assert 0 <= backoff.failed() <= min(60, 10 * 2 ** (failures - 1))
        assert backoff.state == "closed"
    delay = backoff.failed()
    assert 30 <= delay <= 60
    assert backoff.state == "open"
    before = backoff.resume_at
    backoff.retry_now()
    assert backoff.resume_at == before
    backoff.resume_at = 0.0
    assert backoff.state == "half_open"
    backoff.succeeded()
    assert (backoff.state, backoff.failures) == ("closed", 0)


def test_delays_stay_within_a_minute_however_long_it_takes() -> None:
    backoff = Backoff(factor_seconds=1.0)
    assert all(0 <= backoff.failed() <= 60 for _ in range(2000))


def test_retry_after_wins_only_when_it_is_longer() -> None:
    backoff = Backoff(factor_seconds=0.001)
    assert backoff.failed(5.0) >= 5.0
    patient = Backoff(factor_seconds=1000.0)
    assert max(patient.failed(0.0) for _ in range(64)) > 1.0


def test_a_trickling_answer_does_not_hold_the_sender(
    agent: MakeAgent, collector: Collector
) -> None:
    """Each byte arrives within the read timeout; all of them together don't."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def trickle() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                try:
                    while not stop.wait(0.05):
                        connection.sendall(b"1\r\nx\r\n")
                except OSError:
                    pass

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        handler = agent(
            endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.5, exit_timeout=0.1
        )
        handler.send_event(events(1)[0])
        handler.flush_buffer(1.5)
        assert handler.get_stats()["transport_stats"]["requests_failed"] >= 1
        stop.set()
        thread.join(5)
