"""Countries and networks of addresses, from the databases of three makers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from guard_wsgi.errors import MissingExtra
from guard_wsgi.network import mmdb
from guard_wsgi.network.geo import (
    CountryLookup,
    GeoDatabaseError,
    GeoIPHandler,
    IPInfoManager,
    MaxMindGeoIP,
    is_country_source,
)
from guard_wsgi.network.mmdb import asn_of, country_of
from tests.kit.addresses import address
from tests.kit.waiting import wait_until
from tests.network import databases
from tests.network.publisher import Publisher

COUNTRIES = {"81.2.69.0/24": "GB", "2a02:c7f::/32": "GB", "89.160.20.0/24": "SE"}


Write = Callable[[Path, dict[str, str]], Path]


@pytest.mark.parametrize("write", [databases.maxmind, databases.ipinfo, databases.ipinfo_lite])
def test_countries_are_read_from_every_makers_layout(tmp_path: Path, write: Write) -> None:
    geo = MaxMindGeoIP(write(tmp_path / "countries.mmdb", COUNTRIES))
    assert geo.get_country("81.2.69.160") == "GB"
    assert geo.get_country("2a02:c7f:1::5") == "GB"
    assert geo.get_country("89.160.20.1") == "SE"
    assert geo.get_country("9.9.9.9") is None


@pytest.mark.parametrize("write", [databases.ipinfo, databases.ipinfo_lite])
def test_networks_are_read_from_ipinfos_files(tmp_path: Path, write: Write) -> None:
    geo = MaxMindGeoIP(write(tmp_path / "countries.mmdb", COUNTRIES))
    assert geo.get_asn("81.2.69.160") == 1103
    assert geo.get_asn("9.9.9.9") is None


def test_networks_are_read_from_a_file_of_their_own(tmp_path: Path) -> None:
    countries = databases.maxmind(tmp_path / "countries.mmdb", COUNTRIES)
    networks = databases.write(
        tmp_path / "asn.mmdb",
        {"81.2.69.0/24": {"autonomous_system_number": 20712}},
        "GeoLite2-ASN",
    )
    geo = MaxMindGeoIP(countries, networks)
    assert geo.get_asn("81.2.69.1") == 20712
    assert geo.get_country("81.2.69.1") == "GB"


@pytest.mark.parametrize(
    ("record", "country", "asn"),
    [
        ({"country": {"iso_code": "de"}}, "DE", None),
        ({"registered_country": {"iso_code": "US"}}, "US", None),
        ({"country": "NL", "asn": "AS1103"}, "NL", 1103),
        ({"country": "Netherlands", "country_code": "NL", "asn": "1103"}, "NL", 1103),
        ({"traits": {"autonomous_system_number": 5}}, None, 5),
        ({"country": {"names": {}}, "asn": "ASx"}, None, None),
        ({}, None, None),
        (None, None, None),
        (["NL"], None, None),
    ],
)
def test_a_record_is_read_whatever_it_holds(
    record: object, country: str | None, asn: int | None
) -> None:
    assert country_of(record) == country
    assert asn_of(record) == asn


def test_a_missing_or_foreign_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(GeoDatabaseError, match=r"none\.mmdb"):
        MaxMindGeoIP(tmp_path / "none.mmdb")
    (tmp_path / "text.mmdb").write_text("not a database")
    with pytest.raises(GeoDatabaseError, match="not an MMDB database"):
        MaxMindGeoIP(tmp_path / "text.mmdb")


def test_without_the_reader_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = databases.maxmind(tmp_path / "countries.mmdb", COUNTRIES)
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(MissingExtra, match=r"guard-wsgi\[geo\]"):
        MaxMindGeoIP(path)


def test_a_replaced_file_is_read_while_requests_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mmdb, "CHANGE_CHECK_SECONDS", 0.0)
    path = databases.maxmind(tmp_path / "countries.mmdb", COUNTRIES)
    geo = MaxMindGeoIP(path)
    assert geo.get_country("81.2.69.160") == "GB"
    databases.maxmind(path, {"81.2.69.0/24": "IE"})
    assert geo.get_country("81.2.69.160") == "IE"


def test_a_bad_replacement_keeps_the_good_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mmdb, "CHANGE_CHECK_SECONDS", 0.0)
    path = databases.maxmind(tmp_path / "countries.mmdb", COUNTRIES)
    geo = MaxMindGeoIP(path)
    (tmp_path / "bad").write_bytes(b"half a database")
    (tmp_path / "bad").replace(path)
    assert geo.get_country("81.2.69.160") == "GB"
    assert "not an MMDB database" in geo.status()["error"]
    path.unlink()
    assert geo.get_country("81.2.69.160") == "GB"
    databases.maxmind(path, {"81.2.69.0/24": "IE"})
    assert geo.get_country("81.2.69.160") == "IE"
    assert geo.status()["error"] is None


def test_the_age_of_a_database_shows(tmp_path: Path) -> None:
    with time_machine.travel("2026-01-01", tick=False):
        path = databases.maxmind(tmp_path / "countries.mmdb", COUNTRIES)
    with time_machine.travel("2026-01-11", tick=False):
        status = MaxMindGeoIP(path).status()
        assert (status["state"], status["age_seconds"]) == ("fresh", 10 * 86_400)
        assert status["type"] == "GeoLite2-Country"
    with time_machine.travel("2026-03-01", tick=False):
        assert MaxMindGeoIP(path).status()["state"] == "stale"


# -- how the guard asks ----------------------------------------------------------------------


class Handler:
    """A user's own, the smallest there can be."""

    def __init__(self, countries: dict[str, str]) -> None:
        self.countries = countries
        self.asked: list[str] = []

    def get_country(self, ip: str) -> str | None:
        self.asked.append(ip)
        return self.countries.get(ip)


