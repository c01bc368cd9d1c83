"""``guard-wsgi report``: groups the refusals, and would-be refusals, of a log.

It reads the lines of ``custom_log_file`` in either format and skips other lines. It proposes an
exclusion if detection refused several clients for the same kind of value: an attacker is mostly one
client, a misjudged form has many.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

from attrs import define, evolve, field, frozen

from guard_wsgi.cli.inspecting import described
from guard_wsgi.cli.loading import CommandError
from guard_wsgi.cli.log_lines import REFUSED as REFUSED
from guard_wsgi.cli.log_lines import WOULD_HAVE as WOULD_HAVE
from guard_wsgi.cli.log_lines import SeenLines, read, requests_of
from guard_wsgi.request.reference import Reference

MIN_CLIENTS = 3
"""This many different clients do not attack the same field in the same way by chance."""

DOUBTFUL_MARGIN = 0.6
"""The same margin as for automatic bans: findings this close to the threshold count a tenth."""

MAX_CLIENTS_COUNTED = 10_000
"""The most clients to count in a group; beyond, the report says "or more"."""

MAX_GROUPS = 20_000
"""The most groups; a scanner asks for endless paths, so later ones are counted together."""

MAX_SHOWN = 50
"""The most groups to show, so that people read the report to its end."""

OTHER_PATHS = "(other paths)"

_NAME = re.compile(r"t:|[a-z]\w*[.:]\w")
"""Begins the name of an indicator; tokens are single letters, words and signs."""

# Segments that identify one thing among many: numbers, UUIDs, hashes and long tokens.
_IDENTITY = re.compile(r"(?:\d+|[0-9a-fA-F-]{16,}|(?=\S*\d)[\w-]{24,})\Z")
_INDEX = re.compile(r"\[\d*\]")

_PLACE_OPTION: Mapping[str, str] = {
    "query": "params",
    "header": "headers",
    "cookie": "headers",
    "form": "body_fields",
    "json": "body_fields",
    "multipart": "body_fields",
    "xml": "body_fields",
    "graphql": "body_fields",
}


@frozen(slots=True)
class Rule:
    """What refused: the check and, for detection, the category and the place.

    :ivar path: the path, with ``*`` from the first segment on that identifies one thing among many.
    """

    check: str
    path: str
    category: str = ""
    location: str = ""
    name: str = ""


@define(slots=True)
class Group:
    """All refusals by one rule."""

    requests: int = 0
    refused: int = 0
    at_least: bool = False
    clients: set[str] = field(factory=set)
    indicators: Counter[str] = field(factory=Counter)
    limits: set[str] = field(factory=set)
    doubtful: int = 0
    highest_score: float = 0.0
    example: str = ""
    reference: str = ""


def group(entries: Iterable[Mapping[str, Any]]) -> dict[Rule, Group]:
    """Group refusals by rule. A request with several findings counts for each."""
    groups: dict[Rule, Group] = {}
    for entry in entries:
        found = entry["findings"] or [{}]
        requests = requests_of(entry)
        for finding in found:
            rule = rule_of(entry, finding)
            if rule not in groups and len(groups) >= MAX_GROUPS:
                rule = evolve(rule, path=OTHER_PATHS, name="")
            counted = groups.setdefault(rule, Group())
            counted.requests += requests
            counted.at_least |= requests > 1
            counted.doubtful += requests * is_doubtful(finding)
            counted.refused += requests * (entry["action"] == REFUSED)
            if len(counted.clients) < MAX_CLIENTS_COUNTED:
                counted.clients.add(entry["client"])
            limit = _limit(finding)
            if limit:
                counted.limits.add(limit)
            else:
                counted.indicators.update(indicator_names(str(finding.get("indicators") or "")))
            counted.highest_score = max(counted.highest_score, float(finding.get("score") or 0))
            counted.example = counted.example or entry["reason"]
            counted.reference = entry["reference"] or counted.reference
    return groups


def is_doubtful(finding: Mapping[str, Any]) -> bool:
    """Whether the score is less than DOUBTFUL_MARGIN over the threshold, if the line has both."""
    score, threshold = float(finding.get("score") or 0), float(finding.get("threshold") or 0)
    return score > 0 < threshold and score - threshold < DOUBTFUL_MARGIN


def _limit(finding: Mapping[str, Any]) -> str:
    """Return the spent limit of detection, as an option and its figure; "" for an attack."""
    if finding.get("option"):
        return f"{finding['option']}={finding.get('figure')}"
    return str(finding.get("limit") or "")


def indicator_names(text: str) -> list[str]:
    """Split names that an event joins with blanks; a pair is ``one & other``, and the name of a run
    of tokens has blanks of its own (``t:/ w /``)."""
    names: list[str] = []
    words: list[str] = []
    for word in text.split():
        if words and words[-1].startswith("t:") and word != "&" and not _NAME.match(word):
            words[-1] += f" {word}"
        else:
            words.append(word)
    for number, word in enumerate(words):
        if word == "&" or (number and words[number - 1] == "&"):
            continue
        if number + 2 < len(words) and words[number + 1] == "&":
            word = f"{word} & {words[number + 2]}"
        names.append(word)
    return names


def general(path: str) -> str:
    """Replace a path from its first identifying segment on with ``*``."""
    kept: list[str] = []
    for segment in path.split("/"):
        if _IDENTITY.match(segment):
            return "/".join([*kept, "*"])
        kept.append(segment)
    return path


def exclusions(groups: Mapping[Rule, Group]) -> list[dict[str, Any]]:
    """Propose entries for ``detection_exclusions`` that let pass what several clients sent."""
    return entries_for(
        rule for rule, counted in groups.items() if len(counted.clients) >= MIN_CLIENTS
    )


def entries_for(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Return the narrowest entries of ``detection_exclusions`` that would let these pass: a
    category in a field on a path. Other attacks are still refused in the field."""
    kinds: dict[tuple[str, str, str], set[str]] = {}
    everywhere: dict[str, set[str]] = {}
    for rule in rules:
        silenced = silencing(rule)
        if silenced is None:
            continue
        option, value = silenced
        if option == "categories":
            everywhere.setdefault(rule.path, set()).add(value)
        else:
            kinds.setdefault((rule.path, option, value), set()).add(rule.category)
    alike: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (path, option, value), found in sorted(kinds.items()):
        alike.setdefault((path, option, tuple(sorted(found))), []).append(value)
    entries = [
        {"path": path, option: names, "categories": list(found)}
        for (path, option, found), names in alike.items()
    ]
    entries += [{"path": path, "categories": sorted(found)} for path, found in everywhere.items()]
    return sorted(entries, key=lambda entry: entry["path"])


