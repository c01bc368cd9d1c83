"""What is happening now, and the stream that updates open pages."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from guard_wsgi_flask.console import overview, search
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.logreader import DOUBLES
from guard_wsgi_flask.console.services import Places, services
from guard_wsgi_flask.console.template_filters import label

now = Blueprint("now", __name__)

PERIODS = ("hour", "day", "week", "month")
TELL_SECONDS = 1.0
"""A page gets an update at most once a second."""
BEAT_SECONDS = 15.0
"""Seconds between comments, which keep proxies from closing a stream and show whether anybody
listens."""
LOOK_SECONDS = 2.0
"""Seconds between looks for events that another process of the console has stored."""
STREAM_SECONDS = 600.0
"""The longest a stream lives. Then the browser reconnects, and its session is checked again."""


def chosen_period(default: str = "day") -> str:
    period = request.args.get("period", default)
    return period if period in PERIODS else default


@now.get("/")
def page() -> ResponseReturnValue:
    period, app = chosen_period("hour"), request.args.get("app", "")[:64]
    return render_template(
        "now.html",
        title="Now",
        period=period,
        app=app,
        periods=PERIODS,
        apps=overview.apps_seen(services().database, services().keys.apps()),
        last_id=search.last_id(services().database),
        **_facts(period, app),
    )


@now.get("/now/facts")
def facts() -> ResponseReturnValue:
    """Show the part of the page that updates itself, for htmx."""
    period, app = chosen_period("hour"), request.args.get("app", "")[:64]
    return render_template("now_facts.html", period=period, app=app, **_facts(period, app))


@now.get("/now/series")
def series() -> ResponseReturnValue:
    """Return the points of the chart."""
    app = request.args.get("app", "")[:64]
    line = overview.timeline(services().database, chosen_period("hour"), app)
    for one in line["refused"]:
        one["label"] = label(one["name"])
    return jsonify(line)


def _facts(period: str, app: str) -> dict[str, object]:
    database = services().database
    line = overview.timeline(database, period, app)
    return {
        "rates": overview.rates(database),
        "line": line,
        "doubles": database.value(DOUBLES),
        "agents": overview.agents(database),
        "clients": overview.top(database, "client", period, app, most=8),
        "templates": overview.top(database, "template", period, app, most=8),
        "in_force": {name: services().rules.current(name)[0] for name in services().rules.apps()},
    }


@now.get("/healthz")
def health() -> ResponseReturnValue:
    """Say whether the database answers, for monitoring of the console."""
    search.last_id(services().database)
    return Response("ok\n", content_type="text/plain")


@now.get("/live")
def live() -> ResponseReturnValue:
    """Server-sent events: ``news`` with the number of the last event.

    A page sends the number of the event after which it was made; a browser that reconnects sends
    the last one that it got.
    """
    known = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    shown = int(known) if known.isascii() and known.isdigit() and len(known) < 19 else -1
    return Response(
        _stream(services().database, services().live, shown),
        content_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


def _stream(database: Database, places: Places, shown: int) -> Iterator[str]:
    with places.place() as has_place:
        if not has_place:
            yield "retry: 30000\n\n"
            return
        yield "retry: 2000\n\n"
        seen = -1  # at once, the first time
        if shown < 0:
            shown = search.last_id(database)
        ends = time.monotonic() + STREAM_SECONDS
        beat = time.monotonic() + BEAT_SECONDS
        while time.monotonic() < ends:
            seen = database.wait(seen, LOOK_SECONDS)
            last = search.last_id(database)
            if last != shown:
                shown = last
                yield f"event: news\nid: {last}\ndata: {last}\n\n"
                beat = time.monotonic() + BEAT_SECONDS
                time.sleep(TELL_SECONDS)
            elif time.monotonic() >= beat:
                beat = time.monotonic() + BEAT_SECONDS
                yield ": still here\n\n"
