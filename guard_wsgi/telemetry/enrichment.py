"""Adds values that a collector would otherwise have to compute: service, threat score, correlation.
The names and numbers are those of flaskapi-guard's enrichment, so dashboards keep working."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from typing import Any

from guard_wsgi.forks import track
from guard_wsgi.telemetry.event_types import type_of
from guard_wsgi.telemetry.events import SecurityEvent

BUCKET_SECONDS = 300
"""Events of one client within five minutes belong together."""
MAX_CORRELATIONS = 10_000
"""The most clients whose events are counted; the least recently seen are dropped first. Some 2
MB."""


class Enrichment:
    """Adds ``guard.*`` metadata to each event.

    :param service_name: the name of this app.
    :param environment: where it runs, such as ``production``; omitted if empty.
    """

    def __init__(
        self, project_id: str | None = None, service_name: str = "", environment: str = ""
    ) -> None:
        self._fixed = {
            name: value
            for name, value in (
                ("guard.project_id", project_id),
                ("guard.service.name", service_name),
                ("guard.deployment.environment", environment),
            )
            if value
        }
        self._service = service_name
        self._rule: dict[str, Any] = {}
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        track(self)

    def set_rule(self, rule_id: str | None, version: int | None) -> None:
        """The dynamic rule in force, ``None`` for none."""
        self._rule = (
            {"guard.rule.id": rule_id, "guard.rule.version": version} if rule_id is not None else {}
        )

    def __call__(self, event: SecurityEvent) -> dict[str, Any]:
        """Return the metadata to add; ``recent_event_count`` counts events of this process, with
        this one."""
        bucket = int(time.time()) // BUCKET_SECONDS
        story = hashlib.sha256(f"{event.ip_address}|{self._service}|{bucket}".encode())
        key = story.hexdigest()[:16]
        with self._lock:
            count = self._counts.pop(key, 0) + 1
            self._counts[key] = count
            if len(self._counts) > MAX_CORRELATIONS:
                self._counts.popitem(last=False)
        return {
            **self._fixed,
            **self._rule,
            "guard.threat_score": type_of(event.event_type).score,
            "guard.behavior.correlation_key": key,
            "guard.behavior.recent_event_count": count,
        }

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
