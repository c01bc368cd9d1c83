"""The effects of the options of lists, countries, clouds, crawlers and bans."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi import RouteConfig, ThreatBanConfig
from guard_wsgi.network import ipinfo
from guard_wsgi.network.cloud import CloudRanges
from guard_wsgi.network.geo import MaxMindGeoIP
from tests.effects.site import VISITOR, LiveSite, MovingClock
from tests.network import databases
from tests.network.publisher import Publisher

OTHER = "89.160.20.112"
INJECTION = "/?id=1'%20UNION%20SELECT%20username,password%20FROM%20users--"
TRAVERSAL = "/?file=../../../../etc/passwd"
DETECTION = {"enable_penetration_detection": True}
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def attacks(site: LiveSite, times: int, target: str = INJECTION, ip: str = VISITOR) -> list[int]:
    return site.statuses(times, target, ip=ip)


def test_whitelist() -> None:
    with LiveSite({"whitelist": ["81.2.69.0/24"], "rate_limit": 1}) as site:
        assert site.statuses(3, ip=VISITOR) == [200, 200, 200]
        assert site.visit(ip=OTHER).status == 403


def test_blacklist() -> None:
    with LiveSite({"blacklist": ["81.2.69.0/24", "2a02:c7f::/32"]}) as site:
        assert site.visit(ip=VISITOR).status == 403
        assert site.visit(ip="2a02:c7f::1").status == 403
        assert site.visit(ip=OTHER).status == 200


def test_exempt_ips() -> None:
    with LiveSite({"exempt_ips": [VISITOR], "rate_limit": 1}) as site:
        assert site.statuses(3, ip=VISITOR) == [200, 200, 200]
        assert site.statuses(2, ip=OTHER) == [200, 429]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return databases.ipinfo(tmp_path / "country_asn.mmdb", {"81.2.69.0/24": "GB"})


def test_geo_ip_handler(database: Path) -> None:
    routes = {"/shop": RouteConfig(blocked_countries=["GB"])}
    with LiveSite({"geo_ip_handler": MaxMindGeoIP(database)}, routes=routes) as site:
        assert site.visit("/shop", ip=VISITOR).status == 403
        assert site.visit("/shop", ip=OTHER).status == 200


def test_ipinfo_db_path(database: Path) -> None:
    with LiveSite({"ipinfo_db_path": database, "blocked_countries": ["GB"]}) as site:
        assert site.visit(ip=VISITOR).status == 403


def test_ipinfo_token(
    publisher: Publisher, tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.files["/lite"] = database.read_bytes()
    monkeypatch.setattr(ipinfo, "IPINFO_URLS", (f"{publisher.url}/lite",))
    options = {
        "ipinfo_token": "the-token",
        "ipinfo_db_path": tmp_path / "downloaded" / "db.mmdb",
        "blocked_countries": ["GB"],
    }
    with LiveSite(options) as site:
        deadline = time.monotonic() + 10
        while site.guard.status()["geo"]["state"] != "fresh":
            site.visit(ip="81.2.69.7")
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert site.visit(ip=VISITOR).status == 403
    assert publisher.requests[0][1]["authorization"] == "Bearer the-token"


def test_geo_ip_db_max_age(
    publisher: Publisher, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.files["/lite"] = database.read_bytes()
    monkeypatch.setattr(ipinfo, "IPINFO_URLS", (f"{publisher.url}/lite",))
    old = time.time() - 2 * 3600
    os.utime(database, (old, old))
    options = {"ipinfo_token": "x", "ipinfo_db_path": database, "blocked_countries": ["SE"]}
    with LiveSite({**options, "geo_ip_db_max_age": 3 * 3600}) as site:
        site.visit()
        time.sleep(0.1)
        assert publisher.requests == []
    with LiveSite({**options, "geo_ip_db_max_age": 3600}) as site:
        site.visit()
        deadline = time.monotonic() + 10
        while not publisher.requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)


class Cache:
    """A user's own cache, which another process fills."""

    def __init__(self, **ranges: set[str]) -> None:
        self.ranges = ranges
        self.ttl: int | None = None

    def get(self, provider: str) -> set[str] | None:
        return self.ranges.get(provider)

    def set(self, provider: str, ranges: set[str], ttl: int) -> None:
        self.ranges[provider] = ranges
        self.ttl = ttl

    def clear(self) -> None:
        self.ranges.clear()


def test_cloud_ip_store() -> None:
    cache = Cache(AWS={"81.2.69.0/24|eu-west-1"})
    with LiveSite({"block_cloud_providers": ["AWS"], "cloud_ip_store": cache}) as site:
        deadline = time.monotonic() + 10
        while site.visit(ip=VISITOR).status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert site.visit(ip=OTHER).status == 200


