"""Refusals: most are made once, and every client still gets its own answer."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import RFC_4122, UUID

import pytest

from guard_wsgi import GuardResponse, RouteConfig, SecurityEvent
from guard_wsgi.checks.allowance import Allowance
from guard_wsgi.checks.services import WEIGHED_A_MINUTE
from guard_wsgi.cli.tree import main
from guard_wsgi.request.reference import Reference
from tests.core.visiting import INJECTION, Site
from tests.kit.gateway import Answer

ATTACK = {"q": INJECTION}


def without_quota(answer: Answer) -> list[tuple[str, str]]:
    return sorted(pair for pair in answer.headers if pair[0] not in ("RateLimit", "X-Request-Id"))


def test_a_refusal_is_the_same_whether_it_is_the_first_or_not() -> None:
    site = Site(rate_limit=100)
    answers = [site.visit(query_string=ATTACK) for _ in range(3)]
    assert {answer.code for answer in answers} == {400}
    assert {answer.message for answer in answers} == {b"Suspicious activity detected"}
    assert without_quota(answers[0]) == without_quota(answers[2])
    assert answers[0].header("Cache-Control") == "no-store"
    assert answers[0].header("Content-Length") == str(len(answers[2].body))
    assert answers[0].header("X-Content-Type-Options") == "nosniff"
    left = [str(answer.header("RateLimit")).split(";")[1] for answer in answers]
    assert left == ["r=99", "r=98", "r=97"]


def test_a_client_over_a_limit_gets_the_time_of_that_limit() -> None:
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
        assert b"".join(body).startswith(b"Suspicious activity detected\n")
        if isinstance(body, list):
            body.clear()
    first, second = ([pair for pair in one if pair[0] != "X-Request-Id"] for one in seen)
    assert first == second != []


def test_each_client_gets_the_answer_it_asks_for() -> None:
    site = Site(custom_error_responses={400: "No."})
    for _ in range(2):
        assert site.visit(query_string=ATTACK).message == b"No."
        problem = site.visit(query_string=ATTACK, headers={"Accept": "application/json"})
        assert problem.header("Content-Type") == "application/problem+json"
        assert json.loads(problem.body)["detail"] == "No."
        head = site.visit(query_string=ATTACK, method="HEAD")
        assert (head.code, head.body, head.header("Content-Length")) == (
            400,
            b"",
            str(len("No.\nReference: \n") + 32),
        )
        assert site.visit(query_string=ATTACK).header("Strict-Transport-Security") is None
        https = site.visit(query_string=ATTACK, base_url="https://localhost/")
        assert https.header("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
TEXT, HTML, PROBLEM = "text/plain", "text/html", "application/problem+json"


@pytest.mark.parametrize(
    ("request_headers", "kind"),
    [
        pytest.param({}, TEXT, id="nothing asked for"),
        pytest.param({"Accept": "*/*"}, TEXT, id="a command line"),
        pytest.param({"Accept": BROWSER}, HTML, id="a browser"),
        pytest.param({"Accept": "application/json, text/plain, */*"}, PROBLEM, id="axios"),
        pytest.param({"Accept": "application/problem+json"}, PROBLEM, id="a problem"),
        pytest.param({"Accept": "text/html,application/json;q=0.9"}, HTML, id="page preferred"),
        pytest.param({"Accept": "text/html;q=0.5,application/json"}, PROBLEM, id="JSON preferred"),
        pytest.param({"Accept": "TEXT/HTML"}, HTML, id="upper case"),
        pytest.param({"Accept": "text/html;q=0"}, TEXT, id="no page"),
        pytest.param({"Accept": "application/json" + ", a/b" * 500}, TEXT, id="too long"),
        pytest.param({"Content-Type": "application/json"}, PROBLEM, id="fetch sends JSON"),
        pytest.param({"Content-Type": "application/vnd.api+json; charset=utf-8"}, PROBLEM),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, TEXT, id="a form"),
        pytest.param({"Content-Type": "application/json", "Accept": BROWSER}, HTML, id="both"),
    ],
)
def test_each_client_gets_an_answer_that_it_can_read(
    request_headers: dict[str, str], kind: str
) -> None:
    site = Site(blacklist=["203.0.113.7"])
    for method in ("GET", "POST", "HEAD"):
        answer = site.visit(headers=request_headers, method=method)
        assert answer.code == 403
        assert (answer.header("Content-Type") or "").partition(";")[0] == kind
        assert len(answer.reference) == 32
        if method != "HEAD":
            assert answer.header("Content-Length") == str(len(answer.body))


@pytest.mark.parametrize("accept", [BROWSER, "application/json", "*/*"])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_reference_finds_the_line_and_the_event(
    accept: str, log_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "guard.log"
    site = Site(custom_log_file=str(log), log_format=log_format)
    events: list[SecurityEvent] = []
    ear = SimpleNamespace(send_event=events.append, wants_metrics=False)
    site.guard.services.events.add_sink(ear)
    site.visit(query_string=ATTACK)
    answer = site.visit("/basket", query_string=ATTACK, headers={"Accept": accept})
    site.guard.close()
    assert events[1].metadata["request_id"] == answer.reference
    assert main(["report", str(log), "--reference", answer.reference]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "/basket" in line
    if accept == "application/json":
        problem = json.loads(answer.body)
        assert problem["reference"] == answer.reference
        assert UUID(problem["instance"].removeprefix("urn:uuid:")).hex == answer.reference
        assert main(["report", str(log), "--reference", problem["instance"]]) == 0
    main(["report", str(log)])
    assert f"last reference: {answer.reference}" in capsys.readouterr().out
    assert main(["report", str(log), "--reference", "0" * 32]) == 1


def test_no_two_requests_have_one_reference() -> None:
    site = Site(blacklist=["203.0.113.7"])
    references = {site.visit().reference for _ in range(50)}
    assert len(references) == 50
    assert {UUID(reference).version for reference in references} == {8}
    assert {UUID(reference).variant for reference in references} == {RFC_4122}


@pytest.mark.parametrize("file_format", ["text", "json"])
def test_a_refusal_without_a_line_leads_to_those_of_its_client(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file_format: str
) -> None:
    log = tmp_path / "guard.log"
    site = Site(blacklist=["203.0.113.0/24"], custom_log_file=str(log), log_format=file_format)
    others = [site.visit(ip="203.0.113.9").reference for _ in range(3)]
    references = [site.visit(ip="203.0.113.7").reference for _ in range(40)]
    logged = log.read_text()
    unlogged = [reference for reference in references if reference not in logged]
    assert len(unlogged) > 20
    for reference in unlogged:
        assert main(["report", str(log), "--reference", reference]) == 0
        shown = capsys.readouterr().out
        assert "203.0.113.7" in shown
        assert "203.0.113.9" not in shown
    for reference in (*others, references[0]):
        assert main(["report", str(log), "--reference", reference]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1
    # A reference of another day, or of a client that was never refused.
    other_day = references[-1][:16] + "8000000000000000"
    for unknown in (other_day, "0" * 12 + references[-1][12:]):
        assert main(["report", str(log), "--reference", unknown]) == 1
        capsys.readouterr()


def test_a_reference_tells_its_second() -> None:
    reference = Site(blacklist=["203.0.113.7"]).visit().reference
    said = Reference.of(reference)
    assert said is not None
    assert abs(said.seconds - time.time()) < 60
    assert Reference.of(reference[:-1]) is None
    assert Reference.of("0" * 32) is None
    assert Reference.of("not a reference") is None


def test_the_reference_of_a_client_is_not_taken_over() -> None:
    """Or an attacker could write what he likes into answer and log."""
    site = Site(blacklist=["203.0.113.7"])
    answer = site.visit(headers={"X-Request-Id": "<script>alert(1)</script>", "Accept": BROWSER})
    assert b"script" not in answer.body
    assert len(answer.reference) == 32


def test_a_page_repeats_nothing_of_the_request() -> None:
    marker = "zebra<b>'1' OR '1'='1' UNION SELECT password FROM users--"
    sent: dict[str, Any] = {
        "query_string": {"q": marker},
        "headers": {"Accept": BROWSER, "Referer": marker, "User-Agent": marker, "Host": "zebra"},
    }
    for path in ("/zebra", "/../../zebra/etc/passwd"):
        for options in ({}, {"allowed_hosts": ["shop.example"]}, {"enforce_https": True}):
            answer = Site(**options).visit(path, **sent)
            assert answer.header("Content-Type") == "text/html; charset=utf-8"
            assert b"zebra" not in answer.body


def test_a_text_of_the_site_is_escaped_in_a_page() -> None:
    site = Site(blacklist=["203.0.113.7"], custom_error_responses={403: "Call <us> & ask"})
    page = site.visit(headers={"Accept": BROWSER})
    assert b"<p>Call &lt;us&gt; &amp; ask</p>" in page.body
    assert site.visit().message == b"Call <us> & ask"


def test_a_refusal_that_the_site_words_itself_has_the_reference_in_its_head() -> None:
    closed = GuardResponse("closed", 418)
    site = Site(custom_request_check=lambda request: closed)
    first, second = site.visit(), site.visit()
    for answer in (first, second):
        assert (answer.code, answer.body, answer.count("X-Request-Id")) == (418, b"closed", 1)
    assert first.header("X-Request-Id") != second.header("X-Request-Id")
    own = GuardResponse("closed", 418, {"X-Request-Id": "the site's"})
    answer = Site(custom_request_check=lambda request: own).visit()
    assert [v for n, v in answer.headers if n == "X-Request-Id"] == ["the site's"]


def test_the_app_sees_the_reference_that_its_log_may_tell() -> None:
    site = Site()
    site.visit()
    verdict = site.seen[0]["guard_wsgi"]
    assert UUID(verdict.request_id).hex == verdict.request_id


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


def test_a_flood_of_new_clients_is_reported_with_what_was_enough(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each is logged, but not all evidence is weighed: that is the aim of a flood."""
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


