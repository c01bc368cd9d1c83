"""The arithmetic of the windows, compared with the promise and with the Redis scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard_wsgi.state.backends import redis_scripts
from guard_wsgi.state.clock import NANOSECONDS
from guard_wsgi.state.windows import (
    Counting,
    take_fixed,
    take_moving,
    take_sliding,
    view_counts,
    view_moving,
)
from tests.state.redis_server import RedisServer

WINDOW = 10 * NANOSECONDS

counting = pytest.mark.parametrize("take", [take_fixed, take_sliding])
gaps = st.lists(
    st.tuples(st.integers(0, 12 * NANOSECONDS), st.integers(1, 4)), min_size=1, max_size=60
)


@counting
@given(hits=gaps, requests=st.integers(1, 10))
def test_a_hit_fits_at_the_announced_moment_and_not_before(
    take: Counting, hits: list[tuple[int, int]], requests: int
) -> None:
    record, now = (0, 0, 0), 10**18
    for gap, cost in hits:
        now += gap
        allowed, remaining, wait, *kept = take(*record, now, WINDOW, requests, cost)
        assert 0 <= remaining <= requests
        if cost > requests:
            assert not allowed
        elif not allowed:
            before = record
            record = (kept[0], kept[1], kept[2])
            assert wait > 0
            assert take(*record, now + wait, WINDOW, requests, cost)[0]
            assert not take(*record, now + wait - 1, WINDOW, requests, cost)[0]
            assert not take(*before, now + wait - 1, WINDOW, requests, cost)[0]
        else:
            record = (kept[0], kept[1], kept[2])
            if remaining == 0:
                assert take(*record, now + wait, WINDOW, requests, 1)[0]
                assert not take(*record, now + wait - 1, WINDOW, requests, 1)[0]


@given(hits=gaps, requests=st.integers(1, 10))
def test_moving_window_never_lets_more_than_the_limit_into_any_window(
    hits: list[tuple[int, int]], requests: int
) -> None:
    log: list[int] = []
    now, passed = 10**18, []
    for gap, cost in hits:
        now += gap
        allowed, remaining, wait = take_moving(log, now, WINDOW, requests, cost)
        if allowed:
            passed += [now] * cost
            assert sum(1 for at in passed if at > now - WINDOW) == requests - remaining
        elif cost <= requests:
            assert take_moving(list(log), now + wait, WINDOW, requests, cost)[0]
            assert not take_moving(list(log), now + wait - 1, WINDOW, requests, cost)[0]
        assert sum(1 for at in passed if at > now - WINDOW) <= requests


@given(hits=gaps, requests=st.integers(1, 10))
def test_sliding_counter_lets_at_most_twice_the_limit_into_any_window(
    hits: list[tuple[int, int]], requests: int
) -> None:
    record, now, passed = (0, 0, 0), 10**18, []
    for gap, cost in hits:
        now += gap
        allowed, _, _, *kept = take_sliding(*record, now, WINDOW, requests, cost)
        if allowed:
            record = (kept[0], kept[1], kept[2])
            passed += [now] * cost
        assert sum(1 for at in passed if at > now - WINDOW) <= 2 * requests


def test_the_sliding_counter_remembers_the_previous_window_from_hit_to_hit() -> None:
    record, now = (0, 0, 0), 10**18
    for _ in range(10):
        *_, expires, previous, current = take_sliding(*record, now, WINDOW, 10, 1)
        record = (expires, previous, current)
    now += WINDOW + WINDOW // 2
    passed = 0
    for _ in range(10):
        allowed, _, _, *kept = take_sliding(*record, now, WINDOW, 10, 1)
        record = (kept[0], kept[1], kept[2])
        passed += allowed
    assert passed == 5


@counting
@given(
    expires=st.integers(0, 30 * NANOSECONDS),
    previous=st.integers(0, 20),
    current=st.integers(0, 20),
    requests=st.integers(1, 20),
)
def test_looking_agrees_with_hitting(
    take: Counting, expires: int, previous: int, current: int, requests: int
) -> None:
    now = 10**18
    record = (now + expires, previous, current)
    allowed, remaining, wait, _ = view_counts(take, *record, now, WINDOW, requests)
    hit = take(*record, now, WINDOW, requests, 1)
    assert allowed is hit[0]
    assert remaining == hit[1] + (1 if allowed else 0)
    if not allowed:
        assert wait == hit[2] / NANOSECONDS


@counting
def test_readers_of_the_clock_a_moment_apart_share_a_window(take: Counting) -> None:
    now = 10**18
    *_, expires, previous, current = take(0, 0, 0, now, WINDOW, 5, 5)
    for late in (1, 1000, NANOSECONDS // 2):
        assert not take(expires, previous, current, now - late, WINDOW, 5, 1)[0]


@counting
def test_a_clock_set_back_does_not_lock_anyone_out(take: Counting) -> None:
    now = 10**18
    *_, expires, previous, current = take(0, 0, 0, now, WINDOW, 5, 5)
    back = now - 3600 * NANOSECONDS
    assert take(expires, previous, current, back, WINDOW, 5, 1)[0]
    log = [now] * 5
    assert take_moving(log, back, WINDOW, 5, 1)[0]


class ScriptedClock:
    """The limit scripts on a real server, with a time that the test sets."""

    def __init__(self, server: RedisServer) -> None:
        self._client = redis.Redis(port=server.port, socket_timeout=10)
        self._scripts = {
            name: self._client.register_script(
                text.replace("redis.call('TIME')", "{ARGV[5], ARGV[6]}")
            )
            for name, text in (
                ("fixed", redis_scripts.FIXED_WINDOW),
                ("sliding", redis_scripts.SLIDING_WINDOW_COUNTER),
                ("moving", redis_scripts.MOVING_WINDOW),
            )
        }

    def begin(self) -> None:
        self._client.delete("key")

    def run(
        self, name: str, requests: int, cost: int, keep: bool, now_us: int
    ) -> tuple[bool, int, int]:
        seconds, microseconds = divmod(now_us, 1_000_000)
        arguments = [requests, WINDOW // 1000, cost, int(keep), seconds, microseconds]
        allowed, remaining, wait_us, _ = self._scripts[name](keys=["key"], args=arguments)
        self._client.persist("key")  # the expiry is in the server's own time
        return bool(allowed), remaining, wait_us

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def scripted(redis_server: RedisServer) -> Iterator[ScriptedClock]:
    clock = ScriptedClock(redis_server)
    yield clock
    clock.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hits=st.lists(
        st.tuples(st.integers(0, 12_000_000), st.integers(1, 3), st.booleans()),
        min_size=1,
        max_size=25,
    ),
    requests=st.integers(1, 6),
    name=st.sampled_from(["fixed", "sliding", "moving"]),
)
def test_the_redis_scripts_count_as_python_does(
    scripted: ScriptedClock, hits: list[tuple[int, int, bool]], requests: int, name: str
) -> None:
    scripted.begin()
    now_us = 1_700_000_000_000_000
    record: tuple[int, int, int] = (0, 0, 0)
    log: list[int] = []
    take = take_fixed if name == "fixed" else take_sliding
    for gap_us, cost, keep in hits:
        now_us += gap_us
        now = now_us * 1000
        said = scripted.run(name, requests, cost if keep else 1, keep, now_us)
        if name == "moving":
            if keep:
                allowed, remaining, wait = take_moving(log, now, WINDOW, requests, cost)
            else:
                allowed, remaining, seconds, _ = view_moving(list(log), now, WINDOW, requests)
                wait = round(seconds * NANOSECONDS)
        elif keep:
            allowed, remaining, wait, *kept = take(*record, now, WINDOW, requests, cost)
            if allowed:
                record = (kept[0], kept[1], kept[2])
        else:
            allowed, remaining, seconds, _ = view_counts(take, *record, now, WINDOW, requests)
            wait = round(seconds * NANOSECONDS)
        assert said[:2] == (allowed, remaining)
        assert abs(said[2] * 1000 - wait) <= 2000  # two microseconds of rounding
