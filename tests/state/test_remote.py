"""Stores that are served through `limits`: memcached, MongoDB; and the spelling of URIs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from guard_wsgi.errors import ConfigError, StoreError
from guard_wsgi.network.address import parse_address
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.memcached_server import MemcachedServer
from tests.state.redis_server import free_port

CLIENT = parse_address("192.0.2.7")
assert CLIENT is not None


@pytest.fixture
def memcached() -> Iterator[MemcachedServer]:
    server = MemcachedServer()
    yield server
    server.close()


def open_memcached(server: MemcachedServer, **settings: object) -> Store:
    patient = {"timeout_seconds": 5.0, "request_budget_seconds": 5.0, **settings}
    return Store.open(server.url, settings=StoreSettings(**patient))  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", ["fixed-window", "sliding-window-counter"])
def test_memcached_lets_through_exactly_the_limit(
    memcached: MemcachedServer, strategy: str
) -> None:
    one = open_memcached(memcached, rate_limit_strategy=strategy)
    other = open_memcached(memcached, rate_limit_strategy=strategy)
    limit = Limit(5, 3600)
    states = [store.limiter.hit(limit, "client") for store in (one, other) * 4]
    assert [state.allowed for state in states] == [True] * 5 + [False] * 3
    assert [state.remaining for state in states] == [4, 3, 2, 1, 0, 0, 0, 0]
    assert all(0 < state.reset_seconds <= 7200 for state in states)
    assert other.limiter.peek(limit, "client").remaining == 0
    assert not other.limiter.peek(limit, "client").allowed
    assert other.limiter.hit(limit, "another", cost=3).remaining == 2
    refused = other.limiter.hit(limit, "another", cost=3)
    assert not refused.allowed
    assert refused.remaining == 2
    one.limiter.clear(limit, "client")
    assert other.limiter.hit(limit, "client").allowed
    assert not one.degraded
    one.close()
    other.close()


def test_memcached_takes_any_key(memcached: MemcachedServer) -> None:
    store = open_memcached(memcached)
    limit = Limit(1, 3600)
    for key in ("x" * 5000, "with blanks", "ключ", "lone \ud800 surrogate", "a\r\nflush_all", ""):
        assert store.limiter.hit(limit, key).allowed
        assert not store.limiter.hit(limit, key).allowed
        assert store.counters.increment(key, 60) == 1
    assert not store.degraded
    store.close()


def test_memcached_shares_counters_and_values(memcached: MemcachedServer) -> None:
    one, other = open_memcached(memcached), open_memcached(memcached)
    assert one.counters.increment("c", 60) == 1
    assert other.counters.increment("c", 60, 4) == 5
    other.counters.reset("c", 60)
    assert one.counters.value("c", 60) == 0
    one.values.set("v", b"\x00 bytes", 60)
    one.values.set("short", b"x", 0.2)
    assert other.values.get("v") == b"\x00 bytes"
    time.sleep(0.25)
    assert other.values.get("short") is None
    other.values.delete("v")
    assert one.values.get("v") is None
    assert not one.degraded
    one.close()
    other.close()


def test_memcached_shares_bans(memcached: MemcachedServer) -> None:
    one, other = open_memcached(memcached), open_memcached(memcached)
    assert CLIENT is not None
    assert other.bans.find(CLIENT) is None
    ban = one.bans.ban("192.0.2.0/24", 60, "a reason, и буквы")
    time.sleep(0.55)
    assert other.bans.find(CLIENT) == ban
    assert other.bans.unban("192.0.2.0/24")
    assert not other.bans.unban("192.0.2.0/24")
    time.sleep(0.55)
    assert one.bans.find(CLIENT) is None
    threads = [
        threading.Thread(target=store.bans.ban, args=(f"10.0.{n}.1", 60, "at once"))
        for n, store in enumerate((one, other) * 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    later = open_memcached(memcached)
    assert len(later.bans.list()) == 6
    for store in (one, other, later):
        store.close()


def test_memcached_can_not_keep_a_moving_window_and_says_so(memcached: MemcachedServer) -> None:
    with pytest.raises(ConfigError, match="moving-window"):
        open_memcached(memcached, rate_limit_strategy="moving-window")


def test_memcached_can_not_be_erased_and_says_so(memcached: MemcachedServer) -> None:
    store = open_memcached(memcached)
    with pytest.raises(StoreError, match="memcached"):
        store.reset()
    store.close()


@pytest.mark.parametrize("scheme", ["memcached", "mongodb", "redis+cluster", "redis+sentinel"])
def test_any_remote_store_that_is_down_leaves_the_limits_in_force(scheme: str) -> None:
    path = "/service" if scheme == "redis+sentinel" else ""
    store = Store.open(f"{scheme}://127.0.0.1:{free_port()}{path}")
    assert CLIENT is not None
    limit = Limit(2, 60)
    began = time.monotonic()
    allowed = []
    for _ in range(6):
        store.begin_request()
        store.bans.find(CLIENT)
        allowed.append(store.limiter.hit(limit, "client").allowed)
        store.counters.increment("c", 60)
    assert allowed == [True, True, False, False, False, False]
    assert store.degraded
    assert time.monotonic() - began < 20  # six requests, each of which could wait forever
    store.bans.ban("192.0.2.7", 60, "test")
    assert store.bans.find(CLIENT) is not None
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory", "not a URL"),
        ("carrier-pigeon://coop", "carrier-pigeon"),
        ("lmdb://relative/path", "lmdb:///"),
        ("redis+sentinel://127.0.0.1:26379", "service_name"),
        ("memcached://no-port", "port"),
    ],
)
def test_a_uri_that_names_no_store_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Store.open(url)


def test_a_store_that_drops_bans_says_so(
    memcached: MemcachedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("guard_wsgi.state.backends.remote.MAX_BANS", 3)
    store = open_memcached(memcached)
    for number in range(1, 4):
        store.bans.ban(f"192.0.2.{number}", 60 * number, "x")
    assert store.status()["max_bans"] == 3
    assert store.status()["bans_dropped"] == 0
    assert not caplog.records
    store.bans.ban("192.0.2.4", 3600, "x")
    assert store.status()["bans_dropped"] == 1
    assert not store.status()["bans_complete"]
    assert [record.getMessage() for record in caplog.records] == [
        "memcached keeps 3 bans: dropping those that end first"
    ]
    store.close()
