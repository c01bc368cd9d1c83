"""Country and network (AS) of clients, from the console's MMDB files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from guard_wsgi.network.address import parse_address
from guard_wsgi.network.mmdb import GeoDatabase, asn_of, country_of
from guard_wsgi_flask.console.records import clean

CACHED = 16_384
"""How many clients to remember: an attack is many requests of few clients."""
_ORGANIZATION = ("autonomous_system_organization", "as_name", "asname", "isp", "organization")
"""The names of the owner of a network in such files."""


class Geography:
    """:raises GeoDatabaseError: if a file is not an MMDB file.

    :raises MissingExtra: without the package maxminddb.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._databases = [GeoDatabase(path) for path in paths]
        for database in self._databases:
            database.open()
        self._find = lru_cache(CACHED)(self._ask)

    def country(self, client: str) -> str:
        """Return the code of a client's country; "" if no file has it."""
        return self._find(client)[0]

    def network(self, client: str) -> str:
        """Return the AS that announces a client, as ``AS1103 SURF B.V.``; "" if no file has it."""
        return self._find(client)[1]

    def _ask(self, client: str) -> tuple[str, str]:
        address = parse_address(client)
        if address is None or address.is_private or address.is_loopback:
            return "", ""
        country = network = ""
        for database in self._databases:
            record = database.record(address.text)
            country = country or country_of(record) or ""
            network = network or _network_of(record)
        return country, network


def _network_of(record: object) -> str:
    number = asn_of(record)
    if number is None or not isinstance(record, Mapping):
        return ""
    names = (record.get(name) for name in _ORGANIZATION)
    name = next((one for one in names if isinstance(one, str) and one), "")
    return clean(f"AS{number} {name}".strip(), 128)
