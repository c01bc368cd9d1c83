"""One database: SQLite in WAL mode for one machine, PostgreSQL for a team.

In both, readers never wait for writers. Writers take turns: SQLite allows only one, and in
PostgreSQL two that count the same hour would otherwise wait for each other.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from guard_wsgi.errors import GuardError, MissingExtra
from guard_wsgi_flask.console import schema

BUSY_SECONDS = 10
"""How long a writer of SQLite waits for a writer in another process."""

WRITERS_LOCK = 8_600_001
"""The number of PostgreSQL's advisory lock with which writers take turns."""

CACHE_KIBIBYTES = 65_536
"""SQLite's page cache per connection: the indexes of a million events have some 200 MB, but far
less is in use."""


class DatabaseError(GuardError):
    """The database could not be opened."""


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def has_file(url: str) -> bool:
    """Whether the file of an SQLite database exists. PostgreSQL needs none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return True  # opening it says what is wrong
    is_file = parsed.get_backend_name() == "sqlite" and bool(parsed.database)
    return not is_file or Path(str(parsed.database)).exists()


class Database:
    """:raises DatabaseError: if it can't be opened, or another version has written it."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            self.is_sqlite = parsed.get_backend_name() == "sqlite"
            if not self.is_sqlite and parsed.get_backend_name() != "postgresql":
                raise DatabaseError(
                    f"--db takes sqlite:/// and postgresql://, not {parsed.drivername}://"
                )
            if self.is_sqlite and not parsed.database:
                raise DatabaseError("--db sqlite:/// needs the name of a file")
            self._engine = _engine(parsed.render_as_string(hide_password=False), self.is_sqlite)
        except ArgumentError:
            raise DatabaseError(
                "--db takes a URL: write sqlite:///FILE (sqlite:////tmp/console.db) or postgresql://"
            ) from None
        except NoSuchModuleError as error:
            raise DatabaseError(f"--db: {error}") from None
        except ModuleNotFoundError:
            raise MissingExtra("--db postgresql://", "console-postgresql") from None
        self._readers = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self.changes = 0
        self.path = Path(str(parsed.database)) if self.is_sqlite else None
        try:
            self._prepare()
        except DBAPIError as error:
            raise DatabaseError(f"the database can't be opened: {error.orig}") from None
        # A process that forks its workers must not pass open connections to them.
        self._engine.dispose()

    def _prepare(self) -> None:
        if self.path is not None:
            # Only the owner may read the events; SQLite gives its other files the same mode.
            try:
                self.path.touch(mode=0o600)
            except OSError as error:
                raise DatabaseError(f"--db: {self.path}: {error.strerror}") from None
        with self.write() as connection:
            schema.metadata.create_all(connection)
            found = connection.scalar(
                select(schema.meta.c.value).where(schema.meta.c.name == "schema_version")
            )
            if found is None:
                connection.execute(
                    insert(schema.meta),
                    [
                        {"name": "schema_version", "value": str(schema.SCHEMA_VERSION)},
                        {"name": "secret", "value": secrets.token_hex(32)},
                    ],
                )
            elif found != str(schema.SCHEMA_VERSION):
                raise DatabaseError(
                    f"the database has version {found} of the tables, this console writes"
                    f" version {schema.SCHEMA_VERSION}: name another file with --db"
                )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection for reading."""
        with self._readers.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open the transaction of the only writer: it is on disk when the block ends, and rolled
        back if the block raises."""
        with self._turn, self._engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": WRITERS_LOCK})
            yield connection
            connection.commit()

    def upsert(
        self,
        connection: Connection,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        add: Sequence[str] = (),
        put: Sequence[str] = (),
        learn: Sequence[str] = (),
        least: Sequence[str] = (),
        most: Sequence[str] = (),
    ) -> None:
        """Insert rows, or change existing ones: ``add`` sums columns, ``put`` replaces them,
        ``learn`` replaces them by values that are not empty, ``least`` and ``most`` keep the
        minimum and the maximum."""
        if not rows:
            return
        made = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        keys = [column.name for column in table.primary_key]
        lower = func.min if self.is_sqlite else func.least
        upper = func.max if self.is_sqlite else func.greatest
        changes: dict[str, Any] = {}
        for name in add:
            changes[name] = table.c[name] + made.excluded[name]
        for name in put:
            changes[name] = made.excluded[name]
        for name in learn:
            changes[name] = func.coalesce(func.nullif(made.excluded[name], ""), table.c[name])
        for name in least:
            changes[name] = lower(table.c[name], made.excluded[name])
        for name in most:
            changes[name] = upper(table.c[name], made.excluded[name])
        connection.execute(made.on_conflict_do_update(index_elements=keys, set_=changes), rows)

    # Waking readers -----------------------------------------------------------------------

    def wake_readers(self) -> None:
        """Wake all threads that wait for news. Call this after the transaction."""
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until there is news after ``seen``, or the time is over. Return the newest
        number."""
        with self._changed:
            self._changed.wait_for(lambda: self.changes != seen, seconds)
            return self.changes

    # Small values ----------------------------------------------------------------------------

    def value(self, name: str) -> str | None:
        with self.read() as connection:
            return connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == name))

    def set_value(self, name: str, value: str) -> None:
        with self.write() as connection:
            self.upsert(connection, schema.meta, [{"name": name, "value": value}], put=["value"])

    def size_bytes(self) -> int:
        """Return the size of the data, without freed space."""
        with self.read() as connection:
            if self.is_sqlite:
                pages, free, size = (
                    int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
                    for name in ("page_count", "freelist_count", "page_size")
                )
                return (pages - free) * size
            found = connection.scalar(text("SELECT pg_database_size(current_database())"))
            return int(found or 0)

    def shrink(self) -> None:
        """Return the space of deleted rows to the disk, also in SQLite's log, which contains them
        until then."""
        if not self.is_sqlite:
            return
        with self._turn, self._engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            # `execute` would take one step, and each step frees a page.
            raw.executescript("PRAGMA incremental_vacuum")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        self._engine.dispose()


def _engine(url: str, is_sqlite: bool) -> Engine:
    if not is_sqlite:
        return create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=72)
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
        max_overflow=72,
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the code issues BEGIN itself
        cursor = connection.cursor()
        cursor.execute(
            "PRAGMA auto_vacuum = INCREMENTAL"
        )  # for a new file; an old file keeps its mode
        cursor.execute("PRAGMA journal_mode = WAL")
        # An acknowledged batch survives a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES // 8}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    return engine
