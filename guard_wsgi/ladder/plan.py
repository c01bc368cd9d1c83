"""The compiled ladders of one route."""

from __future__ import annotations

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.base import Check
from guard_wsgi.ladder.splice import Ask, spliced
from guard_wsgi.network.standing import MEASURED, NOTED
from guard_wsgi.response.headers import SecurityHeaders
from guard_wsgi.routes.config import RouteConfig

Ladder = tuple[Check, ...]
"""Checks in the order in which they are asked."""


class Ladders(dict[int, tuple[Ask, Ladder, bool]]):
    """Maps a standing (bits) to the joined function, its checks, and whether nothing but the call
    of the app remains. Each entry is made on first use, because few combinations occur."""

    def __init__(self, checks: Ladder, is_plain: bool) -> None:
        super().__init__()
        self._checks = checks
        self._is_plain = is_plain

    def __missing__(self, standing: int) -> tuple[Ask, Ladder, bool]:
        ladder = _held(self._checks, standing)
        is_plain = self._is_plain and not standing & (NOTED | MEASURED)
        self[standing] = made = spliced(ladder), ladder, is_plain
        return made


class Plan:
    """The ladders of one route: the checks that apply, by the standing of the client.

    :ivar checks: all checks.
    :ivar late: the checks from the first one that calls a function of the app; they run in the
        app's own context (hook_context.py).
    :ivar watch: the behaviour rules for its answers, if there are any.
    :ivar security: the security headers of its answers.
    :ivar is_hooked: whether functions of the app are called for requests that pass.
    :ivar is_attended: whether the answer of the app needs more than fixed headers.
    """

    __slots__ = (
        "checks",
        "is_attended",
        "is_hooked",
        "ladders",
        "late",
        "route",
        "security",
        "watch",
    )

    def __init__(
        self,
        route: RouteConfig,
        checks: Ladder,
        watch: BehaviorWatch | None,
        answers_preflights: bool,
        is_modified: bool,
        security: SecurityHeaders,
    ) -> None:
        self.route = route
        self.security = security
        self.checks = checks
        self.watch = watch
        calling = [check.calls_hooks for check in checks]
        first = calling.index(True) if True in calling else len(checks)
        self.late = checks[first:]
        self.is_hooked = is_modified or bool(self.late)
        self.is_attended = answers_preflights or watch is not None or self.is_hooked
        self.ladders = Ladders(checks[:first], not self.is_attended)

    def inside(self, standing: int) -> Ladder:
        """Return the checks from the first one that calls a function of the app."""
        return _held(self.late, standing)

    def whole(self, standing: int) -> Ladder:
        """Return all checks, for a caller that is already in the app's context."""
        return _held(self.checks, standing)


def _held(checks: Ladder, standing: int) -> Ladder:
    return tuple(check for check in checks if not check.excused & standing)
