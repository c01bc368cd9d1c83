"""Batches of agents are stored once and completely, and only with a key."""

from __future__ import annotations

import gzip
import hmac
import json
import time
import zlib
from typing import Any

import pytest
from sqlalchemy import func, select

from guard_wsgi.agent import AgentConfig, GuardAgentHandler
from guard_wsgi.agent.sealing import Cipher, sign
from guard_wsgi_flask.console import schema, search
from guard_wsgi_flask.console.envelope import MAX_UNPACKED_BYTES
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.records import event_of
from guard_wsgi_flask.console.search import Filters
from guard_wsgi_flask.console.serving import Console
from tests.console.sending import event, send


def stored(console: Console) -> list[dict[str, Any]]:
    return search.find(console.services.database, Filters(), size=500).rows


def counted(console: Console) -> int:
    table = schema.tallies
    with console.services.database.read() as connection:
        asked = select(func.sum(table.c.seen)).where(table.c.dimension == "kind")
        return int(connection.scalar(asked) or 0)


def test_an_event_comes_back_as_it_was_sent(console: Console, key: NewKey) -> None:
    sent = event(future_field={"a": [1, None]}, metadata={"odd": "\x00 \ud800 🙂"})
    answer = send(console, key, sent)
    assert (answer.status_code, answer.json["success"], answer.json["accepted"]) == (200, True, 1)
    assert event_of(stored(console)[0]) == sent


def test_what_is_sent_again_is_stored_and_counted_once(console: Console, key: NewKey) -> None:
    first, second = event(), event()
    send(console, key, first, first)
    answer = send(console, key, first, second)
    assert (answer.json["accepted"], answer.json["duplicates"]) == (1, 1)
    assert len(stored(console)) == counted(console) == 2


def test_two_apps_may_use_the_same_key_for_their_events(console: Console, key: NewKey) -> None:
    other = console.services.keys.create("blog", "tests")
    same = event()
    send(console, key, same)
    assert send(console, other, same).json["accepted"] == 1
    assert {row["app"] for row in stored(console)} == {"shop", "blog"}


@pytest.mark.parametrize("text", ["", "gw_wrong", "\x00"])
def test_without_a_key_in_use_nothing_is_taken(console: Console, key: NewKey, text: str) -> None:
    nobody = NewKey("shop", text.strip("\x00") or "x", None, None)
    assert send(console, nobody, event()).status_code == 401
    assert stored(console) == []


def test_a_revoked_key_is_none(console: Console, key: NewKey) -> None:
    assert send(console, key, event()).status_code == 200
    console.services.keys.revoke(console.services.keys.all()[0]["id"])
    assert send(console, key, event()).status_code == 401


def test_signatures_are_asked_for_where_the_key_has_a_secret(console: Console) -> None:
    key = console.services.keys.create("bank", "tests", signed=True)
    assert key.signing_secret is not None
    body = json.dumps({"events": [event()], "metrics": []}).encode()
    right = {"X-Payload-Signature": sign(key.signing_secret, body)}
    wrong = {"X-Payload-Signature": sign("another", body)}
    assert send(console, key, body=body).status_code == 401
    assert send(console, key, body=body, headers=wrong).status_code == 401
    # Over the body before it was compressed.
    packed = {**right, "Content-Encoding": "gzip"}
    assert send(console, key, body=gzip.compress(body), headers=packed).status_code == 200
    assert len(stored(console)) == 1


