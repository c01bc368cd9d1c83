"""XML bodies without an XML parser: what a parser would be made to do is the question."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate

from guard_wsgi.detection.value import Budget, Value

_PIECE = re.compile(
    r"<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|$)|<!--(?P<comment>.*?)(?:-->|$)"
    r"|<\?(?P<instruction>.*?)(?:\?>|$)|<!(?P<declaration>[^>\[]*(?:\[.*?\]\s*)?)>"
    r"|<(?P<tag>/?[^<>]*)>|(?P<text>[^<]+)|<",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"'<>]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_SCRIPTED = re.compile(
    r"^\s*/?\s*(?:script|iframe|foreignobject)\b|\son[a-z]{3,20}\s*=", re.IGNORECASE
)
DECLARATION = re.compile(
    r"<!(?:DOCTYPE|ENTITY|ELEMENT|\[%)|<xsl:|<xi:|xmlns:|<\?xml-stylesheet|<!\[CDATA\[.?\]\]>",
    re.IGNORECASE,
)
_PROLOG_CHARS: Final = 8192


def xml_pieces(text: str, budget: Budget) -> Iterator[Value]:
    """Text, CDATA, comments and attribute values; the document as such where it declares
    entities, style sheets or inclusions; tags that run script in a browser."""
    if DECLARATION.search(text):
        yield Value("xml", "", text[:_PROLOG_CHARS], "markup")
    element = ""
    for match in _PIECE.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        piece = match[kind]
        if kind == "tag":
            if piece.startswith("/"):
                continue
            name, _, rest = piece.partition(" ")
            element = name.strip("/ \t\r\n")[:64]
            if _SCRIPTED.search(piece):
                budget.take_value()
                yield Value("xml", element, f"<{piece}>")
            for attribute in _ATTRIBUTE.finditer(rest):
                if attribute[1].startswith("xmlns") or attribute[1].startswith("xsi:"):
                    continue
                budget.take_value()
                value = attribute[2] if attribute[2] is not None else attribute[3]
                if value:
                    yield Value("xml", f"{element}@{attribute[1]}", html.unescape(value))
        elif kind == "instruction":
            if not piece.startswith(("xml ", "xml-stylesheet")):
                yield Value("xml", element, f"<?{piece}?>")
        elif kind in ("text", "cdata", "comment"):
            piece = piece.strip()
            if piece:
                budget.take_value()
                yield Value("xml", element, html.unescape(piece) if kind == "text" else piece)


# Pictures and pages: documents that are shown, not data that is read.
_SHOWN: Final = frozenset({"svg", "html"})


class _Declared(Exception):
    """Ends the parsing of a document that declares entities."""


def is_data(body: bytes) -> bool:
    """Whether a body is an XML document, other than a picture or a page in XML."""
    parser = ParserCreate()
    roots: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        roots.append(name.rpartition(":")[2].lower())
        parser.StartElementHandler = None

    def declare(*declaration: object) -> None:
        raise _Declared

    parser.StartElementHandler = start
    parser.EntityDeclHandler = declare
    try:
        parser.Parse(body, True)
    except _Declared:
        # Whatever it is: entities are what is done to those that parse it (CWE-611, CWE-776).
        return True
    except (ExpatError, ValueError, LookupError):
        return False
    return roots[0] not in _SHOWN
