"""One provider's published ranges, as they are kept and shared."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable

from attrs import frozen

from guard_wsgi.network.feeds import FeedError
from guard_wsgi.network.ranges import network_range

MAX_STORED_BYTES = 64 * 1024 * 1024
"""The most bytes when unpacked: a store's data may be damaged. The largest, Azure's, have some 1.5
MB."""
WIDEST_PREFIX_BITS = {4: 8, 6: 16}
"""No provider owns more than a /8; a wider network in a publication would deny everybody."""


def ranges_key(provider: str) -> str:
    """Return the key of a provider's ranges in a store's values."""
    return f"ranges:{provider}"


@frozen(slots=True)
class ProviderRanges:
    """One provider's published ranges. Times are seconds since the epoch, the same in each worker.

    :ivar checked_at: when the provider last confirmed them (a new file, or "not modified").
    """

    provider: str
    networks: tuple[tuple[str, str], ...]
    fetched_at: float
    checked_at: float
    etag: str = ""
    last_modified: str = ""

    def to_bytes(self) -> bytes:
        document = {
            "version": 1,
            "fetched_at": self.fetched_at,
            "checked_at": self.checked_at,
            "etag": self.etag,
            "last_modified": self.last_modified,
            "networks": self.networks,
        }
        return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 6)

    @classmethod
    def from_bytes(cls, provider: str, value: bytes) -> ProviderRanges | None:
        """Unpack ranges; ``None`` if another version wrote them, or they are damaged: they will be
        fetched again."""
        try:
            decompressor = zlib.decompressobj()
            document = json.loads(decompressor.decompress(value, MAX_STORED_BYTES))
            if document["version"] != 1:
                return None
            return cls(
                provider=provider,
                networks=tuple((str(cidr), str(region)) for cidr, region in document["networks"]),
                fetched_at=float(document["fetched_at"]),
                checked_at=float(document["checked_at"]),
                etag=str(document["etag"]),
                last_modified=str(document["last_modified"]),
            )
        except (zlib.error, ValueError, KeyError, TypeError, RecursionError):
            return None


def check_networks(networks: Iterable[tuple[str, str]]) -> None:
    """:raises FeedError: if an entry is not a network, or wider than any provider's."""
    for cidr, _ in networks:
        try:
            version, first, last = network_range(cidr)
        except ValueError as error:
            raise FeedError(f"not a network: {cidr[:60]!r}") from error
        bits = (32 if version == 4 else 128) - (last - first + 1).bit_length() + 1
        if bits < WIDEST_PREFIX_BITS[version]:
            raise FeedError(f"{cidr} is wider than any provider's network")
