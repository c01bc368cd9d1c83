"""A behaviour rule: how often a client may do something, and what happens then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Literal, get_args

from attrs import asdict, field, frozen

from guard_wsgi.behavior.response_pattern import ResponsePattern, parse_pattern
from guard_wsgi.options.numbers import MAX_COUNT, MAX_SECONDS, flag, whole_number
from guard_wsgi.options.resolving import checked
from guard_wsgi.options.values import one_of, synchronous

RuleType = Literal["usage", "frequency", "return_pattern"]
Action = Literal["log", "alert", "throttle", "ban"]

RULE_TYPES: tuple[str, ...] = get_args(RuleType)
ACTIONS: tuple[str, ...] = get_args(Action)

DEFAULT_WINDOW_SECONDS = 3600
DEFAULT_BAN_SECONDS = 3600
"""As in flaskapi-guard; the same hour as the suspicion counters."""

CustomAction = Callable[[str, str, str], Any]
"""Called as ``(client_ip, endpoint, details)`` instead of the action."""


@checked
@frozen
class BehaviorRule:
    """If one client does something more than ``threshold`` times in ``window`` seconds, take
    ``action``.

    - ``usage`` and ``frequency`` count requests, ``return_pattern`` counts responses that match
      ``pattern``: ``status:404``, ``status:401,403``, ``status:5xx``, ``json:path.to.key==value``
      (``key[]`` is any element of a list), ``regex:expression``, or a text.
    - ``log`` and ``alert`` report it; ``throttle`` answers 429 with ``Retry-After`` while the
      client is over; ``ban`` bans for ``ban_duration`` seconds (an hour by default).
    - ``custom_action(client_ip, endpoint, details)`` is called instead of the action.
    - ``correlate_with_detection`` halves the threshold for clients that detection has found
      suspicious within its window.

    A rule of a route counts per route. A rule for all routes counts all requests of a client
    together.

    :raises ConfigError: with every fault.
    """

    rule_type: RuleType = field(validator=one_of(*RULE_TYPES))
    threshold: int = field(validator=whole_number(1, MAX_COUNT))
    window: int = field(default=DEFAULT_WINDOW_SECONDS, validator=whole_number(1, MAX_SECONDS))
    pattern: str | None = None
    action: Action = field(default="log", validator=one_of(*ACTIONS))
    custom_action: CustomAction | None = field(default=None, validator=synchronous, eq=False)
    ban_duration: int | None = field(default=None, validator=whole_number(1, optional=True))
    correlate_with_detection: bool = field(default=False, converter=flag)

    @staticmethod
    def contradictions(options: Mapping[str, Any], broken: Collection[str]) -> Iterator[str]:
        """Find the fault of a pattern: it is not valid, or the rule's type would never use it."""
        if "rule_type" in broken:
            return
        rule_type, pattern = options["rule_type"], options["pattern"]
        if rule_type == "return_pattern":
            try:
                parse_pattern(pattern or "")
            except ValueError as error:
                yield f"pattern: {error}"
        elif pattern is not None:
            yield f"pattern: a rule of type {rule_type!r} takes none; only return_pattern does"

    @property
    def needs_body(self) -> bool:
        """Whether the rule searches response bodies (needs ``behavior_scan_response_body``)."""
        return self.rule_type == "return_pattern" and not self.response_pattern.is_status

    @property
    def response_pattern(self) -> ResponsePattern:
        """The parsed pattern, for rules of type ``return_pattern`` only."""
        return parse_pattern(self.pattern or "")


@frozen(kw_only=True)
class BehaviorRuleConfig:
    """A behaviour rule as configuration files write it: data only, so without a custom action.

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
        return BehaviorRule(**asdict(self))
