"""The limit that applies, its clients, and the answer."""

from __future__ import annotations

import socket
from typing import Any

import http_sf
import pytest

from guard_wsgi import RouteConfig, SecurityConfig
from guard_wsgi.doctor.diagnosis import diagnose
from tests.core.visiting import Site


def codes(site: Site, path: str = "/", times: int = 1, **options: Any) -> list[int]:
    return [site.visit(path, **options).code for _ in range(times)]


def test_refuses_the_request_over_the_limit_and_says_when_to_come_back() -> None:
    site = Site(rate_limit=2, rate_limit_window=30)
    assert codes(site, times=3) == [200, 200, 429]
    answer = site.visit()
    assert answer.message == b"Too many requests"
    assert 1 <= int(answer.header("Retry-After") or 0) <= 60


def test_the_headers_are_structured_fields() -> None:
    answer = Site(rate_limit=5, rate_limit_window=60).visit()
    policy = http_sf.parse((answer.header("RateLimit-Policy") or "").encode(), tltype="list")
    left = http_sf.parse((answer.header("RateLimit") or "").encode(), tltype="list")
    assert policy[0][0] == "global"
    assert policy[0][1] == {"q": 5, "w": 60}
    assert left[0][1]["r"] == 4
    assert 0 <= left[0][1]["t"] <= 120


@pytest.mark.parametrize(
    ("style", "draft", "legacy"),
    [("draft", True, False), ("legacy", False, True), ("both", True, True), ("off", False, False)],
)
def test_the_headers_follow_the_configured_style(style: str, draft: bool, legacy: bool) -> None:
    answer = Site(rate_limit_headers=style).visit()
    assert (answer.header("RateLimit") is not None) is draft
    assert (answer.header("X-RateLimit-Remaining") is not None) is legacy


def test_a_route_limit_stands_in_place_of_the_global_one() -> None:
    site = Site(rate_limit=3, routes={"/api/<x>": RouteConfig(rate_limit=5)})
    assert codes(site, "/api/1", 6) == [200] * 5 + [429]
    assert codes(site, "/", 4) == [200, 200, 200, 429]


def test_turning_the_path_does_not_turn_the_limit() -> None:
    site = Site(routes={"/item/<id>": RouteConfig(rate_limit=4)})
    assert [site.visit(f"/item/{n}").code for n in range(6)] == [200] * 4 + [429] * 2


def test_a_limit_for_a_path_holds_for_all_its_spellings() -> None:
    site = Site(endpoint_rate_limits={"/login": (2, 60)})
    paths = ["/login", "//login", "/./login"]
    seen = [site.visit("/", environ_overrides={"PATH_INFO": path}).code for path in paths]
    assert seen == [200, 200, 429]
    assert site.visit("/").code == 200


def test_a_request_may_cost_more_than_one() -> None:
    site = Site(routes={"/report": RouteConfig(rate_limit=10, rate_limit_cost=4)})
    assert codes(site, "/report", 3) == [200, 200, 429]


def test_the_key_may_be_a_user() -> None:
    site = Site(rate_limit=1, rate_limit_key=lambda request: request.headers.get("X-User"))
    assert site.visit(headers={"X-User": "a"}).code == 200
    assert site.visit(headers={"X-User": "a"}, ip="198.51.100.1").code == 429
    assert site.visit(headers={"X-User": "b"}).code == 200


def test_a_key_that_raises_falls_back_to_the_address() -> None:
    def broken(request: Any) -> str:
        raise RuntimeError("no session")

    site = Site(rate_limit=1, rate_limit_key=broken)
    assert codes(site, times=2) == [200, 429]


def test_some_requests_may_be_exempt() -> None:
    site = Site(rate_limit=1, rate_limit_exempt_when=lambda request: "X-Monitor" in request.headers)
    assert codes(site, times=3, headers={"X-Monitor": "1"}) == [200] * 3
    assert codes(site, times=2) == [200, 429]


class Geo:
    def get_country(self, ip: str) -> str | None:
        return {"198.51.100.1": "DE", "198.51.100.2": "FR"}.get(ip)


def test_a_limit_by_country_has_a_bucket_of_its_own() -> None:
    route = RouteConfig(rate_limit=4, geo_rate_limits={"DE": (2, 60), "*": (3, 60)})
    site = Site(routes={"/": route}, geo_ip_handler=Geo())
    assert codes(site, times=4, ip="198.51.100.1") == [200, 200, 429, 429]
    assert codes(site, times=5, ip="198.51.100.2") == [200, 200, 200, 429, 429]
    wide = RouteConfig(rate_limit=4, geo_rate_limits={"DE": (4, 60)})
    both = Site(routes={"/": wide}, geo_ip_handler=Geo())
    assert codes(both, times=5, ip="198.51.100.1") == [200] * 4 + [429]


