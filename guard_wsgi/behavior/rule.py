"""What a behaviour rule says: how often a client may do something, and what happens then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

from attrs import field, frozen

from guard_wsgi.behavior.response_pattern import ResponsePattern, parse_pattern
from guard_wsgi.errors import ConfigError
from guard_wsgi.options.numbers import MAX_COUNT, MAX_SECONDS, flag, whole_number

RuleType = Literal["usage", "frequency", "return_pattern"]
Action = Literal["log", "alert", "throttle", "ban"]

RULE_TYPES: tuple[str, ...] = get_args(RuleType)
ACTIONS: tuple[str, ...] = get_args(Action)

DEFAULT_WINDOW_SECONDS = 3600
DEFAULT_BAN_SECONDS = 3600
"""Both as in the existing system, and the same hour as the suspicion counters."""

CustomAction = Callable[[str, str, str], Any]
"""``(client_ip, endpoint, details)``, called in place of the action."""


@frozen
class BehaviorRule:
    """More than ``threshold`` times in ``window`` seconds, by one client: then ``action``.

    - ``usage`` and ``frequency`` count requests, ``return_pattern`` counts responses that match
      ``pattern``: ``status:404``, ``status:401,403``, ``status:5xx``, ``json:path.to.key==value``
      (``key[]`` is any element of a list), ``regex:expression``, or a text.
    - ``log`` and ``alert`` tell of it; ``throttle`` answers 429 with ``Retry-After`` while the
      client is over; ``ban`` bans for ``ban_duration`` seconds (an hour by default).
    - ``custom_action(client_ip, endpoint, details)`` is called in place of the action.
    - ``correlate_with_detection`` halves the threshold for clients that detection has found
      suspicious within its window.

    A rule of a route counts per route; a rule for all routes counts a client's requests together.

    :raises ConfigError: with every fault.
    """

    rule_type: RuleType
    threshold: int
    window: int = DEFAULT_WINDOW_SECONDS
    pattern: str | None = None
    action: Action = "log"
    custom_action: CustomAction | None = field(default=None, eq=False)
    ban_duration: int | None = None
    correlate_with_detection: bool = False

    def __attrs_post_init__(self) -> None:
        faults = list(self._read())
        if faults:
            raise ConfigError(faults)

    def _read(self) -> list[str]:
        faults = []
        if self.rule_type not in RULE_TYPES:
            faults.append(f"rule_type: {self.rule_type!r} is none of {', '.join(RULE_TYPES)}")
        if self.action not in ACTIONS:
            faults.append(f"action: {self.action!r} is none of {', '.join(ACTIONS)}")
        for name, most in (
            ("threshold", MAX_COUNT),
            ("window", MAX_SECONDS),
            ("ban_duration", None),
        ):
            reads = whole_number(1, most, optional=name == "ban_duration")
            try:
                object.__setattr__(self, name, reads.read(getattr(self, name)))
            except ValueError as fault:
                faults.append(f"{name} {fault}")
        try:
            object.__setattr__(
                self, "correlate_with_detection", flag(self.correlate_with_detection)
            )
        except ValueError as fault:
            faults.append(f"correlate_with_detection {fault}")
        custom_action: Any = self.custom_action
        if custom_action is not None and not callable(custom_action):
            faults.append("custom_action must be callable")
        if self.rule_type == "return_pattern":
            try:
                parse_pattern(self.pattern or "")
            except ValueError as error:
                faults.append(f"pattern: {error}")
        elif self.pattern is not None:
            faults.append(f"pattern: a rule of type {self.rule_type} looks at no response")
        return faults

    @property
    def needs_body(self) -> bool:
        """Whether it looks into response bodies (``behavior_scan_response_body``)."""
        return self.rule_type == "return_pattern" and not self.response_pattern.is_status

    @property
    def response_pattern(self) -> ResponsePattern:
        """The pattern, read. Only of rules of type ``return_pattern``."""
        return parse_pattern(self.pattern or "")


@frozen(kw_only=True)
class BehaviorRuleConfig:
    """A behaviour rule as configuration files write it: data only, so without custom action.

    :raises ConfigError: with every fault.
    """

    rule_type: RuleType
    threshold: int
    window: int = DEFAULT_WINDOW_SECONDS
    pattern: str | None = None
    action: Action = "log"
    ban_duration: int | None = None
    correlate_with_detection: bool = False

    def __attrs_post_init__(self) -> None:
        self.to_rule()

    def to_rule(self) -> BehaviorRule:
        return BehaviorRule(
            rule_type=self.rule_type,
            threshold=self.threshold,
            window=self.window,
            pattern=self.pattern,
            action=self.action,
            ban_duration=self.ban_duration,
            correlate_with_detection=self.correlate_with_detection,
        )
