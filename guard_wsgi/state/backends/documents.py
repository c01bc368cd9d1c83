"""Small documents on stores that only have keys, which `limits` does not offer.

Memcached and MongoDB run no scripts of ours. There, bans and values are documents. A change reads
the document, and writes it if nobody else has written meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from guard_wsgi.errors import StoreError

ATTEMPTS = 8
"""How often to retry a change that others overtake; bans are not that frequent."""

Change = Callable[[bytes | None], tuple[bytes, float] | None]
"""Maps the current document to the new one and its seconds to live; ``None`` leaves it."""


class Documents(Protocol):
    """Bytes under a key, with a time to live."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, ttl_seconds: float) -> None: ...

    def delete(self, key: str) -> None: ...

    def change(self, key: str, change: Change) -> None:
        """Apply ``change`` to the document; retry while others are faster.

        :raises StoreError: if others are always faster.
        """
        ...


class MemcachedDocuments:
    """Documents as items, changed by ``cas``."""

    def __init__(self, client: Callable[[], Any]) -> None:
        """:param client: the client of the calling thread."""
        self._client = client

    def get(self, key: str) -> bytes | None:
        value: bytes | None = self._client().get(key)
        return value

    def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self._client().set(key, value, expire=_whole(ttl_seconds), noreply=False)

    def delete(self, key: str) -> None:
        self._client().delete(key, noreply=False)

    def change(self, key: str, change: Change) -> None:
        client = self._client()
        for _ in range(ATTEMPTS):
            value, token = client.gets(key)
            changed = change(value)
            if changed is None:
                return
            expire = _whole(changed[1])
            if value is None:
                done = client.add(key, changed[0], expire=expire, noreply=False)
            else:
                done = client.cas(key, changed[0], token, expire=expire, noreply=False)
            if done:
                return
        raise StoreError(f"memcached: {key} is being changed by too many processes at once")


class MongoDocuments:
    """Documents in a collection of the database that `limits` uses."""

    COLLECTION = "guard_documents"

    def __init__(self, database: Callable[[], Any], duplicate: type[Exception]) -> None:
        """:param duplicate: the error of an insert under a key that exists."""
        self._database = database
        self._duplicate = duplicate

    def get(self, key: str) -> bytes | None:
        return self._read(key)[0]

    def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self._collection().replace_one({"_id": key}, _document(value, ttl_seconds), upsert=True)

    def delete(self, key: str) -> None:
        self._collection().delete_one({"_id": key})

    def change(self, key: str, change: Change) -> None:
        for _ in range(ATTEMPTS):
            value, version = self._read(key)
            changed = change(value)
            if changed is None:
                return
            try:
                # With upsert, so that a missing one is made; if it is there in another version,
                # that would be a second one under its key.
                self._collection().replace_one(
                    {"_id": key, "version": version}, _document(*changed), upsert=True
                )
            except self._duplicate:
                continue
            return
        raise StoreError(f"mongodb: {key} is being changed by too many processes at once")

    def _read(self, key: str) -> tuple[bytes | None, int]:
        found = self._collection().find_one({"_id": key})
        if found is None:
            return None, 0
        alive = found["expireAt"].replace(tzinfo=UTC) > datetime.now(UTC)
        return bytes(found["value"]) if alive else None, found["version"]

    def _collection(self) -> Any:
        return self._database()[self.COLLECTION]


def _document(value: bytes, ttl_seconds: float) -> dict[str, Any]:
    return {
        "value": value,
        "version": time.time_ns(),
        "expireAt": datetime.now(UTC) + timedelta(seconds=ttl_seconds),
    }


def _whole(seconds: float) -> int:
    """Convert seconds for memcached: whole seconds; 0 would mean forever, and more than 30 days
    would mean a date."""
    return min(max(1, round(seconds)), 30 * 24 * 3600)
