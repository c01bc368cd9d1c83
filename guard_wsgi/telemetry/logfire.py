"""Events as Logfire logs, requests as Logfire metrics. Needs the ``logfire`` package.

The app configures Logfire (``logfire.configure``) as for its own telemetry; this sink only adds to
it.
"""

from __future__ import annotations

from typing import Any

from guard_wsgi.errors import MissingExtra
from guard_wsgi.telemetry.aggregation import METHODS, OTHER, UNMATCHED
from guard_wsgi.telemetry.events import SecurityEvent

_LEVELS = {"request_blocked": "warn", "logged_only": "warn"}


class LogfireSink:
    """``guard.event.<type>`` logs; metrics ``guard.request.duration``, ``guard.request.count`` and
    ``guard.error.count``.

    :param instance: a configured ``logfire.Logfire``; ``None`` means the package's default one.
    :raises MissingExtra: without ``logfire``.
    """

    def __init__(self, *, service_name: str = "guard-wsgi", instance: Any = None) -> None:
        if instance is None:
            try:
                import logfire
            except ImportError:
                raise MissingExtra("enable_logfire", "logfire") from None
            instance = logfire.DEFAULT_LOGFIRE_INSTANCE
        self._logfire: Any = instance.with_tags(service_name)
        self._duration: Any = self._logfire.metric_histogram("guard.request.duration", unit="s")
        self._count: Any = self._logfire.metric_counter("guard.request.count")
        self._errors: Any = self._logfire.metric_counter("guard.error.count")

    def send_event(self, event: SecurityEvent) -> None:
        """Write one log record, with the event's fields as attributes."""
        wire = event.as_wire()
        attributes = {name: value for name, value in wire.items() if value not in (None, "", {})}
        self._logfire.log(
            _LEVELS.get(event.action_taken, "info"), f"guard.event.{event.event_type}", attributes
        )

    def observe(
        self, endpoint: str | None, method: str, status: int, seconds: float, blocked: bool
    ) -> None:
        """Record one request."""
        attributes = {
            "http.route": endpoint or UNMATCHED,
            "http.request.method": method if method in METHODS else OTHER,
            "http.response.status_code": status,
            "guard.blocked": blocked,
        }
        self._duration.record(seconds, attributes)
        self._count.add(1, attributes)
        if status >= 400:
            self._errors.add(1, attributes)
