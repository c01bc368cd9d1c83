"""Telemetry: labels that dashboards know, and no secret of a path."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from guard_wsgi import BehaviorRule, SecurityConfig, SecurityDecorator
from guard_wsgi_flask import FlaskAPIGuard
from tests.agent.collector import Collector

SECRET = "eyJ0b2tlbiI6IDQyfQ.s3cr3t"
FAR = {"REMOTE_ADDR": "203.0.113.9"}

Told = Callable[..., list[dict[str, Any]]]


class Site:
    def __init__(self, collector: Collector, **options: Any) -> None:
        self.collector = collector
        self.app = Flask("site")
        self.config = SecurityConfig(
            enable_agent=True,
            agent_api_key="a key of more than ten",
            agent_endpoint=collector.url,
            agent_flush_interval=3600,
            **options,
        )
        self.protect = SecurityDecorator(self.config)
        self.app.add_url_rule("/reset/<token>", "reset", lambda token: "ok")
        self.app.add_url_rule("/", "home", lambda: "ok")

    def guarded(self) -> Any:
        self.guard = FlaskAPIGuard(self.app, config=self.config)
        return self.app.test_client()

    def events(self) -> list[dict[str, Any]]:
        parts = self.guard.middleware.services
        parts.events.flush_metrics(final=True)
        assert parts.agent is not None
        assert parts.agent.flush_buffer(10)
        return list(self.collector.events)

    def all_that_was_sent(self) -> str:
        return b"\n".join(request.body for request in self.collector.requests).decode()


@pytest.mark.parametrize(
    "path",
    [
        f"/reset/{SECRET}?q=<script>alert(1)</script>",
        f"/reset/{SECRET}%3Cscript%3Ealert(1)%3C/script%3E",
        f"/nowhere/{SECRET}?q=<script>alert(1)</script>",
    ],
)
def test_a_token_in_a_path_does_not_leave_the_process(collector: Collector, path: str) -> None:
    site = Site(collector, agent_compression_enabled=False)
    client = site.guarded()
    assert client.get(path, environ_base=FAR).status_code == 400
    assert client.get(f"/reset/{SECRET}", environ_base=FAR).status_code == 200
    assert client.get(f"/lost/{SECRET}", environ_base=FAR).status_code == 404
    site.events()
    sent = site.all_that_was_sent()
    assert "penetration_attempt" in sent
    assert "s3cr3t" not in sent


def test_events_and_metrics_name_an_endpoint_alike(collector: Collector) -> None:
    site = Site(collector)
    client = site.guarded()
    client.get(f"/reset/{SECRET}?q=<script>alert(1)</script>", environ_base=FAR)
    client.get(f"/reset/{SECRET}", environ_base=FAR)
    client.get("/nowhere?q=<script>alert(1)</script>", environ_base=FAR)
    named = {event["endpoint"] for event in site.events() if event["method"]}
    assert named == {"/reset/<token>", "(unmatched)"}
    counted = {metric["endpoint"] for metric in collector.metrics}
    assert counted == named
    assert {
        metric["metric_type"]
        for metric in collector.metrics
        if metric["endpoint"] == "/reset/<token>"
    } >= {"request_count", "response_time"}


def test_the_log_of_the_machine_still_says_the_path(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(collector)
    site.guarded().get("/nowhere?q=<script>alert(1)</script>", environ_base=FAR)
    lines = [record for record in caplog.records if "Blocked" in record.getMessage()]
    assert "GET /nowhere " in lines[0].getMessage()
    assert lines[0].guard_path == "/nowhere"  # type: ignore[attr-defined]


def test_labels_are_filled(collector: Collector) -> None:
    site = Site(
        collector,
        rate_limit=3,
        auto_ban_threshold=2,
        auto_ban_duration=600,
        global_behavior_rules=[BehaviorRule("usage", 1, action="log")],
    )
    site.app.add_url_rule(
        "/k", view_func=site.protect.api_key_auth(verifier=lambda r, k: None)(lambda: "in")
    )
    client = site.guarded()
    client.get("/k", environ_base=FAR)
    for _ in range(2):
        client.get("/?q=<script>alert(1)</script>", environ_base=FAR)
    other = {"REMOTE_ADDR": "198.51.100.7"}
    for _ in range(4):
        client.get("/", environ_base=other)
    told: dict[str, dict[str, Any]] = {}
    for event in site.events():
        told.setdefault(event["event_type"], event)
        assert event["handler_name"]
        assert event["action_taken"]
    refused = told["authentication_failed"]
    assert refused["decorator_type"] == "authentication"
    assert refused["endpoint"] == "/k"
    assert 0 <= refused["response_time"] < 10
    assert told["penetration_attempt"]["handler_name"] == "sus_patterns"
    assert told["penetration_attempt"]["decorator_type"] is None
    banned = told["ip_banned"]
    assert (banned["action_taken"], banned["handler_name"]) == ("banned", "ip_ban")
    assert banned["metadata"]["duration"] == 600
    limited = told["rate_limited"]
    assert (limited["handler_name"], limited["rule_type"]) == ("rate_limit", "global")
    assert told["behavioral_violation"]["rule_type"] == "usage"


def test_a_batch_says_the_version_of_the_guard(collector: Collector) -> None:
    site = Site(collector, agent_compression_enabled=False)
    site.guarded().get("/?q=<script>alert(1)</script>", environ_base=FAR)
    site.events()
    batch = next(
        json.loads(request.body) for request in collector.requests if b'"events"' in request.body
    )
    assert batch["guard_core_version"]
    assert batch["guard_version"].startswith("guard-wsgi")


def test_a_batch_is_no_larger_than_the_service_takes() -> None:
    from guard_wsgi import AgentConfig

    assert AgentConfig(api_key="a key of more than ten").batch_max_bytes == 256 * 1024
