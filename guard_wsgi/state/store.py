"""Shared state behind one URI: rate limits, bans, counters and small values."""

from __future__ import annotations

from importlib import import_module
from math import ceil
from typing import Any

from guard_wsgi.errors import ConfigError, MissingExtra
from guard_wsgi.options.quoting import nearest
from guard_wsgi.state.backend import Backend
from guard_wsgi.state.backends.resilient import ResilientBackend
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.clock import NANOSECONDS
from guard_wsgi.state.counters import Counters
from guard_wsgi.state.ratelimit import RateLimiter
from guard_wsgi.state.schemes import SCHEMES
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.values import Values


class Store:
    """The parts of the shared state, all over one backend.

    Several guards may share a store; then they count together.
    """

    def __init__(self, backend: Backend, settings: StoreSettings) -> None:
        self.settings = settings
        self.scheme = backend.scheme
        self._backend = backend
        self._breaker = backend.breaker if isinstance(backend, ResilientBackend) else None
        self.limiter = RateLimiter(backend, settings.rate_limit_strategy)
        self.bans = Bans(
            backend,
            protected=settings.protected,
            max_bans=min(settings.max_bans, backend.max_bans),
            ipv6_prefix_bits=settings.ipv6_prefix_bits,
            clock=settings.clock,
        )
        self.counters = Counters(backend)
        ask = backend.ask_value if isinstance(backend, ResilientBackend) else None
        self.values = Values(backend, ask)

    @classmethod
    def open(cls, url: str = "memory://", *, settings: StoreSettings | None = None) -> Store:
        """Open the store of a URI.

        :raises ConfigError: if the URI names no store, its client is too old, or the store lacks a
            strategy.
        :raises MissingExtra: if the store's client is not installed.
        """
        if settings is None:
            settings = StoreSettings()
        return cls(_backend(url, settings), settings)

    @property
    def waits(self) -> bool:
        """Whether a call may wait for another machine, so that requests need a time budget."""
        return isinstance(self._backend, ResilientBackend) and self._backend.waits

    def begin_request(self) -> None:
        """Start the time budget of a new request in this thread, which its store calls share.

        Without it, each call has only its own timeout.
        """
        self._backend.begin_request()

    @property
    def degraded(self) -> bool:
        """Whether the store is down and the policies apply."""
        return self._breaker is not None and not self._breaker.closed

    @property
    def retry_seconds(self) -> int:
        """Return the seconds until the store is tried again, at least 1, for a 503's
        ``Retry-After``."""
        return 1 if self._breaker is None else max(1, ceil(self._breaker.retry_seconds))

    def status(self) -> dict[str, Any]:
        """Return the status of the store, without asking a server. It contains no secret.

        ``state`` is "ok" or "degraded", ``since`` its beginning in epoch seconds, ``keys`` the
        number of counted keys where that is known.
        """
        breaker = self._breaker
        status: dict[str, Any] = {
            "store": self.scheme,
            "state": "degraded" if self.degraded else "ok",
            "strategy": self.limiter.strategy,
            **self.bans.status(),
            "keys": self._backend.size(),
        }
        if breaker is not None:
            status["since"] = breaker.since_ns / NANOSECONDS
            status["degradations"] = breaker.opened
            status["last_error"] = breaker.last_error
            status["policies"] = dict(self.settings.policies)
        return status

    def reset(self) -> None:
        """Forget every count and every ban; small values stay.

        :raises StoreError: when the store is down and a policy is to deny.
        """
        self._backend.erase()
        self.bans.clear()

    def close(self) -> None:
        """Close files and connections. The store can't be used afterwards."""
        self._backend.close()


def _backend(url: str, settings: StoreSettings) -> Backend:
    name, separator, _ = url.partition("://")
    if not separator:
        raise ConfigError([f"store_url {url!r} is not a URL: write memory:// or lmdb:///path"])
    scheme = SCHEMES.get(name)
    if scheme is None:
        raise ConfigError([f"unsupported store_url scheme {name!r}{nearest(name, SCHEMES)}"])
    if not scheme.is_installed:
        raise MissingExtra(f"store_url {name}://", scheme.extra)
    if scheme.outdated:
        raise ConfigError([f"store_url {name}:// {scheme.outdated}"])
    backend: Backend = import_module(scheme.module).open_backend(url, settings)
    if backend.failures:  # a store that may be down; this process counts meanwhile
        return ResilientBackend(backend, settings, None)
    return backend
