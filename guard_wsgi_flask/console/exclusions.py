"""Exclusions: the narrowest that would let an event pass, and what else it would let pass."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from guard_wsgi.cli.reporting import entries_for, rule_of
from guard_wsgi.config.exclusion import DetectionExclusion, detection_exclusions
from guard_wsgi_flask.console.records import findings_of, path_of, template_of


def propose(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return entries for ``detection_exclusions``, each of some fields and categories; none if
    detection did not cause the event."""
    entry = {"check": "", "path": template_of(event)}
    made = entries_for(rule_of(entry, finding) for finding in findings_of(event))
    return [one for one in made if is_valid(one)]


def is_valid(entry: Mapping[str, Any]) -> bool:
    """Whether a guard accepts this entry."""
    try:
        detection_exclusions([entry])
    except ValueError:  # a category that can't be excluded, such as a spent budget
        return False
    return True


def as_toml(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return the entry as TOML, for a ``guard.toml``."""
    blocks = [
        "\n".join(
            [
                "[[detection_exclusions]]",
                *(f"{name} = {_toml(value)}" for name, value in one.items()),
            ]
        )
        for one in entries
    ]
    return "\n\n".join(blocks)


def _toml(value: Any) -> str:
    """Write a string or a list of strings; TOML's basic strings have the escapes of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def covers(exclusions: Iterable[DetectionExclusion], event: Mapping[str, Any]) -> bool:
    """Whether these exclusions would have removed every finding of an event."""
    path = path_of(event)
    return silence([one for one in exclusions if one.covers(path)], findings_of(event))


def silence(holding: Sequence[DetectionExclusion], findings: Sequence[Mapping[str, Any]]) -> bool:
    """Whether exclusions that cover the path would remove all of these findings."""
    return bool(holding and findings) and all(
        any(one.removes(found["category"], found["location"], found["name"]) for one in holding)
        for found in findings
    )
