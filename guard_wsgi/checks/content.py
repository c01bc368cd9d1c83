"""What a request must contain and may not exceed: size, media type, headers, referrer, hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.names import ascii_host
from guard_wsgi.network.standing import BODILESS, EXCLUDED, NOBODY
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.config import RouteConfig


class RequestSize(Check):
    """Refuses a body over the limit: at once if its length exceeds it, else while it is read."""

    name = "request_size_content"
    fails_closed = True

    def __init__(self, max_bytes: int, *, is_own: bool = False) -> None:
        self._max_bytes = max_bytes
        self.is_own = is_own
        self.excused = BODILESS | (NOBODY if is_own else EXCLUDED)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.max_request_size is not None:
            yield cls(route.max_request_size, is_own=True)
        elif config.max_request_size is not None:
            yield cls(config.max_request_size)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        length = visit.length
        return length is not None and length <= self._max_bytes

    def refusal(self, request: GuardRequest) -> Block | None:
        length = request.incoming_body.length
        if length is None:
            # A chunked body has no known length. The stream counts, and stops the app's reading.
            request.incoming_body.limit(self._max_bytes)
            return None
        if length <= self._max_bytes:
            return None
        return Block(
            status=413,
            message="Request too large",
            check=self.name,
            event="content_filtered",
            reason=f"{length} bytes, {self._max_bytes} allowed",
        )


class ContentTypes(Check):
    """Refuses media types that are not on the list. Case and parameters do not matter.

    A request without a body (most GETs) needs no media type.
    """

    name = "request_size_content"
    fails_closed = True

    def __init__(self, allowed: Iterable[str], *, is_own: bool = False) -> None:
        self._allowed = frozenset(kind.partition(";")[0].strip().lower() for kind in allowed)
        self.is_own = is_own
        self.excused = BODILESS | (NOBODY if is_own else EXCLUDED)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.allowed_content_types:
            yield cls(route.allowed_content_types, is_own=True)
        elif config.allowed_content_types:
            yield cls(config.allowed_content_types)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        kind: str = environ.get("CONTENT_TYPE") or ""
        return kind in self._allowed or kind.partition(";")[0].strip().lower() in self._allowed

    def refusal(self, request: GuardRequest) -> Block | None:
        kind = request.content_type
        if kind in self._allowed or not request.has_body:
            return None
        return Block(
            status=415,
            message="Unsupported content type",
            check=self.name,
            event="content_filtered",
            reason=f"media type {kind or 'missing'}",
        )


class RequiredHeaders(Check):
    """Refuses requests without the named headers, or with other values than the ones given.

    A wrong value counts against the route's rate limit, by address: a header's value may be a
    secret that somebody guesses.

    :param rate_limit: the limit that counts wrong values.
    """

    name = "required_headers"
    excused = NOBODY
    fails_closed = True
    is_own = True

    PRESENT = "required"
    """The value that only requires the header to be present."""

    def __init__(self, headers: Mapping[str, str], rate_limit: Check | None = None) -> None:
        self._rate_limit = rate_limit
        self._headers = tuple(
            (name, None if value == self.PRESENT else value) for name, value in headers.items()
        )
        self._keys = tuple((environ_key(name), expected) for name, expected in self._headers)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.required_headers:
            yield cls(route.required_headers, RateLimits.of_guesses(config, route, services))

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        for key, expected in self._keys:
            value = environ.get(key)
            if not value or (expected is not None and value != expected):
                return False
        return True

    def refusal(self, request: GuardRequest) -> Block | None:
        for name, expected in self._headers:
            value = request.headers.get(name, "")
            if not value:
                message = f"Missing required header: {name}"
            elif expected is not None and value != expected:
                limited = self._rate_limit.refusal(request) if self._rate_limit else None
                if limited is not None:
                    return limited
                message = f"Header '{name}' does not match the required value"
            else:
                continue
            return Block(status=400, message=message, check=self.name, reason=message)
        return None


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
            return self._refuse("Referrer required", "no referrer")
        host, port = _split_host(referrer)
        if self._admits(host, port):
            return None
        return self._refuse("Invalid referrer", f"referrer from {host or 'nowhere'}")

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
            reason=f"{minute:%H:%M} {self._zone.key}",
        )

    def _minute(self) -> time:
        return self._now().astimezone(self._zone).time().replace(second=0, microsecond=0)

    def _is_inside(self, minute: time) -> bool:
        if self._start <= self._end:
            return self._start <= minute <= self._end
        return minute >= self._start or minute <= self._end


def environ_key(header: str) -> str:
    """Return the environ key of a request header (PEP 3333)."""
    key = header.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


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
