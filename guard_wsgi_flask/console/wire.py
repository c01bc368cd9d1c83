"""The API for agents: ``/api/v1``, in the format of guard-agent 3.2.4."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from guard_wsgi.agent.handler import WAIT_HEADER
from guard_wsgi_flask.console.envelope import (
    MAX_BODY_BYTES,
    WireError,
    check_signature,
    open_envelope,
    read_batch,
    read_object,
    unpack,
)
from guard_wsgi_flask.console.intake import Sender
from guard_wsgi_flask.console.keys import Key
from guard_wsgi_flask.console.records import clean
from guard_wsgi_flask.console.services import services

log = logging.getLogger("guard_wsgi.console")

wire = Blueprint("wire", __name__, url_prefix="/api/v1")

MAX_WAIT_SECONDS = 25
"""The longest wait: below the 30 s after which proxies give up."""
MAX_WAITING = 256
"""The most agents that wait for news; each holds a thread. Others are answered at once."""

_WAIT = re.compile(r"(?:^|,)\s*wait=(\d{1,4})\s*(?:$|[,;])")


@wire.errorhandler(WireError)
def _refuse(error: WireError) -> ResponseReturnValue:
    key: Key | None = g.get("wire_key")
    who = f"an agent of {key.app}" if key is not None else "a sender without a known key"
    if services().refusals.count(key.app if key is not None else ""):
        log.warning("refused a batch from %s: %s", who, error.detail)
    if key is not None:
        services().intake.refused(_sender(key), error.detail)
    answer = jsonify(success=False, error=error.detail)
    answer.status_code = error.status
    return answer


@wire.post("/events")
@wire.post("/metrics")
def take_batch() -> ResponseReturnValue:
    key = _key()
    body = _body(key)
    return _store(key, read_object(body))


@wire.post("/events/encrypted")
def take_envelope() -> ResponseReturnValue:
    key = _key()
    body = _body(key)
    return _store(key, open_envelope(read_object(body), key.encryption_key))


@wire.post("/status")
def take_status() -> ResponseReturnValue:
    key = _key()
    services().intake.status(_sender(key), read_object(_body(key)))
    return jsonify(success=True)


@wire.get("/rules")
def give_rules() -> ResponseReturnValue:
    """Answer with the rules in force; an agent that can wait gets them as soon as they change.

    ``ETag`` and ``If-None-Match`` (RFC 9110, 13.1.2), ``Prefer: wait`` (RFC 7240, 4.3).
    """
    key = _key()
    book = services().rules
    known = request.headers.get("If-None-Match", "")
    wait = _WAIT.search(request.headers.get("Prefer", ""))
    delivery = book.delivery(key.app)
    if wait is not None and known == delivery.etag:
        with services().waiting.place() as has_place:
            if has_place:
                seconds = min(int(wait[1]), MAX_WAIT_SECONDS)
                delivery = book.await_other(key.app, known, seconds)
    if known == delivery.etag:
        answer = Response(status=304)
    else:
        answer = Response(delivery.body, content_type="application/json")
        services().intake.fetched_rules(_sender(key), delivery.version)
    answer.headers["ETag"] = delivery.etag
    answer.headers["Cache-Control"] = "no-store"
    answer.headers[WAIT_HEADER] = str(MAX_WAIT_SECONDS)
    return answer


def _store(key: Key, batch: dict[str, Any]) -> ResponseReturnValue:
    events, metrics, batch_id = read_batch(batch)
    services().keeper.touch()
    stored = services().intake.batch(_sender(key), events, metrics, batch_id)
    return jsonify(
        success=True,
        accepted=stored.accepted,
        duplicates=stored.duplicates,
        rejected=stored.rejected,
    )


def _key() -> Key:
    """:raises WireError: 401 without a valid key."""
    text = request.headers.get("X-API-Key", "")
    key = services().keys.find(text) if text else None
    if key is None:
        raise WireError(401, "X-API-Key is missing, unknown or revoked")
    g.wire_key = key
    return key


def _body(key: Key) -> bytes:
    """Return the signed body, which is the uncompressed one.

    :raises WireError: as the functions of envelope.py.
    """
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise WireError(413, f"more than {MAX_BODY_BYTES} bytes")
    raw = request.stream.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        raise WireError(413, f"more than {MAX_BODY_BYTES} bytes")
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    body = unpack(raw, encoding)
    check_signature(body, key.signing_secret, request.headers.get("X-Payload-Signature"))
    return body


def _sender(key: Key) -> Sender:
    headers = request.headers
    return Sender(
        app=key.app,
        install=clean(headers.get("X-Agent-Install-Id"), 64) or "unnamed",
        version=clean(headers.get("User-Agent"), 128),
        project=clean(headers.get("X-Project-ID"), 64),
        key_id=key.id,
    )
