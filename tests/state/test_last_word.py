"""The last decision about a client holds, whoever made it and whatever happened to the store."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from attrs import evolve

from guard_wsgi.agent.ruled_bans import RuledBans
from guard_wsgi.agent.rules import DynamicRules
from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.behavior.suspicion import Suspicion
from guard_wsgi.behavior.tracker import BehaviorTracker
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.emergency import EmergencyMode, declare, revoke
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.kit.addresses import address
from tests.state.conftest import OpenStore
from tests.state.redis_server import FaultyProxy, RedisServer

_OPENED: list[Any] = []
"""Stores and clients of a test, to be closed at its end."""


@pytest.fixture(autouse=True)
def _closing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    open_one = Store.open

    def note(*args: Any, **options: Any) -> Store:
        store = open_one(*args, **options)
        _OPENED.append(store)
        return store

    monkeypatch.setattr(Store, "open", note)
    yield
    while _OPENED:
        _OPENED.pop().close()


every_store = pytest.mark.parametrize("kind", ["memory", "lmdb", "redis"])


# IPv6: a client is a network ----------------------------------------------------------------------


@every_store
def test_lifting_one_address_lifts_the_ban_of_its_client(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    store.bans.ban("2001:db8::1", 60, "by hand")
    store.bans.ban("2001:db8::9/128", 60, "the one")
    assert store.bans.unban("2001:db8::9")
    assert store.bans.list() == []
    assert not store.bans.unban("2001:db8::9")


def test_the_network_of_a_client_is_as_long_as_the_site_says(open_store: OpenStore) -> None:
    store = open_store("memory", ipv6_prefix_bits=56)
    assert store.bans.ban("2001:db8:0:7::1", 60, "x").target == "2001:db8::/56"
    alone = open_store("memory", ipv6_prefix_bits=128)
    assert alone.bans.ban("2001:db8::1", 60, "x").target == "2001:db8::1"


@pytest.mark.parametrize("by", ["hand", "suspicion", "behaviour"])
def test_who_lives_beside_a_proxy_is_banned_alone(open_store: OpenStore, by: str) -> None:
    store = open_store("memory", protected=IPSet(["2001:db8::1"]))
    attacker = address("2001:db8::9")
    if by == "hand":
        store.bans.ban("2001:db8::9", 60, "x")
    elif by == "suspicion":
        suspicion = Suspicion(store.counters, store.bans)
        for _ in range(suspicion.settings.overall.threshold):
            suspicion.record(attacker, ("sql_injection",))
    else:
        rule = BehaviorRule(rule_type="usage", threshold=1, window=60, action="ban")
        watch = BehaviorTracker(store).watch([rule])
        for _ in range(2):
            watch.before(attacker, "/")
    assert [ban.target for ban in store.bans.list()] == ["2001:db8::9"]
    assert store.bans.find(attacker) is not None
    assert store.bans.find(address("2001:db8::1")) is None


# Who banned for longer ----------------------------------------------------------------------------


@every_store
def test_no_rule_shortens_a_ban_by_hand(open_store: OpenStore, kind: str) -> None:
    by_hand, other = open_store(kind), open_store(kind)
    if kind == "memory":
        other = by_hand
    assert other.bans.find(address("192.0.2.1")) is None  # it has read what there was
    by_hand.bans.ban("192.0.2.9", 86_400, "operator")
    rule = BehaviorRule(rule_type="usage", threshold=1, window=60, action="ban", ban_duration=5)
    watch = BehaviorTracker(other).watch([rule])
    for _ in range(4):
        watch.before(address("192.0.2.9"), "/")
    (ban,) = open_store(kind).bans.list() if kind != "memory" else by_hand.bans.list()
    assert (ban.reason, ban.expires_at > time.time() + 80_000) == ("operator", True)
    assert by_hand.bans.ban("192.0.2.9", 60, "by hand again").reason == "by hand again"


# A script, and a store that is slow ---------------------------------------------------------------


def test_a_script_bans_as_many_as_it_likes_over_a_slow_link(
    own_redis: RedisServer, proxy: FaultyProxy
) -> None:
    proxy.set("slow")
    script = f"""
        from guard_wsgi.state.settings import StoreSettings
        from guard_wsgi.state.store import Store
        settings = StoreSettings(timeout_seconds=2, request_budget_seconds=2)
        bans = Store.open("redis://127.0.0.1:{proxy.port}/0", settings=settings).bans
        for number in range(40):
            bans.ban(f"192.0.2.{{number}}", 3600, "x")
        for number in range(0, 40, 10):
            assert bans.unban(f"192.0.2.{{number}}")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=120)
    assert len(Store.open(own_redis.url, settings=StoreSettings()).bans.list()) == 36


# A store that has lost its bans -------------------------------------------------------------------

