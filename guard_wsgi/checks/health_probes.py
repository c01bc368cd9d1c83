"""Recognises health probes: an orchestrator or a load balancer asks whether the app is alive.

A probe uses the machine's own address, over plain HTTP, every few seconds, with a user agent that
is not a browser's. Rules for visitors would refuse it, and the sender would then stop the app. A
visitor must not be able to pose as a probe. So a probe needs a path that the operator has named a
health path, no body, and an address that nobody has on the internet, on a connection that no proxy
uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from guard_wsgi.network.address import Address
from guard_wsgi.network.peers import FORWARDING_HEADERS
from guard_wsgi.network.standing import BODILESS, EXEMPT
from guard_wsgi.request.path_readings import canonical_path_of, path_of
from guard_wsgi.request.visit import Visit

_SHARED = IPv4Network("100.64.0.0/10")
"""RFC 6598: not private by name, but not on the internet either; clusters take pod addresses from
it."""

_METHODS = frozenset({"GET", "HEAD"})


class HealthProbes:
    """Distinguishes probes from visitors.

    :param paths: exact paths as a router sees them, without a slash at the end.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)

    def include(self, environ: Mapping[str, Any], visit: Visit) -> bool:
        """Whether a request is a probe; a request from an exempt address counts as one, too."""
        return (
            _without_end(path_of(environ)) in self._paths
            and _without_end(canonical_path_of(environ)) in self._paths
            and bool(visit.standing & BODILESS)
            and environ["REQUEST_METHOD"] in _METHODS
            and (bool(visit.standing & EXEMPT) or self._is_from_inside(environ, visit))
        )

    @staticmethod
    def _is_from_inside(environ: Mapping[str, Any], visit: Visit) -> bool:
        client = visit.identity.address
        return (
            client is not None
            and (client.is_private or client.is_loopback or _is_shared(client))
            and not any(header in environ for header in FORWARDING_HEADERS)
        )


def _without_end(path: str) -> str:
    return path.rstrip("/") or "/"


def _is_shared(address: Address) -> bool:
    return address.version == 4 and address.number >> 22 == int(_SHARED.network_address) >> 22
