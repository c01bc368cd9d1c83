"""Keys, the audit log, the stored data; and reports of browsers about the content security
policy."""

from __future__ import annotations

from flask import Blueprint, Response, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, insert, select
from werkzeug.exceptions import NotFound

from guard_wsgi_flask.console import logreader, retention, schema
from guard_wsgi_flask.console.database import now
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.pages.acting import back, for_admins, notice, record
from guard_wsgi_flask.console.records import clean
from guard_wsgi_flask.console.services import services

admin = Blueprint("admin", __name__)

MAX_REPORTS = 1000
"""The most bytes of a report about the content security policy: anybody can send one."""
MAX_REPORT_BYTES = 16_384


@admin.get("/keys")
def keys() -> ResponseReturnValue:
    return _keys(None)


@admin.post("/keys")
@for_admins
def create_key() -> ResponseReturnValue:
    """This answer shows the key, once."""
    made = services().keys.create(
        request.form.get("app", ""),
        g.person.name,
        signed=bool(request.form.get("signed")),
        encrypted=bool(request.form.get("encrypted")),
    )
    record("create key", made.app)
    return _keys(made)


@admin.post("/keys/<int(max=2147483647):key_id>/revoke")
@for_admins
def revoke_key(key_id: int) -> ResponseReturnValue:
    app = services().keys.revoke(key_id)
    if app is None:
        raise NotFound("there is no such key in use")
    record("revoke key", app)
    return back(url_for("admin.keys"), "revoked")


def _keys(made: NewKey | None) -> ResponseReturnValue:
    return render_template(
        "keys.html",
        title="Keys",
        keys=services().keys.all(),
        made=made,
        endpoint=request.host_url.rstrip("/"),
        notice=notice(),
    )


@admin.get("/audit")
def audit() -> ResponseReturnValue:
    return render_template("audit.html", title="Audit log", rows=services().audit.latest())


@admin.get("/data")
def data() -> ResponseReturnValue:
    """Show what is stored, for how long, and how much space it takes."""
    database = services().database
    with database.read() as connection:
        oldest = connection.scalar(select(func.min(schema.events.c.at)))
        reports = connection.scalar(select(func.count()).select_from(schema.csp_reports))
    return render_template(
        "data.html",
        title="Data",
        settings=services().settings,
        size=database.size_bytes(),
        oldest=oldest,
        events=retention.count(database),
        reports=reports,
        notice=notice(),
    )


@admin.get("/data/work")
def work() -> ResponseReturnValue:
    """Show the progress of long work, for htmx, which asks again while some is running."""
    log, database = services().settings.log, services().database
    read, size = logreader.progress(log, database) if log is not None else (0, 0)
    tasks = services().work.latest()
    return render_template(
        "data_work.html",
        log=log,
        read=read,
        size=size,
        tasks=tasks,
        goes_on=read < size or any(not task.ended for task in tasks),
    )


@admin.post("/data/delete")
@for_admins
def delete_events() -> ResponseReturnValue:
    """Delete a client's events, or all events: a client may have a right to it (GDPR, 17)."""
    client = clean(request.form.get("client", "").strip(), 256)
    deleted = retention.forget(services().database, client)
    record("delete events", client or "all", f"{deleted} events")
    return back(url_for("admin.data"), "deleted")


@admin.post("/csp-report")
def csp_report() -> ResponseReturnValue:
    """Count a report about something that a browser refused to run or load. There should be none;
    /data shows the number."""
    body = request.stream.read(MAX_REPORT_BYTES)
    with services().database.write() as connection:
        table = schema.csp_reports
        known = connection.scalar(select(func.count()).select_from(table))
        if int(known or 0) < MAX_REPORTS:
            text = clean(body.decode("utf-8", "replace"), MAX_REPORT_BYTES)
            connection.execute(insert(table).values(at=now(), body=text))
    return Response(status=204)
