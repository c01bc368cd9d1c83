"""The log as a sink: loggers ``guard_wsgi.<area>``, structured ``extra=``, nothing installed.

It sets no handler and no level unless ``custom_log_file`` names a file. A line has address, method,
path, check and reason; no headers, no body, and of the query only what a finding contains. Text of
attackers is escaped and cut; the bus has redacted secrets.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from guard_wsgi.errors import ConfigError
from guard_wsgi.repeats import is_reported
from guard_wsgi.telemetry.escaping import escape
from guard_wsgi.telemetry.event_types import EventType, type_of
from guard_wsgi.telemetry.events import SecurityEvent
from guard_wsgi.telemetry.redaction import Redaction

if TYPE_CHECKING:
    from guard_wsgi.request.view import GuardRequest

ROOT = "guard_wsgi"

TEXT_FORMAT = "[%(name)s] %(asctime)s - %(levelname)s - %(message)s"

REPEATS_LOGGED = 10
"""How many refusals of a client each check logs one by one, per minute."""
LINES_LOGGED = 600
"""Lines per minute. After them, repeats of every client are logged at powers of two only: an attack
from a thousand addresses is a flood as well."""
REPEATS_SECONDS = 60.0
MAX_REPEATS_KEPT = 10_000
"""The most addresses to count. Attackers choose them; forgetting some only makes more lines."""


def log_level(name: str | int | None) -> int | None:
    """Return a level by name or number; ``None`` means "do not log".

    :raises ValueError: if there is no level of that name.
    """
    if name is None or isinstance(name, int):
        return name
    level = logging.getLevelName(name.upper())
    if not isinstance(level, int):
        raise ValueError(f"{name!r} is not a log level")
    return level


def _names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


@frozen(slots=True, kw_only=True)
class LogSettings:
    """What is logged, at which level, and into which file.

    :ivar request_level: the level of one line per request; ``None`` for none, since servers have
        access logs.
    :ivar suspicious_level: the level of refusals and findings; ``None`` for none.
    :ivar country_level: the level of verdicts on countries that did not refuse; ``None`` for none.
    :ivar muted_checks: names of checks whose lines are left out.
    :ivar file_path: a file to append to; its directory is made, and rotation works.
    :ivar file_format: ``"text"`` or ``"json"`` (one object a line), for that file.
    """

    request_level: int | None = field(default=None, converter=log_level)
    suspicious_level: int | None = field(default=logging.WARNING, converter=log_level)
    country_level: int | None = field(default=logging.INFO, converter=log_level)
    muted_checks: frozenset[str] = field(default=frozenset(), converter=_names)
    file_path: str | None = None
    file_format: Literal["text", "json"] = "text"


class LogSink:
    """Writes events to :mod:`logging`.

    :raises ConfigError: if ``file_path`` can't be written.
    """

    takes_muted_events = True
    """``muted_event_types`` mutes what leaves the machine; ``muted_check_logs`` mutes the log."""
    wants_metrics = False

    def __init__(
        self, settings: LogSettings | None = None, redaction: Redaction | None = None
    ) -> None:
        self.settings = settings = settings if settings is not None else LogSettings()
        self._muted_checks = settings.muted_checks
        self._redaction = redaction if redaction is not None else Redaction()
        self._loggers: dict[str, logging.Logger] = {}
        self._kinds: dict[tuple[str, str], tuple[int | None, logging.Logger]] = {}
        self._repeats: dict[tuple[str, str], int] = {}
        self._repeats_end = 0.0
        self._lines = 0
        self.marks = {"guard_sink": id(self)}
        """Attributes of a record that belongs into this guard's file only."""
        self._file: logging.Handler | None = None
        if settings.file_path:
            self._file = self._open(settings.file_path, settings.file_format)

    def accepts(
        self, event_type: str, request: GuardRequest | None, action_taken: str, check: str
    ) -> bool:
        """Whether the event makes a line: it is not muted, its level is enabled, and it is not a
        repeat in a storm.

        Each check logs a client's first ten refusals per minute, then the 16th, 32nd, and so on,
        with their number. Once a minute has 600 lines, only the powers of two are logged. So a
        flood does not fill the disk or slow requests, and hides no client.
        """
        is_refusal = action_taken == "request_blocked"
        if is_refusal and request is not None:
            repeats, now = self._repeats, monotonic()  # first: in a flood most ends here
            if now >= self._repeats_end or len(repeats) >= MAX_REPEATS_KEPT:
                repeats = self._repeats = {}
                self._repeats_end = now + REPEATS_SECONDS
                self._lines = 0
            key = (request.identity.client_ip, check)
            repeats[key] = count = repeats.get(key, 0) + 1
            if not is_reported(count) and (count > REPEATS_LOGGED or self._lines >= LINES_LOGGED):
                return False
        if check in self._muted_checks:
            return False
        kind = (event_type, action_taken)
        level, logger = self._kinds.get(kind) or self._look_up(kind)
        if level is None or not logger.isEnabledFor(level):
            return False
        self._lines += is_refusal
        return True

    def send_event(self, event: SecurityEvent) -> None:
        """Log one event."""
        kind = (event.event_type, event.action_taken)
        level, logger = self._kinds.get(kind) or self._look_up(kind)
        if level is None:
            return
        extra = self._extra(event)
        sentence = _sentence(event)
        repeats = self._repeats.get((event.ip_address, event.metadata.get("check", "")), 0)
        logged_all = REPEATS_LOGGED if self._lines < LINES_LOGGED else 2
        if repeats > logged_all and event.action_taken == "request_blocked":
            extra["guard_repeats"] = repeats
            sentence += f" ({repeats} times this minute)"
        logger.log(level, "%s", sentence, extra=extra)

    def log_request(self, request: GuardRequest) -> None:
        """Log one line for a request, if ``log_request_level`` is set."""
        level = self.settings.request_level
        if level is None:
            return
        logger = self._logger("request")
        if logger.isEnabledFor(level):
            path = escape(request.path)
            query = request.query_string
            if query:
                path += "?" + escape(self._redaction.text(query))
            client_ip, method = escape(request.client_ip), escape(request.method, 32)
            logger.log(
                level,
                "Request from %s: %s %s",
                client_ip,
                method,
                path,
                extra={
                    **self.marks,
                    "guard_event": "request",
                    "guard_client_ip": client_ip,
                    "guard_method": method,
                    "guard_path": path,
                },
            )

    @property
    def takes_countries(self) -> bool:
        """Whether :meth:`log_country` writes anything."""
        level = self.settings.country_level
        return (
            level is not None
            and "country" not in self.settings.muted_checks
            and self._logger("access").isEnabledFor(level)
        )

    def log_country(self, request: GuardRequest, country: str | None, verdict: str) -> None:
        """Log one line for a verdict on a country that did not refuse
        (``log_country_check_level``)."""
        level = self.settings.country_level
        if level is not None and self.takes_countries:
            self._logger("access").log(
                level,
                "Country of %s is %s: %s",
                escape(request.client_ip),
                country or "unknown",
                verdict,
                extra={
                    **self.marks,
                    "guard_event": "country_check",
                    "guard_client_ip": escape(request.client_ip),
                    "guard_country": country,
                },
            )

    def close(self) -> None:
        """Remove the file's handler and close it."""
        if self._file is not None:
            logging.getLogger(ROOT).removeHandler(self._file)
            self._file.close()
            self._file = None

    def _look_up(self, kind: tuple[str, str]) -> tuple[int | None, logging.Logger]:
        """Return the level and the logger, from an event's type and action."""
        event_type = type_of(kind[0])
        found = self._level(event_type, kind[1]), self._logger(event_type.area)
        self._kinds[kind] = found
        return found

    def _level(self, event_type: EventType, action_taken: str) -> int | None:
        if not event_type.is_quiet and (action_taken or event_type.is_suspicious):
            return self.settings.suspicious_level
        return event_type.level

    def _logger(self, area: str) -> logging.Logger:
        logger = self._loggers.get(area)
        if logger is None:
            logger = self._loggers[area] = logging.getLogger(f"{ROOT}.{area}")
        return logger

    def _extra(self, event: SecurityEvent) -> dict[str, Any]:
        metadata = event.metadata
        extra: dict[str, Any] = {
            **self.marks,
            "guard_event": event.event_type,
            "guard_action": event.action_taken,
            "guard_client_ip": escape(event.ip_address),
            "guard_country": event.country,
            "guard_method": escape(event.method or ""),
            "guard_path": escape(event.path or event.endpoint or ""),
            "guard_status": event.status_code,
            "guard_reason": escape(event.reason),
            "guard_user_agent": escape(event.user_agent or ""),
        }
        for name, value in metadata.items():
            extra[f"guard_{name}"] = _escaped(value)
        return extra

    def _open(self, path: str, file_format: str) -> logging.Handler:
        import logging.handlers  # here, because most apps have no file of the guard's own

        fault = log_file_fault(path)
        if fault:
            raise ConfigError([fault])
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError([_unwritable(path, error.strerror or str(error))]) from error
        # Opened with the first line, in the process that writes it; opened again after a rotation.
        handler = logging.handlers.WatchedFileHandler(path, delay=True, encoding="utf-8")
        handler.setFormatter(
            JsonFormatter() if file_format == "json" else logging.Formatter(TEXT_FORMAT)
        )
        token = id(self)
        # Two apps in one process share the loggers, but not the files.
        handler.addFilter(lambda record: getattr(record, "guard_sink", token) == token)
        logger = logging.getLogger(ROOT)
        logger.addHandler(handler)
        if logger.level == logging.NOTSET:
            # An app that sets a file wants all lines of the guard, not only its warnings.
            logger.setLevel(_lowest(self.settings))
        return handler


