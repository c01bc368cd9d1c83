"""Scenarios of attackers and visitors, over real sockets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import time_machine

from guard_wsgi import BehaviorRule, RouteConfig
from guard_wsgi.network.geo import MaxMindGeoIP
from tests.effects.site import VISITOR, LiveSite, MovingClock, login
from tests.network import databases

BRITISH, SWEDISH, NOWHERE = "81.2.69.160", "89.160.20.112", "9.9.9.9"


@pytest.fixture
def geo(tmp_path: Path) -> Iterator[MaxMindGeoIP]:
    path = databases.maxmind(
        tmp_path / "countries.mmdb",
        {"81.2.69.0/24": "GB", "89.160.20.0/24": "SE", "2a02:c7f::/32": "GB"},
    )
    handler = MaxMindGeoIP(path)
    yield handler
    handler.close()


# -- countries -------------------------------------------------------------------------------


def test_a_blocked_country_is_refused_and_others_come_in(geo: MaxMindGeoIP) -> None:
    with LiveSite({"geo_ip_handler": geo, "blocked_countries": ["GB"]}) as site:
        assert site.visit(ip=BRITISH).status == 403
        assert site.visit(ip="2a02:c7f:1::9").status == 403
        assert site.visit(ip=SWEDISH).status == 200
        assert site.visit(ip=NOWHERE).status == 200
        assert site.visit(ip=None).status == 200


def test_with_an_allow_list_only_its_countries_come_in(geo: MaxMindGeoIP) -> None:
    with LiveSite({"geo_ip_handler": geo, "whitelist_countries": ["SE"]}) as site:
        assert site.visit(ip=SWEDISH).status == 200
        assert site.visit(ip=BRITISH).status == 403
        assert site.visit(ip=NOWHERE).status == 403
        assert site.visit(ip=None).status == 200, "loopback is the operator"


def test_a_country_rule_of_a_route_needs_no_global_one(geo: MaxMindGeoIP) -> None:
    routes = {"/shop": RouteConfig(blocked_countries=["SE"])}
    with LiveSite({"geo_ip_handler": geo}, routes=routes) as site:
        assert site.visit("/shop", ip=SWEDISH).status == 403
        assert site.visit("/shop", ip=BRITISH).status == 200
        assert site.visit("/", ip=SWEDISH).status == 200


def test_a_country_that_a_route_allows_passes_the_global_rule(geo: MaxMindGeoIP) -> None:
    routes = {"/shop": RouteConfig(whitelist_countries=["GB"])}
    options = {"geo_ip_handler": geo, "blocked_countries": ["GB"]}
    with LiveSite(options, routes=routes) as site:
        assert site.visit("/", ip=BRITISH).status == 403
        assert site.visit("/shop", ip=BRITISH).status == 200
        assert site.visit("/shop", ip=SWEDISH).status == 403


def test_a_limit_by_country_needs_no_global_country_rule(geo: MaxMindGeoIP) -> None:
    routes = {"/shop": RouteConfig(geo_rate_limits={"GB": (2, 60), "*": (4, 60)})}
    with LiveSite({"geo_ip_handler": geo}, routes=routes) as site:
        assert site.statuses(3, "/shop", ip=BRITISH) == [200, 200, 429]
        assert site.statuses(5, "/shop", ip=SWEDISH) == [200, 200, 200, 200, 429]


@pytest.mark.parametrize(("fail_secure", "status"), [(True, 500), (False, 200)])
def test_a_country_source_that_fails_follows_the_failure_policy(
    fail_secure: bool, status: int
) -> None:
    class Broken:
        def get_country(self, ip: str) -> str | None:
            raise OSError("the database is gone")

    options = {
        "geo_ip_handler": Broken(),
        "blocked_countries": ["GB"],
        "fail_secure": fail_secure,
    }
    with LiveSite(options) as site:
        assert site.visit(ip=BRITISH).status == status


# -- clouds ----------------------------------------------------------------------------------


class Ranges:
    """A cache of ranges that another process fills."""

    def __init__(self, **ranges: set[str]) -> None:
        self.ranges = ranges

    def get(self, provider: str) -> set[str] | None:
        return self.ranges.get(provider)

    def set(self, provider: str, ranges: set[str], ttl: int) -> None:
        self.ranges[provider] = ranges

    def clear(self) -> None:
        self.ranges.clear()


RANGES = {
    "GCP": {"34.76.0.0/14|europe-west1", "34.82.0.0/15|us-west1"},
    "AWS": {"3.5.140.0/22|ap-northeast-2", "2600:1f14::/35|us-west-2"},
}
EUROPE, AMERICA, AMAZON = "34.76.1.1", "34.82.1.1", "3.5.140.9"


def settle(site: LiveSite, **visit: Any) -> None:
    """The ranges are read beside the first requests; wait for that."""
    deadline = time.monotonic() + 10
    while site.visit(**visit).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_cloud_is_refused_but_for_a_region_carved_out() -> None:
    options = {
        "block_cloud_providers": ["GCP:!europe-west1", "AWS"],
        "cloud_ip_store": Ranges(**RANGES),
    }
    with LiveSite(options) as site:
        settle(site, ip=AMERICA)
        assert site.visit(ip=EUROPE).status == 200
        assert site.visit(ip=AMAZON).status == 403
        assert site.visit(ip="2600:1f14::77").status == 403
        assert site.visit(ip=VISITOR).status == 200
        assert site.blocked[-1]["check_name"] == "cloud_provider"


def test_who_is_exempt_or_trusted_may_come_from_a_cloud() -> None:
    for exemption in ({"exempt_ips": [AMERICA]}, {"whitelist": [AMERICA, AMAZON]}):
        options = {
            "block_cloud_providers": ["GCP", "AWS"],
            "cloud_ip_store": Ranges(**RANGES),
            **exemption,
        }
        with LiveSite(options) as site:
            assert site.visit(ip=AMERICA).status == 200
            if "exempt_ips" in exemption:
                settle(site, ip=AMAZON)
                assert site.visit(ip=AMERICA).status == 200


def test_a_route_may_refuse_clouds_or_bypass_the_rule() -> None:
    routes = {
        "/api": RouteConfig(block_cloud_providers=["AWS"]),
        "/hook": RouteConfig(bypassed_checks=["clouds"]),
    }
    options = {"block_cloud_providers": ["GCP"], "cloud_ip_store": Ranges(**RANGES)}
    with LiveSite(options, routes=routes) as site:
        settle(site, target="/api", ip=AMAZON)
        settle(site, target="/", ip=AMERICA)
        assert site.visit("/", ip=AMAZON).status == 200
        assert site.visit("/hook", ip=AMERICA).status == 200


def test_while_ranges_are_missing_closed_refuses_public_addresses() -> None:
    class Empty(Ranges):
        def set(self, provider: str, ranges: set[str], ttl: int) -> None: ...

    options = {
        "block_cloud_providers": ["AWS"],
        "cloud_ip_store": Empty(),
        "cloud_ranges_unavailable": "closed",
    }
    with LiveSite(options) as site:
        assert site.visit(ip=VISITOR).status == 403
        assert site.visit(ip="10.1.2.3").status == 200
        assert site.guard.status()["cloud"]["unavailable"] == "closed"
        assert site.guard.status()["cloud"]["providers"]["AWS"]["state"] == "missing"


# -- behaviour -------------------------------------------------------------------------------


def test_credential_stuffing_is_banned_at_the_nth_failure_and_forgiven_after_the_window() -> None:
    clock = MovingClock()
    rule = BehaviorRule("return_pattern", 4, 600, "status:401,403", "ban", ban_duration=900)
    with LiveSite({"global_behavior_rules": [rule]}, store=clock.store()) as site:
        assert [login(site, f"guess {n}") for n in range(4)] == [401] * 4
        assert login(site, "correct horse") == 200, "four failures are forgiven"
        assert login(site, "guess 5") == 401
        assert login(site, "correct horse") == 403, "the fifth is not"
        assert site.visit("/").status == 403
        assert login(site, "correct horse", ip=SWEDISH) == 200, "others are not concerned"
        clock.sleep(901)
        assert login(site, "correct horse") == 200
        assert [login(site, f"guess {n}") for n in range(4)] == [401] * 4
        clock.sleep(601)
        assert [login(site, f"guess {n}") for n in range(4)] == [401] * 4
        assert site.visit("/").status == 200, "failures of another hour do not add up"


def test_forced_browsing_is_banned_however_the_path_changes() -> None:
    rule = BehaviorRule("return_pattern", 10, 60, "status:404", "ban", ban_duration=900)
    with LiveSite({"global_behavior_rules": [rule]}) as site:
        guesses = [site.visit(f"/missing/{name}.bak").status for name in range(14)]
        assert guesses == [404] * 11 + [403] * 3
        assert site.visit("/", ip=SWEDISH).status == 200


def test_a_visitor_who_meets_some_dead_links_is_left_alone() -> None:
    rule = BehaviorRule("return_pattern", 10, 60, "status:404", "ban")
    with LiveSite({"global_behavior_rules": [rule]}) as site:
        for number in range(10):
            assert site.visit(f"/missing/{number}").status == 404
            assert site.visit("/").status == 200


def test_a_trusted_client_is_not_banned_for_its_responses() -> None:
    rule = BehaviorRule("return_pattern", 2, 60, "status:404", "ban")
    options = {"global_behavior_rules": [rule], "whitelist": [VISITOR]}
    with LiveSite(options) as site:
        assert site.statuses(6, "/missing") == [404] * 6


def test_a_throttled_client_gets_429_with_the_time_to_wait() -> None:
    clock = MovingClock()
    rule = BehaviorRule("usage", 3, 60, action="throttle")
    with LiveSite({"global_behavior_rules": [rule]}, store=clock.store()) as site:
        assert site.statuses(3) == [200] * 3
        answer = site.visit("/")
        assert answer.status == 429
        wait = int(answer.header("Retry-After") or 0)
        assert 0 < wait <= 61
        assert site.visit("/", ip=SWEDISH).status == 200
        clock.sleep(wait + 0.01)  # no request takes less to come
        assert site.visit("/").status == 200


def test_a_client_with_too_many_failures_is_throttled_and_not_banned() -> None:
    clock = MovingClock()
    rule = BehaviorRule("return_pattern", 2, 60, "status:401", "throttle")
    with LiveSite({"global_behavior_rules": [rule]}, store=clock.store()) as site:
        assert [login(site, "guess") for _ in range(5)] == [401, 401, 401, 429, 429]
        clock.sleep(121)
        assert login(site, "correct horse") == 200


def test_a_body_that_says_denied_counts_although_its_status_is_200() -> None:
    def polite(environ: Any, start_response: Any) -> list[bytes]:
        body = b'{"login": {"result": "Denied"}}'
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body[:10], body[10:]]

    rule = BehaviorRule("return_pattern", 2, 60, "json:login.result==denied", "ban")
    options = {"global_behavior_rules": [rule], "behavior_scan_response_body": True}
    with LiveSite(options, app=polite) as site:
        assert site.statuses(4) == [200, 200, 200, 403]


# -- honeypots and hours ---------------------------------------------------------------------


def test_a_robot_that_fills_the_bait_is_refused() -> None:
    routes = {"/contact": RouteConfig(honeypot_fields=["website"])}
    with LiveSite(routes=routes) as site:
        assert site.visit("/contact", form={"name": "Ada", "website": ""}).status == 200
        assert site.visit("/contact", form={"name": "x", "website": "http://x"}).status == 403
        json_body = b'{"name": "x", "website": "http://x"}'
        answer = site.visit(
            "/contact", body=json_body, headers={"Content-Type": "application/json"}
        )
        assert answer.status == 403


def open_at(site: LiveSite, moment: str) -> bool:
    with time_machine.travel(moment, tick=False):
        return site.visit("/bar").status == 200


def test_a_window_over_midnight_is_open_on_both_sides_of_it() -> None:
    routes = {"/bar": RouteConfig(time_restrictions=("22:00", "02:00", "UTC"))}
    with LiveSite(routes=routes) as site:
        assert not open_at(site, "2026-11-01T21:59:59+00:00")
        assert open_at(site, "2026-11-01T22:00:00+00:00")
        assert open_at(site, "2026-11-01T23:59:59+00:00")
        assert open_at(site, "2026-11-02T00:00:00+00:00")
        assert open_at(site, "2026-11-02T02:00:30+00:00")
        assert not open_at(site, "2026-11-02T02:01:00+00:00")


def test_a_window_follows_the_clocks_of_its_zone_into_summer_time() -> None:
    routes = {"/bar": RouteConfig(time_restrictions=("09:00", "17:00", "Europe/Amsterdam"))}
    with LiveSite(routes=routes) as site:
        # The clocks go forward on 29 March 2026: nine o'clock is 08:00 UTC, then 07:00 UTC.
        assert not open_at(site, "2026-03-28T07:30:00+00:00")
        assert open_at(site, "2026-03-28T08:30:00+00:00")
        assert open_at(site, "2026-03-29T07:30:00+00:00")
        assert not open_at(site, "2026-03-29T15:30:00+00:00")
        assert open_at(site, "2026-10-25T15:30:00+00:00"), "and back on 25 October"


# -- emergencies -----------------------------------------------------------------------------

APP = """
import os, time
from guard_wsgi import GuardMiddleware, SecurityConfig
def app(environ, start_response):
    time.sleep(0.05)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
