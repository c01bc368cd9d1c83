"""Events of an app's own checks, under the names of flaskapi-guard's decorators.

They go to the guard that decided on the request, and from there to its sinks.
"""

from __future__ import annotations

from typing import Any

from guard_wsgi.request.verdict import ENVIRON_KEY


class DecoratorEvents:
    """``protect.send_*_event(request, ...)`` of a SecurityDecorator, for use in a view, a validator
    or a hook.

    ``request`` is what a hook gets, or a framework's request with an ``environ``.
    """

    def initialize_agent(self, agent_handler: Any, geo_ip_handler: Any = None) -> None:
        """Do nothing: ``enable_agent`` decides where events go."""

    def initialize_behavior_tracking(self, redis_handler: Any = None) -> None:
        """Do nothing: ``store_url`` decides where counters live."""

    def send_decorator_event(
        self,
        event_type: str,
        request: Any,
        action_taken: str,
        reason: str,
        decorator_type: str,
        **metadata: Any,
    ) -> None:
        """Report an event. Without a guard around the app, nobody gets it."""
        verdict = request.environ.get(ENVIRON_KEY)
        guard = verdict.guard if verdict is not None else None
        if guard is not None:
            guard.tell(
                event_type,
                request.environ,
                action_taken,
                reason=reason,
                decorator_type=decorator_type,
                **metadata,
            )

    def send_access_denied_event(
        self, request: Any, reason: str, decorator_type: str, **metadata: Any
    ) -> None:
        self.send_decorator_event(
            "access_denied", request, "blocked", reason, decorator_type, **metadata
        )

    def send_authentication_failed_event(
        self, request: Any, reason: str, auth_type: str, **metadata: Any
    ) -> None:
        self.send_decorator_event(
            "authentication_failed",
            request,
            "blocked",
            reason,
            "authentication",
            auth_type=auth_type,
            **metadata,
        )

    def send_rate_limit_event(self, request: Any, limit: int, window: int, **metadata: Any) -> None:
        self.send_decorator_event(
            "rate_limited",
            request,
            "blocked",
            f"more than {limit} requests in {window} s",
            "rate_limiting",
            limit=limit,
            window=window,
            **metadata,
        )

    def send_decorator_violation_event(
        self, request: Any, violation_type: str, reason: str, **metadata: Any
    ) -> None:
        self.send_decorator_event(
            "decorator_violation", request, "blocked", reason, violation_type, **metadata
        )
