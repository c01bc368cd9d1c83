"""Signs, compresses and encrypts a body before it is sent.

The signature covers the uncompressed body: plain JSON, or the JSON of the encrypted envelope.
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
"""JSON shrinks to about an eighth at any level; level 5 costs half as much as level 9."""

NONCE_BYTES = 12
"""96 bits, as GCM is defined for them (NIST SP 800-38D, 5.2.1.1)."""


class EncryptionError(GuardError):
    """The envelope could not be made or opened. Nothing is ever sent in plain text instead."""


def sign(secret: str, body: bytes) -> str:
    """Return ``v1=`` and the hex HMAC-SHA256 of a body: the value of ``X-Payload-Signature``."""
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether the signature belongs to this body. The comparison takes constant time."""
    return hmac.compare_digest(sign(secret, body).encode(), signature.encode())


class Cipher:
    """AES-256-GCM: URL-safe base64 of nonce, ciphertext and tag.

    :raises ValueError: if the key is not 32 bytes in URL-safe base64.
    :raises MissingExtra: without the ``crypto`` extra.
    :raises EncryptionError: if a test message does not decrypt with the key.
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
            raise EncryptionError("a test message did not decrypt with the encryption key")

    def encrypt(self, plaintext: bytes) -> str:
        """Encrypt one message under a new nonce."""
        nonce = os.urandom(NONCE_BYTES)
        return base64.urlsafe_b64encode(
            nonce + self._cipher.encrypt(nonce, plaintext, None)
        ).decode("ascii")

    def decrypt(self, text: str) -> bytes:
        """Decrypt a text that :meth:`encrypt` made under the same key.

        :raises EncryptionError: if it was made under another key, or altered.
        """
        try:
            raw = base64.urlsafe_b64decode(text)
            plaintext: bytes = self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None)
        except (ValueError, self._invalid) as error:
            raise EncryptionError(f"could not decrypt: {error!r}") from None
        return plaintext


@frozen(slots=True)
class SealedBody:
    """The bytes to send, and the headers that describe them."""

    body: bytes
    headers: Mapping[str, str]


class Sealer:
    """Signs and compresses as configured.

    :param signing_secret: the secret; ``None`` for no signature.
    :param compression_threshold: bodies of at least this size are compressed; ``None`` for never.
    """

    def __init__(self, signing_secret: str | None, compression_threshold: int | None) -> None:
        self._secret = signing_secret
        self._threshold = compression_threshold

    def seal(self, body: bytes) -> SealedBody:
        """Return the body as it is sent. The same body always gives the same bytes."""
        headers: dict[str, str] = {}
        if self._secret is not None:
            headers["X-Payload-Signature"] = sign(self._secret, body)
        if self._threshold is not None and len(body) >= self._threshold:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return SealedBody(body, headers)


def compact_json(value: Any, *, sort_keys: bool = False) -> bytes:
    """Encode compact JSON in UTF-8; types that JSON lacks become their ``str``.

    Lone surrogates, which UTF-8 can't encode, become ``?``: one of them must not cost a batch.

    :raises ValueError: on NaN, infinities and circles.
    :raises RecursionError: if it is too deep.
    """
    return json.dumps(
        value,
        separators=(",", ":"),
        default=str,
        ensure_ascii=False,
        allow_nan=False,
        sort_keys=sort_keys,
    ).encode("utf-8", "replace")
