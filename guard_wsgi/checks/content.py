"""What a request must contain and may not exceed: size, media type, headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.config.security import SecurityConfig
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
            reason=f"a body of {length} bytes is over max_request_size={self._max_bytes}",
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
            reason=f"media type {kind or '(missing)'} is not among allowed_content_types",
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


def environ_key(header: str) -> str:
    """Return the environ key of a request header (PEP 3333)."""
    key = header.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


CHECKS: tuple[type[Check], ...] = (
    RequestSize,
    ContentTypes,
    RequiredHeaders,
)
"""In the order of the ladder."""
