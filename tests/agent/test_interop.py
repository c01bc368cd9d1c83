"""The real ``guard-agent`` against ours: the same facts on the wire, each reads the other.

The package is installed into an environment of its own, once a run; where it can't be installed
the tests are skipped with the reason.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi.agent import AgentConfig, DynamicRules, SecurityEvent, SecurityMetric
from guard_wsgi.agent.sealing import Cipher, is_signed
from guard_wsgi.agent.status import AgentStatus
from tests.agent.collector import Collector, Recorded
from tests.agent.conftest import MakeAgent
from tests.kit.original_agent import original_agent, run_original

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
SECRET = "a-shared-secret"

pytestmark = pytest.mark.timeout(240)

THEIRS = """
import json, os, sys
from datetime import datetime, timezone
from guard_agent import AgentConfig, SecurityEvent, SecurityMetric, guard_agent
settings = json.loads(sys.argv[1])
handler = guard_agent(AgentConfig(**settings))
handler.start()
handler.send_event(SecurityEvent(
    timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), event_type="ip_blocked",
    ip_address="203.0.113.7", user_agent="curl", reason="r", metadata={"n": 1, "cookie": "c"}))
handler.send_metric(SecurityMetric(
    timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), metric_type="block_rate",
    value=0.5, endpoint="/a", tags={"method": "GET"}))
handler.flush_buffer()
print(handler.get_dynamic_rules() is not None)
handler.stop()
"""

READS_OURS = """
import base64, json, sys
from guard_agent.encryption import PayloadEncryptor
from guard_agent.models import AgentStatus, DynamicRules, EventBatch
from guard_agent.signing import sign_payload
given = json.load(sys.stdin)
told = {}
for name, body in given["bodies"].items():
    raw = base64.b64decode(body)
    told[name] = {"signature": sign_payload(raw, secret=given["secret"])}
    if name == "envelope":
        content = PayloadEncryptor(given["key"]).decrypt(json.loads(raw)["encrypted_payload"])
        told[name]["content"] = json.loads(content) if isinstance(content, str) else content
    elif name == "status":
        told[name]["content"] = json.loads(AgentStatus.model_validate_json(raw).model_dump_json())
    elif name == "rules":
        told[name]["content"] = json.loads(DynamicRules.model_validate_json(raw).model_dump_json())
    else:
        told[name]["content"] = json.loads(EventBatch.model_validate_json(raw).model_dump_json())
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def real_agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return original_agent(tmp_path_factory)


OPTIONS: dict[str, Any] = {
    "api_key": "a-key-of-the-tests",
    "project_id": "shop",
    "install_id": "install-of-the-tests",
    "payload_signing_secret": SECRET,
    "compression_threshold": 100,
}

EVENT = SecurityEvent(
    event_type="ip_blocked",
    ip_address="203.0.113.7",
    user_agent="curl",
    reason="r",
    metadata={"n": 1, "cookie": "c"},
)
METRIC = SecurityMetric(metric_type="block_rate", value=0.5, endpoint="/a", tags={"method": "GET"})


