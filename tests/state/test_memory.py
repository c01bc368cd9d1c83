"""The memory store: bounded and monotonic."""

from __future__ import annotations

import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guard_wsgi.errors import ConfigError
from guard_wsgi.state.backend import STRATEGIES, Strategy
from guard_wsgi.state.backends.memory import MemoryStorage
from guard_wsgi.state.clock import NANOSECONDS
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.store import Store
from guard_wsgi.state.windows import take_fixed, take_sliding
from tests.state.conftest import FakeClock, OpenStore

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


@every_strategy
def test_keys_that_were_not_used_for_long_leave_first(
    strategy: Strategy, fake_clock: FakeClock
) -> None:
    storage = MemoryStorage(max_keys=100, clock=fake_clock.clock())
    take, view = storage.taker(strategy), storage.viewer(strategy)
    take("steady", 1000, 3600, 1)
    for n in range(1000):
        take(f"passing:{n}", 1000, 3600, 1)
        remaining = take("steady", 1000, 3600, 1)[1]
        size = storage.size()
        assert size is not None
        assert size <= 100
        assert view(f"passing:{max(0, n - 45)}", 1000, 3600)[1] == 999
    assert remaining == 0
    assert view("passing:800", 1000, 3600)[1] == 1000


@every_strategy
def test_expired_keys_leave_by_themselves(strategy: Strategy, fake_clock: FakeClock) -> None:
    storage = MemoryStorage(clock=fake_clock.clock())
    take = storage.taker(strategy)
    for generation in range(10):
        for n in range(1000):
            take(f"{generation}:{n}", 10, 10, 1)
        fake_clock.advance(30)
    size = storage.size()
    assert size is not None
    assert size <= 3000


@every_strategy
def test_a_key_in_its_window_is_never_lost_to_the_expiry_of_others(
    strategy: Strategy, fake_clock: FakeClock
) -> None:
    storage = MemoryStorage(clock=fake_clock.clock())
    take = storage.taker(strategy)
    take("long", 10, 1000, 1)
    for n in range(990):
        take(f"short:{n}", 10, 1, 1)
        fake_clock.advance(1)
    assert take("long", 10, 1000, 1)[1] == 8


@every_strategy
def test_a_step_of_the_wall_clock_changes_no_window(
    open_store: OpenStore, fake_clock: FakeClock, strategy: Strategy
) -> None:
    store = open_store("memory", rate_limit_strategy=strategy, clock=fake_clock.clock())
    limit = Limit(1, 60)
    store.limiter.hit(limit, "client")
    fake_clock.wall_ns += 3600 * NANOSECONDS
    assert not store.limiter.hit(limit, "client").allowed
    fake_clock.monotonic_ns += 121 * NANOSECONDS
    fake_clock.wall_ns -= 7200 * NANOSECONDS
    assert store.limiter.hit(limit, "client").allowed


def test_windows_begin_and_end_with_the_client(
    open_store: OpenStore, fake_clock: FakeClock
) -> None:
    store = open_store("memory", rate_limit_strategy="fixed-window", clock=fake_clock.clock())
    limit = Limit(2, 60)
    store.limiter.hit(limit, "client")
    fake_clock.advance(50)
    assert store.limiter.hit(limit, "client").reset_seconds == 10
    fake_clock.advance(9.999)
    assert not store.limiter.hit(limit, "client").allowed
    fake_clock.advance(0.001)
    assert store.limiter.hit(limit, "client").remaining == 1


@every_strategy
def test_a_window_begins_with_its_first_hit_on_a_machine_just_started(strategy: Strategy) -> None:
    clock = FakeClock(monotonic_ns=30 * NANOSECONDS)
    storage = MemoryStorage(clock=clock.clock())
    take, view = storage.taker(strategy), storage.viewer(strategy)
    assert view("client", 10, 60)[1:3] == (10, 60.0)
    assert take("client", 10, 60, 1)[1:3] == (9, 60.0)
    clock.advance(45)
    assert take("client", 10, 60, 1)[1] == 8


@given(
    up_ns=st.integers(1, 2**51),
    steps=st.lists(st.tuples(st.floats(0, 90), st.integers(1, 3)), min_size=1, max_size=40),
    strategy=st.sampled_from(["fixed-window", "sliding-window-counter"]),
)
@example(
    up_ns=2**51 - 7, steps=[(0, 3), (70, 1), (10, 1), (20, 1)], strategy="sliding-window-counter"
)
@example(up_ns=1, steps=[(0, 3)] * 6 + [(1, 1), (1, 1)], strategy="sliding-window-counter")
def test_counts_are_those_of_the_arithmetic_in_nanoseconds(
    up_ns: int, steps: list[tuple[float, int]], strategy: Strategy
) -> None:
    """Whatever shortcut a hit takes, and however long the machine has been up."""
    clock = FakeClock(monotonic_ns=up_ns)
    take = MemoryStorage(clock=clock.clock()).taker(strategy)
    counting = take_fixed if strategy == "fixed-window" else take_sliding
    record = (0, 0, 0)
    for seconds, cost in steps:
        clock.advance(seconds)
        expected = counting(*record, clock.monotonic_ns, 60 * NANOSECONDS, 20, cost)
        record = expected[3:]
        allowed, remaining, wait_seconds, _ = take("client", 20, 60, cost)
        assert (allowed, remaining) == expected[:2]
        assert wait_seconds == pytest.approx(expected[2] / NANOSECONDS, abs=1e-6)


def test_a_steady_client_within_the_limit_is_never_refused(
    open_store: OpenStore, fake_clock: FakeClock
) -> None:
    store = open_store("memory", clock=fake_clock.clock())
    limit = Limit(60, 60)
    for _ in range(1000):
        assert store.limiter.hit(limit, "client").allowed
        fake_clock.advance(1.02)


def test_a_client_above_the_limit_gets_the_limit(
    open_store: OpenStore, fake_clock: FakeClock
) -> None:
    store = open_store("memory", clock=fake_clock.clock())
    limit = Limit(60, 60)
    allowed = 0
    for _ in range(36_000):  # 10 a second for an hour
        allowed += store.limiter.hit(limit, "client").allowed
        fake_clock.advance(0.1)
    assert 3500 <= allowed <= 3660


def test_values_that_expired_are_dropped(fake_clock: FakeClock) -> None:
    storage = MemoryStorage(max_keys=10, clock=fake_clock.clock())
    for n in range(100):
        storage.write_value(str(n), b"x", 60)
    assert storage.read_value("0") is None
    assert storage.read_value("99") == b"x"
    fake_clock.advance(61)
    assert storage.read_value("99") is None


def test_starts_no_thread() -> None:
    before = threading.active_count()
    store = Store.open()
    store.limiter.hit(Limit(1, 1), "client")
    assert threading.active_count() == before


def test_a_bound_must_be_positive() -> None:
    with pytest.raises(ConfigError):
        MemoryStorage(max_keys=0)
