"""The original guard-agent 3.2.4 and ours, beside each other: both send, both take rules."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi.agent import AgentConfig, GuardAgentHandler, SecurityEvent, SecurityMetric
from guard_wsgi_flask.console import overview, search
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.records import event_of
from guard_wsgi_flask.console.search import Filters
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser, log_in
from tests.kit.original_agent import original_agent, run_original

pytestmark = pytest.mark.timeout(240)

THEIRS = """
import json, sys
from datetime import datetime, timezone
from guard_agent import AgentConfig, SecurityEvent, SecurityMetric, guard_agent
handler = guard_agent(AgentConfig(**json.loads(sys.argv[1])))
handler.start()
for number in range(150):
    handler.send_event(SecurityEvent(
        timestamp=datetime.now(timezone.utc), event_type="penetration_attempt",
        ip_address="198.51.100.9", action_taken="request_blocked", endpoint=f"/theirs/{number}",
        method="GET", reason="r" * 50, metadata={"n": number}))
handler.send_metric(SecurityMetric(
    timestamp=datetime.now(timezone.utc), metric_type="request_count",
    value=7, endpoint="/a", tags={"method": "GET"}))
handler.flush_buffer()
rules = handler.get_dynamic_rules()
print(json.dumps({
    "blacklist": list(rules.ip_blacklist), "version": rules.version,
    "limit": rules.global_rate_limit,
    "emergency": rules.emergency_mode, "failed": handler.get_stats()["events_failed"]}))
handler.stop()
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return original_agent(tmp_path_factory)


def _options(console: Console, key: NewKey) -> dict[str, Any]:
    return {
        "api_key": key.text,
        "endpoint": console.url,
        "project_id": key.app,
        "payload_signing_secret": key.signing_secret,
        "project_encryption_key": key.encryption_key,
        "compression_threshold": 100,
    }


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "signed and encrypted"])
def test_both_send_and_take_rules(live: Console, theirs: Path, sealed: bool) -> None:
    services = live.services
    key = services.keys.create("shop", "tests", signed=sealed, encrypted=sealed)
    services.rules.write(
        "shop",
        {
            "ip_blacklist": ["203.0.113.66"],
            "global_rate_limit": 77,
            "detection_exclusions": [{"path": "/a", "params": ["q"]}],
        },
        "ann",
        "",
    )
    options = _options(live, key)
    told = json.loads(run_original(theirs, THEIRS, json.dumps({**options, "install_id": "theirs"})))
    assert told == {
        "blacklist": ["203.0.113.66"],
        "version": 1,
        "limit": 77,
        "emergency": False,
        "failed": 0,
    }
    ours = GuardAgentHandler(AgentConfig(**options, install_id="ours"))
    try:
        for number in range(150):
            ours.send_event(
                SecurityEvent(
                    event_type="penetration_attempt",
                    ip_address="203.0.113.9",
                    action_taken="request_blocked",
                    endpoint=f"/ours/{number}",
                    method="GET",
                    metadata={"n": number},
                )
            )
        ours.send_metric(SecurityMetric(metric_type="request_count", value=5.0, endpoint="/a"))
        assert ours.flush_buffer(20)
        rules = ours.get_dynamic_rules()
        assert rules is not None
        assert rules.ip_blacklist == ("203.0.113.66",)
        assert rules.detection_exclusions[0]["params"] == ["q"]
    finally:
        ours.stop(2)
    database = services.database
    for client, place in (("198.51.100.9", "theirs"), ("203.0.113.9", "ours")):
        rows = search.find(database, Filters(client=client), size=500).rows
        assert {row["path"] for row in rows} == {f"/{place}/{number}" for number in range(150)}
        assert {row["outcome"] for row in rows} == {"refused"}
        assert sorted(event_of(row)["metadata"]["n"] for row in rows) == list(range(150))
    assert sum(overview.timeline(database, "hour")["requests"] or []) == 12
    agents = {one.install: one for one in overview.agents(database)}
    assert set(agents) == {"theirs", "ours"}
    assert {one.rules_version for one in agents.values()} == {1}
    assert agents["theirs"].version.startswith("guard-agent/3.2.4")
    assert "guard-wsgi" in agents["ours"].version


def test_an_agent_whose_key_is_revoked_keeps_its_events_and_the_console_says_nothing(
    live: Console,
) -> None:
    key = live.services.keys.create("shop", "tests")
    live.services.keys.revoke(live.services.keys.all()[0]["id"])
    handler = GuardAgentHandler(
        AgentConfig(api_key=key.text, endpoint=live.url, install_id="x", backoff_factor=0.01)
    )
    try:
        handler.send_event(SecurityEvent(event_type="ip_blocked"))
        deadline = time.monotonic() + 20
        while handler.get_stats()["state"] != "parked" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert handler.get_stats()["pending"] == 1
    finally:
        handler.stop(0.2)
    assert search.last_id(live.services.database) == 0
    admin: Browser = log_in(live)
    assert "No agent has sent anything" in admin.get("/").text
