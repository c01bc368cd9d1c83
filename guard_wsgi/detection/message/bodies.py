"""The readings of a body: as it was sent, and as its headers declare it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from guard_wsgi.detection.decoding.charset import (
    MAX_CHARSET_BYTES,
    charsets_in,
    decoded,
    form_in,
    marked,
)
from guard_wsgi.detection.decoding.compressed_base64 import GZIP
from guard_wsgi.detection.decoding.percent import PERCENT
from guard_wsgi.detection.formats.files import is_binary
from guard_wsgi.detection.formats.xmlbody import said_encoding, without_instruction
from guard_wsgi.detection.message.media import BodyKind

_WINDOWS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_EITHER_WINDOW: Final = 47
"""zlib's number for a container of either kind, gzip or zlib."""
PACKED_BEGINNINGS: Final = (GZIP, b"x\x01", b"x\x9c", b"x\xda")
"""The beginnings of gzip and zlib (RFC 1952, RFC 1950) at their usual levels; no text begins like
that."""
MAX_CODINGS: Final = 3
"""How many nested content codings to undo; clients use one."""
MAX_MEMBERS: Final = 1000
"""How many members of a gzip stream to read (RFC 1952, 2.2); compressors of logs write a few."""


def body_readings(
    body: bytes, kind: BodyKind, content_encoding: str, complete: bool, max_bytes: int
) -> Iterator[tuple[bytes, BodyKind, bool]]:
    """Yield each reading, its kind, and whether it is complete.

    Flask, Django and Bottle ignore a ``Content-Encoding``; servers and middleware undo it. These
    frameworks read forms and JSON without regard to the declared charset; others do not.
    """
    unpacked = False
    if content_encoding or not kind.is_file:
        for data, whole in _layers(body, content_encoding, max_bytes):
            unpacked = True
            yield from _in_charsets(data, kind, whole)
    # Compressed data is neither JSON nor XML.
    if unpacked and (kind.is_json or kind.is_xml) and is_binary(body):
        kind = _FILE
    yield from _in_charsets(body, kind, complete)


def is_undecodable(body: bytes, content_encoding: str) -> bool:
    """Whether a body is neither text nor compressed in a declared or known way: then only special
    software reads it."""
    names = _codings(content_encoding)
    return (
        any(name != "identity" for name in names)
        and all(name in _WINDOWS or name == "identity" for name in names)
        and is_binary(body)
        and next(_layers(body, content_encoding, 1), None) is None
    )


def _layers(body: bytes, content_encoding: str, limit: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the data below each layer of compression, and whether it is complete: first by the
    header, then by the data itself, like some libraries."""
    result = inflate(body, content_encoding, limit) if _codings(content_encoding) else None
    if result is not None and result[0] is not body:
        yield result
        body = result[0]
    for _ in range(MAX_CODINGS):
        if not body.startswith(PACKED_BEGINNINGS):
            return
        result = _inflated(body, _EITHER_WINDOW, limit)
        if result is None:
            return
        yield result
        body = result[0]


def _codings(content_encoding: str) -> list[str]:
    return [name.strip().lower() for name in content_encoding.split(",") if name.strip()]


_FILE: Final = BodyKind.of("application/octet-stream")


def _in_charsets(
    body: bytes, kind: BodyKind, complete: bool
) -> Iterator[tuple[bytes, BodyKind, bool]]:
    yield body, kind, complete
    if kind.is_multipart:
        return
    names = charsets_in(kind.parameters)
    names += [marked(body), said_encoding(body) if kind.is_xml else ""]
    for name in dict.fromkeys(names):
        text = decoded(body, name)
        if text is not None:
            plain = without_instruction(text) if kind.is_xml else text.lstrip("\ufeff")
            yield plain.encode("utf-8", "replace"), kind, complete
        is_escaped = PERCENT in body or (text is not None and "%" in text)
        if kind.is_form and is_escaped and (pairs := form_in(body, name)) is not None:
            yield pairs, kind, complete and len(body) <= MAX_CHARSET_BYTES


def inflate(body: bytes, content_encoding: str, limit: int) -> tuple[bytes, bool] | None:
    """Undo the content codings of a body (RFC 9110, 8.4.1), up to ``limit`` bytes.

    :return: the bytes, and whether they are complete; ``None`` if the data does not match the
        header, or the coding is unknown.
    """
    codings = _codings(content_encoding)
    if len(codings) > MAX_CODINGS:
        return None
    whole = True
    for coding in reversed(codings):
        if coding == "identity":
            continue
        window = _WINDOWS.get(coding)
        if window is None:
            return None
        # Some clients send a raw stream as "deflate" (RFC 9110, 8.4.1.2).
        result = _inflated(body, window, limit) or _inflated(body, -15, limit)
        if result is None:
            return None
        body, all_of_it = result
        whole = whole and all_of_it
    return body, whole


def _inflated(body: bytes, window: int, limit: int) -> tuple[bytes, bool] | None:
    found: list[bytes] = []
    size = 0
    for _ in range(MAX_MEMBERS):
        engine = zlib.decompressobj(window)
        try:
            data = engine.decompress(body, limit - size)
        except zlib.error:
            # Other data follows the compressed data.
            return (b"".join(found), True) if found else None
        found.append(data)
        size += len(data)
        if not engine.eof:
            return b"".join(found), False
        body = engine.unused_data
        if not body:
            return b"".join(found), True
        if size >= limit:
            break
    return b"".join(found), False
