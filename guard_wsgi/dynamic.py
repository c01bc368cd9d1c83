"""Dynamic rules: how they change a configuration, and how they start and end.

The app's own configuration is the base. Rules never change it. They produce a second configuration,
which is checked like any other and compiled into a policy before it takes effect. When the rules
end, the guard serves the base again and lifts their bans.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from guard_wsgi.agent.rules import DynamicRules
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import ConfigError, StoreError
from guard_wsgi.forks import track
from guard_wsgi.options.numbers import MAX_SECONDS
from guard_wsgi.state.ban_index import Ban
from guard_wsgi.state.bans import MAX_REASON_CHARACTERS
from guard_wsgi.telemetry.events import utc_now

logger = logging.getLogger("guard_wsgi.rules")

PATTERN_NAME = "dynamic:{rule_id}:{number}"
"""The name of a rule's pattern in findings."""

_TAKEN_OVER = {
    "global_rate_limit": "rate_limit",
    "global_rate_window": "rate_limit_window",
    "enable_penetration_detection": "enable_penetration_detection",
    "enable_ip_banning": "enable_ip_banning",
    "enable_rate_limiting": "enable_rate_limiting",
    "enable_rate_limit_auto_ban": "enable_rate_limit_auto_ban",
    "auto_ban_threshold": "auto_ban_threshold",
    "auto_ban_duration": "auto_ban_duration",
}
"""Fields of rules that replace an option, unless they are ``None``."""

_LISTS = {
    "blocked_countries": "blocked_countries",
    "whitelist_countries": "whitelist_countries",
    "blocked_cloud_providers": "block_cloud_providers",
    "blocked_user_agents": "blocked_user_agents",
}
"""Lists of rules that replace an option, unless they are empty."""


class Bans(Protocol):
    """The part of a store that rules need to ban and to lift bans (``Store.bans``)."""

    def meant(self, target: str) -> list[str]: ...

    def ban(
        self, target: str, seconds: float, reason: str, /, *, shortens: str | None = None
    ) -> object: ...

    def unban(self, target: str, /) -> bool: ...

    def list(self) -> Iterable[Ban]: ...


def apply_rules(config: SecurityConfig, rules: DynamicRules) -> SecurityConfig:
    """Return the configuration under these rules. ``config`` stays as it is.

    Endpoint limits, patterns and exclusions are added to those of the configuration. Emergency
    mode halves the threshold of automatic bans.

    :raises ConfigError: if the resulting configuration is not valid: a pattern is refused, a
        provider is unknown, or rules name countries without a source of countries.
    """
    if not 0 < rules.ip_ban_duration <= MAX_SECONDS:
        raise ConfigError([f"ip_ban_duration must be 1 to {MAX_SECONDS} seconds"])
    changes: dict[str, Any] = {}
    for name, option in _TAKEN_OVER.items():
        value = getattr(rules, name)
        if value is not None:
            changes[option] = value
    for name, option in _LISTS.items():
        values = getattr(rules, name)
        if values:
            changes[option] = values
    if rules.endpoint_rate_limits:
        changes["endpoint_rate_limits"] = {
            **config.endpoint_rate_limits,
            **rules.endpoint_rate_limits,
        }
    if rules.suspicious_patterns:
        changes["detection_custom_patterns"] = {
            **config.detection_custom_patterns,
            **{
                PATTERN_NAME.format(rule_id=rules.rule_id, number=number): pattern
                for number, pattern in enumerate(rules.suspicious_patterns, 1)
            },
        }
    if rules.detection_exclusions:
        changes["detection_exclusions"] = (
            *config.detection_exclusions,
            *rules.detection_exclusions,
        )
    if rules.emergency_mode:
        changes["emergency_mode"] = True
        own = () if rules.emergency_whitelist_only else config.emergency_whitelist
        changes["emergency_whitelist"] = tuple(dict.fromkeys((*own, *rules.emergency_whitelist)))
        threshold = changes.get("auto_ban_threshold", config.auto_ban_threshold)
        changes["auto_ban_threshold"] = max(1, threshold // 2)
    return config.evolve(**changes)


def apply_bans(bans: Bans, rules: DynamicRules) -> None:
    """Ban ``ip_blacklist``, lift the bans on ``ip_whitelist``.

    An address that can't be banned (loopback, a trusted proxy) is logged and skipped. The other
    rules still apply.
    """
    reason = _reason(rules)
    now = utc_now()
    for target in rules.ip_blacklist:
        until = rules.ip_ban_until.get(target)
        seconds = rules.ip_ban_duration if until is None else (until - now).total_seconds()
        if seconds <= 0:
            continue
        try:
            # A longer ban is from elsewhere, or from an earlier version of this rule.
            bans.ban(target, seconds, reason, shortens=reason)
        except (ValueError, StoreError) as error:
            logger.warning("%s: %s was not banned: %s", reason, target, error)
    for target in rules.ip_whitelist:
        try:
            bans.unban(target)
        except (ValueError, StoreError) as error:
            logger.warning("%s: the ban on %s was not lifted: %s", reason, target, error)


def lift_bans(bans: Bans, before: DynamicRules, rules: DynamicRules | None) -> None:
    """Lift bans of earlier rules that these rules no longer contain: removing a mistaken ban from
    the rules ends it. Bans that somebody else has made since stay."""
    kept = frozenset(rules.ip_blacklist) if rules is not None else frozenset[str]()
    taken_out = (target for target in before.ip_blacklist if target not in kept)
    gone = {meant for target in taken_out for meant in bans.meant(target)}
    if not gone:
        return
    reason = _reason(before)
    try:
        held = [ban.target for ban in bans.list() if ban.reason == reason and ban.target in gone]
        for target in held:
            bans.unban(target)
    except StoreError as error:
        logger.warning("%s: bans were not lifted: %s", reason, error)


def _reason(rules: DynamicRules) -> str:
    """The text that marks the bans of these rules."""
    return f"dynamic rule {rules.rule_id}"[:MAX_REASON_CHARACTERS]


class RuledConfiguration:
    """Holds the base and the rules over it, and serves the result.

    :param base: the app's own configuration.
    :param serve: swaps in a whole configuration; raises if it can't be served.
    :param bans: the store's bans.
    """

    def __init__(
        self, base: SecurityConfig, serve: Callable[[SecurityConfig], object], bans: Bans
    ) -> None:
        self._base = base
        self._serve = serve
        self._bans = bans
        self._rules: DynamicRules | None = None
        self._lock = threading.Lock()
        track(self)

    @property
    def rules(self) -> DynamicRules | None:
        """The rules in force."""
        return self._rules

    def apply(self, rules: DynamicRules) -> None:
        """Put rules into force, all or none.

        :raises ConfigError: if the resulting configuration is not valid.
        """
        with self._lock:
            self._serve(apply_rules(self._base, rules))
            before, self._rules = self._rules, rules
        if before is not None:
            lift_bans(self._bans, before, rules)
        apply_bans(self._bans, rules)

    def restore(self) -> None:
        """Serve the base again, and lift the bans of the rules."""
        with self._lock:
            before, self._rules = self._rules, None
            self._serve(self._base)
        if before is not None:
            lift_bans(self._bans, before, None)

    def rebase(self, base: SecurityConfig) -> None:
        """Serve another base from now on, under the same rules.

        :raises ConfigError: if the two together are not valid; then nothing changes.
        """
        with self._lock:
            self._serve(apply_rules(base, self._rules) if self._rules is not None else base)
            self._base = base

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
