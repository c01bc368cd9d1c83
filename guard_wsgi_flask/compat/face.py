"""What all faces have in common, and whose guard they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard_wsgi_flask.beforehand import Beforehand
from guard_wsgi_flask.registry import beforehand, is_too_early, the_guarded

if TYPE_CHECKING:
    from guard_wsgi.middleware import GuardMiddleware


def current_guard() -> GuardMiddleware:
    return the_guarded().middleware


def settable() -> GuardMiddleware | Beforehand:
    """What bans, patterns and headers are set of: the guard, or before there is one what keeps
    them for those to come."""
    return beforehand if is_too_early() else current_guard()


class Face:
    """What all of them have: nothing has to be initialized, and nothing is."""

    def initialize(self) -> None:
        """Nothing to do: the first request does what there is to do."""

    def initialize_redis(self, redis_handler: Any) -> None:
        """Nothing to do: ``store_url`` says where the state lives."""

    def initialize_agent(self, agent_handler: Any) -> None:
        """Does nothing: ``enable_agent`` says where events go."""
