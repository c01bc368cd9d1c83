"""A store of the other agent."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class RedisHandlerProtocol(Protocol):
    """A store in which the other agent keeps its queue; here, ``spool_path`` does that."""

    def get_key(self, namespace: str, key: str) -> Any: ...

    def set_key(self, namespace: str, key: str, value: Any, ttl: int | None = None) -> Any: ...
