"""Detects a guard that mistakes a proxy for its only client.

Behind a proxy that is not in ``trusted_proxies``, every visitor has the proxy's address: one
attacker gets everybody banned, and all visitors share one rate limit. The first requests show it:
they all come from one private address, or have forwarding headers although nobody is trusted to set
them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from guard_wsgi.network.address import parse_address

logger = logging.getLogger("guard_wsgi.network")

WATCHED_REQUESTS = 100
"""Enough requests for a site without a proxy to show a second address."""

FORWARDING_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_VIA",
)
"""Headers with which a proxy forwards the client."""


class PeerWatch:
    """Looks at the first requests of a process only.

    :ivar watching: whether :meth:`observe` still needs requests; check it before calling.
    :ivar advice: what to set, once that is known; else empty.
    """

    __slots__ = ("_forwarded", "_peer", "_requests", "advice", "watching")

    def __init__(self, *, trusts_anybody: bool) -> None:
        self.watching = not trusts_anybody
        self.advice = ""
        self._peer: str | None = None
        self._requests = 0
        self._forwarded = 0

    def observe(self, environ: Mapping[str, Any]) -> None:
        """Look at one of the first requests."""
        peer = environ.get("REMOTE_ADDR") or ""
        if self._peer is None:
            self._peer = peer
        elif peer != self._peer:
            self.watching = False  # clients have their own addresses
            return
        self._requests += 1
        self._forwarded += any(header in environ for header in FORWARDING_HEADERS)
        if self._requests >= WATCHED_REQUESTS:
            self.watching = False
            self._conclude(peer)

    def _conclude(self, peer: str) -> None:
        address = parse_address(peer)
        if address is None or not (address.is_private or address.is_loopback):
            return
        if self._forwarded < self._requests // 2 and address.is_loopback:
            return  # a developer on this machine
        self.advice = (
            f"all of the first {self._requests} requests came from {peer}, a private address: if"
            " that is a proxy, all visitors count as one client. Set"
            f' trusted_proxies=["{peer}"] (or its network), so that its X-Forwarded-For is'
            " believed."
        )
        logger.warning(self.advice)