class FullHandler(Handler):
    """A user's own, with the whole life cycle."""

    def __init__(self, countries: dict[str, str]) -> None:
        super().__init__(countries)
        self.initialized = 0
        self.closed = 0

    @property
    def is_initialized(self) -> bool:
        return self.initialized > 0

    def initialize(self) -> None:
        time.sleep(0.05)
        self.initialized += 1

    def initialize_redis(self, redis_handler: Any) -> None: ...

    def initialize_agent(self, agent_handler: Any) -> None: ...

    def refresh(self) -> None: ...

    def close(self) -> None:
        self.closed += 1


def test_a_handler_with_get_country_alone_will_do() -> None:
    lookup = CountryLookup(Handler({"81.2.69.160": "gb"}))
    assert is_country_source(lookup.handler)
    assert not is_country_source(object())
    assert lookup.country(address("81.2.69.160")) == "GB"
    assert lookup.status() == {"handler": "Handler"}
    lookup.close()


def test_ours_and_a_users_full_handlers_are_geo_ip_handlers(tmp_path: Path) -> None:
    path = databases.maxmind(tmp_path / "countries.mmdb", COUNTRIES)
    for handler in (FullHandler({}), MaxMindGeoIP(path), IPInfoManager("token", path)):
        assert isinstance(handler, GeoIPHandler)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "fd00::1", "fe80::1", "169.254.0.9"]
)
def test_loopback_and_private_addresses_have_no_country_and_are_not_asked_about(
    text: str,
) -> None:
    handler = Handler({text: "XX"})
    assert CountryLookup(handler).country(address(text)) is None
    assert handler.asked == []


def test_an_address_is_asked_about_once() -> None:
    handler = Handler({"81.2.69.160": "GB"})
    lookup = CountryLookup(handler)
    for _ in range(3):
        assert lookup.country(address("81.2.69.160")) == "GB"
        assert lookup.country(address("9.9.9.9")) is None
    assert handler.asked == ["81.2.69.160", "9.9.9.9"]


def test_what_is_remembered_is_bounded_and_keeps_who_comes_often() -> None:
    handler = Handler({})
    lookup = CountryLookup(handler, cache_entries=10)
    for number in range(1000):
        lookup.country(address(f"81.2.{number % 250}.{number // 250}"))
        lookup.country(address("9.9.9.9"))
    assert len(lookup._young) + len(lookup._old) <= 20
    assert handler.asked.count("9.9.9.9") == 1


def test_an_answer_is_forgotten_after_some_minutes() -> None:
    handler = Handler({"81.2.69.160": "GB"})
    lookup = CountryLookup(handler)
    with time_machine.travel("2026-01-01", tick=False):
        lookup.country(address("81.2.69.160"))
        handler.countries["81.2.69.160"] = "IE"
        assert lookup.country(address("81.2.69.160")) == "GB"
        lookup._forget_at = 0.0  # the monotonic clock can't be moved
        assert lookup.country(address("81.2.69.160")) == "IE"


