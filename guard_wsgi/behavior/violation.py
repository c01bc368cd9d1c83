"""The violation of a rule, and the decision to stop a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import frozen

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.state.ban_index import Ban


@frozen(slots=True)
class Violation:
    """The violation of a rule, as events and logs report it.

    :ivar action: what the guard did: the rule's action, ``custom_action``, or ``observed`` in
        passive mode.
    :ivar endpoint: the route's endpoint, or ``*`` for a rule of all routes.
    :ivar count: the client's uses or matches in the window; 0 for a throttle, which counts none.
    :ivar ban: the resulting ban.
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
    """The decision to stop a request. ``kind`` is ``throttle`` (429) or ``ban`` (403)."""

    kind: Literal["throttle", "ban"]
    violation: Violation
    retry_after_seconds: float


OnViolation = Callable[[Violation], None]
