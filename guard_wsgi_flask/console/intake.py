"""Stores what agents send: once, counted, and on disk before it is acknowledged."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, frozen
from sqlalchemy import Connection, Update, insert, select, update

from guard_wsgi.checks.exclusion_reports import EVENT as SILENCED
from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.geography import Geography
from guard_wsgi_flask.console.records import clean, key_of, row_of, silenced, time_of
from guard_wsgi_flask.console.retention import add_stored, begin_to_count

MICROSECONDS = 1_000_000
HOUR = 3600
DAY = 86_400
_DIMENSIONS = tuple((dimension, dimension + schema.DAY) for dimension in schema.DIMENSIONS)
NO_ENDPOINT = "(none)"
MAX_REQUESTS = 1_000_000_000
"""The most in one metric: more is not a count of requests, and a column holds at most twice
that."""
MAX_STATUS = 131_072
"""The most characters of an agent's report: a thousand routes take some 60,000."""
_LOOKUP = 500
"""How many keys to query at once: SQLite takes 32,766 values in a statement, others fewer."""


@frozen(slots=True)
class Sender:
    """The sender: an agent of an app, or the log.

    :ivar install: distinguishes the agents of an app.
    """

    app: str
    install: str
    version: str = ""
    project: str = ""
    key_id: int | None = None


