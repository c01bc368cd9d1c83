"""The body of a request as an agent sends it: compressed, signed, encrypted, JSON.

Everything is bounded before it is kept: the bytes, the unpacked bytes, and the number of items.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from guard_wsgi.agent.sealing import Cipher, EncryptionError, is_signed
from guard_wsgi.errors import GuardError, MissingExtra

MAX_BODY_BYTES = 4_194_304
"""The most bytes as sent. An agent's batch has at most 512 KiB before compression."""
MAX_UNPACKED_BYTES = 16_777_216
MAX_ITEMS = 10_000
MAX_DEPTH = 64
"""The depth of JSON. The agent's redaction nests no deeper than ten."""

_GZIP = 31  # zlib: a gzip header and trailer


class WireError(GuardError):
    """The body is refused.

    :ivar status: the answer's status: with 400 the agent drops the batch, with 413 it halves it,
        with 401 it keeps it.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def unpack(body: bytes, encoding: str) -> bytes:
    """Decompress the body.

    :raises WireError: 413 if it unpacks to too much, 415 for another coding, 400 if it is damaged.
    """
    if encoding in ("", "identity"):
        if len(body) > MAX_UNPACKED_BYTES:
            raise WireError(413, f"more than {MAX_UNPACKED_BYTES} bytes")
        return body
    if encoding != "gzip":
        raise WireError(415, "Content-Encoding is gzip, or absent")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(body, MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise WireError(400, f"not gzip: {error}") from None
    if len(plain) > MAX_UNPACKED_BYTES:
        raise WireError(413, f"has more than {MAX_UNPACKED_BYTES} bytes after decompression")
    if not unpacker.eof or unpacker.unused_data:
        raise WireError(400, "not gzip: it is truncated, or has trailing data")
    return plain


def check_signature(body: bytes, secret: str | None, signature: str | None) -> None:
    """Check the HMAC over the uncompressed body, if the key requires one.

    :raises WireError: 401 if it is missing or wrong.
    """
    if secret is None:
        return
    if not signature:
        raise WireError(401, "this key's batches are signed: X-Payload-Signature is missing")
    if not is_signed(secret, body, signature):
        raise WireError(401, "X-Payload-Signature does not match this body")


def read_object(body: bytes) -> dict[str, Any]:
    """Parse the JSON object of a body.

    :raises WireError: 400 if it is not one.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError(400, f"not JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise WireError(400, "must be a JSON object")
    return value


def read_batch(batch: Mapping[str, Any]) -> tuple[list[Any], list[Any], str]:
    """Return events, metrics and the batch's id.

    :raises WireError: 400 if they are not lists, 413 if there are too many.
    """
    events, metrics = batch.get("events") or [], batch.get("metrics") or []
    if not isinstance(events, list) or not isinstance(metrics, list):
        raise WireError(400, "events and metrics must be lists")
    if len(events) + len(metrics) > MAX_ITEMS:
        raise WireError(413, f"more than {MAX_ITEMS} items")
    return events, metrics, str(batch.get("batch_id") or "")[:200]


def open_envelope(envelope: Mapping[str, Any], key: str | None) -> dict[str, Any]:
    """Decrypt the batch in an envelope.

    :raises WireError: 400 if the key does not decrypt it, since it never will.
    """
    if key is None:
        raise WireError(400, "this API key has no encryption key: add one on the page of keys")
    payload = envelope.get("encrypted_payload")
    if not isinstance(payload, str):
        raise WireError(400, "encrypted_payload is missing")
    try:
        plain = Cipher(key).decrypt(payload)
    except EncryptionError:
        raise WireError(400, "this key does not decrypt the envelope") from None
    except MissingExtra as error:
        raise WireError(503, str(error)) from None
    batch = read_object(plain)
    batch.setdefault("batch_id", envelope.get("batch_id"))
    return batch
