"""Behaviour rules, compiled for counting."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from guard_wsgi.behavior.rule import BehaviorRule, BehaviorRuleConfig
from guard_wsgi.state.ratelimit import Limit


def rule_of(rule: BehaviorRule | BehaviorRuleConfig) -> BehaviorRule:
    """Return a rule in this package's own class."""
    return rule.to_rule() if isinstance(rule, BehaviorRuleConfig) else rule


@define(slots=True, eq=False)
class CompiledRule:
    """A behaviour rule, its counter name and its limits."""

    rule: BehaviorRule
    is_global: bool
    counter_name: str = field(init=False)
    limits: tuple[Limit, Limit] = field(init=False)

    def __attrs_post_init__(self) -> None:
        rule = self.rule
        what = "calls" if rule.pattern is None else f"responses:{rule.pattern}"
        self.counter_name = f"{what}/{rule.window}"
        # Calls are refused once they exceed the threshold; responses once the next one would exceed
        # it.
        extra = 0 if rule.pattern is None else 1
        self.limits = (
            Limit(rule.threshold + extra, rule.window, f"behavior:{what}"),
            Limit(halved(rule.threshold) + extra, rule.window, f"behavior:{what}"),
        )

    @property
    def throttles(self) -> bool:
        return self.rule.action == "throttle" and self.rule.custom_action is None


def halved(threshold: int) -> int:
    """Return half of a threshold, at least 1: for clients in whom detection found something."""
    return max(1, threshold // 2)


def by_counter(entries: Iterable[CompiledRule]) -> list[list[CompiledRule]]:
    """Group the rules that count the same thing, whatever their thresholds: they share a
    counter."""
    groups: dict[tuple[bool, str], list[CompiledRule]] = {}
    for entry in entries:
        groups.setdefault((entry.is_global, entry.counter_name), []).append(entry)
    return list(groups.values())
