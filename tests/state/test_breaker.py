"""The breaker: opening, probing, closing, and its messages."""

from __future__ import annotations

import logging

import pytest

from guard_wsgi.state.backends.breaker import Breaker
from tests.state.conftest import FakeClock


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def breaker(fake_clock: FakeClock, told: list[str]) -> Breaker:
    return Breaker(
        "test", on_change=lambda change, detail: told.append(change), clock=fake_clock.clock()
    )


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed(OSError("gone"))


def test_opens_after_three_failures_in_a_row(breaker: Breaker, told: list[str]) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.closed
    fail(breaker, 1)
    assert not breaker.closed
    assert told == ["degraded"]
    assert breaker.last_error == "OSError: gone"
    fail(breaker, 10)
    assert told == ["degraded"]


def test_one_caller_probes_ever_more_rarely(breaker: Breaker, fake_clock: FakeClock) -> None:
    fail(breaker, 3)
    for wait in (1, 2, 4, 8, 16, 30, 30):
        assert breaker.retry_seconds == wait
        fake_clock.advance(wait - 0.001)
        assert not breaker.admits_probe()
        fake_clock.advance(0.001)
        assert breaker.admits_probe()
        assert not breaker.admits_probe()
        fail(breaker, 1)


def test_a_probe_that_succeeds_closes_it(
    breaker: Breaker, fake_clock: FakeClock, told: list[str]
) -> None:
    fail(breaker, 3)
    fake_clock.advance(1)
    assert breaker.admits_probe()
    breaker.succeeded()
    assert breaker.closed
    assert breaker.retry_seconds == 0
    assert told == ["degraded", "recovered"]
    fail(breaker, 3)
    assert breaker.retry_seconds == 1


def test_calls_that_began_before_it_opened_do_not_put_off_the_probe(
    breaker: Breaker, fake_clock: FakeClock
) -> None:
    fail(breaker, 3)
    fake_clock.advance(0.5)
    fail(breaker, 20)
    assert breaker.retry_seconds == 0.5


def test_an_abandoned_probe_is_anothers_to_make(breaker: Breaker, fake_clock: FakeClock) -> None:
    fail(breaker, 3)
    fake_clock.advance(1)
    assert breaker.admits_probe()
    breaker.abandoned()
    assert breaker.admits_probe()


def test_says_each_change_once(fake_clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    breaker = Breaker("test", clock=fake_clock.clock())
    with caplog.at_level(logging.INFO, "guard_wsgi.state"):
        fail(breaker, 30)
        fake_clock.advance(1)
        assert breaker.admits_probe()
        breaker.succeeded()
        breaker.succeeded()
    assert len(caplog.records) == 2
    assert "down" in caplog.messages[0]
    assert "back after 1.0 s" in caplog.messages[1]


def test_a_listener_that_fails_is_not_the_callers_fault(caplog: pytest.LogCaptureFixture) -> None:
    def listen(change: str, detail: str) -> None:
        raise RuntimeError("listener")

    breaker = Breaker("test", on_change=listen)
    fail(breaker, 3)
    assert not breaker.closed
    assert "listener" in caplog.text
