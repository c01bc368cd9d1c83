"""Reads the guard's JSON log as events, from its beginning and then as it grows.

``telemetry/logs.py`` writes the lines. No line counts twice: the database keeps the place, and each
line has its own key as well.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from guard_wsgi.network.background import BackgroundLoop
from guard_wsgi_flask.console import search
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.intake import Intake, Sender
from guard_wsgi_flask.console.records import key_of

log = logging.getLogger("guard_wsgi.console")

APP = "log"
"""The name of the app for a log's events."""
LOOK_SECONDS = 0.5
BATCH = 1000
DOUBLES = "log-doubles"
"""The key of the app whose agent sends the same events as the log."""
DOUBLES_SECONDS = 10.0
MAX_LINE_BYTES = 65_536

_FIELDS = {
    "event": "event_type",
    "action": "action_taken",
    "client_ip": "ip_address",
    "country": "country",
    "method": "method",
    "path": "endpoint",
    "status": "status_code",
    "reason": "reason",
    "user_agent": "user_agent",
}
_NOT_METADATA = frozenset({*_FIELDS, "timestamp", "level", "logger", "message", "exception"})


def event_of_line(line: bytes, where: str) -> dict[str, Any] | None:
    """Parse the event of a line; ``None`` if it is not an event of the guard.

    :param where: the place of the line, which makes the keys of equal lines differ.
    """
    if not line.startswith(b"{") or len(line) > MAX_LINE_BYTES:
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("event"), str):
        return None
    event: dict[str, Any] = {
        field: entry[name] for name, field in _FIELDS.items() if entry.get(name) not in (None, "")
    }
    event["timestamp"] = entry.get("timestamp")
    event["metadata"] = {name: value for name, value in entry.items() if name not in _NOT_METADATA}
    event["idempotency_key"] = f"{where}:{line.decode('utf-8', 'replace')}"
    return event


def place_name(path: Path) -> str:
    """Return the key of the place up to which a log was read."""
    return "log:" + key_of("", str(path.resolve())).hex()


def progress(path: Path, database: Database) -> tuple[int, int]:
    """Return how many bytes of a log were read, and how many there are."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    inode, _, offset = (database.value(place_name(path)) or "").partition(":")
    is_this = inode == str(status.st_ino)
    return (min(int(offset), status.st_size) if is_this else 0), status.st_size


class LogReader:
    """Follows one file through rotations and truncations."""

    def __init__(self, path: Path, database: Database, intake: Intake) -> None:
        self._path = path
        self._database = database
        self._intake = intake
        self._place_name = place_name(path)
        self._next_double = 0.0
        self._loop = BackgroundLoop("guard-console-log", self._step)

    def start(self) -> None:
        self._loop.ensure_running()

    def stop(self) -> None:
        self._loop.close(5)

    def read_on(self) -> int:
        """Read new lines. Return the number of events. An incomplete line waits for its end."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return 0
        taken = 0
        with file:
            status = os.fstat(file.fileno())
            inode, offset = self._place()
            if inode != status.st_ino or offset > status.st_size:
                offset = 0  # another file with this name, or the same one truncated
            file.seek(offset)
            lines: list[tuple[int, bytes]] = []
            while line := file.readline(MAX_LINE_BYTES * 4):
                if not line.endswith(b"\n"):
                    if len(line) < MAX_LINE_BYTES * 4:
                        break
                    continue  # the rest comes as further lines, which are not events
                lines.append((offset, line))
                offset = file.tell()
                if len(lines) >= BATCH:
                    taken += self._take(lines, status.st_ino, offset)
                    lines = []
                    if self._loop.stopping():
                        return taken
            if lines:
                taken += self._take(lines, status.st_ino, offset)
        return taken

    def _take(self, lines: Iterable[tuple[int, bytes]], inode: int, offset: int) -> int:
        events: list[Mapping[str, Any]] = []
        for place, line in lines:
            event = event_of_line(line, f"{inode}:{place}")
            if event is not None:
                events.append(event)
        sender = Sender(app=APP, install=str(self._path)[:64], version="log")
        if events:
            self._intake.batch(sender, events, [], "")
            self._look_for_doubles(events[-1])
        self._database.set_value(self._place_name, f"{inode}:{offset}")
        return len(events)

    def _look_for_doubles(self, event: Mapping[str, Any]) -> None:
        """Record whether an agent sends the same events as the log, so that everything counts
        twice."""
        if time.monotonic() < self._next_double:
            return
        self._next_double = time.monotonic() + DOUBLES_SECONDS
        reference = str(event["metadata"].get("request_id") or "")
        client = str(event.get("ip_address") or "")
        app = search.sender_of(self._database, client, reference, APP) if reference else ""
        self._database.set_value(DOUBLES, app)

    def _place(self) -> tuple[int, int]:
        inode, _, offset = (self._database.value(self._place_name) or "").partition(":")
        return (int(inode), int(offset)) if inode and offset else (0, 0)

    def _step(self) -> float:
        try:
            self.read_on()
        except Exception as error:  # the file may be readable later
            log.warning("could not read %s: %r", self._path, error)
        return LOOK_SECONDS
