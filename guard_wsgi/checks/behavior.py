"""How a client behaves over many requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.behavior.violation import Decision
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.standing import PREFLIGHT, PROBE, WHITELISTED
from guard_wsgi.request.block import Block, whole_seconds
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.config import RouteConfig

UNROUTED = "unrouted"
"""The endpoint of requests that no resolver knows: one name for all, never a raw path."""


class ClientBehavior(Check):
    """Counts the request for usage and frequency rules, and refuses clients that a rule throttles
    or bans."""

    name = "behavior"
    excused = WHITELISTED | PREFLIGHT | PROBE
    fails_closed = False

    def __init__(self, watch: BehaviorWatch, *, is_own: bool = False) -> None:
        self._watch = watch
        self.is_own = is_own
        self.calls_hooks = watch.calls_hooks

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        watch = services.watch(route)
        if watch.counts_requests or watch.calls_hooks:
            yield cls(watch, is_own=bool(route.behavior_rules))

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        client = visit.identity.address
        if client is None:
            return True
        visit.found = self._watch.before(client, visit.verdict.endpoint or UNROUTED)
        return visit.found is None

    def refusal(self, request: GuardRequest) -> Block | None:
        decision: Decision | None = request.take_found()
        client = request.client
        if decision is None and client is not None:
            decision = self._watch.before(client, request.endpoint or UNROUTED)
        if decision is None:
            return None
        if decision.kind == "ban":
            return Block(
                status=403,
                message="IP has been banned",
                check=self.name,
                event="behavioral_violation",
                reason=decision.violation.details,
            )
        return Block(
            status=429,
            message="Too many requests",
            check=self.name,
            event="behavioral_violation",
            reason=decision.violation.details,
            retry_after_seconds=whole_seconds(decision.retry_after_seconds),
        )


CHECKS: tuple[type[Check], ...] = (ClientBehavior,)
"""In the order of the ladder."""