LOST = 300


def client(server: RedisServer) -> Any:
    there = redis.Redis(port=server.port)
    _OPENED.append(there)
    return there


def lossy(url: str) -> Store:
    settings = StoreSettings(timeout_seconds=5.0, request_budget_seconds=5.0)
    return Store.open(url, settings=settings)


@pytest.mark.parametrize("by", ["itself", "another"])
def test_what_is_lifted_after_a_loss_stays_lifted(own_redis: RedisServer, by: str) -> None:
    knowing, other = lossy(own_redis.url), lossy(own_redis.url)
    for number in range(LOST):
        knowing.bans.ban(f"198.51.{number // 256}.{number % 256}", 3600, "x")
    assert len(knowing.bans.list()) == LOST
    client(own_redis).flushall()
    knowing.bans._refresh_at_ns = 0
    assert knowing.bans.find(address("203.0.113.1")) is None  # notices, and repairs the first ones
    lifted = [f"198.51.1.{number}" for number in range(44)]
    for target in lifted:
        (knowing if by == "itself" else other).bans.unban(target)
    deadline = time.monotonic() + 20
    while knowing.bans._recovery.lost and time.monotonic() < deadline:
        knowing.bans._refresh_at_ns = 0
        knowing.bans.find(address("203.0.113.1"))
    bans = {ban.target for ban in lossy(own_redis.url).bans.list()}
    told_before = set() if by == "itself" else bans & set(lifted)
    assert bans & set(lifted) == told_before == set()
    assert len(bans) == LOST - len(lifted)
    assert knowing.bans.find(address(lifted[0])) is None


def test_a_replica_that_takes_over_without_the_last_changes_is_noticed(
    own_redis: RedisServer,
) -> None:
    first, second = lossy(own_redis.url), lossy(own_redis.url)
    first.bans.ban("192.0.2.1", 3600, "x")
    there = client(own_redis)
    keys = there.keys("*bans*")
    copies = {key: there.dump(key) for key in keys}
    first.bans.ban("192.0.2.50", 3600, "lost by the replica")
    assert len(second.bans.list()) == 2
    client(own_redis).flushall()
    for key, copy in copies.items():
        there.restore(key, 0, copy)
    third = lossy(own_redis.url)
    for number in range(60, 63):
        third.bans.ban(f"192.0.2.{number}", 3600, "after it")
    for _ in range(3):
        second.bans._refresh_at_ns = 0
        assert second.bans.find(address("192.0.2.60")) is not None
        assert second.bans.find(address("192.0.2.50")) is not None
    assert len(lossy(own_redis.url).bans.list()) == 5


def test_a_fast_clock_sweeps_no_other_machines_bans(own_redis: RedisServer) -> None:
    here = lossy(own_redis.url)
    here.bans.ban("192.0.2.9", 3600, "x")
    backend = here._backend._main  # type: ignore[attr-defined]
    from guard_wsgi.state.backends import redis as module

    record, ahead = b"%d x" % (time.time() + 7260), time.time() + 7200
    for number in range(3):
        arguments = f"192.0.2.{number}", record, ahead + 60, ahead, 1
        backend._run(module._SAVE_BAN, backend._ban_keys, *arguments)
    assert {ban.target for ban in lossy(own_redis.url).bans.list()} >= {"192.0.2.9"}


# What was said during an outage -------------------------------------------------------------------


@pytest.mark.parametrize("last", ["banned", "lifted"])
def test_an_old_word_does_not_undo_a_new_one(
    own_redis: RedisServer, proxy: FaultyProxy, last: str
) -> None:
    settings = StoreSettings(timeout_seconds=2, request_budget_seconds=2)
    store = Store.open(f"redis://127.0.0.1:{proxy.port}/0", settings=settings)
    target = "203.0.113.9"
    store.bans.ban(target, 3600, "first")
    backend = store._backend
    backend.breaker.closed = False  # type: ignore[attr-defined]
    backend.breaker._probe_at_ns = 2**62  # type: ignore[attr-defined]
    for number in range(150):
        store.bans.ban(f"192.0.2.{number}", 3600, "waiting")
    if last == "banned":
        store.bans.unban(target)
    else:
        store.bans.ban(target, 7200, "again")
    backend.breaker.closed = True  # type: ignore[attr-defined]
    if last == "banned":
        store.bans.ban(target, 3600, "last")
    else:
        assert store.bans.unban(target)
    for _ in range(4):
        store.bans._refresh_at_ns = 0
        store.bans.find(address("192.0.2.200"))
    known = {ban.target for ban in lossy(own_redis.url).bans.list()}
    assert (target in known) is (last == "banned")
    assert len(known - {target}) == 150
    assert (store.bans.find(address(target)) is not None) is (last == "banned")


