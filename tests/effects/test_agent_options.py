"""The effects of the options of the agent, dynamic rules and emergency mode.

Each test serves a site that reports to a collector on loopback.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi.errors import ConfigError
from tests.agent.collector import Collector, Reply
from tests.effects.site import VISITOR, LiveSite

API_KEY = "a-key-of-the-tests"
REFUSED = {"blacklist": [VISITOR]}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


Reporting = Callable[..., LiveSite]


@pytest.fixture
def reporting(collector: Collector, tmp_path: Path) -> Iterator[Reporting]:
    """Makes sites that refuse the visitor and report it; their agents end with the test."""
    sites: list[LiveSite] = []

    def make(**options: Any) -> LiveSite:
        settings = {
            **REFUSED,
            "enable_agent": True,
            "agent_api_key": API_KEY,
            "agent_endpoint": collector.url,
            "agent_install_id": "install-of-the-tests",
            # An agent is shared by the guards of one project in a process.
            "agent_project_id": f"project-{tmp_path.name}-{len(sites)}",
            "agent_flush_interval": 0.05,
            "agent_backoff_factor": 0.01,
            "agent_exit_timeout": 0.2,
            **options,
        }
        sites.append(LiveSite({k: v for k, v in settings.items() if v is not None}))
        return sites[-1]

    yield make
    for site in sites:
        agent = site.guard.services.agent
        if agent is not None:
            agent.stop(0.5)


def first_event(collector: Collector) -> dict[str, Any]:
    event: dict[str, Any] = collector.wait_for(lambda: collector.events)[0]
    return event


def test_enable_agent_and_agent_api_key_and_agent_endpoint(
    reporting: Reporting, collector: Collector
) -> None:
    with reporting(enable_agent=True) as site:
        assert site.visit("/page").status == 403
        event = first_event(collector)
        assert (event["event_type"], event["ip_address"]) == ("ip_blocked", VISITOR)
        headers = collector.posts()[0].headers
        assert API_KEY in (headers.get("authorization", "") + headers.get("x-api-key", ""))
        agent = site.guard.services.agent
        assert agent is not None
        agent.stop(5)
    collector.requests.clear()
    with LiveSite({**REFUSED, "agent_endpoint": collector.url, "agent_api_key": API_KEY}) as site:
        assert site.visit("/page").status == 403
    time.sleep(0.2)
    assert collector.requests == []


def test_agent_project_id(reporting: Reporting, collector: Collector) -> None:
    with reporting(agent_project_id="project-seven") as site:
        site.visit()
        first_event(collector)
        request = collector.posts()[0]
        assert "project-seven" in str(request.headers) + request.plain.decode()


def test_agent_install_id_and_agent_guard_version(
    reporting: Reporting, collector: Collector
) -> None:
    with reporting(agent_install_id="install-nine", agent_guard_version="9.8.7") as site:
        site.visit()
        first_event(collector)
        request = collector.posts()[0]
        told = str(request.headers) + request.plain.decode()
        assert "install-nine" in told
        assert "9.8.7" in told


def test_agent_enable_events_and_agent_enable_metrics(
    reporting: Reporting, collector: Collector
) -> None:
    with reporting(agent_enable_events=False) as site:
        site.visit()
        site.guard.services.events.flush_metrics(final=True)
        collector.wait_for(lambda: collector.metrics)
        assert collector.events == []
    collector.requests.clear()
    with reporting(agent_enable_metrics=False) as site:
        site.visit()
        site.guard.services.events.flush_metrics(final=True)
        first_event(collector)
        time.sleep(0.2)
        assert collector.metrics == []


def test_agent_strict(reporting: Reporting) -> None:
    with reporting(agent_api_key="short") as site:
        assert site.visit().status == 403, "it is served without telemetry"
        assert site.guard.services.agent is None
    strict = LiveSite({"enable_agent": True, "agent_api_key": "short", "agent_strict": True})
    with pytest.raises(ConfigError, match="api_key"), strict:
        raise AssertionError("it must not be served")


def test_agent_flush_interval(reporting: Reporting, collector: Collector) -> None:
    with reporting(agent_flush_interval=3600) as site:
        site.visit()
        time.sleep(0.3)
        assert collector.events == []
        agent = site.guard.services.agent
        assert agent is not None
        agent.flush_buffer(5)
        assert len(collector.events) == 1


def test_agent_buffer_size_and_agent_buffer_overflow_policy(
    reporting: Reporting, collector: Collector
) -> None:
    options = {
        "agent_buffer_size": 3,
        "agent_buffer_overflow_policy": "drop",
        "agent_flush_interval": 3600,
        "agent_high_watermark_ratio": 1.0,
        "agent_enable_metrics": False,
    }
    collector.default = Reply(status=503)
    with reporting(**options) as site:
        site.statuses(10)
        agent = site.guard.services.agent
        assert agent is not None
        stats = json.dumps(agent.get_stats())
        assert "queue_full" in stats or "buffer" in stats
        dropped = [value for name, value in _numbers(agent.get_stats()) if "queue_full" in name]
        assert sum(dropped) >= 1


def _numbers(table: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{prefix}{name}", value


def test_agent_high_watermark_ratio(reporting: Reporting, collector: Collector) -> None:
    options = {
        "agent_buffer_size": 20,
        "agent_flush_interval": 3600,
        "agent_enable_metrics": False,
    }
    with reporting(**options, agent_high_watermark_ratio=0.2) as site:
        site.statuses(5)
        collector.wait_for(lambda: len(collector.events) >= 4)
    collector.requests.clear()
    with reporting(**options, agent_high_watermark_ratio=1.0) as site:
        site.statuses(5)
        time.sleep(0.3)
        assert collector.events == []


def test_agent_retry_attempts_and_agent_backoff_factor(
    reporting: Reporting, collector: Collector
) -> None:
    collector.script.extend([Reply(status=503)] * 2)
    options = {"agent_retry_attempts": 2, "agent_backoff_factor": 0.01}
    with reporting(**options, agent_enable_metrics=False) as site:
        site.visit()
        collector.wait_for(lambda: len(collector.posts()) == 3)
        bodies = {request.plain for request in collector.posts()}
        assert len(bodies) == 1
        began, ended = collector.posts()[0].at, collector.posts()[2].at
        assert ended - began < 5, "the factor of 0.01 makes waits short"


def test_agent_max_concurrent_flushes(reporting: Reporting, collector: Collector) -> None:
    site = reporting(agent_max_concurrent_flushes=4)
    with ExitStack() as serving:
        with pytest.warns(UserWarning, match="max_concurrent_flushes has no effect"):
            serving.enter_context(site)
        site.visit()
        first_event(collector)


def test_agent_timeout(reporting: Reporting, collector: Collector) -> None:
    collector.script.append(Reply(hang=30))
    with reporting(agent_timeout=0.2, agent_enable_metrics=False) as site:
        site.visit()
        collector.wait_for(lambda: len(collector.posts()) >= 2)
        assert collector.posts()[1].at - collector.posts()[0].at < 10


def test_agent_compression_enabled_and_agent_compression_threshold(
    reporting: Reporting, collector: Collector
) -> None:
    encodings = []
    for options in (
        {"agent_compression_threshold": 0},
        {"agent_compression_threshold": 1_000_000},
        {"agent_compression_threshold": 0, "agent_compression_enabled": False},
    ):
        collector.requests.clear()
        with reporting(**options, agent_enable_metrics=False) as site:
            site.visit()
            first_event(collector)
            encodings.append(collector.posts()[0].headers.get("content-encoding"))
    assert encodings == ["gzip", None, None]


def test_agent_payload_signing_secret(reporting: Reporting, collector: Collector) -> None:
    signed = []
    for secret in ("a-secret-of-the-tests", None):
        collector.requests.clear()
        with reporting(agent_payload_signing_secret=secret) as site:
            site.visit()
            first_event(collector)
            signed.append(any("signature" in name for name in collector.posts()[0].headers))
    assert signed == [True, False]


def test_agent_project_encryption_key(reporting: Reporting, collector: Collector) -> None:
    pytest.importorskip("cryptography")
    key = base64.urlsafe_b64encode(b"k" * 32).decode()
    with reporting(agent_project_encryption_key=key) as site:
        site.visit("/secret-page")
        collector.wait_for(lambda: [r for r in collector.requests if r.method == "POST"])
        told = b"".join(r.plain for r in collector.requests if r.method == "POST")
        assert VISITOR.encode() not in told


def test_agent_sensitive_headers(reporting: Reporting, collector: Collector) -> None:
    with reporting(agent_sensitive_headers=["X-Voucher"], agent_enable_metrics=False) as site:
        site.guard.services.events.emit("suspicious_request", headers={"X-Voucher": "abc123"})
        first_event(collector)
        assert b"abc123" not in collector.posts()[0].plain
    collector.requests.clear()
    with reporting(agent_enable_metrics=False) as site:
        site.guard.services.events.emit("suspicious_request", headers={"X-Voucher": "abc123"})
        first_event(collector)
        assert b"abc123" in collector.posts()[0].plain


def test_agent_max_payload_size(reporting: Reporting, collector: Collector) -> None:
    lengths = []
    for limit in (64, 512):
        collector.requests.clear()
        with reporting(agent_max_payload_size=limit, agent_enable_metrics=False) as site:
            site.guard.services.events.emit("suspicious_request", note="x" * 1000)
            lengths.append(len(json.dumps(first_event(collector)["metadata"])))
    assert lengths[0] < 200 < 400 < lengths[1]


def test_agent_send_paths(reporting: Reporting, collector: Collector) -> None:
    for number, sends in enumerate((False, True), 1):
        with reporting(agent_send_paths=sends) as site:
            site.visit("/page")
            assert collector.wait_for(lambda number=number: len(collector.events) == number)
        assert collector.events[-1].get("path") == ("/page" if sends else None)


def test_agent_batch_max_bytes(reporting: Reporting, collector: Collector) -> None:
    options = {"agent_enable_metrics": False, "agent_compression_enabled": False}
    with reporting(agent_batch_max_bytes=4096, **options) as site:
        for number in range(40):
            site.guard.services.events.emit("suspicious_request", note="x" * 200, number=number)
        assert collector.wait_for(lambda: len(collector.events) == 40)
    bodies = [request.body for request in collector.requests if b'"events"' in request.body]
    assert len(bodies) > 3
    assert max(map(len, bodies)) <= 4096


def test_agent_status_interval(reporting: Reporting) -> None:
    with reporting(agent_status_interval=60) as site:
        agent = site.guard.services.agent
        assert agent is not None
        assert agent.config.status_interval == 60


def test_agent_spool_path_and_its_bounds(
    reporting: Reporting, collector: Collector, tmp_path: Path
) -> None:
    pytest.importorskip("lmdb")
    collector.default = Reply(status=503)
    options = {
        "agent_spool_path": tmp_path / "spool",
        "agent_spool_max_bytes": 2_000_000,
        "agent_spool_max_age": 3600,
    }
    with reporting(**options) as site:
        site.visit()
        collector.wait_for(lambda: collector.posts())
        agent = site.guard.services.agent
        assert agent is not None
        assert agent.config.spool_max_bytes == 2_000_000
        assert agent.config.spool_max_age == 3600
    assert any((tmp_path / "spool").iterdir())


def test_agent_exit_timeout(reporting: Reporting, collector: Collector) -> None:
    collector.default = Reply(hang=30)
    with reporting(agent_exit_timeout=0.1) as site:
        site.visit()
        agent = site.guard.services.agent
        assert agent is not None
        assert agent.config.exit_timeout == 0.1
        began = time.monotonic()
        agent.stop()
        assert time.monotonic() - began < 5


def test_enable_enrichment(reporting: Reporting, collector: Collector) -> None:
    for enriched in (True, False):
        collector.requests.clear()
        with reporting(enable_enrichment=enriched) as site:
            site.visit()
            metadata = first_event(collector)["metadata"]
            assert ("guard.threat_score" in metadata) is enriched


# -- dynamic rules ---------------------------------------------------------------------------


def rules(**options: Any) -> bytes:
    document = {
        "rule_id": "rule-1",
        "version": 1,
        "timestamp": "2026-11-01T00:00:00+00:00",
        **options,
    }
    return json.dumps(document).encode()


def test_enable_dynamic_rules(reporting: Reporting, collector: Collector) -> None:
    collector.rules = rules(blocked_user_agents=["evilbot"])
    agent = {"User-Agent": "evilbot/1"}
    with reporting(enable_dynamic_rules=True) as site:
        deadline = time.monotonic() + 10
        while site.visit(ip="9.9.9.9", headers=agent).status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert site.visit(ip="9.9.9.9").status == 200
    collector.requests.clear()
    with reporting() as site:
        assert site.visit(ip="9.9.9.9", headers=agent).status == 200
        time.sleep(0.1)
        assert not [r for r in collector.requests if r.method == "GET"]


def test_emergency_by_dynamic_rules(reporting: Reporting, collector: Collector) -> None:
    collector.rules = rules(emergency_mode=True, emergency_whitelist=["10.0.0.0/8"])
    with reporting(enable_dynamic_rules=True) as site:
        deadline = time.monotonic() + 10
        while site.visit(ip="9.9.9.9").status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert site.visit(ip="9.9.9.9").status == 503
        assert site.visit(ip="10.1.2.3").status == 200


def test_dynamic_rules_cache_path(
    reporting: Reporting, collector: Collector, tmp_path: Path
) -> None:
    path = tmp_path / "rules.json"
    collector.rules = rules(blocked_user_agents=["evilbot"])
    agent = {"User-Agent": "evilbot/1"}
    options = {"enable_dynamic_rules": True, "dynamic_rules_cache_path": path}
    with reporting(**options) as site:
        deadline = time.monotonic() + 10
        while site.visit(ip="9.9.9.9", headers=agent).status == 200 or not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    collector.rules = None
    collector.default = Reply(status=503)
    with reporting(**options) as site:
        deadline = time.monotonic() + 10
        while site.visit(ip="9.9.9.9", headers=agent).status == 200:
            assert time.monotonic() < deadline, "the last known rules hold without a collector"
            time.sleep(0.02)


def test_dynamic_rule_interval(reporting: Reporting, collector: Collector) -> None:
    collector.rules = rules()
    with reporting(enable_dynamic_rules=True, dynamic_rule_interval=60) as site:
        site.visit(ip="9.9.9.9")
        collector.wait_for(lambda: [r for r in collector.requests if r.method == "GET"])
        agent = site.guard.services.agent
        assert agent is not None
        assert agent.config.dynamic_rule_interval == 60


# -- emergency -------------------------------------------------------------------------------


def test_emergency_mode_and_emergency_whitelist() -> None:
    options = {"emergency_mode": True, "emergency_whitelist": ["10.0.0.0/8"]}
    with LiveSite(options) as site:
        answer = site.visit()
        assert answer.status == 503
        assert int(answer.header("Retry-After") or 0) > 0
        assert site.visit(ip="10.1.2.3").status == 200
