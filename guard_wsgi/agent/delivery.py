"""Posts a batch, and decides what the collector's answer means for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import frozen

from guard_wsgi.agent.batch import Batch, Encoder, Item, without
from guard_wsgi.agent.sealing import EncryptionError
from guard_wsgi.agent.transport import Answer, Transport, TransportError, retry_after_seconds

DropReason = Literal["rejected_4xx", "rejected", "too_big", "unencodable", "gave_up"]

_RETRIED = frozenset({408, 425, 429})
"""Request timeout, too early, too many requests: these 4xx are not the request's fault."""


@frozen(slots=True, kw_only=True)
class Outcome:
    """The outcome of one attempt.

    :ivar accepted: items that arrived.
    :ivar dropped: items that will never arrive, and why.
    :ivar again: what to try again, in order.
    :ivar trouble: a fault of the collector: ``"down"`` or ``"refused"`` (it refused the key);
        ``""`` if it works.
    :ivar answered: whether there was an answer at all.
    :ivar retry_after_seconds: the delay that the collector asked for.
    :ivar detail: for the log.
    """

    accepted: Sequence[Item] = ()
    dropped: Sequence[Item] = ()
    reason: DropReason = "rejected_4xx"
    again: Sequence[Batch] = ()
    trouble: Literal["", "down", "refused"] = ""
    answered: bool = True
    retry_after_seconds: float | None = None
    detail: str = ""
    error: Exception | None = None
    bytes_sent: int = 0


def attempt(
    batch: Batch, encoder: Encoder, transport: Transport, within_seconds: float | None = None
) -> Outcome:
    """Post a batch once."""
    try:
        sealed = encoder.seal(batch)
    except EncryptionError as error:
        return Outcome(dropped=batch.items, reason="unencodable", detail=str(error), error=error)
    try:
        answer = transport.request(
            "POST",
            encoder.path(batch.kind),
            sealed.body,
            sealed.headers,
            within_seconds=within_seconds,
        )
    except TransportError as error:
        return Outcome(
            again=(batch,), trouble="down", answered=False, detail=str(error), error=error
        )
    return outcome_of(batch, answer, len(sealed.body))


def outcome_of(batch: Batch, answer: Answer, bytes_sent: int = 0) -> Outcome:
    """Decide what an answer means for its batch.

    Any 2xx is acceptance, except a 200 whose JSON says ``"success": false`` or lists ``"errors"``:
    then the items that the errors name are tried again. If the errors name none, the collector
    can't take anything now, and the batch waits as if the collector were down (idempotency keys
    make another try harmless).
    """
    status = answer.status
    detail = f"HTTP {status}"
    if 200 <= status < 300:
        failed = _failed_positions(batch, answer) if status == 200 else frozenset()
        if not failed:
            return Outcome(accepted=batch.items, bytes_sent=bytes_sent)
        accepted = frozenset(range(len(batch.items))) - failed
        if not accepted:
            return Outcome(again=(batch,), trouble="down", detail=f"{detail}, but not accepted")
        again = without(batch, accepted)
        return Outcome(
            accepted=[batch.items[position] for position in sorted(accepted)],
            again=(again,),
            bytes_sent=bytes_sent,
            detail=f"{len(failed)} of {len(batch.items)} not accepted",
        )
    if status in (401, 403):
        return Outcome(again=(batch,), trouble="refused", detail=detail)
    if status == 413:
        if len(batch.items) == 1:
            return Outcome(dropped=batch.items, reason="too_big", detail=detail)
        return Outcome(again=batch.halves(), detail=detail)
    if 400 <= status < 500 and status not in _RETRIED:
        return Outcome(dropped=batch.items, reason="rejected_4xx", detail=detail)
    return Outcome(
        again=(batch,),
        trouble="down",
        retry_after_seconds=retry_after_seconds(answer.headers),
        detail=detail,
    )


def _failed_positions(batch: Batch, answer: Answer) -> frozenset[int]:
    everything = frozenset(range(len(batch.items)))
    try:
        reported = json.loads(answer.body)
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(reported, dict):
        return frozenset()
    errors = reported.get("errors")
    if reported.get("success") is not False and not errors:
        return frozenset()
    if isinstance(errors, Mapping):
        errors = list(errors)
    if not isinstance(errors, list) or not errors:
        return everything
    by_key = {item.key: position for position, item in enumerate(batch.items) if item.key}
    failed = set()
    for error in errors:
        position = _position(error, by_key, len(batch.items))
        if position is None:
            return everything
        failed.add(position)
    return frozenset(failed)


def _position(error: Any, by_key: Mapping[str, int], count: int) -> int | None:
    """Return the index of the item that an entry of ``errors`` is about; ``None`` if it names
    none."""
    if isinstance(error, str):
        return by_key.get(error)
    if not isinstance(error, dict):
        return None
    for name in ("idempotency_key", "event_id", "key", "id"):
        key = error.get(name)
        if isinstance(key, str) and key in by_key:
            return by_key[key]
    index = error.get("index")
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < count:
        return index
    return None
