"""Extracts the values of a body, by its kind and by everything else that it parses as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate

from attrs import evolve

from guard_wsgi.detection.decoding.backslashes import BACKSLASH, joined_lines
from guard_wsgi.detection.decoding.charset import charsets_in
from guard_wsgi.detection.decoding.percent import PERCENT, signs_without_escape
from guard_wsgi.detection.decoding.strict_xml import reads_strictly
from guard_wsgi.detection.formats import large_bodies
from guard_wsgi.detection.formats.files import MIN_RUN_IN_FIELD, content_values, is_binary, readable
from guard_wsgi.detection.formats.graphql_values import MANY_GUESSES
from guard_wsgi.detection.formats.large_bodies import (
    LARGE_FORM_BYTES,
    LARGE_JSON_BYTES,
    LARGE_XML_BYTES,
    PiecePass,
)
from guard_wsgi.detection.formats.reports import MEDIA as REPORTS
from guard_wsgi.detection.formats.reports import is_browser_report, kind_of_address, with_samples
from guard_wsgi.detection.formats.structure import (
    is_json,
    json_document,
    unfold,
    whole_json,
    xml_values,
)
from guard_wsgi.detection.formats.xmlbody import TAGS_EACH, declarations, entities
from guard_wsgi.detection.message.batches import MEDIA as BATCH
from guard_wsgi.detection.message.batches import batch_values
from guard_wsgi.detection.message.form import form_text, form_values
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.message.multipart import multipart_values, present
from guard_wsgi.detection.relaxations.published_fields import (
    KindOf,
    kind_of,
    kind_of_place,
    no_kind,
)
from guard_wsgi.detection.value import Budget, Value, to_text


def body_values(
    body: bytes,
    kind: BodyKind,
    complete: bool,
    max_depth: int,
    budget: Budget,
    contents: bool = False,
    first_pass: PiecePass | None = None,
    any_form: bool = False,
) -> Iterator[Value]:
    """Yield the values of a body by its kind, and by everything else that it parses as.

    :param contents: whether the contents of files are weighed.
    :param first_pass: tests a piece of such a body, and one value. Of a large body, only the pieces
        that match are read; without a first pass, all values are.
    :param any_form: whether the app reads fields from a body of any media type.
    """
    kind_in_json = kind_of_place if contents else kind_of
    budget.take_chars(len(body) // BODY_EACH)
    if PERCENT in body:
        odd = body.count(b"%25") + signs_without_escape(body)
        budget.take_chars(odd // ODD_SIGNS_EACH)
    if kind.is_multipart:
        found = present(body, kind.content_type)
        if found:
            charsets = charsets_in(kind.parameters)
            if kind.media == BATCH:
                yield from batch_values(
                    body, found, complete, max_depth, budget, contents, charsets
                )
                return
            yield from multipart_values(body, found, complete, budget, contents, charsets)
            return
        kind = _UNKNOWN
    if kind.is_file:
        if any_form and has_fields(body):
            yield from _fields(_LATER_FIELD.findall(body), budget)
        yield from _file_values(body, kind, complete, max_depth, budget, contents, first_pass)
        return
    if any_form and kind.is_xml and complete and has_fields(body):
        # Bottle reads them; XML writes an ampersand as an entity.
        yield from _fields(_LATER_FIELD.findall(body), budget)
    start = _first_byte(body)
    is_markup = start == b"<" and not kind.is_xml
    if is_markup and (kind.is_form or kind.is_json):
        yield from _as_xml(body, budget, first_pass)
    if kind.is_json or start in (b"{", b"["):
        # GraphQL operations in one list are counted together.
        is_batch = start == b"[" and body.count(b'"query"') >= MANY_GUESSES
        is_large = first_pass is not None and len(body) > LARGE_JSON_BYTES
        is_long = is_batch and is_large and _parts_of(body) > MAX_BATCH_PARTS
        pieces_pass = first_pass if is_large and (is_long or not is_batch) else None
        leaves = _json_leaves(body, kind, complete, max_depth, budget, kind_in_json, pieces_pass)
        if leaves is not None:
            yield from leaves
            if is_long:
                budget.spend()  # its operations are not counted
            if not kind.is_form:
                return
    # Callbacks of WeChat: some clients name a form's type for any body.
    is_callback = kind.is_form and body[:5] == b"<xml>" and b"%" not in body
    if is_callback and reads_strictly(to_text(body)[0]):
        yield from xml_values(body, budget)
        return
    if kind.is_form:
        yield from _form_values(body, budget, contents, first_pass)
        if not kind.is_text:
            return
    if kind.is_xml or (start == b"<" and b"<?xml" in body[:200].lower()):
        yield from _xml_values(body, budget, first_pass)
        return
    if is_markup and kind.is_text and not kind.is_form:
        yield from _as_xml(body, budget, first_pass)
    if kind.media == "application/graphql":
        text, flags = to_text(body)
        yield from unfold(Value("graphql", "", text, "", flags), budget)
        return
    # Control characters between readable text hide nothing from an app that reads it as text.
    text, flags = (readable(body, MIN_RUN_IN_FIELD), ()) if is_binary(body) else to_text(body)
    if not kind.is_form and _FORM_BEGINNING.match(body):
        yield from form_values(body, "form", budget)
    yield from unfold(Value("body", "", text, "", flags), budget)
    if BACKSLASH in body and (joined := joined_lines(body)) != body:
        yield from unfold(Value("body", "", to_text(joined)[0]), budget)


def _json_leaves(
    body: bytes,
    kind: BodyKind,
    complete: bool,
    max_depth: int,
    budget: Budget,
    kind_in_json: KindOf,
    first_pass: PiecePass | None,
) -> Iterator[Value] | None:
    """Return the values of a JSON body; ``None`` if it does not parse.

    :param first_pass: tests its pieces; without it, all values are read.
    """
    if kind.media in REPORTS:
        kind_in_json = kind_of_address
    if first_pass is not None:
        if not kind.is_json and not is_json(body):
            return None
        pieces = large_bodies.json_values(body, "json", *first_pass, max_depth, budget)
        leaves = _unfolded(pieces, budget, kind_in_json)
    else:
        document = json_document(body, complete) if kind.is_json else whole_json(body)
        if document is None:
            return None
        leaves = document.values("json", max_depth, budget, kind_in_json)
    if is_browser_report(body, kind.media):
        return with_samples(leaves, kind.media in REPORTS)
    return leaves


def _form_values(
    body: bytes, budget: Budget, contents: bool, first_pass: PiecePass | None
) -> Iterator[Value]:
    """Yield the values of a form; also the text of a body that has no fields."""
    if first_pass is None or len(body) <= LARGE_FORM_BYTES:
        yield from form_values(body, "form", budget, contents)
    else:
        for piece in large_bodies.form_pieces(body, first_pass[0]):
            yield from form_values(piece, "form", budget, contents)
    if b"=" not in body[:4096]:
        text, flags = (readable(body, MIN_RUN_IN_FIELD), ()) if is_binary(body) else form_text(body)
        yield from unfold(Value("body", "", text, "", flags), budget)


def _first_byte(body: bytes) -> bytes:
    """Return the first byte after a byte order mark and blanks; ``b""`` if there is none. A
    character of any charset has at most three zeros."""
    if body.startswith(_ZEROS):
        return b"\x00"
    match = _BLANKS.match(body)
    at = match.end() if match else 0
    return body[at : at + 1]


def _parts_of(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[") + len(body) // 64


def _as_xml(body: bytes, budget: Budget, first_pass: PiecePass | None) -> Iterator[Value]:
    """Yield the values of a body of another type that an XML parser reads: its text may be split by
    marks, and its characters written by their numbers."""
    if _CUT.search(body) or (len(body) <= LARGE_XML_BYTES and _is_xml(body)):
        yield from _xml_values(body, budget, first_pass)


def _is_xml(body: bytes) -> bool:
    try:
        ParserCreate().Parse(body, True)
    except (ExpatError, ValueError, LookupError):
        return False
    return True


MAX_BATCH_PARTS: Final = 20_000
"""The most objects and lists of a batch of GraphQL to read as a whole, each 64 bytes counting as
one: 1 us each. No server takes as many operations."""
BODY_EACH: Final = 128
ODD_SIGNS_EACH: Final = 2
"""Taking a body apart costs one unit for this many bytes, and one for this many percent signs that
are escaped or begin no escape (value.Budget)."""
_UNKNOWN: Final = BodyKind("", "", is_form=True, is_text=True)
_CUT: Final = re.compile(rb"<!--|<\?|<!\[CDATA\[")
_FORM_BEGINNING: Final = re.compile(rb"[\w.%+\[\]-]{1,64}=")
_JSON_BEGINNINGS: Final = (b"{", b"[", b'"')
_DOCUMENT_BEGINNINGS: Final = (*_JSON_BEGINNINGS, b"<", b"")  # whatever follows blanks
_ZEROS: Final = bytes(4)
_BLANKS: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*")
# A pair as Bottle splits it, up to the end of the line: fields that people fill in have no more.
_PAIR: Final = re.compile(rb"(?:\A\s*|&)([\w.%\[\]-]{1,64})=([^&\r\n]+)")
_FORM: Final = re.compile(rb"\s*(?:[\w%.\[\]+-]{0,64}+&){0,64}[\w%.\[\]+-]{1,64}=")
_LATER_FIELD: Final = re.compile(rb"&([\w.%\[\]+-]{1,64})=([^&]+)")
MAX_FORM_BYTES: Final = 102_400
"""How many bytes Bottle reads as a form, whatever the media type (``MEMFILE_MAX``)."""


def is_document(body: bytes, any_form: bool = False) -> bool:
    """Whether a body of a file's type may be read as something else.

    :param any_form: whether the app reads fields from any text, and not only from a form.
    """
    return (
        _first_byte(body) in _DOCUMENT_BEGINNINGS
        or (len(body) <= MAX_FORM_BYTES and _FORM.match(body) is not None)
        or (any_form and has_fields(body))
    )


def has_fields(body: bytes) -> bool:
    """Whether Bottle reads a field from a body, whatever stands before it."""
    return len(body) <= MAX_FORM_BYTES and _LATER_FIELD.search(body) is not None


def _unfolded(
    values: Iterator[Value], budget: Budget, kind_in_json: KindOf = no_kind
) -> Iterator[Value]:
    for value in values:
        budget.take_value()
        kind = "" if value.kind else kind_in_json(value.name, value.text)
        yield from (evolve(value, kind=kind),) if kind else unfold(value, budget)


def _xml_values(body: bytes, budget: Budget, first_pass: PiecePass | None) -> Iterator[Value]:
    if first_pass is None or len(body) <= LARGE_XML_BYTES:
        yield from xml_values(body, budget)
        return
    budget.take_chars(body.count(b"<") // TAGS_EACH)
    yield from declarations(to_text(body)[0])
    yield from _unfolded(large_bodies.xml_values(body, first_pass[0], budget), budget)


def _file_values(
    body: bytes,
    kind: BodyKind,
    complete: bool,
    max_depth: int,
    budget: Budget,
    contents: bool,
    first_pass: PiecePass | None,
) -> Iterator[Value]:
    """Yield the values of a body with a file's media type. Views read JSON from any body, and
    Bottle reads fields: a body that parses as one is weighed as one. Otherwise it is a file, and
    only its XML entities are checked, because an XML parser would read them."""
    kind_in_json = kind_of_place if contents else kind_of
    if complete:
        first = _first_byte(body)
        if first in _JSON_BEGINNINGS:
            if first_pass is not None and len(body) > LARGE_JSON_BYTES:
                if is_json(body):
                    pieces = large_bodies.json_values(body, "json", *first_pass, max_depth, budget)
                    yield from _unfolded(pieces, budget, kind_in_json)
                    return
            else:
                document = whole_json(body)
                if document is not None:
                    yield from document.values("json", max_depth, budget, kind_in_json)
                    return
        elif first == b"<":
            # An app that gets a picture or a page in XML may parse it.
            declared = entities(body, budget, has_subset="xml" in kind.media)
            if declared:
                yield from declared
                return
        if len(body) <= MAX_FORM_BYTES and _FORM.match(body):
            yield from _fields(_PAIR.findall(body), budget)
    if contents:
        yield from content_values("body", "", body)


def _fields(pairs: list[tuple[bytes, bytes]], budget: Budget) -> Iterator[Value]:
    for name, value in pairs:
        budget.take_value()
        text, flags = form_text(value)
        yield from unfold(Value("form", form_text(name)[0], text, "", flags), budget)
