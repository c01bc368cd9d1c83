"""What dynamic rules make of a configuration, and how they come and go.

The app's own configuration is the base. Rules never change it: they give a second configuration,
which is checked like any other and compiled into a policy before anything of it holds. When the
rules go, the base is served again and their bans are lifted, so nothing of them stays behind.
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
"""What a rule's pattern is called in findings."""

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
"""Fields of rules whose value, unless ``None``, stands in place of an option's."""

_LISTS = {
    "blocked_countries": "blocked_countries",
    "whitelist_countries": "whitelist_countries",
    "blocked_cloud_providers": "block_cloud_providers",
    "blocked_user_agents": "blocked_user_agents",
}
"""Lists of rules that, unless empty, stand in place of an option's."""


class Bans(Protocol):
    """The part of a store that rules ban and lift bans with (``Store.bans``)."""

    def meant(self, target: str) -> list[str]: ...

    def ban(
        self, target: str, seconds: float, reason: str, /, *, shortens: str | None = None
    ) -> object: ...

    def unban(self, target: str, /) -> bool: ...

    def list(self) -> Iterable[Ban]: ...


def apply_rules(config: SecurityConfig, rules: DynamicRules) -> SecurityConfig:
    """The configuration under these rules. ``config`` stays as it is.

    Endpoint limits, patterns and exclusions are added to those of the configuration. Emergency
    mode halves the threshold of automatic bans.

    :raises ConfigError: when the rules make no configuration that could be served: a pattern that
        is refused, a provider that is unknown, countries without a source of countries.
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

    What can't be banned (loopback, a trusted proxy) is logged and left out: the rest still holds.
    """
    reason = _reason(rules)
    now = utc_now()
    for target in rules.ip_blacklist:
        until = rules.ip_ban_until.get(target)
        seconds = rules.ip_ban_duration if until is None else (until - now).total_seconds()
        if seconds <= 0:
            continue
        try:
            # A longer ban is somebody else's, or a former word of this rule.
            bans.ban(target, seconds, reason, shortens=reason)
        except (ValueError, StoreError) as error:
            logger.warning("%s: %s was not banned: %s", reason, target, error)
    for target in rules.ip_whitelist:
        try:
            bans.unban(target)
        except (ValueError, StoreError) as error:
            logger.warning("%s: the ban on %s was not lifted: %s", reason, target, error)


def lift_bans(bans: Bans, before: DynamicRules, rules: DynamicRules | None) -> None:
    """Lift what earlier rules banned and these do not: a ban that was a mistake ends when it is
    taken out. What somebody else has banned since stays banned."""
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
    """What its bans are known by."""
    return f"dynamic rule {rules.rule_id}"[:MAX_REASON_CHARACTERS]


class RuledConfiguration:
    """The base, the rules over it, and the one way to serve what comes out.

    :param base: the app's own configuration.
    :param serve: swaps a configuration in, whole; raises when it can't be served.
    :param bans: of the store.
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

        :raises ConfigError: when they make no configuration that could be served.
        """
        with self._lock:
            self._serve(apply_rules(self._base, rules))
            before, self._rules = self._rules, rules
        if before is not None:
            lift_bans(self._bans, before, rules)
        apply_bans(self._bans, rules)

    def restore(self) -> None:
        """Serve the base again, without what the rules banned."""
        with self._lock:
            before, self._rules = self._rules, None
            self._serve(self._base)
        if before is not None:
            lift_bans(self._bans, before, None)

    def rebase(self, base: SecurityConfig) -> None:
        """Serve another base from now on, under the same rules.

        :raises ConfigError: when the two together can't be served; then nothing has changed.
        """
        with self._lock:
            self._serve(apply_rules(base, self._rules) if self._rules is not None else base)
            self._base = base

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
