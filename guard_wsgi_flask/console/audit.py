"""The audit log: who did what in the console, to what, from where."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, insert, select

from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.records import clean


class Audit:
    """Adds rows; only retention by age deletes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, name: str, address: str, action: str, target: str, detail: str = "") -> None:
        with self._database.write() as connection:
            connection.execute(
                insert(schema.audit).values(
                    at=now(),
                    name=clean(name, 64),
                    address=clean(address, 64),
                    action=action,
                    target=clean(target, 256),
                    detail=clean(detail, 1000),
                )
            )

    def latest(self, most: int = 200) -> Sequence[RowMapping]:
        table = schema.audit
        with self._database.read() as connection:
            found = connection.execute(select(table).order_by(table.c.id.desc()).limit(most))
            return found.mappings().all()
