"""The ladder: all checks, in the order in which they are asked.

Cheap checks come before expensive ones, the client before the content, the head before the body.
Each check declares whether a route needs it (``for_route``), its ``name``, and the words of the
``bypass`` decorator that remove it (``bypasses``).
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
"""The checks that each word of the ``bypass`` decorator removes from a route; ``all`` removes
all."""


def checks_for(
    config: SecurityConfig, route: RouteConfig, services: CheckServices
) -> Iterator[Check]:
    """Return the checks that a route needs, in order, without those that it bypasses.

    ``bypass`` removes the site's rules. The view's own rules stay: a class may bypass a rule, and
    one of its methods may set it again.
    """
    words = route.bypassed_checks or frozenset()
    bypassed = frozenset[type[Check]]().union(*(BYPASSES[word] for word in words - {"all"}))
    for kind in LADDER:
        for check in kind.for_route(config, route, services):
            if check.is_own or not ("all" in words or kind in bypassed):
                yield check
