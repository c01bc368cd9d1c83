"""Events as agents send them."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.test import TestResponse

from guard_wsgi.telemetry.events import SecurityEvent
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.serving import Console

FINDING = {
    "category": "sqli",
    "location": "query",
    "name": "q",
    "value": "1' UNION SELECT password FROM users--",
    "view": "raw",
    "indicators": "sql.union_select sql.quoted_union",
    "score": 4.8,
    "threshold": 1.0,
}


def event(**changes: Any) -> dict[str, Any]:
    """An attack that was refused."""
    metadata = changes.pop("metadata", {})
    at = {"timestamp": changes.pop("timestamp")} if "timestamp" in changes else {}
    fields: dict[str, Any] = {
        "event_type": "penetration_attempt",
        "ip_address": "203.0.113.7",
        "action_taken": "request_blocked",
        "reason": "sqli in query 'q' (score 4.80)",
        "endpoint": "/search",
        "method": "GET",
        "status_code": 400,
        "user_agent": "curl/8.5",
        **changes,
    }
    extra = {name: fields.pop(name) for name in list(fields) if name not in _FIELDS}
    fields["metadata"] = {
        "check": "suspicious_activity",
        "threat_categories": ["sqli"],
        "findings": [FINDING],
        **metadata,
    }
    return {**json.loads(json.dumps(SecurityEvent(**fields).as_wire(), default=str)), **extra, **at}


_FIELDS = frozenset(SecurityEvent.__slots__)


def send(
    console: Console,
    key: NewKey,
    *events: dict[str, Any],
    path: str = "events",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    **batch: Any,
) -> TestResponse:
    """Post a batch to the wire."""
    if body is None:
        body = json.dumps(
            {"project_id": "p", "events": list(events), "metrics": [], **batch}
        ).encode()
    return console.app.test_client().post(
        f"/api/v1/{path}",
        data=body,
        headers={"X-API-Key": key.text, "Content-Type": "application/json", **(headers or {})},
    )
