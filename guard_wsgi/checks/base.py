"""What a check is."""

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
from guard_wsgi.routes.config import RouteConfig


class Check(ABC):
    """One rung of the ladder.

    A request passes the check if :meth:`passes` says so. Otherwise :meth:`refusal` decides. The one
    law: what passes is not refused.

    :cvar name: stable; logs, events and metrics call the check by it.
    :cvar bypasses: the words of the ``bypass`` decorator that take it off a route.
    :cvar fails_closed: whether its own fault refuses the request (access, authentication) or lets
        it pass (detection, limits); ``fail_secure=False`` lets all of them pass.
    :ivar excused: bits of those it does not apply to (standing.py).
    :ivar is_own: whether the view asks for it by itself: then no ``bypass`` takes it off, and no
        excluded path is excused from it.
    :ivar calls_hooks: whether it calls functions of the app, which run in the app's own context.
    """

    name: ClassVar[str]
    bypasses: ClassVar[frozenset[str]] = frozenset()
    fails_closed: ClassVar[bool]
    excused: int = NOBODY
    is_own: bool = False
    calls_hooks: bool = False

    @classmethod
    @abstractmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterable[Check]:
        """The checks of this kind that a route needs; none where nothing is configured."""

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        """Whether the check certainly has nothing to say. A check that can't know says no.

        It is asked once a request, of those it is not excused from. What it counts or reads is
        counted and read; what it has found out when it says no, it leaves in ``visit.found`` for
        :meth:`refusal`. Its source becomes part of a function (ladder/splice.py), so it only
        reads what the check keeps.
        """
        return False

    @abstractmethod
    def refusal(self, request: GuardRequest) -> Block | None:
        """The refusal, or ``None`` to let the request pass."""
