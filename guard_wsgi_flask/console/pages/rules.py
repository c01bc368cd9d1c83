"""The editor of dynamic rules: by app, with preview, history and rollback."""

from __future__ import annotations

import difflib
import json
from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from guard_wsgi.agent.rules import DynamicRules
from guard_wsgi.errors import GuardError
from guard_wsgi_flask.console import overview, preview, rulebook, search
from guard_wsgi_flask.console.exclusion_effects import excluded
from guard_wsgi_flask.console.pages.acting import back, for_admins, notice, record
from guard_wsgi_flask.console.pages.now import PERIODS, chosen_period
from guard_wsgi_flask.console.rulebook import RulesRefused
from guard_wsgi_flask.console.ruleform import body_of_form, form_of_body
from guard_wsgi_flask.console.services import services

rules = Blueprint("rules", __name__)

TAKEN_TRIES = 70
"""Seconds that a page waits for an agent: one without a long poll asks once a minute."""


@rules.get("/rules")
def page() -> ResponseReturnValue:
    app = _app()
    version, body = services().rules.current(app) if app else (0, {})
    return _editor(app, version, form_of_body(body), (), 200)


@rules.post("/rules")
@for_admins
def write() -> ResponseReturnValue:
    """Activate the rules of the form, or show what is wrong with them."""
    app = _app()
    if not app:
        raise GuardError("there is no app yet: create its key first")
    try:
        body = body_of_form(request.form)
        version, before = services().rules.current(app)
        seen = version_of_form() if "version" in request.form else version
        note = request.form.get("note", "")
        made = services().rules.write(app, body, g.person.name, note, over=seen)
    except RulesRefused as error:
        return _editor(app, version_of_form(), dict(request.form), error.faults, 422)
    after = services().rules.current(app)[1]
    record("write rules", f"{app} version {made}", "\n".join(difference(before, after))[:1000])
    return back(url_for("rules.page", app=app), "written", app, made)


@rules.get("/rules/taken")
def taken() -> ResponseReturnValue:
    """Show which agents have taken a version, for htmx, which asks again for a while until one
    has."""
    app, version = request.args.get("app", "")[:64], _whole("version")
    agents = overview.rule_takers(services().database, app)
    return render_template(
        "rules_taken.html",
        app=app,
        version=version,
        has_key=app in services().keys.apps(),
        took=[one for one in agents if one.rules_version >= version],
        late=[one for one in agents if one.rules_version < version],
        tries=_whole("tries"),
        is_over=not agents or _whole("tries") >= TAKEN_TRIES,
    )


@rules.post("/rules/preview")
def show_preview() -> ResponseReturnValue:
    """Show what the form's rules would have changed in the last day, for htmx."""
    app = _app()
    try:
        body = services().rules.checked(app, body_of_form(request.form))
    except RulesRefused as error:
        return render_template("rules_preview.html", faults=error.faults, outcome=None)
    day = search.last_day(services().database, app)
    outcome = preview.preview(day, DynamicRules.parse(body))
    return render_template("rules_preview.html", faults=(), outcome=outcome)


@rules.get("/rules/caught")
def show_caught() -> ResponseReturnValue:
    """Show what the rules in force have refused in the last day, for htmx."""
    app = _app()
    version, body = services().rules.current(app)
    day = search.last_day(services().database, app)
    found = preview.caught(day, DynamicRules.parse(body))
    return render_template(
        "rules_caught.html", found=found, looked_at=len(day), version=version, app=app
    )


@rules.get("/rules/effects")
def effects() -> ResponseReturnValue:
    """Show what the exclusions of an app let through, and what its other rules refuse."""
    app, period, database = _app(), chosen_period("week"), services().database
    _, body = services().rules.current(app)
    day = search.last_day(database, app)
    return render_template(
        "effects.html",
        title="Effect of the rules",
        app=app,
        apps=services().keys.apps(),
        period=period,
        periods=PERIODS,
        exclusions=excluded(
            database,
            app,
            period,
            body.get("detection_exclusions", ()),
            services().base.detection_exclusions,
        ),
        has_config=services().settings.config is not None,
        caught=preview.caught(day, DynamicRules.parse(body)).most_common(),
        looked_at=len(day),
        notice=notice(),
    )


@rules.post("/rules/exclusions/remove")
@for_admins
def take_away() -> ResponseReturnValue:
    """Take one exclusion out of the rules."""
    app, text = _app(), request.form.get("entry", "")
    version = services().rules.change(
        app, g.person.name, "an exclusion removed", rulebook.take_out(text)
    )
    record("remove exclusion", app, text[:1000])
    return back(url_for("rules.effects", app=app), "taken-away", app, version)


@rules.get("/rules/<int(max=2147483647):version>")
def one_version(version: int) -> ResponseReturnValue:
    app = _app()
    row = services().rules.version(app, version)
    if row is None:
        raise NotFound("there is no such version")
    earlier = services().rules.version(app, version - 1)
    return render_template(
        "rules_version.html",
        title=f"Rules of {app}, version {version}",
        app=app,
        row=row,
        body=json.loads(row["body"]),
        lines=difference(json.loads(earlier["body"]) if earlier else {}, json.loads(row["body"])),
        is_current=services().rules.current(app)[0] == version,
    )


@rules.post("/rules/<int(max=2147483647):version>/restore")
@for_admins
def restore(version: int) -> ResponseReturnValue:
    """Write an earlier version again; version 0 is "no rules"."""
    app = _app()
    row = services().rules.version(app, version)
    if row is None and version != 0:
        raise NotFound("there is no such version")
    body: dict[str, Any] = json.loads(row["body"]) if row is not None else {}
    seen = version_of_form() if "version" in request.form else None
    note = f"back to version {version}" if version else "all rules removed"
    made = services().rules.write(app, body, g.person.name, note, over=seen)
    record("roll back rules", f"{app} version {made}", f"to version {version}")
    return back(url_for("rules.page", app=app), "rolled-back", app, made)


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the removed and the added lines."""
    lines = difflib.unified_diff(
        json.dumps(before, indent=1, sort_keys=True).splitlines(),
        json.dumps(after, indent=1, sort_keys=True).splitlines(),
        lineterm="",
        n=0,
    )
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def version_of_form() -> int:
    return _whole("version")


def _whole(name: str) -> int:
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _app() -> str:
    """Return the named app, if it has a key; without a name, the busiest app.

    :raises NotFound: if no app has this name: rules for one app must not be written for another.
    """
    apps = services().keys.apps()
    asked = request.values.get("app", "")
    if not asked:
        return overview.busiest(services().database, apps)
    if asked not in apps:
        raise NotFound(f"there is no app {asked!r:.80} with a key")
    return asked


def _editor(
    app: str, version: int, form: dict[str, str], faults: tuple[str, ...], status: int
) -> ResponseReturnValue:
    page = render_template(
        "rules.html",
        title="Rules",
        app=app,
        apps=services().keys.apps(),
        version=version,
        form=form,
        faults=faults,
        history=services().rules.history(app) if app else [],
        heard=[one for one in _agents() if one.app == app],
        notice=notice(),
    )
    return page, status


def _agents() -> list[Any]:
    return list(overview.agents(services().database))
