"""Search engines pass because of what they prove, not because of their user agent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve

from guard_wsgi.network.bots import (
    MAX_PENDING,
    DnsUnavailable,
    Resolver,
    VerifiedBots,
    _require_answer,
)
from guard_wsgi.network.feeds import CRAWLER_FEEDS
from tests.kit.addresses import address
from tests.network.publisher import Publisher, sample

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BINGBOT = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
APPLEBOT = "Mozilla/5.0 (Macintosh) AppleWebKit (Applebot/0.1; +http://www.apple.com/go/applebot)"
DUCKDUCKBOT = "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


class Zone(Resolver):
    """The test's own DNS: names and addresses."""

    def __init__(self, names: dict[str, str], hosts: dict[str, list[str]]) -> None:
        self.names = names
        self.hosts = hosts
        self.asked: list[str] = []
        self.open = threading.Event()
        self.open.set()
        self.down = False

    def host_name(self, address: str) -> str | None:
        self.open.wait(10)
        self.asked.append(address)
        if self.down:
            raise DnsUnavailable
        return self.names.get(address)

    def addresses(self, host_name: str) -> list[str]:
        return self.hosts.get(host_name, [])


ZONE = {
    "66.249.66.1": "crawl-66-249-66-1.googlebot.com",
    "157.55.39.1": "msnbot-157-55-39-1.search.msn.com.",
    "17.58.100.1": "17-58-100-1.applebot.apple.com",
    "2001:4860:4801:10::1": "crawl-v6.googlebot.com",
    # Impostors, who own the reverse zone of their own addresses:
    "45.9.20.1": "crawl-66-249-66-1.googlebot.com",
    "45.9.20.2": "googlebot.com.evil.example",
    "45.9.20.3": "fakegooglebot.com",
    "45.9.20.4": "host.evil.example",
}
HOSTS = {
    "crawl-66-249-66-1.googlebot.com": ["66.249.66.1"],
    "msnbot-157-55-39-1.search.msn.com": ["157.55.39.1"],
    "17-58-100-1.applebot.apple.com": ["17.58.100.1"],
    "crawl-v6.googlebot.com": ["2001:4860:4801:0010::0001"],
    "googlebot.com.evil.example": ["45.9.20.2"],
    "fakegooglebot.com": ["45.9.20.3"],
}


@pytest.fixture
def zone() -> Zone:
    return Zone(dict(ZONE), dict(HOSTS))


@pytest.fixture
def bots(zone: Zone) -> Iterator[VerifiedBots]:
    bots = VerifiedBots(resolver=zone, use_ranges=False)
    yield bots
    zone.open.set()
    bots.close()


def settled(bots: VerifiedBots, agent: str, text: str) -> Any:
    deadline = time.monotonic() + 10
    while (verdict := bots.verify(agent, address(text))) == "pending":
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return verdict


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        (GOOGLEBOT, "66.249.66.1"),
        (GOOGLEBOT, "2001:4860:4801:10::1"),
        (BINGBOT, "157.55.39.1"),
        (APPLEBOT, "17.58.100.1"),
    ],
    ids=["Google", "Google over IPv6", "Bing", "Apple"],
)
def test_a_crawler_is_verified_by_dns_in_both_directions(
    bots: VerifiedBots, agent: str, text: str
) -> None:
    assert not bots.is_verified(agent, address(text))
    assert settled(bots, agent, text) == "verified"
    assert bots.is_verified(agent, address(text))


@pytest.mark.parametrize(
    "text",
    ["45.9.20.1", "45.9.20.2", "45.9.20.3", "45.9.20.4", "45.9.20.99", "157.55.39.1"],
    ids=["forged reverse", "suffix", "look-alike", "other host", "no name", "another crawler"],
)
def test_a_user_agent_alone_proves_nothing(bots: VerifiedBots, text: str) -> None:
    assert settled(bots, GOOGLEBOT, text) == "refuted"
    assert not bots.is_verified(GOOGLEBOT, address(text))


def test_a_browser_claims_nothing_and_dns_is_not_asked(bots: VerifiedBots, zone: Zone) -> None:
    assert bots.verify(BROWSER, address("66.249.66.1")) is None
    assert not bots.is_verified(BROWSER, address("66.249.66.1"))
    assert not bots.is_verified(GOOGLEBOT, None)
    assert zone.asked == []


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.1", "::1"])
def test_a_private_address_is_no_crawler_and_dns_is_not_asked(
    bots: VerifiedBots, zone: Zone, text: str
) -> None:
    assert bots.verify(GOOGLEBOT, address(text)) == "refuted"
    assert zone.asked == []


