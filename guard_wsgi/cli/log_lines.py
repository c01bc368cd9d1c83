"""Reads the refusals in the lines of a ``custom_log_file``, of either format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from guard_wsgi.telemetry.logs import REPEATS_LOGGED

WOULD_HAVE = "logged_only"
REFUSED = "request_blocked"

MAX_LINE_CHARS = 8192
"""How much of a line is read: the guard caps what it quotes, so its own lines are shorter. The time
is the square of the length where other text looks like many beginnings."""

_LINE = re.compile(
    r"(?P<verb>Would have blocked|Blocked) (?P<method>\S+) (?P<path>\S+)"
    r"(?: from (?P<client>[^\s:]\S*?))?: (?P<reason>.*?)"
    r" \[event=\S+ check=(?P<check>[^\s\]]+)(?: [^\]]*?id=(?P<reference>\w+))?"
)
_FINDING = re.compile(
    r"\b(?P<category>\w+) in (?P<location>\w+)(?: '(?P<name>.{0,200}?)')?"
    r"(?: \(score (?P<score>[\d.]+)\)|: [^:;()]{1,200} \((?P<limit>\w+(?:=\d+)?)\))"
)
_REPEATS = re.compile(r"\((\d+) times this minute\)\s*\Z")
_LOG_LINE = re.compile(r"\b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b|guard_wsgi")
_VERBS = {"Would have blocked": WOULD_HAVE, "Blocked": REFUSED}


class SeenLines:
    """The lines of a file, which are counted.

    :ivar is_log: whether a line looks like one of a log: JSON with a level, or a text line with
        one.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.count = 0
        self.is_log = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if line.strip():
                self.count += 1
                self.is_log = self.is_log or _LOG_LINE.search(line) is not None
            yield line


def read(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the refusals in the lines of a log, each with action, check, path, client, findings."""
    for line in lines:
        entry = _from_json(line) if line.startswith("{") else _from_text(line)
        if entry is not None:
            yield entry


def _from_json(line: str) -> Mapping[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("action") not in (WOULD_HAVE, REFUSED):
        return None
    return {
        "action": entry["action"],
        "check": str(entry.get("check") or "unknown"),
        "reference": str(entry.get("request_id") or ""),
        "path": str(entry.get("path") or "/"),
        "client": str(entry.get("client_ip") or ""),
        "repeats": _whole(entry.get("repeats")),
        "reason": str(entry.get("reason") or ""),
        "findings": [one for one in entry.get("findings") or () if isinstance(one, dict)],
    }


def _whole(value: object) -> int:
    return value if type(value) is int else 0


def _from_text(line: str) -> Mapping[str, Any] | None:
    match = _LINE.search(line, 0, MAX_LINE_CHARS)
    if match is None:
        return None
    findings = [found.groupdict("") for found in _FINDING.finditer(match["reason"])]
    return {
        "action": _VERBS[match["verb"]],
        "check": match["check"],
        "reference": match["reference"] or "",
        "path": match["path"],
        "client": match["client"] or "",
        "repeats": int(repeats[1]) if (repeats := _REPEATS.search(line)) else 0,
        "reason": match["reason"],
        "findings": findings,
    }


def requests_of(entry: Mapping[str, Any]) -> int:
    """Return the requests that a line stands for: in a storm, a check logs only some refusals of a
    client, with their number in the minute (telemetry/logs.py)."""
    repeats: int = entry.get("repeats", 0)
    if repeats < 2:
        return 1
    logged_before = max(repeats // 2, min(REPEATS_LOGGED, repeats - 1))
    return repeats - logged_before
