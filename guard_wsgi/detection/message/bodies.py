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
from guard_wsgi.detection.finding import BEYOND
from guard_wsgi.detection.formats.files import is_binary
from guard_wsgi.detection.formats.xmlbody import declared_encoding, without_instruction
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.message.multipart import present
from guard_wsgi.detection.value import DENSITY, UNREAD, Budget

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
FIRST_PIECE_BYTES: Final = 256
MAX_PIECE_BYTES: Final = 65_536
"""How much of a stream to decompress at once: first little, then twice as much each time."""


UNPACKED_EACH: Final = 128
"""To decompress so many bytes costs one (value.Budget)."""


def body_readings(
    body: bytes,
    kind: BodyKind,
    content_encoding: str,
    complete: bool,
    max_bytes: int,
    budget: Budget,
) -> Iterator[tuple[bytes, BodyKind, str]]:
    """Yield each reading, its kind, and why it is not complete: "" if it is, `BEYOND` for its
    beginning alone, `DENSITY` for the beginning of more than a body of its length may have in it,
    `UNREAD` for more parts than anybody sends.

    :param budget: for decompressing and decoding.
    :raises BudgetSpent: if decoding the next reading costs more.

    Flask, Django and Bottle ignore a ``Content-Encoding``; servers and middleware undo it. These
    frameworks read forms and JSON without regard to the declared charset; others do not.
    """
    unpacked = False
    if content_encoding or not kind.is_file:
        for data, fault in _layers(body, content_encoding, max_bytes, budget):
            unpacked = True
            yield from _in_charsets(data, kind, fault, budget)
    # Compressed data is neither JSON nor XML, and without its boundary it is no form of parts.
    if unpacked and is_binary(body):
        is_in_parts = kind.is_multipart and bool(present(body, kind.content_type))
        if kind.is_json or kind.is_xml or (kind.is_multipart and not is_in_parts):
            kind = _FILE
    yield from _in_charsets(body, kind, "" if complete else BEYOND, budget)


def is_undecodable(body: bytes, content_encoding: str) -> bool:
    """Whether a body is neither text nor compressed in a declared or known way: then only special
    software reads it."""
    names = _codings(content_encoding)
    return (
        any(name != "identity" for name in names)
        and all(name in _WINDOWS or name == "identity" for name in names)
        and is_binary(body)
        and next(_layers(body, content_encoding, 1, Budget(0, 1)), None) is None
    )


def _layers(
    body: bytes, content_encoding: str, limit: int, budget: Budget
) -> Iterator[tuple[bytes, str]]:
    """Yield the data below each layer of compression, and why it is not complete: first by the
    header, then by the data itself, like some libraries."""
    has_codings = bool(_codings(content_encoding))
    result = inflate(body, content_encoding, limit, budget) if has_codings else None
    if result is not None and result[0] is not body:
        yield result
        body = result[0]
    for _ in range(MAX_CODINGS):
        if not body.startswith(PACKED_BEGINNINGS):
            return
        result = _inflated(body, _EITHER_WINDOW, limit, budget)
        if result is None:
            return
        yield result
        body = result[0]


def _codings(content_encoding: str) -> list[str]:
    return [name.strip().lower() for name in content_encoding.split(",") if name.strip()]


_FILE: Final = BodyKind.of("application/octet-stream")


def _in_charsets(
    body: bytes, kind: BodyKind, fault: str, budget: Budget
) -> Iterator[tuple[bytes, BodyKind, str]]:
    yield body, kind, fault
    if kind.is_multipart:
        return
    names = charsets_in(kind.parameters)
    names += [marked(body), declared_encoding(body) if kind.is_xml else ""]
    for name in dict.fromkeys(names):
        text = decoded(body, name, budget.take_chars)
        if text is not None:
            plain = without_instruction(text) if kind.is_xml else text.lstrip("\ufeff")
            yield plain.encode("utf-8", "replace"), kind, fault
        is_escaped = PERCENT in body or (text is not None and "%" in text)
        if kind.is_form and is_escaped:
            pairs = form_in(body, name, budget.take_chars)
            if pairs is not None:
                yield pairs, kind, fault or (BEYOND if len(body) > MAX_CHARSET_BYTES else "")


def inflate(
    body: bytes, content_encoding: str, limit: int, budget: Budget
) -> tuple[bytes, str] | None:
    """Undo the content codings of a body (RFC 9110, 8.4.1), up to ``limit`` bytes.

    :return: the bytes, and why they are not complete (`body_readings`); ``None`` if the data does
        not match the header, or the coding is unknown.
    """
    codings = _codings(content_encoding)
    if len(codings) > MAX_CODINGS:
        return None
    fault = ""
    for coding in reversed(codings):
        if coding == "identity":
            continue
        window = _WINDOWS.get(coding)
        if window is None:
            return None
        # Some clients send a raw stream as "deflate" (RFC 9110, 8.4.1.2).
        result = _inflated(body, window, limit, budget) or _inflated(body, -15, limit, budget)
        if result is None:
            return None
        body, of_this = result
        fault = fault or of_this
    return body, fault


def _inflated(body: bytes, window: int, limit: int, budget: Budget) -> tuple[bytes, str] | None:
    most = min(limit, budget.chars * UNPACKED_EACH)
    result = _decompressed(body, window, most, BEYOND if most == limit else DENSITY)
    if result is not None:
        budget.take_chars(min(len(result[0]) // UNPACKED_EACH, budget.chars))
    return result


def _decompressed(body: bytes, window: int, limit: int, fault: str) -> tuple[bytes, str] | None:
    """:param fault: the name of the limit."""
    found: list[bytes] = []
    size = start = 0
    for _ in range(MAX_MEMBERS):
        engine = zlib.decompressobj(window)
        try:
            start, data = _member(engine, body, start, limit - size)
        except zlib.error:
            # Other data follows the compressed data.
            return (b"".join(found), "") if found else None
        found.append(data)
        size += len(data)
        if not engine.eof:
            return b"".join(found), fault
        if start == len(body):
            return b"".join(found), ""
        if size >= limit:
            return b"".join(found), fault
    return b"".join(found), UNREAD


def _member(engine: zlib._Decompress, body: bytes, start: int, limit: int) -> tuple[int, bytes]:
    """Decompress one member of a stream, and return where it ends.

    The engine copies what follows the member in a piece, so the pieces begin short.
    """
    found: list[bytes] = []
    size, piece = 0, FIRST_PIECE_BYTES
    while start < len(body) and not engine.eof and size < limit:
        taken = body[start : start + piece]
        # At least one byte: zlib takes 0 for no limit.
        data = engine.decompress(taken, limit - size)
        start += len(taken) - len(engine.unused_data) - len(engine.unconsumed_tail)
        found.append(data)
        size += len(data)
        piece = min(2 * piece, MAX_PIECE_BYTES)
    return start, b"".join(found)
