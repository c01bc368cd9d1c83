"""The ladder: every check there is, in the order in which they are asked.

Cheap before expensive, who before what, the head before the body. Each check says by itself
whether a route needs it (``for_route``), what it is called (``name``), and which words of the
``bypass`` decorator take it off (``bypasses``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guard_wsgi.checks.access import (
    AddressLists,
    ClientBans,
    ClientIdentity,
    Emergency,
    RouteAddressLists,
    UserAgents,
)
from guard_wsgi.checks.authentication import Authentication
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.behavior import ClientBehavior
from guard_wsgi.checks.content import (
    ContentTypes,
    Referrers,
    RequestSize,
    RequiredHeaders,
    TimeWindow,
)
from guard_wsgi.checks.custom import CustomRequestCheck, Validators
from guard_wsgi.checks.origin import Clouds, Countries
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.checks.threats import BodyInspection, HeadInspection, Honeypot
from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.checks.transport import AllowedHosts, Framing, Https
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.routes.config import RouteConfig

LADDER: tuple[type[Check], ...] = (
    ClientIdentity,
    ClientBans,
    Emergency,
    RouteAddressLists,
    AddressLists,
    Countries,
    Clouds,
    AllowedHosts,
    Https,
    Framing,
    RequestSize,
    ContentTypes,
    RequiredHeaders,
    Authentication,
    Referrers,
    TimeWindow,
    UserAgents,
    RateLimits,
    HeadInspection,
    Honeypot,
    BodyInspection,
    ClientBehavior,
    Validators,
    CustomRequestCheck,
)

BYPASSES: Mapping[str, frozenset[type[Check]]] = {
    word: frozenset(check for check in LADDER if word in check.bypasses)
    for word in sorted(frozenset[str]().union(*(check.bypasses for check in LADDER)))
}
"""Which checks each word of the ``bypass`` decorator takes off a route; ``all`` takes all."""


def checks_for(
    config: SecurityConfig, route: RouteConfig, services: CheckServices
) -> Iterator[Check]:
    """The rungs that a route needs, in order, without those that it bypasses.

    ``bypass`` takes off what the site asks for. What the view asks for by itself holds: a class may
    bypass a rule, and one of its methods ask for it.
    """
    words = route.bypassed_checks or frozenset()
    bypassed = frozenset[type[Check]]().union(*(BYPASSES[word] for word in words - {"all"}))
    for kind in LADDER:
        for check in kind.for_route(config, route, services):
            if check.is_own or not ("all" in words or kind in bypassed):
                yield check
