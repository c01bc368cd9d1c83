"""The playground: one request, one configuration, and the reasons of the verdict.

It uses the engine of ``guard-wsgi inspect``.
"""

from __future__ import annotations

import json
import re
import secrets
import tomllib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from attrs import asdict, evolve, fields, frozen
from sqlalchemy import insert, select

from guard_wsgi.cli.curl import parse_curl
from guard_wsgi.cli.inspecting import (
    CLIENT,
    PLACES,
    Outcome,
    Rung,
    climb,
    inspect,
    parse_request,
    place,
    weighed,
)
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import Finding
from guard_wsgi.detection.decoding.decodings import decodings
from guard_wsgi.detection.settings import THRESHOLDS
from guard_wsgi.errors import ConfigError, GuardError
from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.patterncost import check_patterns, texts_in
from guard_wsgi_flask.console.records import clean, findings_of, path_of
from guard_wsgi_flask.console.rulebook import AnyCountry, checking

MAX_INPUT_CHARS = 262_144
KINDS = ("payload", "curl", "request")
CONFIGS = ("default", "in force", "toml")


_SLUG = re.compile(r"[\w-]{1,22}\Z", re.ASCII)
_OUTSIDE_ENDS = ("_file", "_path", "_url")
_OUTSIDE_BEGINS = ("agent_", "redis_", "otel_", "logfire_", "ipinfo_")
_OUTSIDE = frozenset(
    {
        *("enable_agent", "enable_dynamic_rules", "enable_enrichment", "enable_logfire"),
        *("enable_otel", "enable_redis", "block_cloud_providers", "allow_verified_bots"),
    }
)
"""Options that a trial leaves out."""


class TrialRefused(GuardError, ValueError):
    """The text is not a request, or not a configuration.

    :ivar faults: one sentence per fault.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@frozen(slots=True, kw_only=True)
class Trial:
    """The input of a trial.

    :ivar kind: one of KINDS: how to read ``text``.
    :ivar place: where a bare payload goes.
    :ivar config: one of CONFIGS; ``toml`` is read only for the last.
    :ivar threshold: a threshold, as text, instead of the configuration's; empty for that.
    :ivar exclusions: further ``detection_exclusions``, as TOML.
    """

    text: str = ""
    kind: str = "payload"
    place: str = "query"
    client: str = CLIENT
    config: str = "default"
    toml: str = ""
    threshold: str = ""
    exclusions: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Trial:
        """Read a form. :attr:`faults` lists what is wrong with it."""
        named = {name: str(fields[name]) for name in _TRIAL_FIELDS if fields.get(name)}
        trial = cls(**named)
        return evolve(trial, text=trial.text.replace("\r\n", "\n"))

    @property
    def faults(self) -> tuple[str, ...]:
        """Return why this can't be tried; nothing is cut or replaced silently."""
        found = [
            f"{name}: {value!r:.40} is none of {', '.join(known)}"
            for name, value, known in (
                ("kind", self.kind, KINDS),
                ("place", self.place, PLACES),
                ("config", self.config, CONFIGS),
            )
            if value not in known
        ]
        found += [
            f"{name}: has {len(value)} characters; the playground takes {MAX_INPUT_CHARS}"
            for name in _TRIAL_FIELDS
            if len(value := str(getattr(self, name))) > MAX_INPUT_CHARS
        ]
        return tuple(found)


_TRIAL_FIELDS = tuple(attribute.name for attribute in fields(Trial))


@frozen(slots=True)
class Evidence:
    """One finding as the page shows it.

    :ivar views: (name, text) of the decodings of the value.
    :ivar weights: (indicator, weight) in units of the score.
    """

    finding: Finding
    views: list[tuple[str, str]]
    weights: list[tuple[str, float]]


@frozen(slots=True)
class Answer:
    outcome: Outcome
    rungs: list[Rung]
    evidence: list[Evidence]
    config: SecurityConfig


def run(trial: Trial, in_force: SecurityConfig) -> Answer:
    """Send the request through a new guard.

    :raises TrialRefused: if the request or the configuration is not valid.
    """
    if trial.faults:
        raise TrialRefused(trial.faults)
    config = configured(trial, in_force)
    try:
        outcome = inspect(_environ(trial), config, trial.client.strip())
        rungs = climb(_environ(trial), config, trial.client.strip())
    except ConfigError as error:
        raise TrialRefused(error.faults) from None
    except GuardError as error:
        raise TrialRefused((str(error),)) from None
    evidence = [
        Evidence(
            finding, [(view.name, view.text) for view in decodings(finding.value)], weighed(finding)
        )
        for finding in outcome.findings
    ]
    return Answer(outcome, rungs, evidence, config)


def _environ(trial: Trial) -> dict[str, Any]:
    if trial.kind == "curl":
        return parse_curl(trial.text)
    if trial.kind == "request":
        return parse_request(trial.text.encode("utf-8", "surrogateescape"))
    return place(trial.text, trial.place)


