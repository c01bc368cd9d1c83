"""Behaviour rules."""

from __future__ import annotations

from attrs import field, frozen

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.config import tables as tables
from guard_wsgi.options.numbers import flag, whole_number


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class BehaviorOptions:
    """Behaviour rules."""

    global_behavior_rules: tuple[BehaviorRule, ...] = field(
        # Rules for every route: BehaviorRule, or a table of its fields.
        default=(),
        converter=tables.behavior_rules,
    )
    behavior_scan_response_body: bool = field(
        # Whether behavior rules search the bodies of responses. Off: it costs time on each
        # response. Patterns on bodies need it.
        default=False,
        converter=flag,
    )
    behavior_max_response_body_inspect_bytes: int = field(
        # The most bytes of a response to search. 256 KiB are enough for the text of an error page.
        default=262_144,
        validator=whole_number(1024, 10_485_760),
    )
