"""Verifies visitors that call themselves search engines.

A user agent is the visitor's own text and proves nothing. There are two proofs: an address in the
ranges that the search engine publishes, or a host name of the search engine to which the address
resolves and which resolves back to the address (reverse DNS alone is under control of the address's
owner). The search engines document both. DNS takes up to seconds, so a background thread asks it.
Until it answers, the visitor counts as an ordinary one.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Literal

from attrs import frozen

from guard_wsgi.network.address import Address, parse_address
from guard_wsgi.network.background import BackgroundLoop
from guard_wsgi.network.feeds import CRAWLER_FEEDS, Feed
from guard_wsgi.network.provider_ranges import ProviderRanges
from guard_wsgi.network.published_ranges import PublishedRanges, SharedState
from guard_wsgi.network.ranges import LabelledRanges, Range, merge, network_range

logger = logging.getLogger("guard_wsgi.network")

RANGES_REFRESH_SECONDS = 86_400.0
"""Crawlers' ranges change some times a year."""
VERIFIED_SECONDS = 86_400.0
"""Google allows caching of verifications; crawlers keep their addresses for days."""
REFUTED_SECONDS = 3600.0
"""How long an address counts as an impostor's; a crawler may get it later."""
UNKNOWN_SECONDS = 60.0
"""How long to wait after DNS did not answer."""
MAX_VERDICTS = 65_536
"""Verdicts in each of two generations. Impostors come from many addresses; some 10 MB when full."""
MAX_PENDING = 256
"""The longest queue: a real crawler must not wait for hours behind impostors."""
IDLE_SECONDS = 300.0
"""How long the thread sleeps without work; a new visitor wakes it."""

Verification = Literal["verified", "refuted", "pending"]


@frozen(slots=True)
class Crawler:
    """How to recognise and verify one search engine's crawler.

    :ivar agent: the word in the user agent, lower-cased.
    :ivar hosts: the ends of its host names, each with a leading dot; empty if it has none.
    """

    name: str
    agent: str
    hosts: tuple[str, ...] = ()


CRAWLERS = (
    # developers.google.com/search/docs/crawling-indexing/verifying-googlebot: google.com has
    # fetchers that act for any user.
    Crawler("Google", "googlebot", (".googlebot.com",)),
    # www.bing.com/webmasters/help/how-to-verify-bingbot
    Crawler("Bing", "bingbot", (".search.msn.com",)),
    # support.apple.com/119829
    Crawler("Apple", "applebot", (".applebot.apple.com",)),
    # duckduckgo.com/duckduckgo-help-pages/results/duckduckbot: by published addresses
    Crawler("DuckDuckGo", "duckduckbot"),
)


class DnsUnavailable(Exception):
    """DNS did not answer. (An answer that the name does not exist is not an error.)"""


