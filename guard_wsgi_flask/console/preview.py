"""What rules would have changed for the events of the last day.

The console knows what guards have reported: requests that were refused, that would have been, and
other events. It does not know requests that passed without an event, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from attrs import define, field

from guard_wsgi.agent.rules import DynamicRules
from guard_wsgi.config.exclusion import detection_exclusions
from guard_wsgi.detection.scanning.scanner import compile_patterns
from guard_wsgi.network.address import parse_address
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.patterns.expressions import Expressions
from guard_wsgi_flask.console.exclusions import covers
from guard_wsgi_flask.console.records import event_of, findings_of

EXAMPLES = 20
MAX_AGENT_CHARS = 512
"""How many characters of a user agent agents send."""


@define(slots=True)
class Outcome:
    """:ivar everything: effects on all requests, also on unknown ones.
    :ivar examples: (row, "refused" or "let through", by which field of the rules)."""

    everything: str = ""
    looked_at: int = 0
    refused: int = 0
    let_through: int = 0
    by: Counter[str] = field(factory=Counter)
    clients: set[str] = field(factory=set)
    examples: list[tuple[Mapping[str, Any], str, str]] = field(factory=list)


class Judge:
    """One compiled set of rules, to apply to events.

    :raises ConfigError: never for rules that the rule book has checked.
    """

    def __init__(self, rules: DynamicRules) -> None:
        now = datetime.now(UTC)
        banned = [
            target
            for target in rules.ip_blacklist
            if target not in rules.ip_ban_until or rules.ip_ban_until[target] > now
        ]
        self._rules = rules
        self._banned = IPSet(banned)
        self._addresses = frozenset(banned)
        self._bans_of: dict[str, str] = {}
        self._freed = IPSet(rules.ip_whitelist)
        self._emergency = IPSet(rules.emergency_whitelist)
        # The guard's own engine, in linear time: somebody has just typed the pattern.
        self._agents = Expressions(rules.blocked_user_agents, backtracks_on=MAX_AGENT_CHARS)
        patterns = [(one, one) for one in rules.suspicious_patterns]
        self._patterns = compile_patterns(patterns) if patterns else None
        self._exclusions = detection_exclusions(rules.detection_exclusions)

    def entry(self, row: Mapping[str, Any], name: str) -> str:
        """Return the entry of the field that refuses this; "" for a field without entries."""
        if name == "ip_blacklist":
            return self._ban_of(row["client"])
        if name in ("blocked_countries", "whitelist_countries"):
            return str(row["country"])
        if name == "blocked_user_agents":
            return self._agents.first(row["user_agent"][:MAX_AGENT_CHARS]) or ""
        return ""

    def _ban_of(self, client: str) -> str:
        if client not in self._bans_of:
            address = ip_address(client)
            networks = (one for one in self._rules.ip_blacklist if address in ip_network(one))
            self._bans_of[client] = client if client in self._addresses else next(networks, "")
        return self._bans_of[client]

    def refuses(self, row: Mapping[str, Any]) -> str:
        """Return the field of the rules that would refuse this, or nothing."""
        rules = self._rules
        address = parse_address(row["client"]) if row["client"] else None
        if address is not None and address in self._banned:
            return "ip_blacklist"
        if not row["method"]:
            return ""  # not a request: a ban, a change of rules
        if rules.emergency_mode and (address is None or address not in self._emergency):
            return "emergency_mode"
        country = row["country"]
        if country and country in rules.blocked_countries:
            return "blocked_countries"
        if country and rules.whitelist_countries and country not in rules.whitelist_countries:
            return "whitelist_countries"
        if self._agents.first(row["user_agent"][:MAX_AGENT_CHARS]) is not None:
            return "blocked_user_agents"
        if self._patterns is not None:
            values = [finding["value"] for finding in findings_of(event_of(row))]
            if any(self._patterns.any(text.encode()) for text in (row["path"], *values)):
                return "suspicious_patterns"
        return ""

    def lets_through(self, row: Mapping[str, Any]) -> str:
        """Return the field of the rules that would let this refusal through, or nothing."""
        rules = self._rules
        if row["outcome"] == "told":
            return ""
        check = row["check_name"]
        address = parse_address(row["client"]) if row["client"] else None
        if check == "ip_ban" and address is not None and address in self._freed:
            return "ip_whitelist"
        if check == "suspicious_activity" and rules.enable_penetration_detection is False:
            return "enable_penetration_detection"
        if check == "rate_limit" and rules.enable_rate_limiting is False:
            return "enable_rate_limiting"
        if self._exclusions and covers(self._exclusions, event_of(row)):
            return "detection_exclusions"
        return ""


def caught(rows: Iterable[Mapping[str, Any]], rules: DynamicRules) -> Counter[tuple[str, str]]:
    """Count the refusals of each (field, entry) of the rules."""
    judge = Judge(rules)
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["outcome"] == "refused":
            by = judge.refuses(row)
            if by:
                found[by, judge.entry(row, by)] += 1
            elif row["check_name"] == "rate_limit":
                limit = _limit_of(row, rules)
                if limit:
                    found[limit] += 1
    return found


def _limit_of(row: Mapping[str, Any], rules: DynamicRules) -> tuple[str, str] | None:
    if row["path"] in rules.endpoint_rate_limits:
        return "endpoint_rate_limits", row["path"]
    return ("global_rate_limit", "") if rules.global_rate_limit is not None else None


def _everything(rules: DynamicRules) -> str:
    if rules.emergency_mode:
        return "Emergency mode answers 503 to everybody but those it lets through."
    if rules.whitelist_countries:
        return "Every request from other countries than those would be refused."
    if rules.enable_penetration_detection is False:
        return "Without detection every attack passes."
    return ""


def preview(rows: Iterable[Mapping[str, Any]], rules: DynamicRules) -> Outcome:
    """Return what rules change: events that they would refuse and that passed, and the other way
    round."""
    judge = Judge(rules)
    outcome = Outcome(everything=_everything(rules))
    for row in rows:
        outcome.looked_at += 1
        by = judge.refuses(row)
        if by:
            if row["outcome"] == "refused":
                continue
            outcome.refused += 1
            what = "refused"
        else:
            by = judge.lets_through(row)
            if not by:
                continue
            outcome.let_through += 1
            what = "let through"
        outcome.by[by] += 1
        if row["client"]:
            outcome.clients.add(row["client"])
        if len(outcome.examples) < EXAMPLES:
            outcome.examples.append((row, what, by))
    return outcome
