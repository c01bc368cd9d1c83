"""The overview: counts over time, the most frequent values, the agents' health."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import RowMapping, func, select

from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.records import clean, template_of
from guard_wsgi_flask.console.search import PERIODS

STEPS: Mapping[str, int] = {"hour": 60, "day": 900, "week": 7200, "month": 21_600}
"""Seconds per point of the chart: 60 to 120 points, each some pixels wide."""
MAX_SERIES = 6
"""The most colours: nobody can distinguish more; the rest shares one."""
CANDIDATES = 200
"""Candidates per hour or day: the most frequent of a week are among the most frequent of some
day."""
ALIVE_SECONDS = 900
"""An agent reports every 300 s."""
OTHER = "other"
MAX_ROUTES = 1000
AGENT_STATES = frozenset({"healthy", "degraded", "failed", "silent", "refused"})


@frozen(slots=True)
class Top:
    """A value with its counts."""

    value: str
    seen: int
    refused: int
    would: int


@frozen(slots=True)
class AgentHealth:
    """One agent, by its last report.

    :ivar state: ``healthy``, ``degraded`` or ``failed`` as reported, ``silent`` after 15 minutes
        without a report, ``refused`` if its last batch was refused.
    :ivar breaker: the state of its connection: ``closed``, ``open``, ``half_open``, ``parked``; ""
        if the agent does not report it.
    """

    app: str
    install: str
    state: str
    last: int
    version: str
    project: str
    queue: int | None
    sent: int | None
    dropped: int | None
    errors: list[str]
    breaker: str
    routes: Mapping[str, str]
    rules_version: int
    rules_at: int


def timeline(database: Database, period: str, app: str = "") -> dict[str, Any]:
    """Return refused and would-be-refused requests by category, one number per step, for the
    chart."""
    step = STEPS[period]
    end = now() // 1_000_000 // step * step
    start = end - PERIODS[period] + step
    counts: dict[tuple[str, int], int] = Counter()
    totals: Counter[str] = Counter()
    would: Counter[int] = Counter()
    counted = _by_hour if step % 3600 == 0 else _by_minute
    rows, requests = counted(database, start, step, app)
    for at, category, refused, also in rows:
        would[at] += also
        if refused:
            counts[category, at] += refused
            totals[category] += refused
    times = list(range(start, end + step, step))
    shown = [category for category, _ in totals.most_common(MAX_SERIES)]
    series = [{"name": name, "values": [counts[name, at] for at in times]} for name in shown]
    if len(totals) > MAX_SERIES:
        rest: Counter[int] = Counter()
        for (category, at), count in counts.items():
            if category not in shown:
                rest[at] += count
        series.append({"name": OTHER, "values": [rest[at] for at in times]})
    return {
        "step": step,
        "times": times,
        "refused": series,
        "would": [would[at] for at in times],
        "requests": [requests.get(at, 0) for at in times] if requests else None,
        "total_refused": sum(totals.values()),
        "total_would": sum(would.values()),
        "by_category": totals.most_common(),
    }


_Counted = tuple[list[tuple[int, str, int, int]], dict[int, int]]
"""Return (step, category, refused, would be refused), and all requests by step."""


def _by_minute(database: Database, start: int, step: int, app: str) -> _Counted:
    minutes = schema.minutes
    bucket = (minutes.c.minute - minutes.c.minute % step).label("bucket")
    asked = (
        select(bucket, minutes.c.category, minutes.c.outcome, func.sum(minutes.c.count))
        .where(minutes.c.minute >= start, minutes.c.outcome != "told")
        .group_by(bucket, minutes.c.category, minutes.c.outcome)
    )
    if app:
        asked = asked.where(minutes.c.app == app)
    rows: list[tuple[int, str, int, int]] = []
    requests: dict[int, int] = {}
    with database.read() as connection:
        for at, category, outcome, count in connection.execute(asked):
            number = int(count)
            if outcome == schema.ALL:
                requests[int(at)] = number
            elif outcome == "would":
                rows.append((int(at), category, 0, number))
            else:
                rows.append((int(at), category, number, 0))
    return rows, requests


def _by_hour(database: Database, start: int, step: int, app: str) -> _Counted:
    """The same for steps of whole hours, from a sixtieth of the rows."""
    tallies = schema.tallies
    bucket = (tallies.c.hour - tallies.c.hour % step).label("bucket")
    sums = (func.sum(tallies.c.refused), func.sum(tallies.c.would))
    of_app = [tallies.c.app == app] if app else []
    refusals = (
        select(bucket, tallies.c.value, *sums)
        .where(tallies.c.dimension == "category", tallies.c.hour >= start, *of_app)
        .group_by(bucket, tallies.c.value)
    )
    requests = (
        select(bucket, func.sum(tallies.c.seen))
        .where(tallies.c.dimension == schema.REQUESTS, tallies.c.hour >= start, *of_app)
        .group_by(bucket)
    )
    with database.read() as connection:
        rows = [
            (int(at), category, int(refused), int(would))
            for at, category, refused, would in connection.execute(refusals)
        ]
        return rows, {int(at): int(total) for at, total in connection.execute(requests)}


def rates(database: Database) -> dict[str, float]:
    """Return refused and would-be-refused requests per second, over the last whole minute and the
    current one."""
    at = now() // 1_000_000
    since = at // 60 * 60 - 60
    minutes = schema.minutes
    asked = (
        select(minutes.c.outcome, func.sum(minutes.c.count))
        .where(minutes.c.minute >= since)
        .group_by(minutes.c.outcome)
    )
    with database.read() as connection:
        found = {outcome: int(count) for outcome, count in connection.execute(asked)}
    seconds = max(at - since, 60)
    return {name: found.get(name, 0) / seconds for name in ("refused", "would", "told")}


def top(
    database: Database, dimension: str, period: str, app: str = "", most: int = 50
) -> list[Top]:
    """Return the most frequent values of a period.

    Candidates are the most frequent of each hour, or of each day of a longer period. They are then
    counted in full.
    """
    tallies = schema.tallies
    since = now() // 1_000_000 - PERIODS[period]
    if PERIODS[period] > PERIODS["day"]:
        dimension += schema.DAY
        since -= since % 86_400
    else:
        since -= since % 3600
    of_app = [tallies.c.app == app] if app else []
    counts = (func.sum(tallies.c.seen), func.sum(tallies.c.refused), func.sum(tallies.c.would))
    partial: Counter[str] = Counter()
    with database.read() as connection:
        hours = list(
            connection.scalars(
                select(tallies.c.hour)
                .where(tallies.c.dimension == dimension, tallies.c.hour >= since)
                .distinct()
            )
        )
        for hour in hours:
            asked = (
                select(tallies.c.value, tallies.c.seen + 2 * (tallies.c.refused + tallies.c.would))
                .where(tallies.c.dimension == dimension, tallies.c.hour == hour, *of_app)
                .order_by(tallies.c.seen.desc())
                .limit(CANDIDATES)
            )
            for value, weight in connection.execute(asked):
                partial[value] += int(weight)
        chosen = [value for value, _ in partial.most_common(2 * most)]
        counted = (
            select(tallies.c.value, *counts)
            .where(tallies.c.dimension == dimension, tallies.c.hour.in_(hours))
            .where(tallies.c.value.in_(chosen), *of_app)
            .group_by(tallies.c.value)
        )
        found = [
            Top(value, int(seen), int(refused), int(would))
            for value, seen, refused, would in connection.execute(counted)
        ]
    return sorted(found, key=lambda one: (-one.refused - one.would, -one.seen, one.value))[:most]


def apps_seen(database: Database, known: Sequence[str] = ()) -> list[str]:
    """Return the known apps, and others with events, such as that of a log."""
    tallies = schema.tallies
    asked = select(tallies.c.app).where(tallies.c.dimension == "kind" + schema.DAY).distinct()
    with database.read() as connection:
        return sorted({*known, *connection.scalars(asked)})


def busiest(database: Database, apps: Sequence[str]) -> str:
    """Return the app with most of the last week's events; none for no apps."""
    tallies = schema.tallies
    since = now() // 1_000_000 - PERIODS["week"]
    asked = (
        select(tallies.c.app)
        .where(tallies.c.dimension == "kind" + schema.DAY, tallies.c.hour >= since)
        .where(tallies.c.app.in_(apps))
        .group_by(tallies.c.app)
        .order_by(func.sum(tallies.c.seen).desc())
    )
    with database.read() as connection:
        found: str | None = connection.scalar(asked.limit(1))
    return found or next(iter(apps), "")


