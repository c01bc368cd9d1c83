"""The guard before an app while its Redis fails: no 500, and 503 only where it is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client, create_environ, run_wsgi_app

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.telemetry.events import SecurityEvent
from tests.state.redis_server import Fault, FaultyProxy, RedisServer
from tests.state.waiting import assert_bounded, clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BOUND_SECONDS = 0.15 + 0.1
"""The promise, plus the delay of a busy test machine."""
KNOWN_GONE_SECONDS = 0.005
"""The promise while the store is known to be gone."""


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"ok"]


def guard(url: str, **options: object) -> GuardMiddleware:
    return GuardMiddleware(
        app,
        SecurityConfig(
            store_url=url,
            enable_penetration_detection=False,
            rate_limit=30,
            rate_limit_window=600,
            **options,  # type: ignore[arg-type]
        ),
    )


def get(client: Client, address: str = "192.0.2.7") -> tuple[int, float, dict[str, str]]:
    began = clock()
    response = client.get("/", environ_overrides={"REMOTE_ADDR": address})
    return response.status_code, clock() - began, dict(response.headers)


def delays(guarded: GuardMiddleware) -> list[float]:
    """Return the guard's time for each of 1,000 requests in a row; the app takes no time."""
    took = []
    for number in range(1000):
        environ = create_environ(environ_overrides={"REMOTE_ADDR": f"192.0.2.{number % 250}"})
        began = clock()
        run_wsgi_app(guarded, environ)
        took.append(clock() - began)
    return sorted(took)


def assert_nobody_waits(guarded: GuardMiddleware) -> None:
    assert_bounded(delays(guarded), KNOWN_GONE_SECONDS)


def open_breaker(guarded: GuardMiddleware) -> None:
    deadline = time.monotonic() + 20
    while not guarded.services.store.degraded:
        run_wsgi_app(guarded, create_environ(environ_overrides={"REMOTE_ADDR": "192.0.2.7"}))
        assert time.monotonic() < deadline


@pytest.mark.parametrize("fault", ["refuse", "silent", "reset", "drip", "slow"])
def test_with_the_breaker_open_nobody_waits_for_the_store(proxy: FaultyProxy, fault: Fault) -> None:
    # A store that is slow within its timeout is used, and never opens it: so less of it.
    options = {"store_timeout": 0.05} if fault == "slow" else {}
    guarded = guard(proxy.url, **options)
    proxy.set(fault)
    open_breaker(guarded)
    assert_nobody_waits(guarded)
    assert guarded.services.store.degraded
    guarded.close()


def test_with_the_breaker_open_nobody_waits_for_a_full_server(own_redis: RedisServer) -> None:
    own_redis.ask("CONFIG", "SET", "maxmemory", "1")
    guarded = guard(own_redis.url)
    open_breaker(guarded)
    assert_nobody_waits(guarded)
    assert guarded.services.store.degraded
    guarded.close()


def test_nobody_waits_long_for_a_store_that_comes_back(proxy: FaultyProxy) -> None:
    guarded = guard(proxy.url)
    proxy.set("refuse")
    open_breaker(guarded)
    proxy.set("none")
    deadline = time.monotonic() + 20
    while guarded.services.store.degraded:
        assert_bounded(delays(guarded), BOUND_SECONDS)
        assert time.monotonic() < deadline
    assert_bounded(delays(guarded), BOUND_SECONDS)
    guarded.close()


@pytest.mark.parametrize("fault", ["refuse", "silent", "reset", "drip", "slow"])
def test_requests_go_on_within_their_time_and_limits(proxy: FaultyProxy, fault: Fault) -> None:
    guarded = guard(proxy.url)
    client = Client(guarded)
    assert get(client)[0] == 200
    proxy.set(fault)
    answers = [get(client) for _ in range(40)]
    statuses = {status for status, _, _ in answers}
    # A slow store may count one hit and be too late for the next, which is then counted here.
    assert statuses == {200, 429} or (fault == "slow" and statuses == {200})
    assert_bounded([took for _, took, _ in answers], BOUND_SECONDS)
    proxy.set("none")
    deadline = time.monotonic() + 20
    while get(client, "192.0.2.8")[0] not in (200, 429) or guarded.services.store.degraded:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    guarded.close()


def test_a_slow_store_has_the_time_of_each_request_again(proxy: FaultyProxy) -> None:
    # Three round trips of 90 ms: room for a busy machine. The six requests take longer.
    guarded = guard(proxy.url, store_timeout=0.3)
    client = Client(guarded)
    assert get(client)[0] == 200
    proxy.set("slow")
    for _ in range(6):
        assert get(client)[0] == 200
    proxy.set("none")
    (state,) = guarded.limits("192.0.2.7")
    # All seven were counted there, except one during which the machine was busy.
    assert state.remaining <= 24
    assert not guarded.services.store.degraded
    guarded.close()


def test_a_full_server_leaves_the_site_up(own_redis: RedisServer) -> None:
    guarded = guard(own_redis.url)
    client = Client(guarded)
    assert get(client)[0] == 200
    own_redis.ask("CONFIG", "SET", "maxmemory", "1")
    assert {get(client)[0] for _ in range(40)} == {200, 429}
    guarded.close()


def test_where_the_policy_is_to_deny_the_answer_is_503_with_retry_after(
    proxy: FaultyProxy,
) -> None:
    guarded = guard(proxy.url, store_failure_policy={"rate_limit": "deny"})
    client = Client(guarded)
    assert get(client)[0] == 200
    proxy.set("refuse")
    answers = [get(client) for _ in range(5)]
    for status, _, headers in answers:
        assert status == 503
        assert int(headers["Retry-After"]) >= 1
    assert_bounded([took for _, took, _ in answers], BOUND_SECONDS)
    proxy.set("none")
    deadline = time.monotonic() + 20
    while get(client)[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    guarded.close()


def test_each_change_is_one_event_and_one_line_and_the_status_tells(
    proxy: FaultyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    class Sink:
        def send_event(self, event: SecurityEvent) -> None:
            told.append(event.event_type)

    guarded = guard(proxy.url)
    guarded.services.events.add_sink(Sink())
    client = Client(guarded)
    get(client)
    assert guarded.status()["store"]["state"] == "ok"
    proxy.set("refuse")
    for _ in range(20):
        get(client)
    status = guarded.status()["store"]
    assert status["state"] == "degraded"
    assert status["degradations"] == 1
    proxy.set("none")
    deadline = time.monotonic() + 20
    while guarded.services.store.degraded:
        get(client)
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [kind for kind in told if kind.startswith("store_")] == [
        "store_degraded",
        "store_recovered",
    ]
    lines = [line for line in caplog.messages if "store" in line.lower()]
    assert ["is down" in line for line in lines] == [True, False]
    assert "is back after" in lines[1]
    guarded.close()
