"""Rate limits mean the same on every store."""

from __future__ import annotations

import threading
import time

import pytest

from guard_wsgi.errors import ConfigError
from guard_wsgi.state.backend import STRATEGIES
from guard_wsgi.state.ratelimit import Limit
from tests.state.conftest import KINDS, FakeClock, OpenStore

every_store = pytest.mark.parametrize("kind", KINDS)
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


@every_store
@every_strategy
def test_lets_through_exactly_the_limit(open_store: OpenStore, kind: str, strategy: str) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(5, 60)
    states = [store.limiter.hit(limit, "client") for _ in range(8)]
    assert [state.allowed for state in states] == [True] * 5 + [False] * 3
    assert [state.remaining for state in states] == [4, 3, 2, 1, 0, 0, 0, 0]
    assert all(0 < state.reset_seconds <= 120 for state in states)
    assert store.limiter.hit(limit, "another client").allowed


@every_store
@every_strategy
def test_a_refused_client_gets_in_exactly_at_the_announced_time(
    open_store: OpenStore, kind: str, strategy: str
) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(2, 1)
    while (state := store.limiter.hit(limit, "client")).allowed:
        pass
    time.sleep(max(0.0, state.reset_seconds - 0.05))
    assert not store.limiter.hit(limit, "client").allowed
    time.sleep(0.06)
    assert store.limiter.hit(limit, "client").allowed


@every_store
@every_strategy
def test_refused_hits_are_free(open_store: OpenStore, kind: str, strategy: str) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(2, 60)
    store.limiter.hit(limit, "client")
    store.limiter.hit(limit, "client")
    told = store.limiter.hit(limit, "client").reset_seconds
    for _ in range(50):
        assert not store.limiter.hit(limit, "client").allowed
    assert store.limiter.hit(limit, "client").reset_seconds <= told


@every_store
@every_strategy
def test_a_cost_is_taken_whole_or_not_at_all(
    open_store: OpenStore, kind: str, strategy: str
) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(10, 60)
    assert store.limiter.hit(limit, "client", cost=7).remaining == 3
    refused = store.limiter.hit(limit, "client", cost=4)
    assert not refused.allowed
    assert refused.remaining == 3
    assert store.limiter.hit(limit, "client", cost=3).allowed
    too_dear = store.limiter.hit(Limit(10, 60, "other"), "client", cost=11)
    assert not too_dear.allowed
    assert too_dear.reset_seconds == 60


@every_store
@every_strategy
def test_looking_counts_nothing(open_store: OpenStore, kind: str, strategy: str) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(2, 60)
    assert store.limiter.peek(limit, "client").remaining == 2
    store.limiter.hit(limit, "client")
    for _ in range(5):
        state = store.limiter.peek(limit, "client")
        assert state.allowed
        assert state.remaining == 1
    store.limiter.hit(limit, "client")
    state = store.limiter.peek(limit, "client")
    assert not state.allowed
    assert state.remaining == 0
    assert 0 < state.reset_seconds <= 60


@every_store
@every_strategy
def test_clearing_forgets_one_key(open_store: OpenStore, kind: str, strategy: str) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(1, 60)
    for client in ("one", "two"):
        store.limiter.hit(limit, client)
    store.limiter.clear(limit, "one")
    assert store.limiter.hit(limit, "one").allowed
    assert not store.limiter.hit(limit, "two").allowed


own_clock = pytest.mark.parametrize("kind", ["memory", "lmdb"])


@own_clock
def test_the_previous_window_weighs_as_much_as_it_still_overlaps(
    open_store: OpenStore, fake_clock: FakeClock, kind: str
) -> None:
    store = open_store(kind, clock=fake_clock.clock())
    limit = Limit(10, 100)

    def remaining_after_all_that_fit() -> list[int]:
        left = []
        while (state := store.limiter.hit(limit, "client")).allowed:
            left.append(state.remaining)
        return left

    assert remaining_after_all_that_fit() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    fake_clock.advance(150)  # half of the first window still counts: 5
    assert remaining_after_all_that_fit() == [4, 3, 2, 1, 0]
    fake_clock.advance(25)  # a quarter: 2, with the 5 of this window
    assert remaining_after_all_that_fit() == [2, 1, 0]
    fake_clock.advance(325)
    assert remaining_after_all_that_fit() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


