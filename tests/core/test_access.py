"""Access: lists, bans, emergency mode, user agents."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from guard_wsgi import BanRefused, RouteConfig, SecurityConfig, SecurityDecorator
from guard_wsgi.request.verdict import Verdict
from tests.core.visiting import INJECTION, Site

ME = "203.0.113.7"


def test_refuses_addresses_and_networks_on_the_blacklist() -> None:
    site = Site(blacklist=["203.0.113.7", "198.51.100.0/24", "2001:db8::/32"])
    assert site.visit(ip="203.0.113.7").code == 403
    assert site.visit(ip="198.51.100.77").code == 403
    assert site.visit(ip="2001:db8::5").code == 403
    assert site.visit(ip="::ffff:203.0.113.7").code == 403
    assert site.visit(ip="203.0.113.8").code == 200


def test_a_whitelist_admits_only_its_own_and_trusts_them() -> None:
    site = Site(whitelist=["203.0.113.0/24"], blacklist=[ME], rate_limit=1)
    for _ in range(3):
        assert site.visit("/", query_string={"q": INJECTION}).code == 200
    assert site.visit(ip="198.51.100.1").code == 403


def test_a_ban_holds_for_the_whitelisted_too() -> None:
    site = Site(whitelist=[ME])
    site.guard.services.store.bans.ban(ME, 60, "test")
    answer = site.visit()
    assert answer.code == 403
    assert answer.message == b"IP address banned"


def test_bans_networks_and_lifts_bans() -> None:
    site = Site()
    bans = site.guard.services.store.bans
    bans.ban("203.0.113.0/24", 60, "abuse")
    assert site.visit(ip="203.0.113.99").code == 403
    assert site.visit(ip="203.0.114.1").code == 200
    assert bans.unban("203.0.113.0/24")
    assert site.visit(ip="203.0.113.99").code == 200


def test_never_bans_the_proxy_or_loopback() -> None:
    site = Site(trusted_proxies=["10.0.0.0/8"])
    bans = site.guard.services.store.bans
    for target in ("10.0.0.5", "127.0.0.1", "::1", "10.0.0.0/8", "0.0.0.0/0"):
        with pytest.raises(BanRefused):
            bans.ban(target, 60, "test")


def test_a_client_that_keeps_attacking_is_banned() -> None:
    site = Site(auto_ban_threshold=3)
    attack = {"q": INJECTION}
    answers = [site.visit(query_string=attack) for _ in range(3)]
    assert [(answer.code, answer.message) for answer in answers] == [
        (400, b"Suspicious activity detected"),
        (400, b"Suspicious activity detected"),
        (403, b"IP has been banned"),
    ]
    assert site.visit().code == 403
    assert site.visit(ip="203.0.113.8").code == 200


def test_requests_too_large_to_inspect_ban_nobody() -> None:
    site = Site(auto_ban_threshold=1, detection_max_scan_values=2)
    many = "&".join(f"a{number}=1" for number in range(20))
    assert [site.visit(query_string=many).code for _ in range(3)] == [400] * 3
    assert site.visit().code == 200


def test_passive_mode_bans_nobody() -> None:
    site = Site(auto_ban_threshold=2, passive_mode=True)
    for _ in range(5):
        assert site.visit(query_string={"q": INJECTION}).code == 200
    assert site.guard.services.store.bans.list() == []


def test_automatic_bans_can_be_switched_off() -> None:
    site = Site(auto_ban_threshold=1, enable_ip_banning=False)
    assert [site.visit(query_string={"q": INJECTION}).code for _ in range(3)] == [400] * 3


def test_exempt_addresses_are_not_limited_but_inspected() -> None:
    site = Site(exempt_ips=[ME], rate_limit=1, blocked_user_agents=["badbot"])
    for _ in range(3):
        assert site.visit(headers={"User-Agent": "badbot"}).code == 200
    assert site.visit(query_string={"q": INJECTION}).code == 400


def test_emergency_mode_admits_only_its_own_list() -> None:
    site = Site(emergency_mode=True, emergency_whitelist=["198.51.100.0/24"])
    answer = site.visit()
    assert answer.code == 503
    assert int(answer.header("Retry-After") or 0) > 0
    assert site.visit(ip="198.51.100.3").code == 200


def test_refuses_user_agents_by_pattern() -> None:
    site = Site(blocked_user_agents=[r"^curl/", "evil.*bot"])
    assert site.visit(headers={"User-Agent": "curl/8.5"}).code == 403
    assert site.visit(headers={"User-Agent": "An EVIL little BOT"}).code == 403
    assert site.visit(headers={"User-Agent": "Mozilla/5.0"}).code == 200


def test_a_pattern_that_would_backtrack_for_ever_costs_nothing() -> None:
    site = Site(blocked_user_agents=[r"(a+)+$"])
    assert site.visit(headers={"User-Agent": "a" * 500 + "!"}).code == 200


def test_a_route_admits_its_own_list_only_without_trusting_it() -> None:
    routes = {"/admin/<path:rest>": RouteConfig(ip_whitelist=("198.51.100.0/24",))}
    site = Site(routes=routes, blacklist=["198.51.100.9"])
    assert site.visit("/admin/x").code == 403
    assert site.visit("/admin/x", ip="198.51.100.9").code == 200
    assert site.visit("/other", ip="198.51.100.9").code == 403
    attack = {"q": INJECTION}
    assert site.visit("/admin/x", ip="198.51.100.9", query_string=attack).code == 400


@pytest.mark.parametrize(
    "path", ["/admin/x", "//admin/x", "/./admin/x", "/y/../admin/x", "/admin//x", "/admin;a=1/x"]
)
def test_no_spelling_of_a_path_leads_past_its_rules(path: str) -> None:
    site = Site(routes={"/admin/<path:rest>": RouteConfig(ip_whitelist=("198.51.100.0/24",))})
    environ = {"PATH_INFO": path}
    assert site.visit("/", environ_overrides=environ).code == 403


def test_the_app_reads_the_verdict() -> None:
    site = Site(routes={"/shop/<item>": RouteConfig(rate_limit=5)})
    site.visit("/shop/7")
    verdict = site.seen[0]["guard_wsgi"]
    assert isinstance(verdict, Verdict)
    assert verdict.action == "pass"
    assert verdict.client_ip == ME
    assert verdict.endpoint == "/shop/<item>"
    assert verdict.route is not None


def test_does_nothing_when_disabled() -> None:
    site = Site(enabled=False, blacklist=[ME])
    answer = site.visit(query_string={"q": INJECTION})
    assert answer.code == 200
    assert answer.header("X-Content-Type-Options") is None


@pytest.mark.parametrize("enabled", [True, False])
def test_a_guard_that_is_off_begins_nothing(
    caplog: pytest.LogCaptureFixture, enabled: bool
) -> None:
    """For example the search, at the first request, for views whose rules nothing enforces."""
    config = SecurityConfig(enabled=enabled)
    kept = SecurityDecorator(config).require_https()(lambda: "")
    assert Site(config).visit().code == 200
    assert ("rules that have no effect" in caplog.text) == enabled, kept


def test_a_ban_by_another_worker_is_enforced_by_one_that_never_banned(tmp_path: Path) -> None:
    store_url = f"lmdb://{tmp_path}/state.lmdb"
    site, other = Site(store_url=store_url), Site(store_url=store_url)
    assert site.visit(ip="203.0.113.9").code == 200
    other.guard.bans.ban("203.0.113.9", 60, "test")
    deadline = time.monotonic() + 5
    while (code := site.visit(ip="203.0.113.9").code) == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert code == 403
    site.guard.close()
    other.guard.close()
