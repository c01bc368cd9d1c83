"""A rule that was broken, and a request that must not go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import frozen

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.state.ban_index import Ban


@frozen(slots=True)
class Violation:
    """A rule that was broken, as events and logs report it.

    :ivar action: what was done: the rule's action, ``custom_action``, or ``observed`` in passive
        mode.
    :ivar endpoint: the route's, or ``*`` for a rule of all routes.
    :ivar count: the client's uses or matches in the window; 0 when throttled, which counts none.
    :ivar ban: the ban that came of it.
    """

    rule: BehaviorRule
    client: str
    endpoint: str
    count: int
    action: str
    ban: Ban | None = None

    @property
    def details(self) -> str:
        rule = self.rule
        what = f"responses matching {rule.pattern!r}" if rule.pattern else "requests"
        return f"more than {rule.threshold} {what} in {rule.window} s"


@frozen(slots=True)
class Decision:
    """A request that must not go on. ``kind`` is ``throttle`` (429) or ``ban`` (403)."""

    kind: Literal["throttle", "ban"]
    violation: Violation
    retry_after_seconds: float


OnViolation = Callable[[Violation], None]
