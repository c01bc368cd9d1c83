"""The forms of a refusal: a page, a problem document, or a line of text.

None of them repeats anything of the request, since that would be an injection itself. The reference
comes from the guard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any, Final, Literal

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

ErrorFormat = Literal["auto", "text", "html", "problem"]
Kind = Literal["text", "html", "problem"]

MEDIA_TYPES: Mapping[Kind, str] = {
    "text": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "problem": "application/problem+json",
}

PROBLEM_TYPES: Mapping[int, str] = {
    429: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    503: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
}
"""Registered problem types (draft-ietf-httpapi-ratelimit-headers); others are ``about:blank``."""

_OFFERED: Final[Mapping[str, Kind]] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/problem+json": "problem",
    "application/json": "problem",
}

MAX_ACCEPT_CHARS = 512
"""The longest ``Accept`` to parse. Browsers send 150 characters."""

MAX_KEPT = 256
"""How many ``Accept`` headers to remember: browsers and clients send few different ones."""

# Stands for the reference in a prepared body: no text of ours has a NUL.
_REFERENCE: Final = "\0reference\0"
_UUID: Final = "\0uuid\0"
_REFERENCE_BYTES: Final = _REFERENCE.encode()
_UUID_BYTES: Final = _UUID.encode()

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
<p>{text}</p>
<p>Reference: <code>{reference}</code></p>
</body>
</html>
"""


class Formats:
    """Finds the form that a client accepts."""

    def __init__(self, error_format: ErrorFormat) -> None:
        self._always: Kind | None = None if error_format == "auto" else error_format
        self._by_accept: dict[str, Kind | None] = {}

    def of(self, environ: Mapping[str, Any]) -> Kind:
        """Return the form that ``Accept`` prefers; else JSON for a client that sent JSON."""
        if self._always is not None:
            return self._always
        accept = environ.get("HTTP_ACCEPT", "")
        try:
            kind = self._by_accept[accept]
        except KeyError:
            kind = self._read(accept)
        if kind is not None:
            return kind
        return "problem" if "json" in (environ.get("CONTENT_TYPE") or "").lower() else "text"

    def _read(self, accept: str) -> Kind | None:
        if len(accept) > MAX_ACCEPT_CHARS:
            return None
        kind = None
        # "*/*" means nothing: any program sends it.
        named = [
            (media, quality)
            for media, quality in parse_accept_header(accept.lower(), MIMEAccept)
            if "*" not in media
        ]
        best = MIMEAccept(named).best_match(_OFFERED)
        if best is not None:
            kind = _OFFERED[best]
        if len(self._by_accept) >= MAX_KEPT:
            self._by_accept.clear()
        self._by_accept[accept] = kind
        return kind


def template(kind: Kind, status: int, text: str) -> bytes:
    """Make a body without its reference."""
    if kind == "html":
        title = escape(_phrase(status))
        return _PAGE.format(title=title, text=escape(text), reference=_REFERENCE).encode()
    if kind == "problem":
        problem = {
            "type": PROBLEM_TYPES.get(status, "about:blank"),
            "title": _phrase(status),
            "status": status,
            "detail": text,
            "instance": f"urn:uuid:{_UUID}",
            "reference": _REFERENCE,
        }
        # JSON escapes a NUL.
        return json.dumps(problem).replace("\\u0000", "\0").encode()
    return f"{text}\nReference: {_REFERENCE}\n".encode()


def around_reference(body: bytes) -> tuple[bytes, bytes] | None:
    """Split a template that has the reference once into the parts before and after it; ``None`` for
    another template."""
    if _UUID_BYTES in body or body.count(_REFERENCE_BYTES) != 1:
        return None
    before, _, after = body.partition(_REFERENCE_BYTES)
    return before, after


def filled(body: bytes, reference: str) -> bytes:
    """Fill in a template for one request, whose reference is a UUID in 32 digits."""
    if _UUID_BYTES in body:
        parts = reference[:8], reference[8:12], reference[12:16], reference[16:20], reference[20:]
        body = body.replace(_UUID_BYTES, "-".join(parts).encode())
    return body.replace(_REFERENCE_BYTES, reference.encode())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Request refused"
