"""How a client behaves over many requests."""

from __future__ import annotations

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.network.standing import PREFLIGHT, PROBE, WHITELISTED
from guard_wsgi.request.block import Block, whole_seconds
from guard_wsgi.request.view import GuardRequest

UNROUTED = "unrouted"
"""What requests are counted by that no resolver knows: one scope, never a raw path."""


class Behaves:
    """Counts the request for usage and frequency rules; refuses whom one throttles or bans."""

    name = "behavior"
    excused = WHITELISTED | PREFLIGHT | PROBE
    fails_closed = False

    def __init__(self, watch: BehaviorWatch) -> None:
        self._watch = watch
        self.calls_hooks = watch.calls_hooks

    def __call__(self, request: GuardRequest) -> Block | None:
        client = request.client
        if client is None:
            return None
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
