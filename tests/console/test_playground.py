"""The playground shows the guard's verdict and its reasons."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard_wsgi.cli.curl import parse_curl
from guard_wsgi.cli.inspecting import inspect, place
from guard_wsgi.cli.loading import CommandError
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi_flask.console import playground
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.playground import Trial, TrialRefused
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser
from tests.console.sending import event, send

ATTACK = "1' UNION SELECT password FROM users--"


def run(**fields: str) -> playground.Answer:
    return playground.run(Trial.of(fields), SecurityConfig())


def test_it_says_what_inspect_says() -> None:
    answer = run(text=ATTACK, place="json")
    said = inspect(place(ATTACK, "json"), SecurityConfig())
    assert evolve(answer.outcome, config=said.config) == said
    refusing = [rung for rung in answer.rungs if rung.status]
    assert [rung.check for rung in refusing] == [said.check]
    assert refusing[0].status == said.status == 400
    assert "rate_limit" in {rung.check for rung in answer.rungs}


def test_a_threshold_or_an_exclusion_changes_the_verdict() -> None:
    assert not run(text=ATTACK).outcome.passed
    assert run(text=ATTACK, threshold="9").outcome.passed
    excluded = '[[detection_exclusions]]\npath = "/"\nparams = ["q"]'
    assert run(text=ATTACK, exclusions=excluded).outcome.passed
    assert run(
        text=ATTACK, config="toml", toml="enable_penetration_detection = false"
    ).outcome.passed


def test_every_check_is_shown_after_the_first_refusal() -> None:
    answer = run(text=ATTACK, config="toml", toml='blacklist = ["198.51.100.1"]')
    refusing = [rung.check for rung in answer.rungs if rung.status]
    assert len(refusing) == 2
    assert answer.outcome.check == refusing[0]


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x", "client": "nobody"},
        {"text": "x", "threshold": "high"},
        {"text": "x", "threshold": "nan"},
        {"text": "x", "config": "toml", "toml": "nonsense"},
        {"text": "x", "config": "toml", "toml": "rate_limt = 5"},
        {"text": "x", "exclusions": "nonsense"},
        {"text": "x", "kind": "curl"},
        {"text": "curl", "kind": "curl"},
        {"text": "curl -d @/etc/passwd http://h/", "kind": "curl"},
        {"text": "curl --config /etc/passwd http://h/", "kind": "curl"},
        {"text": "curl 'http://h/", "kind": "curl"},
        {"text": "no request at all", "kind": "request"},
    ],
)
def test_what_can_not_be_tried_is_refused_with_the_reason(
    admin: Browser, fields: dict[str, str]
) -> None:
    with pytest.raises(TrialRefused) as refused:
        run(**fields)
    assert refused.value.faults
    answer = admin.post("/playground", **fields)
    assert answer.status_code == 422
    assert 'class="fault"' in answer.text


@pytest.mark.parametrize(
    "line",
    [
        'agent_api_key_file = "/etc/passwd"',
        'ipinfo_db_path = "/etc/passwd"',
        'custom_log_file = "/tmp/should-not-be-written.log"',
        'store_url = "redis://192.0.2.1"',
        'enable_redis = true\nredis_url = "redis://192.0.2.1"',
        "enable_agent = true\nagent_api_key = 'k' ",
        'block_cloud_providers = ["AWS"]',
    ],
)
def test_a_pasted_configuration_reads_no_file_and_asks_nobody(line: str) -> None:
    answer = run(text="hello", config="toml", toml=line + '\nblocked_countries = ["XX"]')
    assert answer.outcome.passed
    config = answer.config
    assert config.store_url == "memory://"
    assert not config.enable_agent
    assert not config.block_cloud_providers
    assert config.custom_log_file is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "curl http://h/a?b=c",
            {"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "QUERY_STRING": "b=c"},
        ),
        (
            "curl h/a -d x=1 -d y=2",
            {
                "REQUEST_METHOD": "POST",
                "body": b"x=1&y=2",
                "CONTENT_TYPE": "application/x-www-form-urlencoded",
            },
        ),
        ("curl -G h/a --data-urlencode 'q=a b&c'", {"QUERY_STRING": "q=a+b%26c", "body": b""}),
        ("curl h/ --json '{\"a\": 1}'", {"CONTENT_TYPE": "application/json", "body": b'{"a": 1}'}),
        (
            "curl -X PUT h/ -H 'X-A: b' -A me -b s=1 -e http://r/",
            {
                "REQUEST_METHOD": "PUT",
                "HTTP_X_A": "b",
                "HTTP_USER_AGENT": "me",
                "HTTP_COOKIE": "s=1",
                "HTTP_REFERER": "http://r/",
            },
        ),
        ("curl 'h/' \\\n  -H $'X-A: it\\'s' --compressed", {"HTTP_X_A": "it's"}),
        (
            "curl -I -u me:secret h/",
            {"REQUEST_METHOD": "HEAD", "HTTP_AUTHORIZATION": "Basic bWU6c2VjcmV0"},
        ),
        ("curl -F a=b h/", {"REQUEST_METHOD": "POST"}),
    ],
)
def test_a_curl_command_is_the_request_that_curl_sends(
    command: str, expected: dict[str, Any]
) -> None:
    environ = parse_curl(command)
    body = environ["wsgi.input"].read()
    for name, value in expected.items():
        assert (body if name == "body" else environ[name]) == value, name


@given(text=st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_request_or_refused(text: str) -> None:
    for command in (text, f"curl {text}"):
        with contextlib.suppress(CommandError):
            parse_curl(command)


def test_an_event_can_be_tried_again(console: Console, key: NewKey, admin: Browser) -> None:
    send(console, key, event())
    page = admin.get("/playground?event=1").text
    assert "UNION" in page
    assert "refused" in page
    assert admin.get("/playground?event=99").status_code == 404


@pytest.mark.parametrize(
    "location",
    ["query", "path", "header", "cookie", "form", "multipart", "json", "xml", "graphql", "body"],
)
@pytest.mark.parametrize("value", [ATTACK, "a\r\nb: c", "\ud800", "\x00", "é=&?#", ""])
def test_an_event_of_any_place_makes_a_request(location: str, value: str) -> None:
    finding = {"category": "sqli", "location": location, "name": "X-Name", "value": value}
    trial = playground.of_event(
        {
            "endpoint": "/a b",
            "method": "POST",
            "ip_address": "203.0.113.7",
            "metadata": {"findings": [finding]},
        }
    )
    playground.run(evolve(trial, config="default"), SecurityConfig())


def test_a_permalink_shows_the_same_again(admin: Browser) -> None:
    answer = admin.post("/playground/keep", text=ATTACK, threshold="9", place="form")
    page = admin.get(answer.headers["Location"]).text
    assert "passes" in page
    assert re.search(r'name="threshold" value="9"', page)
    assert admin.get("/playground/nosuchthing").status_code == 404


def test_the_last_days_events_are_weighed_with_another_threshold(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event(), event(ip_address="198.51.100.9"))
    low = admin.post("/playground", text="x", threshold="4").text
    assert "Of the newest 2 refusals of the last day, 0 from 0 clients would pass" in low
    high = admin.post("/playground", text="x", threshold="5").text
    assert "Of the newest 2 refusals of the last day, 2 from 2 clients would pass" in high


def test_nothing_that_is_pasted_is_cut_or_replaced_in_silence(admin: Browser) -> None:
    """A body that is cut before its attack would pass here, and nowhere else."""
    deep = '{"a":' * 60_000 + '"<script>alert(1)</script>"' + "}" * 60_000
    raw = f"POST / HTTP/1.1\nHost: x\nContent-Type: application/json\n\n{deep}"
    for fields, said in (
        ({"text": raw, "kind": "request"}, "the playground takes"),
        ({"text": "x", "kind": "smoke"}, "kind: "),
        ({"text": "x", "place": "moon"}, "place: "),
        ({"text": "x", "config": "none"}, "config: "),
    ):
        answer = admin.post("/playground", **fields)
        assert answer.status_code == 422
        assert said in answer.text
        assert admin.post("/playground/keep", **fields).status_code == 400


@pytest.mark.parametrize(
    ("threshold", "passes"),
    [("strict", False), ("balanced", False), ("relaxed", False), ("9", True)],
)
def test_a_threshold_has_a_name_or_a_number(threshold: str, passes: bool) -> None:
    assert run(text=ATTACK, threshold=threshold).outcome.passed is passes


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(
            {"text": "curl http://x/ " + '-H "a: b" ' * 50_000, "kind": "curl"},
            id="headers of curl",
        ),
        pytest.param(
            {"text": "GET / HTTP/1.1\n" + "a: b\n" * 60_000, "kind": "request"}, id="headers"
        ),
        pytest.param(
            {
                "config": "toml",
                "toml": "blocked_user_agents = ["
                + ",".join(['"(a[a-z]{1,200}){1,4}x"'] * 50)
                + "]",
            },
            id="user agents",
        ),
        pytest.param(
            {
                "config": "toml",
                "toml": '[detection_custom_patterns]\nx = "' + "(a|b|c){1,100}" * 50 + '"',
            },
            id="patterns",
        ),
    ],
)
def test_nobody_keeps_the_console_busy_with_a_trial(admin: Browser, fields: dict[str, str]) -> None:
    began = time.process_time()
    answer = admin.post("/playground", **{"text": "x", **fields})
    assert answer.status_code == 422
    assert time.process_time() - began < 5


def test_rules_that_would_take_long_to_compile_are_refused(
    console: Console, key: NewKey, admin: Browser
) -> None:
    slow = "\n".join(["(a[a-z]{1,200}){1,4}x"] * 50)
    for path in ("/rules", "/rules/preview"):
        answer = admin.post(path, app="shop", version="0", blocked_user_agents=slow)
        assert "does not compile" in answer.text
