"""What a collector would otherwise have to work out: who reports, how bad, what belongs together.

The names and the numbers are those of the existing guard's enrichment, so dashboards go on.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from guard_wsgi.forks import track
from guard_wsgi.telemetry.events import SecurityEvent

BUCKET_SECONDS = 300
"""Events of one client within five minutes are one story."""
MAX_STORIES = 10_000
"""Clients whose events are counted; the least recently seen go first. Some 2 MB."""

DEFAULT_THREAT_SCORE = 20
THREAT_SCORES: Mapping[str, int] = {
    "penetration_attempt": 90,
    "ip_banned": 85,
    "emergency_mode_block": 80,
    "emergency_mode_activated": 80,
    "behavioral_violation": 75,
    "detection_budget": 70,
    "pattern_detected": 70,
    "suspicious_request": 60,
    "authentication_failed": 55,
    "ip_blocked": 50,
    "xff_malformed": 50,
    "framing": 50,
    "cloud_blocked": 45,
    "user_agent_blocked": 45,
    "country_blocked": 40,
    "rate_limited": 40,
    "dynamic_rule_violation": 40,
    "access_denied": 35,
    "decorator_violation": 35,
    "content_filtered": 30,
    "https_enforced": 10,
    "path_excluded": 10,
}
"""From 10 (routine) to 90 (an attack); 20 for what is not named."""


class Enrichment:
    """Adds ``guard.*`` metadata to each event.

    :param service_name: what this app is called.
    :param environment: where it runs, such as ``production``; left out when empty.
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
        self._stories: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        track(self)

    def set_rule(self, rule_id: str | None, version: int | None) -> None:
        """The dynamic rule in force, ``None`` for none."""
        self._rule = (
            {"guard.rule.id": rule_id, "guard.rule.version": version} if rule_id is not None else {}
        )

    def __call__(self, event: SecurityEvent) -> dict[str, Any]:
        """The metadata to add; ``recent_event_count`` is of this process, this event included."""
        bucket = int(time.time()) // BUCKET_SECONDS
        story = hashlib.sha256(f"{event.ip_address}|{self._service}|{bucket}".encode())
        key = story.hexdigest()[:16]
        with self._lock:
            count = self._stories.pop(key, 0) + 1
            self._stories[key] = count
            if len(self._stories) > MAX_STORIES:
                self._stories.popitem(last=False)
        return {
            **self._fixed,
            **self._rule,
            "guard.threat_score": THREAT_SCORES.get(event.event_type, DEFAULT_THREAT_SCORE),
            "guard.behavior.correlation_key": key,
            "guard.behavior.recent_event_count": count,
        }

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
