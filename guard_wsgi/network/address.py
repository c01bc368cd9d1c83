"""IP addresses in one spelling.

One client must have one key, however its address is written. An IPv4 address mapped into IPv6
(``::ffff:10.0.0.1``) is the IPv4 address. A zone id (``%eth0``) names an interface, not a client.
Brackets and ports belong to the header around the address. Python's ``ipaddress`` does not unmap,
and its versions differ on ``is_private`` for mapped addresses, so this module does it for every
feature.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import frozen

IPV6_CLIENT_PREFIX_BITS = 64
"""One customer gets at least a /64 (RFC 6177), so a single IPv6 address identifies nobody."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052, 2.1: IPv4 clients of a site with IPv6 only, each with its address in the last 32 bits.
Counted by /64, they would all be one client."""

_BRACKETED = re.compile(r"\[([^\]]+)\](?::\d{1,5})?\Z")
_IPV4_WITH_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}\Z")
_DOCUMENTATION = tuple(
    map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
"""RFC 5737 and 3849: the addresses of examples and tests. They represent public addresses, so they
count as public, although ``ipaddress`` calls them private."""


@frozen(slots=True)
class Address:
    """A parsed address: ``text`` is canonical, ``version`` is 4 or 6, ``number`` its integer.

    ``client_key`` is the key of counters: the address, or the /64 network for IPv6.
    """

    text: str
    version: int
    number: int
    client_key: str
    is_loopback: bool
    is_private: bool


def parse_address(text: str, ipv6_prefix_bits: int = IPV6_CLIENT_PREFIX_BITS) -> Address | None:
    """Parse one bare address; ``None`` if it is not one. It takes about 3 us: callers keep the
    result."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped is not None:
            parsed = mapped
    canonical = str(parsed)
    number = int(parsed)
    if isinstance(parsed, IPv4Address) or ipv6_prefix_bits == 128 or parsed in _NAT64:
        client_key = canonical
    else:
        client_key = str(IPv6Network((number, ipv6_prefix_bits), strict=False))
    return Address(
        text=canonical,
        version=parsed.version,
        number=number,
        client_key=client_key,
        is_loopback=parsed.is_loopback,
        is_private=parsed.is_private and not any(parsed in net for net in _DOCUMENTATION),
    )


def strip_port(text: str) -> str:
    """Parse an address from a forwarding header (RFC 7239, 6): remove quotes, brackets and port."""
    text = text.strip().strip('"')
    match = _BRACKETED.match(text) or _IPV4_WITH_PORT.match(text)
    return match.group(1) if match else text