def facts(request: Recorded) -> dict[str, Any]:
    """The differences that a collector sees between two agents, without values that must differ."""
    ignored = {"host", "connection", "accept", "accept-encoding", "content-length", "user-agent"}
    headers = {name: value for name, value in request.headers.items() if name not in ignored}
    if "x-payload-signature" in headers:
        assert is_signed(SECRET, request.plain, headers.pop("x-payload-signature"))
        headers["x-payload-signature"] = "valid"
    found: dict[str, Any] = {
        "request": (request.method, request.path),
        "agent": request.headers["user-agent"].split("/")[0],
        "headers": headers,
    }
    if request.method == "POST":
        body = request.json
        if "encrypted_payload" in body:
            found["envelope"] = sorted(body)
            body = json.loads(Cipher(KEY).decrypt(body["encrypted_payload"]))
        found["fields"] = sorted(body)
        for kind in ("events", "metrics"):
            found[kind] = [
                {
                    name: value if name not in ("idempotency_key", "timestamp") else type(value)
                    for name, value in item.items()
                }
                for item in body[kind]
            ]
    return found


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_a_collector_gets_the_same_facts_from_both(
    agent: MakeAgent, collector: Collector, real_agent: Path, encrypted: bool
) -> None:
    collector.rules = b'{"rule_id": "r", "version": 2}'
    options = {**OPTIONS, **({"project_encryption_key": KEY} if encrypted else {})}
    run_original(real_agent, THEIRS, json.dumps({**options, "endpoint": collector.url}))
    theirs = {request.path + request.method: request for request in collector.requests}
    count = len(collector.requests)

    handler = agent(**options)
    handler.send_event(EVENT)
    handler.send_metric(METRIC)
    assert handler.flush_buffer(10)
    rules = handler.get_dynamic_rules()
    assert rules is not None
    assert (rules.rule_id, rules.version) == ("r", 2)
    ours = collector.requests[count:]

    assert sorted(request.path + request.method for request in ours) == sorted(
        request.path + request.method for request in collector.requests[:count]
    )
    if encrypted:
        both = [sorted(batch, key=_kind) for batch in (collector.requests[:count], ours)]
        for their, our in zip(*both, strict=True):
            assert facts(our) == facts(their)
    else:
        for request in ours:
            assert facts(request) == facts(theirs[request.path + request.method])


def _kind(request: Recorded) -> str:
    if request.method == "GET":
        return ""
    body = json.loads(Cipher(KEY).decrypt(request.json["encrypted_payload"]))
    return "events" if body["events"] else "metrics"


def test_the_real_package_reads_what_ours_sends(
    agent: MakeAgent, collector: Collector, real_agent: Path
) -> None:
    """Its own models, its signature and its cipher, on our bytes; datetimes included."""
    handler = agent(**OPTIONS)
    handler.send_event(EVENT)
    assert handler.flush_buffer(10)
    secret = agent(**OPTIONS, project_encryption_key=KEY)
    secret.send_event(EVENT)
    assert secret.flush_buffer(10)
    rules = DynamicRules(
        rule_id="r", ip_blacklist=("192.0.2.0/24",), endpoint_rate_limits={"/a": (5, 60)}
    )
    status = AgentStatus(
        status="healthy", uptime=1.5, events_sent=1, events_failed=0, buffer_size=0
    )
    bodies = {
        "batch": collector.requests[0].plain,
        "envelope": collector.requests[1].plain,
        "status": json.dumps(status.as_wire()).encode(),
        "rules": json.dumps(rules.as_wire()).encode(),
    }
    given = {
        "secret": SECRET,
        "key": KEY,
        "bodies": {name: base64.b64encode(body).decode() for name, body in bodies.items()},
    }
    told = json.loads(run_original(real_agent, READS_OURS, stdin=json.dumps(given)))
    for name, request in zip(("batch", "envelope"), collector.requests, strict=True):
        assert told[name]["signature"] == request.headers["x-payload-signature"]
    [event] = told["batch"]["content"]["events"]
    assert event["idempotency_key"] == str(EVENT.idempotency_key)
    assert event["timestamp"].startswith(EVENT.timestamp.isoformat()[:26])
    assert told["batch"]["content"]["project_id"] == "shop"
    [hidden] = told["envelope"]["content"]["events"]
    assert hidden["reason"] == "r"
    assert told["status"]["content"]["status"] == "healthy"
    assert told["rules"]["content"]["endpoint_rate_limits"] == {"/a": [5, 60]}
    assert DynamicRules.parse(told["rules"]["content"]) == rules


def test_every_option_of_the_real_agent_is_one_of_ours(real_agent: Path) -> None:
    script = "import guard_agent; print(*guard_agent.AgentConfig.model_fields)"
    theirs = set(run_original(real_agent, script).split())
    from attrs import fields

    assert theirs <= {attribute.name for attribute in fields(AgentConfig)}
