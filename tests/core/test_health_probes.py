"""An orchestrator's question whether the app is alive is answered; a visitor can't ask it."""

from __future__ import annotations

from typing import Any

import pytest

from guard_wsgi import BehaviorRule, RouteConfig
from guard_wsgi.config.sections.limits import DEFAULT_RATE_LIMIT
from guard_wsgi.doctor.diagnosis import diagnose
from tests.core.visiting import INJECTION, Site

POD = "http://10.1.2.3:8000/"
KUBELET = {"User-Agent": "kube-probe/1.31", "Accept": "*/*", "Connection": "close"}

STRICT: dict[str, Any] = {
    "allowed_hosts": ["shop.example"],
    "enforce_https": True,
    "blocked_user_agents": ["kube-probe", "ELB-HealthChecker"],
    "rate_limit": 3,
}


class Nowhere:
    def get_country(self, ip: str) -> str | None:
        return None


def probe(site: Site, path: str = "/healthz", ip: str = "10.1.0.1", **options: Any) -> int:
    headers = {**KUBELET, **options.pop("headers", {})}
    return site.visit(path, ip=ip, base_url=POD, headers=headers, **options).code


@pytest.mark.parametrize(
    "ip",
    ["10.1.0.1", "192.168.7.1", "172.17.0.1", "127.0.0.1", "100.64.3.2", "fd00::7", "169.254.1.1"],
)
@pytest.mark.parametrize("path", ["/health", "/healthz", "/healthz/", "/livez", "/readyz"])
def test_a_probe_by_the_address_of_a_pod_is_answered_for_ever(ip: str, path: str) -> None:
    site = Site(**STRICT)
    assert {probe(site, path, ip) for _ in range(20)} == {200}
    assert probe(site, path, ip, method="HEAD") == 200


def test_a_probe_is_answered_under_the_default_configuration_for_ever() -> None:
    site = Site()
    assert {probe(site) for _ in range(DEFAULT_RATE_LIMIT + 10)} == {200}


def test_probes_use_up_nothing_of_what_the_address_has() -> None:
    site = Site(rate_limit=3)
    for _ in range(10):
        probe(site)
    assert [state.remaining for state in site.guard.limits("10.1.0.1")] == [3]


@pytest.mark.parametrize(
    "options",
    [
        {"emergency_mode": True},
        {"whitelist_countries": ["DE"], "geo_ip_handler": Nowhere()},
        {"global_behavior_rules": [BehaviorRule("frequency", threshold=2, window=60)]},
    ],
)
def test_what_shuts_visitors_out_keeps_the_app_alive(options: dict[str, Any]) -> None:
    site = Site(**options)
    assert {probe(site) for _ in range(5)} == {200}


@pytest.mark.parametrize(
    ("case", "code"),
    [
        pytest.param({"ip": "203.0.113.7"}, 400, id="from the internet"),
        pytest.param({"headers": {"X-Forwarded-For": "10.0.0.1"}}, 400, id="through a proxy"),
        pytest.param({"headers": {"Forwarded": "for=10.0.0.1"}}, 400, id="through another"),
        pytest.param({"headers": {"X-Real-IP": "10.0.0.1"}}, 400, id="by X-Real-IP"),
        pytest.param({"headers": {"Via": "1.1 cache"}}, 400, id="by Via"),
        pytest.param({"path": "/healthz/db"}, 400, id="below"),
        pytest.param({"path": "/healthzz"}, 400, id="longer"),
        pytest.param({"path": "/login"}, 400, id="elsewhere"),
        pytest.param({"server": {"PATH_INFO": "/healthz/../admin"}}, 400, id="out of it"),
        pytest.param({"server": {"PATH_INFO": "/x/../healthz"}}, 400, id="into it"),
        pytest.param({"server": {"PATH_INFO": "//healthz"}}, 400, id="by two slashes"),
        pytest.param({"method": "POST"}, 400, id="by POST"),
        pytest.param({"method": "GET", "data": b"x"}, 400, id="with a body"),
    ],
)
def test_a_visitor_is_no_probe(case: dict[str, Any], code: int) -> None:
    assert probe(Site(allowed_hosts=["shop.example"]), **case) == code


def test_a_client_of_a_trusted_proxy_is_no_probe_whatever_it_claims() -> None:
    site = Site(allowed_hosts=["shop.example"], trusted_proxies=["10.0.0.0/8"])
    assert probe(site, headers={"X-Forwarded-For": "203.0.113.7"}) == 400
    assert probe(site, headers={"X-Forwarded-For": "10.9.9.9"}) == 400
    assert probe(site) == 200  # the load balancer's own question


def test_a_checker_on_the_internet_is_let_in_by_name() -> None:
    """Google's load balancers send probes from public addresses."""
    site = Site(**STRICT, exempt_ips=["35.191.0.0/16"])
    assert probe(site, ip="35.191.3.4") == 200
    assert probe(site, ip="35.192.3.4") != 200


@pytest.mark.parametrize(
    ("options", "code"),
    [({"blacklist": ["10.1.0.0/16"]}, 403), ({"whitelist": ["192.0.2.0/24"]}, 403)],
)
def test_addresses_that_are_kept_out_by_name_stay_out(options: dict[str, Any], code: int) -> None:
    assert probe(Site(**options)) == code


def test_the_banned_stay_out_and_attacks_are_found() -> None:
    site = Site(**STRICT)
    assert probe(site, query_string={"q": INJECTION}) == 400
    site.guard.bans.ban("10.1.0.1", 60, "test")
    assert probe(site) == 403


def test_what_a_route_asks_for_holds_for_probes() -> None:
    route = RouteConfig(required_headers={"X-Probe": "required"})
    site = Site(routes={"/healthz": route})
    assert probe(site) == 400
    assert probe(site, headers={"X-Probe": "1"}) == 200


def test_other_paths_can_be_named_the_root_too() -> None:
    site = Site(allowed_hosts=["shop.example"], health_paths=["/up/", "/"])
    assert [probe(site, path) for path in ("/up", "/", "/healthz", "/login")] == [
        *(200, 200, 400, 400)
    ]


def test_none_need_be_named() -> None:
    assert probe(Site(allowed_hosts=["shop.example"], health_paths=[])) == 400


def test_doctor_says_which_paths_probes_may_ask_for() -> None:
    site = Site(allowed_hosts=["shop.example"])
    variables = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    (advice,) = [
        piece for piece in diagnose(site.config, variables=variables) if piece.code == "probes"
    ]
    assert "/healthz" in advice.problem
    assert "health_paths" in advice.remedy
    assert "probes" not in {piece.code for piece in diagnose(site.config, variables={})}
