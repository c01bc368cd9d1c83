"""Small values with a time to live, shared by every worker of the store: emergency mode, the
last dynamic rules, cloud ranges."""

from __future__ import annotations

from collections.abc import Callable

from guard_wsgi.options.numbers import MAX_SECONDS
from guard_wsgi.state.backend import Backend


class Values:
    """A cache: a value may vanish at any time, and nobody may rely on it."""

    __slots__ = ("_ask", "_backend")

    def __init__(self, backend: Backend, ask: Callable[[str], bytes | None] | None = None) -> None:
        """:param ask: reads from the store itself, also while a local substitute serves."""
        self._backend = backend
        self._ask = backend.read_value if ask is None else ask

    def get(self, key: str) -> bytes | None:
        """Return the value; ``None`` if it has expired or never existed.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        return self._backend.read_value(key)

    def ask(self, key: str) -> bytes | None:
        """Ask the store itself: return the value, or ``None`` if it has none.

        :raises StoreError: if the store is down, whatever its policy.
        """
        return self._ask(key)

    def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Store ``value`` for ``ttl_seconds``.

        :raises ValueError: when the time to live is not positive.
        :raises StoreError: when the store is down and its policy is to deny.
        """
        if not 0 < ttl_seconds <= MAX_SECONDS:
            raise ValueError(
                f"ttl_seconds must be positive and at most {MAX_SECONDS}, not {ttl_seconds}"
            )
        self._backend.write_value(key, value, ttl_seconds)

    def delete(self, key: str) -> None:
        """Drop the value, if there is one.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        self._backend.drop_value(key)
