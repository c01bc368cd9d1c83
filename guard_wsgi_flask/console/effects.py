"""What rules cost and bring: what exclusions let through, what the others refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import select

from guard_wsgi.checks.silenced import EVENT, name_of
from guard_wsgi.config.tables import DetectionExclusion, detection_exclusions
from guard_wsgi_flask.console import overview, schema, search
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.records import silenced

MAX_LATEST = 500
"""Events that are looked through for the clients of exclusions: guards send at most ten a minute
and exclusion."""

RULES, CONFIGURATION, GONE = "the rules", "guard.toml", "no longer in force"


@define(slots=True)
class Excluded:
    """An exclusion and what it has let through.

    :ivar source: where it is written: RULES, CONFIGURATION or GONE.
    :ivar requests: that would have been refused but for it.
    :ivar clients: of the newest events.
    :ivar last: the number and time of the newest event; zeros for none.
    """

    entry: Mapping[str, Any]
    source: str
    requests: int = 0
    clients: set[str] = field(factory=set)
    last: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """As :func:`name_of` says it."""
        return json.dumps(dict(self.entry), sort_keys=True)

    @property
    def prefix(self) -> str:
        """How the paths begin that it covers."""
        return str(self.entry.get("path", "")).removesuffix("*")


def excluded(
    database: Database,
    app: str,
    period: str,
    in_rules: Iterable[Mapping[str, Any]],
    configured: Iterable[DetectionExclusion],
) -> list[Excluded]:
    """Exclusions in force, and those that were while something was let through; the dearest
    first."""
    found: dict[str, Excluded] = {}
    for one in configured:
        found[name_of(one)] = Excluded(one.as_entry(), CONFIGURATION)
    for one in detection_exclusions(list(in_rules)):
        found[name_of(one)] = Excluded(one.as_entry(), RULES)
    for counted in overview.top(database, schema.EXCLUSION, period, app, most=200):
        known = found.get(counted.value)
        if known is None:
            known = found[counted.value] = Excluded(_entry(counted.value), GONE)
        known.requests = counted.seen
    for row in _latest(database, app):
        known = found.get(silenced(row)[0])
        if known is not None:
            known.clients.add(row["client"])
            known.last = known.last if known.last[0] else (row["id"], row["at"])
    return sorted(found.values(), key=lambda one: (one.source == GONE, -one.requests))


def _entry(name: str) -> Mapping[str, Any]:
    """What an agent has said of an exclusion; as a text where no guard would take it."""
    try:
        return detection_exclusions([json.loads(name)])[0].as_entry()
    except (ValueError, RecursionError):
        return {"path": name}


def _latest(database: Database, app: str) -> list[search.Row]:
    events = schema.events
    asked = (
        select(events)
        .where(events.c.kind == EVENT, events.c.app == app)
        .order_by(events.c.at.desc())
        .limit(MAX_LATEST)
    )
    with database.read() as connection:
        return [search.plain(row) for row in connection.execute(asked).mappings()]