@define(slots=True)
class Stored:
    """The result for a batch."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0


class Intake:
    """Stores batches in a database."""

    def __init__(self, database: Database, geography: Geography | None = None) -> None:
        self._database = database
        self._geography = geography
        begin_to_count(database)

    def batch(
        self, sender: Sender, events: Sequence[Any], metrics: Sequence[Any], batch_id: str
    ) -> Stored:
        """Store a batch in one transaction, without items that were stored before."""
        received = now()
        stored = Stored()
        rows: dict[bytes, dict[str, Any]] = {}
        for event in events:
            row = row_of(event, sender.app, received) if isinstance(event, dict) else None
            if row is None:
                stored.rejected += 1
            elif row["key"] in rows:
                stored.duplicates += 1
            else:
                rows[row["key"]] = row
                if self._geography is not None and not row["country"]:
                    row["country"] = self._geography.country(row["client"])
        measured = [made for one in metrics if (made := _metric(one, sender.app, received))]
        stored.rejected += len(metrics) - len(measured)
        with self._database.write() as connection:
            for known in _known(connection, list(rows)):
                del rows[known]
                stored.duplicates += 1
            if rows:
                connection.execute(insert(schema.events), list(rows.values()))
                self._count(connection, rows.values())
                add_stored(self._database, connection, len(rows))
            if measured and self._is_new(connection, sender, batch_id, received):
                connection.execute(insert(schema.metrics), measured)
                self._count_requests(connection, measured)
            else:
                stored.duplicates += len(measured)
                measured = []
            self._seen(connection, sender, received, clears=True)
        stored.accepted = len(rows) + len(measured)
        self._database.wake_readers()
        return stored

    def status(self, sender: Sender, status: Mapping[str, Any]) -> None:
        """Store an agent's report of itself."""
        received = now()
        reported = json.dumps(status, separators=(",", ":"), default=str)
        if len(reported) > MAX_STATUS:
            # It has thousands of routes; the rest shows the agent's health.
            reported = json.dumps({**status, "routes": {}}, default=str)
        if len(reported) > MAX_STATUS:
            reported = ""
        with self._database.write() as connection:
            self._seen(connection, sender, received)
            connection.execute(_row_of(sender).values(status=reported, status_at=received))
        self._database.wake_readers()

    def refused(self, sender: Sender, why: str) -> None:
        """Record that an agent's batch was refused, until one is stored."""
        at = now()
        with self._database.write() as connection:
            self._seen(connection, sender, at)
            connection.execute(
                _row_of(sender).values(rejected=json.dumps({"at": at, "why": why[:300]}))
            )
        self._database.wake_readers()

    def fetched_rules(self, sender: Sender, version: int) -> None:
        """Record which rules an agent got last."""
        at = now()
        with self._database.write() as connection:
            self._seen(connection, sender, at)
            connection.execute(_row_of(sender).values(rules_version=version, rules_at=at))

    # In the transaction ----------------------------------------------------------------------

    def _is_new(self, connection: Connection, sender: Sender, batch_id: str, received: int) -> bool:
        """Whether a batch of metrics is new; remember it."""
        if not batch_id:
            return True
        key = key_of(sender.app, batch_id)
        batches = schema.batches
        if connection.scalar(select(batches.c.key).where(batches.c.key == key)) is not None:
            return False
        connection.execute(insert(batches).values(key=key, received=received))
        return True

    def _seen(
        self, connection: Connection, sender: Sender, at: int, *, clears: bool = False
    ) -> None:
        row = {
            "app": sender.app,
            "install": sender.install,
            "first": at,
            "last": at,
            "version": sender.version,
            "project": sender.project,
            "status": "",
            "status_at": 0,
            "rules_version": 0,
            "rules_at": 0,
            "rejected": "",
        }
        self._database.upsert(
            connection,
            schema.agents,
            [row],
            put=("version", "project", *(("rejected",) if clears else ())),
            most=("last",),
        )
        if sender.key_id is not None:
            keys = schema.keys
            connection.execute(update(keys).where(keys.c.id == sender.key_id).values(last_used=at))

    def _count_requests(self, connection: Connection, metrics: Iterable[Mapping[str, Any]]) -> None:
        """Count all requests, by minute, and by endpoint and hour."""
        by_minute: Counter[tuple[int, str]] = Counter()
        by_hour: Counter[tuple[str, int, str, str]] = Counter()
        for metric in metrics:
            number = metric["value"]
            if metric["metric"] != "request_count" or not 0 < number < MAX_REQUESTS:
                continue
            seconds, app = metric["at"] // MICROSECONDS, metric["app"]
            by_minute[seconds - seconds % 60, app] += int(number)
            endpoint = metric["endpoint"] or NO_ENDPOINT
            by_hour[schema.REQUESTS, seconds - seconds % HOUR, app, endpoint] += int(number)
            of_days = schema.REQUESTS + schema.DAY
            by_hour[of_days, seconds - seconds % DAY, app, endpoint] += int(number)
        minutes = [
            {"minute": minute, "app": app, "category": "", "outcome": schema.ALL, "count": number}
            for (minute, app), number in sorted(by_minute.items())
        ]
        self._database.upsert(connection, schema.minutes, minutes, add=("count",))
        tallies = [
            {
                "dimension": dimension,
                "hour": hour,
                "app": app,
                "value": endpoint,
                "seen": number,
                "refused": 0,
                "would": 0,
            }
            for (dimension, hour, app, endpoint), number in sorted(by_hour.items())
        ]
        self._database.upsert(connection, schema.tallies, tallies, add=("seen",))

    def _count(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Update the tables behind the pages."""
        by_hour: dict[tuple[str, int, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        by_minute: Counter[tuple[int, str, str, str]] = Counter()
        by_client: dict[str, dict[str, Any]] = {}
        for row in rows:
            outcome = row["outcome"]
            counts = (1, int(outcome == "refused"), int(outcome == "would"))
            seconds, app = row["at"] // MICROSECONDS, row["app"]
            hour, day = seconds - seconds % HOUR, seconds - seconds % DAY
            for dimension, of_days, value, added in self._tallied(row, counts):
                for tally in (
                    by_hour[dimension, hour, app, value],
                    by_hour[of_days, day, app, value],
                ):
                    for number, count in enumerate(added):
                        tally[number] += count
            by_minute[seconds - seconds % 60, app, row["category"], outcome] += 1
            if row["client"]:
                _count_client(by_client, row, counts)
        self._store_counts(connection, by_hour, by_minute, by_client)

    def _tallied(
        self, row: Mapping[str, Any], counts: tuple[int, ...]
    ) -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
        """Yield what to count an event under: dimension by hour, by day, value, and how much."""
        for dimension, of_days in _DIMENSIONS:
            if row[dimension]:
                yield dimension, of_days, row[dimension], counts
        network = self._geography.network(row["client"]) if self._geography is not None else ""
        if network:
            yield schema.NETWORK, schema.NETWORK + schema.DAY, network, counts
        if row["kind"] == SILENCED:
            name, number = silenced(row)
            yield schema.EXCLUSION, schema.EXCLUSION + schema.DAY, name, (number,)

    def _store_counts(
        self,
        connection: Connection,
        by_hour: Mapping[tuple[str, int, str, str], list[int]],
        by_minute: Mapping[tuple[int, str, str, str], int],
        by_client: Mapping[str, dict[str, Any]],
    ) -> None:
        tallies = [
            {
                "dimension": dimension,
                "hour": hour,
                "app": app,
                "value": value,
                "seen": seen,
                "refused": refused,
                "would": would,
            }
            for (dimension, hour, app, value), (seen, refused, would) in sorted(by_hour.items())
        ]
        add = ("seen", "refused", "would")
        self._database.upsert(connection, schema.tallies, tallies, add=add)
        minutes = [
            {"minute": minute, "app": app, "category": category, "outcome": outcome, "count": count}
            for (minute, app, category, outcome), count in sorted(by_minute.items())
        ]
        self._database.upsert(connection, schema.minutes, minutes, add=("count",))
        self._database.upsert(
            connection,
            schema.clients,
            [by_client[client] for client in sorted(by_client)],
            add=add,
            learn=("country",),
            least=("first",),
            most=("last",),
        )


def _row_of(sender: Sender) -> Update:
    return (
        update(schema.agents)
        .where(schema.agents.c.app == sender.app)
        .where(schema.agents.c.install == sender.install)
    )


def _count_client(
    by_client: dict[str, dict[str, Any]], row: Mapping[str, Any], counts: tuple[int, ...]
) -> None:
    client = by_client.setdefault(
        row["client"],
        {
            "client": row["client"],
            "first": row["at"],
            "last": row["at"],
            "country": row["country"],
            "seen": 0,
            "refused": 0,
            "would": 0,
        },
    )
    client["first"] = min(client["first"], row["at"])
    client["last"] = max(client["last"], row["at"])
    client["country"] = row["country"] or client["country"]
    for name, count in zip(("seen", "refused", "would"), counts, strict=True):
        client[name] += count


def _known(connection: Connection, keys: list[bytes]) -> list[bytes]:
    """Return those of the keys whose events are stored."""
    events = schema.events
    found: list[bytes] = []
    for start in range(0, len(keys), _LOOKUP):
        some = keys[start : start + _LOOKUP]
        found += connection.scalars(select(events.c.key).where(events.c.key.in_(some)))
    return [bytes(key) for key in found]


def _metric(metric: Any, app: str, received: int) -> dict[str, Any] | None:
    if not isinstance(metric, dict):
        return None
    value, tags = metric.get("value"), metric.get("tags")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if number != number or number in (float("inf"), float("-inf")):
        return None
    return {
        "at": time_of(metric.get("timestamp"), received),
        "app": app,
        "metric": clean(metric.get("metric_type"), 64),
        "endpoint": clean(metric.get("endpoint"), 256),
        "value": number,
        "tags": json.dumps(tags if isinstance(tags, dict) else {}, default=str)[:4096],
    }
