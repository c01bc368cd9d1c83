"""Deletes old events, or the oldest if there are too many; in small steps, so that nobody waits."""

from __future__ import annotations

import logging
import os

from sqlalchemy import Connection, delete, func, select

from guard_wsgi.network.background import BackgroundLoop
from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.settings import ConsoleSettings

log = logging.getLogger("guard_wsgi.console")

INTERVAL_SECONDS = 60.0
PIECE = 5_000
"""How many events to delete in one transaction: some 50 ms."""
LEAST_PIECE = 20
"""The least to delete at once: otherwise the last megabyte would take one transaction per event."""
MAX_PIECES = 200
"""The most to delete in one round; the rest waits for the next."""
_DAY = 86_400_000_000
AUDIT_DAYS = 365
"""A year: longer than anybody asks about an event, and few rows."""
TRIAL_DAYS = 90
BATCH_DAYS = 7
"""An agent keeps a batch for a week at most."""


def keep(database: Database, settings: ConsoleSettings) -> int:
    """Delete what is due. Return the number of events."""
    deleted = 0
    at = now()
    if settings.keep_days is not None:
        before = at - int(settings.keep_days * _DAY)
        for _ in range(MAX_PIECES):
            piece = _delete_oldest(database, PIECE, before)
            deleted += piece
            if piece < PIECE:
                break
        _delete_counts(database, before)
    if settings.keep_megabytes is not None:
        most = settings.keep_megabytes * 1_000_000
        for _ in range(MAX_PIECES):
            size = database.size_bytes()
            if size <= most:
                break
            # Delete the surplus, at the mean size of all events: the newest stay.
            excess = int(count(database) * (size - most) / size) + LEAST_PIECE
            piece = _delete_oldest(database, min(excess, PIECE))
            deleted += piece
            if not piece:
                break
    with database.write() as connection:
        for table, column, days in (
            (schema.batches, schema.batches.c.received, BATCH_DAYS),
            (schema.trials, schema.trials.c.created, TRIAL_DAYS),
            (schema.audit, schema.audit.c.at, AUDIT_DAYS),
            (schema.csp_reports, schema.csp_reports.c.at, BATCH_DAYS),
        ):
            connection.execute(delete(table).where(column < at - days * _DAY))
    return deleted


def _delete_oldest(database: Database, piece: int, before: int | None = None) -> int:
    events = schema.events
    oldest = select(events.c.id).order_by(events.c.at, events.c.id).limit(piece)
    if before is not None:
        oldest = oldest.where(events.c.at < before)
    with database.write() as connection:
        deleted = connection.execute(delete(events).where(events.c.id.in_(oldest))).rowcount
        add_stored(database, connection, -int(deleted))
    if deleted:
        database.shrink()
    return int(deleted)


def add_stored(database: Database, connection: Connection, number: int) -> None:
    """Count added or deleted events in the same transaction."""
    row = {"dimension": schema.STORED, "hour": schema.ALWAYS, "app": "", "value": ""}
    counts = {"seen": number, "refused": 0, "would": 0}
    database.upsert(connection, schema.tallies, [{**row, **counts}], add=("seen",))


def begin_to_count(database: Database) -> None:
    """Count the events of a database once, if that has not been done."""
    tallies = schema.tallies
    with database.write() as connection:
        asked = select(tallies.c.seen).where(tallies.c.dimension == schema.STORED)
        if connection.scalar(asked) is None:
            known = connection.scalar(select(func.count()).select_from(schema.events))
            add_stored(database, connection, int(known or 0))


def _delete_counts(database: Database, before: int) -> None:
    seconds = before // 1_000_000
    with database.write() as connection:
        connection.execute(delete(schema.minutes).where(schema.minutes.c.minute < seconds))
        connection.execute(delete(schema.tallies).where(schema.tallies.c.hour < seconds))
        connection.execute(delete(schema.metrics).where(schema.metrics.c.at < before))
        connection.execute(delete(schema.clients).where(schema.clients.c.last < before))


def count(database: Database) -> int:
    """Return the number of stored events: counting them would take a second per million."""
    tallies = schema.tallies
    with database.read() as connection:
        asked = select(tallies.c.seen).where(tallies.c.dimension == schema.STORED)
        return int(connection.scalar(asked) or 0)


def forget(database: Database, client: str) -> int:
    """Delete everything about a client, or with ``""`` all events. Return the number of events."""
    events, tallies = schema.events, schema.tallies
    with database.write() as connection:
        if database.is_sqlite:
            # Overwrite freed pages; for retention that would be too slow.
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        if client:
            deleted = connection.execute(delete(events).where(events.c.client == client)).rowcount
            connection.execute(
                delete(tallies)
                .where(tallies.c.dimension.in_(("client", "client/day")))
                .where(tallies.c.value == client)
            )
            connection.execute(delete(schema.clients).where(schema.clients.c.client == client))
        else:
            deleted = connection.execute(delete(events)).rowcount
            for table in (tallies, schema.minutes, schema.clients, schema.metrics):
                connection.execute(delete(table))
        # Without events, all counts are zero.
        add_stored(database, connection, -int(deleted) if client else 0)
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")
    database.shrink()
    database.wake_readers()
    return int(deleted)


class Keeper:
    """Keeps the database within its bounds, in a thread of each process that serves."""

    def __init__(self, database: Database, settings: ConsoleSettings) -> None:
        self._database = database
        self._settings = settings
        self._started_in = 0
        self._loop = BackgroundLoop("guard-console-keeper", self._step)

    def touch(self) -> None:
        """Start the thread if this process has none: a parent that only forks starts none."""
        self._loop.ensure_running()

    def stop(self) -> None:
        self._loop.close(5)

    def _step(self) -> float:
        if self._started_in != os.getpid():
            # The first round comes after an interval: a start has other work to do.
            self._started_in = os.getpid()
            return INTERVAL_SECONDS
        try:
            keep(self._database, self._settings)
        except Exception as error:  # the disk may have room again tomorrow
            log.warning("could not remove old events: %r", error)
        return INTERVAL_SECONDS
