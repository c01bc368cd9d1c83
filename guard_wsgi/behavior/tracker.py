"""Applies behaviour rules: finds who does something too often, and acts.

The counts live in the store, so they apply across workers. Counters start over with a ban, so that
a client gets a fresh start after it.

Use::

    watch = tracker.watch(route_rules, global_rules)      # once a route
    decision = watch.before(client, endpoint)             # None, throttled, or banned
    observation = watch.observe(client, endpoint)         # None if no rule looks at responses
    observation.status(200, headers)                      # from start_response
    return observation.tap(iterable)                      # only if observation.wants_body

``watch`` compiles the rules; the calls per request only take arguments.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from guard_wsgi.behavior.compiled_rule import CompiledRule, by_counter, halved, rule_of
from guard_wsgi.behavior.response_pattern import BodyPatterns
from guard_wsgi.behavior.response_tap import ResponseTap
from guard_wsgi.behavior.rule import DEFAULT_BAN_SECONDS, BehaviorRule, BehaviorRuleConfig
from guard_wsgi.behavior.violation import Decision, OnViolation, Violation
from guard_wsgi.errors import BanRefused, StoreError
from guard_wsgi.network.address import Address
from guard_wsgi.repeats import is_reported
from guard_wsgi.state.ban_index import Ban
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.counters import Counters
from guard_wsgi.state.ratelimit import Limit, RateLimiter

logger = logging.getLogger("guard_wsgi.behavior")

BAN_REASON = "behavioral_violation"
"""As in flaskapi-guard."""

MAX_RESPONSE_BODY_BYTES = 262_144
"""How much of a response body is searched for body patterns, as in flaskapi-guard."""

GLOBAL_SCOPE = "*"
"""The endpoint of rules for all routes: they count all requests of a client together, because a
scan changes its path each time."""


class Sources(Protocol):
    """The parts of a Store that behaviour rules need."""

    @property
    def counters(self) -> Counters: ...

    @property
    def limiter(self) -> RateLimiter: ...

    @property
    def bans(self) -> Bans: ...


class BehaviorTracker:
    """Makes watches, and holds what they share.

    :param store: a store with ``counters``, ``limiter`` and ``bans``.
    :param on_violation: called with each violation except throttles, which are refusals themselves.
    :param has_detections: whether detection has recently found a client suspicious; without it
        ``correlate_with_detection`` has no effect.
    :param passive: only observe; counts are kept separately.
    """

    def __init__(
        self,
        store: Sources,
        *,
        on_violation: OnViolation | None = None,
        has_detections: Callable[[Address], bool] | None = None,
        passive: bool = False,
        scan_response_body: bool = False,
        max_response_body_bytes: int = MAX_RESPONSE_BODY_BYTES,
    ) -> None:
        self.counters = store.counters
        self.limiter = store.limiter
        self.bans = store.bans
        self.has_detections = has_detections
        self.passive = passive
        self.scan_response_body = scan_response_body
        self.max_response_body_bytes = max_response_body_bytes
        self.prefix = "observed-behavior" if passive else "behavior"
        self.uncounted_responses = 0
        self._on_violation = on_violation

    def watch(
        self,
        route_rules: Iterable[BehaviorRule | BehaviorRuleConfig] = (),
        global_rules: Iterable[BehaviorRule | BehaviorRuleConfig] = (),
        counted_as: str = "",
    ) -> BehaviorWatch:
        """Compile the rules of one route. The result is false if there are none.

        :param counted_as: the name under which the route's own rules count; ``""`` for the route's
            name.
        :raises ValueError: if an expression can't be matched in linear time.
        """
        return BehaviorWatch(
            self,
            [
                *(CompiledRule(rule_of(rule), is_global=False) for rule in route_rules),
                *(CompiledRule(rule_of(rule), is_global=True) for rule in global_rules),
            ],
            counted_as,
        )

    def report(self, violation: Violation) -> None:
        if self._on_violation is not None:
            self._on_violation(violation)


class BehaviorWatch:
    """The rules that apply to one route: its own and those of all routes.

    :ivar counts_requests: whether a rule may refuse before the app answers.
    :ivar reads_bodies: whether a rule looks at the bodies of answers.
    :ivar statuses: the rules on statuses, by status.
    """

    __slots__ = (
        "_body_patterns",
        "_body_rules",
        "_calls",
        "_calls_throttled",
        "_counted_as",
        "_responses_throttled",
        "_tracker",
        "calls_hooks",
        "counts_requests",
        "reads_bodies",
        "rules",
        "statuses",
    )

    def __init__(
        self, tracker: BehaviorTracker, rules: Sequence[CompiledRule], counted_as: str = ""
    ) -> None:
        self._tracker = tracker
        self._counted_as = counted_as
        self.rules = tuple(entry.rule for entry in rules)
        self.calls_hooks = any(rule.custom_action is not None for rule in self.rules)
        calls = [entry for entry in rules if entry.rule.pattern is None]
        responses = [entry for entry in rules if entry.rule.pattern is not None]
        self._calls = by_counter(entry for entry in calls if not entry.throttles)
        self._calls_throttled = [entry for entry in calls if entry.throttles]
        self._responses_throttled = [entry for entry in responses if entry.throttles]
        self.counts_requests = bool(
            self._calls or self._calls_throttled or self._responses_throttled
        )
        self.statuses: dict[int, list[CompiledRule]] = {}
        for entry in responses:
            for status in entry.rule.response_pattern.statuses:
                self.statuses.setdefault(status, []).append(entry)
        self._body_rules = [
            entry for entry in responses if entry.rule.needs_body and tracker.scan_response_body
        ]
        self.reads_bodies = bool(self._body_rules)
        self._body_patterns = BodyPatterns(
            [entry.rule.response_pattern for entry in self._body_rules]
        )

    def __bool__(self) -> bool:
        return bool(self.rules)

    def before(self, client: Address, endpoint: str) -> Decision | None:
        """Count this request. Return ``None`` if it may go on.

        Passive mode bans nobody, so it never returns a ``ban``. It returns a ``throttle``, which
        the caller logs as a refusal that would have happened.

        :param endpoint: the route's template or name.
        :raises StoreError: if the store is down and its policy is to deny.
        """
        tracker = self._tracker
        for entry in self._responses_throttled:
            limit, key = self._limit(entry, client), self._key(entry, client, endpoint)
            state = tracker.limiter.peek(limit, key)
            if not state.allowed:
                return self._throttle(entry, client, endpoint, state.reset_seconds)
        for entry in self._calls_throttled:
            limit, key = self._limit(entry, client), self._key(entry, client, endpoint)
            state = tracker.limiter.hit(limit, key)
            if not state.allowed:
                return self._throttle(entry, client, endpoint, state.reset_seconds)
        for group in self._calls:
            ban = self._count(group, client, endpoint)
            if ban is not None:
                return ban
        return None

    def observe(
        self,
        client: Address,
        endpoint: str,
        inside: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> Observation | None:
        """Observe the response of a request that went on; ``None`` if no rule looks at it.

        :param inside: the app's context, for a ``custom_action``.
        """
        if not self.statuses and not self.reads_bodies:
            return None
        return Observation(self, client, endpoint, inside)

    # -- counting --------------------------------------------------------------------------

    def _key(self, entry: CompiledRule, client: Address, endpoint: str) -> str:
        scope = GLOBAL_SCOPE if entry.is_global else self._counted_as or endpoint
        return f"{self._tracker.prefix}:{scope}:{client.client_key}"

    def _is_suspicious(self, entry: CompiledRule, client: Address) -> bool:
        has_detections = self._tracker.has_detections
        return (
            entry.rule.correlate_with_detection
            and has_detections is not None
            and has_detections(client)
        )

    def _limit(self, entry: CompiledRule, client: Address) -> Limit:
        return entry.limits[1 if self._is_suspicious(entry, client) else 0]

    def _throttle(
        self, entry: CompiledRule, client: Address, endpoint: str, seconds: float
    ) -> Decision:
        violation = self._violation(entry, client, endpoint, 0, "throttle")
        return Decision("throttle", violation, seconds)

    def _count(
        self, group: Sequence[CompiledRule], client: Address, endpoint: str
    ) -> Decision | None:
        """Count once for the rules that share a counter. Return a decision if one of them bans."""
        first = group[0]
        key = f"{self._key(first, client, endpoint)}:{first.counter_name}"
        count = self._tracker.counters.increment(key, first.rule.window)
        banned = None
        for entry in group:
            threshold = entry.rule.threshold
            if self._is_suspicious(entry, client):
                threshold = halved(threshold)
            if count > threshold:
                banned = self._act(entry, client, endpoint, count, threshold, key) or banned
        return banned

    def _count_response(
        self, entries: Sequence[CompiledRule], client: Address, endpoint: str
    ) -> None:
        for group in by_counter(entry for entry in entries if not entry.throttles):
            self._count(group, client, endpoint)
        for entry in entries:
            if entry.throttles:
                limit, key = self._limit(entry, client), self._key(entry, client, endpoint)
                self._tracker.limiter.hit(limit, key)

    def _act(
        self,
        entry: CompiledRule,
        client: Address,
        endpoint: str,
        count: int,
        threshold: int,
        key: str,
    ) -> Decision | None:
        rule = entry.rule
        if self._tracker.passive or rule.custom_action is not None or rule.action != "ban":
            if not _is_news(count, threshold):
                return None
            action = "custom_action" if rule.custom_action is not None else rule.action
            violation = self._violation(entry, client, endpoint, count, action)
            self._tracker.report(violation)
            if violation.action == "custom_action" and rule.custom_action is not None:
                _call(rule.custom_action, violation, client)
            elif violation.action == "alert":
                # The level does not follow that of refusals: an alert should wake somebody.
                logger.critical("%s on %s: %s", client.text, violation.endpoint, violation.details)
            return None
        seconds = rule.ban_duration or DEFAULT_BAN_SECONDS
        try:
            ban = self._tracker.bans.ban(client.text, seconds, BAN_REASON, shortens="")
        except BanRefused:  # the bans have reported it
            if _is_news(count, threshold):
                self._tracker.report(self._violation(entry, client, endpoint, count, "ban_refused"))
            return None
        self._tracker.counters.reset(key, rule.window)
        violation = self._violation(entry, client, endpoint, count, "ban", ban)
        self._tracker.report(violation)
        return Decision("ban", violation, seconds)

    def _violation(
        self,
        entry: CompiledRule,
        client: Address,
        endpoint: str,
        count: int,
        action: str,
        ban: Ban | None = None,
    ) -> Violation:
        scope = GLOBAL_SCOPE if entry.is_global else endpoint
        if self._tracker.passive:
            action = "observed"
        return Violation(entry.rule, client.text, scope, count, action, ban)


def _is_news(count: int, threshold: int) -> bool:
    """Whether to report a count over the threshold: the first, then each time the excess doubles.

    A client that goes on for a thousand requests makes ten log lines, not a thousand.
    """
    times, rest = divmod(count - 1, threshold)
    return rest == 0 and is_reported(times)


def _call(
    custom_action: Callable[[str, str, str], Any], violation: Violation, client: Address
) -> None:
    try:
        custom_action(client.text, violation.endpoint, violation.details)
    except Exception:
        # Catch everything: a fault of the app's own action must not turn a response into an error.
        logger.exception("the custom_action of a behaviour rule failed")


class Observation:
    """Watches one response. ``wants_body`` says whether its body must pass through :meth:`tap`."""

    __slots__ = ("_client", "_counted", "_endpoint", "_inside", "_tap", "_watch")

    def __init__(
        self,
        watch: BehaviorWatch,
        client: Address,
        endpoint: str,
        inside: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._watch = watch
        self._inside = inside
        self._client = client
        self._endpoint = endpoint
        self._counted: set[int] | None = None
        self._tap: ResponseTap | None = None
        if watch.reads_bodies:
            max_bytes = watch._tracker.max_response_body_bytes
            self._tap = ResponseTap(self._found, watch._body_patterns, max_bytes)

    @property
    def wants_body(self) -> bool:
        return self._tap is not None

    def status(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Note the status. ``start_response`` calls this once, or again after an error."""
        if self._tap is not None:
            self._tap.begin(status, headers)
        entries = self._watch.statuses.get(status)
        if entries is None:
            return
        counted = self._counted
        if counted is None:
            counted = self._counted = set()
        matching = [entry for entry in entries if id(entry) not in counted]
        if matching:
            counted.update(id(entry) for entry in matching)
            self._count(matching)

    def tap(self, iterable: Iterable[bytes], file_wrapper: object = None) -> Iterable[bytes]:
        """Wrap the app's iterable so that the body patterns see each chunk as it passes.

        :param file_wrapper: the server's ``wsgi.file_wrapper``. Its objects are returned as they
            are and not searched: the server sends such a file without reading it.
        """
        if self._tap is None:
            return iterable
        if isinstance(file_wrapper, type) and isinstance(iterable, file_wrapper):
            return iterable
        return self._tap.over(iterable)

    def write(self, write: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """Wrap the server's ``write``, for apps that call it: the body patterns see its data."""
        return write if self._tap is None else self._tap.through(write)

    def _found(self, places: Sequence[int]) -> None:
        self._count([self._watch._body_rules[place] for place in places])

    def _count(self, entries: Sequence[CompiledRule]) -> None:
        tracker = self._watch._tracker
        try:
            with self._inside() if self._watch.calls_hooks else nullcontext():
                self._watch._count_response(entries, self._client, self._endpoint)
        except StoreError as error:
            # The response is already being sent: a store that is down must not break the
            # connection. The store logs its outage itself, so one line is enough here.
            if not tracker.uncounted_responses:
                logger.warning("behaviour rules miss some responses: the store failed: %s", error)
            tracker.uncounted_responses += 1
