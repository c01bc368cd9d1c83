"""Auto-bans: thresholds by category and overall, windows, and addresses that are never banned."""

from __future__ import annotations

import pytest

from guard_wsgi.behavior.suspicion import BanThreshold, Suspicion, SuspicionSettings
from guard_wsgi.errors import ConfigError
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.store import Store
from tests.kit.addresses import address
from tests.state.conftest import KINDS, FakeClock, OpenStore


@pytest.fixture
def store(open_store: OpenStore, fake_clock: FakeClock) -> Store:
    return open_store("memory", clock=fake_clock.clock(), protected=IPSet(["10.0.0.5"]))


def suspicion(store: Store, **settings: object) -> Suspicion:
    return Suspicion(store.counters, store.bans, SuspicionSettings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_bans_at_the_threshold(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    judge = suspicion(store, overall=BanThreshold(3, 600))
    assert judge.record(address(), ["sqli"]) is None
    assert judge.record(address(), ["xss"]) is None
    assert judge.count(address()) == 2
    ban = judge.record(address(), ["sqli", "xss"])
    assert ban is not None
    assert ban.reason == "penetration_attempt"
    assert store.bans.find(address()) == ban
    assert store.bans.find(address("192.0.2.8")) is None


def test_a_category_has_a_threshold_and_a_duration_of_its_own(
    store: Store, fake_clock: FakeClock
) -> None:
    judge = suspicion(
        store,
        overall=BanThreshold(100, 600),
        by_category={"rce": BanThreshold(2, 86_400), "sqli": BanThreshold(50, 60)},
    )
    assert judge.record(address(), ["rce", "sqli"]) is None
    ban = judge.record(address(), ["rce", "sqli"])
    assert ban is not None
    assert ban.reason == "penetration_attempt:rce"
    fake_clock.advance(86_399)
    assert store.bans.find(address()) is not None
    fake_clock.advance(1)
    assert store.bans.find(address()) is None


def test_rate_limit_bans_say_so(store: Store) -> None:
    judge = suspicion(store, overall=BanThreshold(2, 60))
    judge.record(address(), ["rate_limit"])
    ban = judge.record(address(), ["rate_limit"])
    assert ban is not None
    assert ban.reason == "rate_limit_exceeded"


def test_counts_start_over_with_a_ban(store: Store, fake_clock: FakeClock) -> None:
    judge = suspicion(store, overall=BanThreshold(3, 60), by_category={"sqli": BanThreshold(3, 60)})
    assert [judge.record(address(), ["sqli"]) is None for _ in range(3)] == [True, True, False]
    fake_clock.advance(61)
    assert store.bans.find(address()) is None
    assert [judge.record(address(), ["sqli"]) is None for _ in range(3)] == [True, True, False]


def test_counts_live_in_a_window(store: Store, fake_clock: FakeClock) -> None:
    judge = suspicion(store, overall=BanThreshold(3, 60), window_seconds=100)
    for _ in range(20):
        assert judge.record(address(), ["sqli"]) is None
        fake_clock.advance(55)


def test_an_ipv6_client_is_its_network(store: Store) -> None:
    judge = suspicion(store, overall=BanThreshold(3, 60))
    for n in range(3):
        ban = judge.record(address(f"2001:db8:0:1::{n}"), ["sqli"])
    assert ban is not None
    assert ban.target == "2001:db8:0:1::/64"
    assert store.bans.find(address("2001:db8:0:1:ffff::1")) == ban
    assert store.bans.find(address("2001:db8:0:2::1")) is None


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.0.0.5"])
def test_loopback_and_trusted_proxies_are_reported_and_not_banned(store: Store, text: str) -> None:
    judge = suspicion(store, overall=BanThreshold(2, 60))
    reported: list[str] = []
    store.bans.on_change = lambda what, *about: reported.append(what)
    assert [judge.record(address(text), ["sqli"]) for _ in range(4)] == [None] * 4
    assert store.bans.list() == []
    assert reported == ["ip_ban_failed"] * 2  # at each crossing, not at each request


def test_passive_mode_counts_apart_and_bans_nobody(store: Store) -> None:
    passive = suspicion(store, overall=BanThreshold(3, 60), passive=True)
    for _ in range(50):
        assert passive.record(address(), ["sqli"]) is None
    assert passive.count(address()) == 50
    active = suspicion(store, overall=BanThreshold(3, 60))
    assert active.record(address(), ["sqli"]) is None
    assert active.count(address()) == 1


def test_switched_off_it_only_counts(store: Store) -> None:
    judge = suspicion(store, overall=BanThreshold(1, 60), enabled=False)
    assert judge.record(address(), ["sqli"]) is None
    assert judge.count(address()) == 1
    judge.forget(address())
    assert judge.count(address()) == 0


def test_a_running_longer_ban_is_not_shortened(store: Store) -> None:
    by_hand = store.bans.ban("192.0.2.7", 100_000, "by hand")
    judge = suspicion(store, overall=BanThreshold(1, 60))
    assert judge.record(address(), ["sqli"]) == by_hand
    assert store.bans.find(address()) == by_hand


@pytest.mark.parametrize(("threshold", "duration"), [(0, 1), (1, 0), (-1, -1)])
def test_nonsense_thresholds_are_refused(threshold: int, duration: int) -> None:
    with pytest.raises(ConfigError):
        BanThreshold(threshold, duration)
