"""The origin of a client: countries, cloud providers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices, IsBot
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.address import Address
from guard_wsgi.network.standing import EXCLUDED, EXEMPT, NOBODY, PROBE, WHITELISTED
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.bypass import Bypass
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.telemetry.logs import LogSink


class Countries(Check):
    """Applies country rules. With an allow list, a client of unknown country is refused.

    Loopback has no country and is never refused here: it is the operator's own machine.
    """

    name = "country"
    bypasses = frozenset({Bypass.IP})
    fails_closed = True

    def __init__(
        self,
        allowed: Iterable[str],
        blocked: Iterable[str],
        *,
        is_own: bool = False,
        country_of: Callable[[Address], str | None] | None = None,
        log: LogSink | None = None,
        is_verified_bot: IsBot | None = None,
    ) -> None:
        self._allowed = frozenset(code.upper() for code in allowed)
        self._blocked = frozenset(code.upper() for code in blocked)
        self.is_own = is_own
        self._country_of = country_of
        self._log = log
        self._is_verified_bot = is_verified_bot
        self.excused = NOBODY if is_own else WHITELISTED | PROBE

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        allowed, blocked = route.whitelist_countries or (), route.blocked_countries or ()
        if allowed or blocked:
            yield cls(
                allowed,
                blocked,
                is_own=True,
                country_of=services.country_of,
                log=services.log,
                is_verified_bot=services.is_verified_bot,
            )
        # The global country rules do not refuse a client whose country the route admits.
        if config.uses_countries and not allowed:
            yield cls(
                config.whitelist_countries,
                config.blocked_countries,
                country_of=services.country_of,
                log=services.log,
                is_verified_bot=services.is_verified_bot,
            )

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        client = visit.identity.address
        if client is None or self._country_of is None:
            return False
        if client.is_loopback:
            return True
        if self._log is not None and self._log.takes_countries:
            return False
        visit.verdict.country = country = self._country_of(client)
        return country in self._allowed if self._allowed else country not in self._blocked

    def refusal(self, request: GuardRequest) -> Block | None:
        client = request.client
        if client is not None and client.is_loopback:
            return None
        country = request.country
        if self._allowed:
            if country in self._allowed:
                self._tell_pass(request, country)
                return None
            reason = f"country {country or 'unknown'} is not in whitelist_countries"
        elif country is not None and country in self._blocked:
            reason = f"country {country} is in blocked_countries"
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
                "filter_type": "route" if self.is_own else "global",
                "country": country,
                "rule_type": "country_whitelist" if self._allowed else "country_blacklist",
            },
        )

    def _tell_pass(self, request: GuardRequest, country: str | None) -> None:
        if self._log is not None:
            self._log.log_country(request, country, "let pass")


class Clouds(Check):
    """Refuses addresses of the chosen cloud providers."""

    name = "cloud_provider"
    bypasses = frozenset({Bypass.IP, Bypass.CLOUDS})
    fails_closed = True

    def __init__(
        self,
        match: Callable[[Address], str | None],
        *,
        is_own: bool = False,
        is_verified_bot: IsBot | None = None,
    ) -> None:
        self.is_own = is_own
        self.excused = WHITELISTED | EXEMPT | (NOBODY if is_own else EXCLUDED | PROBE)
        self._match = match
        self._is_verified_bot = is_verified_bot

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        providers = route.block_cloud_providers or config.block_cloud_providers
        if providers:
            match = services.cloud_match(providers)
            yield cls(
                match,
                is_own=bool(route.block_cloud_providers),
                is_verified_bot=services.is_verified_bot,
            )

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        client = visit.identity.address
        return client is None or self._match(client) is None

    def refusal(self, request: GuardRequest) -> Block | None:
        client = request.client
        provider = self._match(client) if client is not None else None
        if provider is None:
            return None
        if self._is_verified_bot is not None and self._is_verified_bot(request):
            return None  # a search engine that crawls from its own cloud
        return Block(
            status=403,
            message="Cloud provider IP not allowed",
            check=self.name,
            event="cloud_blocked",
            reason=f"address of {provider}, which is in block_cloud_providers",
            metadata={"cloud_provider": provider},
        )


CHECKS: tuple[type[Check], ...] = (
    Countries,
    Clouds,
)
"""In the order of the ladder."""
