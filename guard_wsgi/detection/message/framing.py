"""Faults in the shape of a body that hide its contents, found before it is parsed."""

from __future__ import annotations

from itertools import accumulate
from typing import Final

from guard_wsgi.detection.formats.nesting import LEVEL, LINK, without_links
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.message.multipart import boundaries, is_ended

_ROWS: Final = tuple(bracket * 16 for bracket in (b"[", b"]", b"}"))
MOST_BRACKETS: Final = 8_388_608
"""The most brackets to read in all rounds together: as many as the longest document has bytes. A
document with more is nearly all brackets, and counts as too deep."""
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def structure_fault(body: bytes, kind: BodyKind, complete: bool, max_json_depth: int) -> str:
    """Return the fault of a body: "max_json_depth", "multipart_end", or "" for none.

    A document that nests without end makes parsers recurse until they fail. Parsers disagree about
    a multipart body without its last boundary (RFC 2046, 5.1.1).
    """
    if kind.is_json:
        return "max_json_depth" if _is_too_deep(body, max_json_depth) else ""
    if complete and kind.is_multipart:
        named = boundaries(kind.content_type)
        if named and not any(is_ended(body, boundary) for boundary in named):
            return "multipart_end"
    return ""


def _is_too_deep(body: bytes, max_depth: int) -> bool:
    # A document with this depth begins or ends with a run of brackets, which a search finds
    # quickly.
    if not any(row in body for row in _ROWS):
        return False
    plain = without_links(body)
    if _is_deeper(plain, max_depth) and _is_deeper(_without_strings(plain), max_depth):
        return True
    return len(plain) < len(body) and _depth_of(_without_strings(body)) > max_depth * LEVEL // LINK


def _depth_of(body: bytes) -> int:
    brackets = body.translate(None, _NOT_BRACKETS)
    return max(accumulate([1 if sign in b"[{" else -1 for sign in brackets]), default=0)


def _without_strings(body: bytes) -> bytes:
    body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(body.split(b'"')[::2])


def _is_deeper(body: bytes, max_depth: int) -> bool:
    """Remove the innermost pairs of brackets, a level or two at a time, and look at the rest.

    The result is certain from twice the depth on. Other text with brackets does not get that deep.
    """
    brackets = body.translate(None, _NOT_BRACKETS)
    remaining = MOST_BRACKETS
    for _ in range(max_depth):
        remaining -= len(brackets)
        if remaining < 0:
            return True
        fewer = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    return brackets.count(b"[") + brackets.count(b"{") > max_depth
