"""Rate limits: how many requests a key may make in a window.

A refused hit is not counted: a client that keeps to the allowed rate gets through at that rate.
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

    :raises ConfigError: if a number is not positive, or more than 2,147,483,647 requests or a
        hundred years.
    """

    requests: int
    window_seconds: int
    name: str = "global"
    key_prefix: str = field(init=False, repr=False, eq=False)
    quoted: str = field(init=False, repr=False, eq=False)
    """The name as a string of a structured field (RFC 9651, 3.3.3)."""
    policy_header: tuple[str, str] = field(init=False, repr=False, eq=False)
    """The limit for the ``RateLimit-Policy`` header."""

    def __attrs_post_init__(self) -> None:
        faults = []
        if not 1 <= self.requests <= MAX_COUNT:
            faults.append(f"limit {self.name!r}: requests must be 1 to {MAX_COUNT}")
        if not 1 <= self.window_seconds <= MAX_SECONDS:
            faults.append(f"limit {self.name!r}: window_seconds must be 1 to {MAX_SECONDS}")
        if faults:
            raise ConfigError(faults)
        # The window is part of the key: counts of windows of different lengths can't be compared.
        policy = f'"{self.name}";q={self.requests};w={self.window_seconds}'
        object.__setattr__(self, "quoted", f'"{self.name}"')
        object.__setattr__(self, "policy_header", ("RateLimit-Policy", policy))
        object.__setattr__(self, "key_prefix", f"{self.name}/{self.window_seconds}:")


@define(slots=True)
class LimitState:
    """The state of a key. It is not frozen, because each request makes one; nobody writes to it.

    ``remaining`` is what is left after this hit. ``reset_seconds`` is, for a refused hit, the time
    until the same hit passes; else the time until the window ends or, with nothing remaining, until
    one more request passes. ``limit`` is the applied limit: a share of the requested one while the
    store is down and this process counts alone.
    """

    allowed: bool
    remaining: int
    reset_seconds: float
    limit: Limit


Quota = tuple[Limit, int, float]
"""A limit, what remains of it, and the seconds until it is full again."""


class RateLimiter:
    """Counts hits by one strategy in one store.

    :ivar take: the store's own function of ``(key, requests, window_seconds, cost)``, for callers
        that hit one limit with every request and need no :class:`LimitState`.
    """

    __slots__ = ("_backend", "_view", "strategy", "take")

    def __init__(self, backend: Backend, strategy: Strategy) -> None:
        """:raises ConfigError: when the store can't do the strategy."""
        self.strategy = strategy
        self._backend = backend
        self.take: Take = backend.taker(strategy)
        self._view = backend.viewer(strategy)

    def hit(self, limit: Limit, key: str, cost: int = 1) -> LimitState:
        """Count ``cost`` for the key, unless that exceeds the limit.

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
        """Return the state of the key without counting: ``allowed`` says whether a hit of ``cost``
        fits.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        allowed, remaining, reset_seconds, applied = self._view(
            limit.key_prefix + key, limit.requests, limit.window_seconds, cost
        )
        if applied != limit.requests:
            limit = evolve(limit, requests=applied)
        return LimitState(allowed, remaining, reset_seconds, limit)

    def clear(self, limit: Limit, key: str) -> None:
        """Forget the counts of the key.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        self._backend.forget(self.strategy, limit.key_prefix + key, limit.window_seconds)
