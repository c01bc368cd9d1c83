"""The facade of the ranges of cloud providers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from guard_wsgi.network.address import parse_address
from guard_wsgi.network.cloud import PROVIDERS
from guard_wsgi_flask.compat.facade import Facade, current_guard

HOSTING = PROVIDERS - {"Cloudflare"}
"""The providers that flaskapi-guard knows."""


class CloudManager(Facade):
    """The ranges of cloud providers."""

    def is_cloud_ip(self, ip: str, providers: Collection[str] = HOSTING) -> bool:
        return self.get_cloud_provider_details(ip, providers) is not None

    def get_cloud_provider_details(
        self, ip: str, providers: Collection[str] = HOSTING
    ) -> tuple[str, str] | None:
        """Return the provider and the range of an address; ``None`` for other addresses.

        :raises ValueError: if it is not an address.
        """
        address = parse_address(ip)
        if address is None:
            raise ValueError(f"{ip!r} is not an IP address")
        clouds = current_guard().services.clouds
        provider = clouds.select(providers).match(address)
        return None if provider is None else (provider, clouds.range_of(provider, address))

    def refresh(self, providers: Collection[str] = HOSTING) -> None:
        current_guard().services.clouds.refresh()

    def refresh_async(self, providers: Collection[str] = HOSTING, ttl: int = 3600) -> None:
        """The same as ``refresh``: a WSGI app has no event loop."""
        self.refresh(providers)

    def get_status(self) -> dict[str, Any]:
        status: dict[str, Any] = current_guard().services.clouds.status()["providers"]
        return status
