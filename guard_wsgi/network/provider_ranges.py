"""What one provider published, as it is kept and shared."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable

from attrs import frozen

from guard_wsgi.network.feeds import FeedError
from guard_wsgi.network.ranges import network_range

MAX_STORED_BYTES = 64 * 1024 * 1024
"""Unpacked. Azure's ranges, the most, have some 1.5 MB; what a store holds may be damaged."""
WIDEST_PREFIX_BITS = {4: 8, 6: 16}
"""No provider owns more than a /8; a publication with a wider network would deny the world."""


def ranges_key(provider: str) -> str:
    """What a provider's ranges are shared under, in a store's values."""
    return f"ranges:{provider}"


@frozen(slots=True)
class ProviderRanges:
    """What one provider published. Times are seconds since the epoch, the same in each worker.

    :ivar checked_at: when the provider last confirmed it (a new file, or "not modified").
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
        """``None`` for what another version wrote, or for damage: it will be fetched anew."""
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
    """:raises FeedError: for what is no network, or one that no provider can own."""
    for cidr, _ in networks:
        try:
            version, first, last = network_range(cidr)
        except ValueError as error:
            raise FeedError(f"not a network: {cidr[:60]!r}") from error
        bits = (32 if version == 4 else 128) - (last - first + 1).bit_length() + 1
        if bits < WIDEST_PREFIX_BITS[version]:
            raise FeedError(f"{cidr} is wider than any provider's network")
