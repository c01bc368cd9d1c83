"""Remembers values that were found harmless, so that they need not be weighed again.

Clients send health probes, webhooks, beacons and saved drafts over and over. The memory holds keyed
digests of 16 bytes (BLAKE2b, RFC 7693). So nobody can craft an attack with the same digest, and no
content is kept.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import Any, Final

MAX_REMEMBERED: Final = 8192
"""The most digests of one generation. Two generations are kept: 2 MB at most."""

MAX_BYTES: Final = 65_536
"""The longest text to remember, in bytes. Clients rarely repeat a longer one."""

_HEAD_KEYS: Final = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE")


class Memory:
    """Digests of values that one inspection has found harmless. Threads may lose each other's new
    entries, but never add a wrong one."""

    __slots__ = ("_key", "_latest", "_older")

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._latest: set[bytes] = set()
        self._older: set[bytes] = set()

    def digest(self, data: bytes, *texts: str) -> bytes | None:
        """Return the digest of some bytes and of texts that say how they are read; ``None`` if the
        data is too large."""
        if len(data) > MAX_BYTES:
            return None
        prefix = "".join([f"{len(text)}:{text}" for text in texts])
        made = blake2b(prefix.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16)
        made.update(data)
        return made.digest()

    def head_digest(self, environ: dict[str, Any]) -> bytes | None:
        """Return the digest of everything that is inspected in a head."""
        parts = [
            f"{key}={len(value)}:{value}"
            for key, value in environ.items()
            if key.startswith("HTTP_") or key in _HEAD_KEYS
        ]
        return self.digest("".join(parts).encode("utf-8", "surrogatepass"))

    def __contains__(self, digest: bytes | None) -> bool:
        return digest in self._latest or digest in self._older

    def add(self, digest: bytes | None) -> None:
        if digest is not None:
            if len(self._latest) >= MAX_REMEMBERED:
                self._older, self._latest = self._latest, set()
            self._latest.add(digest)
