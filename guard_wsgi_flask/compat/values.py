"""The facade of the store's values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from guard_wsgi.agent import store_protocol as agent
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import GuardError
from guard_wsgi.state.values import Values
from guard_wsgi_flask.compat.facade import Facade, current_guard

DAY_SECONDS = 86_400
"""How long a value without a time to live is kept: the guard's stores keep nothing forever."""


class RedisManager(Facade):
    """Small values in the guard's store, of any kind.

    :param config: not used; the guard's configuration applies.
    """

    def __init__(self, config: SecurityConfig | None = None) -> None:
        self.config = config

    def get_key(self, namespace: str, key: str) -> Any:
        value = self._values().get(f"{namespace}:{key}")
        if value is None:
            return None
        text = value.decode()
        try:
            return json.loads(text)
        except ValueError:
            return text

    def set_key(self, namespace: str, key: str, value: Any, ttl: int | None = None) -> bool:
        """Store a text, or a JSON value, for ``ttl`` seconds; a day by default."""
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        self._values().set(f"{namespace}:{key}", text.encode(), ttl or DAY_SECONDS)
        return True

    def delete(self, namespace: str, key: str) -> int:
        existed = self.exists(namespace, key)
        self._values().delete(f"{namespace}:{key}")
        return int(existed)

    def exists(self, namespace: str, key: str) -> bool:
        return self._values().get(f"{namespace}:{key}") is not None

    def incr(self, namespace: str, key: str, ttl: int | None = None) -> int:
        return current_guard().services.store.counters.increment(
            f"{namespace}:{key}", ttl or DAY_SECONDS
        )

    def keys(self, pattern: str) -> list[str]:
        """Return keys by a pattern of Redis.

        :raises GuardError: if the store is not Redis: others can't be listed.
        """
        prefix = current_guard().policy.config.redis_prefix
        with self.get_connection() as connection:
            return [
                key.decode() if isinstance(key, bytes) else key
                for key in connection.scan_iter(match=f"{prefix}{pattern}")
            ]

    def delete_pattern(self, pattern: str) -> int:
        """Delete keys by a pattern of Redis.

        :raises GuardError: as :meth:`keys`.
        """
        found = self.keys(pattern)
        with self.get_connection() as connection:
            return int(connection.delete(*found)) if found else 0

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        """Return a client of the store's Redis.

        :raises GuardError: if the store is not Redis.
        """
        config = current_guard().policy.config
        url = config.effective_store_url
        if not url.startswith(("redis://", "rediss://", "redis+unix://")):
            raise GuardError("the guard's store is not Redis: set enable_redis and redis_url")
        import redis

        with redis.Redis.from_url(
            url.replace("redis+unix", "unix"),
            socket_timeout=config.effective_store_timeout,
            socket_connect_timeout=config.redis_socket_connect_timeout,
        ) as client:
            yield client

    def close(self) -> None:
        """Do nothing: the store belongs to the guard."""

    def _values(self) -> Values:
        return current_guard().services.store.values


@runtime_checkable
class RedisHandlerProtocol(agent.RedisHandlerProtocol, Protocol):
    """What flaskapi-guard needs from a user's own store."""

    def delete(self, namespace: str, key: str) -> Any: ...

    def keys(self, pattern: str) -> list[str] | None: ...

    def initialize(self) -> None: ...

    def get_connection(self) -> Any: ...
