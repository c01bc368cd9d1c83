"""Refusals: most are made once, and every client still gets its own answer."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from guard_wsgi import GuardResponse, RouteConfig
from guard_wsgi.checks.threats import WEIGHED_A_MINUTE, Allowance
from tests.core.visiting import INJECTION, Site
from tests.kit.gateway import Answer

ATTACK = {"q": INJECTION}


def without_quota(answer: Answer) -> list[tuple[str, str]]:
    return sorted(pair for pair in answer.headers if pair[0] != "RateLimit")


def test_a_refusal_is_the_same_whether_it_is_the_first_or_not() -> None:
    site = Site(rate_limit=100)
    answers = [site.visit(query_string=ATTACK) for _ in range(3)]
    assert {answer.code for answer in answers} == {400}
    assert {answer.body for answer in answers} == {b"Suspicious activity detected"}
    assert without_quota(answers[0]) == without_quota(answers[2])
    assert answers[0].header("Cache-Control") == "no-store"
    assert answers[0].header("Content-Length") == "28"
    assert answers[0].header("X-Content-Type-Options") == "nosniff"
    left = [str(answer.header("RateLimit")).split(";")[1] for answer in answers]
    assert left == ["r=99", "r=98", "r=97"]


def test_a_client_over_a_limit_is_told_the_time_of_that_limit() -> None:
    routes = {
        "/short": RouteConfig(rate_limit=1, rate_limit_window=50),
        "/long": RouteConfig(rate_limit=1, rate_limit_window=1000),
    }
    site = Site(routes=routes)
    for path, seconds in (("/short", 50), ("/long", 1000), ("/short", 50)):
        site.visit(path)
        answer = site.visit(path)
        assert answer.code == 429
        assert 0 <= seconds - int(answer.header("Retry-After") or 0) <= 20
        assert [name for name, _ in answer.headers].count("Retry-After") == 1


def test_a_server_that_changes_the_headers_of_one_answer_changes_no_other() -> None:
    site = Site(enable_rate_limiting=False)
    seen: list[list[tuple[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        seen.append(list(headers))
        headers.clear()
        return lambda data: None

    for _ in range(2):
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "QUERY_STRING": "q=" + INJECTION,
            "REMOTE_ADDR": "203.0.113.7",
            "wsgi.url_scheme": "http",
        }
        body = site.guard(environ, start_response)
        assert b"".join(body) == b"Suspicious activity detected"
        if isinstance(body, list):
            body.clear()
    assert seen[0] == seen[1] != []


def test_each_client_gets_the_answer_it_asks_for() -> None:
    site = Site(custom_error_responses={400: "No."})
    for _ in range(2):
        assert site.visit(query_string=ATTACK).body == b"No."
        problem = site.visit(query_string=ATTACK, headers={"Accept": "application/json"})
        assert problem.header("Content-Type") == "application/problem+json"
        assert json.loads(problem.body)["detail"] == "No."
        head = site.visit(query_string=ATTACK, method="HEAD")
        assert (head.code, head.body, head.header("Content-Length")) == (400, b"", "3")
        assert site.visit(query_string=ATTACK).header("Strict-Transport-Security") is None
        https = site.visit(query_string=ATTACK, base_url="https://localhost/")
        assert https.header("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({"rate_limit_headers": "legacy"}, "X-RateLimit-Remaining"),
        ({"enable_cors": True, "cors_allow_origins": ["https://a.example"]}, "Vary"),
        ({"security_headers": "api"}, "Content-Security-Policy"),
    ],
)
def test_what_answers_get_by_config_refusals_get(options: dict[str, Any], header: str) -> None:
    site = Site(**options)
    for _ in range(2):
        answer = site.visit(query_string=ATTACK)
        assert answer.code == 400
        assert answer.header(header) is not None
        assert [name for name, _ in answer.headers].count("Cache-Control") == 1


def test_a_modifier_sees_each_refusal() -> None:
    seen: list[int] = []

    def modify(response: GuardResponse) -> GuardResponse:
        seen.append(response.status_code)
        return response

    site = Site(custom_response_modifier=modify)
    for _ in range(2):
        site.visit(query_string=ATTACK)
    assert seen == [400, 400]


def test_the_log_tells_all_evidence_of_what_was_refused_on_some(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = Site()
    with caplog.at_level(logging.WARNING, "guard_wsgi"):
        site.visit(query_string=ATTACK)
    (record,) = caplog.records
    (told,) = vars(record)["guard_findings"]
    assert len(told["indicators"].split()) > 3
    assert told["score"] > 2
    assert f"score {told['score']:.2f}" in record.getMessage()


def test_a_flood_of_new_clients_is_told_with_what_was_enough(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each is logged, but not weighed to the last: that would be what the flood is after."""
    site = Site()
    with caplog.at_level(logging.WARNING, "guard_wsgi"):
        for number in range(WEIGHED_A_MINUTE + 5):
            ip = f"198.18.{number // 250}.{number % 250 + 1}"
            assert site.visit(query_string=ATTACK, ip=ip).code == 400
    told = [vars(record)["guard_findings"][0] for record in caplog.records]
    assert len(told) == WEIGHED_A_MINUTE + 5
    assert told[0] == told[WEIGHED_A_MINUTE - 1]
    first, last = told[0], told[-1]
    assert (first["category"], first["name"]) == (last["category"], last["name"])
    assert set(last["indicators"].split()) < set(first["indicators"].split())
    assert 1 <= last["score"] <= first["score"]


def test_an_allowance_is_so_many_a_minute_and_begins_anew() -> None:
    now = [1000.0]
    allowance = Allowance(2, clock=lambda: now[0])
    assert [allowance.take() for _ in range(4)] == [True, True, False, False]
    now[0] += 59
    assert not allowance.take()
    now[0] += 1
    assert [allowance.take() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("style", ["draft", "off"])
def test_a_refused_attack_is_told_its_quota_if_answers_are(style: str) -> None:
    answer = Site(rate_limit=10, rate_limit_headers=style).visit(query_string=ATTACK)
    told = {name: value for name, value in answer.headers if name.startswith("RateLimit")}
    quota = {"RateLimit-Policy": '"global";q=10;w=60', "RateLimit": '"global";r=9;t=60'}
    assert (answer.code, told) == (400, quota if style == "draft" else {})


@pytest.mark.parametrize("passive", [True, False], ids=["passive", "on_block"])
def test_who_is_always_told_is_told_all_evidence(passive: bool) -> None:
    scores: list[float] = []

    def note(request: Any, payload: Any) -> None:
        scores.extend(finding.score for finding in request.verdict.findings)

    site = Site(passive_mode=passive, on_block=note)
    site.visit(query_string=ATTACK)
    assert scores[0] > 2
    if passive:
        (finding,) = site.seen[0]["guard_wsgi"].findings
        assert finding.is_whole


def test_every_kind_of_attack_in_one_request_counts_toward_its_own_ban() -> None:
    """By name "sqli" comes first; the ban is for the other."""
    bans = {"xss": {"threshold": 1, "duration": 600}}
    site = Site(threat_ban_config=bans)
    both = {"a": INJECTION, "b": "<script>alert(document.cookie)</script>"}
    assert site.visit(method="POST", json={"a": INJECTION}).code == 400
    assert site.visit(method="POST", json=both).code == 403
    assert site.visit().code == 403
