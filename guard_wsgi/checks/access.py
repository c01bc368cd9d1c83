"""Access: bans, emergency mode, address lists, user agents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.network.standing import (
    ADDRESSED,
    CALM,
    NOBODY,
    PROBE,
    WHITELISTED,
)
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.bypass import Bypass
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.emergency import EmergencyMode


class ClientIdentity(Check):
    """Refuses a connection without an address (a Unix socket that ``trusted_proxies`` lacks).

    No address rule could apply to it, so it is refused unless ``fail_secure=False``.
    """

    name = "client_address_unresolved"
    excused = ADDRESSED
    fails_closed = True

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if config.fail_secure:
            yield cls()

    def refusal(self, request: GuardRequest) -> Block | None:
        return Block(
            status=403,
            message="Client address could not be determined",
            check=self.name,
            reason=(
                "the connection has no address: add 'unix' to trusted_proxies if a proxy connects"
                " over a Unix socket, or set REMOTE_ADDR if code calls the app without a server"
            ),
        )


class ClientBans(Check):
    """Refuses banned addresses and networks. Only ``bypass`` excuses a banned client."""

    name = "ip_ban"
    bypasses = frozenset({Bypass.IP_BAN})
    excused = CALM
    fails_closed = True

    def __init__(self, bans: Bans) -> None:
        self._bans = bans

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        yield cls(services.store.bans)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        client = visit.identity.address
        return client is None or self._bans.find(client) is None

    def refusal(self, request: GuardRequest) -> Block | None:
        client = request.identity.address
        if client is None:
            return None
        ban = self._bans.find(client)
        if ban is None:
            return None
        return Block(
            status=403,
            message="IP address banned",
            check=self.name,
            event="ip_blocked",
            reason=f"banned: {ban.reason}",
            metadata={"filter_type": "banned", "target": ban.target},
        )


class Emergency(Check):
    """Answers 503 to everybody outside of the emergency's own list, on ``exclude_paths`` as
    well."""

    name = "emergency_mode"
    excused = CALM | PROBE
    fails_closed = True

    def __init__(self, emergency: EmergencyMode) -> None:
        self._emergency = emergency

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        yield cls(services.emergency)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        return not self._emergency.refuses(visit.identity.address)

    def refusal(self, request: GuardRequest) -> Block | None:
        emergency = self._emergency
        if not emergency.refuses(request.client):
            return None
        return Block(
            status=503,
            message="Service temporarily unavailable",
            check=self.name,
            event="emergency_mode_block",
            reason="emergency mode is on",
            retry_after_seconds=self._emergency.retry_after_seconds,
        )


class AddressLists(Check):
    """Applies the global lists: a non-empty allow list admits only its own addresses; otherwise,
    the deny list refuses."""

    name = "ip_security"
    bypasses = frozenset({Bypass.IP})
    excused = WHITELISTED
    fails_closed = True

    def __init__(self, allowed: IPSet, denied: IPSet) -> None:
        self._only_allowed = bool(allowed)
        self._denied = denied

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        # A route's own allow list replaces the global lists.
        if (config.whitelist or config.blacklist) and not route.ip_whitelist:
            yield cls(IPSet(config.whitelist or ()), IPSet(config.blacklist))

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        if self._only_allowed:
            return False
        client = visit.identity.address
        return client is None or client not in self._denied

    def refusal(self, request: GuardRequest) -> Block | None:
        client = request.client
        if self._only_allowed:
            # Clients on the list are excused and never reach this check.
            return self._refuse("is not in whitelist")
        if client is not None and client in self._denied:
            return self._refuse("is in blacklist")
        return None

    def _refuse(self, reason: str) -> Block:
        return Block(
            status=403,
            message="Forbidden",
            check=self.name,
            event="ip_blocked",
            reason=f"IP address {reason}",
            metadata={"filter_type": "global"},
        )


class RouteAddressLists(Check):
    """Applies a route's own lists. The allow list wins over the deny list. It admits a client, but
    does not excuse it from other checks."""

    name = "ip_security"
    bypasses = frozenset({Bypass.IP})
    excused = NOBODY
    fails_closed = True
    is_own = True

    def __init__(self, allowed: Iterable[str], denied: Iterable[str]) -> None:
        self._allowed = IPSet(allowed)
        self._denied = IPSet(denied)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.ip_whitelist or route.ip_blacklist:
            yield cls(route.ip_whitelist or (), route.ip_blacklist or ())

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        client = visit.identity.address
        if client is None:
            return not self._allowed
        return client in self._allowed if self._allowed else client not in self._denied

    def refusal(self, request: GuardRequest) -> Block | None:
        client = request.client
        if self._allowed:
            if client is not None and client in self._allowed:
                return None
            reason = "IP address is not in the route's ip_whitelist"
        elif client is not None and client in self._denied:
            reason = "IP address is in the route's ip_blacklist"
        else:
            return None
        return Block(
            status=403,
            message="Forbidden",
            check=self.name,
            reason=reason,
            metadata={"filter_type": "route"},
        )


CHECKS: tuple[type[Check], ...] = (
    ClientIdentity,
    ClientBans,
    Emergency,
    RouteAddressLists,
    AddressLists,
)
"""In the order of the ladder."""
