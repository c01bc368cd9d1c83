"""Bans in the store that the guarded workers share, for a console on the same machine."""

from __future__ import annotations

from attrs import frozen

from guard_wsgi.cli.shared import limits_left, shared_store
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import GuardError
from guard_wsgi.network.address import parse_address
from guard_wsgi.state.ban_index import Ban


@frozen(slots=True)
class LimitLeft:
    """How much of a limit a client has left."""

    place: str
    requests: int
    window_seconds: int
    remaining: int


class SharedBans:
    """:param config: a configuration that names the store. Each look opens it again, so that a
    replaced or restarted store is found."""

    def __init__(self, config: SecurityConfig) -> None:
        self._config = config
        self.url = config.effective_store_url

    def all(self) -> list[Ban]:
        """:raises GuardError: if the store can't be reached."""
        with shared_store(self._config) as store:
            return sorted(store.bans.list(), key=lambda ban: ban.expires_at)

    def ban(self, target: str, seconds: float, reason: str) -> None:
        """:raises GuardError: if it can't be banned, or the store can't be reached."""
        with shared_store(self._config, creates=True) as store:
            try:
                store.bans.ban(target, seconds, reason)
            except ValueError as error:
                raise GuardError(str(error)) from None

    def unban(self, target: str) -> bool:
        """:raises GuardError: as :meth:`ban`."""
        with shared_store(self._config) as store:
            try:
                return store.bans.unban(target)
            except ValueError as error:
                raise GuardError(str(error)) from None

    def limits(self, client: str) -> list[LimitLeft]:
        """Return what a client has left of each limit. This counts nothing.

        :raises GuardError: if the store can't be reached.
        """
        if parse_address(client) is None:
            return []
        return [
            LimitLeft(place, state.limit.requests, state.limit.window_seconds, state.remaining)
            for place, state in limits_left(self._config, client)
        ]
