"""The facades of bans and of limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import BanRefused
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi_flask.compat.facade import Facade, current_guard, settable
from guard_wsgi_flask.registry import all_guarded, beforehand


class IPBanManager(Facade):
    """Bans: ``guard.bans``."""

    def ban_ip(self, ip: str, duration: int, reason: str = "threshold_exceeded") -> bool:
        """Ban an address or a network for ``duration`` seconds. Return ``False`` if that would lock
        out the site itself.

        :raises ValueError: if it is not an address, or the duration is not positive.
        """
        try:
            settable().bans.ban(ip, duration, reason)
        except BanRefused:
            return False
        return True

    def unban_ip(self, ip: str) -> None:
        beforehand.bans.unban(ip)
        settable().bans.unban(ip)

    def is_ip_banned(self, ip: str) -> bool:
        return settable().bans.is_banned(ip)

    def reset(self) -> None:
        beforehand.forget_bans()
        for guarded in all_guarded():
            guarded.middleware.bans.clear()


class RateLimitManager(Facade):
    """Limits: ``guard.limits``.

    :param config: not used; the guard's configuration applies.
    """

    def __init__(self, config: SecurityConfig | None = None) -> None:
        self.config = config

    def check_rate_limit(
        self,
        request: Any,
        client_ip: str,
        create_error_response: Callable[[int, str], Any],
        endpoint_path: str = "",
        rate_limit: int | None = None,
        rate_limit_window: int | None = None,
        **_: Any,
    ) -> Any:
        """Count a request of a client. Return ``None``, or a response if it is over the limit.

        :param endpoint_path: a path that counts separately.
        :param rate_limit: a limit, with its window, instead of the site's.
        """
        guard = current_guard()
        config = guard.policy.config
        limit = Limit(
            rate_limit if rate_limit is not None else config.rate_limit,
            rate_limit_window if rate_limit_window is not None else config.rate_limit_window,
            "face",
        )
        state = guard.services.store.limiter.hit(limit, f"{endpoint_path}|{client_ip}")
        return None if state.allowed else create_error_response(429, "Too many requests")

    def reset(self) -> None:
        """Forget all counts, including counts towards bans; bans stay."""
        for guarded in all_guarded():
            store = guarded.middleware.services.store
            kept = [(ban, store.bans.seconds_left(ban)) for ban in store.bans.list()]
            store.reset()
            for ban, seconds in kept:
                store.bans.ban(ban.target, seconds, ban.reason)
