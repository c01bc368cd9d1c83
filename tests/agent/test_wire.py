"""The wire format: paths, headers, bodies, signature, compression, envelope."""

from __future__ import annotations

import base64
import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest

from guard_wsgi.agent import SecurityEvent, SecurityMetric
from guard_wsgi.agent.identity import install_id
from guard_wsgi.agent.sealing import Cipher, EncryptionError, is_signed, sign
from tests.agent.collector import Collector, Reply
from tests.agent.conftest import API_KEY, MakeAgent

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()

EVENT_FIELDS = {
    "idempotency_key",
    "timestamp",
    "event_type",
    "ip_address",
    "country",
    "user_agent",
    "action_taken",
    "reason",
    "endpoint",
    "method",
    "status_code",
    "response_time",
    "decorator_type",
    "rule_type",
    "pattern_matched",
    "handler_name",
    "metadata",
}
BATCH_FIELDS = {
    "project_id",
    "events",
    "metrics",
    "batch_id",
    "created_at",
    "compressed",
    "agent_version",
    "guard_version",
    "guard_core_version",
}


def test_an_event_arrives_with_every_field_and_header(
    agent: MakeAgent, collector: Collector
) -> None:
    handler = agent(project_id="shop", payload_signing_secret="s3cret", compression_enabled=False)
    event = SecurityEvent(
        event_type="ip_blocked",
        ip_address="203.0.113.7",
        timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        metadata={"check": "ip_ban", "n": 3},
    )
    handler.send_event(event)
    assert handler.flush_buffer(5)

    [request] = collector.requests
    assert (request.method, request.path) == ("POST", "/api/v1/events")
    assert request.headers["user-agent"].startswith("guard-agent/")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-api-key"] == API_KEY
    assert request.headers["x-project-id"] == "shop"
    assert request.headers["x-agent-install-id"] == "install-of-the-tests"
    assert "content-encoding" not in request.headers
    assert is_signed("s3cret", request.body, request.headers["x-payload-signature"])
    batch = request.json
    assert set(batch) == BATCH_FIELDS
    assert batch["project_id"] == "shop"
    assert batch["metrics"] == []
    milliseconds, random = batch["batch_id"].split("-")
    assert milliseconds.isdigit()
    assert len(random) == 8
    [told] = batch["events"]
    assert set(told) == EVENT_FIELDS
    assert told["timestamp"] == "2026-01-02T03:04:05+00:00"
    assert UUID(told["idempotency_key"]) == event.idempotency_key
    assert told["metadata"] == {"check": "ip_ban", "n": 3}
    assert told["country"] is None


def test_metrics_have_a_path_of_their_own(agent: MakeAgent, collector: Collector) -> None:
    handler = agent()
    handler.send_metric(
        SecurityMetric(
            metric_type="request_count", value=3.0, endpoint="/a", tags={"method": "GET"}
        )
    )
    assert handler.flush_buffer(5)
    [request] = collector.requests
    assert request.path == "/api/v1/metrics"
    assert "x-project-id" not in request.headers
    assert request.json["project_id"] == "default"
    assert request.json["events"] == []
    [metric] = request.json["metrics"]
    assert set(metric) == {"timestamp", "metric_type", "value", "endpoint", "tags"}
    assert metric["tags"] == {"method": "GET"}


def test_large_bodies_are_compressed_and_signed_before_compression(
    agent: MakeAgent, collector: Collector
) -> None:
    handler = agent(payload_signing_secret="s3cret")
    handler.send_event(SecurityEvent(event_type="x", reason="r" * 2000))
    assert handler.flush_buffer(5)
    [request] = collector.requests
    assert request.headers["content-encoding"] == "gzip"
    plain = gzip.decompress(request.body)
    assert len(plain) > len(request.body)
    assert request.headers["x-payload-signature"] == sign("s3cret", plain)


@pytest.mark.parametrize("key", [KEY, KEY.rstrip("=")], ids=["padded", "unpadded"])
def test_encrypted_batches_travel_in_an_envelope(
    agent: MakeAgent, collector: Collector, key: str
) -> None:
    handler = agent(
        project_encryption_key=key, payload_signing_secret="s3cret", compression_enabled=False
    )
    handler.send_event(SecurityEvent(event_type="x", reason="quiet"))
    handler.send_metric(SecurityMetric(metric_type="block_rate", value=0.5))
    assert handler.flush_buffer(5)
    assert [request.path for request in collector.requests] == ["/api/v1/events/encrypted"] * 2
    opened = []
    for request in collector.requests:
        assert b"quiet" not in request.body
        assert set(request.json) == {
            "encrypted_payload",
            "batch_id",
            "agent_version",
            "guard_version",
            "guard_core_version",
        }
        assert is_signed("s3cret", request.body, request.headers["x-payload-signature"])
        plain = Cipher(KEY).decrypt(request.json["encrypted_payload"])
        content = json.loads(plain)
        assert (
            plain
            == json.dumps(
                content, sort_keys=True, separators=(",", ":"), ensure_ascii=False
            ).encode()
        )
        opened.append(content)
    assert opened[0]["events"][0]["reason"] == "quiet"
    assert opened[1]["metrics"][0]["value"] == 0.5


