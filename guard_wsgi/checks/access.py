"""Who may come in at all: bans, emergency mode, address lists, countries, clouds, user agents."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from guard_wsgi.network.address import Address
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.network.standing import (
    ADDRESSED,
    CALM,
    EXCLUDED,
    EXEMPT,
    NOBODY,
    PROBE,
    WHITELISTED,
)
from guard_wsgi.patterns.expressions import Expressions
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.emergency import EmergencyMode

IsBot = Callable[[GuardRequest], bool]
"""Whether a request comes from a search engine's crawler that proved to be one."""

OnCountry = Callable[[GuardRequest, str | None, str], None]
"""``(request, country, verdict)``, for the log."""

MAX_USER_AGENT_CHARS = 512
"""No browser sends more; of a longer one, expressions that are not linear see both ends."""


class KnownClient:
    """Refuses a connection without an address (a Unix socket that ``trusted_proxies`` lacks).

    Every address rule would silently not apply to it, so it is refused unless
    ``fail_secure=False`` says otherwise.
    """

    name = "client_address_unresolved"
    excused = ADDRESSED
    fails_closed = True

    def __call__(self, request: GuardRequest) -> Block | None:
        return Block(
            status=403,
            message="Client address could not be determined",
            check=self.name,
            reason=(
                "the connection has no address: add 'unix' to trusted_proxies for a proxy that"
                " connects over a Unix socket; what calls the app without a server gives"
                " REMOTE_ADDR"
            ),
        )


class NotBanned:
    """Refuses banned addresses and networks. Nothing but ``bypass`` excuses a banned client."""

    name = "ip_ban"
    excused = CALM
    fails_closed = True

    def __init__(self, bans: Bans) -> None:
        self._bans = bans

    def __call__(self, request: GuardRequest) -> Block | None:
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


class NotInEmergency:
    """Answers 503 to everyone but the emergency's own list."""

    name = "emergency_mode"
    excused = EXCLUDED | CALM | PROBE
    fails_closed = True

    def __init__(self, emergency: EmergencyMode) -> None:
        self._emergency = emergency

    def __call__(self, request: GuardRequest) -> Block | None:
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


class AddressLists:
    """The global lists: a non-empty allow list admits only its own, else the deny list refuses."""

    name = "ip_security"
    excused = WHITELISTED
    fails_closed = True

    def __init__(self, allowed: IPSet, denied: IPSet) -> None:
        self._only_allowed = bool(allowed)
        self._denied = denied

    def __call__(self, request: GuardRequest) -> Block | None:
        client = request.client
        if self._only_allowed:
            # Those on the list never come here: they are excused.
            return self._refuse("not on the allow list")
        if client is not None and client in self._denied:
            return self._refuse("on the deny list")
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


class RouteAddressLists:
    """A route's own lists. The allow list wins over the deny list; it admits, it doesn't trust."""

    name = "ip_security"
    excused = NOBODY
    fails_closed = True

    def __init__(self, allowed: Iterable[str], denied: Iterable[str]) -> None:
        self._allowed = IPSet(allowed)
        self._denied = IPSet(denied)

    def __call__(self, request: GuardRequest) -> Block | None:
        client = request.client
        if self._allowed:
            if client is not None and client in self._allowed:
                return None
            reason = "IP address not on the route's allow list"
        elif client is not None and client in self._denied:
            reason = "IP address on the route's deny list"
        else:
            return None
        return Block(
            status=403,
            message="Forbidden",
            check=self.name,
            reason=reason,
            metadata={"filter_type": "route"},
        )


class Countries:
    """Country rules. With an allow list, a client of unknown country is refused.

    Loopback has no country and is never refused here: it is the operator's own machine.
    """

    name = "country"
    fails_closed = True

    def __init__(
        self,
        allowed: Iterable[str],
        blocked: Iterable[str],
        *,
        scope: str = "global",
        on_pass: OnCountry | None = None,
        is_verified_bot: IsBot | None = None,
    ) -> None:
        self._allowed = frozenset(code.upper() for code in allowed)
        self._blocked = frozenset(code.upper() for code in blocked)
        self._scope = scope
        self._on_pass = on_pass
        self._is_verified_bot = is_verified_bot
        self.excused = WHITELISTED | PROBE if scope == "global" else NOBODY

    def __call__(self, request: GuardRequest) -> Block | None:
        client = request.client
        if client is not None and client.is_loopback:
            return None
        country = request.country
        if self._allowed:
            if country in self._allowed:
                self._tell_pass(request, country)
                return None
            reason = f"country {country or 'unknown'} not on the allow list"
        elif country is not None and country in self._blocked:
            reason = f"country {country} on the block list"
        else:
            self._tell_pass(request, country)
            return None
        if self._is_verified_bot is not None and self._is_verified_bot(request):
            return None
        return Block(
            status=403,
            message="Forbidden",
            check=self.name,
            event="country_blocked",
            reason=reason,
            metadata={
                "filter_type": self._scope,
                "country": country,
                "rule_type": "country_whitelist" if self._allowed else "country_blacklist",
            },
        )

    def _tell_pass(self, request: GuardRequest, country: str | None) -> None:
        if self._on_pass is not None:
            self._on_pass(request, country, "let pass")


class Clouds:
    """Refuses addresses of the chosen cloud providers."""

    name = "cloud_provider"
    excused = WHITELISTED | EXEMPT | EXCLUDED | PROBE
    fails_closed = True

    def __init__(
        self,
        match: Callable[[Address], str | None],
        *,
        is_verified_bot: IsBot | None = None,
    ) -> None:
        self._match = match
        self._is_verified_bot = is_verified_bot

    def __call__(self, request: GuardRequest) -> Block | None:
        client = request.client
        provider = self._match(client) if client is not None else None
        if provider is None:
            return None
        if self._is_verified_bot is not None and self._is_verified_bot(request):
            return None  # a search engine that crawls from a cloud of its own
        return Block(
            status=403,
            message="Cloud provider IP not allowed",
            check=self.name,
            event="cloud_blocked",
            reason=f"address of {provider}",
            metadata={"cloud_provider": provider},
        )


class UserAgents:
    """Refuses user agents that match a pattern, except bots that proved who they are."""

    name = "user_agent"
    fails_closed = True

    def __init__(
        self,
        patterns: Iterable[str],
        *,
        is_verified_bot: IsBot | None = None,
        scope: str = "global",
    ) -> None:
        self._patterns = Expressions(tuple(patterns), backtracks_on=MAX_USER_AGENT_CHARS)
        self._is_verified_bot = is_verified_bot
        self.excused = WHITELISTED | EXEMPT | (EXCLUDED | PROBE if scope == "global" else NOBODY)

    def __call__(self, request: GuardRequest) -> Block | None:
        pattern = self._patterns.first(request.user_agent)
        if pattern is None:
            return None
        if self._is_verified_bot is not None and self._is_verified_bot(request):
            return None
        return Block(
            status=403,
            message="User-Agent not allowed",
            check=self.name,
            event="user_agent_blocked",
            reason=f"user agent matches {pattern!r}",
            metadata={"pattern_matched": pattern},
        )