def agents(database: Database) -> list[AgentHealth]:
    """Return every known agent, the latest first."""
    table = schema.agents
    with database.read() as connection:
        rows = connection.execute(select(table).order_by(table.c.last.desc()).limit(200))
        return [_health(row) for row in rows.mappings()]


@frozen(slots=True)
class Route:
    """A route of an app, as its agent reports it.

    :ivar template: the template by which its paths count.
    :ivar limit: the limit of its view, in words; "" for none.
    """

    app: str
    path: str
    template: str
    limit: str


def routes(database: Database) -> list[Route]:
    """Return the routes of all apps whose agents have reported them within the last day."""
    found: dict[tuple[str, str], Route] = {}
    for one in agents(database):
        if now() - one.last > PERIODS["day"] * 1_000_000:
            continue
        for path, limit in one.routes.items():
            template = template_of({"path": path})
            found.setdefault((one.app, path), Route(one.app, path, template, limit))
    return sorted(found.values(), key=lambda one: (one.app, one.path))


def rule_takers(database: Database, app: str) -> list[AgentHealth]:
    """Return the agents of an app that ask for rules, the latest first."""
    takers = [one for one in agents(database) if one.app == app and one.rules_at]
    return sorted(takers, key=lambda one: -one.rules_at)


def _health(row: RowMapping) -> AgentHealth:
    try:
        status = json.loads(row["status"]) if row["status"] else {}
    except ValueError:  # truncated, because it was far too long
        status = {}
    state = str(status.get("status") or "healthy")
    errors = status.get("errors")
    problems = [str(error)[:200] for error in errors] if isinstance(errors, list) else []
    if row["rejected"]:
        refused = json.loads(row["rejected"])
        state = "refused"
        problems.insert(0, f"what it sends is refused: {refused['why']}")
    if now() - row["last"] > ALIVE_SECONDS * 1_000_000:
        state = "silent"
    return AgentHealth(
        app=row["app"],
        install=row["install"],
        state=state if state in AGENT_STATES else "degraded",
        last=row["last"],
        version=row["version"],
        project=row["project"],
        queue=_whole(status.get("buffer_size")),
        sent=_whole(status.get("events_sent")),
        dropped=_whole(status.get("events_failed")),
        errors=problems,
        routes=_routes_of(status),
        breaker=clean(status.get("circuit_breaker_state"), 32),
        rules_version=row["rules_version"],
        rules_at=row["rules_at"],
    )


