"""The ladder: all checks, in the order in which they are asked.

Cheap checks come before expensive ones, the client before the content, the head before the body.
Each file in ``checks/`` is a family; it lists its checks in their order (``CHECKS``), and this file
orders the families. Each check declares whether a route needs it (``for_route``), its ``name``, and
the words of the ``bypass`` decorator that remove it (``bypasses``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guard_wsgi.checks import (
    access,
    authentication,
    behavior,
    circumstances,
    content,
    countries_and_clouds,
    custom,
    threats,
    traffic,
    transport,
)
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.options.quoting import unknown_names
from guard_wsgi.routes.bypass import Bypass
from guard_wsgi.routes.config import RouteConfig

LADDER: tuple[type[Check], ...] = (
    *access.CHECKS,
    *countries_and_clouds.CHECKS,
    *transport.CHECKS,
    *content.CHECKS,
    *authentication.CHECKS,
    *circumstances.CHECKS,
    *traffic.CHECKS,
    *threats.CHECKS,
    *behavior.CHECKS,
    *custom.CHECKS,
)

CHECK_NAMES = tuple(dict.fromkeys(check.name for check in LADDER))
"""The names of the checks in logs and events, in their order; two checks may share a name."""

FOREIGN_NAMES = ("route_config", "request_logging", "cloud_ip_refresh")
"""Checks of flaskapi-guard that are no checks here. Configurations may mute them, with no
effect."""

BYPASSES: Mapping[Bypass, frozenset[type[Check]]] = {
    word: frozenset(check for check in LADDER if word in check.bypasses) for word in Bypass
}
"""The checks that each word of the ``bypass`` decorator removes from a route; ``all`` removes
all."""


def require_known_checks(config: SecurityConfig) -> None:
    """Refuse unknown names of checks in a configuration.

    :raises ConfigError: if ``muted_check_logs`` has an unknown name.
    """
    fault = unknown_names(config.muted_check_logs, (*CHECK_NAMES, *FOREIGN_NAMES))
    if fault:
        raise ConfigError([f"muted_check_logs {fault}"])


def checks_for(
    config: SecurityConfig, route: RouteConfig, services: CheckServices
) -> Iterator[Check]:
    """Return the checks that a route needs, in order, without those that it bypasses.

    ``bypass`` removes the site's rules. The view's own rules stay: a class may bypass a rule, and
    one of its methods may set it again.
    """
    words = route.bypassed_checks or frozenset()
    bypassed = frozenset[type[Check]]().union(*(BYPASSES[Bypass(word)] for word in words - {"all"}))
    for kind in LADDER:
        for check in kind.for_route(config, route, services):
            if check.is_own or not ("all" in words or kind in bypassed):
                yield check
