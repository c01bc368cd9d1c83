"""Address ranges that providers publish: fetched in the background, shared, never lost.

One :class:`PublishedRanges` holds the ranges of some providers for a guard. The first request of a
process starts a thread that renews them: from the shared store if another worker has fetched them,
else with a conditional request to the provider. The last good ranges stay until better ones arrive:
a provider that is down, answers with an error page, or publishes a file that shrank to nothing
changes only the status.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from attrs import evolve, frozen

from guard_wsgi.errors import StoreError
from guard_wsgi.network.background import BackgroundLoop
from guard_wsgi.network.download import fetch_feed
from guard_wsgi.network.feeds import Feed, FeedError
from guard_wsgi.network.provider_ranges import ProviderRanges, check_networks, ranges_key

logger = logging.getLogger("guard_wsgi.network")

LEASE_SECONDS = 60
"""How long one worker's attempt keeps the others from fetching the same file."""
POLL_SECONDS = 2.0
"""How often a worker checks for ranges that another one is fetching."""
RETRY_SECONDS = 30.0
"""The first wait after a failed fetch; it doubles each time, up to the refresh interval."""
STALE_INTERVALS = 24
"""Ranges not confirmed for this many intervals (a day by default) count as stale; providers move
ranges over days, and AWS announces new ones at least 24 hours before their use."""
KEEP_SECONDS = 30 * 86_400
"""How long the store keeps unconfirmed ranges, for a restart during a long outage."""
SHRUNK_TO = 0.5
"""A publication with less than this share of its former networks counts as broken until it stays
so."""


class Values(Protocol):
    """The part of a store that shares ranges (``Store.values``)."""

    def get(self, key: str, /) -> bytes | None: ...

    def set(self, key: str, value: bytes, ttl_seconds: int, /) -> None: ...


class Counters(Protocol):
    """The part of a store that chooses one worker to fetch (``Store.counters``)."""

    def take_lease(self, key: str, seconds: int, /) -> bool: ...


class SharedState(Protocol):
    """The parts of a ``Store`` that ranges need."""

    @property
    def values(self) -> Values: ...

    @property
    def counters(self) -> Counters: ...


@frozen(slots=True)
class _Attempt:
    """The result of the last attempts for one provider."""

    failures: int = 0
    error: str = ""
    next_at: float = 0.0
    stale: bool = False


OnChange = Callable[[str, str, str], None]
"""``(what, provider, detail)``: what is "updated", "failed", "stale" or "recovered"."""


