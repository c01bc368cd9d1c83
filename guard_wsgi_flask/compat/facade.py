"""The common part of all facades, and how they find the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard_wsgi_flask.early_calls import EarlyCalls
from guard_wsgi_flask.registry import beforehand, is_too_early, the_guarded

if TYPE_CHECKING:
    from guard_wsgi.middleware import GuardMiddleware


def current_guard() -> GuardMiddleware:
    return the_guarded().middleware


def settable() -> GuardMiddleware | EarlyCalls:
    """Return the object to change: the guard, or before there is one, the record for later
    guards."""
    return beforehand if is_too_early() else current_guard()


class Facade:
    """The methods of all facades. Nothing has to be initialised."""

    def initialize(self) -> None:
        """Do nothing: the first request initialises everything."""

    def initialize_redis(self, redis_handler: Any) -> None:
        """Do nothing: ``store_url`` decides where the state lives."""

    def initialize_agent(self, agent_handler: Any) -> None:
        """Do nothing: ``enable_agent`` decides where events go."""
