"""A remote store that fails in every way there is: no error, no long wait, and it comes back.

One "request" here is what the guard asks of a store for one: the ban, the limit, and a counter
or two. The bounds are the promised ones; they hold because of timeouts and the breaker, not
because the machine is fast.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from guard_wsgi.behavior.suspicion import Suspicion
from guard_wsgi.errors import StoreError
from guard_wsgi.network.address import parse_address
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.redis_server import Fault, FaultyProxy, RedisServer
from tests.state.waiting import assert_bounded, clock

CLIENT = parse_address("192.0.2.7")
assert CLIENT is not None
LIMIT = Limit(1_000_000, 60)
BOUND_SECONDS = 0.15 + 0.05
"""The promise, plus the delay of a busy test machine."""


def serve(store: Store, counters: int = 2) -> float:
    """Make one request's store calls; return their time."""
    began = clock()
    assert CLIENT is not None
    store.begin_request()
    store.bans.find(CLIENT)
    store.limiter.hit(LIMIT, CLIENT.client_key)
    for _ in range(counters):
        store.counters.increment("usage", 60)
    return clock() - began


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def store(proxy: FaultyProxy, changes: list[str]) -> Iterator[Store]:
    settings = StoreSettings(on_change=lambda change, detail: changes.append(change))
    opened = Store.open(proxy.url, settings=settings)
    yield opened
    opened.close()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize("fault", ["refuse", "silent", "reset", "drip"])
@pytest.mark.parametrize("when", ["from the start", "in the middle"])
def test_no_request_fails_or_waits_long_while_the_store_is_gone(
    store: Store, proxy: FaultyProxy, changes: list[str], fault: Fault, when: str
) -> None:
    if when == "in the middle":
        serve(store)
        assert not store.degraded
    proxy.set(fault)
    store.bans._refresh_at_ns = 0
    assert_bounded([serve(store) for _ in range(20)], BOUND_SECONDS)
    assert store.degraded
    assert changes == ["degraded"]
    assert store.status()["state"] == "degraded"
    assert store.status()["last_error"]

    proxy.set("none")

    def recovered() -> bool:
        serve(store)
        return not store.degraded

    until(recovered)
    assert changes == ["degraded", "recovered"]
    assert store.status()["state"] == "ok"