guarded = GuardMiddleware(app, SecurityConfig(
    store_url=os.environ["STORE"], trusted_proxies=["127.0.0.1"],
    enable_penetration_detection=False, enable_rate_limiting=False,
    emergency_whitelist=["192.0.2.0/24"]))
"""


class Gunicorn:
    """gunicorn with several workers over one LMDB file."""

    def __init__(self, folder: Path, workers: int) -> None:
        (folder / "emergency_app.py").write_text(APP)
        self.store = f"lmdb://{folder}/guard.lmdb"
        command = [sys.executable, "-m", "gunicorn", "-w", str(workers), "-b", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, "--no-control-socket", "emergency_app:guarded"],
            cwd=folder,
            env={**os.environ, "STORE": self.store, "PYTHONPATH": os.getcwd()},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.port = self._port()

    def _port(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            match = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line)
            if match:
                return int(match.group(1))
        raise AssertionError("gunicorn did not start")

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()

    def visit(self, ip: str) -> tuple[int, str]:
        from tests.kit.wire import exchange, request

        raw = request("GET", "/", headers=[("X-Forwarded-For", ip)])
        answer = exchange(self.port, raw, timeout_seconds=60)
        return answer.status, answer.body.decode()


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[Gunicorn]:
    pytest.importorskip("lmdb")
    server = Gunicorn(tmp_path, workers=3)
    yield server
    server.stop()


def test_an_emergency_from_the_command_line_holds_in_every_worker_within_a_second(
    gunicorn: Gunicorn,
) -> None:
    workers: set[str] = set()
    deadline = time.monotonic() + 30
    while len(workers) < 3:
        # Several at once, as a worker that waits leaves the next connection to another.
        with ThreadPoolExecutor(6) as visitors:
            answers = list(visitors.map(gunicorn.visit, [VISITOR] * 6))
        assert {status for status, _ in answers} == {200}
        workers.update(worker for _, worker in answers)
        assert time.monotonic() < deadline

    def emergency(*arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "guard_wsgi", "emergency", *arguments],
            env={**os.environ, "GUARD_STORE_URL": gunicorn.store},
            check=True,
            timeout=60,
            capture_output=True,
        )

    emergency("on", "--allow", "10.0.0.0/8", "--for", "15m")
    time.sleep(1.0)
    assert {gunicorn.visit(VISITOR)[0] for _ in range(30)} == {503}
    assert {gunicorn.visit("10.1.2.3")[0] for _ in range(5)} == {200}
    assert {gunicorn.visit("192.0.2.9")[0] for _ in range(5)} == {200}
    emergency("off")
    time.sleep(1.0)
    assert {gunicorn.visit(VISITOR)[0] for _ in range(30)} == {200}
