"""Small MMDB files in the layouts of the three makers."""

from __future__ import annotations

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

Record = dict[str, object]


def write(path: Path, records: dict[str, Record], database_type: str = "Test") -> Path:
    writer = MMDBWriter(
        ip_version=6,
        database_type=database_type,
        languages=["en"],
        ipv4_compatible=True,
        description="of the tests",
    )
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    writer.to_db_file(str(temporary))
    temporary.replace(path)
    return path


def maxmind(path: Path, countries: dict[str, str]) -> Path:
    """GeoLite2-Country, and DB-IP's country and city files."""
    records: dict[str, Record] = {
        network: {
            "continent": {"code": "EU"},
            "country": {"geoname_id": 1, "iso_code": code, "names": {"en": "Somewhere"}},
            "registered_country": {"iso_code": "US"},
        }
        for network, code in countries.items()
    }
    return write(path, records, "GeoLite2-Country")


def ipinfo(path: Path, countries: dict[str, str]) -> Path:
    """IPinfo's country_asn."""
    records: dict[str, Record] = {
        network: {
            "continent": "EU",
            "continent_name": "Europe",
            "country": code,
            "country_name": "Somewhere",
            "asn": "AS1103",
            "as_name": "SURF B.V.",
            "as_domain": "surf.nl",
        }
        for network, code in countries.items()
    }
    return write(path, records, "ipinfo generic_country_asn.mmdb")


def ipinfo_lite(path: Path, countries: dict[str, str]) -> Path:
    """IPinfo Lite: the country's name where the older file had its code."""
    records: dict[str, Record] = {
        network: {
            "asn": "AS1103",
            "as_name": "SURF B.V.",
            "continent": "Europe",
            "continent_code": "EU",
            "country": "Netherlands",
            "country_code": code,
        }
        for network, code in countries.items()
    }
    return write(path, records, "ipinfo bundle_location_lite.mmdb")
