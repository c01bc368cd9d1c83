"""Events and metrics as they are sent, one by one and as a batch."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from attrs import define, evolve, field, frozen

from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.sealing import Cipher, SealedBody, Sealer, compact_json
from guard_wsgi.agent.transport import PROTOCOL_VERSION, package_version
from guard_wsgi.telemetry.events import SecurityEvent, SecurityMetric, utc_now
from guard_wsgi.telemetry.redaction import Redaction

Kind = Literal["events", "metrics"]

EVENTS_PATH = "/api/v1/events"
METRICS_PATH = "/api/v1/metrics"
ENCRYPTED_PATH = "/api/v1/events/encrypted"

ENVELOPE_BYTES = 1024
"""Bytes for what surrounds the items of a batch: ids, times, versions."""

SEAL_BYTES = 64
"""Bytes for nonce, tag and padding."""

DEFAULT_PROJECT = "default"
"""The collector's value for "no project"."""


@frozen(slots=True)
class Item:
    """One event or metric, encoded once: a retry, a split and a replay send the same bytes.

    :ivar key: the event's idempotency key, ``""`` for a metric.
    :ivar data: its JSON.
    :ivar place: its place in the spool; ``None`` if it is only in memory.
    """

    kind: Kind
    key: str
    data: bytes
    place: tuple[Any, int] | None = None


@define(slots=True, eq=False)
class Batch:
    """Items that are being sent, and the state of the attempts.

    :ivar batch_id: the same on every retry.
    :ivar attempts: attempts since the batch last let others go first.
    :ivar accepted_before: how many batches the collector had accepted when this one first failed;
        ``None`` if it has not failed.
    """

    kind: Kind
    items: Sequence[Item]
    batch_id: str = field(factory=lambda: new_batch_id())
    created_at: str = field(factory=lambda: utc_now().isoformat())
    sealed: SealedBody | None = None
    attempts: int = 0
    accepted_before: int | None = None

    def halves(self) -> tuple[Batch, Batch]:
        """Split a batch that the collector finds too large into two batches with new ids."""
        middle = len(self.items) // 2
        return Batch(self.kind, self.items[:middle]), Batch(self.kind, self.items[middle:])


def new_batch_id() -> str:
    """Make an id: milliseconds since the epoch, a hyphen, eight hex digits."""
    return f"{time.time_ns() // 1_000_000}-{os.urandom(4).hex()}"


class Encoder:
    """Turns events into items and batches into bodies.

    :ivar room_bytes: how many bytes the items of a batch may have, so that its body is no larger
        than configured.
    :raises MissingExtra: if a key is configured and the ``crypto`` extra is not installed.
    """

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self._redaction = Redaction(
            headers=config.sensitive_headers, max_text_chars=config.max_payload_size
        )
        self._cipher = (
            Cipher(config.project_encryption_key) if config.project_encryption_key else None
        )
        self._sealer = Sealer(
            config.payload_signing_secret,
            config.compression_threshold if config.compression_enabled else None,
        )
        room = config.batch_max_bytes - ENVELOPE_BYTES
        # Base64 makes four bytes of three.
        self.room_bytes = room if self._cipher is None else room * 3 // 4 - SEAL_BYTES
        self._versions: dict[str, str | None] = {
            "agent_version": PROTOCOL_VERSION,
            "guard_version": config.guard_version or f"guard-wsgi {package_version()}",
            "guard_core_version": config.guard_core_version or package_version(),
        }

    def encode(self, thing: SecurityEvent | SecurityMetric) -> Item:
        """Encode one item with its secrets hidden.

        :raises ValueError: if it contains a value that JSON lacks (NaN as a metric's value).
        """
        wire = thing.as_wire()
        sort_keys = self._cipher is not None
        if isinstance(thing, SecurityEvent):
            reported = self._redaction.metadata(thing.metadata)
            if self._config.send_paths:
                wire["path"], wire["metadata"] = thing.path, reported
            else:
                wire["metadata"] = _without_paths(reported)
            data = compact_json(wire, sort_keys=sort_keys)
            return Item("events", wire["idempotency_key"], data)
        tags = self._redaction.metadata(thing.tags)
        wire["tags"] = {name: str(value) for name, value in tags.items()}
        return Item("metrics", "", compact_json(wire, sort_keys=sort_keys))

    def path(self, kind: Kind) -> str:
        """Return the path to which batches of this kind are posted."""
        if self._cipher is not None:
            return ENCRYPTED_PATH
        return EVENTS_PATH if kind == "events" else METRICS_PATH

    def seal(self, batch: Batch) -> SealedBody:
        """Return the batch's body, made once: retries send the same bytes.

        :raises EncryptionError: if it can't be encrypted.
        """
        if batch.sealed is None:
            joined = b",".join(item.data for item in batch.items)
            events, metrics = (joined, b"") if batch.kind == "events" else (b"", joined)
            lists = b'"events":[%b],"metrics":[%b]' % (events, metrics)
            if self._cipher is None:
                body = self._plain(batch, lists)
            else:
                body = compact_json(
                    {
                        "encrypted_payload": self._cipher.encrypt(b"{%b}" % lists),
                        "batch_id": batch.batch_id,
                        **self._versions,
                    }
                )
            batch.sealed = self._sealer.seal(body)
        return batch.sealed

    def seal_plain(self, value: Mapping[str, Any]) -> SealedBody:
        """Make the body of a status report, which is never encrypted."""
        return self._sealer.seal(compact_json(value))

    def _plain(self, batch: Batch, lists: bytes) -> bytes:
        head = compact_json({"project_id": self._config.project_id or DEFAULT_PROJECT})
        tail = compact_json(
            {
                "batch_id": batch.batch_id,
                "created_at": batch.created_at,
                "compressed": False,
                **self._versions,
            }
        )
        return head[:-1] + b"," + lists + b"," + tail[1:]


def _without_paths(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return metadata without the findings in a path, as a part of a path may be a secret."""
    findings = metadata.get("findings")
    if isinstance(findings, list):
        metadata["findings"] = [
            {**finding, "value": ""} if finding.get("location") == "path" else finding
            for finding in findings
        ]
    return metadata


def batches(items: Iterable[Item], max_items: int, max_bytes: int) -> list[Batch]:
    """Yield batches in order, each of one kind. A batch exceeds the bounds only if a single item
    does."""
    made: list[Batch] = []
    for kind in ("events", "metrics"):
        part: list[Item] = []
        size = 0
        for item in items:
            if item.kind != kind:
                continue
            if part and (len(part) >= max_items or size + len(item.data) > max_bytes):
                made.append(Batch(kind, part))
                part, size = [], 0
            part.append(item)
            size += len(item.data) + 1
        if part:
            made.append(Batch(kind, part))
    return made


def without(batch: Batch, accepted: frozenset[int]) -> Batch:
    """Return the batch without the items at these positions, under a new id."""
    items = [item for index, item in enumerate(batch.items) if index not in accepted]
    return evolve(
        batch,
        items=items,
        batch_id=new_batch_id(),
        created_at=utc_now().isoformat(),
        sealed=None,
    )
