"""Automatic bans: how many suspicious requests a client may make before it is banned.

Counts live in a window and start over with a ban, so that a client gets a fresh start after a ban.
Passive mode counts separately: switching it off must not ban everybody whom it has observed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import field, frozen

from guard_wsgi.errors import BanRefused, ConfigError
from guard_wsgi.network.address import Address
from guard_wsgi.state.ban_index import Ban
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.counters import Counters

DEFAULT_THRESHOLD = 10
DEFAULT_DURATION_SECONDS = 3600
DEFAULT_WINDOW_SECONDS = 3600
"""An hour: long enough that a slow scan adds up, short enough that a week's odd hits don't."""

DOUBTFUL_PER_HIT = 10
"""This many doubtful requests count as one. So an office with one address that writes about code,
and is refused fifty times an hour, is not banned; a program that tries a hundred variants is."""

RATE_LIMIT_CATEGORY = "rate_limit"


@frozen(slots=True)
class BanThreshold:
    """Ban for ``duration_seconds`` at the ``threshold``-th hit in the window.

    :raises ConfigError: if either is not positive.
    """

    threshold: int = DEFAULT_THRESHOLD
    duration_seconds: int = DEFAULT_DURATION_SECONDS

    def __attrs_post_init__(self) -> None:
        if self.threshold < 1 or self.duration_seconds < 1:
            raise ConfigError([f"threshold and duration_seconds must be at least 1: {self}"])


@frozen(kw_only=True)
class SuspicionSettings:
    """When suspicious clients are banned.

    ``overall`` counts suspicious requests of any category. ``by_category`` counts the requests of
    one category, and comes first. ``enabled=False`` counts without banning.
    """

    overall: BanThreshold = field(factory=BanThreshold)
    by_category: Mapping[str, BanThreshold] = field(factory=dict)
    window_seconds: int = DEFAULT_WINDOW_SECONDS
    enabled: bool = True
    passive: bool = False


class Suspicion:
    """Counts suspicious requests per client, and bans clients that reach a threshold."""

    __slots__ = ("_bans", "_counters", "_increment", "_prefix", "settings")

    def __init__(
        self,
        counters: Counters,
        bans: Bans,
        settings: SuspicionSettings | None = None,
    ) -> None:
        self.settings = SuspicionSettings() if settings is None else settings
        self._counters = counters
        self._increment = counters.increment
        self._bans = bans
        self._prefix = "observed" if self.settings.passive else "suspicion"

    def record(
        self, address: Address, categories: Collection[str], is_certain: bool = True
    ) -> Ban | None:
        """Count one suspicious request of these categories. Return the ban if it causes one.

        Only every `DOUBTFUL_PER_HIT`-th doubtful request counts.

        For IPv6, the whole /64 is counted and banned, since one customer can use all of its
        addresses.

        :raises StoreError: if the store is down and a policy is to deny.
        """
        settings = self.settings
        increment, window_seconds = self._increment, settings.window_seconds
        client = address.client_key
        if not is_certain:
            doubtful = increment(f"{self._prefix}:{_DOUBTFUL}:{client}", window_seconds)
            if doubtful % DOUBTFUL_PER_HIT:
                return None
        crossed: tuple[BanThreshold, str] | None = None
        if settings.by_category:
            for name in sorted(set(categories)):
                threshold = settings.by_category.get(name)
                if threshold is not None:
                    count = increment(f"{self._prefix}:{name}:{client}", window_seconds)
                    if crossed is None and count >= threshold.threshold:
                        crossed = threshold, _reason(name)
        count = increment(f"{self._prefix}::{client}", window_seconds)
        if crossed is None and count >= settings.overall.threshold:
            only_rate = {*categories} == {RATE_LIMIT_CATEGORY}
            crossed = settings.overall, _reason(RATE_LIMIT_CATEGORY if only_rate else "")
        if crossed is None or settings.passive or not settings.enabled:
            return None
        threshold, reason = crossed
        running = self._bans.find(address)
        try:
            if running and self._bans.seconds_left(running) >= threshold.duration_seconds:
                return running  # somebody banned it by hand, or for longer: do not shorten that
            ban = self._bans.ban(address.text, threshold.duration_seconds, reason, shortens="")
        except BanRefused:  # the bans have reported it
            return None
        finally:
            self.forget(address)
        return ban

    def count(self, address: Address, category: str = "") -> int:
        """Count a client's suspicious requests in the current window: all, or those of a category
        that has its own threshold."""
        return self._counters.value(
            self._key(category, address.client_key), self.settings.window_seconds
        )

    def forget(self, address: Address) -> None:
        """Start the client's counts over."""
        for name in ("", _DOUBTFUL, *self.settings.by_category):
            self._counters.reset(self._key(name, address.client_key), self.settings.window_seconds)

    def _key(self, category: str, client: str) -> str:
        return f"{self._prefix}:{category}:{client}"


_DOUBTFUL = "(doubtful)"
"""Stands for all categories; no category has this name."""


def _reason(category: str) -> str:
    """The reasons of flaskapi-guard."""
    if category == RATE_LIMIT_CATEGORY:
        return "rate_limit_exceeded"
    return f"penetration_attempt:{category}" if category else "penetration_attempt"
