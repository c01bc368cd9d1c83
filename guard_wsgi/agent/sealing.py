"""What is done to a body before it travels: signed, compressed, encrypted.

The signature is over the uncompressed body: plain JSON, or the JSON of the encrypted envelope.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from guard_wsgi.agent.config import decode_encryption_key
from guard_wsgi.errors import GuardError, MissingExtra

GZIP_LEVEL = 5
"""JSON shrinks to about an eighth at any level; 5 costs half of what 9 does."""

NONCE_BYTES = 12
"""NIST SP 800-38D, 5.2.1.1: 96 bits are what GCM is defined for."""


class EncryptionError(GuardError):
    """The envelope could not be made, or not be opened. Nothing is ever sent plain instead."""


def sign(secret: str, body: bytes) -> str:
    """``v1=`` and the hex HMAC-SHA256 of a body: the value of ``X-Payload-Signature``."""
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether the signature is this body's, compared in constant time."""
    return hmac.compare_digest(sign(secret, body).encode(), signature.encode())


class Cipher:
    """AES-256-GCM: URL-safe base64 of nonce, ciphertext and tag.

    :raises ValueError: when the key is not 32 bytes in URL-safe base64.
    :raises MissingExtra: without the ``crypto`` extra.
    :raises EncryptionError: when the key fails its round trip.
    """

    def __init__(self, key: str) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise MissingExtra("project_encryption_key", "crypto") from None
        self._cipher = AESGCM(decode_encryption_key(key))
        self._invalid: type[Exception] = InvalidTag
        probe = b"round trip"
        if self.decrypt(self.encrypt(probe)) != probe:
            raise EncryptionError("the encryption key failed its round trip")

    def encrypt(self, plaintext: bytes) -> str:
        """One message under a nonce of its own."""
        nonce = os.urandom(NONCE_BYTES)
        return base64.urlsafe_b64encode(
            nonce + self._cipher.encrypt(nonce, plaintext, None)
        ).decode("ascii")

    def decrypt(self, text: str) -> bytes:
        """The message in a text made by :meth:`encrypt` under the same key.

        :raises EncryptionError: when it was made under another, or altered.
        """
        try:
            raw = base64.urlsafe_b64decode(text)
            plaintext: bytes = self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None)
        except (ValueError, self._invalid) as error:
            raise EncryptionError(f"cannot be decrypted: {error!r}") from None
        return plaintext


@frozen(slots=True)
class SealedBody:
    """Bytes for the wire and the headers that speak of them."""

    body: bytes
    headers: Mapping[str, str]


class Sealer:
    """Signs and compresses as configured.

    :param signing_secret: ``None`` for no signature.
    :param compression_threshold: bodies of this size and over are compressed; ``None`` for never.
    """

    def __init__(self, signing_secret: str | None, compression_threshold: int | None) -> None:
        self._secret = signing_secret
        self._threshold = compression_threshold

    def seal(self, body: bytes) -> SealedBody:
        """The body as it travels. The same body gives the same bytes."""
        headers: dict[str, str] = {}
        if self._secret is not None:
            headers["X-Payload-Signature"] = sign(self._secret, body)
        if self._threshold is not None and len(body) >= self._threshold:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return SealedBody(body, headers)


def compact_json(value: Any, *, sort_keys: bool = False) -> bytes:
    """Compact JSON in UTF-8; types that JSON lacks become their ``str``.

    Lone surrogates, which no UTF-8 has, become ``?``: one of them may not cost a batch.

    :raises ValueError: on NaN, infinities and circles. :raises RecursionError: when too deep.
    """
    return json.dumps(
        value,
        separators=(",", ":"),
        default=str,
        ensure_ascii=False,
        allow_nan=False,
        sort_keys=sort_keys,
    ).encode("utf-8", "replace")
