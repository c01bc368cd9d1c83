"""Cloud rules over ranges fetched from a publisher: selections, renewal, faults, sharing."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from attrs import evolve

from guard_wsgi.network.cloud import CloudRanges, parse_selection
from guard_wsgi.network.feeds import CLOUD_FEEDS, Feed
from guard_wsgi.network.provider_ranges import ProviderRanges
from guard_wsgi.state.store import Store
from tests.kit.addresses import address
from tests.kit.waiting import wait_until
from tests.network.publisher import Publisher, sample

FILES = {
    "/aws": "aws.json",
    "/gcp": "gcp.json",
    "/azure-file": "azure.json",
    "/digitalocean": "digitalocean.csv",
    "/linode": "linode.csv",
    "/vultr": "vultr.json",
    "/oracle": "oracle.json",
    "/cloudflare": "cloudflare.json",
}


@pytest.fixture
def feeds(publisher: Publisher) -> dict[str, Feed]:
    """The providers' feeds, with their files at the publisher on loopback."""
    publisher.files.update({path: sample(name) for path, name in FILES.items()})
    publisher.files["/azure"] = b"<html>see " + publisher.url.encode() + b"/azure-file</html>"
    local = {
        name: evolve(feed, url=f"{publisher.url}/{name.lower()}")
        for name, feed in CLOUD_FEEDS.items()
    }
    local["Azure"] = evolve(local["Azure"], locate=lambda page: f"{publisher.url}/azure-file")
    return local


@pytest.fixture
def make(feeds: dict[str, Feed]) -> Iterator[Callable[..., CloudRanges]]:
    made: list[CloudRanges] = []

    def make(**options: Any) -> CloudRanges:
        made.append(CloudRanges(feeds=feeds, **options))
        return made[-1]

    yield make
    for ranges in made:
        ranges.close()


Make = Callable[..., CloudRanges]


@pytest.mark.parametrize(
    ("provider", "inside"),
    [
        ("AWS", "3.5.140.9"),
        ("AWS", "2600:1f14::1"),
        ("GCP", "34.77.1.2"),
        ("GCP", "2600:1900:4010::5"),
        ("Azure", "20.33.7.7"),
        ("Azure", "2603:1030::1"),
        ("DigitalOcean", "5.101.96.1"),
        ("DigitalOcean", "2400:6180:0:d0::9"),
        ("Linode", "45.33.2.1"),
        ("Linode", "2a01:7e00::1"),
        ("Vultr", "45.32.145.1"),
        ("Vultr", "2001:19f0:5::1"),
        ("Oracle", "130.61.2.2"),
        ("Oracle", "2603:c020::1"),
        ("Cloudflare", "104.17.1.1"),
        ("Cloudflare", "2606:4700::1"),
    ],
)
def test_an_address_in_a_providers_ranges_is_the_providers(
    make: Make, provider: str, inside: str
) -> None:
    ranges = make()
    everything = ranges.select(CLOUD_FEEDS)
    alone = ranges.select({provider})
    ranges.refresh()
    assert everything.match(address(inside)) == provider
    assert alone.match(address(inside)) == provider
    assert alone.match(address("192.0.2.1")) is None
    assert everything.match(address("2001:db8::1")) is None


def test_an_ipv4_address_written_as_ipv6_is_matched_as_well(make: Make) -> None:
    ranges = make()
    selection = ranges.select({"AWS"})
    ranges.refresh()
    assert selection.match(address("::ffff:3.5.140.9")) == "AWS"


@pytest.mark.parametrize(
    ("carved", "outside", "still_inside"),
    [
        ("AWS:!ap-northeast-2", "3.5.140.9", "52.94.76.1"),
        ("AWS:!us-west-2", "2600:1f14::1", "2a05:d07a:a000::1"),
        ("GCP:!europe-west1", "34.76.1.1", "34.82.1.1"),
        ("GCP:!EUROPE-WEST1", "2600:1900:4010::1", "2600:1900:4020::1"),
        ("Azure:!westeurope", "13.69.1.1", "20.33.1.1"),
        ("Oracle:!eu-frankfurt-1", "130.61.1.1", "129.146.1.1"),
    ],
)
def test_a_region_can_be_carved_out_of_a_provider(
    make: Make, carved: str, outside: str, still_inside: str
) -> None:
    ranges = make()
    selection = ranges.select({carved})
    ranges.refresh()
    assert selection.match(address(outside)) is None
    assert selection.match(address(still_inside)) == carved.partition(":")[0]


