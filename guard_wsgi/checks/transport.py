"""Transport: framing, host and encryption of a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.standing import BODILESS, EXCLUDED, FRAMED, NOBODY, PREFLIGHT, PROBE
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.config import RouteConfig

MAX_KNOWN_HOSTS = 256
"""The most spellings of ``Host`` to remember: a site has few, and a client must not fill the
memory."""

MAX_KNOWN_CHARS = 256
"""The longest spelling to remember; a name has at most 253 characters (RFC 1035, 3.1)."""


class Framing(Check):
    """Refuses a body whose length is ambiguous: request smuggling relies on that.

    RFC 9112, 6.3: a length that is not a number, or a length beside ``chunked``, is an error. Some
    servers let both through (werkzeug's reads a bad length as 0), so the guard decides.
    """

    name = "framing"
    excused = BODILESS | FRAMED
    fails_closed = True

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        yield cls()

    def refusal(self, request: GuardRequest) -> Block | None:
        error = request.incoming_body.framing_error
        if error is None:
            return None
        return Block(
            status=400,
            message="Bad request",
            check=self.name,
            event="content_filtered",
            reason=str(error),
        )


class AllowedHosts(Check):
    """Refuses a ``Host`` the site doesn't answer to (OWASP: HTTP Host header attacks)."""

    name = "allowed_hosts"
    excused = PROBE  # sent to the machine's address
    fails_closed = True

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._exact = frozenset(host.removeprefix(".") for host in hosts)
        self._below = tuple(host for host in hosts if host.startswith("."))
        self._known: set[str] = set()

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if config.allowed_hosts:
            yield cls(config.allowed_hosts)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        return environ.get("HTTP_HOST") in self._known

    def refusal(self, request: GuardRequest) -> Block | None:
        # The brackets of an IPv6 address stay, and end the name.
        name = request.host
        if not name.endswith("]"):
            name = (
                name.partition(":")[0] if not name.startswith("[") else name.partition("]")[0] + "]"
            )
        name = name.rstrip(".")
        if name and (name in self._exact or name.endswith(self._below)):
            self._know(request.environ.get("HTTP_HOST"))
            return None
        return Block(
            status=400,
            message="Bad request",
            check=self.name,
            reason=f"Host {name[:MAX_KNOWN_CHARS]!r} is not among allowed_hosts",
        )

    def _know(self, host: str | None) -> None:
        # Without the header, the server's own name counts.
        if host and len(host) <= MAX_KNOWN_CHARS:
            if len(self._known) >= MAX_KNOWN_HOSTS:
                self._known.clear()
            self._known.add(host)


class Https(Check):
    """Redirects plain HTTP to HTTPS with 308, which keeps method, body, path and query.

    Without ``allowed_hosts`` the target is the ``Host`` that the client sent. Name the hosts, so
    that nobody can poison a cache in between. A preflight is not redirected: Fetch treats any
    redirect of a preflight as a failure.
    """

    name = "https_enforcement"
    fails_closed = True

    def __init__(self, *, is_own: bool = False) -> None:
        self.is_own = is_own
        self.excused = NOBODY if is_own else EXCLUDED | PREFLIGHT | PROBE
        self._event = "decorator_violation" if is_own else "https_enforced"

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.require_https:
            yield cls(is_own=True)
        elif config.enforce_https:
            yield cls()

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        return visit.is_https

    def refusal(self, request: GuardRequest) -> Block | None:
        if request.is_https:
            return None
        if not request.host:
            return Block(
                status=400,
                message="Bad request",
                check=self.name,
                reason="no Host, so no URL to redirect to",
            )
        return Block(
            status=308,
            message="This site is served over HTTPS",
            check=self.name,
            event=self._event,
            reason=f"plain HTTP ({'require_https' if self.is_own else 'enforce_https'})",
            headers=(("Location", request.url_replace_scheme("https")),),
        )


CHECKS: tuple[type[Check], ...] = (
    AllowedHosts,
    Https,
    Framing,
)
"""In the order of the ladder."""
