"""The hours of a day in which a route is open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import time
from typing import TYPE_CHECKING

from attrs import frozen

from guard_wsgi.options.quoting import quoted

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::00)?\Z", re.ASCII)


@frozen(slots=True)
class TimeRestriction:
    """The hours from ``start`` through the minute of ``end``; they span midnight if ``start`` is
    later."""

    start: time
    end: time
    zone: ZoneInfo


def _clock_time(value: object) -> time:
    """A time of day to the minute: ``"9:00"``, ``"09:00"``, ``"09:00:00"`` or a ``time``."""
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0, tzinfo=None)
    if isinstance(value, str) and _CLOCK.match(value.strip()):
        try:
            hours, minutes = value.split(":")[:2]
            return time(int(hours), int(minutes))
        except ValueError:  # 24:00
            pass
    raise ValueError(f"needs a time from '00:00' to '23:59', not {quoted(value)}")


def time_restriction(
    value: TimeRestriction | Mapping[str, str] | Sequence[str] | None,
) -> TimeRestriction | None:
    """Read ``("22:00", "06:00", "Europe/Berlin")``, or a table of start, end and timezone."""
    if value is None or isinstance(value, TimeRestriction):
        return value
    if isinstance(value, Mapping):
        unknown = set(value) - {"start", "end", "timezone"}
        if unknown:
            raise ValueError(f"has the unknown key {quoted(sorted(unknown)[0])}")
        value = (value.get("start", ""), value.get("end", ""), value.get("timezone", "UTC"))
    if isinstance(value, str) or len(value) not in (2, 3):
        raise ValueError(f"needs start, end and timezone, not {quoted(value)}")
    name = (value[2] if len(value) == 3 else None) or "UTC"
    # Here, because an app without hours should not pay for these and sysconfig.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError(f"has the unknown time zone {quoted(name)}") from None
    return TimeRestriction(_clock_time(value[0]), _clock_time(value[1]), zone)
