"""The circumstances of a request: the page it comes from, the hour, the program that sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices, IsBot
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.config.texts import MAX_USER_AGENT_CHARS
from guard_wsgi.network.names import ascii_host
from guard_wsgi.network.standing import EXCLUDED, EXEMPT, NOBODY, PROBE, WHITELISTED
from guard_wsgi.patterns.expressions import Expressions
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo
from guard_wsgi.routes.config import RouteConfig

MAX_HOST_CHARS = 255
"""A host name is no longer (RFC 1035)."""


class Referrers(Check):
    """Refuses requests that come from other sites than the named ones and their subdomains.

    A browser may omit ``Referer``, and any other client can forge it. So this keeps out hot links
    and mistakes, not an attacker.
    """

    name = "referrer"
    excused = NOBODY
    fails_closed = True
    is_own = True

    def __init__(self, domains: Iterable[str]) -> None:
        self._domains = tuple(_domain(domain) for domain in domains)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.require_referrer:
            yield cls(route.require_referrer)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        return self._admits(*_split_host(_referrer(environ)))

    def refusal(self, request: GuardRequest) -> Block | None:
        referrer = _referrer(request.environ)
        if not referrer:
            return self._refuse("Referrer required", "no Referer header (require_referrer)")
        host, port = _split_host(referrer)
        if self._admits(host, port):
            return None
        return self._refuse(
            "Invalid referrer", f"the referrer {host[:MAX_HOST_CHARS]!r} is not in require_referrer"
        )

    def _admits(self, host: str, port: int | None) -> bool:
        return bool(host) and any(
            (domain_port is None or domain_port == port)
            and (host == domain or host.endswith("." + domain))
            for domain, domain_port in self._domains
        )

    def _refuse(self, message: str, reason: str) -> Block:
        return Block(status=403, message=message, check=self.name, reason=reason)


class TimeWindow(Check):
    """Refuses requests outside of certain hours, in a named time zone.

    The last minute counts in full. If the start is after the end, the window spans midnight. The
    local time of the zone decides, with daylight saving.
    """

    name = "time_window"
    excused = NOBODY
    fails_closed = True
    is_own = True

    def __init__(
        self,
        start: time,
        end: time,
        zone: ZoneInfo,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._start = start
        self._end = end
        self._zone = zone
        self._now = now

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.time_restrictions is not None:
            window = route.time_restrictions
            yield cls(window.start, window.end, window.zone)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        return self._is_inside(self._minute())

    def refusal(self, request: GuardRequest) -> Block | None:
        minute = self._minute()
        if self._is_inside(minute):
            return None
        return Block(
            status=403,
            message="Access not allowed at this time",
            check=self.name,
            reason=f"{minute:%H:%M} is outside of the route's time window"
            f" {self._start:%H:%M}-{self._end:%H:%M} {self._zone.key}",
        )

    def _minute(self) -> time:
        return self._now().astimezone(self._zone).time().replace(second=0, microsecond=0)

    def _is_inside(self, minute: time) -> bool:
        if self._start <= self._end:
            return self._start <= minute <= self._end
        return minute >= self._start or minute <= self._end


class UserAgents(Check):
    """Refuses user agents that match a pattern, except verified bots."""

    name = "user_agent"
    fails_closed = True

    def __init__(
        self,
        patterns: Iterable[str],
        *,
        is_verified_bot: IsBot | None = None,
        is_own: bool = False,
    ) -> None:
        self._patterns = Expressions(tuple(patterns), backtracks_on=MAX_USER_AGENT_CHARS)
        self._is_verified_bot = is_verified_bot
        self.is_own = is_own
        self.excused = WHITELISTED | EXEMPT | (NOBODY if is_own else EXCLUDED | PROBE)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        is_verified_bot = services.is_verified_bot
        if route.blocked_user_agents:
            yield cls(route.blocked_user_agents, is_verified_bot=is_verified_bot, is_own=True)
        if config.blocked_user_agents:
            yield cls(config.blocked_user_agents, is_verified_bot=is_verified_bot)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        return self._patterns.first(environ.get("HTTP_USER_AGENT", "")) is None

    def refusal(self, request: GuardRequest) -> Block | None:
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
            reason=f"user agent matches {pattern!r} of blocked_user_agents",
            metadata={"pattern_matched": pattern},
        )


def _referrer(environ: Mapping[str, Any]) -> str:
    text: str = environ.get("HTTP_REFERER", "")
    return text.encode("latin-1").decode("utf-8", "replace")


def _domain(text: str) -> tuple[str, int | None]:
    return _split_host(text if "//" in text else "//" + text)


def _split_host(url: str) -> tuple[str, int | None]:
    """Return host and port of a URL; the host in ASCII, as browsers send international names."""
    try:
        parts = urlsplit(url)
        return ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return "", None


CHECKS: tuple[type[Check], ...] = (
    Referrers,
    TimeWindow,
    UserAgents,
)
"""In the order of the ladder."""
