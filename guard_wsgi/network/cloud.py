"""Finds the cloud provider of an address.

``CloudRanges`` holds the ranges of every provider that a rule of the guard names. Each rule, global
or of a route, is a :class:`CloudSelection` over them, which is compiled again when they change. A
lookup is one bisection.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from os import getpid
from typing import Any, Literal

from attrs import frozen

from guard_wsgi.network.address import Address
from guard_wsgi.network.feeds import CLOUD_FEEDS, Feed
from guard_wsgi.network.provider_ranges import ProviderRanges
from guard_wsgi.network.published_ranges import OnChange, PublishedRanges, SharedState
from guard_wsgi.network.ranges import LabelledRanges, Range, merge, network_range, subtract

_Regions = dict[str, list[Range]]

PROVIDERS = frozenset(CLOUD_FEEDS)
"""The names that ``block_cloud_providers`` accepts, each also as ``NAME:!region``."""

PROVIDERS_WITHOUT_REGIONS = frozenset({"Cloudflare"})
"""Publications without regions, so none can be excluded."""

DEFAULT_REFRESH_INTERVAL_SECONDS = 3600.0
"""As in flaskapi-guard; conditional requests make most fetches free."""


@frozen(slots=True)
class CloudRule:
    """One provider, without some of its regions (lower-cased)."""

    provider: str
    excluded_regions: frozenset[str] = frozenset()


def parse_selection(selection: Iterable[str]) -> tuple[CloudRule, ...]:
    """Parse ``{"AWS", "GCP:!europe-west1", "GCP:!us-east1"}`` into one rule per provider.

    Names of providers ignore case. If a provider is named both with and without an exclusion, the
    exclusion applies.

    :raises ValueError: if a provider is unknown, or an exclusion is not possible.
    """
    by_folded_name = {provider.casefold(): provider for provider in PROVIDERS}
    excluded: dict[str, set[str]] = {}
    for text in selection:
        name, colon, region = text.partition(":")
        provider = by_folded_name.get(name.strip().casefold())
        if provider is None:
            known = ", ".join(sorted(PROVIDERS))
            raise ValueError(f"the unknown cloud provider {text!r}; known are {known}")
        regions = excluded.setdefault(provider, set())
        if not colon:
            continue
        if not region.startswith("!") or not region[1:].strip():
            raise ValueError(f"{text!r}: write '{provider}:!region' to exclude a region")
        if provider in PROVIDERS_WITHOUT_REGIONS:
            raise ValueError(f"{text!r}: {provider} publishes no regions")
        regions.add(region[1:].strip().casefold())
    return tuple(
        CloudRule(provider, frozenset(regions)) for provider, regions in sorted(excluded.items())
    )


class CloudSelection:
    """The providers of one rule. :meth:`CloudRanges.select` makes it.

    :ivar rules: the selected providers.
    """

    __slots__ = (
        "__weakref__",
        "_closed_to_unknown",
        "_ensure_running",
        "_missing",
        "_served_by",
        "_table",
        "rules",
    )

    def __init__(
        self,
        rules: tuple[CloudRule, ...],
        closed_to_unknown: bool,
        ensure_running: Callable[[], bool],
    ) -> None:
        self.rules = rules
        self._closed_to_unknown = closed_to_unknown
        self._ensure_running = ensure_running
        self._served_by = 0
        self._table = LabelledRanges()
        self._missing: tuple[str, ...] = tuple(rule.provider for rule in rules)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return providers whose ranges were never read."""
        return self._missing

    def match(self, address: Address) -> str | None:
        """Return the provider whose selected ranges contain the address.

        While a provider's ranges are missing, a "closed" selection returns that provider for every
        public address. Loopback and private addresses are in no cloud.
        """
        # Comparing the process id takes a third of the time of asking the loop whether it runs
        # here.
        process_id = getpid()
        if self._served_by != process_id and self._ensure_running():
            self._served_by = process_id
        provider = self._table.label(address)
        if provider is None and self._missing and self._closed_to_unknown:
            return None if address.is_private or address.is_loopback else self._missing[0]
        return provider

    def _compile(self, ranges: Callable[[str], Mapping[int, _Regions] | None]) -> None:
        labelled: list[tuple[str, int, list[Range]]] = []
        missing: list[str] = []
        for rule in self.rules:
            versions = ranges(rule.provider)
            if versions is None:
                missing.append(rule.provider)
                continue
            for version, regions in versions.items():
                wanted = merge(r for entries in regions.values() for r in entries)
                holes = merge(
                    r for region in rule.excluded_regions for r in regions.get(region, ())
                )
                labelled.append((rule.provider, version, subtract(wanted, holes)))
        self._table = LabelledRanges(labelled)
        self._missing = tuple(missing)