def test_a_full_handler_is_initialized_once_however_many_ask_first() -> None:
    handler = FullHandler({"81.2.69.160": "GB"})
    lookup = CountryLookup(handler)
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(lookup.country(address("81.2.69.160"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["GB"] * 8
    assert handler.initialized == 1
    lookup.close()
    assert handler.closed == 1


def test_a_handler_that_fails_to_start_is_not_started_at_each_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(FullHandler):
        attempts = 0

        def initialize(self) -> None:
            self.attempts += 1
            raise OSError("no database")

    handler = Failing({})
    lookup = CountryLookup(handler)
    for number in range(20):
        lookup.country(address(f"9.9.9.{number}"))
    assert handler.attempts == 1
    assert "initialize() failed" in caplog.text


def test_a_failing_lookup_is_the_askers_to_judge() -> None:
    class Failing(Handler):
        def get_country(self, ip: str) -> str | None:
            raise OSError("database is gone")

    lookup = CountryLookup(Failing({}))
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            lookup.country(address("9.9.9.9"))


# -- IPinfo's download -----------------------------------------------------------------------


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return databases.ipinfo(tmp_path / "published" / "x.mmdb", COUNTRIES).read_bytes()


@pytest.fixture
def make(tmp_path: Path, publisher: Publisher) -> Iterator[Callable[..., IPInfoManager]]:
    made: list[IPInfoManager] = []

    def make(**options: Any) -> IPInfoManager:
        options.setdefault("db_path", tmp_path / "data" / "country_asn.mmdb")
        urls = (f"{publisher.url}/lite", f"{publisher.url}/free")
        made.append(IPInfoManager("secret-token", urls=urls, **options))
        return made[-1]

    yield make
    for geo in made:
        geo.close()


Make = Callable[..., IPInfoManager]


def test_the_database_is_downloaded_beside_the_requests(
    make: Make, publisher: Publisher, content: bytes
) -> None:
    publisher.files["/lite"] = content
    geo = make()
    lookup = CountryLookup(geo)
    assert publisher.requests == []
    assert geo.status()["state"] == "missing"
    assert lookup.country(address("81.2.69.160")) is None
    wait_until(lambda: geo.get_country("81.2.69.160") == "GB")
    assert publisher.asked("/lite")[0]["authorization"] == "Bearer secret-token"
    assert geo.status()["state"] == "fresh"
    assert geo.is_initialized


def test_an_existing_database_serves_the_first_request(make: Make, tmp_path: Path) -> None:
    databases.ipinfo(tmp_path / "data" / "country_asn.mmdb", COUNTRIES)
    geo = make()
    lookup = CountryLookup(geo)
    assert lookup.country(address("81.2.69.160")) == "GB"
    assert geo.get_asn("81.2.69.160") == 1103


@pytest.mark.parametrize("status", [403, 404, 410])
def test_the_older_free_database_is_taken_where_the_newer_is_not_to_be_had(
    make: Make, publisher: Publisher, content: bytes, status: int
) -> None:
    publisher.files.update({"/lite": status, "/free": content})
    geo = make()
    geo.refresh()
    assert geo.get_country("81.2.69.160") == "GB"


@pytest.mark.parametrize("bad", [401, 500, b"", b"<html>sign in</html>", "cut", "no countries"])
def test_a_failed_download_keeps_the_good_database(
    make: Make, publisher: Publisher, content: bytes, bad: int | bytes | str, tmp_path: Path
) -> None:
    publisher.files["/lite"] = content
    geo = make()
    geo.refresh()
    if bad == "cut":
        publisher.declared_lengths["/lite"] = len(content)
        publisher.files["/lite"] = content[: len(content) // 2]
    elif bad == "no countries":
        path = databases.write(tmp_path / "asn.mmdb", {"9.9.9.0/24": {"asn": "AS1"}})
        publisher.files["/lite"] = path.read_bytes()
    else:
        assert not isinstance(bad, str)
        publisher.files["/lite"] = bad
    with pytest.raises(GeoDatabaseError):
        geo.refresh()
    assert geo.get_country("81.2.69.160") == "GB"
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["country_asn.mmdb"]


def test_the_token_is_in_no_message_and_no_repr(make: Make, publisher: Publisher) -> None:
    publisher.files["/lite"] = 401
    geo = make()
    with pytest.raises(GeoDatabaseError) as caught:
        geo.refresh()
    assert "secret-token" not in f"{caught.value} {geo!r} {geo.status()}"


def test_failures_and_recovery_are_reported_once(
    make: Make, publisher: Publisher, content: bytes
) -> None:
    publisher.files["/lite"] = 500
    told: list[str] = []
    geo = make(on_change=lambda what, detail: told.append(what))
    geo.initialize()
    wait_until(lambda: geo.status()["failures"] == 1)
    assert "500" in geo.status()["error"]
    geo._loop.wake()  # the wait after a failure is half a minute; nothing is due before
    time.sleep(0.05)
    assert geo.status()["failures"] == 1
    publisher.files["/lite"] = content
    geo._retry_at = 0.0
    geo._loop.wake()
    wait_until(lambda: geo.get_country("81.2.69.160") == "GB")
    wait_until(lambda: told == ["failed", "recovered"])


def test_an_old_database_is_downloaded_again_and_a_young_one_is_not(
    make: Make, publisher: Publisher, content: bytes, tmp_path: Path
) -> None:
    path = databases.ipinfo(tmp_path / "data" / "country_asn.mmdb", {"81.2.69.0/24": "IE"})
    publisher.files["/lite"] = content
    geo = make(max_age=3600)
    geo.initialize()
    time.sleep(0.1)
    assert publisher.requests == []
    geo.close()
    old = time.time() - 2.5 * 3600
    os.utime(path, (old, old))
    geo = make(max_age=3600)
    geo.initialize()
    assert geo.get_country("81.2.69.160") in ("IE", "GB")
    wait_until(lambda: len(publisher.requests) == 1)


def test_one_worker_downloads_for_all(
    make: Make, publisher: Publisher, content: bytes, tmp_path: Path
) -> None:
    publisher.files["/lite"] = content
    script = """
import sys, time
from pathlib import Path
from guard_wsgi.network.geo import IPInfoManager
geo = IPInfoManager("token", Path(sys.argv[1]), urls=(sys.argv[2],))
deadline = time.monotonic() + 20
while geo.get_country("81.2.69.160") != "GB" and time.monotonic() < deadline:
    geo._database._checked_at = 0.0
    time.sleep(0.01)
print(geo.get_country("81.2.69.160"))
"""
    path = str(tmp_path / "shared" / "country_asn.mmdb")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", script, path, f"{publisher.url}/lite"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [worker.communicate(timeout=40)[0].strip() for worker in workers] == ["GB"] * 3
    assert len(publisher.requests) == 1


def test_a_download_that_hangs_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    script = """
import sys, time
from guard_wsgi.network.geo import IPInfoManager
geo = IPInfoManager("token", sys.argv[1], urls=(sys.argv[2],))
geo.initialize()
time.sleep(0.5)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/lite"
        finished = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "db.mmdb"), url],
            env=environment,
            capture_output=True,
            text=True,
            timeout=25,  # a read waits 30 s
            check=False,
        )
    assert (finished.returncode, finished.stderr) == (0, "")


def test_what_broken_off_downloads_left_is_cleared_away(
    make: Make, publisher: Publisher, content: bytes, tmp_path: Path
) -> None:
    publisher.files["/lite"] = content
    folder = tmp_path / "data"
    folder.mkdir()
    old, young = folder / ".country_asn.mmdb.old", folder / ".country_asn.mmdb.young"
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))
    make().refresh()
    assert sorted(path.name for path in folder.iterdir()) == [young.name, "country_asn.mmdb"]


def test_a_folder_that_cannot_be_written_is_reported(make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    geo = make(db_path=tmp_path / "file" / "country_asn.mmdb")
    with pytest.raises(GeoDatabaseError, match=r"country_asn\.mmdb"):
        geo.refresh()
    geo.initialize()
    wait_until(lambda: geo.status()["failures"] == 1)


def test_a_token_is_needed() -> None:
    with pytest.raises(ValueError, match="token"):
        IPInfoManager("")
