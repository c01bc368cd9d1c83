"""Finds filled honeypot fields in a form of any size.

A bot may put a large upload before the field, so the form is read as a stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, MultipartDecoder, NeedData

CHUNK_BYTES = 65_536

MAX_JSON_BYTES = 8_388_608
"""JSON is parsed as a whole, in memory. A larger document is not a form that a person filled in."""

MAX_NAME_BYTES = 4096
"""The most bytes of a field's name; honeypot fields have shorter names."""


class Unreadable(ValueError):
    """The body is not a form, or too large to tell."""


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def filled_in(stream: Readable, content_type: str, names: Iterable[str]) -> str | None:
    """Find the first of the fields ``names`` that a body fills in, or ``None``.

    It reads forms (urlencoded, multipart) as a stream, and the top level of JSON objects. Other
    media types have no fields.

    :param content_type: the header's value.
    :raises Unreadable: if the body can't be read as its media type.
    """
    kind, options = parse_options_header(content_type)
    kind = kind.lower()
    if kind == "application/x-www-form-urlencoded":
        return _in_urlencoded(stream, frozenset(names))
    if kind == "multipart/form-data":
        return _in_multipart(stream, options.get("boundary", ""), frozenset(names))
    if kind == "application/json" or kind.endswith("+json"):
        return _in_json(stream, tuple(names))
    return None


def filled_in_whatever(body: bytes, content_type: str, names: Iterable[str]) -> str | None:
    """Find the first filled field in a body of any other type, read as Bottle reads it: everything
    but multipart is a form.

    :param body: the whole body.
    """
    kind = parse_options_header(content_type)[0].lower()
    if kind.startswith("multipart/") or kind == "application/x-www-form-urlencoded":
        return None
    return _in_urlencoded(BytesIO(body), frozenset(names))


def in_query(query: str, names: Iterable[str]) -> str | None:
    """Find the first of the fields ``names`` that a query fills in, or ``None``.

    :param query: the query, encoded as in PEP 3333.
    """
    return _in_urlencoded(BytesIO(query.encode("latin-1", "replace")), frozenset(names))


def _in_urlencoded(stream: Readable, names: frozenset[str]) -> str | None:
    pending = b""
    while True:
        chunk = stream.read(CHUNK_BYTES)
        *pairs, pending = (pending + chunk).split(b"&") if chunk else (pending, b"")
        for pair in pairs:
            name, _, value = pair.partition(b"=")
            if value and (text := _text(name)) in names:
                return text
        if not chunk:
            return None
        # The beginning of a long value is enough to see that the field is filled in.
        pending = pending[:MAX_NAME_BYTES]


def _text(name: bytes) -> str:
    return unquote_to_bytes(name.replace(b"+", b" ")).decode("utf-8", "replace")


def _in_multipart(stream: Readable, boundary: str, names: frozenset[str]) -> str | None:
    if not boundary:
        raise Unreadable("a form without a boundary")
    decoder = MultipartDecoder(boundary.encode("utf-8", "replace"))
    field: str | None = None
    try:
        while True:
            event = decoder.next_event()
            if isinstance(event, Field):
                field = event.name
            elif isinstance(event, Data):
                if field in names and event.data:
                    return field
            elif isinstance(event, NeedData):
                decoder.receive_data(stream.read(CHUNK_BYTES) or None)
            elif isinstance(event, Epilogue):
                return None
            else:
                field = None  # a file, or the text before the first part
    except (ValueError, RequestEntityTooLarge) as error:
        raise Unreadable("the form is not valid") from error


def _in_json(stream: Readable, names: tuple[str, ...]) -> str | None:
    parts: list[bytes] = []
    missing = MAX_JSON_BYTES + 1
    while missing > 0 and (chunk := stream.read(min(missing, CHUNK_BYTES))):
        parts.append(chunk)
        missing -= len(chunk)
    if missing <= 0:
        raise Unreadable(f"JSON of more than {MAX_JSON_BYTES} bytes")
    try:
        pairs: Any = json.loads(b"".join(parts), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None  # no app reads it as a form
    if not isinstance(pairs, _Pairs):
        return None
    return next((name for name in names if any(key == name and v for key, v in pairs)), None)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with every field, including repeated ones."""