def test_an_altered_envelope_does_not_open() -> None:
    sealed = bytearray(base64.urlsafe_b64decode(Cipher(KEY).encrypt(b"text")))
    sealed[-1] ^= 1
    with pytest.raises(EncryptionError):
        Cipher(KEY).decrypt(base64.urlsafe_b64encode(sealed).decode())


def test_secrets_are_hidden_before_anything_leaves(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(sensitive_headers=("x-internal",))
    handler.send_event(
        SecurityEvent(
            event_type="x",
            metadata={
                "headers": {
                    "Authorization": "Bearer s3cr3t",
                    "X-Internal": "s3cr3t",
                    "Accept": "*/*",
                },
                "findings": [{"name": "password", "value": "s3cr3t"}],
                "body": '{"user": "u", "nested": [{"token": "s3cr3t"}]}',
            },
        )
    )
    handler.send_metric(
        SecurityMetric(metric_type="request_count", value=1, tags={"cookie": "s3cr3t"})
    )
    assert handler.flush_buffer(5)
    assert b"s3cr3t" not in collector.requests[0].plain + collector.requests[1].plain
    assert collector.events[0]["metadata"]["headers"]["Accept"] == "*/*"
    assert json.loads(collector.events[0]["metadata"]["body"])["user"] == "u"


def test_anything_with_an_events_attributes_is_taken(
    agent: MakeAgent, collector: Collector
) -> None:
    class Foreign:
        event_type = "custom"
        ip_address = "192.0.2.1"
        metadata: ClassVar = {"a": object()}

    handler = agent()
    handler.send_event(Foreign())
    handler.send_event({"event_type": "mapping", "reason": "r"})
    with pytest.raises(TypeError, match="event_type"):
        handler.send_event(object())
    assert handler.flush_buffer(5)
    assert [event["event_type"] for event in collector.events] == ["custom", "mapping"]


def test_an_event_that_json_cannot_hold_costs_only_itself(
    agent: MakeAgent, collector: Collector
) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    told: list[str] = []
    handler = agent(on_error=lambda stage, error, context: told.append(stage))
    handler.send_event(SecurityEvent(event_type="a", reason="lone \ud800 surrogate"))
    handler.send_event(SecurityEvent(event_type="b", metadata={"x": Hostile()}))
    handler.send_metric(SecurityMetric(metric_type="request_count", value=float("nan")))
    handler.send_event(SecurityEvent(event_type="c", metadata={"x": float("inf")}))
    assert handler.flush_buffer(5)
    assert [event["event_type"] for event in collector.events] == ["a", "c"]
    assert collector.metrics == []
    assert handler.get_stats()["dropped"] == {"unencodable": 2}
    assert told == ["serialization", "serialization"]


def test_redirects_are_not_followed(agent: MakeAgent, collector: Collector) -> None:
    """A redirect would give the API key to the target."""
    collector.script.append(Reply(307, headers={"Location": "/elsewhere"}))
    handler = agent()
    handler.send_event(SecurityEvent(event_type="x"))
    assert handler.flush_buffer(5)
    assert collector.summary() == ["POST /api/v1/events"] * 2


def test_status_is_reported_without_encryption(agent: MakeAgent, collector: Collector) -> None:
    handler = agent(project_encryption_key=KEY)
    handler.send_event(SecurityEvent(event_type="x"))
    assert handler.flush_buffer(5)
    handler._sender._dispatch.send_status(handler._sender.state)
    [request] = collector.posts("/api/v1/status")
    assert set(request.json) == {
        "timestamp",
        "status",
        "circuit_breaker_state",
        "uptime",
        "events_sent",
        "events_failed",
        "buffer_size",
        "last_flush",
        "errors",
    }
    assert request.json["status"] == "healthy"
    assert request.json["events_sent"] == 1
    assert handler.get_stats()["last_status_push_ok"] is True


def test_install_id_is_written_once_and_kept(tmp_path: Path) -> None:
    first = install_id(tmp_path / "new")
    assert UUID(first)
    assert install_id(tmp_path / "new") == first
    (tmp_path / "install-id").write_text("by-the-former-agent\n")
    assert install_id(tmp_path) == "by-the-former-agent"


def test_install_id_without_a_place_to_write_is_the_same_for_all_workers() -> None:
    nowhere = Path("/proc/nowhere")
    assert install_id(nowhere) == install_id(nowhere)


def test_install_id_that_is_damaged_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "install-id").write_bytes(os.urandom(64) + b"\xff\n\n")
    first = install_id(tmp_path)
    assert UUID(first)
    assert install_id(tmp_path) == first
