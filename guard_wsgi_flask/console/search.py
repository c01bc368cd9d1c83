"""Finds events. The filters are the query of the page's address, so that people can share a view.

An index serves most searches. For others (a text, two rare filters together), it scans events from
the newest on, in pieces, for a limited time. Then the page says how far it came and offers to
continue.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import asdict, field, frozen
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select

from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.records import clean

PAGE = 50
BUDGET_SECONDS = 0.15
"""The time for a search: a page may take 0.3 s, and has other things to do."""
FIRST_PIECE = 4_000
"""How many events to scan first; each further piece is twice as large."""
LARGEST_PIECE = 32_000

MAX_TRIED = 4_000
"""How many events of the last day to try rules on, within a page's time."""

PERIODS: Mapping[str, int] = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
"""Seconds."""
OUTCOMES = ("refused", "would", "told")

_EQUAL = ("app", "kind", "category", "client", "country", "outcome", "template", "method", "check")
_COLUMN = {"check": "check_name"}


Row = dict[str, Any]
"""One event, by column."""


def plain(row: RowMapping) -> Row:
    """Return a row as a dict."""
    return {str(name): value for name, value in row.items()}


@frozen(slots=True, kw_only=True)
class Filters:
    """The filters of a search; empty ones do not apply.

    :ivar period: a name of PERIODS.
    :ivar path: the beginning of a path.
    :ivar text: anywhere in path, reason, user agent, client or the event's own JSON.
    """

    period: str = ""
    app: str = ""
    kind: str = ""
    category: str = ""
    client: str = ""
    country: str = ""
    outcome: str = ""
    template: str = ""
    method: str = ""
    check: str = ""
    path: str = ""
    text: str = ""

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> Filters:
        """Read a query; unknown and invalid filters are left out."""
        chosen = {
            name: clean(arguments.get(name, "").strip(), 256)
            for name in cls.__slots__
            if not name.startswith("_")
        }
        if chosen["period"] not in PERIODS:
            chosen["period"] = ""
        if chosen["outcome"] not in OUTCOMES:
            chosen["outcome"] = ""
        return cls(**chosen)

    def query(self, **changes: str) -> str:
        """Return the query of these filters with changes; empty ones are left out."""
        chosen = {**asdict(self), **changes}
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def reported(self) -> dict[str, str]:
        """Return the filters that are set."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def is_led_by_index(self) -> bool:
        """Whether an index gives exactly the matching events, the newest first."""
        return len(self.reported) == 1 and next(iter(self.reported)) in schema.INDEXED

    def conditions(self) -> list[ColumnElement[bool]]:
        events = schema.events
        found: list[ColumnElement[bool]] = []
        for name in _EQUAL:
            value = getattr(self, name)
            if value:
                found.append(events.c[_COLUMN.get(name, name)] == value)
        if self.period:
            found.append(events.c.at >= now() - PERIODS[self.period] * 1_000_000)
        if self.path:
            found.append(events.c.path.startswith(self.path, autoescape=True))
        if self.text:
            columns = ("path", "reason", "user_agent", "client", "rest")
            found.append(
                or_(*(events.c[name].icontains(self.text, autoescape=True) for name in columns))
            )
        return found


@frozen(slots=True)
class Cursor:
    """Where a page continues: below this event."""

    at: int
    id: int

    @classmethod
    def of(cls, text: str) -> Cursor | None:
        at, dash, identity = text.partition("-")
        digits = at + identity
        if not dash or not digits.isascii() or not digits.isdigit() or len(digits) > 36:
            return None
        return cls(min(int(at or 0), 2**62), min(int(identity or 0), 2**62))

    def __str__(self) -> str:
        return f"{self.at}-{self.id}"


@frozen(slots=True)
class Page:
    """Events, the newest first.

    :ivar following: where the next page begins; ``None`` at the end.
    :ivar is_partial: whether the time ran out before the page was full.
    """

    rows: list[Row] = field(factory=list)
    following: Cursor | None = None
    is_partial: bool = False


def find(
    database: Database,
    filters: Filters,
    after: Cursor | None = None,
    *,
    size: int = PAGE,
    budget_seconds: float = BUDGET_SECONDS,
) -> Page:
    """Find a page of events."""
    deadline = time.monotonic() + budget_seconds
    conditions = filters.conditions()
    rows: list[Row] = []
    piece = FIRST_PIECE
    # If one index has exactly the requested order, no scan is needed.
    in_pieces = bool(conditions) and not filters.is_led_by_index
    with database.read() as connection:
        while True:
            bound = _bound(connection, after, piece) if in_pieces else None
            asked = _piece(conditions, after, bound).limit(size + 1 - len(rows))
            rows += map(plain, connection.execute(asked).mappings())
            if len(rows) > size:
                rows = rows[:size]
                return Page(rows, Cursor(rows[-1]["at"], rows[-1]["id"]))
            if bound is None:
                return Page(rows)
            after = bound
            if time.monotonic() >= deadline:
                return Page(rows, after, is_partial=True)
            piece = min(piece * 2, LARGEST_PIECE)


def last_id(database: Database) -> int:
    """Return the number of the latest event."""
    with database.read() as connection:
        return int(connection.scalar(select(func.max(schema.events.c.id))) or 0)


def one(database: Database, event_id: int) -> Row | None:
    """Return one event."""
    asked = select(schema.events).where(schema.events.c.id == event_id)
    with database.read() as connection:
        row = connection.execute(asked).mappings().first()
    return plain(row) if row is not None else None


def every(database: Database, filters: Filters, most: int) -> Iterator[Row]:
    """Yield all matching events, the newest first, page by page, for exports."""
    after: Cursor | None = None
    remaining = most
    while remaining > 0:
        page = find(database, filters, after, size=min(1000, remaining), budget_seconds=5.0)
        yield from page.rows
        remaining -= len(page.rows)
        after = page.following
        if after is None:
            return


def sender_of(database: Database, client: str, reference: str, besides: str) -> str:
    """Return the app of a recent event of a client with this reference, if it differs from a given
    app; "" for none."""
    events = schema.events
    asked = (
        select(events.c.app)
        .where(events.c.client == client, events.c.at >= now() - PERIODS["hour"] * 1_000_000)
        .where(events.c.app != besides, events.c.rest.contains(reference, autoescape=True))
        .order_by(events.c.at.desc())
        .limit(1)
    )
    with database.read() as connection:
        return str(connection.scalar(asked) or "")


def last_day(
    database: Database, app: str = "", template: str = "", most: int = MAX_TRIED
) -> list[Row]:
    """Return the newest events of the last day, to try a change of rules on."""
    events = schema.events
    asked = (
        select(events)
        .where(events.c.at >= now() - 86_400_000_000)
        .order_by(events.c.at.desc(), events.c.id.desc())
        .limit(most)
    )
    if app:
        asked = asked.where(events.c.app == app)
    if template:
        asked = asked.where(events.c.template == template)
    with database.read() as connection:
        return [plain(row) for row in connection.execute(asked).mappings()]


def names(database: Database, dimension: str, most: int = 200) -> list[str]:
    """Return values of the last week, the most frequent first, for lists of choices."""
    tallies = schema.tallies
    since = now() // 1_000_000 - PERIODS["week"]
    with database.read() as connection:
        return list(
            connection.scalars(
                select(tallies.c.value)
                .where(tallies.c.dimension == dimension + schema.DAY, tallies.c.hour >= since)
                .group_by(tallies.c.value)
                .order_by(func.sum(tallies.c.seen).desc())
                .limit(most)
            )
        )


def _bound(connection: Connection, after: Cursor | None, piece: int) -> Cursor | None:
    """Return the event at the lower end of the next piece; ``None`` for the last piece."""
    events = schema.events
    asked = (
        select(events.c.at, events.c.id)
        .order_by(events.c.at.desc(), events.c.id.desc())
        .offset(piece)
        .limit(1)
    )
    if after is not None:
        asked = asked.where(_below(after))
    row = connection.execute(asked).first()
    return Cursor(*row) if row is not None else None


def _piece(
    conditions: list[ColumnElement[bool]], after: Cursor | None, bound: Cursor | None
) -> Select[Any]:
    events = schema.events
    asked = select(events).order_by(events.c.at.desc(), events.c.id.desc())
    if conditions:
        asked = asked.where(*conditions)
    if after is not None:
        asked = asked.where(_below(after))
    if bound is not None:
        asked = asked.where(
            events.c.at >= bound.at, or_(events.c.at > bound.at, events.c.id >= bound.id)
        )
    return asked


def _below(cursor: Cursor) -> ColumnElement[bool]:
    events = schema.events
    # Both conditions are needed: an index serves the first.
    return and_(
        events.c.at <= cursor.at,
        or_(events.c.at < cursor.at, events.c.id < cursor.id),
    )
