"""Clients and paths; and the report of what would be refused."""

from __future__ import annotations

import json
from typing import Any

from attrs import asdict
from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from guard_wsgi.cli import reporting
from guard_wsgi.errors import GuardError
from guard_wsgi_flask.console import exclusions, lookalikes, overview, rulebook, schema, search
from guard_wsgi_flask.console.pages.acting import back, for_admins, notice, record
from guard_wsgi_flask.console.pages.events import BAN_TIMES, standing
from guard_wsgi_flask.console.pages.now import PERIODS, chosen_period
from guard_wsgi_flask.console.records import clean
from guard_wsgi_flask.console.search import Filters
from guard_wsgi_flask.console.services import services

clients = Blueprint("clients", __name__)

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
        networks=overview.top(database, schema.NETWORK, period, most=30),
        network_of=network_of,
        bans=_bans(),
        notice=notice(),
    )


@clients.get("/client")
def one() -> ResponseReturnValue:
    # The client is in the query: an agent's name for a client may contain slashes and line ends.
    client = clean(request.args.get("client", ""))
    database = services().database
    latest = search.find(database, Filters(client=client), size=30).rows
    apps = sorted({row["app"] for row in latest}) or services().keys.apps()
    return render_template(
        "client.html",
        title=client,
        client=client,
        known=overview.client(database, client),
        network=network_of(client),
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
    routes = overview.routes(database)
    limits = {one.template: one.limit for one in routes if one.limit}
    configured = {"guard.toml": services().base.endpoint_rate_limits}
    for app in services().rules.apps():
        body = services().rules.current(app)[1]
        configured[f"the rules of {app}"] = body.get("endpoint_rate_limits", {})
    for source, paths in configured.items():
        for path, (requests, window) in paths.items():
            limits.setdefault(path, f"{requests} in {window} s ({source})")
    return render_template(
        "paths.html",
        title="Paths",
        period=period,
        periods=PERIODS,
        paths=overview.top(database, "template", period, most=100),
        latencies=sorted(latencies.items(), key=lambda item: -item[1][1])[:100],
        limits=limits,
        routes=routes,
        unlimited=[one for one in routes if not one.limit and one.template not in limits],
    )


# The report of what would be refused -------------------------------------------------------------


@clients.get("/report")
def report() -> ResponseReturnValue:
    """Show the groups of ``guard-wsgi report``, from the events in the database."""
    period, database = chosen_period("day"), services().database
    # One app: an exclusion is for the app that refused.
    apps = overview.apps_seen(database, services().keys.apps())
    app = request.args.get("app", "")[:64]
    if app not in apps:
        app = overview.busiest(database, apps)
    rows = lookalikes.refusals(database, period, app)
    groups = reporting.group(map(lookalikes.entry_of, rows))
    ordered = sorted(groups.items(), key=lambda item: (-item[1].requests, item[0].path))
    # A clear attack is not proposed, however many addresses it comes from.
    likely = {rule: one for rule, one in groups.items() if lookalikes.is_likely(one)}
    entries = reporting.exclusions(likely)
    places = lookalikes.places(groups)
    return render_template(
        "report.html",
        title="Report",
        period=period,
        periods=PERIODS,
        app=app,
        apps=apps,
        takes_rules=app in services().keys.apps(),
        groups=[
            (rule, group, lookalikes.customers(group, places), lookalikes.exclusion_of(rule))
            for rule, group in ordered[:MAX_GROUPS]
        ],
        more=max(0, len(ordered) - MAX_GROUPS),
        most=lookalikes.MAX_REPORTED,
        is_cut=len(rows) >= lookalikes.MAX_REPORTED,
        proposed=entries,
        proposed_toml=exclusions.as_toml(entries),
        min_clients=reporting.MIN_CLIENTS,
        notice=notice(),
    )


@clients.get("/report/group")
def group() -> ResponseReturnValue:
    """Show one group of the report: what was sent, by evidence, and what an exclusion would do."""
    period, app = chosen_period("day"), request.args.get("app", "")[:64]
    named = ("check", "path", "category", "location", "name")
    rule = reporting.Rule(**{name: clean(request.args.get(name, ""), 512) for name in named})
    found = lookalikes.lookalikes(lookalikes.refusals(services().database, period, app), rule)
    return render_template(
        "lookalikes.html",
        title="Look-alikes",
        period=period,
        periods=PERIODS,
        app=app,
        rule=rule,
        rule_args=asdict(rule),
        found=found,
        categories=lookalikes.by_category(found.through) if found else {},
        toml=exclusions.as_toml([found.entry]) if found and found.entry else "",
        takes_rules=app in services().keys.apps(),
        takers=overview.rule_takers(services().database, app),
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


def network_of(client: str) -> str:
    """Return the network (AS) of a client; "" without a database, or if it has none."""
    geography = services().geography
    return geography.network(client) if geography is not None else ""


def _bans() -> list[Any]:
    shared = services().bans
    if shared is None:
        return []
    try:
        return shared.all()
    except GuardError:
        return []
