"""Events: the table, its exports, and one event with its reasons and actions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, g, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from guard_wsgi.cli import reporting
from guard_wsgi.cli.inspecting import weighed
from guard_wsgi.cli.shared import seconds_of
from guard_wsgi.config.exclusion import detection_exclusions
from guard_wsgi.detection import Finding
from guard_wsgi.detection.decoding.decodings import decodings
from guard_wsgi.errors import GuardError
from guard_wsgi.network.address import parse_address
from guard_wsgi.network.ipset import IPSet
from guard_wsgi_flask.console import exclusions, lookalikes, overview, retention, rulebook, search
from guard_wsgi_flask.console.pages.acting import back, for_admins, notice, record
from guard_wsgi_flask.console.records import event_of, findings_of
from guard_wsgi_flask.console.reported_bans import reported_ban
from guard_wsgi_flask.console.search import Cursor, Filters
from guard_wsgi_flask.console.services import services

events = Blueprint("events", __name__)

MAX_BAN_SECONDS = 315_360_000
MAX_EXPORTED = 1_000_000
BAN_TIMES = (
    ("15m", "15 minutes"),
    ("1h", "1 hour"),
    ("1d", "1 day"),
    ("7d", "7 days"),
    ("90d", "90 days"),
)
CSV_COLUMNS = (
    "id",
    "at",
    "app",
    "kind",
    "outcome",
    "check_name",
    "category",
    "client",
    "country",
    "method",
    "path",
    "status",
    "user_agent",
    "reason",
    "reference",
    "score",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The beginnings of cells that a spreadsheet executes (OWASP, CSV Injection), also in full-width
forms."""


@events.get("/events")
def table() -> ResponseReturnValue:
    filters = Filters.of(request.args)
    database = services().database
    last_id = search.last_id(database)
    page = search.find(database, filters, Cursor.of(request.args.get("after", "")))
    return render_template(
        "events.html",
        title="Events",
        filters=filters,
        page=page,
        last_id=last_id,
        is_first=not request.args.get("after"),
        apps=overview.apps_seen(database, services().keys.apps()),
        kinds=search.names(database, "kind"),
        categories=search.names(database, "category"),
        notice=notice(),
    )


@events.get("/events/rows")
def rows() -> ResponseReturnValue:
    """The table's rows, for htmx."""
    filters = Filters.of(request.args)
    database = services().database
    last_id = search.last_id(database)
    page = search.find(database, filters, Cursor.of(request.args.get("after", "")))
    return render_template(
        "events_rows.html",
        filters=filters,
        page=page,
        last_id=last_id,
        is_first=not request.args.get("after"),
    )


@events.get("/events.csv")
def as_csv() -> ResponseReturnValue:
    filters, rows = Filters.of(request.args), _exported("events.csv")

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(CSV_COLUMNS)
        for row in rows(filters):
            writer.writerow([harmless(value) for value in cells(row)])
            if buffer.tell() > 32_768:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    return _download(lines(), "text/csv; charset=utf-8", "events.csv")


@events.get("/events.json")
def as_json() -> ResponseReturnValue:
    """Export one event per line, as it came, with unknown fields."""
    filters, rows = Filters.of(request.args), _exported("events.jsonl")

    def lines() -> Iterator[str]:
        for row in rows(filters):
            yield json.dumps({"app": row["app"], **event_of(row)}) + "\n"

    return _download(lines(), "application/x-ndjson", "events.jsonl")


def _exported(name: str) -> Callable[[Filters], Iterator[search.Row]]:
    """Yield all matching events, and count them for the page that shows the progress."""
    work, database, person = services().work, services().database, _person()

    def rows(filters: Filters) -> Iterator[search.Row]:
        total = None if filters.reported else min(retention.count(database), MAX_EXPORTED)
        with work.task(f"export {name}", person, total) as task:
            for row in search.every(database, filters, MAX_EXPORTED):
                task.done += 1
                yield row

    return rows


def cells(row: search.Row) -> list[Any]:
    """Return the cells of CSV_COLUMNS; the time in ISO 8601, UTC."""
    event = event_of(row)
    scores = [finding["score"] for finding in findings_of(event)]
    shown = {
        **row,
        "at": datetime.fromtimestamp(row["at"] / 1e6, UTC).isoformat(timespec="milliseconds"),
        "reference": _reference(event),
        "score": max(scores) if scores else "",
    }
    return [shown[name] for name in CSV_COLUMNS]


def harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet reads as a formula."""
    if isinstance(value, str) and (
        value.startswith(_FORMULA) or value.lstrip().startswith(_FORMULA)
    ):
        return "'" + value
    return value


def _download(lines: Iterator[str], kind: str, name: str) -> Response:
    return Response(
        stream_with_context(lines),
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@events.get("/events/<int(max=9223372036854775807):event_id>")
def detail(event_id: int) -> ResponseReturnValue:
    row = _row(event_id)
    event = event_of(row)
    database = services().database
    others = search.find(database, Filters(client=row["client"]), size=8).rows
    alike = search.find(
        database, Filters(template=row["template"], category=row["category"]), size=1
    ).rows
    proposed = exclusions.propose(event)
    return render_template(
        "event.html",
        title=f"Event {event_id}",
        row=row,
        event=event,
        evidence=[evidence(finding) for finding in findings_of(event)],
        others=[one for one in others if one["id"] != event_id] if row["client"] else [],
        alike=alike,
        known=overview.client(database, row["client"]) if row["client"] else None,
        standing=standing(row["client"], row["app"]),
        proposed=proposed,
        proposed_toml=exclusions.as_toml(proposed),
        groups=lookalikes.rules_of(row)[:4] if row["outcome"] != "told" else [],
        takes_rules=row["app"] in services().keys.apps(),
        takers=overview.rule_takers(database, row["app"]),
        reference=_reference(event),
        ban_times=BAN_TIMES,
        notice=notice(),
    )


@events.get("/events/<int(max=9223372036854775807):event_id>/exclusion")
def what_if(event_id: int) -> ResponseReturnValue:
    """Show the events of the last day that the proposed exclusion would have let through, for
    htmx."""
    row = _row(event_id)
    proposed = detection_exclusions(exclusions.propose(event_of(row)))
    day = search.last_day(services().database, row["app"], row["template"])
    passed = [one for one in day if exclusions.covers(proposed, event_of(one))]
    return render_template(
        "event_what_if.html",
        looked_at=len(day),
        passed=passed,
        clients=len({one["client"] for one in passed}),
    )


@events.post("/events/<int(max=9223372036854775807):event_id>/exclude")
@for_admins
def exclude(event_id: int) -> ResponseReturnValue:
    """Put the proposed exclusion into force."""
    row = _row(event_id)
    proposed = exclusions.propose(event_of(row))
    if not proposed:
        return back(url_for("events.detail", event_id=event_id), "unchanged")

    def change(body: dict[str, Any]) -> None:
        for entry in proposed:
            rulebook.exclude(entry)(body)

    app, note = row["app"], f"event {event_id} was no attack"
    if app not in services().keys.apps():
        raise GuardError(f"{app} takes no rules: copy the exclusion into its guard.toml")
    version = services().rules.change(app, _person(), note, change)
    record("exclude", app, json.dumps(proposed))
    return back(url_for("events.detail", event_id=event_id), "excluded", app, version)


@events.post("/bans")
@for_admins
def ban() -> ResponseReturnValue:
    """Ban a client: in the shared store, if there is one, and in the rules of the app."""
    target, app = request.form.get("target", ""), request.form.get("app", "")
    seconds = seconds_of(request.form.get("time", ""))
    if seconds > MAX_BAN_SECONDS:
        raise GuardError("a ban can last at most ten years")
    name = rulebook.network_name(target)
    reason = f"banned by {_person()} in the console"
    shared = services().bans
    if shared is not None:
        shared.ban(name, seconds, reason)
    version = 0
    if app and app in services().keys.apps():
        version = services().rules.change(
            app, _person(), f"ban {name}", rulebook.ban(name, seconds)
        )
    elif shared is None:
        raise GuardError("there is no app with a key to send the ban to, and no --store")
    record("ban", name, f"{app} for {seconds} s")
    notice = "banned" if shared is None else "banned-in-store"
    return back(url_for("clients.one", client=name), notice, app, version)


@events.post("/bans/lift")
@for_admins
def unban() -> ResponseReturnValue:
    target, app = request.form.get("target", ""), request.form.get("app", "")
    name = rulebook.network_name(target)
    shared = services().bans
    if shared is not None:
        shared.unban(name)
    version = 0
    if app and app in services().keys.apps():
        version = services().rules.change(app, _person(), f"unban {name}", rulebook.unban(name))
    record("unban", name, app)
    return back(url_for("clients.one", client=name), "unbanned", app, version)


def standing(client: str, app: str) -> dict[str, Any]:
    """Return a client's bans in the rules and in the store, and what is left of its limits."""
    found: dict[str, Any] = {"rules": [], "store": [], "reported": None, "limits": [], "fault": ""}
    if not client:
        return found
    found["reported"] = reported_ban(services().database, client, app)
    _, body = services().rules.current(app)
    until = body.get("ip_ban_until", {})
    found["rules"] = [
        (target, until.get(target, ""))
        for target in body.get("ip_blacklist", ())
        if is_within(client, target)
    ]
    shared = services().bans
    if shared is not None:
        try:
            found["store"] = [ban for ban in shared.all() if is_within(client, ban.target)]
            found["limits"] = shared.limits(client)
        except GuardError as error:
            found["fault"] = str(error)
    return found


def is_within(client: str, target: str) -> bool:
    """Whether a ban of an address or a network is one of this client."""
    address = parse_address(client)
    return client == target or (address is not None and address in IPSet([target]))


def evidence(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return one finding for the page: indicators with their weights, decoded views."""
    made = Finding(
        category=finding["category"],
        location=finding["location"],
        name=finding["name"],
        value=finding["value"],
        view=finding["view"],
        indicators=tuple(reporting.indicator_names(finding["indicators"])),
        score=finding["score"],
        threshold=finding["threshold"],
    )
    return {
        "finding": made,
        "weights": weighed(made),
        "views": [(view.name, view.text) for view in decodings(made.value)] if made.value else [],
    }


def _reference(event: Mapping[str, Any]) -> str:
    """Return the reference that the refused client got."""
    metadata = event.get("metadata")
    return str(metadata.get("request_id") or "") if isinstance(metadata, dict) else ""


def _row(event_id: int) -> search.Row:
    row = search.one(services().database, event_id)
    if row is None:
        raise NotFound("there is no such event, or it was deleted as too old")
    return row


def _person() -> str:
    return str(g.person.name)