def log_file_fault(path: str) -> str:
    """Say why a log file can't be written, as far as one can see without a trial; "" if it can."""
    file = Path(path)
    if file.is_dir():
        return _unwritable(path, "it is a folder")
    folder = next(folder for folder in (file.parent, *file.parent.parents) if folder.exists())
    if not folder.is_dir():
        return _unwritable(path, f"{str(folder)!r} is no folder")
    if not os.access(file if file.exists() else folder, os.W_OK):
        return _unwritable(path, "permission denied")
    return ""


def _unwritable(path: str, reason: str) -> str:
    return f"custom_log_file: can't write to {path!r}: {reason}"


class JsonFormatter(logging.Formatter):
    """Writes one JSON object per line: timestamp, level, logger, message, and the ``guard_``
    fields."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "timestamp": when.isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in vars(record).items():
            if name.startswith("guard_") and name != "guard_sink":
                line[name.removeprefix("guard_")] = value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


_SAID = {"ip_banned": "Banned", "ip_unbanned": "Unbanned", "ip_ban_failed": "Did not ban"}
"""Verbs for actions on an address."""

_EMERGENCY = {
    "emergency_mode_activated": "Emergency mode is on: clients outside of its allow list get 503",
    "emergency_mode_deactivated": "Emergency mode is off",
}


def _sentence(event: SecurityEvent) -> str:
    """``Blocked GET /login from 203.0.113.7: reason [check=ip_ban status=403]``, escaped."""
    metadata = event.metadata
    verbs = {"request_blocked": "Blocked", "logged_only": "Would have blocked"}
    verb = verbs.get(event.action_taken) or _SAID.get(event.event_type)
    verb = verb or _EMERGENCY.get(event.event_type)
    words = [verb or event.event_type.replace("_", " ").capitalize()]
    if event.method:
        words += [escape(event.method, 32), escape(event.path or event.endpoint or "/")]
    if event.ip_address:
        if event.event_type not in _SAID or event.method:
            words.append("from" if event.method else "for")
        words.append(escape(event.ip_address, 64))
    if event.event_type == "ip_banned" and metadata.get("duration"):
        words.append(f"for {metadata['duration']} s")
    sentence = " ".join(words)
    if event.reason:
        sentence += ": " + escape(event.reason)
    marks: tuple[tuple[str, object], ...] = (
        ("event", event.event_type if event.action_taken in verbs else None),
        ("check", metadata.get("check")),
        ("status", event.status_code),
        ("id", metadata.get("request_id")),
    )
    reported = " ".join(f"{name}={escape(str(value), 64)}" for name, value in marks if value)
    return f"{sentence} [{reported}]" if reported else sentence


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(str(key), 64): _escaped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(item) for item in value]
    return value


def _lowest(settings: LogSettings) -> int:
    levels: Iterable[int | None] = (settings.request_level, settings.country_level, logging.INFO)
    return min(level for level in levels if level is not None)
