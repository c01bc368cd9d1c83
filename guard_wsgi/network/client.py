"""Decides on the client's address, for the whole guard.

Anybody can send forwarding headers. They count only if the connection itself comes from a trusted
proxy, and then only from the right: each proxy appends the address it saw, so the rightmost entry
that is not a trusted proxy is the client. Nothing to the left of it is reliable (RFC 7239, section
8.1; CVE-2025-46814 shows what happens otherwise).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from guard_wsgi.network.address import (
    IPV6_CLIENT_PREFIX_BITS,
    Address,
    parse_address,
    strip_port,
)
from guard_wsgi.network.forwarded import forwarded_nodes
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.network.origin import is_called_by_a_test
from guard_wsgi.network.standing import ADDRESSED, NOTED

UNKNOWN_CLIENT = "unknown"
"""The text for a client without an address."""

UNIX_PEER = "unix"
"""The word in ``trusted_proxies`` for a connection over a Unix socket, which has no address."""

LOOPBACK = "127.0.0.1"
"""The address of test clients without one, as in Flask and Django."""

_NO_PEERS = frozenset({"0.0.0.0", "::"})
"""The addresses that uWSGI gives for a Unix socket: nobody connects from them (RFC 1122, 3.2.1.3;
RFC 4291, 2.5.2)."""

MAX_CACHED_ADDRESSES = 8192
"""The size of the cache of parsed addresses: parsing takes 3 us, a lookup 0.1 us, and clients
can't fill the memory."""

MAX_ADDRESS_CHARS = 64
"""The longest address has 45 characters; a zone id may follow. Longer text is not an address."""

MAX_FORWARDED_HOPS = 64
"""More hops than any real chain of proxies; the rest of a longer header is ignored."""

_NOTES = {
    "spoofed": ("suspicious_request", "a forwarding header from a peer that is no trusted proxy"),
    "malformed": ("xff_malformed", "an entry of the forwarding header is no address"),
    "short_chain": ("suspicious_request", "fewer hops than trusted_proxy_depth"),
}
"""Event and reason for :attr:`Identity.note`."""

_LISTS = frozenset({"x-forwarded-for", "forwarded"})


@frozen(slots=True)
class Identity:
    """The client of one request.

    ``address`` is ``None`` for a connection without one (a Unix socket that is not trusted); a test
    client without an address is at 127.0.0.1. ``note`` names an oddity of the forwarding headers:
    ``""``, ``"spoofed"`` (from a peer that is not a trusted proxy), ``"malformed"`` or
    ``"short_chain"``. ``client_ip`` is the address as text, ``client_key`` the key of counters;
    both are ``"unknown"`` without an address. ``limit_key`` is the key of the global limit:
    ``limit_prefix`` and the client's key. ``listed`` has the bits of the lists that contain the
    address (standing.py), ``standing`` these and the bit for having an address, and ``notes`` the
    events of the note.
    """

    address: Address | None
    peer_is_trusted: bool
    note: str = ""
    limit_prefix: str = field(default="", repr=False, eq=False)
    listed: int = field(default=0, repr=False, eq=False)
    client_ip: str = field(init=False, repr=False, eq=False)
    client_key: str = field(init=False, repr=False, eq=False)
    limit_key: str = field(init=False, repr=False, eq=False)
    standing: int = field(init=False, repr=False, eq=False)
    notes: tuple[tuple[str, str], ...] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        address = self.address
        text = key = UNKNOWN_CLIENT
        if address is not None:
            text, key = address.text, address.client_key
        object.__setattr__(self, "client_ip", text)
        object.__setattr__(self, "client_key", key)
        object.__setattr__(self, "limit_key", self.limit_prefix + key)
        standing = self.listed
        if address is not None:
            standing |= ADDRESSED
        if self.note:
            standing |= NOTED
        object.__setattr__(self, "standing", standing)
        object.__setattr__(self, "notes", (_NOTES[self.note],) if self.note else ())


