"""Counters and small values on every store."""

from __future__ import annotations

import random
import time

import pytest

from tests.state.conftest import KINDS, FakeClock, OpenStore

every_store = pytest.mark.parametrize("kind", KINDS)


@every_store
def test_counters_add_up_and_start_over(open_store: OpenStore, kind: str) -> None:
    counters = open_store(kind).counters
    assert counters.value("a", 60) == 0
    assert [counters.increment("a", 60), counters.increment("a", 60, 5)] == [1, 6]
    assert counters.increment("b", 60) == 1
    assert counters.value("a", 60) == 6
    counters.reset("a", 60)
    assert counters.value("a", 60) == 0
    assert counters.value("b", 60) == 1
    assert counters.increment("a", 60) == 1


@every_store
def test_what_is_counted_counts_for_half_a_window_at_least_and_a_whole_one_at_most(
    open_store: OpenStore, kind: str
) -> None:
    counters = open_store(kind).counters
    assert counters.increment("a", 2) == 1
    time.sleep(1.3)
    assert counters.increment("a", 2) == 2
    time.sleep(1.0)
    assert counters.value("a", 2) == 1  # the first is 2.3 s old, the second 1 s
    assert counters.increment("a", 2) == 2
    time.sleep(2.1)
    assert counters.value("a", 2) == 0
    assert counters.increment("a", 2) == 1


@pytest.mark.parametrize("kind", ["memory", "lmdb"])
def test_no_border_splits_a_burst_and_no_count_is_above_that_of_a_window(
    open_store: OpenStore, fake_clock: FakeClock, kind: str
) -> None:
    draw = random.Random(7)
    counters = open_store(kind, clock=fake_clock.clock()).counters
    for client in range(20):
        hits: list[float] = []
        for _ in range(60):
            fake_clock.advance(draw.choice([0, 0.5, 3, 25, 80]))
            now = fake_clock.wall_ns / 1e9
            hits.append(now)
            count = counters.increment(str(client), 100)
            assert sum(hit > now - 50 for hit in hits) <= count
            assert count <= sum(hit > now - 100 for hit in hits)
            assert counters.value(str(client), 100) == count


@every_store
def test_a_window_must_be_positive(open_store: OpenStore, kind: str) -> None:
    with pytest.raises(ValueError, match="window_seconds"):
        open_store(kind).counters.increment("a", 0)
    with pytest.raises(ValueError, match="amount"):
        open_store(kind).counters.increment("a", 60, -1)


@pytest.mark.parametrize("kind", ["memory", "lmdb", "redis"])
def test_a_lease_ends_however_often_others_ask_for_it(open_store: OpenStore, kind: str) -> None:
    counters = open_store(kind).counters
    assert counters.take_lease("a", 1)
    deadline = time.monotonic() + 30
    asked = 0
    while not counters.take_lease("a", 1):
        asked += 1
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert asked > 2
    counters.end_lease("a")
    assert counters.take_lease("a", 1)


@every_store
def test_values_are_kept_for_their_time(open_store: OpenStore, kind: str) -> None:
    values = open_store(kind).values
    assert values.get("a") is None
    values.set("a", b"\x00\xff bytes", 60)
    values.set("b", b"", 0.2)
    assert values.get("a") == b"\x00\xff bytes"
    assert values.get("b") == b""
    time.sleep(0.25)
    assert values.get("b") is None
    values.set("a", b"other", 60)
    assert values.get("a") == b"other"
    values.delete("a")
    values.delete("a")
    assert values.get("a") is None
    with pytest.raises(ValueError, match="ttl_seconds"):
        values.set("a", b"", 0)


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_counters_and_values_are_shared(open_store: OpenStore, kind: str) -> None:
    one, other = open_store(kind), open_store(kind)
    assert one.counters.increment("a", 60) == 1
    assert other.counters.increment("a", 60) == 2
    one.values.set("v", b"1", 60)
    assert other.values.get("v") == b"1"
