"""Refusals that look alike, in groups: by rule, path and field, and within one by the evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen
from sqlalchemy import select

from guard_wsgi.cli import reporting
from guard_wsgi.cli.reporting import Group, Rule
from guard_wsgi.config.exclusion import detection_exclusions
from guard_wsgi_flask.console import exclusions, schema, search
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.records import event_of, findings_of
from guard_wsgi_flask.console.search import Row

MAX_REPORTED = 4_000
"""The most events of a report, which fit into a page's time."""
LIKELY_SHARE = 0.2
"""The share of doubtful findings from which to propose an exclusion. Customers of a misjudged form
write many things, some barely over the threshold. An attacker, even from a thousand addresses,
sends the same text, far over it."""
EXAMPLES = 3
"""How many texts to show of one kind of evidence: enough to see whether a person wrote them."""


@define(slots=True)
class Kind:
    """Refusals of a group whose evidence is the same.

    :ivar indicators: the indicators, sorted; the reason if detection did not refuse.
    :ivar texts: a few different texts, each with its event.
    """

    indicators: tuple[str, ...]
    requests: int = 0
    clients: set[str] = field(factory=set)
    highest_score: float = 0.0
    texts: dict[str, Row] = field(factory=dict)


@frozen(slots=True)
class Lookalikes:
    """One group, and what an exclusion for it would do.

    :ivar entry: the narrowest entry of ``detection_exclusions`` for the group; ``None`` if none can
        let it pass.
    :ivar through: events of the same period that it would have let pass.
    """

    rule: Rule
    group: Group
    customers: float
    kinds: Sequence[Kind]
    entry: Mapping[str, Any] | None
    through: Sequence[Row]


def refusals(database: Database, period: str, app: str = "") -> list[Row]:
    """Return the newest events of a period that were refused, or would have been."""
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
    with database.read() as connection:
        return [search.plain(row) for row in connection.execute(asked).mappings()]


def entry_of(row: Row) -> dict[str, Any]:
    """Convert an event to a line of the report."""
    return _entry_of(row, event_of(row))


def _entry_of(row: Row, event: Mapping[str, Any]) -> dict[str, Any]:
    metadata = event.get("metadata")
    reference = metadata.get("request_id") if isinstance(metadata, dict) else ""
    return {
        "action": reporting.REFUSED if row["outcome"] == "refused" else reporting.WOULD_HAVE,
        "check": row["check_name"] or row["kind"],
        "path": row["path"] or "/",
        "client": row["client"],
        "reason": row["reason"],
        "reference": str(reference or ""),
        "findings": findings_of(event),
    }


def lookalikes(rows: Iterable[Row], rule: Rule) -> Lookalikes | None:
    """Return the group of a rule among refusals; ``None`` if there is none."""
    entries = [(row, entry_of(row)) for row in rows]
    groups = reporting.group(entry for _, entry in entries)
    if rule not in groups:
        return None
    kinds: dict[tuple[str, ...], Kind] = {}
    for row, entry in entries:
        for finding in entry["findings"] or [{}]:
            if reporting.rule_of(entry, finding) != rule:
                continue
            shown = reporting.indicator_names(str(finding.get("indicators") or ""))
            indicators = tuple(sorted(shown)) or (entry["reason"],)
            kind = kinds.setdefault(indicators, Kind(indicators))
            kind.requests += 1
            kind.clients.add(row["client"])
            kind.highest_score = max(kind.highest_score, float(finding.get("score") or 0))
            text = str(finding.get("value") or entry["reason"])
            if len(kind.texts) < EXAMPLES:
                kind.texts.setdefault(text, row)
    proposed = exclusion_of(rule)
    return Lookalikes(
        rule=rule,
        group=groups[rule],
        customers=customers(groups[rule], places(groups)),
        kinds=sorted(kinds.values(), key=lambda kind: -kind.requests),
        entry=proposed,
        through=_through(entries, proposed),
    )


def rules_of(row: Row) -> list[Rule]:
    """Return the groups of an event."""
    entry = entry_of(row)
    return [reporting.rule_of(entry, finding) for finding in entry["findings"] or [{}]]


def exclusion_of(rule: Rule) -> dict[str, Any] | None:
    """Return the narrowest entry that would let a group pass; ``None`` if detection did not
    refuse."""
    entries = [one for one in reporting.entries_for([rule]) if exclusions.is_valid(one)]
    return entries[0] if entries else None


def customers(group: Group, refused_in: Mapping[str, set[tuple[str, ...]]]) -> float:
    """Return how much a group looks like customers, 0 to 1: the share of its clients that were
    refused only in this place. An attacker probes other places as well."""
    if len(group.clients) < reporting.MIN_CLIENTS:
        return 0.0
    return sum(len(refused_in[client]) == 1 for client in group.clients) / len(group.clients)


def is_likely(group: Group) -> bool:
    """Whether an exclusion for a group is worth proposing: some of its findings are doubtful."""
    return group.doubtful >= group.requests * LIKELY_SHARE


def places(groups: Mapping[Rule, Group]) -> dict[str, set[tuple[str, ...]]]:
    """Return the places in which each client was refused, for any reason."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for rule, group in groups.items():
        for client in group.clients:
            found[client].add((rule.path, rule.location, rule.name))
    return found


def by_category(rows: Iterable[Row]) -> Counter[str]:
    """Return the name of such events."""
    return Counter(row["category"] for row in rows)


def _through(
    entries: Iterable[tuple[Row, Mapping[str, Any]]], entry: Mapping[str, Any] | None
) -> list[Row]:
    if entry is None:
        return []
    made = detection_exclusions([entry])
    return [
        row
        for row, entry in entries
        if made[0].covers(entry["path"]) and exclusions.silence(made, entry["findings"])
    ]
