"""The bans that this process knows. A lookup costs almost nothing while there are none."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable

from attrs import frozen

from guard_wsgi.network.address import Address
from guard_wsgi.network.ipset import parse_network
from guard_wsgi.state.backend import BanEntry

DEFAULT_MAX_BANS = 100_000
"""The most bans: about 40 MB. Beyond it, the ban that would end first is dropped: bans of single
addresses can't stop an attack from more addresses."""


_FEW = 64
"""How many replaced bans may wait in the heap before it is rebuilt."""


@frozen(slots=True)
class Ban:
    """``target`` is a canonical address or network; ``expires_at`` is in epoch seconds; ``seconds``
    is the time that it was made for (0.0: not known)."""

    target: str
    reason: str
    expires_at: float
    seconds: float = 0.0

    @classmethod
    def of(cls, entry: BanEntry) -> Ban:
        """Make it from a store's entry."""
        return cls(entry.target, entry.reason, entry.expires_at, entry.seconds)

    @classmethod
    def longest(cls, entries: Iterable[BanEntry]) -> Ban | None:
        """Return the ban of a store that ends last; ``None`` if there are none."""
        entry = max(entries, key=lambda entry: entry.expires_at, default=None)
        return None if entry is None else cls.of(entry)

    @property
    def entry(self) -> BanEntry:
        """The form in which stores keep it."""
        return BanEntry(self.target, self.expires_at, self.reason, self.seconds)


