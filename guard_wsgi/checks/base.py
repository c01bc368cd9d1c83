"""The base class of checks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.standing import NOBODY
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.bypass import Bypass
from guard_wsgi.routes.config import RouteConfig


class Check(ABC):
    """One rung of the ladder.

    A request passes the check if :meth:`passes` says so. Otherwise :meth:`refusal` decides. The
    invariant: if ``passes`` is true, ``refusal`` would refuse nothing. A refusal (`Block`) names
    its event, one of ``EVENT_TYPES`` (telemetry/event_types.py) or a new row there.

    :cvar name: the stable name in logs, events and metrics. Two checks that users think of as one
        may share it.
    :cvar bypasses: the words of the ``bypass`` decorator that remove it from a route. They are
        those of `Bypass` (routes/bypass.py).
    :cvar fails_closed: whether a fault of the check refuses the request (access, authentication) or
        lets it pass (detection, limits); with ``fail_secure=False`` all faults pass.

    :ivar excused: bits of the clients and requests to which it does not apply (standing.py):
        ``NOBODY`` for a check of everybody, ``EXCLUDED`` for one that excluded paths switch off.
    :ivar is_own: whether the view itself asks for it: then no ``bypass`` removes it, and no
        excluded path is excused from it.
    :ivar calls_hooks: whether it calls functions of the app, which run in the app's own context.
    """

    name: ClassVar[str]
    bypasses: ClassVar[frozenset[Bypass]] = frozenset()
    fails_closed: ClassVar[bool]
    excused: int = NOBODY
    is_own: bool = False
    calls_hooks: bool = False

    @classmethod
    @abstractmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterable[Check]:
        """Return the checks of this kind that a route needs; none if nothing is configured."""

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        """Whether the check certainly does not refuse. If it can't know, it says no.

        It is asked once per request that is not excused. It may count and read; if it says no, it
        leaves its result in ``visit.found`` for :meth:`refusal`. Its source becomes part of a
        larger function (ladder/splice.py), so it uses only its arguments, attributes of the check
        and names of its module: no closure, no ``super()``. If it returns true inside a loop, it is
        called instead, which takes longer.
        """
        return False

    @abstractmethod
    def refusal(self, request: GuardRequest) -> Block | None:
        """Return the refusal, or ``None`` to let the request pass."""