class Resolver:
    """The system's resolver, which blocks; tests replace it."""

    def host_name(self, address: str) -> str | None:
        """Return the name that an address resolves to.

        :raises DnsUnavailable:
        """
        try:
            return socket.gethostbyaddr(address)[0]
        except OSError as error:
            _require_answer(error)
            return None

    def addresses(self, host_name: str) -> Iterable[str]:
        """Return the addresses that a name resolves to.

        :raises DnsUnavailable:
        """
        try:
            answers = socket.getaddrinfo(host_name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            _require_answer(error)
            return ()
        return [str(answer[4][0]) for answer in answers]


_HOST_NOT_FOUND, _NO_DATA = 1, 4
"""The resolver's h_errno (netdb.h) for "no such name" and "no address of that kind"."""


def _require_answer(error: OSError) -> None:
    """:raises DnsUnavailable: unless the error means that the name does not exist."""
    nothing = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
    if isinstance(error, socket.herror):
        nothing = {_HOST_NOT_FOUND, _NO_DATA}
    elif not isinstance(error, socket.gaierror):
        nothing = set()
    if error.errno not in nothing:
        raise DnsUnavailable from error


class VerifiedBots:
    """Distinguishes the crawlers of search engines from impostors.

    :param store: a Store; the published ranges are fetched once for all of its workers.
    :param use_ranges: whether to fetch the published ranges, besides asking DNS.
    """

    def __init__(
        self,
        *,
        store: SharedState | None = None,
        crawlers: Iterable[Crawler] = CRAWLERS,
        feeds: Mapping[str, Feed] = CRAWLER_FEEDS,
        use_ranges: bool = True,
        resolver: Resolver | None = None,
    ) -> None:
        self._crawlers = tuple(crawlers)
        self._resolver = Resolver() if resolver is None else resolver
        self._young: dict[tuple[str, str], tuple[bool, float]] = {}
        self._old: dict[tuple[str, str], tuple[bool, float]] = {}
        self._pending: deque[tuple[Crawler, str]] = deque()
        self._asked: set[tuple[str, str]] = set()
        self._loop = BackgroundLoop("guard-wsgi-bots", self._step)
        self._table = LabelledRanges()
        self._published: PublishedRanges | None = None
        if use_ranges:
            self._published = PublishedRanges(
                [feeds[c.name] for c in self._crawlers if c.name in feeds],
                refresh_interval_seconds=RANGES_REFRESH_SECONDS,
                store=store,
                on_swap=self._swap,
                name="guard-wsgi-bot-ranges",
            )

    def claims(self, user_agent: str) -> Crawler | None:
        """Return the crawler that a user agent claims to be, without any proof."""
        lowered = user_agent.lower()
        for crawler in self._crawlers:
            if crawler.agent in lowered:
                return crawler
        return None

    def verify(self, user_agent: str, address: Address) -> Verification | None:
        """Return the verdict on a visitor; ``None`` if it does not claim to be a crawler. Never
        waits.

        ``pending`` means that the thread asks DNS; later requests from the address get the answer.
        """
        crawler = self.claims(user_agent)
        if crawler is None:
            return None
        if self._published is not None:
            self._published.ensure_running()
            if self._table.label(address) == crawler.name:
                return "verified"
        if not crawler.hosts:
            has_ranges = self._published is not None and self._published.get(crawler.name)
            return "refuted" if has_ranges else "pending"
        if address.is_private or address.is_loopback:
            return "refuted"
        key = (crawler.name, address.text)
        known = self._young.get(key) or self._old.get(key)
        if known is not None and monotonic() < known[1]:
            return "verified" if known[0] else "refuted"
        self._ask(crawler, key)
        return "pending"

    def is_verified(self, user_agent: str, address: Address | None) -> bool:
        """Whether the visitor is verified as the crawler that it claims to be."""
        return address is not None and self.verify(user_agent, address) == "verified"

    def status(self) -> dict[str, Any]:
        """``{"known": verdicts kept, "pending": visitors waiting for DNS, "ranges": {...}}``."""
        return {
            "known": len(self._young) + len(self._old),
            "pending": len(self._pending),
            "ranges": self._published.status() if self._published is not None else {},
        }

    def refresh(self) -> None:
        """Fetch the published ranges now, in this thread; failures keep what is there."""
        if self._published is not None:
            self._published.refresh()

    def close(self) -> None:
        self._loop.close()
        if self._published is not None:
            self._published.close()

    def _ask(self, crawler: Crawler, key: tuple[str, str]) -> None:
        if not self._loop.running:
            # This is the first in this process: visitors that were pending before a fork are the
            # parent's work.
            self._pending, self._asked = deque(), set()
            self._loop.ensure_running()
        if key in self._asked or len(self._pending) >= MAX_PENDING:
            return
        self._asked.add(key)
        self._pending.append((crawler, key[1]))
        self._loop.wake()

    def _step(self) -> float:
        while self._pending and not self._loop.stopping():
            crawler, text = self._pending.popleft()
            key = (crawler.name, text)
            try:
                verified, seconds = self._ask_dns(crawler, text)
            finally:
                self._asked.discard(key)
            if len(self._young) >= MAX_VERDICTS:
                self._young, self._old = {}, self._young
            self._young[key] = (verified, monotonic() + seconds)
        return IDLE_SECONDS

    def _ask_dns(self, crawler: Crawler, text: str) -> tuple[bool, float]:
        """Return whether the address belongs to the crawler, and how long the verdict is valid."""
        try:
            host_name = self._resolver.host_name(text)
            if host_name is None:
                return False, REFUTED_SECONDS
            host_name = host_name.rstrip(".").lower()
            if not host_name.endswith(crawler.hosts):
                return False, REFUTED_SECONDS
            for answer in self._resolver.addresses(host_name):
                found = parse_address(answer)
                if found is not None and found.text == text:
                    return True, VERIFIED_SECONDS
        except DnsUnavailable:
            return False, UNKNOWN_SECONDS
        return False, REFUTED_SECONDS

    def _swap(self) -> None:
        published = self._published
        if published is None:
            return
        labelled: list[tuple[str, int, list[Range]]] = []
        for crawler in self._crawlers:
            ranges = published.get(crawler.name)
            if ranges is not None:
                labelled.extend(_labelled(crawler.name, ranges))
        self._table = LabelledRanges(labelled)


def _labelled(name: str, ranges: ProviderRanges) -> Iterable[tuple[str, int, list[Range]]]:
    versions: dict[int, list[Range]] = {4: [], 6: []}
    for cidr, _ in ranges.networks:
        version, first, last = network_range(cidr)
        versions[version].append((first, last))
    return [(name, version, merge(found)) for version, found in versions.items()]