class BanIndex:
    """Exact addresses in a dict, networks in one dict per prefix length: a lookup takes one probe
    per length in use. Readers take no lock; collections that they iterate over are replaced, never
    changed.

    :ivar addresses: banned addresses; if this and ``networks`` are empty, :meth:`find` finds
        nothing.
    :ivar networks: banned networks.
    :ivar max_bans: the most bans that are kept. If there are more, those that end first are
        dropped.
    :ivar dropped: how many were dropped since the last :meth:`replace`.
    """

    __slots__ = (
        "__weakref__",
        "_by_expiry",
        "_count",
        "_lock",
        "addresses",
        "dropped",
        "max_bans",
        "networks",
    )

    def __init__(self, max_bans: int = DEFAULT_MAX_BANS) -> None:
        self.max_bans = max_bans
        self.dropped = 0
        self._count = 0
        self.addresses: dict[str, tuple[int, Ban]] = {}
        # version -> ((host bits, {network number >> host bits: (deadline, ban)}), ...)
        self.networks: dict[int, tuple[tuple[int, dict[int, tuple[int, Ban]]], ...]] = {}
        self._by_expiry: list[tuple[int, str]] = []
        self._lock = threading.Lock()

    def renew_lock(self) -> None:
        """Renew the locks in a forked child."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def find(self, address: Address, now_ns: int) -> Ban | None:
        """Return the ban that covers the address and hasn't ended at ``now_ns``."""
        found = self.addresses.get(address.text)
        if found is not None and now_ns < found[0]:
            return found[1]
        for host_bits, table in self.networks.get(address.version, ()):
            found = table.get(address.number >> host_bits)
            if found is not None and now_ns < found[0]:
                return found[1]
        return None

    def covers(self, target: str, now_ns: int) -> bool:
        """Whether one ban covers all of the canonical target."""
        network = parse_network(target)
        found = self.addresses.get(target)
        if found is not None and now_ns < found[0]:
            return True
        number = int(network.network_address)
        own_host_bits = network.max_prefixlen - network.prefixlen
        for host_bits, table in self.networks.get(network.version, ()):
            found = table.get(number >> host_bits) if host_bits >= own_host_bits else None
            if found is not None and now_ns < found[0]:
                return True
        return False

    def put(self, ban: Ban, deadline_ns: int, now_ns: int) -> None:
        """Add a ban that ends at ``deadline_ns``; it replaces one of the same target."""
        with self._lock:
            self._enter(ban, deadline_ns)
            heapq.heappush(self._by_expiry, (deadline_ns, ban.target))
            self._drop_ended(now_ns)

    def remove(self, target: str, now_ns: int) -> bool:
        """Remove a target. Return whether its ban was still in force."""
        with self._lock:
            found = self._leave(target)
        return found is not None and now_ns < found[0]

    def replace(self, bans: list[tuple[int, Ban]], now_ns: int) -> None:
        """Replace all bans by these (deadline, ban)."""
        with self._lock:
            self.addresses = {}
            self.networks = {}
            self._count = self.dropped = 0
            for deadline_ns, ban in bans:
                self._enter(ban, deadline_ns)
            self._by_expiry = [(deadline_ns, ban.target) for deadline_ns, ban in bans]
            heapq.heapify(self._by_expiry)
            self._drop_ended(now_ns)

    def active(self, now_ns: int) -> list[Ban]:
        """Return the bans that haven't ended, sorted by their end."""
        with self._lock:
            entries = list(self.addresses.values())
            for tables in self.networks.values():
                for _, table in tables:
                    entries.extend(table.values())
        entries.sort(key=lambda entry: (entry[0], entry[1].target))
        return [ban for deadline_ns, ban in entries if now_ns < deadline_ns]

    def _enter(self, ban: Ban, deadline_ns: int) -> None:
        if "/" not in ban.target:
            self._count += ban.target not in self.addresses
            self.addresses[ban.target] = (deadline_ns, ban)
            return
        network = parse_network(ban.target)
        host_bits = network.max_prefixlen - network.prefixlen
        number = int(network.network_address) >> host_bits
        tables = self.networks.get(network.version, ())
        for known_host_bits, table in tables:
            if known_host_bits == host_bits:
                self._count += number not in table
                table[number] = (deadline_ns, ban)
                return
        self._count += 1
        self.networks[network.version] = (*tables, (host_bits, {number: (deadline_ns, ban)}))

    def _leave(self, target: str) -> tuple[int, Ban] | None:
        if "/" not in target:
            found = self.addresses.pop(target, None)
            self._count -= found is not None
            return found
        network = parse_network(target)
        host_bits = network.max_prefixlen - network.prefixlen
        tables = self.networks.get(network.version, ())
        for known_host_bits, table in tables:
            if known_host_bits == host_bits:
                found = table.pop(int(network.network_address) >> host_bits, None)
                self._count -= found is not None
                kept = tuple(entry for entry in tables if entry[1])
                if kept:
                    self.networks[network.version] = kept
                else:
                    del self.networks[network.version]
                return found
        return None

    def _drop_ended(self, now_ns: int) -> None:
        by_expiry = self._by_expiry
        while by_expiry and (by_expiry[0][0] <= now_ns or self._count > self.max_bans):
            deadline_ns, target = heapq.heappop(by_expiry)
            # A target that was banned again is in the heap twice; only the current pair counts.
            entry = self.deadline_and_ban(target)
            if entry is not None and entry[0] == deadline_ns:
                self._leave(target)
                self.dropped += deadline_ns > now_ns
        if len(by_expiry) > 2 * self._count + _FEW:
            by_expiry[:] = self._pairs()
            heapq.heapify(by_expiry)

    def _pairs(self) -> list[tuple[int, str]]:
        entries = list(self.addresses.values())
        for tables in self.networks.values():
            for _, table in tables:
                entries.extend(table.values())
        return [(deadline_ns, ban.target) for deadline_ns, ban in entries]

    def deadline_and_ban(self, target: str) -> tuple[int, Ban] | None:
        """Return the deadline and the ban of exactly this target, even if it has ended and was not
        swept yet."""
        if "/" not in target:
            return self.addresses.get(target)
        network = parse_network(target)
        host_bits = network.max_prefixlen - network.prefixlen
        for known_host_bits, table in self.networks.get(network.version, ()):
            if known_host_bits == host_bits:
                return table.get(int(network.network_address) >> host_bits)
        return None
