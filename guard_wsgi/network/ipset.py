"""An immutable set of addresses and networks with a lookup by bisection.

Sorted, merged integer ranges and ``bisect``: 0.4 us among 20,000 networks, thread-safe because
nothing changes after construction.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from guard_wsgi.network.address import Address

IPV4_MAPPED_PREFIX_BITS = 96


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """Parse an address or CIDR as a network; host bits are masked, mapped IPv4 networks are
    unmapped.

    :raises ValueError: if it is neither.
    """
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"{text[:80]!r} is neither an IP address nor a network") from None
    if isinstance(network, IPv6Network) and network.prefixlen >= IPV4_MAPPED_PREFIX_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((int(mapped), network.prefixlen - IPV4_MAPPED_PREFIX_BITS))
    return network


class IPSet:
    """A set for parsed addresses: ``address in ip_set``."""

    __slots__ = ("_ranges",)

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """:raises ValueError: if an entry is neither an address nor a CIDR; it names the first
        one."""
        by_version: dict[int, list[tuple[int, int]]] = {}
        for text in networks:
            network = parse_network(text)
            first = int(network.network_address)
            last = int(network.broadcast_address)
            by_version.setdefault(network.version, []).append((first, last))
        self._ranges: dict[int, tuple[list[int], list[int]]] = {
            version: _merge(ranges) for version, ranges in by_version.items()
        }

    def __contains__(self, address: Address) -> bool:
        ranges = self._ranges.get(address.version)
        if ranges is None:
            return False
        firsts, lasts = ranges
        index = bisect_right(firsts, address.number) - 1
        return index >= 0 and address.number <= lasts[index]

    def overlaps(self, network: IPv4Network | IPv6Network) -> bool:
        """Whether any address of the network is in the set."""
        ranges = self._ranges.get(network.version)
        if ranges is None:
            return False
        firsts, lasts = ranges
        index = bisect_right(firsts, int(network.broadcast_address)) - 1
        return index >= 0 and lasts[index] >= int(network.network_address)

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def __len__(self) -> int:
        """Return the number of disjoint ranges."""
        return sum(len(firsts) for firsts, _ in self._ranges.values())


def _merge(ranges: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(ranges):
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts
