"""The compiled ladders of one route."""

from __future__ import annotations

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.base import Check
from guard_wsgi.ladder.splice import Ask, spliced
from guard_wsgi.response.headers import SecurityHeaders
from guard_wsgi.routes.config import RouteConfig

Ladder = tuple[Check, ...]
"""Checks in the order in which they are asked."""


class Ladders(dict[int, tuple[Ask, Ladder]]):
    """By the bits of a standing, the checks that those who have it are not excused from, and the
    one function that asks whether a request passes them. Each is made when the first of them
    comes: of all combinations few ever do."""

    def __init__(self, checks: Ladder) -> None:
        super().__init__()
        self._checks = checks

    def __missing__(self, standing: int) -> tuple[Ask, Ladder]:
        ladder = tuple(check for check in self._checks if not check.excused & standing)
        self[standing] = made = spliced(ladder), ladder
        return made


class Plan:
    """The ladders of one route: by the standing of who asks, the checks that apply.

    :ivar checks: all of them.
    :ivar late: what comes from the first check on that calls a function of the app, and so runs
        in the app's own context (hooks.py).
    :ivar watch: the behaviour rules that hold for its answers, if any do.
    :ivar security: the security headers of its answers.
    :ivar is_hooked: whether functions of the app are called for what passes.
    :ivar is_attended: whether more is to be done with what passes than to call the app.
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
        self.ladders = Ladders(checks[:first])
        self.late = checks[first:]
        self.is_hooked = is_modified or bool(self.late)
        self.is_attended = answers_preflights or watch is not None or self.is_hooked

    def inside(self, standing: int) -> Ladder:
        """What calls a function of the app, and all behind it."""
        return _held(self.late, standing)

    def whole(self, standing: int) -> Ladder:
        """All of the checks, for one who is in the app's context already."""
        return _held(self.checks, standing)


def _held(checks: Ladder, standing: int) -> Ladder:
    return tuple(check for check in checks if not check.excused & standing)
