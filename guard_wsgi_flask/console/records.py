"""Converts an event to a row, and a row back to the event."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from guard_wsgi.cli.reporting import REFUSED, WOULD_HAVE, general

MAX_TEXT = 2048
"""The most characters of a column. The agent cuts at 512; a longer text of another sender is cut
here, but complete in the event's JSON."""
MAX_EVENT_BYTES = 65_536
FUTURE_MICROSECONDS = 3_600_000_000
"""A clock that is further ahead than this is wrong: its events would stay on top."""

_COLUMNS = (
    ("event_type", "kind"),
    ("ip_address", "client"),
    ("country", "country"),
    ("method", "method"),
    ("user_agent", "user_agent"),
    ("reason", "reason"),
)
"""Fields of an event that are only in a column, if they fit into it."""

_VARIABLE = re.compile(r"<[^<>/]*>.*", re.DOTALL)
"""A variable of a route's template, and the rest of the path."""

_REFUSED = frozenset({REFUSED, "blocked", "denied"})
_WOULD = frozenset({WOULD_HAVE, "would_block", "monitored"})


def clean(value: Any, most: int = MAX_TEXT) -> str:
    """Return text that every database accepts: no NUL, no lone surrogates, not too long."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    if "\x00" in text:
        text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text[:most]


def time_of(value: Any, received: int) -> int:
    """Parse an ISO 8601 text, or seconds, as microseconds since the epoch; ``received`` for other
    values."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            at = int(value * 1_000_000)
        else:
            text = str(value).strip()
            when = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in "Zz" else text)
            if when.tzinfo is None:
                when = when.replace(tzinfo=UTC)
            at = int(when.timestamp() * 1_000_000)
    except (ValueError, OverflowError, TypeError):
        return received
    return at if 0 < at <= received + FUTURE_MICROSECONDS else received


def row_of(event: Mapping[str, Any], app: str, received: int) -> dict[str, Any] | None:
    """Return the row of an event; ``None`` if it has no type or is far too large."""
    kind = clean(event.get("event_type"), 64)
    if not kind:
        return None
    metadata = event.get("metadata")
    known: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
    row: dict[str, Any] = {}
    rest = dict(event)
    for name, column in _COLUMNS:
        value = event.get(name)
        row[column] = kept = clean(value)
        if kept and kept == value:
            del rest[name]
    key = event.get("idempotency_key")
    status = event.get("status_code")
    if isinstance(status, int) and not isinstance(status, bool) and 0 <= status < 1000:
        rest.pop("status_code", None)
    else:
        status = None
    try:
        text = json.dumps(rest, separators=(",", ":"), default=str)
        identity = key if isinstance(key, str) and key else json.dumps(event, default=str)
    except (ValueError, RecursionError):
        return None
    if len(text) > MAX_EVENT_BYTES:
        return None
    action = str(event.get("action_taken") or "")
    row["outcome"] = "refused" if action in _REFUSED else "would" if action in _WOULD else "told"
    row["category"] = category_of(known, kind)
    row["check_name"] = clean(known.get("check"), 64)
    row["path"] = clean(path_of(event))
    row["template"] = clean(template_of(event), 256)
    row["key"] = key_of(app, identity)
    row["at"] = time_of(event.get("timestamp"), received)
    row.update(app=app, received=received, status=status, rest=text)
    return row


def category_of(metadata: Mapping[str, Any], kind: str) -> str:
    """Return the category of an attack, or else the event's type."""
    categories = metadata.get("threat_categories")
    if isinstance(categories, list) and categories and isinstance(categories[0], str):
        return clean(categories[0], 64)
    category = metadata.get("category") or metadata.get("threat_category")
    return clean(category, 64) if isinstance(category, str) and category else kind


def key_of(app: str, text: str) -> bytes:
    """Return the key of an item that may be sent twice."""
    return hashlib.blake2b(f"{app}\0{text}".encode("utf-8", "replace"), digest_size=16).digest()


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the original event, with unknown fields."""
    event: dict[str, Any] = json.loads(row["rest"])
    for name, column in _COLUMNS:
        if row[column]:
            event.setdefault(name, row[column])
    if row["status"] is not None:
        event.setdefault("status_code", row["status"])
    return event


def silenced(row: Mapping[str, Any]) -> tuple[str, int]:
    """Return the exclusion of an event ``detection_excluded``, and the number of its requests."""
    metadata = event_of(row).get("metadata")
    known: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
    number = known.get("count")
    counted = number if isinstance(number, int) and not isinstance(number, bool) else 1
    return clean(known.get("exclusion")), min(max(counted, 1), MAX_SILENCED)


MAX_SILENCED = 1_000_000
"""The most requests of one event: a guard looks at 600 a minute."""


def path_of(event: Mapping[str, Any]) -> str:
    """Return the requested path, if the agent sends it (``agent_send_paths``); else the route's
    template, or the other agent's endpoint."""
    return str(event.get("path") or event.get("endpoint") or "")


def template_of(event: Mapping[str, Any]) -> str:
    """Return the path for counts and exclusions: ``*`` from the first varying part on."""
    return general(_VARIABLE.sub("*", path_of(event)))


def findings_of(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the findings in the guard's own form: texts are texts, scores are numbers."""
    metadata = event.get("metadata")
    found = metadata.get("findings") if isinstance(metadata, dict) else None
    if not isinstance(found, list):
        return []
    return [
        {
            **{name: clean(one.get(name)) for name in _FINDING_TEXTS},
            "score": _finite(one.get("score"), 0.0),
            "threshold": _finite(one.get("threshold"), 1.0),
        }
        for one in found[:MAX_FINDINGS]
        if isinstance(one, dict)
    ]


_FINDING_TEXTS = ("category", "location", "name", "value", "view", "indicators")
MAX_FINDINGS = 50
"""The most findings: the guard sends eight."""


def _finite(value: Any, otherwise: float) -> float:
    """Return a finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return min(max(number, -1e6), 1e6) if number == number else otherwise
