"""Data URLs (RFC 2397): files that a client sends in a field.

`FileReader.readAsDataURL` makes one of each file that a page previews. The declared type is not
evidence; the content is weighed by what it is. Content that browsers run is weighed as text in the
field, except pictures that only draw. Content of other types is weighed as base64, without the
prefix of the URL.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from attrs import evolve

from guard_wsgi.detection.formats.svg import is_only_data, texts_of_picture
from guard_wsgi.detection.formats.xmlbody import xml_pieces
from guard_wsgi.detection.value import Budget, Value

_DATA_URL: Final = re.compile(
    # A charset of the sender's choice would turn the same bytes into another text.
    r"\s*data:([\w.+-]{1,60}/[\w.+-]{1,100})"
    r"(?:;charset=(?:utf-?8|us-ascii|iso-8859-1)|;utf-?8"
    r"|;(?:name|filename|lastmodified|size)=[\w.%+!-]{0,200})*"
    r"(;base64)?,",
    re.IGNORECASE,
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\s-]*")
SVG: Final = "image/svg+xml"
# Content that a browser treats as a page or a program (WHATWG, MIME Sniffing: XML, HTML and
# JavaScript).
_ACTIVE: Final = re.compile(
    r".*\b(?:html|xml|javascript|ecmascript|jscript|livescript|vbscript)\b.*"
)
_XML: Final = re.compile(r"(?:text|application)/(?:[\w.-]+\+)?xml")
# Content that makes a page run a program or change to another page.
_HANDLED: Final = re.compile(
    r"<\s*script|script\s*:|&#|[\s/\"']on\w{3,}\s*=|<\s*(?:i?frame|object|embed|base|svg|math)\b|http-equiv"
    r"|srcdoc|action\s*=|\{\{|\$\{",
    re.IGNORECASE,
)
# Fields that select a file to include: there, a data URL is a program (CWE-98).
_INCLUDED: Final = frozenset(
    {
        *("page", "path", "include", "inc", "require", "template", "tpl", "theme", "dir", "folder"),
        *("root", "basedir", "view", "module", "mod", "conf", "config", "lang", "language", "cmd"),
        *("layout", "pg", "load", "main", "skin", "exec"),
    }
)
_WORD: Final = re.compile(r"[^\W_]+")
_FIELDS: Final = frozenset({"form", "json", "multipart"})
_PHP: Final = re.compile(r"<\?(?!xml\s)|<%")


DATA_EACH: Final = 8
"""Reading the content of a data URL costs one unit for this many of its characters
(value.Budget)."""


def content(value: Value, budget: Budget) -> Iterator[Value] | None:
    """Return the values in a data URL; None if the value is not one, or if the URL itself
    counts."""
    match = _DATA_URL.match(value.text)
    if (
        match is None
        or value.location not in _FIELDS
        or value.kind
        or _INCLUDED.intersection(_WORD.findall(value.name.lower())[-1:])
    ):
        return None
    media, data = match[1].lower(), value.text[match.end() :]
    budget.take_chars(len(data) // DATA_EACH)
    if not match[2]:
        return _escaped(value, media, data)
    if not _BASE64.fullmatch(data):
        return None
    text = _text_of(data)
    if text is None:
        return None if _ACTIVE.fullmatch(media) else iter((evolve(value, text=data),))
    if _PHP.search(text):
        return None
    if media == SVG:
        shown = texts_of_picture(text, is_escaped=True)
        return None if shown is None else iter([evolve(value, text=one) for one in shown])
    if _XML.fullmatch(media):
        return _pieces(value, text, budget) if is_only_data(text) else None
    if _ACTIVE.fullmatch(media):
        return None if _HANDLED.search(text) else iter((evolve(value, text=text),))
    return iter((evolve(value, text=data),))


def _pieces(value: Value, document: str, budget: Budget) -> Iterator[Value]:
    for piece in xml_pieces(document, budget):
        yield evolve(piece, location=value.location, name=f"{value.name}>{piece.name}")


def _escaped(value: Value, media: str, data: str) -> Iterator[Value] | None:
    """Return the values of content that is not in base64, except of pages and programs, which are
    handmade."""
    text = unquote(data)
    if media == SVG:
        shown = texts_of_picture(text, is_escaped=_is_escaped(data))
        return None if shown is None else iter([evolve(value, text=one) for one in shown])
    if _ACTIVE.fullmatch(media) or _PHP.search(text):
        return None
    return iter((evolve(value, text=text),))


def _is_escaped(data: str) -> bool:
    return "'" not in data and '"' not in data and "<" not in data


def _text_of(data: str) -> str | None:
    try:
        body = "".join(data.split()).replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def picture_texts(value: Value) -> Iterator[Value] | None:
    """Return the texts of a picture that is the whole value and only draws; None for any other."""
    if value.location not in _FIELDS or value.kind:
        return None
    shown = texts_of_picture(value.text, is_escaped=False)
    return None if shown is None else iter([evolve(value, text=one) for one in shown])


# A picture in a page or a style sheet, up to its end.
_PICTURE: Final = re.compile(
    r"(?<=[\"'(=\s])data:image/svg\+xml(?:;charset=[\w-]{1,16}|;utf-?8)?"
    r"(?:;base64,([A-Za-z0-9+/]{16,}={0,2})|,((?:%3C|<)svg\b[^\"<]*?%3C/svg%3E))",
    re.IGNORECASE,
)
PICTURE_HINT: Final = "data:image/svg+xml"


def without_pictures(value: Value) -> Value:
    """Replace each picture in a text that only draws with a word."""
    if value.location not in _FIELDS:
        return value
    text = _PICTURE.sub(_word_for, value.text)
    return value if text == value.text else evolve(value, text=text)


def _word_for(match: re.Match[str]) -> str:
    if match[1]:
        document, is_escaped = _text_of(match[1]), True
    else:
        document, is_escaped = unquote(match[2]), _is_escaped(match[2])
    shown = None if document is None else texts_of_picture(document, is_escaped=is_escaped)
    return match[0] if shown is None else " ".join(["picture", *shown])
