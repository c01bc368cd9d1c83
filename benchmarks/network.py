"""Time of one lookup in the network's data: clouds, countries, lists, emergency mode, crawlers.

``python benchmarks/network.py`` prints microseconds of the processor's time, the median of
several rounds, the loop's own 0.05 included. The data are
made up at the size of the real ones: some 50,000 cloud networks, a country database of 20,000.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.behavior.tracker import BehaviorTracker
from guard_wsgi.network.address import Address, parse_address
from guard_wsgi.network.bots import VerifiedBots
from guard_wsgi.network.cloud import PROVIDERS, CloudRanges
from guard_wsgi.network.geo import CountryLookup, MaxMindGeoIP
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.emergency import EmergencyMode
from guard_wsgi.state.store import Store

ROUNDS = 7
CALLS = 20_000
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


class Ranges:
    """A ready cache of ranges, in place of the providers."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def get(self, provider: str) -> set[str]:
        chance = self._chance
        v4 = {
            f"{IPv4Address(chance.getrandbits(32) & ~0xFF)}/24|region-{chance.randrange(30)}"
            for _ in range(5000)
        }
        v6 = {
            f"{IPv6Address((0x2600 << 112) | (chance.getrandbits(40) << 72))}/56|region-1"
            for _ in range(1500)
        }
        return v4 | v6

    def set(self, provider: str, ranges: set[str], ttl: int) -> None:
        raise AssertionError("nothing is fetched here")


def addresses(chance: random.Random, count: int) -> list[Address]:
    parsed = [parse_address(str(IPv4Address(chance.getrandbits(32)))) for _ in range(count)]
    return [address for address in parsed if address is not None and not address.is_private]


def measure(name: str, call: Callable[[Address], object], clients: list[Address]) -> None:
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for client in clients:
            call(client)
        rounds.append((time.thread_time() - began) / len(clients) * 1e6)
    print(f"{name:<46} {statistics.median(rounds):8.3f} us")


def country_database(path: Path, chance: random.Random) -> Path:
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet as Networks

    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-Country")
    for _ in range(20_000):
        network = f"{IPv4Address(chance.getrandbits(32) & ~0xFFF)}/20"
        code = chance.choice(["DE", "FR", "GB", "NL", "US"])
        writer.insert_network(Networks([network]), {"country": {"iso_code": code}})
    writer.to_db_file(str(path))
    return path


def main() -> None:
    chance = random.Random(7)
    many = addresses(chance, CALLS)
    few = addresses(chance, 1000) * (CALLS // 1000)

    clouds = CloudRanges(custom_store=Ranges(chance))
    selection = clouds.select(PROVIDERS)
    carved = clouds.select({"AWS:!region-3", "GCP"})
    began = time.perf_counter()
    clouds.load()
    print(f"ranges loaded and compiled in {time.perf_counter() - began:.2f} s")
    measure("cloud, all providers, 52,000 networks", selection.match, many)
    measure("cloud, two providers, a region carved out", carved.match, many)
    clouds.close()

    with tempfile.TemporaryDirectory() as folder:
        geo = MaxMindGeoIP(country_database(Path(folder) / "countries.mmdb", chance))
        lookup = CountryLookup(geo)
        measure("country, remembered", lookup.country, few)
        measure("country, asked of the database", lambda a: geo.get_country(a.text), many)

    blocked = IPSet(f"{IPv4Address(chance.getrandbits(32) & ~0xFF)}/24" for _ in range(20_000))
    measure("list of 20,000 networks", blocked.__contains__, many)

    store = Store.open("memory://")
    emergency = EmergencyMode(store.values)
    measure("emergency mode, off", emergency.refuses, many)
    bots = VerifiedBots(use_ranges=False)
    measure("crawler, a browser's user agent", lambda a: bots.is_verified(BROWSER, a), many)

    tracker = BehaviorTracker(store)
    usage = tracker.watch((BehaviorRule("usage", 1_000_000, 60),))
    measure("behaviour, one usage rule", lambda a: usage.before(a, "/x"), few)
    status = tracker.watch((), (BehaviorRule("return_pattern", 1000, 60, "status:404"),))

    def observed(client: Address) -> None:
        observation = status.observe(client, "/x")
        if observation is not None:
            observation.status(200, ())

    measure("behaviour, one status rule, no match", observed, few)


if __name__ == "__main__":
    main()