def test_an_allowance_is_so_many_a_minute_and_begins_again() -> None:
    now = [1000.0]
    allowance = Allowance(2, clock=lambda: now[0])
    assert [allowance.take() for _ in range(4)] == [True, True, False, False]
    now[0] += 59
    assert not allowance.take()
    now[0] += 1
    assert [allowance.take() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("style", ["draft", "off"])
def test_a_refused_attack_gets_its_quota_if_answers_do(style: str) -> None:
    answer = Site(rate_limit=10, rate_limit_headers=style).visit(query_string=ATTACK)
    told = {name: value for name, value in answer.headers if name.startswith("RateLimit")}
    quota = {"RateLimit-Policy": '"global";q=10;w=60', "RateLimit": '"global";r=9;t=60'}
    assert (answer.code, told) == (400, quota if style == "draft" else {})


@pytest.mark.parametrize("passive", [True, False], ids=["passive", "on_block"])
def test_a_hook_gets_all_evidence(passive: bool) -> None:
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
    """In alphabetical order "sqli" comes first; the ban is for the other."""
    bans = {"xss": {"threshold": 1, "duration": 600}}
    site = Site(threat_ban_config=bans)
    both = {"a": INJECTION, "b": "<script>alert(document.cookie)</script>"}
    assert site.visit(method="POST", json={"a": INJECTION}).code == 400
    assert site.visit(method="POST", json=both).code == 403
    assert site.visit().code == 403
