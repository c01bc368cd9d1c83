"""Bans hold, end, and are seen by everyone who shares the store."""

from __future__ import annotations

import time

import pytest

from guard_wsgi.errors import BanRefused
from guard_wsgi.network.address import parse_address
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.clock import NANOSECONDS
from guard_wsgi.state.store import Store
from tests.kit.addresses import address
from tests.state.conftest import KINDS, FakeClock, OpenStore

every_store = pytest.mark.parametrize("kind", KINDS)


def wait_until_banned(store: Store, text: str, banned: bool, seconds: float = 1.0) -> None:
    deadline = time.monotonic() + seconds
    while (store.bans.find(address(text)) is not None) is not banned:
        assert time.monotonic() < deadline, f"{text}: not {banned=} within {seconds} s"
        time.sleep(0.01)


@every_store
@pytest.mark.parametrize(
    ("target", "covered", "free"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.8"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.6"),
        ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
        ("192.0.2.77/24", "192.0.2.1", "192.0.1.255"),
        ("2001:db8::1", "2001:db8:0:0::2", "2001:db8:0:1::1"),
        ("2001:db8::1/128", "2001:db8:0:0::1", "2001:db8::2"),
        ("64:ff9b::192.0.2.7", "64:ff9b::192.0.2.7", "64:ff9b::192.0.2.8"),
        ("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::"),
        ("198.51.100.4/32", "198.51.100.4", "198.51.100.5"),
        ("::ffff:198.51.100.0/120", "198.51.100.9", "198.51.101.9"),
    ],
)
def test_a_ban_covers_its_target_and_nothing_else(
    open_store: OpenStore, kind: str, target: str, covered: str, free: str
) -> None:
    store = open_store(kind)
    before = time.time()
    ban = store.bans.ban(target, 60, "probing")
    assert before + 59.99 <= ban.expires_at <= time.time() + 60.01
    assert store.bans.find(address(covered)) == ban
    assert store.bans.is_banned(covered)
    assert store.bans.find(address(free)) is None
    assert not store.bans.is_banned(free)
    assert store.bans.list() == [ban]