def configured(trial: Trial, in_force: SecurityConfig) -> SecurityConfig:
    """Make the configuration of a trial.

    :raises TrialRefused: with every fault.
    """
    faults: list[str] = []
    config = in_force if trial.config == "in force" else SecurityConfig()
    try:
        if trial.config == "toml":
            config = from_text(trial.toml)
        changes: dict[str, Any] = {}
        if trial.threshold.strip():
            threshold = _threshold(trial.threshold.strip())
            if threshold is None:
                names = ", ".join(THRESHOLDS)
                faults.append(f"threshold: {trial.threshold!r:.40} is no number, nor {names}")
            else:
                changes["detection_threat_score_threshold"] = threshold
        if trial.exclusions.strip():
            extra = _exclusions(trial.exclusions)
            changes["detection_exclusions"] = (*config.detection_exclusions, *extra)
        if not faults:
            return offline(config).evolve(**changes)
    except ConfigError as error:
        faults += error.faults
    except GuardError as error:
        faults.append(str(error))
    raise TrialRefused(tuple(faults))


def _threshold(text: str) -> float | None:
    if text in THRESHOLDS:
        return THRESHOLDS[text]
    try:
        return float(text)
    except ValueError:
        return None


def from_text(toml: str) -> SecurityConfig:
    """Make a configuration from the text of a ``guard.toml``, without options that read files, open
    connections or look up names: a trial stays in this process.

    :raises ConfigError: with every fault.
    """
    try:
        table = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        raise ConfigError([f"is not TOML: {error}"]) from None
    check_patterns(texts_in(table))
    kept_options = {name: value for name, value in table.items() if not _reaches_out(name)}
    return SecurityConfig.from_mapping({"geo_ip_handler": AnyCountry(), **kept_options})


def _reaches_out(name: str) -> bool:
    return name.endswith(_OUTSIDE_ENDS) or name.startswith(_OUTSIDE_BEGINS) or name in _OUTSIDE


def offline(config: SecurityConfig) -> SecurityConfig:
    """Return a configuration whose guard uses no other service."""
    return checking(config).evolve(block_cloud_providers=None, allow_verified_bots=False)


def _exclusions(toml: str) -> tuple[Any, ...]:
    return from_text(toml).detection_exclusions


# An event as a trial ---------------------------------------------------------------------------


def of_event(event: Mapping[str, Any]) -> Trial:
    """Make a request like that of an event, with the findings in their places."""
    client = str(event.get("ip_address") or CLIENT)
    method, path = clean(event.get("method")) or "GET", clean(path_of(event)) or "/"
    findings = findings_of(event)
    path = path if path.startswith("/") else "/"
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if event.get("user_agent"):
        lines.append(f"User-Agent: {event['user_agent']}")
    body, query = "", []
    for finding in findings:
        value, name, location = finding["value"], finding["name"], finding["location"]
        if location == "query":
            query.append(f"{quote(name, safe='')}={quote(value, safe='')}")
        elif location == "header" and name:
            lines.append(f"{name}: {value}")
        elif location == "cookie":
            lines.append(f"Cookie: {name}={value}")
        elif location in ("form", "multipart"):
            body += ("&" if body else "") + f"{quote(name, safe='')}={quote(value, safe='')}"
        elif location == "json":
            body = json.dumps({name: value})
            lines.append("Content-Type: application/json")
        elif location == "body":
            body = value
    if body and not any(line.startswith("Content-Type") for line in lines):
        lines.append("Content-Type: application/x-www-form-urlencoded")
    if query:
        lines[0] = f"{method} {quote(path)}?{'&'.join(query)} HTTP/1.1"
    else:
        lines[0] = f"{method} {quote(path)} HTTP/1.1"
    text = "\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
    text = clean(f"{text}\n\n{body}", MAX_INPUT_CHARS)
    return Trial(text=text, kind="request", client=clean(client), config="in force")


def passes_by_score(event: Mapping[str, Any], threshold: float) -> bool:
    """Whether a refusal by detection would pass at another threshold."""
    findings = findings_of(event)
    return bool(findings) and all(finding["score"] < threshold for finding in findings)


# Permalinks ------------------------------------------------------------------------------------


def keep(database: Database, trial: Trial, author: str) -> str:
    """Store the input. Return the name of its permalink.

    :raises TrialRefused: if it can't be tried at all.
    """
    if trial.faults:
        raise TrialRefused(trial.faults)
    slug = secrets.token_urlsafe(9)
    with database.write() as connection:
        connection.execute(
            insert(schema.trials).values(
                slug=slug, created=now(), author=author, body=json.dumps(asdict(trial))
            )
        )
    return slug


def kept(database: Database, slug: str) -> Trial | None:
    """Return the stored input of a name."""
    if not _SLUG.match(slug):
        return None
    with database.read() as connection:
        body = connection.scalar(select(schema.trials.c.body).where(schema.trials.c.slug == slug))
    return Trial.of(json.loads(body)) if body is not None else None
