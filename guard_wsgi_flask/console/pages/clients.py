"""Who asks, for what, from where; and the report of what would be refused."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from guard_wsgi.cli import reporting
from guard_wsgi.errors import GuardError
from guard_wsgi_flask.console import exclusions, overview, rulebook, schema, search
from guard_wsgi_flask.console.database import now
from guard_wsgi_flask.console.pages.acting import back, for_admins, notice, record
from guard_wsgi_flask.console.pages.events import BAN_TIMES, standing
from guard_wsgi_flask.console.pages.now import PERIODS, chosen_period
from guard_wsgi_flask.console.records import clean, event_of, findings_of
from guard_wsgi_flask.console.search import Filters
from guard_wsgi_flask.console.services import services

clients = Blueprint("clients", __name__)

MAX_REPORTED = 4_000
"""Events of a report: what fits into a page's time."""
MAX_GROUPS = 50


@clients.get("/clients")
def table() -> ResponseReturnValue:
    period = chosen_period("day")
    database = services().database
    found = overview.top(database, "client", period, most=100)
    return render_template(
        "clients.html",
        title="Clients",
        period=period,
        periods=PERIODS,
        clients=found,
        countries=overview.top(database, "country", period, most=30),
        known=overview.clients(database, [one.value for one in found]),
        bans=_bans(),
        notice=notice(),
    )


@clients.get("/client")
def one() -> ResponseReturnValue:
    # In the query: what an agent calls a client may hold slashes and line ends.
    client = clean(request.args.get("client", ""))
    database = services().database
    latest = search.find(database, Filters(client=client), size=30).rows
    apps = sorted({row["app"] for row in latest}) or services().keys.apps()
    return render_template(
        "client.html",
        title=client,
        client=client,
        known=overview.client(database, client),
        hours=overview.client_hours(database, client),
        rows=latest,
        apps=apps,
        standings={app: standing(client, app) for app in apps[:5]},
        ban_times=BAN_TIMES,
        notice=notice(),
    )


@clients.get("/paths")
def paths() -> ResponseReturnValue:
    period = chosen_period("day")
    database = services().database
    latencies = overview.latencies(database)
    limited = set(services().base.endpoint_rate_limits)
    for app in services().rules.apps():
        limited |= set(services().rules.current(app)[1].get("endpoint_rate_limits", {}))
    return render_template(
        "paths.html",
        title="Paths",
        period=period,
        periods=PERIODS,
        paths=overview.top(database, "template", period, most=100),
        latencies=sorted(latencies.items(), key=lambda item: -item[1][1])[:100],
        limited=limited,
    )


# The report of what would be refused -------------------------------------------------------------


@clients.get("/report")
def report() -> ResponseReturnValue:
    """What ``guard-wsgi report`` computes, of the events in the database."""
    period, database = chosen_period("day"), services().database
    # One app: an exclusion is for the app that refused.
    apps = overview.apps_seen(database, services().keys.apps())
    app = request.args.get("app", "")[:64]
    if app not in apps:
        app = overview.busiest(database, apps)
    groups = reporting.group(_entries(period, app))
    ordered = sorted(groups.items(), key=lambda item: (-item[1].requests, item[0].path))
    entries = reporting.exclusions(groups)
    places = _places(groups)
    return render_template(
        "report.html",
        title="Report",
        period=period,
        periods=PERIODS,
        app=app,
        apps=apps,
        takes_rules=app in services().keys.apps(),
        groups=[
            (rule, group, _customers(group, places), _exclusion_of(rule))
            for rule, group in ordered[:MAX_GROUPS]
        ],
        more=max(0, len(ordered) - MAX_GROUPS),
        most=MAX_REPORTED,
        is_cut=sum(group.requests for group in groups.values()) >= MAX_REPORTED,
        proposed=entries,
        proposed_toml=exclusions.as_toml(entries),
        min_clients=reporting.MIN_CLIENTS,
        notice=notice(),
    )


@clients.post("/report/exclude")
@for_admins
def take_exclusion() -> ResponseReturnValue:
    """Put one exclusion of the report into force."""
    app = request.form.get("app", "")
    if app not in services().keys.apps():
        raise GuardError("choose the app that the exclusion is for")
    try:
        entry = json.loads(request.form.get("entry", ""))
    except ValueError:
        raise GuardError("the exclusion is not JSON") from None
    if not isinstance(entry, dict):
        raise GuardError("the exclusion is not a JSON object")
    change = rulebook.exclude(entry)
    version = services().rules.change(app, g.person.name, "from the report", change)
    record("exclude", app, json.dumps(entry))
    return back(url_for("clients.report"), "excluded", app, version)


def _entries(period: str, app: str) -> Iterator[Mapping[str, Any]]:
    """Events in the form of the report's lines."""
    events = schema.events
    asked = (
        select(events)
        .where(events.c.at >= now() - search.PERIODS[period] * 1_000_000)
        .where(events.c.outcome != "told")
        .order_by(events.c.at.desc())
        .limit(MAX_REPORTED)
    )
    if app:
        asked = asked.where(events.c.app == app)
    with services().database.read() as connection:
        rows = [search.plain(row) for row in connection.execute(asked).mappings()]
    for row in rows:
        refused = row["outcome"] == "refused"
        event = event_of(row)
        metadata = event.get("metadata")
        yield {
            "action": reporting.REFUSED if refused else reporting.WOULD_HAVE,
            "check": row["check_name"] or row["kind"],
            "path": row["path"] or "/",
            "client": row["client"],
            "reason": row["reason"],
            "reference": str(metadata.get("request_id") or "")
            if isinstance(metadata, dict)
            else "",
            "findings": findings_of(event),
        }


def _customers(group: reporting.Group, places: Mapping[str, set[tuple[str, ...]]]) -> float:
    """How much a group looks like customers, 0 to 1: the share of its clients that were refused
    in this one place and nowhere else. Who probes one thing probes others."""
    if len(group.clients) < reporting.MIN_CLIENTS:
        return 0.0
    return sum(len(places[client]) == 1 for client in group.clients) / len(group.clients)


def _places(
    groups: Mapping[reporting.Rule, reporting.Group],
) -> dict[str, set[tuple[str, ...]]]:
    """By client, where it was refused, whatever for."""
    places: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for rule, group in groups.items():
        for client in group.clients:
            places[client].add((rule.path, rule.location, rule.name))
    return places


def _exclusion_of(rule: reporting.Rule) -> dict[str, Any] | None:
    silenced = reporting.silencing(rule)
    return {"path": rule.path, silenced[0]: [silenced[1]]} if silenced is not None else None


def _bans() -> list[Any]:
    shared = services().bans
    if shared is None:
        return []
    try:
        return shared.all()
    except GuardError:
        return []