@every_store
def test_lifting_a_ban_lets_the_client_back_in(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    for target in ("192.0.2.7", "198.51.100.0/24"):
        store.bans.ban(target, 60, "test")
    assert store.bans.unban("::ffff:192.0.2.7")
    assert store.bans.unban("198.51.100.9/24")
    assert not store.bans.unban("192.0.2.7")
    assert store.bans.find(address("192.0.2.7")) is None
    assert store.bans.find(address("198.51.100.9")) is None
    assert store.bans.list() == []


@every_store
def test_an_address_stays_banned_by_the_network_around_it(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    store.bans.ban("192.0.2.0/24", 60, "network")
    store.bans.ban("192.0.2.7", 60, "address")
    assert store.bans.unban("192.0.2.7")
    found = store.bans.find(address("192.0.2.7"))
    assert found is not None
    assert found.target == "192.0.2.0/24"
    assert store.bans.is_banned("192.0.2.128/25")
    assert not store.bans.is_banned("192.0.0.0/16")


@every_store
def test_a_ban_ends_by_itself(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    store.bans.ban("192.0.2.7", 0.3, "short")
    store.bans.ban("198.51.100.0/24", 0.3, "short")
    assert len(store.bans.list()) == 2
    time.sleep(0.32)
    assert store.bans.find(address("192.0.2.7")) is None
    assert store.bans.find(address("198.51.100.1")) is None
    assert store.bans.list() == []
    assert not store.bans.unban("192.0.2.7")


@every_store
def test_a_second_ban_replaces_the_first(open_store: OpenStore, kind: str) -> None:
    store = open_store(kind)
    store.bans.ban("192.0.2.7", 1000, "long")
    ban = store.bans.ban("192.0.2.7", 50, "shorter")
    assert store.bans.list() == [ban]
    assert store.bans.find(address("192.0.2.7")) == ban


@every_store
@pytest.mark.parametrize(
    "target",
    ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0.0.0.0/0", "::/0", "126.0.0.0/7"],
)
def test_loopback_is_never_banned(open_store: OpenStore, kind: str, target: str) -> None:
    store = open_store(kind)
    with pytest.raises(BanRefused):
        store.bans.ban(target, 60, "self")
    assert store.bans.list() == []


@pytest.mark.parametrize(
    "target",
    ["10.0.0.5", "10.0.0.0/24", "10.0.0.4/30", "8.0.0.0/6", "2001:db8::99", "2001:db8::/32"],
)
def test_trusted_proxies_are_never_banned_nor_networks_around_them(
    open_store: OpenStore, target: str
) -> None:
    store = open_store("memory", protected=IPSet(["10.0.0.5", "10.1.0.0/16", "2001:db8::99"]))
    with pytest.raises(BanRefused):
        store.bans.ban(target, 60, "proxy")
    store.bans.ban("10.0.0.6", 60, "beside it")
    store.bans.ban("10.0.1.0/24", 60, "beside it")


@every_store
@pytest.mark.parametrize("target", ["", "nonsense", "192.0.2.300", "192.0.2.0/33", "example.com"])
def test_what_is_no_address_can_not_be_banned(
    open_store: OpenStore, kind: str, target: str
) -> None:
    store = open_store(kind)
    for attempt in (
        lambda: store.bans.ban(target, 60, "test"),
        lambda: store.bans.unban(target),
        lambda: store.bans.is_banned(target),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 -- the type is the contract
            attempt()


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_ban_has_an_end(open_store: OpenStore, seconds: float) -> None:
    store = open_store("memory")
    with pytest.raises(ValueError, match="seconds"):
        store.bans.ban("192.0.2.7", seconds, "test")


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_other_workers_see_a_ban_and_its_lifting_within_a_second(
    open_store: OpenStore, kind: str
) -> None:
    one, other = open_store(kind), open_store(kind)
    assert other.bans.find(address("192.0.2.7")) is None
    one.bans.ban("192.0.2.7", 60, "address")
    one.bans.ban("198.51.100.0/24", 60, "a reason with spaces, и буквы")
    wait_until_banned(other, "192.0.2.7", True)
    wait_until_banned(other, "198.51.100.1", True)
    assert other.bans.list() == one.bans.list()
    assert other.bans.unban("192.0.2.7")
    wait_until_banned(one, "192.0.2.7", False)
    one.bans.ban("192.0.2.7", 60, "again")
    wait_until_banned(other, "192.0.2.7", True)


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_a_worker_that_starts_later_knows_the_bans(open_store: OpenStore, kind: str) -> None:
    one = open_store(kind)
    bans = [one.bans.ban(f"192.0.2.{n}", 60 + n, "test") for n in range(100)]
    one.bans.unban("192.0.2.50")
    later = open_store(kind)
    assert later.bans.find(address("192.0.2.99")) == bans[99]
    assert later.bans.find(address("192.0.2.50")) is None
    assert later.bans.list() == bans[:50] + bans[51:]


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_a_reset_reaches_the_other_workers(open_store: OpenStore, kind: str) -> None:
    one, other = open_store(kind), open_store(kind)
    one.bans.ban("192.0.2.7", 60, "test")
    wait_until_banned(other, "192.0.2.7", True)
    one.reset()
    wait_until_banned(other, "192.0.2.7", False)
    one.bans.ban("192.0.2.8", 60, "after it")
    wait_until_banned(other, "192.0.2.8", True)


def test_thousands_of_bans_come_in_pages(open_store: OpenStore) -> None:
    one = open_store("redis")
    for n in range(2500):
        one.bans.ban(f"10.0.{n >> 8}.{n & 255}", 600, "botnet")
    other = open_store("redis")
    wait_until_banned(other, "10.0.0.0", True)
    wait_until_banned(other, "10.0.9.195", True)
    assert len(other.bans.list()) == 2500


def test_ended_bans_are_swept_from_the_server(open_store: OpenStore) -> None:
    store = open_store("redis")
    for n in range(30):
        store.bans.ban(f"192.0.2.{n}", 0.05, "short")
    time.sleep(0.1)
    for n in range(3):
        store.bans.ban(f"198.51.100.{n}", 60, "long")
    later = open_store("redis")
    assert len(later.bans.list()) == 3


def test_bans_are_bounded(open_store: OpenStore, fake_clock: FakeClock) -> None:
    store = open_store("memory", max_bans=100, clock=fake_clock.clock())
    for n in range(1000):
        store.bans.ban(f"10.0.{n >> 8}.{n & 255}", 100 + n, "flood")
    assert len(store.bans) == 100
    assert store.bans.find(address("10.0.0.0")) is None
    assert store.bans.find(address("10.0.3.231")) is not None


def test_a_ban_prolonged_outlives_its_first_end(
    open_store: OpenStore, fake_clock: FakeClock
) -> None:
    store = open_store("memory", clock=fake_clock.clock())
    for target in ("192.0.2.7", "198.51.100.0/24"):
        store.bans.ban(target, 10, "short")
        store.bans.ban(target, 1000, "prolonged")
    fake_clock.advance(20)
    store.bans.ban("203.0.113.1", 10, "sweeps those that have ended")
    assert store.bans.find(address("192.0.2.7")) is not None
    assert store.bans.find(address("198.51.100.7")) is not None
    assert len(store.bans) == 3


def test_a_step_of_the_wall_clock_neither_ends_nor_prolongs_a_ban(
    open_store: OpenStore, fake_clock: FakeClock
) -> None:
    store = open_store("memory", clock=fake_clock.clock())
    store.bans.ban("192.0.2.7", 100, "test")
    fake_clock.wall_ns += 3600 * 10**9
    assert store.bans.find(address("192.0.2.7")) is not None
    fake_clock.wall_ns -= 7200 * 10**9
    fake_clock.monotonic_ns += 100 * 10**9
    assert store.bans.find(address("192.0.2.7")) is None


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_a_ban_made_by_a_clock_that_was_ahead_lasts_no_longer_than_it_was_made_for(
    open_store: OpenStore, kind: str
) -> None:
    ahead, right = FakeClock(), FakeClock()
    right.wall_ns = time.time_ns()  # the server sweeps by its own
    ahead.wall_ns = right.wall_ns + 400 * 86_400 * NANOSECONDS
    open_store(kind, clock=ahead.clock()).bans.ban("192.0.2.7", 3600, "x")
    bans = open_store(kind, clock=right.clock()).bans
    client = parse_address("192.0.2.7")
    assert client is not None
    ban = bans.find(client)
    assert ban is not None
    assert bans.seconds_left(ban) == 3600
    right.advance(3500)
    assert bans.find(client) is not None
    right.advance(200)
    assert bans.find(client) is None


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_a_clock_set_back_neither_ends_bans_nor_makes_them_last(
    open_store: OpenStore, kind: str
) -> None:
    clock = FakeClock(wall_ns=time.time_ns())
    client = parse_address("192.0.2.7")
    assert client is not None
    before = open_store(kind, clock=clock.clock()).bans
    before.ban("192.0.2.7", 3600, "x")
    clock.wall_ns -= 86_400 * NANOSECONDS
    after = open_store(kind, clock=clock.clock()).bans  # a worker that starts then
    for bans in (before, after):
        assert bans.find(client) is not None
    clock.advance(3700)
    for bans in (before, after):
        assert bans.find(client) is None
