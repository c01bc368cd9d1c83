"""The app's own checks and hooks, passive mode, and exceptions."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from guard_wsgi import GuardResponse, RouteConfig, SecurityConfig, SecurityDecorator
from tests.core.visiting import INJECTION, Site

ATTACK = {"q": INJECTION}


def test_passive_mode_lets_pass_and_tells_what_it_would_have_refused() -> None:
    told: list[dict[str, Any]] = []
    site = Site(
        passive_mode=True,
        blacklist=["203.0.113.7"],
        on_block=lambda request, payload: told.append(dict(payload)),
    )
    answer = site.visit(query_string=ATTACK)
    assert answer.code == 200
    verdict = site.seen[0]["guard_wsgi"]
    assert verdict.action == "observe"
    assert verdict.check == "ip_security"
    assert verdict.findings
    assert [payload["check_name"] for payload in told] == ["ip_security", "suspicious_activity"]
    assert all(p["passive_mode"] and p["status_code"] is None for p in told)


def test_on_block_hears_of_a_refusal_once() -> None:
    told: list[dict[str, Any]] = []
    site = Site(on_block=lambda request, payload: told.append(dict(payload)))
    site.visit("/x", query_string=ATTACK)
    assert len(told) == 1
    assert told[0]["path"] == "/x"
    assert told[0]["method"] == "GET"
    assert told[0]["client_ip"] == "203.0.113.7"
    assert told[0]["status_code"] == 400
    assert re.fullmatch(r"sqli in query 'q' \(score \d\.\d\d\)", told[0]["reason"])
    assert told[0]["trigger_info"] == "sqli"


def test_of_several_attacks_the_first_by_name_is_what_triggered() -> None:
    told: list[dict[str, Any]] = []
    site = Site(on_block=lambda request, payload: told.append(dict(payload)))
    both = {"a": "<script>alert(document.cookie)</script>", "b": INJECTION}
    assert site.visit(method="POST", json=both).code == 400
    assert told[0]["trigger_info"] == "sqli"
    assert re.match("xss in json 'a' .+; sqli in json 'b' ", told[0]["reason"])


def test_a_hook_that_raises_changes_nothing() -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError("hook")

    site = Site(on_block=broken, custom_response_modifier=broken)
    assert site.visit(query_string=ATTACK).code == 400
    assert site.visit().code == 200


def test_the_custom_check_comes_last_and_sends_its_own_response() -> None:
    calls: list[str] = []

    def check(request: Any) -> GuardResponse | None:
        calls.append(request.url_path)
        if request.headers.get("X-Maintenance"):
            return GuardResponse("closed", 503, {"X-Own": "1"})
        return None

    site = Site(custom_request_check=check)
    assert site.visit().code == 200
    answer = site.visit(headers={"X-Maintenance": "1"})
    assert (answer.code, answer.body, answer.header("X-Own")) == (503, b"closed", "1")
    site.visit(query_string=ATTACK)
    assert len(calls) == 2


def test_validators_of_a_route_see_the_request_whole() -> None:
    def validate(request: Any) -> Any:
        body = json.loads(request.body())
        return None if body["n"] > 1 else ("too small", 422)

    site = Site(routes={"/": RouteConfig(custom_validators=(validate,))})
    assert site.visit(method="POST", json={"n": 2}).code == 200
    answer = site.visit(method="POST", json={"n": 1})
    assert (answer.code, answer.body) == (422, b"too small")
    assert site.seen[0]["wsgi.input"].read(100) == b'{"n": 2}'


def test_the_modifier_sees_every_response() -> None:
    def modify(response: GuardResponse) -> GuardResponse:
        response.headers["X-Seen"] = str(response.status_code)
        return response

    site = Site(custom_response_modifier=modify)
    assert site.visit().header("X-Seen") == "200"
    assert site.visit(query_string=ATTACK).header("X-Seen") == "400"


def test_texts_of_refusals_can_be_replaced() -> None:
    site = Site(custom_error_responses={400: "Nope."})
    assert site.visit(query_string=ATTACK).message == b"Nope."


def test_answers_problem_json_to_those_who_ask_for_json() -> None:
    answer = Site().visit(query_string=ATTACK, headers={"Accept": "application/json"})
    assert answer.header("Content-Type") == "application/problem+json"
    problem = json.loads(answer.body)
    assert problem["status"] == 400
    assert problem["title"] == "Bad Request"
    assert problem["instance"].startswith("urn:uuid:")
    assert INJECTION not in answer.body.decode()
    browser = {"Accept": "text/html,application/json;q=0.5"}
    assert Site().visit(query_string=ATTACK, headers=browser).header("Content-Type") == (
        "text/html; charset=utf-8"
    )


def test_a_refusal_is_not_cached_and_carries_the_security_headers() -> None:
    answer = Site().visit(query_string=ATTACK)
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_a_refusal_of_head_has_no_body() -> None:
    answer = Site().visit(method="HEAD", query_string=ATTACK)
    assert answer.code == 400
    assert answer.body == b""


class BrokenGeo:
    def get_country(self, ip: str) -> str | None:
        raise RuntimeError("database is gone")


def test_an_access_rule_that_raises_refuses(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(blocked_countries=["XX"], geo_ip_handler=BrokenGeo())
    with caplog.at_level(logging.ERROR, logger="guard_wsgi"):
        assert [site.visit().code for _ in range(3)] == [500, 500, 500]
    raised = [record for record in caplog.records if "raised" in record.getMessage()]
    assert len(raised) == 2  # the first and the second time, then every power of two
    assert site.guard.stats()["faults:country"] == 3


def test_fail_secure_off_lets_pass_what_can_not_be_checked() -> None:
    site = Site(blocked_countries=["XX"], geo_ip_handler=BrokenGeo(), fail_secure=False)
    assert site.visit().code == 200


def test_a_resolver_that_raises_refuses() -> None:
    def broken(environ: Any) -> Any:
        raise RuntimeError("router")

    assert Site(resolver=broken).visit().code == 500
    assert Site(resolver=broken, fail_secure=False).visit().code == 200


def test_strict_resolution_refuses_what_no_route_matches() -> None:
    site = Site(routes={"/a": RouteConfig()}, route_resolution_strict=True)
    assert site.visit("/a").code == 200
    assert site.visit("/b").code == 500


def test_counts_what_it_decides() -> None:
    site = Site(rate_limit=2)
    for _ in range(3):
        site.visit()
    stats = site.guard.stats()
    assert stats["passed"] == 2
    assert stats["request_blocked"] == 1


@pytest.mark.parametrize("name", ["ip_ban", "ip", "clouds", "rate_limit", "penetration", "all"])
def test_a_route_can_bypass_single_checks(name: str) -> None:
    route = RouteConfig(bypassed_checks=frozenset({name}))
    site = Site(rate_limit=1, blacklist=["198.51.100.9"], routes={"/open": route})
    bans = site.guard.services.store.bans
    bans.ban("198.51.100.7", 60, "test")
    skips = {name} if name != "all" else {"ip_ban", "ip", "rate_limit", "penetration"}
    assert (site.visit("/open", ip="198.51.100.7").code == 200) == ("ip_ban" in skips)
    assert (site.visit("/open", ip="198.51.100.9").code == 200) == ("ip" in skips)
    attacked = site.visit("/open", ip="198.51.100.10", query_string=ATTACK)
    assert (attacked.code == 200) == ("penetration" in skips)
    limited = [site.visit("/open", ip="198.51.100.11").code for _ in range(2)]
    assert (limited == [200, 200]) == ("rate_limit" in skips)
    assert site.visit("/open", ip="198.51.100.12").header("X-Frame-Options") == "SAMEORIGIN"


class Listener:
    """A sink that keeps events."""

    wants_metrics = False

    def __init__(self) -> None:
        self.events: list[Any] = []

    def send_event(self, event: Any) -> None:
        self.events.append(event)

    def types(self) -> list[str]:
        return [event.event_type for event in self.events]


def test_tells_of_bans_set_lifted_and_refused() -> None:
    site, listener = Site(auto_ban_threshold=1), Listener()
    site.guard.services.events.add_sink(listener)
    site.visit(query_string=ATTACK)
    site.guard.bans.unban("203.0.113.7")
    with pytest.raises(ValueError, match="loopback"):
        site.guard.bans.ban("127.0.0.1", 5, "x")
    assert listener.types() == [
        "ip_banned",
        "penetration_attempt",
        "ip_unbanned",
        "ip_ban_failed",
    ]


def test_tells_of_forged_headers_once_and_not_a_thousand_times() -> None:
    site, listener = Site(trusted_proxies=["10.0.0.1"]), Listener()
    site.guard.services.events.add_sink(listener)
    for _ in range(5):
        site.visit(headers={"X-Forwarded-For": "1.2.3.4"})
    assert listener.types() == ["suspicious_request"]
    site.visit(ip="10.0.0.1", headers={"X-Forwarded-For": "junk"})
    assert listener.types() == ["suspicious_request", "xff_malformed"]


def test_a_storm_of_refusals_is_logged_by_its_number(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(blacklist=["203.0.113.7", "203.0.113.8"])
    with caplog.at_level(logging.WARNING, logger="guard_wsgi"):
        for _ in range(40):
            site.visit()
        site.visit(ip="203.0.113.8")
    lines = [r.getMessage() for r in caplog.records if r.name == "guard_wsgi.access"]
    assert len(lines) == 13  # ten, the 16th, the 32nd, and the other client's
    assert "(32 times this minute)" in lines[-2]
    assert site.guard.stats()["request_blocked"] == 41


def test_passive_mode_logs_every_request_for_the_report(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(blacklist=["203.0.113.7"], passive_mode=True)
    with caplog.at_level(logging.WARNING, logger="guard_wsgi"):
        for _ in range(40):
            site.visit()
    assert sum("Would have blocked" in r.getMessage() for r in caplog.records) == 40


def test_names_decorated_views_that_nobody_resolves(caplog: pytest.LogCaptureFixture) -> None:
    config = SecurityConfig()

    @SecurityDecorator(config).rate_limit(1)
    def believed_to_be_limited() -> None: ...

    site = Site(config)
    with caplog.at_level(logging.ERROR, logger="guard_wsgi"):
        site.visit()
    assert any("believed_to_be_limited" in record.getMessage() for record in caplog.records)


def test_metrics_that_begin_during_a_request_start_with_the_next() -> None:
    told: list[float] = []

    class Observer:
        def observe(
            self, endpoint: str | None, method: str, status: int, seconds: float, blocked: bool
        ) -> None:
            told.append(seconds)

    observer = Observer()
    site: Site = Site(
        custom_request_check=lambda request: site.guard.services.events.add_sink(observer)
    )
    assert site.visit().code == 200
    assert told == []
    assert site.visit().code == 200
    assert 0 < told[0] < 60