class PublishedRanges:
    """The published ranges of some providers, renewed in the background.

    :param feeds: the publications; more may be added later.
    :param store: a store to share them among workers; without one, each process fetches for itself.
    :param custom_store: the user's own cache (``get(provider)``, ``set(provider, ranges, ttl)``,
        ``clear()``) of "cidr" or "cidr|region" texts; it replaces ``store``'s values.

        :param on_swap: called in the background thread after a change of ranges.
    """

    def __init__(
        self,
        feeds: Iterable[Feed] = (),
        *,
        refresh_interval_seconds: float,
        store: SharedState | None = None,
        custom_store: Any = None,
        on_change: OnChange | None = None,
        on_swap: Callable[[], None] | None = None,
        name: str = "guard-wsgi-ranges",
    ) -> None:
        self._feeds: Mapping[str, Feed] = {feed.provider: feed for feed in feeds}
        self._interval = refresh_interval_seconds
        self._store = store
        self._custom_store = custom_store
        self._on_change = on_change
        self._on_swap = on_swap
        self._ranges: dict[str, ProviderRanges] = {}
        self._attempts: dict[str, _Attempt] = {}
        self._loop = BackgroundLoop(name, self._step)
        self.ensure_running = self._loop.ensure_running

    def add(self, feed: Feed) -> None:
        """Renew this publication as well from now on."""
        if feed.provider not in self._feeds:
            self._feeds = {**self._feeds, feed.provider: feed}  # the thread may be iterating
            self._loop.wake()

    def get(self, provider: str) -> ProviderRanges | None:
        """Return the current ranges of one provider; ``None`` until the first were read."""
        return self._ranges.get(provider)

    def load(self) -> None:
        """Load ranges before going on, in this thread: another worker's, else the providers'."""
        changed = False
        for feed in self._feeds.values():
            changed = self._adopt(feed.provider) or changed
            if feed.provider not in self._ranges:
                changed = self._fetch(feed) or changed
        if changed and self._on_swap is not None:
            self._on_swap()

    def refresh(self) -> None:
        """Fetch every publication now, in this thread, whatever its age. A failure keeps the old
        ranges."""
        changed = False
        for feed in self._feeds.values():
            changed = self._adopt(feed.provider) or changed
            changed = self._fetch(feed) or changed
        if changed and self._on_swap is not None:
            self._on_swap()

    def close(self) -> None:
        """End the background thread. The ranges stay usable."""
        self._loop.close()

    def status(self) -> dict[str, dict[str, Any]]:
        """Return, by provider: state (missing, fresh, stale), networks, age_seconds, failures,
        error."""
        now = time.time()
        answer: dict[str, dict[str, Any]] = {}
        for provider in self._feeds:
            ranges = self._ranges.get(provider)
            attempt = self._attempts.get(provider, _Attempt())
            answer[provider] = {
                "state": self._state(ranges, now),
                "networks": len(ranges.networks) if ranges else 0,
                "age_seconds": round(max(0.0, now - ranges.checked_at)) if ranges else None,
                "failures": attempt.failures,
                "error": attempt.error or None,
            }
        return answer

    def _state(self, ranges: ProviderRanges | None, now: float) -> str:
        if ranges is None:
            return "missing"
        stale = now - ranges.checked_at > self._interval * STALE_INTERVALS
        return "stale" if stale else "fresh"

    def _step(self) -> float:
        changed = False
        waits: list[float] = []
        for feed in self._feeds.values():
            if self._loop.stopping():
                break
            changed = self._renew(feed, waits) or changed
        if changed and self._on_swap is not None:
            self._on_swap()
        return min(waits, default=POLL_SECONDS)

    def _renew(self, feed: Feed, waits: list[float]) -> bool:
        """Renew the ranges of one provider. Return whether its networks changed. Adds the time to
        wait."""
        changed = self._adopt(feed.provider)
        now = time.time()
        self._note_staleness(feed.provider, now)
        ranges = self._ranges.get(feed.provider)
        attempt = self._attempts.get(feed.provider, _Attempt())
        due = ranges.checked_at + self._interval if ranges else 0.0
        if ranges is not None and ranges.checked_at > now + self._interval:
            due = 0.0  # a machine whose clock is ahead wrote it: its age means nothing
        due = max(due, attempt.next_at)
        if now < due:
            # Jitter, so that workers that start together do not ask together.
            waits.append((due - now) * random.uniform(1.0, 1.1) + random.uniform(0.0, 1.0))
        elif not self._may_fetch(feed.provider):
            waits.append(POLL_SECONDS)
        else:
            changed = self._fetch(feed) or changed
            waits.append(POLL_SECONDS)
        return changed

    def _note_staleness(self, provider: str, now: float) -> None:
        attempt = self._attempts.get(provider, _Attempt())
        stale = self._state(self._ranges.get(provider), now) == "stale"
        if stale != attempt.stale:
            self._attempts[provider] = evolve(attempt, stale=stale)
            if stale:
                self._report("stale", provider, attempt.error or "not confirmed for too long")

    # -- shared by the workers ------------------------------------------------------------

    def _adopt(self, provider: str) -> bool:
        """Load another worker's ranges if they are newer. Return whether networks changed."""
        shared = self._load(provider)
        mine = self._ranges.get(provider)
        if shared is None or (mine is not None and shared.checked_at <= mine.checked_at):
            return False
        if mine is not None and mine.networks == shared.networks:
            self._ranges[provider] = evolve(mine, checked_at=shared.checked_at)
            return False
        try:
            check_networks(shared.networks)
        except FeedError as error:
            logger.warning("%s: ignored the ranges in the store: %s", provider, error)
            return False
        self._ranges[provider] = shared
        self._succeeded(provider)
        return True

    def _load(self, provider: str) -> ProviderRanges | None:
        if self._custom_store is not None:
            return self._load_custom(provider)
        if self._store is None:
            return None
        try:
            value = self._store.values.get(ranges_key(provider))
        except StoreError:
            return None  # the store reports its own outage; the provider may still answer
        return ProviderRanges.from_bytes(provider, value) if value else None

    def _load_custom(self, provider: str) -> ProviderRanges | None:
        if provider in self._ranges:
            return None  # the user's cache has no age, so it is only used at the start
        try:
            texts = self._custom_store.get(provider)
        except Exception:
            # Catch everything: a fault of the user's own cache must not end the renewal.
            logger.exception("cloud_ip_store.get(%r) failed", provider)
            return None
        if not texts:
            return None
        now = time.time()
        parts = (str(text).partition("|") for text in texts)
        networks = tuple((cidr, region) for cidr, _, region in parts)
        return ProviderRanges(provider, networks, now, now)

    def _save(self, ranges: ProviderRanges) -> None:
        if self._custom_store is not None:
            texts = {f"{cidr}|{region}" if region else cidr for cidr, region in ranges.networks}
            try:
                self._custom_store.set(ranges.provider, texts, int(self._interval))
            except Exception:
                # Catch everything, as in _load_custom.
                logger.exception("cloud_ip_store.set(%r) failed", ranges.provider)
        elif self._store is not None:
            # A store that is down reports that itself; this process already has the ranges.
            with suppress(StoreError):
                self._store.values.set(ranges_key(ranges.provider), ranges.to_bytes(), KEEP_SECONDS)

    def _may_fetch(self, provider: str) -> bool:
        """One worker at a time fetches: the first that counts in the window of the lease."""
        if self._store is None:
            return True
        return self._store.counters.take_lease(ranges_key(provider), LEASE_SECONDS)

    # -- from the provider ----------------------------------------------------------------

    def _fetch(self, feed: Feed) -> bool:
        known = self._ranges.get(feed.provider)
        try:
            ranges = fetch_feed(feed, known)
            if known is not None and ranges.networks != known.networks:
                self._check_shrinking(known, ranges)
        except FeedError as error:
            self._failed(feed.provider, str(error))
            return False
        self._ranges[feed.provider] = ranges
        self._save(ranges)
        changed = known is None or known.networks != ranges.networks
        self._succeeded(feed.provider)
        if changed:
            self._report("updated", feed.provider, f"{len(ranges.networks)} networks")
        return changed

    def _check_shrinking(self, known: ProviderRanges, ranges: ProviderRanges) -> None:
        shrunk = len(ranges.networks) < len(known.networks) * SHRUNK_TO
        if shrunk and self._state(known, time.time()) != "stale":
            shorter = f"from {len(known.networks)} to {len(ranges.networks)} networks"
            raise FeedError(f"rejected a list that shrank {shorter}")

    def _failed(self, provider: str, error: str) -> None:
        former = self._attempts.get(provider, _Attempt())
        delay = min(self._interval, RETRY_SECONDS * 2 ** min(former.failures, 16))
        self._attempts[provider] = evolve(
            former,
            failures=former.failures + 1,
            error=error,
            next_at=time.time() + delay * random.uniform(0.8, 1.2),
        )
        if former.failures == 0:
            self._report("failed", provider, error)

    def _succeeded(self, provider: str) -> None:
        former = self._attempts.pop(provider, None)
        if former is not None and former.failures:
            self._report("recovered", provider, f"after {former.failures} failed attempts")

    def _report(self, what: str, provider: str, detail: str) -> None:
        if self._loop.stopping():
            return
        level = logging.INFO if what in ("updated", "recovered") else logging.WARNING
        logger.log(level, "address ranges of %s: %s: %s", provider, what, detail)
        if self._on_change is not None:
            self._on_change(what, provider, detail)
