"""Behaviour rules over a real store: clients pass, are throttled, banned or reported."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import pairwise
from typing import Any
from wsgiref.util import FileWrapper

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.behavior.rule import BehaviorRule, BehaviorRuleConfig
from guard_wsgi.behavior.tracker import BehaviorTracker, BehaviorWatch
from guard_wsgi.behavior.violation import Violation
from guard_wsgi.errors import StoreError
from guard_wsgi.network.address import Address
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.clock import NANOSECONDS, Clock
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.kit.addresses import address

JSON = [("Content-Type", "application/json; charset=utf-8")]
HTML = [("Content-Type", "text/html")]


ALICE = address("81.2.69.1")
BOB = address("81.2.69.2")


@define
class World:
    """A store on a clock that the test moves, and the reported events."""

    now_ns: int = 1_000 * NANOSECONDS
    violations: list[Violation] = field(factory=list)
    suspicious: set[str] = field(factory=set)
    store: Store = field(init=False)

    def __attrs_post_init__(self) -> None:
        clock = Clock(monotonic_ns=lambda: self.now_ns, wall_ns=lambda: self.now_ns)
        self.store = Store.open(
            "memory://", settings=StoreSettings(clock=clock, protected=IPSet(["10.0.0.9"]))
        )

    def sleep(self, seconds: float) -> None:
        self.now_ns += int(seconds * NANOSECONDS)

    def tracker(self, **options: Any) -> BehaviorTracker:
        options.setdefault("scan_response_body", True)
        return BehaviorTracker(
            self.store,
            on_violation=self.violations.append,
            has_detections=lambda client: client.text in self.suspicious,
            **options,
        )

    def watch(
        self, *rules: BehaviorRule, everywhere: bool = False, **options: Any
    ) -> BehaviorWatch:
        tracker = self.tracker(**options)
        return tracker.watch((), rules) if everywhere else tracker.watch(rules)

    def actions(self) -> list[str]:
        return [violation.action for violation in self.violations]


@pytest.fixture
def world() -> World:
    return World()


def kinds(watch: BehaviorWatch, times: int, client: Address = ALICE, endpoint: str = "/x") -> str:
    """One letter per request: passed ``.``, throttled ``t``, banned ``b``."""
    letters = []
    for _ in range(times):
        decision = watch.before(client, endpoint)
        letters.append("." if decision is None else decision.kind[0])
    return "".join(letters)


def respond(
    watch: BehaviorWatch,
    status: int = 200,
    body: Iterable[bytes] = (b"",),
    headers: list[tuple[str, str]] = HTML,
    client: Address = ALICE,
    endpoint: str = "/x",
) -> list[bytes]:
    observation = watch.observe(client, endpoint)
    if observation is None:
        return list(body)
    observation.status(status, headers)
    iterable = observation.tap(body)
    sent = list(iterable)
    close = getattr(iterable, "close", None)
    if close is not None:
        close()
    return sent


def test_no_rules_watch_nothing(world: World) -> None:
    watch = world.watch()
    assert not watch
    assert watch.before(ALICE, "/x") is None
    assert watch.observe(ALICE, "/x") is None


# -- usage and frequency ---------------------------------------------------------------------


@pytest.mark.parametrize("rule_type", ["usage", "frequency"])
def test_more_requests_than_the_threshold_are_banned(world: World, rule_type: Any) -> None:
    watch = world.watch(BehaviorRule(rule_type, 3, 600, action="ban", ban_duration=120))
    assert kinds(watch, 4) == "...b"
    ban = world.store.bans.find(ALICE)
    assert ban is not None
    assert ban.reason == "behavioral_violation"
    world.sleep(119)
    assert world.store.bans.find(ALICE) is not None
    world.sleep(2)
    assert world.store.bans.find(ALICE) is None
    assert kinds(watch, 4) == "...b", "a ban that has ended leaves no count behind"


def test_clients_and_routes_are_counted_apart(world: World) -> None:
    watch = world.watch(BehaviorRule("usage", 2, 60, action="throttle"))
    assert kinds(watch, 3) == "..t"
    assert kinds(watch, 3, BOB) == "..t"
    assert kinds(watch, 3, endpoint="/y") == "..t"


def test_an_ipv6_customer_is_one_client_and_banned_as_one(world: World) -> None:
    watch = world.watch(BehaviorRule("usage", 2, 60, action="ban"))
    letters = [kinds(watch, 1, address(f"2a02:c7f:1:2::{n}")) for n in range(3)]
    assert letters == [".", ".", "b"]
    assert world.store.bans.find(address("2a02:c7f:1:2:ffff::1")) is not None
    assert world.store.bans.find(address("2a02:c7f:1:3::1")) is None


def test_a_throttled_client_learns_when_to_come_back_and_may_then(world: World) -> None:
    watch = world.watch(BehaviorRule("usage", 2, 60, action="throttle"))
    assert kinds(watch, 2) == ".."
    decision = watch.before(ALICE, "/x")
    assert decision is not None
    assert decision.kind == "throttle"
    assert 0 < decision.retry_after_seconds < 60.1
    world.sleep(decision.retry_after_seconds + 0.001)
    assert watch.before(ALICE, "/x") is None


def test_a_throttled_client_is_slowed_down_and_not_locked_out(world: World) -> None:
    watch = world.watch(BehaviorRule("usage", 6, 60, action="throttle"))
    passed = 0
    for _ in range(600):  # knocks every second for ten minutes
        passed += watch.before(ALICE, "/x") is None
        world.sleep(1)
    assert 50 <= passed <= 66


def test_a_rule_for_all_routes_counts_a_clients_requests_together(world: World) -> None:
    watch = world.watch(BehaviorRule("usage", 3, 60, action="ban"), everywhere=True)
    letters = "".join(kinds(watch, 1, endpoint=f"/{n}") for n in range(4))
    assert letters == "...b"


def test_rules_of_the_route_and_of_all_routes_do_not_share_a_count(world: World) -> None:
    rule = BehaviorRule("usage", 3, 60, action="throttle")
    watch = world.tracker().watch((rule,), (rule,))
    assert kinds(watch, 4) == "...t"


def test_two_thresholds_on_one_thing_count_it_once(world: World) -> None:
    watch = world.watch(
        BehaviorRule("usage", 2, 60, action="log"), BehaviorRule("usage", 4, 60, action="ban")
    )
    assert kinds(watch, 5) == "....b"
    assert [(v.action, v.count) for v in world.violations] == [("log", 3), ("log", 5), ("ban", 5)]


def test_a_trusted_proxy_is_never_banned(world: World) -> None:
    watch = world.watch(BehaviorRule("usage", 2, 60, action="ban"))
    proxy = address("10.0.0.9")
    assert kinds(watch, 6, proxy) == "......"
    assert world.store.bans.find(proxy) is None
    assert world.actions()[0] == "ban_refused"


@pytest.mark.parametrize("action", ["log", "alert"])
def test_telling_is_not_repeated_at_every_request(world: World, action: Any) -> None:
    watch = world.watch(BehaviorRule("usage", 10, 3600, action=action))
    assert set(kinds(watch, 1000)) == {"."}
    assert world.violations[0].count == 11
    assert world.violations[0].action == action
    assert world.violations[0].details == "more than 10 requests in 3600 s"
    assert 2 <= len(world.violations) <= 10


def test_an_alert_is_a_critical_line_and_passive_mode_raises_none(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    rule = BehaviorRule("usage", 2, 60, action="alert")
    kinds(world.watch(rule, passive=True), 3)
    assert caplog.records == []
    kinds(world.watch(rule), 3)
    (record,) = caplog.records
    assert record.levelname == "CRITICAL"
    assert record.getMessage() == "81.2.69.1 on /x: more than 2 requests in 60 s"


def test_a_custom_action_is_called_in_place_of_the_action(world: World) -> None:
    calls: list[tuple[str, str, str]] = []
    rule = BehaviorRule(
        "usage", 2, 60, action="ban", custom_action=lambda *call: calls.append(call)
    )
    assert kinds(world.watch(rule), 3) == "..."
    assert calls == [("81.2.69.1", "/x", "more than 2 requests in 60 s")]
    assert world.store.bans.find(ALICE) is None
    assert world.actions() == ["custom_action"]


def test_a_custom_action_that_fails_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: str) -> None:
        raise OSError("the pager is down")

    watch = world.watch(BehaviorRule("usage", 1, 60, custom_action=fails))
    assert kinds(watch, 2) == ".."
    assert "custom_action" in caplog.text


# -- what responses tell ---------------------------------------------------------------------


def test_wrong_passwords_are_counted_right_ones_are_not(world: World) -> None:
    rule = BehaviorRule("return_pattern", 3, 600, "status:401", "ban", ban_duration=60)
    watch = world.watch(rule, everywhere=True)
    for status in (401, 200, 401, 200, 401, 302):
        respond(watch, status)
    assert world.store.bans.find(ALICE) is None
    respond(watch, 401)
    assert world.store.bans.find(ALICE) is not None
    assert world.violations[-1].count == 4
    assert world.violations[-1].endpoint == "*"


def test_failures_are_forgiven_after_the_window(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 3, 600, "status:401", "ban"))
    for _ in range(3):
        respond(watch, 401)
    world.sleep(601)
    for _ in range(3):
        respond(watch, 401)
    assert world.store.bans.find(ALICE) is None


def test_a_client_that_earned_too_many_errors_is_throttled_before_the_app(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 2, 60, "status:404", "throttle"))
    letters = ""
    for _ in range(5):
        letters += kinds(watch, 1)
        if letters[-1] == ".":
            respond(watch, 404)
    assert letters == "...tt"
    assert kinds(watch, 1, BOB) == "."
    world.sleep(121)
    assert kinds(watch, 1) == "."


@pytest.mark.parametrize(
    ("pattern", "body", "headers"),
    [
        ("wrong password", b"<p>Wrong password!</p>", HTML),
        ("regex:wrong\\s+pass", b"<p>Wrong   password!</p>", HTML),
        ("json:error==denied", b'{"error": "Denied"}', JSON),
        (
            "wrong password",
            gzip.compress(b"wrong password", mtime=0),
            [("Content-Encoding", "gzip")],
        ),
    ],
)
def test_a_body_pattern_is_found_however_the_body_is_cut(
    world: World, pattern: str, body: bytes, headers: list[tuple[str, str]]
) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 2, 60, pattern, "ban"))
    for cut in (len(body), 3, 1):
        chunks = [body[at : at + cut] for at in range(0, len(body), cut)]
        assert respond(watch, 200, chunks, headers) == chunks
    assert world.store.bans.find(ALICE) is not None


def test_a_body_pattern_needs_scanning_to_be_on(world: World) -> None:
    rule = BehaviorRule("return_pattern", 1, 60, "wrong", "ban")
    watch = world.watch(rule, scan_response_body=False)
    assert watch.observe(ALICE, "/x") is None


def test_chunks_pass_one_by_one_as_they_come(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "needle", "ban"))
    made: list[int] = []

    def stream() -> Iterator[bytes]:
        for number in range(5):
            made.append(number)
            yield b"chunk %d" % number

    observation = watch.observe(ALICE, "/x")
    assert observation is not None
    observation.status(200, HTML)
    body = iter(observation.tap(stream()))
    for number in range(5):
        assert next(body) == b"chunk %d" % number
        assert made == list(range(number + 1)), "nothing is read ahead"


def test_no_more_than_the_cap_is_kept_of_an_endless_stream(world: World) -> None:
    rule = BehaviorRule("return_pattern", 1, 60, "needle", "ban")
    watch = world.watch(rule, max_response_body_bytes=1000)
    observation = watch.observe(ALICE, "/x")
    assert observation is not None
    observation.status(200, HTML)
    body = iter(observation.tap(b"x" * 100 for _ in range(10_000)))
    tap = observation._tap
    assert tap is not None
    largest = 0
    for _ in body:
        largest = max(largest, sum(map(len, tap._chunks or ())))
    assert 0 < largest <= 1000


@given(
    body=st.binary(max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    at=st.integers(0, 60),
    cap=st.integers(1, 80),
)
def test_however_a_body_is_cut_it_passes_unchanged_and_is_found_the_same(
    body: bytes, cuts: list[int], at: int, cap: int
) -> None:
    body = body[:at] + b"NEEDLE" + body[at:]
    edges = [0, *sorted(cut for cut in cuts if cut <= len(body)), len(body)]
    chunks = [body[first:last] for first, last in pairwise(edges)]
    world = World()
    rule = BehaviorRule("return_pattern", 1, 60, "needle", "log")
    watch = world.watch(rule, max_response_body_bytes=cap)
    for _ in range(2):
        assert respond(watch, 200, chunks) == chunks
    assert len(world.violations) == (1 if b"NEEDLE" in body.upper()[:cap] else 0)


def test_what_stands_before_the_cap_is_found_and_what_is_behind_is_not(world: World) -> None:
    watch = world.watch(
        BehaviorRule("return_pattern", 1, 60, "needle", "log"), max_response_body_bytes=1000
    )
    for _ in range(2):
        respond(watch, 200, [b"x" * 994, b"needle", b"x" * 500])
    assert len(world.violations) == 1
    for _ in range(5):
        respond(watch, 200, [b"x" * 995, b"needle"], client=BOB)
    assert len(world.violations) == 1


def test_pictures_are_not_looked_into(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "needle", "log"))
    for _ in range(3):
        respond(watch, 200, [b"needle"], [("content-type", "image/png")])
    assert world.violations == []


def test_a_response_that_ends_early_is_closed_and_looked_at(world: World) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"a needle in"
            raise ConnectionError("the database is gone")

        def close(self) -> None:
            closed.append(True)

    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "needle", "log"))
    for _ in range(2):
        observation = watch.observe(ALICE, "/x")
        assert observation is not None
        observation.status(200, HTML)
        iterable: Any = observation.tap(Body())
        with pytest.raises(ConnectionError):
            list(iterable)
        iterable.close()
        iterable.close()
    assert len(world.violations) == 1
    assert closed == [True] * 4


def test_a_response_nobody_iterated_is_closed(world: World) -> None:
    closed: list[bool] = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "needle", "log"))
    observation = watch.observe(ALICE, "/x")
    assert observation is not None
    iterable: Any = observation.tap(Body([b"x"]))
    iterable.close()
    assert closed == [True]


def test_a_file_that_the_server_sends_is_handed_on_as_it_is(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "needle", "log"))
    observation = watch.observe(ALICE, "/x")
    assert observation is not None
    file = FileWrapper(BytesIO(b"a needle"))
    assert observation.tap(file, FileWrapper) is file
    assert observation.tap([b"x"], FileWrapper) != [b"x"]


def test_a_list_keeps_its_length_and_a_stream_has_none(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "needle", "log"))
    observation = watch.observe(ALICE, "/x")
    assert observation is not None
    sized: Any = observation.tap([b"one"])
    assert len(sized) == 1
    assert not hasattr(observation.tap(iter([b"one"])), "__len__")


def test_what_an_app_writes_is_seen_too(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "needle", "log"))
    written: list[bytes] = []
    for _ in range(2):
        observation = watch.observe(ALICE, "/x")
        assert observation is not None
        observation.status(200, HTML)
        write: Callable[[bytes], object] = observation.write(written.append)
        write(b"a nee")
        list(observation.tap([b"dle"]))
    assert written == [b"a nee"] * 2
    assert len(world.violations) == 1


def test_an_error_page_in_place_of_a_response_is_not_counted_twice(world: World) -> None:
    watch = world.watch(BehaviorRule("return_pattern", 1, 60, "status:5xx", "log"))
    observation = watch.observe(ALICE, "/x")
    assert observation is not None
    observation.status(500, HTML)
    observation.status(500, HTML)
    assert world.violations == []


def test_a_store_that_is_down_breaks_no_response(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Down:
        def increment(self, *_: object) -> int:
            raise StoreError("unreachable")

    rules = (
        BehaviorRule("return_pattern", 1, 60, "status:200", "ban"),
        BehaviorRule("return_pattern", 1, 60, "needle", "ban"),
    )
    tracker = world.tracker()
    tracker.counters = Down()  # type: ignore[assignment]
    watch = tracker.watch(rules)
    for _ in range(3):
        assert respond(watch, 200, [b"needle"]) == [b"needle"]
    assert tracker.uncounted_responses == 6
    assert caplog.text.count("miss some responses") == 1


# -- modes -----------------------------------------------------------------------------------


def test_passive_mode_bans_nobody_and_counts_apart(world: World) -> None:
    rule = BehaviorRule("usage", 2, 60, action="ban")
    assert kinds(world.watch(rule, passive=True), 10) == "." * 10
    assert world.store.bans.find(ALICE) is None
    assert set(world.actions()) == {"observed"}
    assert kinds(world.watch(rule), 3) == "..b", "what was observed does not count"


def test_passive_mode_calls_no_custom_action(world: World) -> None:
    calls: list[object] = []
    rule = BehaviorRule("usage", 1, 60, custom_action=lambda *call: calls.append(call))
    kinds(world.watch(rule, passive=True), 3)
    assert calls == []


@pytest.mark.parametrize("action", ["ban", "throttle"])
def test_a_suspicious_client_has_half_the_threshold(world: World, action: Any) -> None:
    rule = BehaviorRule("usage", 6, 60, action=action, correlate_with_detection=True)
    watch = world.watch(rule)
    world.suspicious.add(BOB.text)
    assert kinds(watch, 7) == "......" + action[0]
    assert kinds(watch, 4, BOB) == "..." + action[0]


def test_without_correlation_suspicion_changes_nothing(world: World) -> None:
    world.suspicious.add(ALICE.text)
    assert kinds(world.watch(BehaviorRule("usage", 6, 60, action="ban")), 7) == "......b"


def test_a_rule_from_a_configuration_file_works_as_any(world: World) -> None:
    rule = BehaviorRuleConfig(rule_type="usage", threshold=1, window=60, action="throttle")
    assert kinds(world.tracker().watch((), (rule,)), 2) == ".t"
