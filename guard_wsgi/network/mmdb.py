"""Reads country and network (AS) of an address from an MMDB file.

The makers of such files agree on the format, but not on the names inside:

- MaxMind and DB-IP: ``{"country": {"iso_code": "NL"}}``, ``{"autonomous_system_number": 1103}``;
- IPinfo's country_asn: ``{"country": "NL", "country_name": ..., "asn": "AS1103"}``;
- IPinfo Lite: ``{"country": "Netherlands", "country_code": "NL", "asn": "AS1103"}``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from attrs import field, frozen

from guard_wsgi.errors import GuardError, MissingExtra

CHANGE_CHECK_SECONDS = 30.0
"""How often to look for a newer file: one stat() of microseconds."""


class GeoDatabaseError(GuardError):
    """The country database is missing or not an MMDB file."""


def country_of(record: object) -> str | None:
    """Return the country's two-letter code of a record, in upper case, for any maker's database."""
    if not isinstance(record, Mapping):
        return None
    # An address used by a service abroad has a registered_country only.
    for name in ("country_code", "country", "registered_country"):
        value = record.get(name)
        if isinstance(value, Mapping):
            value = value.get("iso_code")
        if isinstance(value, str) and len(value) == 2:
            return value.upper()
    return None


def asn_of(record: object) -> int | None:
    """Return the number of the autonomous system of a record, for any maker's database."""
    if not isinstance(record, Mapping):
        return None
    traits = record.get("traits")
    for holder in (record, traits if isinstance(traits, Mapping) else {}):
        for name in ("autonomous_system_number", "asn"):
            value = holder.get(name)
            if isinstance(value, int):
                return value
            if isinstance(value, str):
                digits = value.upper().removeprefix("AS")
                if digits.isascii() and digits.isdigit():
                    return int(digits)
    return None


@frozen(slots=True)
class _Opened:
    reader: Any = field(repr=False)
    database_type: str
    built_at: float
    identity: tuple[int, int, int]
    modified_at: float


class GeoDatabase:
    """An MMDB file. It is opened again when it is replaced; a bad replacement is ignored.

    The file is mapped into memory, so it must be replaced by renaming (as geoipupdate does), never
    overwritten in place. Forked workers share the mapping.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.error = ""
        self._opened: _Opened | None = None
        self._checked_at = -CHANGE_CHECK_SECONDS

    def open(self) -> None:
        """Open the file, or its replacement.

        :raises GeoDatabaseError: if it is missing or not a database; the old file stays open.
        :raises MissingExtra: without the package maxminddb.
        """
        self._checked_at = monotonic()
        try:
            stat = os.stat(self.path)
        except OSError as error:
            self.error = f"{self.path}: {error.strerror or error}"
            raise GeoDatabaseError(self.error) from error
        identity = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if self._opened is not None and self._opened.identity == identity:
            return
        self._opened = open_database(self.path, identity, stat.st_mtime)
        self.error = ""

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    @property
    def modified_at(self) -> float | None:
        """The time at which the open file was written, in seconds since the epoch."""
        return self._opened.modified_at if self._opened else None

    def record(self, text: str) -> object:
        """Return the record of an address; ``None`` if there is none, or no file is open."""
        if monotonic() - self._checked_at >= CHANGE_CHECK_SECONDS:
            self._follow_changes()
        opened = self._opened
        if opened is None:
            return None
        found: object = opened.reader.get(text)
        return found

    def _follow_changes(self) -> None:
        try:
            self.open()
        except GeoDatabaseError as error:
            self.error = str(error)

    def close(self) -> None:
        # Do not call reader.close(): another thread may be inside a lookup. The mapping ends with
        # its last user.
        self._opened = None

    def status(self) -> dict[str, Any]:
        """``{"path", "type", "age_seconds" (since the makers built it), "error"}``."""
        opened = self._opened
        return {
            "path": str(self.path),
            "type": opened.database_type if opened else None,
            "age_seconds": round(max(0.0, time.time() - opened.built_at)) if opened else None,
            "error": self.error or None,
        }


def open_database(path: Path, identity: tuple[int, int, int], modified_at: float) -> _Opened:
    """:raises GeoDatabaseError: if the file is not an MMDB database.

    :raises MissingExtra: without the package maxminddb.
    """
    try:
        import maxminddb
    except ImportError:
        raise MissingExtra("a country database", "geo") from None
    try:
        reader = maxminddb.open_database(path)
        metadata = reader.metadata()
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise GeoDatabaseError(f"{path}: not an MMDB database: {error}") from error
    return _Opened(
        reader, metadata.database_type, float(metadata.build_epoch), identity, modified_at
    )


def check_database(path: Path) -> None:
    """Check a downloaded file: it opens, and its records have countries.

    :raises GeoDatabaseError: if not.
    """
    opened = open_database(path, (0, 0, 0), 0.0)
    try:
        for index, (_, record) in enumerate(opened.reader):
            if country_of(record):
                return
            if index == 1000:
                break
    except ValueError as error:  # maxminddb.InvalidDatabaseError among them
        raise GeoDatabaseError(f"{path}: damaged: {error}") from error
    finally:
        opened.reader.close()
    raise GeoDatabaseError(f"{path}: no countries in its records")
