"""Counters and small values on every store."""

from __future__ import annotations

import time

import pytest

from tests.state.conftest import KINDS, OpenStore

every_store = pytest.mark.parametrize("kind", KINDS)


@every_store
def test_counters_add_up_and_start_over(open_store: OpenStore, kind: str) -> None:
    counters = open_store(kind).counters
    assert counters.value("a", 60) == 0
    assert [counters.increment("a", 60), counters.increment("a", 60, 5)] == [1, 6]
    assert counters.increment("b", 60) == 1
    assert counters.value("a", 60) == 6
    counters.reset("a")
    assert counters.value("a", 60) == 0
    assert counters.value("b", 60) == 1
    assert counters.increment("a", 60) == 1


@every_store
def test_a_counter_lives_one_window_from_its_first_increment(
    open_store: OpenStore, kind: str
) -> None:
    counters = open_store(kind).counters
    counters.increment("a", 1)
    time.sleep(0.6)
    assert counters.increment("a", 1) == 2
    time.sleep(0.5)
    assert counters.value("a", 1) == 0
    assert counters.increment("a", 1) == 1


@every_store
def test_a_counter_never_goes_below_zero(open_store: OpenStore, kind: str) -> None:
    counters = open_store(kind).counters
    counters.increment("a", 60, 3)
    assert counters.increment("a", 60, -5) == 0
    assert counters.increment("a", 60) == 1


@every_store
def test_a_window_must_be_positive(open_store: OpenStore, kind: str) -> None:
    with pytest.raises(ValueError, match="window_seconds"):
        open_store(kind).counters.increment("a", 0)


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