def test_lazy_init() -> None:
    cache = Cache(AWS={"81.2.69.0/24"})
    options = {
        "block_cloud_providers": ["AWS"],
        "cloud_ip_store": cache,
        "cloud_ranges_unavailable": "closed",
    }
    with LiveSite({**options, "lazy_init": False}) as site:
        assert site.visit(ip=OTHER).status == 200, "the first request has the ranges already"
        assert site.visit(ip=VISITOR).status == 403


def test_cloud_ip_refresh_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []
    original = CloudRanges.__init__

    def spy(self: CloudRanges, **options: Any) -> None:
        made.append(options["refresh_interval_seconds"])
        original(self, **options)

    monkeypatch.setattr(CloudRanges, "__init__", spy)
    options = {"block_cloud_providers": ["AWS"], "cloud_ip_store": Cache(AWS={"9.9.9.0/24"})}
    with LiveSite({**options, "cloud_ip_refresh_interval": 120}) as site:
        assert site.visit().status == 200
    assert made == [120]


class Everywhere:
    def get_country(self, ip: str) -> str:
        return "US"


@pytest.mark.parametrize(
    "options",
    [
        {"blocked_user_agents": ["bot"]},
        {"blocked_countries": ["US"], "geo_ip_handler": Everywhere()},
        {"block_cloud_providers": ["AWS"], "cloud_ip_store": Cache(AWS={f"{VISITOR}/32"})},
    ],
    ids=["user agent", "country", "cloud"],
)
def test_allow_verified_bots(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    names = {VISITOR: "crawl-1.googlebot.com", OTHER: "host.evil.example"}
    hosts = {"crawl-1.googlebot.com": VISITOR}

    def reverse(address: str) -> tuple[str, list[str], list[str]]:
        return names.get(address, "localhost"), [], [address]

    original = socket.getaddrinfo

    def forward(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in hosts:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (hosts[host], 0))]
        if host in ("127.0.0.1", "localhost"):
            return original(host, *arguments, **options)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "gethostbyaddr", reverse)
    monkeypatch.setattr(socket, "getaddrinfo", forward)
    agent = {"User-Agent": GOOGLEBOT}
    with LiveSite({**options, "allow_verified_bots": True}) as site:
        deadline = time.monotonic() + 10
        while site.visit(ip=VISITOR, headers=agent).status == 403:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        if "block_cloud_providers" not in options:
            assert set(site.statuses(5, ip=OTHER, headers=agent)) == {403}
    with LiveSite(options) as site:
        assert set(site.statuses(5, ip=VISITOR, headers=agent)) == {403}


def test_blocked_user_agents() -> None:
    with LiveSite({"blocked_user_agents": ["sqlmap|nikto", "^curl/"]}) as site:
        assert site.visit(headers={"User-Agent": "SQLMap/1.8"}).status == 403
        assert site.visit(headers={"User-Agent": "curl/8.5"}).status == 403
        assert site.visit().status == 200


# -- bans ------------------------------------------------------------------------------------


def test_auto_ban_threshold() -> None:
    with LiveSite({**DETECTION, "auto_ban_threshold": 3}) as site:
        assert attacks(site, 4) == [400, 400, 403, 403]
        assert site.visit("/").status == 403
        assert site.visit("/", ip=OTHER).status == 200


def test_enable_ip_banning() -> None:
    options = {**DETECTION, "auto_ban_threshold": 2, "enable_ip_banning": False}
    with LiveSite(options) as site:
        assert attacks(site, 4) == [400] * 4
        assert site.visit("/").status == 200


def test_auto_ban_duration() -> None:
    clock = MovingClock()
    options = {**DETECTION, "auto_ban_threshold": 1, "auto_ban_duration": 30}
    with LiveSite(options, store=clock.store()) as site:
        assert attacks(site, 1) == [403]
        clock.sleep(29)
        assert site.visit("/").status == 403
        clock.sleep(2)
        assert site.visit("/").status == 200


def test_auto_ban_window() -> None:
    clock = MovingClock()
    options = {**DETECTION, "auto_ban_threshold": 2, "auto_ban_window": 60}
    with LiveSite(options, store=clock.store()) as site:
        assert attacks(site, 1) == [400]
        clock.sleep(61)
        assert attacks(site, 1) == [400], "the first one is forgotten"
        assert attacks(site, 1) == [403]


def test_threat_ban_config() -> None:
    bans = {"sqli": ThreatBanConfig(threshold=1, duration=600)}
    with LiveSite({**DETECTION, "threat_ban_config": bans}) as site:
        assert attacks(site, 1, TRAVERSAL) == [400]
        assert attacks(site, 1, INJECTION) == [403]


def test_enable_rate_limit_auto_ban() -> None:
    options = {"rate_limit": 1, "auto_ban_threshold": 2}
    with LiveSite({**options, "enable_rate_limit_auto_ban": True}) as site:
        statuses = site.statuses(5)
        assert statuses[:2] == [200, 429]
        assert statuses[-1] == 403
    with LiveSite(options) as site:
        assert site.statuses(5) == [200, 429, 429, 429, 429]
