"""Dynamic rules: how they change a configuration, and how they start and end.

The app's own configuration is the base. Rules never change it. They produce a second configuration,
which is checked like any other and compiled into a policy before it takes effect. When the rules
end, the guard serves the base again and lifts their bans.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from guard_wsgi.agent.ruled_bans import RuledBans
from guard_wsgi.agent.rules import DynamicRules
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.forks import track
from guard_wsgi.options.numbers import MAX_SECONDS

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


class RuledConfiguration:
    """Holds the base and the rules over it, and serves the result.

    :param base: the app's own configuration.
    :param serve: swaps in a whole configuration; raises if it can't be served.
    :param bans: the bans of rules in the store.
    """

    def __init__(
        self, base: SecurityConfig, serve: Callable[[SecurityConfig], object], bans: RuledBans
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
            self._bans.lift(before, rules)
        self._bans.apply(rules)

    def restore(self) -> None:
        """Serve the base again, and lift the bans of the rules."""
        with self._lock:
            before, self._rules = self._rules, None
            self._serve(self._base)
        if before is not None:
            self._bans.lift(before, None)

    def rebase(self, base: SecurityConfig) -> None:
        """Serve another base from now on, under the same rules.

        :raises ConfigError: if the two together are not valid; then nothing changes.
        """
        with self._lock:
            self._serve(apply_rules(base, self._rules) if self._rules is not None else base)
            if base.effective_store_url != self._base.effective_store_url:
                logger.warning("the store stays the same while the guard runs: restart the workers")
            self._base = base

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