def test_slow_dns_makes_no_request_wait_and_is_asked_once(bots: VerifiedBots, zone: Zone) -> None:
    zone.open.clear()
    verdicts = {bots.verify(GOOGLEBOT, address("66.249.66.1")) for _ in range(100)}
    assert verdicts == {"pending"}
    zone.open.set()
    assert settled(bots, GOOGLEBOT, "66.249.66.1") == "verified"
    assert zone.asked == ["66.249.66.1"]


def test_a_flood_of_impostors_makes_no_endless_queue(bots: VerifiedBots, zone: Zone) -> None:
    zone.open.clear()
    for number in range(2 * MAX_PENDING):
        bots.verify(GOOGLEBOT, address(f"45.9.{number // 250}.{number % 250}"))
    assert bots.status()["pending"] <= MAX_PENDING


def test_while_dns_is_down_a_crawler_is_unproved_and_asked_about_again(
    bots: VerifiedBots, zone: Zone
) -> None:
    zone.down = True
    assert settled(bots, GOOGLEBOT, "66.249.66.1") == "refuted"
    zone.down = False
    known = bots._young["Google", "66.249.66.1"]
    assert known[1] < time.monotonic() + 61
    bots._young["Google", "66.249.66.1"] = (False, 0.0)  # a minute later
    assert settled(bots, GOOGLEBOT, "66.249.66.1") == "verified"


@pytest.fixture
def ranged(publisher: Publisher, zone: Zone) -> Iterator[VerifiedBots]:
    publisher.files["/google"] = sample("googlebot.json")
    publisher.files["/duckduckgo"] = b'{"prefixes": [{"ipv4Prefix": "57.152.72.128/32"}]}'
    feeds = {
        name: evolve(feed, url=f"{publisher.url}/{name.lower()}")
        for name, feed in CRAWLER_FEEDS.items()
    }
    bots = VerifiedBots(resolver=zone, feeds=feeds)
    yield bots
    bots.close()


def test_an_address_in_the_published_ranges_needs_no_dns(ranged: VerifiedBots, zone: Zone) -> None:
    ranged.refresh()
    assert ranged.verify(GOOGLEBOT, address("66.249.64.5")) == "verified"
    assert ranged.verify(GOOGLEBOT, address("2001:4860:4801:10::9")) == "verified"
    assert ranged.verify(DUCKDUCKBOT, address("57.152.72.128")) == "verified"
    assert zone.asked == []


def test_ranges_prove_their_own_crawler_only(ranged: VerifiedBots) -> None:
    ranged.refresh()
    assert ranged.verify(DUCKDUCKBOT, address("66.249.64.5")) == "refuted"
    assert settled(ranged, BINGBOT, "66.249.64.5") == "refuted"


def test_a_crawler_known_by_addresses_alone_waits_for_them(ranged: VerifiedBots) -> None:
    assert ranged.verify(DUCKDUCKBOT, address("57.152.72.129")) == "pending"
    ranged.refresh()
    assert ranged.verify(DUCKDUCKBOT, address("57.152.72.129")) == "refuted"
    assert ranged.status()["ranges"]["DuckDuckGo"]["state"] == "fresh"


def test_the_ranges_are_fetched_beside_the_requests(
    ranged: VerifiedBots, publisher: Publisher
) -> None:
    verify: Callable[[], Any] = lambda: ranged.verify(GOOGLEBOT, address("66.249.64.5"))  # noqa: E731
    assert publisher.requests == []
    deadline = time.monotonic() + 10
    while verify() != "verified":
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        socket.herror(1, "Unknown host"),
        socket.herror(4, "No address associated with name"),
    ],
)
def test_dns_answering_that_there_is_no_such_name_is_an_answer(error: OSError) -> None:
    _require_answer(error)


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        socket.herror(2, "Host name lookup failure"),
        TimeoutError("timed out"),
    ],
)
def test_dns_failing_is_no_answer(error: OSError) -> None:
    with pytest.raises(DnsUnavailable):
        _require_answer(error)


def test_the_systems_resolver_finds_this_machine() -> None:
    assert "127.0.0.1" in Resolver().addresses("localhost")