def test_envelopes_open_with_the_key_of_the_app_alone(console: Console, key: NewKey) -> None:
    bank = console.services.keys.create("bank", "tests", encrypted=True)
    assert bank.encryption_key is not None
    plain = json.dumps({"events": [event()], "metrics": []}).encode()
    envelope = json.dumps({"encrypted_payload": Cipher(bank.encryption_key).encrypt(plain)})
    path = "events/encrypted"
    assert send(console, key, body=envelope.encode(), path=path).status_code == 400
    assert send(console, bank, body=b'{"encrypted_payload": "AAAA"}', path=path).status_code == 400
    assert send(console, bank, body=envelope.encode(), path=path).json["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"", {}, 400, id="nothing"),
        pytest.param(b"[]", {}, 400, id="no object"),
        pytest.param(b'{"events": {}}', {}, 200, id="an empty object is no events"),
        pytest.param(b'{"events": {"a": 1}}', {}, 400, id="events are a list"),
        pytest.param(b"[" * 100_000, {}, 400, id="deep"),
        pytest.param(b'{"events": [' + b"1," * 20_000 + b"1]}", {}, 413, id="many"),
        pytest.param(b"{}", {"Content-Encoding": "br"}, 415, id="another coding"),
        pytest.param(b"{}", {"Content-Encoding": "gzip"}, 400, id="no gzip"),
        pytest.param(gzip.compress(b"{}") + b"x", {"Content-Encoding": "gzip"}, 400, id="trailing"),
        pytest.param(gzip.compress(b"{}")[:-4], {"Content-Encoding": "gzip"}, 400, id="cut"),
        pytest.param(b"x" * 5_000_000, {}, 413, id="large"),
    ],
)
def test_what_is_no_batch_is_refused(
    console: Console, key: NewKey, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert send(console, key, body=body, headers=headers).status_code == status
    assert stored(console) == []


def test_a_gzip_bomb_costs_little(console: Console, key: NewKey) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < 100_000
    began = time.process_time()
    assert send(console, key, body=bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
    assert time.process_time() - began < 256 * MAX_UNPACKED_BYTES / 1e9


@pytest.mark.parametrize(
    "junk",
    [1, None, [], {}, {"event_type": ""}, {"event_type": None}, {"event_type": {}, "x": 1}],
)
def test_one_bad_event_does_not_cost_the_others(console: Console, key: NewKey, junk: Any) -> None:
    answer = send(console, key, junk, event())
    assert answer.status_code == 200
    assert answer.json["accepted"] >= 1
    assert stored(console)[-1] or True
    assert any(row["client"] == "203.0.113.7" for row in stored(console))


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "not a time"},
        {"timestamp": 1e300},
        {"timestamp": "9999-12-31T23:59:59Z"},
        {"timestamp": "0001-01-01T00:00:00"},
        {"timestamp": None},
        {"status_code": 10**30},
        {"status_code": "400"},
        {"status_code": True},
        {"ip_address": ["a"]},
        {"endpoint": "\x00" * 5000},
        {"reason": "\ud800" * 3000},
        {"metadata": "text"},
        {"metadata": {"findings": "text", "threat_categories": [{}]}},
        {"metadata": {"findings": [{"score": "high", "threshold": None, "indicators": [1]}, 5]}},
        {"metadata": {"findings": [{"score": 10**400, "threshold": 0, "value": {"a": 1}}]}},
        {"metadata": {"findings": [{"score": float("nan"), "threshold": float("inf")}] * 500}},
        {"idempotency_key": None},
        {"idempotency_key": "k" * 5000},
    ],
    ids=lambda changes: str(changes)[:40].encode("ascii", "replace").decode().replace("\x00", ""),
)
def test_odd_fields_are_kept_and_break_no_page(
    console: Console, key: NewKey, admin: Any, changes: dict[str, Any]
) -> None:
    sent = {**event(), **changes}
    assert send(console, key, sent).json["accepted"] == 1
    row = stored(console)[0]
    assert abs(row["at"] / 1e6 - time.time()) < 60 or changes.get("timestamp", "").startswith("00")
    for path in (
        "/",
        "/events",
        f"/events/{row['id']}",
        "/report",
        "/clients",
        "/events.csv",
        f"/playground?event={row['id']}",
        f"/events/{row['id']}/exclusion",
    ):
        assert admin.get(path).status_code == 200, path


def test_metrics_of_a_batch_are_stored_once(console: Console, key: NewKey) -> None:
    metric = {"metric_type": "request_count", "value": 3.0, "endpoint": "/a", "tags": {"m": "GET"}}
    bad = [{**metric, "value": value} for value in ("x", None, True, float("inf"))]
    for _ in range(2):
        send(console, key, path="metrics", metrics=[metric, *bad], batch_id="1-aa")
    send(console, key, path="metrics", metrics=[metric], batch_id="2-bb")
    with console.services.database.read() as connection:
        assert connection.scalar(select(func.sum(schema.metrics.c.value))) == 6.0


def test_the_agents_health_is_shown(console: Console, key: NewKey, admin: Any) -> None:
    status = {
        "status": "degraded",
        "buffer_size": 77,
        "events_sent": 5,
        "events_failed": 3,
        "errors": ["Transport circuit breaker is open"],
    }
    assert send(console, key, path="status", body=json.dumps(status).encode()).status_code == 200
    page = admin.get("/").text
    assert "degraded" in page
    assert "77" in page
    assert "Transport circuit breaker is open" in page


def test_nothing_is_acknowledged_that_is_not_stored(
    console: Console, key: NewKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(console.services.database, "upsert", full)
    assert send(console, key, event()).status_code >= 500
    monkeypatch.undo()
    assert stored(console) == []
    assert send(console, key, event()).json["accepted"] == 1


def test_a_batch_that_is_refused_shows_until_one_is_taken(console: Console, admin: Any) -> None:
    signed = console.services.keys.create("shop", "tests", signed=True, encrypted=True)
    body = json.dumps({"events": [event()]}).encode()
    assert send(console, signed, body=body).status_code == 401
    assert "X-Payload-Signature is missing" in admin.get("/").text
    assert 'class="tag refused">refused' in admin.get("/").text.split("Health of agents")[1]
    assert signed.signing_secret is not None
    digest = hmac.new(signed.signing_secret.encode(), body, "sha256").hexdigest()
    headers = {"X-Payload-Signature": f"v1={digest}"}
    assert send(console, signed, body=body, headers=headers).status_code == 200
    assert "X-Payload-Signature" not in admin.get("/").text


def test_an_agents_breaker_is_shown_where_it_tells_it(
    console: Console, key: NewKey, admin: Any
) -> None:
    handler = GuardAgentHandler(AgentConfig(api_key="x" * 20, endpoint=console.url))
    status = json.dumps(handler.get_status().as_wire()).encode()
    assert send(console, key, path="status", body=status).status_code == 200
    assert 'data-label="breaker"><span class="tag">closed' in admin.get("/").text
    send(console, key, path="status", body=b'{"circuit_breaker_state": "half_open"}')
    assert "half open" in admin.get("/").text
    send(console, key, path="status", body=b'{"status": "healthy"}')
    assert "not sent" in admin.get("/").text