def _routes_of(status: Mapping[str, Any]) -> dict[str, str]:
    limits = status.get("routes")
    if not isinstance(limits, dict):
        return {}
    return {clean(path, 256): clean(limit, 64) for path, limit in list(limits.items())[:MAX_ROUTES]}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def client(database: Database, address: str) -> RowMapping | None:
    """Return what is known about a client, over all stored events."""
    table = schema.clients
    with database.read() as connection:
        return connection.execute(select(table).where(table.c.client == address)).mappings().first()


def clients(database: Database, addresses: list[str]) -> dict[str, RowMapping]:
    """Return what is known about clients, by address."""
    table = schema.clients
    asked = select(table).where(table.c.client.in_(addresses))
    with database.read() as connection:
        return {row["client"]: row for row in connection.execute(asked).mappings()}


def client_hours(database: Database, address: str) -> list[tuple[int, int, int]]:
    """Return a client's week: (hour, seen, refused)."""
    tallies = schema.tallies
    since = now() // 1_000_000 - PERIODS["week"]
    with database.read() as connection:
        hours = range(since - since % 3600, since + PERIODS["week"] + 1, 3600)
        found = connection.execute(
            select(tallies.c.hour, func.sum(tallies.c.seen), func.sum(tallies.c.refused))
            .where(tallies.c.dimension == "client", tallies.c.hour.in_(hours))
            .where(tallies.c.value == address)
            .group_by(tallies.c.hour)
            .order_by(tallies.c.hour)
        )
        return [(int(hour), int(seen), int(refused)) for hour, seen, refused in found]


def latencies(database: Database) -> dict[str, tuple[float, float]]:
    """Return mean seconds and requests by endpoint, from the metrics of the last day."""
    metrics = schema.metrics
    since = (now() // 1_000_000 - PERIODS["day"]) * 1_000_000
    asked = (
        select(metrics.c.endpoint, func.avg(metrics.c.value))
        .where(metrics.c.metric == "response_time", metrics.c.at >= since)
        .group_by(metrics.c.endpoint)
    )
    requests = {one.value: one.seen for one in top(database, schema.REQUESTS, "day", most=200)}
    with database.read() as connection:
        return {
            endpoint: (float(mean), float(requests.get(endpoint, 0)))
            for endpoint, mean in connection.execute(asked)
        }
