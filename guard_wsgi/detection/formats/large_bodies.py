"""Large bodies: only the parts that match the first pass are parsed.

Parsing every value of a megabyte takes a second; its first pass takes a millisecond. So a large
body is cut between values, each piece goes through the first pass separately, and only values of
matching pieces are read.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from guard_wsgi.detection.formats.json_paths import paths
from guard_wsgi.detection.value import (
    Budget,
    BudgetSpent,
    Value,
    stands_out,
    to_text,
    with_parent,
)

LARGE_JSON_BYTES: Final = 2048
LARGE_FORM_BYTES: Final = 4096
LARGE_XML_BYTES: Final = 65_536
"""From this size on, pieces save time; of a smaller body, all values are read at once. XML is read
by its parser up to this size."""

PIECE_BYTES: Final = 512
"""Long enough for a scan to cost more than its call, and short enough to have few values."""

Matches = Callable[[bytes], bool]
"""Whether a piece needs a closer look."""
MatchingValues = Callable[[Sequence[str]], list[int]]
"""Which of several decoded values need a closer look."""
PiecePass = tuple[Matches, MatchingValues]

# With or without an end: otherwise, each quote would start a new search for a missing end.
_JSON_STRING: Final = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)(?:"(\s*:)?)?', re.DOTALL)
_JSON_REST: Final = re.compile(rb"[\s\[\]{},:\d.eE+truefalsn-]*")
_SIMPLE_KEY: Final = re.compile(r"[\w.:@-]*")
# Anchored at the start of a name; a match from each letter would take quadratic time.
_ATTRIBUTE: Final = re.compile(
    rb"(?<![^\s=/\"'<>])([^\s=/\"'<>]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')"
)


_TAG: Final = re.compile(rb"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>")


def json_values(
    body: bytes,
    location: str,
    matches: Matches,
    matching: MatchingValues,
    max_depth: int,
    budget: Budget,
) -> Iterator[Value]:
    """Yield the strings and keys of a JSON text, and text between them that is not JSON.

    :param budget: charged for each string; one more value than it has spends it.
    :raises BudgetSpent: also if a value is nested deeper than ``max_depth``.
    """
    most = budget.values
    # It is as long as the body. Every remaining quote begins or ends a string.
    quotes = body
    if b"\\" in body:
        quotes = body.replace(b"\\\\", _MASK).replace(b'\\"', _MASK)
    found: list[tuple[int, str, str]] = []
    for start, end in _json_pieces(quotes):
        piece = body[start:end]
        if not matches(piece):
            continue
        if len(found) > most:
            break
        literals = quotes.count(b'"', start, end) // 2 + 1
        budget.take_chars(LITERAL_CHARS * literals + ESCAPE_CHARS * piece.count(b"\\"))
        if not _JSON_REST.fullmatch(_JSON_STRING.sub(b"", piece)):
            yield Value(location, "", to_text(_JSON_STRING.sub(b" ", piece))[0])
        strings: list[tuple[int, str]] = []
        for match in _JSON_STRING.finditer(piece):
            text = _literal(match[1])
            if match[2] is None:
                strings.append((start + match.start(), text))
            elif not _SIMPLE_KEY.fullmatch(text) or stands_out(text):
                found.append((start + match.start(), text, "name"))
        if strings:
            for at in matching([text for _, text in strings]):
                found.append((*strings[at], ""))
    if found:
        found.sort()
        budget.take_chars(PATH_CHARS * len(found))
        names = paths(quotes, [place for place, _, _ in found], max_depth, budget)
        # Rows of a table repeat the same strings.
        seen: set[tuple[str, str]] = set()
        for (_, text, kind), name in zip(found, names, strict=False):
            if (name, text) not in seen:
                seen.add((name, text))
                yield Value(location, name, with_parent(name, text) if kind else text, kind)
    if len(found) > most:
        raise BudgetSpent("max_values")


LITERAL_CHARS: Final = 5
ESCAPE_CHARS: Final = 1
"""The cost of reading one string with its escapes, and of testing it with the first pass
(value.Budget)."""
PATH_CHARS: Final = 6
"""The cost of finding the path of one."""
_MASK: Final = b"\x01\x01"
"""Replaces an escape, also in a name; no key contains it."""


def _json_pieces(quotes: bytes) -> Iterator[tuple[int, int]]:
    start, size = 0, len(quotes)
    while start < size:
        end = quotes.find(b'"', start + PIECE_BYTES)
        if end < 0:
            end = size
        elif quotes.count(b'"', start, end) % 2:
            end += 1  # the quote ends a string
            # A key, with its colon.
            if quotes[end : end + 16].lstrip()[:1] == b":":
                end = quotes.index(b":", end) + 1
        yield start, end
        start = end


_DECODER: Final = json.JSONDecoder(strict=False)


def _literal(data: bytes) -> str:
    if b"\\" in data:
        with suppress(ValueError):
            # As `json.loads` does, which makes a decoder each time.
            text, _ = _DECODER.raw_decode(f'"{data.decode("utf-8", "surrogatepass")}"')
            return str(text)
    return to_text(data)[0]


def form_pieces(body: bytes, matches: Matches) -> Iterator[bytes]:
    """Yield the pairs of a form that match, some together with their neighbours.

    :param matches: tests pairs as they were sent.
    """
    start, size = 0, len(body)
    while start < size:
        end = body.find(b"&", start + PIECE_BYTES)
        end = size if end < 0 else end + 1
        piece = body[start:end]
        if len(piece) > LONG_PIECE_BYTES or matches(piece):
            yield piece
        start = end


LONG_PIECE_BYTES: Final = 65_536
"""A longer piece is one pair. Its value is tested anyway, and to decode it twice takes as long."""


TAG_CHARS: Final = 2
"""The cost of reading one tag (value.Budget)."""
ENTITY_CHARS: Final = 2
"""The cost of replacing one reference."""
MARK_CHARS: Final = 1
"""The cost of taking one comment, instruction or CDATA section out."""


def xml_values(body: bytes, matches: Matches, budget: Budget) -> Iterator[Value]:
    """Yield the texts and attributes of an XML document. Text that comments, instructions or CDATA
    split is joined first."""
    for start, end in ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")):
        if start in body:
            budget.take_chars(MARK_CHARS * body.count(start))
            body = _without(body, start, end)
    place, size = 0, len(body)
    while place < size:
        cut = body.find(b"<", place + PIECE_BYTES)
        cut = size if cut < 0 else cut
        piece = body[place:cut]
        place = cut
        if matches(piece):
            budget.take_chars(TAG_CHARS * piece.count(b"<") + ENTITY_CHARS * piece.count(b"&"))
            yield from _xml_values(piece)


def _xml_values(piece: bytes) -> Iterator[Value]:
    for part in piece.split(b"<"):
        if not part:
            continue
        tag, bracket, text = part.partition(b">")
        if tag.count(b'"') % 2 or tag.count(b"'") % 2:  # it is in an attribute
            match = _TAG.match(part)
            if match is not None:
                tag, text = match[0][:-1], part[match.end() :]
        if not bracket:
            tag, text = b"", part
        name = to_text(tag.split(None, 1)[0] if tag.strip() else b"")[0][:64]
        if b"=" in tag:
            if re.search(rb"\son[a-z]{3,20}\s*=|^\s*script\b", tag, re.IGNORECASE):
                yield Value("xml", name, "<" + to_text(tag)[0] + ">")
            for key, double, single in _ATTRIBUTE.findall(tag):
                yield Value("xml", f"{name}@{to_text(key)[0][:64]}", _unescaped(double or single))
        if text.strip():
            yield Value("xml", name, _unescaped(text))


def _unescaped(data: bytes) -> str:
    text = to_text(data)[0]
    if "&" in text:
        # A number with more digits than the interpreter converts is no character.
        with suppress(ValueError):
            return html.unescape(text)
    return text


def _without(body: bytes, start: bytes, end: bytes) -> bytes:
    """Remove the marks; the text between them is part of the surrounding text."""
    first, *others = body.split(start)
    found = [first]
    outside = []
    for other in others:
        inner, mark, rest = other.partition(end)
        if start == b"<![CDATA[":
            found.append(inner.replace(b"<", b"&lt;") + rest)
        elif mark:
            outside.append(inner)
            found.append(rest)
        else:
            found.append(other)
    # Comments and instructions are separate texts.
    found += [b"<x>" + inner.replace(b"<", b"&lt;") for inner in outside if inner.strip()]
    return b"".join(found)
