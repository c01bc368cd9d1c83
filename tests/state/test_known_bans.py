"""Whoever was banned is refused by every worker, fresh, idle or cut off from its store's past."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.errors import ConfigError, StoreError
from guard_wsgi.network.address import parse_address
from guard_wsgi.state.backend import STRATEGIES, Strategy
from guard_wsgi.state.backends.lmdb import LMDBStorage
from guard_wsgi.state.backends.lmdb_file import LMDBFile
from guard_wsgi.state.ban_index import Ban, BanIndex
from guard_wsgi.state.ban_targets import canonical_target, targets_around
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.kit.addresses import address
from tests.kit.gateway import environ_for, serve, text_app
from tests.state.conftest import FakeClock, OpenStore
from tests.state.redis_server import RedisServer

shared = pytest.mark.parametrize("kind", ["lmdb", "redis"])
MANY = 3_500
"""Some pages of them."""


def of(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def ban_many(store: Store) -> None:
    for number in range(MANY):
        store.bans.ban(of(number), 600 + number, "botnet")
    store.bans.ban("198.51.100.0/24", 600, "network")
    store.bans.ban("2001:db8::/48", 600, "network")


BANNED = [of(MANY - 1), of(0), of(MANY // 2), "198.51.100.200", "2001:db8::7"]


@shared
@pytest.mark.parametrize("banned", BANNED)
def test_a_fresh_worker_lets_nobody_banned_through(
    open_store: OpenStore, kind: str, banned: str
) -> None:
    ban_many(open_store(kind))
    fresh = open_store(kind)
    guard = GuardMiddleware(text_app(), SecurityConfig(), store=fresh)
    for number in range(6):
        environ = environ_for("/")
        environ["REMOTE_ADDR"] = banned
        assert serve(guard, environ).code == 403, number
        environ = environ_for("/")
        environ["REMOTE_ADDR"] = "203.0.113.9"
        assert serve(guard, environ).code == 200
    assert len(open_store(kind).bans.list()) == MANY + 2


def test_an_idle_worker_lets_nobody_banned_through(open_store: OpenStore) -> None:
    store = open_store("redis")
    idle = open_store("redis")
    assert idle.bans.find(address(BANNED[0])) is None
    ban_many(store)
    store.bans.unban(of(7))
    backend = idle._backend._main  # type: ignore[attr-defined]
    for banned in BANNED:
        backend._bans_read_at = time.monotonic() - 10_000
        idle.bans._refresh_at_ns = 0
        assert idle.bans.find(address(banned)) is not None
        assert idle.bans.find(address(of(7))) is None


@shared
def test_lifting_while_a_worker_reads_holds(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    ban_many(store)
    reading = open_store(kind)
    assert reading.bans.find(address(of(3))) is not None
    for number in (3, MANY - 3):
        assert store.bans.unban(of(number))
    store.bans.ban("203.0.113.77", 60, "meanwhile")
    time.sleep(0.55)
    for _ in range(8):
        assert reading.bans.find(address("203.0.113.77")) is not None
        assert reading.bans.find(address(of(MANY - 3))) is None
    deadline = time.monotonic() + 2
    while reading.bans.find(address(of(3))) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(reading.bans.list()) == MANY + 1


@shared
def test_what_is_too_much_to_keep_is_asked_for(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    for number in range(200):
        store.bans.ban(of(number), 60 + number, "botnet")
    small = open_store(kind, max_bans=50)
    for _ in range(3):
        assert all(small.bans.find(address(of(number))) for number in range(200))
        assert small.bans.find(address("203.0.113.9")) is None
    status = small.status()
    assert (status["bans"], status["max_bans"]) == (50, 50)
    assert status["bans_dropped"] == 150
    assert not status["bans_complete"]


def test_a_store_that_forgets_is_reminded(own_redis: RedisServer) -> None:
    store, other = Store.open(own_redis.url), Store.open(own_redis.url)
    for number in range(300):
        store.bans.ban(of(number), 600, "botnet")
    store.bans.unban(of(5))
    assert len(other.bans.list()) == 299
    own_redis.ask("FLUSHALL")
    deadline = time.monotonic() + 10
    later = None
    while later is None or len(later.bans.list()) < 299:
        assert time.monotonic() < deadline
        assert other.bans.find(address(of(7))) is not None
        assert other.bans.find(address(of(5))) is None
        if later is not None:
            later.close()
        later = Store.open(own_redis.url)
        time.sleep(0.05)
    assert later.bans.find(address(of(5))) is None
    for each in (store, other, later):
        each.close()


@shared
def test_a_reset_is_no_loss(open_store: OpenStore, kind: str) -> None:
    store, other = open_store(kind), open_store(kind)
    store.bans.ban(of(1), 600, "one")
    assert other.bans.find(address(of(1))) is not None
    store.reset()
    deadline = time.monotonic() + 3
    while other.bans.find(address(of(1))) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert open_store(kind).bans.list() == []


# What stores can't take -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "lmdb", "redis", "fallback"])
@pytest.mark.parametrize("seconds", [2e10, 1e300, 10**400])
def test_a_ban_for_ever_is_kept_and_blocks_no_other(
    open_store: OpenStore, kind: str, seconds: float
) -> None:
    store = open_store(kind)
    ban = store.bans.ban("203.0.113.1", seconds, "forever")
    assert time.gmtime(ban.expires_at).tm_year == 2500
    store.bans.ban("203.0.113.2", 60, "after it")
    assert store.bans.find(address("203.0.113.1")) == ban
    if kind in ("lmdb", "redis"):
        other = open_store(kind)
        assert [each.target for each in other.bans.list()] == ["203.0.113.2", "203.0.113.1"]
        assert not store.degraded


@pytest.mark.parametrize("seconds", [10**10, 10**20, 10**400])
def test_a_window_that_no_store_can_keep_is_an_error_at_once(
    open_store: OpenStore, seconds: int
) -> None:
    store = open_store("lmdb")
    with pytest.raises(ConfigError, match="window_seconds"):
        Limit(5, seconds)
    with pytest.raises(ValueError, match="window_seconds"):
        store.counters.increment("a", seconds)
    with pytest.raises(ValueError, match="ttl_seconds"):
        store.values.set("a", b"", seconds)
    for options in (
        {"rate_limit": seconds},
        {"rate_limit_window": seconds},
        {"endpoint_rate_limits": {"/": (5, seconds)}},
        {"endpoint_rate_limits": {"/": (seconds, 5)}},
        {"auto_ban_window": seconds},
    ):
        with pytest.raises(ConfigError, match=r"at most|1 to"):
            SecurityConfig(**options)
    assert store.limiter.hit(Limit(5, 3_155_760_000), "a").allowed
    assert not store.degraded


def test_one_bad_entry_blocks_no_other(open_store: OpenStore) -> None:
    store = open_store("redis")
    backend: Any = store._backend
    save = backend._main.save_ban

    def refusing(entry: Any) -> None:
        if entry.target == "203.0.113.1":
            raise ConnectionError("never")
        save(entry)

    backend._main.save_ban = refusing
    for number in range(1, 4):
        store.bans.ban(f"203.0.113.{number}", 60, "test")
    other = open_store("redis")
    other.bans.ban("203.0.113.9", 60, "elsewhere")
    deadline = time.monotonic() + 5
    while store.bans.find(address("203.0.113.9")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert {ban.target for ban in other.bans.list()} >= {"203.0.113.2", "203.0.113.3"}
    assert store.bans.find(address("203.0.113.1")) is not None


# The index ------------------------------------------------------------------------------------


def test_the_index_holds_what_it_says_and_banning_again_drops_nobody() -> None:
    index = BanIndex(1000)
    for number in range(1000):
        index.put(Ban(of(number), "", 0.0), 10**12 + number, 0)
    for round_ in range(5000):
        index.put(Ban(of(3), "", 0.0), 10**12 + round_, 0)
    assert len(index) == 1000
    assert index.dropped == 0
    assert len(index._by_expiry) < 5000
    index.put(Ban("192.0.2.0/24", "", 0.0), 10**13, 0)
    assert (len(index), index.dropped) == (1000, 1)


def test_a_hundred_thousand_bans_are_kept() -> None:
    store = Store.open()
    for number in range(100_000):
        store.bans.ban(of(number), 600, "x")
        if number % 10 == 0:
            store.bans.ban(of(number), 600, "x")
    assert len(store.bans) == 100_000
    assert store.bans.find(address(of(0))) is not None


# LMDB -----------------------------------------------------------------------------------------


def test_lmdb_waits_for_nobody(tmp_path: Path) -> None:
    guard = GuardMiddleware(text_app(), SecurityConfig(store_url=f"lmdb://{tmp_path}/s.lmdb"))
    assert not guard.services.store.waits
    assert serve(guard).code == 200
    guard.bans.ban("203.0.113.7", 60, "test")
    assert serve(guard).code == 403
    guard.close()


@pytest.mark.parametrize(("policy", "code"), [("local", 200), ("allow", 200), ("deny", 503)])
def test_a_file_that_cant_be_opened_follows_the_policy_and_heals(
    tmp_path: Path, policy: str, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").touch()
    config = SecurityConfig(
        store_url=f"lmdb://{tmp_path}/state/s.lmdb",
        store_failure_policy=dict.fromkeys(("rate_limit", "bans", "counters"), policy),
        rate_limit=2,
    )
    guard = GuardMiddleware(text_app(), config)
    assert serve(guard).code == code
    assert "can't be opened" in caplog.text
    (tmp_path / "state").unlink()
    deadline = time.monotonic() + 30
    while guard.services.store.degraded or not (tmp_path / "state" / "s.lmdb").exists():
        serve(guard)
        assert time.monotonic() < deadline
        time.sleep(0.2)
    guard.close()


@pytest.mark.parametrize("name", ["s.lmdb", "s.lmdb-counts"])
def test_a_file_that_was_cut_is_set_aside_when_it_is_noticed(tmp_path: Path, name: str) -> None:
    file = LMDBFile.at(tmp_path / "s.lmdb")
    storage = LMDBStorage(file=file)
    take: Callable[..., Any] = storage.taker("fixed-window")
    take("a", 5, 60, 1)
    os.truncate(tmp_path / name, 4096)
    file.check()
    assert take("a", 5, 60, 1)[:2] == (True, 4)
    assert any(".aside-" in path.name for path in tmp_path.iterdir())
    storage.close()


# Retry-After ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "lmdb", "redis"])
@pytest.mark.parametrize("strategy", ["fixed-window", "sliding-window-counter", "moving-window"])
@pytest.mark.parametrize("cost", [1, 2, 3])
def test_looking_says_when_a_cost_fits(
    open_store: OpenStore, kind: str, strategy: Any, cost: int
) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(4, 2)
    for _ in range(3):
        assert store.limiter.hit(limit, "a").allowed
    state = store.limiter.peek(limit, "a", cost)
    assert state.allowed is (cost == 1)
    refused = store.limiter.hit(limit, "a", cost)
    if not state.allowed:
        assert state.reset_seconds == pytest.approx(refused.reset_seconds, abs=0.05)
        time.sleep(max(0.0, refused.reset_seconds - 0.1))
        assert not store.limiter.hit(limit, "a", cost).allowed
        time.sleep(0.11)
        assert store.limiter.hit(limit, "a", cost).allowed


def test_a_limit_by_country_tells_the_longer_wait(fake_clock: FakeClock) -> None:
    from guard_wsgi import RouteConfig

    class Atlas:
        def get_country(self, ip: str) -> str | None:
            return "NZ"

    route = RouteConfig(
        rate_limit=4, rate_limit_window=10, rate_limit_cost=2, geo_rate_limits={"NZ": (4, 300)}
    )
    store = Store.open(
        settings=StoreSettings(clock=fake_clock.clock(), rate_limit_strategy="fixed-window")
    )
    guard = GuardMiddleware(
        text_app(), SecurityConfig(geo_ip_handler=Atlas()), routes={"/": route}, store=store
    )
    assert [serve(guard).code for _ in range(2)] == [200, 200]
    answer = serve(guard)
    assert (answer.code, answer.header("Retry-After")) == (429, "300")
    fake_clock.advance(299)
    assert serve(guard).code == 429
    fake_clock.advance(1)
    assert serve(guard).code == 200


def test_a_store_error_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store.open(
        f"lmdb://{tmp_path}/file/s.lmdb", settings=StoreSettings(policies={"rate_limit": "deny"})
    )
    with pytest.raises(StoreError, match=r"file/s\.lmdb"):
        store.limiter.hit(Limit(1, 1), "a")
    store.close()


def test_a_dynamic_rule_without_an_end_holds_in_no_part() -> None:
    from datetime import datetime

    from guard_wsgi import DynamicRules

    guard = GuardMiddleware(text_app(), SecurityConfig())
    now = datetime.now(UTC)
    rules = DynamicRules(
        rule_id="r",
        version=1,
        timestamp=now,
        ip_blacklist=("203.0.113.7",),
        ip_ban_duration=10**400,
        emergency_mode=True,
    )
    with pytest.raises(ConfigError, match="ip_ban_duration"):
        guard.services.ruled.apply(rules)
    assert guard.services.ruled.rules is None
    assert serve(guard).code == 200


@given(st.ip_addresses())
def test_the_networks_around_an_address_are_spelled_as_bans_are(text: Any) -> None:
    parsed = parse_address(str(text))
    assert parsed is not None
    own, *networks = targets_around(parsed)
    assert own == canonical_target(own)
    for network in networks:
        assert network == canonical_target(network)
    assert len(networks) == (32 if parsed.version == 4 else 128)


def test_a_ban_holds_at_once_where_nobody_was_banned(tmp_path: Path) -> None:
    """The knowledge that nobody is banned lasts a second, and ends with a ban of this process."""
    storage = LMDBStorage(f"lmdb://{tmp_path}/state.lmdb")
    bans = Bans(storage)
    address = parse_address("203.0.113.7")
    assert address is not None
    assert bans.find(address) is None
    assert bans.nobody_until > time.monotonic()
    assert bans.nobody_until <= time.monotonic() + 2
    bans.ban("203.0.113.0/24", 60, "abuse")
    assert bans.nobody_until == 0.0
    assert bans.find(address) is not None
    assert bans.nobody_until == 0.0
    bans.unban("203.0.113.0/24")
    assert bans.find(address) is None


def test_bans_of_many_threads_hold_at_once(tmp_path: Path) -> None:
    bans = Bans(LMDBStorage(f"lmdb://{tmp_path}/state.lmdb"))
    stranger = parse_address("198.51.100.1")
    assert stranger is not None
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            if time.monotonic() >= bans.nobody_until:
                bans.find(stranger)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(300):
            target = f"203.0.{number}.1" if number < 256 else f"203.1.{number - 256}.1"
            address = parse_address(target)
            assert address is not None
            bans.ban(target, 60, "abuse")
            assert time.monotonic() >= bans.nobody_until
            assert bans.find(address) is not None
            bans.unban(target)
    finally:
        done.set()
        for thread in threads:
            thread.join(10)


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_ban_elsewhere_holds_from_the_next_counted_request(
    open_store: OpenStore, kind: str, strategy: Strategy
) -> None:
    clock = FakeClock()  # which stands still: nobody looks by the time
    here = open_store(kind, clock=clock.clock(), rate_limit_strategy=strategy)
    other = open_store(kind, clock=clock.clock())
    client = parse_address("203.0.113.7")
    assert client is not None
    limit = Limit(100, 60)
    assert here.limiter.hit(limit, "a").allowed
    assert here.bans.find(client) is None
    other.bans.ban("203.0.113.7", 3600, "x")
    assert here.bans.find(client) is None
    assert here.limiter.hit(limit, "a").allowed
    assert here.bans.find(client) is not None
    other.bans.unban("203.0.113.7")
    assert here.limiter.hit(limit, "a").allowed
    assert here.bans.find(client) is None