def test_being_limited_can_lead_to_a_ban() -> None:
    site = Site(
        rate_limit=1,
        enable_rate_limit_auto_ban=True,
        threat_ban_config={"rate_limit": {"threshold": 2, "duration": 60}},
    )
    assert codes(site, times=4) == [200, 429, 429, 403]


def test_one_switch_turns_all_limits_off() -> None:
    site = Site(
        enable_rate_limiting=False,
        rate_limit=1,
        endpoint_rate_limits={"/": (1, 60)},
        routes={"/r": RouteConfig(rate_limit=1)},
    )
    assert codes(site, times=3) == [200] * 3
    assert codes(site, "/r", times=3) == [200] * 3


def test_two_apps_share_nothing() -> None:
    first, second = Site(rate_limit=1), Site(rate_limit=1)
    assert codes(first, times=2) == [200, 429]
    assert codes(second, times=1) == [200]


def test_reset_forgets_what_was_counted() -> None:
    site = Site(rate_limit=1)
    assert codes(site, times=2) == [200, 429]
    site.guard.reset()
    assert codes(site) == [200]


def test_limits_can_be_read_without_counting() -> None:
    site = Site(rate_limit=5, routes={"/api/<x>": RouteConfig(rate_limit=2)})
    site.visit("/api/1")
    for _ in range(3):
        assert [s.remaining for s in site.guard.limits("203.0.113.7", "/api/9")] == [1]
        assert [s.remaining for s in site.guard.limits("203.0.113.7")] == [5]
        assert [s.remaining for s in site.guard.limits("203.0.113.8", "/api/9")] == [2]


def test_a_worker_counts_its_share_while_the_store_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    with socket.socket() as reserved:  # bound and not listening: no other process answers there
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        site = Site(rate_limit=8, store_url=f"redis://127.0.0.1:{port}/0")
        answers = [site.visit("/") for _ in range(4)]
        assert [answer.code for answer in answers] == [200, 200, 429, 429]
        # The header shows the real limit: two, not the eight of all workers together.
        assert {answer.header("RateLimit-Policy") for answer in answers} == {'"global";q=2;w=60'}


def test_what_one_bucket_refuses_is_charged_to_none() -> None:
    route = RouteConfig(rate_limit=2, geo_rate_limits={"DE": (9, 60)})
    site = Site(routes={"/": route}, geo_ip_handler=Geo())
    assert codes(site, times=6, ip="198.51.100.1") == [200, 200, 429, 429, 429, 429]
    left = {state.limit.name: state.remaining for state in site.guard.limits("198.51.100.1")}
    assert left == {"country": 7, "route": 0}


def contacts(site: Site, times: int, **options: Any) -> list[int]:
    """A CardDAV client writes contacts one by one."""
    return [
        site.visit(f"/dav/contact-{n}.vcf", method="PUT", data=b"BEGIN:VCARD", **options).code
        for n in range(times)
    ]


def test_a_route_for_programs_takes_more_than_people_send() -> None:
    site = Site(routes={"/dav/<path:rest>": RouteConfig(rate_limit=6000, rate_limit_window=60)})
    assert set(contacts(site, 900)) == {200}
    assert codes(site, "/", times=601)[-1] == 429


def test_who_has_proved_who_he_is_can_be_left_out() -> None:
    route = RouteConfig(
        auth_required="bearer", auth_verifier=lambda request, token: token == "right" and "ann"
    )
    site = Site(
        rate_limit=10,
        routes={"/dav/<path:rest>": route},
        rate_limit_exempt_when=lambda request: request.verdict.principal is not None,
    )
    assert set(contacts(site, 30, headers={"Authorization": "Bearer right"})) == {200}
    refused = contacts(site, 30, headers={"Authorization": "Bearer wrong"}, ip="203.0.113.9")
    assert refused[:10] == [401] * 10
    assert set(refused[10:]) == {429}


def test_doctor_says_that_programs_may_need_more() -> None:
    told = {piece.code: piece for piece in diagnose(SecurityConfig())}
    assert "600 requests in 60 s" in told["default-limit"].problem
    assert "rate_limit=6000" in told["default-limit"].remedy
    for options in ({"rate_limit": 700}, {"enable_rate_limiting": False}):
        assert "default-limit" not in {one.code for one in diagnose(SecurityConfig(**options))}


@pytest.mark.filterwarnings("ignore::wsgiref.validate.WSGIWarning")  # of methods it never met
@pytest.mark.parametrize("method", ["PUT", "PROPFIND", "REPORT", "MKCOL", "DELETE"])
def test_no_method_buys_more(method: str) -> None:
    site = Site(rate_limit=3)
    headers = {"Authorization": "Bearer anything", "User-Agent": "DAVx5/4.4"}
    answers = [site.visit("/dav/a", method=method, headers=headers).code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
