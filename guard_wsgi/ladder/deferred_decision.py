"""The part of a decision that is made inside the app."""

from __future__ import annotations

from attrs import define

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.ladder.plan import Ladder
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.request.shared_body import SharedBody
from guard_wsgi.request.view import GuardRequest


@define(slots=True, eq=False)
class DeferredDecision:
    """The part of a decision that is made inside the app: the rest of the ladder.

    It is not frozen, because each request makes one; nobody writes to it.
    """

    policy: Policy
    request: GuardRequest
    ladder: Ladder
    watch: BehaviorWatch | None
    shared: SharedBody | None