class CloudRanges:
    """The published ranges of the cloud providers that a guard's rules name.

    It fetches only the publications of providers that a selection names.

    :param store: a Store; one worker fetches for all of those that share it.
    :param refresh_interval_seconds: how often to check each publication.
    :param unavailable: what a selection does while a provider's ranges were never read: with
        "open", no address belongs to the provider; with "closed", every public address does.
    :param custom_store: the user's own cache, see :class:`PublishedRanges`.
    :param on_change: called when ranges are updated, fail, go stale or recover.
    :param feeds: publications to use instead of the providers' own, such as mirrors.
    """

    def __init__(
        self,
        *,
        store: SharedState | None = None,
        refresh_interval_seconds: float = DEFAULT_REFRESH_INTERVAL_SECONDS,
        unavailable: Literal["open", "closed"] = "open",
        custom_store: Any = None,
        on_change: OnChange | None = None,
        feeds: Mapping[str, Feed] = CLOUD_FEEDS,
    ) -> None:
        self._feeds = feeds
        self._unavailable = unavailable
        # A dict by identity: it can be read while another thread adds to it, unlike a WeakSet.
        self._selections: dict[int, weakref.ref[CloudSelection]] = {}
        self._parsed: dict[str, tuple[ProviderRanges, dict[int, _Regions]]] = {}
        self._published = PublishedRanges(
            refresh_interval_seconds=refresh_interval_seconds,
            store=store,
            custom_store=custom_store,
            on_change=on_change,
            on_swap=self._swap,
            name="guard-wsgi-cloud",
        )
        self.ensure_running = self._published.ensure_running

    def select(self, selection: Iterable[str]) -> CloudSelection:
        """Make the selection of a rule, which is asked at each request.

        :raises ValueError: if a provider is unknown, or an exclusion is not possible.
        """
        rules = parse_selection(selection)
        for rule in rules:
            self._published.add(self._feeds[rule.provider])
        made = CloudSelection(rules, self._unavailable == "closed", self.ensure_running)
        self._selections[id(made)] = weakref.ref(made)
        made._compile(self._regions)
        return made

    def load(self) -> None:
        """Load ranges before going on (``lazy_init=False``): from another worker, else by
        fetching."""
        self._published.load()

    def refresh(self) -> None:
        """Fetch every publication now, in this thread. A failure keeps the old ranges."""
        self._published.refresh()

    def range_of(self, provider: str, address: Address) -> str:
        """Return the published range that contains an address of a provider; ``""`` if none is
        known."""
        ranges = self._published.get(provider)
        for cidr, _ in ranges.networks if ranges is not None else ():
            version, first, last = network_range(cidr)
            if version == address.version and first <= address.number <= last:
                return cidr
        return ""

    def close(self) -> None:
        """End the background thread; selections keep using the last ranges."""
        self._published.close()

    def status(self) -> dict[str, Any]:
        """``{"unavailable": "open", "providers": {"AWS": {"state": "fresh", ...}}}``."""
        return {"unavailable": self._unavailable, "providers": self._published.status()}

    def _swap(self) -> None:
        for identity, reference in list(self._selections.items()):
            selection = reference()
            if selection is not None:
                selection._compile(self._regions)
            elif self._selections.get(identity) is reference:
                del self._selections[identity]

    def _regions(self, provider: str) -> dict[int, _Regions] | None:
        """A provider's ranges by IP version and region, parsed once for all selections."""
        ranges = self._published.get(provider)
        if ranges is None:
            return None
        parsed = self._parsed.get(provider)
        if parsed is None or parsed[0] is not ranges:
            versions: dict[int, _Regions] = {4: {}, 6: {}}
            for cidr, region in ranges.networks:
                version, first, last = network_range(cidr)
                regions = versions[version]
                regions.setdefault(region.casefold(), []).append((first, last))
            parsed = self._parsed[provider] = (ranges, versions)
        return parsed[1]