class ClientResolver:
    """Maps an environ to an :class:`Identity`.

    :param trusted_proxies: addresses, CIDRs and ``"unix"``; empty trusts nobody.
    :param depth: how many proxies are before the app. A shorter chain did not pass all of them, so
        the peer itself counts as the client.
    :param header: which header the proxies write, for example ``x-forwarded-for``,
        ``forwarded`` (RFC 7239) or a single-valued one such as ``x-real-ip``. Never two at once:
        a client could send the one that the proxy does not overwrite.
    :param limit_prefix: the prefix of the global limit's keys.
    :param lists: lists of addresses, each with its bit (standing.py).
    :ivar trusts_anyone: whether there is any trusted proxy.
    :ivar known: identities of recent peers, by address; empty if there are trusted proxies, which
        may forward other clients.
    """

    def __init__(
        self,
        trusted_proxies: Iterable[str] = (),
        *,
        depth: int = 1,
        header: str = "x-forwarded-for",
        trust_forwarded_proto: bool = False,
        ipv6_prefix_bits: int = IPV6_CLIENT_PREFIX_BITS,
        limit_prefix: str = "",
        lists: Iterable[tuple[IPSet, int]] = (),
    ) -> None:
        proxies = tuple(trusted_proxies)
        self._trusts_unix = UNIX_PEER in proxies
        self._trusted = IPSet(proxy for proxy in proxies if proxy != UNIX_PEER)
        self.trusts_anyone = bool(proxies)
        self._depth = depth
        self._header = header.lower()
        self._header_key = "HTTP_" + header.upper().replace("-", "_")
        self.trusts_forwarded_proto = trust_forwarded_proto
        self._ipv6_prefix_bits = ipv6_prefix_bits
        self._limit_prefix = limit_prefix
        self._lists = tuple(lists)
        self._addresses: dict[str, Address | None] = {}
        self._peers: dict[str, Identity] = {}
        self._forwarded: dict[tuple[str, str], Identity] = {}
        self.known: dict[str, Identity] = {}

    def identify(self, environ: Mapping[str, Any]) -> Identity:
        peer = environ.get("REMOTE_ADDR") or ""
        # A server gives an empty address for none; only a test client omits the key.
        if not peer and "REMOTE_ADDR" not in environ and is_called_by_a_test():
            peer = LOOPBACK
        # Without any trusted proxy, a forwarding header is the app's concern, not a forgery.
        if not self.trusts_anyone or self._header_key not in environ:
            direct = self._peers.get(peer)
            if direct is None:
                direct = self._identify_peer(peer)
            return direct
        claimed = peer, environ[self._header_key]
        forwarded = self._forwarded.get(claimed)
        if forwarded is None:
            forwarded = self._identify_forwarded(*claimed)
            if len(claimed[1]) <= MAX_ADDRESS_CHARS:
                if len(self._forwarded) >= MAX_CACHED_ADDRESSES:
                    self._forwarded.clear()
                self._forwarded[claimed] = forwarded
        return forwarded

    def is_https(self, environ: Mapping[str, Any], identity: Identity) -> bool:
        """Whether the client's own connection is encrypted.

        ``X-Forwarded-Proto`` may be a list with one entry per proxy. The entry of the outermost
        trusted proxy counts, in upper or lower case.
        """
        if environ.get("wsgi.url_scheme") == "https":
            return True
        if not (self.trusts_forwarded_proto and identity.peer_is_trusted):
            return False
        schemes = [part.strip() for part in environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")]
        scheme: str = schemes[-min(self._depth, len(schemes))]
        return scheme.lower() == "https"

    def parse(self, text: str) -> Address | None:
        """The parsed address, from a bounded cache."""
        try:
            return self._addresses[text]
        except KeyError:
            if len(text) > MAX_ADDRESS_CHARS:
                return None
            address = parse_address(text, self._ipv6_prefix_bits)
            if len(self._addresses) >= MAX_CACHED_ADDRESSES:
                self._addresses.clear()
            self._addresses[text] = address
            return address

    def _identify_peer(self, peer: str) -> Identity:
        address = None if peer in _NO_PEERS else self.parse(peer)
        trusted = self._trusts_unix if address is None else address in self._trusted
        identity = self._identity(address, trusted)
        if len(self._peers) >= MAX_CACHED_ADDRESSES:
            self._peers.clear()
            self.known.clear()
        self._peers[peer] = identity
        if address is not None and not self.trusts_anyone:
            self.known[peer] = identity
        return identity

    def _identify_forwarded(self, peer: str, value: str) -> Identity:
        direct = self._peers.get(peer) or self._identify_peer(peer)
        if not direct.peer_is_trusted:
            return self._identity(direct.address, False, "spoofed")
        if self._header == "x-forwarded-for":
            hops = value.rsplit(",", MAX_FORWARDED_HOPS)[-MAX_FORWARDED_HOPS:]
        elif self._header == "forwarded":
            hops = [node or "unknown" for node in forwarded_nodes(value, MAX_FORWARDED_HOPS)]
        else:
            # The header has one value; a client's own line comes first, before a comma.
            hops = [value.rpartition(",")[2]]
        if self._header in _LISTS and len(hops) < self._depth:
            return self._identity(direct.address, True, "short_chain")
        return self._walk(direct.address, hops)

    def _walk(self, peer: Address | None, hops: list[str]) -> Identity:
        nearest = peer
        for hop in reversed(hops):
            address = self.parse(strip_port(hop))
            if address is None:
                return self._identity(nearest, True, "malformed")
            if address not in self._trusted:
                return self._identity(address, True)
            nearest = address
        # Every hop is trusted: an internal caller. The depth selects its entry.
        if len(hops) >= self._depth > 1:
            nearest = self.parse(strip_port(hops[-self._depth]))
        return self._identity(nearest, True)

    def _identity(self, address: Address | None, is_trusted: bool, note: str = "") -> Identity:
        listed = 0
        if address is not None:
            for addresses, bit in self._lists:
                if address in addresses:
                    listed |= bit
        return Identity(address, is_trusted, note, self._limit_prefix, listed)