@own_clock
def test_a_fixed_window_ends_at_once_and_a_moving_one_hit_by_hit(
    open_store: OpenStore, fake_clock: FakeClock, kind: str
) -> None:
    limit = Limit(3, 100)
    fixed = open_store(kind, clock=fake_clock.clock(), rate_limit_strategy="fixed-window")
    moving = open_store(kind, clock=fake_clock.clock(), rate_limit_strategy="moving-window")
    for _ in range(3):
        assert fixed.limiter.hit(limit, "client").allowed
        assert moving.limiter.hit(limit, "client").allowed
        fake_clock.advance(30)
    fake_clock.advance(9)
    assert not fixed.limiter.hit(limit, "client").allowed
    refused = moving.limiter.hit(limit, "client")
    assert not refused.allowed
    assert refused.reset_seconds == 1
    fake_clock.advance(1)
    assert [fixed.limiter.hit(limit, "client").remaining for _ in range(3)] == [2, 1, 0]
    assert moving.limiter.hit(limit, "client").allowed
    assert not moving.limiter.hit(limit, "client").allowed
    fake_clock.advance(30)
    assert moving.limiter.hit(limit, "client").allowed


@every_store
def test_limits_of_different_names_or_windows_are_different_buckets(
    open_store: OpenStore, kind: str
) -> None:
    store = open_store(kind)
    for limit in (Limit(1, 60, "route"), Limit(1, 60, "geo"), Limit(1, 30, "route")):
        assert store.limiter.hit(limit, "client").allowed
        assert not store.limiter.hit(limit, "client").allowed


@every_store
@pytest.mark.parametrize("key", ["x" * 5000, "ключ", "lone \ud800 surrogate", "", "a\x00b", "*?["])
def test_any_text_is_a_key(open_store: OpenStore, kind: str, key: str) -> None:
    store = open_store(kind)
    limit = Limit(1, 60)
    assert store.limiter.hit(limit, key).allowed
    assert not store.limiter.hit(limit, key).allowed
    assert store.limiter.hit(limit, key + "y").allowed
    assert store.counters.increment(key, 60) == 1
    assert store.counters.value(key, 60) == 1


@every_store
@every_strategy
def test_sixteen_threads_get_exactly_the_limit(
    open_store: OpenStore, kind: str, strategy: str
) -> None:
    store = open_store(kind, rate_limit_strategy=strategy)
    limit = Limit(100, 60)
    allowed = []

    def hammer() -> None:
        for _ in range(20):
            if store.limiter.hit(limit, "client").allowed:
                allowed.append(1)

    threads = [threading.Thread(target=hammer) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(allowed) == 100


@every_store
def test_reset_forgets_limits_counters_and_bans_but_not_values(
    open_store: OpenStore, kind: str
) -> None:
    store = open_store(kind)
    limit = Limit(1, 60)
    store.limiter.hit(limit, "client")
    store.counters.increment("counter", 60)
    store.bans.ban("192.0.2.1", 60, "test")
    store.values.set("value", b"kept", 60)
    if kind == "fallback":
        pytest.skip("a store that is down can't be reset; see test_faults.py")
    store.reset()
    assert store.limiter.hit(limit, "client").allowed
    assert store.counters.value("counter", 60) == 0
    assert store.bans.list() == []
    assert not store.bans.is_banned("192.0.2.1")
    assert store.values.get("value") == b"kept"


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_prefixes_keep_applications_apart(open_store: OpenStore, kind: str) -> None:
    one = open_store(kind)
    other = open_store(kind, rate_limit_strategy="sliding-window-counter")
    assert one.limiter.hit(Limit(1, 60), "client").allowed
    assert not other.limiter.hit(Limit(1, 60), "client").allowed


@pytest.mark.parametrize(
    ("requests", "window_seconds"), [(0, 60), (-1, 60), (10, 0), (10, -5), (2**31, 60)]
)
def test_nonsense_limits_are_refused(requests: int, window_seconds: int) -> None:
    with pytest.raises(ConfigError):
        Limit(requests, window_seconds)