def test_a_lifted_ban_that_waits_is_kept_when_there_is_no_room(tmp_path: Path) -> None:
    from guard_wsgi.state.backends import resilient
    from guard_wsgi.state.backends.resilient import ResilientBackend

    store = Store.open("redis://127.0.0.1:1/0")
    backend = store._backend
    assert isinstance(backend, ResilientBackend)
    for number in range(resilient.MAX_PENDING_BANS):
        backend._pending[f"10.0.{number // 256}.{number % 256}"] = None
    store.bans.ban("10.0.0.1", 60, "x")
    assert backend._pending["10.0.0.1"] is not None


# Emergencies --------------------------------------------------------------------------------------


def test_an_emergency_outlives_the_store_that_declared_it(
    own_redis: RedisServer, proxy: FaultyProxy
) -> None:
    settings = StoreSettings(timeout_seconds=2, request_budget_seconds=2)
    store = Store.open(f"redis://127.0.0.1:{proxy.port}/0", settings=settings)
    mode = EmergencyMode(store.values, poll_seconds=0)
    operator = lossy(own_redis.url)
    declare(operator.values, seconds=600)
    assert mode.active
    proxy.set("refuse")
    for _ in range(6):
        assert mode.active  # down
    assert store.degraded
    client(own_redis).flushall()
    proxy.set("none")
    deadline = time.monotonic() + 30
    while store.degraded:
        assert mode.active
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert mode.active  # the store has lost it, and gets it again
    assert EmergencyMode(operator.values).active
    assert revoke(operator.values)
    assert not mode.active
    assert not revoke(operator.values)


def test_a_dynamic_rule_does_not_take_over_a_longer_ban(open_store: OpenStore) -> None:
    store = open_store("memory")
    store.bans.ban("203.0.113.9", 86_400, "operator")
    rules = DynamicRules(
        rule_id="default-rule", ip_blacklist=["203.0.113.9", "2001:db8::9"], ip_ban_duration=3600
    )
    RuledBans(store.bans, store.values).apply(rules)
    assert {ban.reason for ban in store.bans.list()} == {"operator", "dynamic rule default-rule"}
    shorter = evolve(rules, ip_ban_duration=60)
    RuledBans(store.bans, store.values).apply(shorter)
    (own,) = [ban for ban in store.bans.list() if ban.reason != "operator"]
    assert store.bans.seconds_left(own) < 61
    RuledBans(store.bans, store.values).lift(shorter, None)
    assert [ban.reason for ban in store.bans.list()] == ["operator"]


@every_store
def test_a_rules_time_begins_once_and_whom_somebody_let_in_stays_in(
    open_store: OpenStore, kind: str
) -> None:
    store = open_store(kind)
    rules = DynamicRules(rule_id="r", ip_blacklist=("192.0.2.7", "192.0.2.8"), ip_ban_duration=3600)
    bans = RuledBans(store.bans, store.values)
    bans.apply(rules)
    ends = {ban.target: ban.expires_at for ban in store.bans.list()}
    assert ends.keys() == {"192.0.2.7", "192.0.2.8"}
    store.bans.unban("192.0.2.8")
    time.sleep(0.01)
    # A worker that starts later gets the same rules, in an answer of another time.
    later = RuledBans(store.bans, store.values)
    later.apply(evolve(rules, timestamp=datetime(2030, 1, 1, tzinfo=UTC)))
    assert [(ban.target, ban.expires_at) for ban in store.bans.list()] == [
        ("192.0.2.7", ends["192.0.2.7"])
    ]
    bans.lift(rules, None)
    assert not store.bans.list()
    later.apply(rules)  # written back by another process
    assert len(store.bans.list()) == 2


@every_store
def test_a_ban_by_hand_goes_on_when_a_longer_one_of_a_rule_is_taken_back(
    open_store: OpenStore, kind: str
) -> None:
    store = open_store(kind)
    by_hand = store.bans.ban("192.0.2.7", 3600, "by hand")
    bans = RuledBans(store.bans, store.values)
    rules = DynamicRules(rule_id="r", ip_blacklist=("192.0.2.7",), ip_ban_duration=7200)
    bans.apply(rules)
    assert [ban.reason for ban in store.bans.list()] == ["dynamic rule r"]
    bans.lift(rules, None)
    (ban,) = store.bans.list()
    assert (ban.target, ban.reason) == ("192.0.2.7", "by hand")
    assert abs(ban.expires_at - by_hand.expires_at) < 1
    # Unbanned by hand under the rule, and banned by it again: that ban belongs to no rule.
    bans.apply(rules)
    store.bans.unban("192.0.2.7")
    bans.apply(evolve(rules, ip_ban_duration=7300))
    bans.lift(evolve(rules, ip_ban_duration=7300), None)
    assert not store.bans.list()