def silencing(rule: Rule) -> tuple[str, str] | None:
    """Return the narrowest exclusion that would let this pass, as (option, value): a name if the
    place has one, else the category. ``None`` if detection did not refuse."""
    if not rule.path.startswith("/") or not rule.category:
        return None
    option = _PLACE_OPTION.get(rule.location) if rule.name else None
    if option is None:
        return "categories", rule.category
    if rule.location == "cookie":
        return option, "cookie"
    return option, rule.name.partition(">")[0].rpartition(".")[2]


def rule_of(entry: Mapping[str, Any], finding: Mapping[str, Any]) -> Rule:
    """Return the group of one finding of a refusal."""
    return Rule(
        entry["check"],
        general(entry["path"]),
        str(finding.get("category", "")),
        str(finding.get("location", "")),
        _INDEX.sub("", str(finding.get("name", ""))),
    )


def report(lines: Iterable[str], out: TextIO) -> int:
    """Write the groups of a log. Return 0 if there is no refusal, else 1.

    :raises CommandError: if the lines are not those of a log.
    """
    seen = SeenLines(lines)
    groups = group(read(seen))
    if not groups:
        if seen.count and not seen.is_log:
            raise CommandError(
                f"none of the {seen.count} lines is a log line: give the custom_log_file"
            )
        print("no refusals" if seen.count else "the log is empty", file=out)
        return 0
    ordered = sorted(groups.items(), key=lambda item: (-item[1].requests, item[0].path))
    for rule, counted in ordered[:MAX_SHOWN]:
        where = f" in {rule.location} {rule.name!r}".removesuffix(" ''") if rule.location else ""
        what = f"{rule.check} ({rule.category}{where})" if rule.category else rule.check
        print(f"{what} on {rule.path}", file=out)
        print(f"    {_counts(counted)}", file=out)
        if counted.limits:
            print(f"    limit reached: {', '.join(sorted(counted.limits))}", file=out)
        elif counted.indicators:
            common = counted.indicators.most_common(5)
            named = ", ".join(described(name) for name, _ in common)
            print(f"    score up to {counted.highest_score:.2f}: {named}", file=out)
        else:
            print(f"    example: {counted.example[:200]}", file=out)
        if counted.reference:
            print(f"    last reference: {counted.reference}", file=out)
    if len(ordered) > MAX_SHOWN:
        rest = sum(counted.requests for _, counted in ordered[MAX_SHOWN:])
        print(f"and {len(ordered) - MAX_SHOWN} more, with {rest} requests", file=out)
    proposed = exclusions(groups)
    if proposed:
        print("\n# If these were customers, not attackers, let them pass:", file=out)
        for entry in proposed:
            print("[[detection_exclusions]]", file=out)
            for name, value in entry.items():
                print(f"{name} = {json.dumps(value)}", file=out)
    return 1


MINUTE: Final = 60
"""Each check logs the first refusals of a client within so many seconds."""


def find(reference: str, lines: Iterable[str], out: TextIO) -> int:
    """Write the lines of a log about one request, or else those of its client in that minute.

    Return 0 if there are any, else 1.

    :param reference: the id that the refused client saw: in ``X-Request-Id``, in the text, or as
        the UUID in a problem's ``instance``.
    """
    wanted = reference.strip().lower().removeprefix("urn:uuid:").replace("-", "")
    wanted_parts = Reference.of(wanted)
    found, near = [], []
    for line in lines if wanted else ():
        if wanted in line:
            found.append(line)
        elif wanted_parts is not None and wanted_parts.client in line:
            others = map(
                Reference.of, re.findall(rf"\b{wanted_parts.client}[0-9a-f]{{20}}\b", line)
            )
            if any(
                other and abs(other.seconds - wanted_parts.seconds) <= MINUTE for other in others
            ):
                near.append(line)
    if wanted_parts is not None and near and not found:
        print(
            f"{reference} of {wanted_parts.when} has no line of its own: the client had too many"
            " refusals."
            " These are the client's lines of the minutes before and after:",
            file=out,
        )
        found = near[-MAX_SHOWN:]
    for line in found:
        print(line.rstrip("\n"), file=out)
    if not found:
        print(f"no line of this log has the reference {reference}", file=out)
    return 0 if found else 1


def _counts(counted: Group) -> str:
    clients = len(counted.clients)
    more = " or more" if clients >= MAX_CLIENTS_COUNTED else ""
    would = counted.requests - counted.refused
    parts = [f"{would} would have been refused"] if would else []
    if counted.refused:
        most = "at least " if counted.at_least else ""  # the last of a storm have no line
        parts.append(f"{most}{counted.refused} refused")
    return f"{', '.join(parts)}, from {clients}{more} client{'' if clients == 1 else 's'}"