def test_once_the_breaker_is_open_requests_cost_next_to_nothing(
    store: Store, proxy: FaultyProxy
) -> None:
    proxy.set("silent")
    while not store.degraded:
        serve(store)
    took: list[float] = []

    def requests() -> None:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            took.append(serve(store))
            time.sleep(0.005)

    threads = [threading.Thread(target=requests) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(took) > 100
    # A probe costs one request its timeout; no other request waits.
    assert_bounded(took, 0.08)


def test_sixteen_threads_that_meet_a_silent_store_together_all_go_on(
    store: Store, proxy: FaultyProxy
) -> None:
    serve(store)
    proxy.set("silent")
    took: list[float] = []
    barrier = threading.Barrier(16)

    def request() -> None:
        barrier.wait(10)
        for _ in range(3):
            took.append(serve(store))

    threads = [threading.Thread(target=request) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(took) == 48
    assert_bounded(took, BOUND_SECONDS, together=16)


def test_a_slow_store_is_used_but_never_for_longer_than_the_budget(
    store: Store, proxy: FaultyProxy, own_redis: RedisServer
) -> None:
    serve(store)
    proxy.set("slow")
    took = []
    for _ in range(12):
        store.bans._refresh_at_ns = 0  # the most expensive request there is
        took.append(serve(store, counters=3))
    assert_bounded(took, BOUND_SECONDS)
    proxy.set("none")
    until(lambda: serve(store) < 10 and not store.degraded)


def test_one_slow_round_trip_a_request_keeps_the_counts_shared(proxy: FaultyProxy) -> None:
    # A reply takes 90 ms; the rest is for a busy machine.
    store = Store.open(
        proxy.url, settings=StoreSettings(timeout_seconds=0.2, request_budget_seconds=0.25)
    )
    serve(store)
    proxy.set("slow")
    limit = Limit(5, 60, "slow")
    assert CLIENT is not None
    allowed = 0
    for _ in range(8):
        store.begin_request()
        store.bans.find(CLIENT)
        allowed += store.limiter.hit(limit, "client").allowed
    assert allowed == 5
    assert not store.degraded
    proxy.set("none")
    direct = Store.open(store._backend._main._url)  # type: ignore[attr-defined]
    assert direct.limiter.peek(limit, "client").remaining == 0
    direct.close()
    store.close()


def test_a_full_server_is_a_fault_like_any_other(own_redis: RedisServer) -> None:
    store = Store.open(own_redis.url)
    serve(store)
    own_redis.ask("CONFIG", "SET", "maxmemory", "1")
    own_redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    took = [serve(store) for _ in range(10)]
    assert_bounded(took, BOUND_SECONDS)
    assert store.degraded
    assert "OutOfMemory" in store.status()["last_error"] or "OOM" in store.status()["last_error"]
    own_redis.ask("CONFIG", "SET", "maxmemory", "0")
    until(lambda: serve(store) < 10 and not store.degraded)
    store.close()


def test_a_restarted_server_is_used_again_without_its_scripts(
    own_redis: RedisServer, changes: list[str]
) -> None:
    store = Store.open(own_redis.url)
    limit = Limit(3, 60)
    assert store.limiter.hit(limit, "client").remaining == 2
    own_redis.ask("SCRIPT", "FLUSH")
    assert store.limiter.hit(limit, "client").remaining == 1
    own_redis.stop()
    own_redis.start()
    until(lambda: serve(store) < 10 and not store.degraded)
    assert store.limiter.hit(limit, "client").remaining == 2  # it kept nothing
    store.close()


def test_a_wrong_password_is_a_degraded_store_and_stays_out_of_the_status(
    own_redis: RedisServer,
) -> None:
    own_redis.ask("CONFIG", "SET", "requirepass", "right")
    store = Store.open(own_redis.url.replace("redis://", "redis://:wr0ng-secret@"))
    for _ in range(4):
        serve(store)
    assert store.degraded
    assert "wr0ng-secret" not in str(store.status())
    store.close()


def test_local_counts_are_this_workers_share(proxy: FaultyProxy) -> None:
    proxy.set("refuse")
    store = Store.open(proxy.url, settings=StoreSettings(worker_count=4))
    limit = Limit(100, 60)
    states = [store.limiter.hit(limit, "client") for _ in range(40)]
    assert sum(state.allowed for state in states) == 25
    assert states[-1].limit == Limit(25, 60)  # the headers show the real limit
    assert store.limiter.hit(Limit(2, 60), "another").allowed  # never less than one
    store.close()


def test_policy_allow_neither_limits_nor_bans(proxy: FaultyProxy) -> None:
    policies = {"rate_limit": "allow", "bans": "allow", "counters": "allow"}
    store = Store.open(proxy.url, settings=StoreSettings(policies=policies))
    assert CLIENT is not None
    store.bans.ban(CLIENT.text, 60, "test")
    assert store.bans.find(CLIENT) is not None
    proxy.set("refuse")
    store.bans._refresh_at_ns = 0
    for _ in range(5):
        assert store.limiter.hit(Limit(1, 60), "client").allowed
        store.counters.increment("c", 60)
    assert store.degraded
    assert store.bans.find(CLIENT) is None
    assert not store.bans.is_banned(CLIENT.text)
    assert store.counters.increment("c", 60) == 0
    store.close()


def test_policy_deny_says_so_at_once(proxy: FaultyProxy) -> None:
    policies = {"rate_limit": "deny", "bans": "deny", "counters": "deny"}
    store = Store.open(proxy.url, settings=StoreSettings(policies=policies))
    proxy.set("refuse")
    assert CLIENT is not None
    for attempt in (
        lambda: store.bans.find(CLIENT),
        lambda: store.limiter.hit(LIMIT, "client"),
        lambda: store.limiter.peek(LIMIT, "client"),
        lambda: store.limiter.clear(LIMIT, "client"),
        lambda: store.counters.increment("c", 60),
        lambda: store.counters.value("c", 60),
        lambda: store.counters.reset("c", 60),
        lambda: store.values.get("v"),
        lambda: store.values.set("v", b"", 60),
        lambda: store.values.delete("v"),
        lambda: store.bans.ban("192.0.2.9", 60, "test"),
        lambda: store.bans.unban("192.0.2.10"),
        lambda: store.bans.list(),
        lambda: store.reset(),
    ):
        with pytest.raises(StoreError):
            attempt()
    assert 1 <= store.retry_seconds <= 30
    proxy.set("none")

    def back() -> bool:
        try:
            store.bans.find(CLIENT)
        except StoreError:
            return False
        return True

    until(back)
    assert store.bans.is_banned("192.0.2.9")  # the store got it when it came back
    store.close()


def test_policies_are_each_features_own(proxy: FaultyProxy) -> None:
    store = Store.open(proxy.url, settings=StoreSettings(policies={"rate_limit": "deny"}))
    proxy.set("refuse")
    assert CLIENT is not None
    assert store.bans.find(CLIENT) is None
    assert store.counters.increment("c", 60) == 1
    with pytest.raises(StoreError, match="down"):
        store.limiter.hit(LIMIT, "client")
    store.close()


def test_bans_made_and_lifted_during_an_outage_reach_the_others_after_it(
    store: Store, proxy: FaultyProxy, own_redis: RedisServer
) -> None:
    other = Store.open(own_redis.url)
    store.bans.ban("192.0.2.1", 600, "before")
    proxy.set("refuse")
    while not store.degraded:
        serve(store)
    store.bans.ban("192.0.2.2", 600, "during")
    store.bans.unban("192.0.2.1")
    assert not other.bans.is_banned("192.0.2.2")
    proxy.set("none")
    until(lambda: serve(store) < 10 and not store.degraded)
    until(lambda: serve(store) < 10 and other.bans.is_banned("192.0.2.2"))
    until(lambda: not other.bans.is_banned("192.0.2.1"))
    assert [ban.target for ban in store.bans.list()] == ["192.0.2.2"]
    other.close()


def test_auto_bans_go_on_while_the_store_is_down(store: Store, proxy: FaultyProxy) -> None:
    proxy.set("silent")
    suspicion = Suspicion(store.counters, store.bans)
    assert CLIENT is not None
    verdicts = [suspicion.record(CLIENT, {"sqli"}) for _ in range(10)]
    assert verdicts[-1] is not None
    assert store.bans.find(CLIENT) is not None


def test_an_allowed_request_is_one_round_trip(own_redis: RedisServer) -> None:
    store = Store.open(own_redis.url)
    serve(store, counters=0)

    def commands() -> int:
        info = own_redis.ask("INFO", "commandstats").decode()
        return sum(
            int(line.split("calls=")[1].split(",")[0])
            for line in info.splitlines()
            if line.startswith(("cmdstat_eval", "cmdstat_evalsha", "cmdstat_ping"))
        )

    before = commands()
    for _ in range(200):
        serve(store, counters=0)
        time.sleep(0.005)
    assert commands() - before == 200
    store.close()


def test_more_requests_at_once_than_a_pool_of_the_library_holds_are_no_fault(
    own_redis: RedisServer,
) -> None:
    """redis-py 8 makes 100 connections by default; a worker of gevent serves a thousand clients."""
    settings = StoreSettings(timeout_seconds=10.0, request_budget_seconds=10.0)
    store = Store.open(own_redis.url, settings=settings)
    limit = Limit(150, 3600)
    store.limiter.hit(limit, "client")
    own_redis.ask("CLIENT", "PAUSE", "1000")
    allowed: list[bool] = []
    threads = [
        threading.Thread(target=lambda: allowed.append(store.limiter.hit(limit, "client").allowed))
        for _ in range(200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not store.degraded
    assert (len(allowed), sum(allowed)) == (200, 149)
    store.close()
