"""Bans that an app's guard has reported."""

from __future__ import annotations

import json

from sqlalchemy import select

from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now

MAX_BAN_EVENTS = 2_000
"""How many events to search for a client's ban: some milliseconds."""


def reported_ban(database: Database, address: str, app: str) -> tuple[int, str] | None:
    """Return a reported ban that is still in force: (its end, its reason).

    It searches the client's newest events, then the newest bans of all clients. There may be a
    million of either: an attack causes many.
    """
    events = schema.events
    bans = ("ip_banned", "ip_unbanned")
    row = None
    with database.read() as connection:
        for led_by in (events.c.client == address, events.c.kind.in_(bans)):
            newest = (
                select(events).where(led_by).order_by(events.c.at.desc()).limit(MAX_BAN_EVENTS)
            ).subquery()
            asked = (
                select(newest.c.kind, newest.c.at, newest.c.reason, newest.c.rest)
                .where(newest.c.client == address, newest.c.app == app)
                .where(newest.c.kind.in_(bans))
                .order_by(newest.c.at.desc())
                .limit(1)
            )
            row = row or connection.execute(asked).mappings().first()
    if row is None or row["kind"] != "ip_banned":
        return None
    metadata = json.loads(row["rest"]).get("metadata")
    seconds = metadata.get("duration") if isinstance(metadata, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        return None
    ends = row["at"] + int(min(seconds, 1e10) * 1_000_000)
    return (ends, str(row["reason"])) if ends > now() else None
