"""What the guard decided on a request, as the app reads it at ``environ["guard_wsgi"]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from guard_wsgi.detection import Finding
    from guard_wsgi.routes import RouteConfig

ENVIRON_KEY = "guard_wsgi"

Action = Literal["pass", "observe", "block"]


class Verdict:
    """Filled by the checks as they run; the app sees it complete.

    It holds no environ and no request: the environ holds it, and a circle would keep every
    environ alive until the garbage collector runs.

    :ivar action: ``"pass"``; ``"observe"`` when passive mode let through what it would have
        blocked; ``"block"`` on the way to a refusal.
    :ivar client_ip: canonical address, ``"unknown"`` for a peer without one.
    :ivar country: ISO 3166 code, or ``None`` while nobody asked or nothing is known.
    :ivar endpoint: the route's template or name, ``None`` when no resolver knows the request.
    :ivar route: the view's :class:`RouteConfig`, or ``None``.
    :ivar principal: what the authentication verifier returned.
    :ivar findings: what detection found, also when passive.
    :ivar check: name of the check that refused (or would have), ``""`` if none did.
    """

    __slots__ = (
        "action",
        "check",
        "client_ip",
        "country",
        "endpoint",
        "findings",
        "guard",
        "principal",
        "reason",
        "request_id",
        "route",
    )

    def __init__(self, client_ip: str) -> None:
        self.action: Action = "pass"
        self.client_ip = client_ip
        self.country: str | None = None
        self.endpoint: str | None = None
        self.route: RouteConfig | None = None
        self.principal: Any = None
        self.findings: tuple[Finding, ...] = ()
        self.check = ""
        self.reason = ""
        self.request_id = ""
        self.guard: object = None

    def __repr__(self) -> str:
        return (
            f"Verdict({self.action}, client_ip={self.client_ip!r}, "
            f"check={self.check!r}, endpoint={self.endpoint!r})"
        )
