"""Records calls to managers that come before there is a guarded app, from modules during import.

They apply to every app that is guarded later, as with flaskapi-guard's singletons: a test that
calls its factory again gets the same result as the first call.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import BanRefused, StoreError
from guard_wsgi.state.backends.memory import MemoryStorage
from guard_wsgi.state.bans import Bans

if TYPE_CHECKING:
    from guard_wsgi.middleware import GuardMiddleware

logger = logging.getLogger("guard_wsgi.config")

_SETTABLE = (
    "security_headers",
    "cors_allow_origins",
    "cors_allow_credentials",
    "cors_allow_methods",
    "cors_allow_headers",
)
"""The options that ``security_headers_manager.configure`` can change, besides patterns."""


class EarlyCalls:
    """Accepts bans, patterns and headers as a guard does.

    :ivar config: the defaults with all changes.
    """

    def __init__(self) -> None:
        self.config = SecurityConfig()
        self.bans = Bans(MemoryStorage())

    def reconfigure(self, config: SecurityConfig) -> None:
        self.config = config

    def apply(self, guard: GuardMiddleware) -> None:
        """Apply the calls to a guard. Its own configuration takes precedence."""
        for ban in self.bans.list():
            try:
                guard.bans.ban(ban.target, self.bans.seconds_left(ban), ban.reason)
            except (
                BanRefused,
                StoreError,
            ) as error:  # the store failed: the ban still applies in this process
                logger.warning(
                    "the ban on %s, made before the app was guarded, does not apply: %s",
                    ban.target,
                    error,
                )
        config, standard = guard.config, SecurityConfig()
        changes = {
            name: getattr(self.config, name)
            for name in _SETTABLE
            if getattr(self.config, name) != getattr(standard, name)
            and getattr(config, name) == getattr(standard, name)
        }
        known = dict(config.detection_custom_patterns)
        further = with_patterns(known, self.config.detection_custom_patterns.values())
        if further != known:
            changes["detection_custom_patterns"] = further
        if changes:
            guard.reconfigure(config.evolve(**changes))

    def forget_bans(self) -> None:
        self.bans = Bans(MemoryStorage())


def with_patterns(known: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """Return the known patterns by name, and give names to new ones."""
    named = dict(known)
    for pattern in patterns:
        if pattern in named.values():
            continue
        number = 1
        while f"custom-{number}" in named:
            number += 1
        named[f"custom-{number}"] = pattern
    return named
