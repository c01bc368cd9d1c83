"""The effects of rules: what exclusions let through, what other rules refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import select

from guard_wsgi.checks.exclusion_reports import EVENT, name_of
from guard_wsgi.config.exclusion import DetectionExclusion, detection_exclusions
from guard_wsgi_flask.console import overview, schema, search
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.records import silenced

MAX_LATEST = 500
"""How many events to search for the clients of exclusions: guards send at most ten per minute and
exclusion."""

RULES, CONFIGURATION, GONE = "the rules", "guard.toml", "no longer active"


@define(slots=True)
class ExclusionEffect:
    """An exclusion and what it has let through.

    :ivar source: where it is: RULES, CONFIGURATION or GONE.
    :ivar requests: how many requests would have been refused without it.
    :ivar clients: the clients of the newest events.
    :ivar last: the number and time of the newest event; zeros for none.
    """

    entry: Mapping[str, Any]
    source: str
    requests: int = 0
    clients: set[str] = field(factory=set)
    last: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """The name from :func:`name_of`."""
        return json.dumps(dict(self.entry), sort_keys=True)

    @property
    def prefix(self) -> str:
        """The beginning of the paths that it covers."""
        return str(self.entry.get("path", "")).removesuffix("*")


def excluded(
    database: Database,
    app: str,
    period: str,
    in_rules: Iterable[Mapping[str, Any]],
    configured: Iterable[DetectionExclusion],
) -> list[ExclusionEffect]:
    """Return the active exclusions, and earlier ones that let something through, sorted by how much
    they let through."""
    found: dict[str, ExclusionEffect] = {}
    for one in configured:
        found[name_of(one)] = ExclusionEffect(one.as_entry(), CONFIGURATION)
    for one in detection_exclusions(list(in_rules)):
        found[name_of(one)] = ExclusionEffect(one.as_entry(), RULES)
    for counted in overview.top(database, schema.EXCLUSION, period, app, most=200):
        known = found.get(counted.value)
        if known is None:
            known = found[counted.value] = ExclusionEffect(_entry(counted.value), GONE)
        known.requests = counted.seen
    for row in _latest(database, app):
        known = found.get(silenced(row)[0])
        if known is not None:
            known.clients.add(row["client"])
            known.last = known.last if known.last[0] else (row["id"], row["at"])
    return sorted(found.values(), key=lambda one: (one.source == GONE, -one.requests))


def _entry(name: str) -> Mapping[str, Any]:
    """Parse an exclusion from an agent; a text if no guard would accept it."""
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
