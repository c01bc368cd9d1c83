"""Rate limits: how many requests a key may make in a window.

A refused hit is free: a client that keeps knocking at the allowed rate is let in at that rate.
"""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from guard_wsgi.errors import ConfigError
from guard_wsgi.options.numbers import MAX_COUNT, MAX_SECONDS
from guard_wsgi.state.backend import Backend, Strategy, Take


@frozen(slots=True)
class Limit:
    """``requests`` in ``window_seconds``. ``name`` is the bucket: limits with different names
    (route, endpoint, geo, global) never share a count.

    :raises ConfigError: for a number that is not positive, more than 2,147,483,647 requests, or
        more than a hundred years.
    """

    requests: int
    window_seconds: int
    name: str = "global"
    key_prefix: str = field(init=False, repr=False, eq=False)
    quoted: str = field(init=False, repr=False, eq=False)
    """The name as a string of a structured field (RFC 9651, 3.3.3)."""
    policy_header: tuple[str, str] = field(init=False, repr=False, eq=False)
    """The limit as the ``RateLimit-Policy`` header tells it."""

    def __attrs_post_init__(self) -> None:
        faults = []
        if not 1 <= self.requests <= MAX_COUNT:
            faults.append(f"limit {self.name!r}: requests must be 1 to {MAX_COUNT}")
        if not 1 <= self.window_seconds <= MAX_SECONDS:
            faults.append(f"limit {self.name!r}: window_seconds must be 1 to {MAX_SECONDS}")
        if faults:
            raise ConfigError(faults)
        # The window is part of the key: counts of a window of another length can't be compared.
        policy = f'"{self.name}";q={self.requests};w={self.window_seconds}'
        object.__setattr__(self, "quoted", f'"{self.name}"')
        object.__setattr__(self, "policy_header", ("RateLimit-Policy", policy))
        object.__setattr__(self, "key_prefix", f"{self.name}/{self.window_seconds}:")


@define(slots=True)
class LimitState:
    """Where a key stands. Not frozen, because one is built per request; nobody writes to it.

    ``remaining`` is what is left after this hit. ``reset_seconds``: when refused, the time until
    the same hit is let through; else until the window ends, or, with nothing remaining, until
    one more request is let through. ``limit`` is the limit that was applied: a share of the one
    asked for while this process counts alone because the store is down.
    """

    allowed: bool
    remaining: int
    reset_seconds: float
    limit: Limit


Quota = tuple[Limit, int, float]
"""A limit, what remains of it, and the seconds until it is whole again."""


class RateLimiter:
    """Counts hits by one strategy in one store.

    :ivar take: ``(key, requests, window_seconds, cost)`` to what the store answers; for those
        who hit one limit with every request and can do without a :class:`LimitState`.
    """

    __slots__ = ("_backend", "_view", "strategy", "take")

    def __init__(self, backend: Backend, strategy: Strategy) -> None:
        """:raises ConfigError: when the store can't do the strategy."""
        self.strategy = strategy
        self._backend = backend
        self.take: Take = backend.taker(strategy)
        self._view = backend.viewer(strategy)

    def hit(self, limit: Limit, key: str, cost: int = 1) -> LimitState:
        """Count ``cost`` for the key, unless that is over the limit.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        requests = limit.requests
        allowed, remaining, reset_seconds, applied = self.take(
            limit.key_prefix + key, requests, limit.window_seconds, cost
        )
        if applied != requests:
            limit = evolve(limit, requests=applied)
        return LimitState(allowed, remaining, reset_seconds, limit)

    def peek(self, limit: Limit, key: str, cost: int = 1) -> LimitState:
        """Where the key stands, without counting: ``allowed`` says whether a hit of ``cost`` fits.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        allowed, remaining, reset_seconds, applied = self._view(
            limit.key_prefix + key, limit.requests, limit.window_seconds, cost
        )
        if applied != limit.requests:
            limit = evolve(limit, requests=applied)
        return LimitState(allowed, remaining, reset_seconds, limit)

    def clear(self, limit: Limit, key: str) -> None:
        """Forget what was counted for the key.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        self._backend.forget(self.strategy, limit.key_prefix + key, limit.window_seconds)