def test_several_regions_of_one_provider_can_be_carved_out(make: Make) -> None:
    ranges = make()
    selection = ranges.select({"GCP:!europe-west1", "GCP:!us-west1"})
    ranges.refresh()
    assert selection.match(address("34.76.1.1")) is None
    assert selection.match(address("34.82.1.1")) is None
    assert selection.match(address("34.1.208.1")) == "GCP"


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("AWZ", "unknown cloud provider"),
        ("AWS:eu-west-1", "to exclude a region"),
        ("AWS:!", "to exclude a region"),
        ("Cloudflare:!europe", "publishes no regions"),
    ],
)
def test_a_selection_that_says_nothing_is_refused(selection: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_selection({selection})


def test_two_rules_share_one_fetch(make: Make, publisher: Publisher) -> None:
    ranges = make()
    all_of_it, carved = ranges.select({"AWS"}), ranges.select({"aws:!us-west-2"})
    ranges.refresh()
    assert len(publisher.asked("/aws")) == 1
    assert all_of_it.match(address("52.94.76.1")) == "AWS"
    assert carved.match(address("52.94.76.1")) is None


def test_a_rule_made_later_knows_the_ranges_at_once(make: Make) -> None:
    ranges = make()
    ranges.select({"AWS"})
    ranges.refresh()
    assert ranges.select({"AWS"}).match(address("3.5.140.9")) == "AWS"


def test_only_providers_that_a_rule_names_are_fetched(make: Make, publisher: Publisher) -> None:
    ranges = make()
    ranges.select({"Oracle"})
    ranges.refresh()
    assert {path for path, _ in publisher.requests} == {"/oracle"}


def test_nothing_is_fetched_before_a_request_and_then_in_the_background(
    make: Make, publisher: Publisher
) -> None:
    selection = make().select({"AWS"})
    time.sleep(0.05)
    assert publisher.requests == []
    # It starts the fetch, which may be done before it looks.
    assert selection.match(address("3.5.140.9")) in (None, "AWS")
    wait_until(lambda: selection.match(address("3.5.140.9")) == "AWS")


@pytest.mark.parametrize(
    "broken",
    [
        500,
        404,
        b"<html>maintenance</html>",
        b'{"prefixes": []}',
        (503, sample("aws.json").replace(b"3.5.140.0/22", b"3.6.0.0/22")),
        sample("aws.json").replace(b"13.32.0.0/15", b"0.0.0.0/0"),
        sample("aws.json").replace(b"2600:1f14::/35", b"2000::/3"),
        b'{"prefixes": [{"ip_prefix": "not-a-net", "region": ""}], "ipv6_prefixes": []}',
        b'{"prefixes": [{"ip_prefix": "9.9.9.0/24", "region": ""}], "ipv6_prefixes": []}',
    ],
    ids=[
        "error",
        "gone",
        "page",
        "empty",
        "error with data",
        "everybody",
        "all of IPv6",
        "no network",
        "shrunk",
    ],
)
def test_a_broken_publication_keeps_the_last_good_ranges(
    make: Make, publisher: Publisher, broken: bytes | int | tuple[int, bytes]
) -> None:
    changes: list[tuple[str, str, str]] = []
    ranges = make(on_change=lambda *change: changes.append(change))
    selection = ranges.select({"AWS"})
    ranges.refresh()
    publisher.files["/aws"] = broken
    ranges.refresh()
    ranges.refresh()
    assert selection.match(address("3.5.140.9")) == "AWS"
    status = ranges.status()["providers"]["AWS"]
    assert status["state"] == "fresh"
    assert status["failures"] == 2
    assert status["error"]
    publisher.files["/aws"] = sample("aws.json")
    ranges.refresh()
    assert ranges.status()["providers"]["AWS"]["error"] is None
    assert [what for what, _, _ in changes] == ["updated", "failed", "recovered"]


def test_a_publication_cut_short_on_the_way_keeps_the_last_good_ranges(
    make: Make, publisher: Publisher
) -> None:
    ranges = make()
    selection = ranges.select({"Linode"})
    ranges.refresh()
    # A geofeed that is cut at the end of a line still parses: only its length shows it.
    publisher.files["/linode"] = sample("linode.csv")[:150] + b"\n"
    publisher.declared_lengths["/linode"] = 100_000
    ranges.refresh()
    assert ranges.status()["providers"]["Linode"]["failures"] == 1
    assert selection.match(address("2a01:7e00::1")) == "Linode"


def test_a_changed_publication_replaces_the_ranges(make: Make, publisher: Publisher) -> None:
    ranges = make()
    selection = ranges.select({"Linode"})
    ranges.refresh()
    publisher.files["/linode"] = sample("linode.csv").replace(b"45.33.0.0/20", b"45.40.0.0/20")
    ranges.refresh()
    assert selection.match(address("45.33.2.1")) is None
    assert selection.match(address("45.40.2.1")) == "Linode"


def test_a_publication_that_stays_small_is_believed_once_the_former_is_stale(
    make: Make, publisher: Publisher
) -> None:
    with time_machine.travel("2026-11-01", tick=True) as travel:
        ranges = make()
        selection = ranges.select({"Linode"})
        ranges.refresh()
        publisher.files["/linode"] = b"45.33.0.0/20,US,US-TX\n"
        ranges.refresh()
        assert selection.match(address("2.58.56.1")) == "Linode"
        travel.shift(2 * 86_400)
        ranges.refresh()
        assert selection.match(address("2.58.56.1")) is None
        assert selection.match(address("45.33.2.1")) == "Linode"


def test_unchanged_publications_are_not_sent_again(make: Make, publisher: Publisher) -> None:
    publisher.etags["/aws"] = '"v1"'
    ranges = make()
    selection = ranges.select({"AWS"})
    ranges.refresh()
    ranges.refresh()
    assert publisher.asked("/aws")[1]["if-none-match"] == '"v1"'
    assert selection.match(address("3.5.140.9")) == "AWS"
    assert ranges.status()["providers"]["AWS"]["error"] is None


def test_ranges_that_nobody_confirms_go_stale_and_still_serve(
    make: Make, publisher: Publisher
) -> None:
    changes: list[str] = []
    with time_machine.travel("2026-11-01", tick=True) as travel:
        ranges = make(on_change=lambda what, *_: changes.append(what))
        selection = ranges.select({"AWS"})
        ranges.refresh()
        publisher.files["/aws"] = 503
        travel.shift(3 * 86_400)
        assert ranges.status()["providers"]["AWS"]["state"] == "stale"
        assert ranges.status()["providers"]["AWS"]["age_seconds"] >= 3 * 86_400
        assert selection.match(address("3.5.140.9")) == "AWS"
        wait_until(lambda: "stale" in changes)


@pytest.mark.parametrize(
    ("unavailable", "verdict"), [("open", None), ("closed", "AWS")], ids=["open", "closed"]
)
def test_while_ranges_are_missing_the_config_says_who_passes(
    make: Make, publisher: Publisher, unavailable: str, verdict: str | None
) -> None:
    publisher.files["/aws"] = 503
    ranges = make(unavailable=unavailable)
    selection = ranges.select({"AWS"})
    assert selection.match(address("8.8.8.8")) == verdict
    for local in ("127.0.0.1", "10.0.0.7", "::1"):
        assert selection.match(address(local)) is None
    assert selection.missing == ("AWS",)
    assert ranges.status()["unavailable"] == unavailable
    assert ranges.status()["providers"]["AWS"]["state"] == "missing"
    publisher.files["/aws"] = sample("aws.json")
    ranges.refresh()
    assert selection.match(address("8.8.8.8")) is None
    assert selection.missing == ()


# -- shared by workers ----------------------------------------------------------------------


def test_one_worker_fetches_for_all(make: Make, publisher: Publisher) -> None:
    store = Store.open("memory://")
    selections = [make(store=store).select({"AWS"}) for _ in range(4)]
    for selection in selections:
        selection.match(address("3.5.140.9"))
    for selection in selections:
        wait_until(lambda s=selection: s.match(address("3.5.140.9")) == "AWS")  # type: ignore[misc]
    assert len(publisher.asked("/aws")) == 1


def test_one_process_of_a_machine_fetches_for_all(publisher: Publisher, tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    publisher.files["/aws"] = sample("aws.json")
    script = """
import sys, time
from attrs import evolve
from guard_wsgi.network.address import parse_address
from guard_wsgi.network.cloud import CLOUD_FEEDS, CloudRanges
from guard_wsgi.state.store import Store
feed = evolve(CLOUD_FEEDS["AWS"], url=sys.argv[2])
selection = CloudRanges(store=Store.open(sys.argv[1]), feeds={"AWS": feed}).select({"AWS"})
address, deadline = parse_address("3.5.140.9"), time.monotonic() + 20
while selection.match(address) is None and time.monotonic() < deadline:
    time.sleep(0.01)
print(selection.match(address))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", script, f"lmdb://{tmp_path}/guard.lmdb", f"{publisher.url}/aws"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [worker.communicate(timeout=60)[0].strip() for worker in workers] == ["AWS"] * 3
    assert len(publisher.requests) == 1


def test_a_restart_has_the_ranges_although_the_provider_is_down(
    make: Make, publisher: Publisher
) -> None:
    store = Store.open("memory://")
    before = make(store=store)
    before.select({"AWS"})
    before.refresh()
    publisher.files.clear()
    selection = make(store=store).select({"AWS"})
    selection.match(address("3.5.140.9"))
    wait_until(lambda: selection.match(address("3.5.140.9")) == "AWS")


@pytest.mark.parametrize(
    "damage",
    [b"", b"junk", ProviderRanges("AWS", (("0.0.0.0/0", ""),), 9e9, 9e9).to_bytes()],
    ids=["empty", "junk", "everybody"],
)
def test_damaged_ranges_in_the_store_are_fetched_again(make: Make, damage: bytes) -> None:
    store = Store.open("memory://")
    store.values.set("ranges:AWS", damage, 1000)
    selection = make(store=store).select({"AWS"})
    selection.match(address("3.5.140.9"))
    wait_until(lambda: selection.match(address("3.5.140.9")) == "AWS")
    assert selection.match(address("192.0.2.1")) is None


class UserStore:
    """A user's own cache, as the existing system asks for it."""

    def __init__(self, known: dict[str, set[str]]) -> None:
        self.known = known

    def get(self, provider: str) -> set[str] | None:
        return self.known.get(provider)

    def set(self, provider: str, ranges: set[str], ttl: int) -> None:
        assert ttl > 0
        self.known[provider] = ranges

    def clear(self) -> None:
        self.known.clear()


def test_a_users_own_cache_is_filled(make: Make) -> None:
    cache = UserStore({})
    ranges = make(custom_store=cache)
    ranges.select({"GCP"})
    ranges.refresh()
    assert "34.76.0.0/14|europe-west1" in cache.known["GCP"]


def test_a_users_own_cache_serves_without_a_fetch(make: Make, publisher: Publisher) -> None:
    cache = UserStore({"GCP": {"192.0.2.0/24|europe-west1", "198.51.100.0/24"}})
    selection = make(custom_store=cache).select({"GCP:!europe-west1"})
    selection.match(address("198.51.100.1"))
    wait_until(lambda: selection.match(address("198.51.100.1")) == "GCP")
    assert selection.match(address("192.0.2.1")) is None
    assert publisher.requests == []


def test_a_users_own_cache_that_fails_does_not_stop_the_renewal(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(UserStore):
        def get(self, provider: str) -> set[str] | None:
            raise ConnectionError("cache is down")

    with caplog.at_level(logging.ERROR):
        selection = make(custom_store=Broken({})).select({"AWS"})
        selection.match(address("3.5.140.9"))
        wait_until(lambda: selection.match(address("3.5.140.9")) == "AWS")
    assert "cloud_ip_store" in caplog.text


def test_ranges_survive_their_way_through_the_store() -> None:
    ranges = ProviderRanges("AWS", (("3.0.0.0/9", "eu"),), 1.5, 2.5, '"tag"', "yesterday")
    assert ProviderRanges.from_bytes("AWS", ranges.to_bytes()) == ranges


def test_a_large_publication_is_small_in_the_store() -> None:
    networks = tuple((f"3.{n // 256 % 256}.{n % 256}.0/24", "eu-west-1") for n in range(20_000))
    stored = ProviderRanges("AWS", networks, 1.0, 1.0).to_bytes()
    assert len(stored) < 200_000
    assert len(json.dumps(networks)) > 600_000


def test_ranges_can_be_had_before_the_first_request(make: Make, publisher: Publisher) -> None:
    store = Store.open("memory://")
    for ranges in (make(store=store), make(store=store)):
        selection = ranges.select({"AWS"})
        ranges.load()
        assert selection.match(address("3.5.140.9")) == "AWS"
    assert len(publisher.asked("/aws")) == 1, "the second has them from the first"
