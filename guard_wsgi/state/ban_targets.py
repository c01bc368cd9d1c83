"""The target of a ban: an address or a network, in canonical spelling."""

from __future__ import annotations

from ipaddress import IPv6Address
from socket import AF_INET, AF_INET6, inet_ntop

from guard_wsgi.network.address import Address, parse_address
from guard_wsgi.network.ipset import IPSet, parse_network

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""Addresses of health checks, local proxies and the operator's own shell."""
PROXY = "a trusted proxy"


def canonical_target(text: str) -> str:
    """Return an address or network in canonical spelling.

    :raises ValueError: if it is neither.
    """
    if "/" not in text:
        address = parse_address(text.strip())
        if address is None:
            raise ValueError(f"{text[:80]!r} is neither an IP address nor a network")
        return address.text
    network = parse_network(text)
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)


class Bannable:
    """Decides what may be banned, and how much of it.

    :param protected: addresses that are never banned, nor any network that contains one.
    :param ipv6_prefix_bits: the prefix length of one IPv6 client's network.
    """

    def __init__(self, protected: IPSet, ipv6_prefix_bits: int) -> None:
        self._protected = protected
        self._loopback = IPSet(LOOPBACK)
        self._ipv6_prefix_bits = ipv6_prefix_bits

    def targets_of(self, text: str) -> list[str]:
        """Return a target as it is spelled and, for a single IPv6 address, the network of its
        client.

        :raises ValueError: if it is neither an address nor a network.
        """
        exact = canonical_target(text)
        if "/" in text or ":" not in exact:
            return [exact]
        address = parse_address(exact, self._ipv6_prefix_bits)
        whole = exact if address is None else canonical_target(address.client_key)
        return [exact] if whole == exact else [exact, whole]

    def covered_by(self, text: str) -> str | None:
        """Return what a ban of the target covers; ``None`` if it can't be banned.

        :raises ValueError: as :meth:`targets_of`.
        """
        exact, *whole = self.targets_of(text)
        return next((each for each in (*whole, exact) if not self.refusal(each)), None)

    def refusal(self, canonical: str) -> str:
        """Say why a target can't be banned; "" if it can."""
        network = parse_network(canonical)
        verb = "is" if network.prefixlen == network.max_prefixlen else "contains"
        for ip_set, what in ((self._loopback, "a loopback address"), (self._protected, PROXY)):
            if ip_set.overlaps(network):
                return f"{canonical} {verb} {what}, which can't be banned"
        return ""


def targets_around(address: Address) -> list[str]:
    """Return an address and all networks that contain it, in the spelling of bans."""
    family, bits = (AF_INET, 32) if address.version == 4 else (AF_INET6, 128)
    targets = [address.text]
    for prefix_bits in range(bits):
        host_bits = bits - prefix_bits
        number = address.number >> host_bits << host_bits
        if family == AF_INET6 and number >> 32 in (0, 0xFFFF):  # which C writes with dots
            text = str(IPv6Address(number))
        else:
            text = inet_ntop(family, number.to_bytes(bits // 8, "big"))  # ten times as fast
        targets.append(f"{text}/{prefix_bits}")
    return targets
