"""The agent behind a guard: ``enable_agent=True`` and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.telemetry.event_types import EVENT_TYPES
from tests.agent.collector import Collector

Make = Callable[..., GuardMiddleware]


def plain(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@pytest.fixture
def guard(collector: Collector) -> Iterator[Make]:
    made: list[GuardMiddleware] = []

    def make(routes: dict[str, RouteConfig] | None = None, **options: Any) -> GuardMiddleware:
        settings: dict[str, Any] = {
            "enable_agent": True,
            "agent_api_key": "a-key-of-the-tests",
            "agent_endpoint": collector.url,
            "agent_install_id": "install-of-the-tests",
            "rate_limit": 1000,
            **options,
        }
        made.append(GuardMiddleware(plain, SecurityConfig(**settings), routes=routes))
        return made[-1]

    yield make
    for one in made:
        if one.services.agent is not None:
            one.services.agent.stop(0.5)
        one.close()


def ask(app: GuardMiddleware, path: str = "/", body: bytes = b"", **environ: str) -> int:
    given: dict[str, Any] = {
        "REQUEST_METHOD": "POST" if body else "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "203.0.113.7",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_USER_AGENT": "curl/8",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        **environ,
    }
    status = ""

    def start_response(told: str, headers: Any, exc_info: Any = None) -> Any:
        nonlocal status
        status = told

    response = app(given, start_response)
    list(response)
    getattr(response, "close", lambda: None)()
    return int(status[:3])


def flush(app: GuardMiddleware) -> None:
    assert app.services.agent is not None
    assert app.services.agent.flush_buffer(10)


REFUSALS: list[tuple[str, dict[str, Any], dict[str, str], int, str]] = [
    ("address list", {"blacklist": ["203.0.113.7"]}, {}, 403, "ip_blocked"),
    ("user agent", {"blocked_user_agents": ["evil"]}, {"HTTP_USER_AGENT": "evil"}, 403, ""),
    ("emergency", {"emergency_mode": True}, {}, 503, "emergency_mode_block"),
    ("https", {"enforce_https": True}, {}, 0, "https_enforced"),
    ("size", {"max_request_size": 10}, {"CONTENT_LENGTH": "11"}, 413, "content_filtered"),
    (
        "attack",
        {},
        {"QUERY_STRING": "q=1%27%20UNION%20SELECT%20password%20FROM%20users--"},
        400,
        "penetration_attempt",
    ),
    ("framing", {}, {"CONTENT_LENGTH": "x"}, 400, ""),
]


@pytest.mark.parametrize(
    ("options", "environ", "status", "event_type"),
    [case[1:] for case in REFUSALS],
    ids=[case[0] for case in REFUSALS],
)
def test_each_refusal_is_one_event_with_stable_fields(
    guard: Make,
    collector: Collector,
    options: dict[str, Any],
    environ: dict[str, str],
    status: int,
    event_type: str,
) -> None:
    app = guard(**options)
    answered = ask(app, "/wanted", **environ)
    assert answered == status or (not status and answered >= 300)
    flush(app)
    refusals = [told for told in collector.events if told["action_taken"] == "request_blocked"]
    [event] = refusals
    assert event["event_type"] == event_type or (not event_type and event["event_type"])
    assert event["event_type"] in EVENT_TYPES
    assert event["action_taken"] == "request_blocked"
    assert event["ip_address"] == "203.0.113.7"
    assert event["endpoint"] == "(unmatched)"
    assert "/wanted" not in str(event)
    assert event["handler_name"]
    assert event["method"] == "GET"
    assert event["status_code"] == answered
    assert event["reason"]
    assert event["metadata"]["check"]
    assert event["metadata"]["request_id"]


def test_passive_mode_tells_of_what_it_lets_through(guard: Make, collector: Collector) -> None:
    app = guard(passive_mode=True, blocked_user_agents=["evil"])
    assert ask(app, HTTP_USER_AGENT="evil") == 200
    flush(app)
    assert [told["action_taken"] for told in collector.events] == ["logged_only"]


def test_metrics_name_routes_never_paths_and_count_refusals(
    guard: Make, collector: Collector
) -> None:
    app = guard({"/items/<id>": RouteConfig()}, blocked_user_agents=["evil"])
    for number in range(5):
        assert ask(app, f"/items/{number}") == 200
        assert ask(app, f"/elsewhere/{number}") == 200
        assert ask(app, f"/items/{number}", HTTP_USER_AGENT="evil") == 403
    flush(app)
    endpoints = {metric["endpoint"] for metric in collector.metrics}
    assert endpoints == {"/items/<id>", "(unmatched)"}
    counted = {
        (metric["endpoint"], metric["tags"]["status"]): metric["value"]
        for metric in collector.metrics
        if metric["metric_type"] == "request_count"
    }
    assert counted == {
        ("/items/<id>", "2xx"): 5,
        ("/items/<id>", "4xx"): 5,
        ("(unmatched)", "2xx"): 5,
    }


def test_no_secret_of_a_request_leaves(guard: Make, collector: Collector) -> None:
    app = guard(log_sensitive_params=["pin"], log_sensitive_body_fields=["cvv"])
    attack = "hunter2'%20UNION%20SELECT%20password%20FROM%20users--"
    assert ask(app, QUERY_STRING=f"pin={attack}", HTTP_COOKIE="session=hunter2") == 400
    form = f"cvv={attack}".encode()
    assert ask(app, body=form, CONTENT_TYPE="application/x-www-form-urlencoded") == 400
    flush(app)
    assert len([told for told in collector.events if told["action_taken"]]) == 2
    assert "hunter2" not in json.dumps(collector.events)


def test_muted_types_are_not_sent(guard: Make, collector: Collector) -> None:
    app = guard(
        blocked_user_agents=["evil"],
        muted_event_types={"user_agent_blocked"},
        muted_metric_types={"response_time"},
    )
    assert ask(app, HTTP_USER_AGENT="evil") == 403
    flush(app)
    assert collector.events == []
    assert "response_time" not in {metric["metric_type"] for metric in collector.metrics}


def rules(collector: Collector, **fields: Any) -> None:
    collector.rules = json.dumps({"rule_id": "r", **fields}).encode()


def poll(app: GuardMiddleware) -> None:
    poller = app.services._rules_poller
    assert poller is not None
    poller.poll()


def test_rules_take_effect_on_the_next_request_and_go_without_a_trace(
    guard: Make, collector: Collector
) -> None:
    app = guard(enable_dynamic_rules=True)
    attack = {"QUERY_STRING": "q=xyzzy123"}
    assert ask(app, **attack) == 200
    rules(
        collector,
        version=1,
        suspicious_patterns=["xyzzy[0-9]+"],
        blocked_user_agents=["evil"],
        endpoint_rate_limits={"/limited": [1, 60]},
    )
    poll(app)
    assert ask(app, **attack) == 400
    assert ask(app, HTTP_USER_AGENT="evil") == 403
    assert [ask(app, "/limited"), ask(app, "/limited")] == [200, 429]
    rules(collector, version=2, emergency_mode=True, emergency_whitelist=["198.51.100.9"])
    poll(app)
    assert ask(app) == 503
    assert ask(app, REMOTE_ADDR="198.51.100.9") == 200
    collector.rules = b"{}"
    poll(app)
    assert ask(app, **attack) == 200
    assert ask(app, HTTP_USER_AGENT="evil") == 200
    assert [ask(app, "/limited") for _ in range(3)] == [200] * 3
    flush(app)
    told = [event["event_type"] for event in collector.events]
    assert told.count("dynamic_rule_applied") == 2
    assert told.count("emergency_mode_activated") == 1
    assert told.count("emergency_mode_deactivated") == 1


def test_events_name_the_rule_in_force(guard: Make, collector: Collector) -> None:
    app = guard(enable_dynamic_rules=True, enable_enrichment=True)
    rules(collector, rule_id="night", version=7, blocked_user_agents=["evil"])
    poll(app)
    assert ask(app, HTTP_USER_AGENT="evil") == 403
    collector.rules = b"{}"
    poll(app)
    assert ask(app, QUERY_STRING="q=1'+UNION+SELECT+password+FROM+users--") == 400
    flush(app)
    told = {event["event_type"]: event["metadata"] for event in collector.events}
    assert told["user_agent_blocked"]["guard.rule.id"] == "night"
    assert told["user_agent_blocked"]["guard.rule.version"] == 7
    assert "guard.rule.id" not in told["penetration_attempt"]


def test_rules_ban_and_lift(guard: Make, collector: Collector) -> None:
    app = guard(enable_dynamic_rules=True)
    app.services.store.bans.ban("198.51.100.1", 60, "by hand")
    rules(collector, ip_blacklist=["203.0.113.0/24"], ip_whitelist=["198.51.100.1"])
    poll(app)
    assert ask(app) == 403
    assert ask(app, REMOTE_ADDR="198.51.100.1") == 200


@pytest.mark.parametrize(
    "bad",
    [
        {"suspicious_patterns": ["(?<=a)b"]},
        {"blocked_user_agents": ["(unclosed"]},
        {"blocked_cloud_providers": ["Nimbus"]},
        {"ip_blacklist": ["nonsense"]},
    ],
    ids=["pattern no engine takes", "no pattern", "unknown provider", "no address"],
)
def test_rules_with_one_fault_change_nothing(
    guard: Make, collector: Collector, bad: dict[str, Any]
) -> None:
    app = guard(enable_dynamic_rules=True)
    rules(collector, version=1, blocked_user_agents=["evil"])
    poll(app)
    rules(collector, **{"version": 2, "emergency_mode": True, **bad})
    poll(app)
    assert ask(app) == 200
    assert ask(app, HTTP_USER_AGENT="evil") == 403
    flush(app)
    assert "dynamic_rule_rejected" in {event["event_type"] for event in collector.events}


def test_the_first_request_starts_the_polling_and_an_expiry_ends_the_rules(
    guard: Make, collector: Collector
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=3)
    rules(collector, blocked_user_agents=["evil"], expires_at=soon.isoformat())
    app = guard(enable_dynamic_rules=True)
    assert ask(app) == 200
    _until(lambda: ask(app, HTTP_USER_AGENT="evil") == 403)
    _until(lambda: ask(app, HTTP_USER_AGENT="evil") == 200)


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
