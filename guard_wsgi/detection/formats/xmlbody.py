"""XML documents, read by the parser of Python's own libraries.

It expands no entities and fetches nothing (CWE-611, CWE-776). It looks for documents that make
other parsers do so. After the first fault, the rest of the text is one value.
"""

from __future__ import annotations

import contextlib
import html
import re
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType

from guard_wsgi.detection.decoding.charset import decoded
from guard_wsgi.detection.formats import large_bodies
from guard_wsgi.detection.formats.stylesheet import XSL, only_transforms
from guard_wsgi.detection.relaxations.doctypes import without_published
from guard_wsgi.detection.value import COMMENT, EXPRESSION, Budget, Value, to_text

# Optimization: it begins with one character, so `re` looks only where that is.
_MARKED: Final = re.compile(
    r"<(?:!(?:DOCTYPE|ENTITY|ELEMENT|\[%|\[CDATA\[.?\]\]>)|xsl:|xi:|\?xml-stylesheet)",
    re.IGNORECASE,
)
_NAMESPACE_MARK: Final = "xmlns:"
TAGS_EACH: Final = 8
"""Testing this many tags for declarations costs one unit (value.Budget)."""
_PROLOG_CHARS: Final = 8192
_MAX_NAME_CHARS: Final = 64
_SCRIPTED: Final = frozenset({"script", "iframe", "foreignobject"})
_EVENT: Final = re.compile(r"on[a-z]{3,20}", re.IGNORECASE)
# Attributes that contain an XPath by their format (XSLT; Internationalization Tag Set 2.0).
_PATHS: Final = frozenset(
    {
        *("select", "match", "test", "use", "count", "from", "group-by", "selector"),
        *("contextPointer", "textPointer", "locNotePointer", "domainPointer", "idValue"),
    }
)
_CONDITION: Final = "Condition"  # of MSBuild
_PATH_PREFIXES: Final = ("xsl:", "its:", "gt:")
_NAMESPACE: Final = re.compile(r"[\w:/.#=,;~ -]*")


class _Pieces:
    """Collects values from the parser."""

    def __init__(self, budget: Budget) -> None:
        self.values: list[Value] = []
        self._budget = budget
        self._open: list[str] = []
        self._text: list[str] = []
        self._path_prefixes: tuple[str, ...] = _PATH_PREFIXES

    def handle(self, parser: XMLParserType) -> None:
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruct
        # This handler keeps entities from being expanded.
        parser.DefaultHandler = self._other

    def flush(self) -> None:
        """Add the text between two tags; comments and instructions in it do not split it."""
        text = "".join(self._text).strip()
        self._text.clear()
        if text:
            self._add(text)

    @property
    def element(self) -> str:
        """Return the name of the open element."""
        return self._open[-1] if self._open else ""

    def _add(self, text: str, name: str = "", kind: str = "") -> None:
        self._budget.take_value()
        if text.strip():
            self.values.append(Value("xml", name or self.element, text, kind))

    def _start(self, tag: str, attributes: list[str]) -> None:
        self.flush()
        self._budget.take_chars(large_bodies.TAG_CHARS)
        name = tag[:_MAX_NAME_CHARS]
        self._open.append(name)
        pairs = list(zip(attributes[::2], attributes[1::2], strict=True))
        if tag.rpartition(":")[2].lower() in _SCRIPTED or any(
            _EVENT.fullmatch(key) for key, _ in pairs
        ):
            said = "".join(f' {key}="{value}"' for key, value in pairs)
            self._add(f"<{tag}{said}>")
        for key, value in pairs:
            if value == XSL and key.startswith("xmlns:"):
                self._path_prefixes = (*self._path_prefixes, key.removeprefix("xmlns:") + ":")
        for key, value in pairs:
            if key.startswith(("xmlns", "xsi:")) and _NAMESPACE.fullmatch(value):
                continue
            is_path = key == _CONDITION or (tag.startswith(self._path_prefixes) and key in _PATHS)
            kind = EXPRESSION if is_path else ""
            self._add(value, f"{name}@{key[:_MAX_NAME_CHARS]}", kind)

    def _end(self, tag: str) -> None:
        self.flush()
        self._open.pop()

    def _comment(self, text: str) -> None:
        self._add(text, kind=COMMENT)

    def _instruct(self, target: str, data: str) -> None:
        if target != "xml-stylesheet":
            self._add(f"<?{target} {data}?>")

    def _other(self, data: str) -> None:
        if data.startswith("&") and self._open:
            self._text.append(data)


def declarations(text: str) -> list[Value]:
    """Return the beginning of a document that declares entities, style sheets or inclusions."""
    if not _declares(text):
        return []
    prolog = without_published(text[:_PROLOG_CHARS])
    if _declares(prolog) or _declares(text, _PROLOG_CHARS):
        return [Value("xml", "", prolog, "markup")]
    return []


def _declares(text: str, start: int = 0) -> bool:
    return _MARKED.search(text, start) is not None or text.lower().find(_NAMESPACE_MARK, start) >= 0


def xml_pieces(document: str | bytes, budget: Budget) -> list[Value]:
    """Yield text, comments, instructions and attribute values; the beginning of the document if it
    declares entities, style sheets or inclusions; tags that run script in a browser.

    :raises BudgetSpent: if there are too many values.
    """
    text = document if isinstance(document, str) else to_text(document)[0]
    budget.take_chars(text.count("<") // TAGS_EACH)
    found = declarations(text)
    if found and XSL in text and only_transforms(text):
        found = []
    pieces = _Pieces(budget)
    parser = ParserCreate()
    pieces.handle(parser)
    rest = ""
    try:
        parser.Parse(document, True)
    except (ExpatError, ValueError, LookupError):
        data = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
        # From the beginning of the tag or the text with the fault.
        place = data.rfind(b"<", 0, max(parser.ErrorByteIndex, 0) + 1)
        rest = to_text(data[max(place, 0) :])[0]
    pieces.flush()
    found += pieces.values
    if rest.strip():
        budget.take_value()
        found.append(Value("xml", pieces.element, rest))
        # Parsers that forgive a fault continue after it.
        data = rest.encode("utf-8", "surrogatepass")
        for value in large_bodies.xml_values(data, lambda _: True, budget):
            budget.take_value()
            found.append(value)
        if "&" in rest:
            # A number with more digits than the interpreter converts is no character.
            with contextlib.suppress(ValueError):
                found.append(Value("xml", pieces.element, html.unescape(rest)))
    return found


_INSTRUCTION: Final = re.compile(r"^[\ufeff\s]*<\?xml\b[^>]{0,400}\?>")
_ENCODING: Final = re.compile(rb"<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([\w.-]{1,40})")


def declared_encoding(body: bytes) -> str:
    """Return the encoding that a document names; "" for none."""
    said = _ENCODING.search(body[:1024].replace(b"\x00", b""))
    return said[1].decode("ascii") if said else ""


def without_instruction(text: str) -> str:
    """Return a decoded document without its first instruction: the encoding that it names no longer
    applies."""
    return _INSTRUCTION.sub("", text)


def entities(body: bytes, budget: Budget, has_subset: bool = False) -> list[Value]:
    """Return the beginning of a document that declares entities, also in the encoding that it
    names.

    :param has_subset: whether a document type in a file elsewhere counts as well.

    An encoding that a mark or zeros show has its own reading (``body_readings``).
    """
    for name in dict.fromkeys(["", declared_encoding(body)]):
        text = decoded(body, name, budget.take_chars) if name else to_text(body)[0]
        if text is None:
            continue
        plain = without_instruction(text)
        # An instruction may name the encoding that the document had before it was decoded.
        if (not name and declares_entities(body, has_subset)) or declares_entities(
            plain.encode("utf-8", "replace"), has_subset
        ):
            found = declarations(plain)
            if found:
                return found
    return []


class _Declared(Exception):
    """Ends the parsing of a document that declares entities."""


def declares_entities(body: bytes, has_subset: bool = False) -> bool:
    """Whether a body is an XML document with entities of its own, or with a document type in a file
    elsewhere (CWE-611, CWE-776)."""
    parser = ParserCreate()

    def declare(*declaration: object) -> None:
        raise _Declared

    def begin(_: str, system: str | None, *__: object) -> None:
        if system and has_subset:
            raise _Declared

    parser.EntityDeclHandler = declare
    parser.StartDoctypeDeclHandler = begin
    try:
        # Declarations precede the first element.
        parser.Parse(body[:_MAX_DECLARED_BYTES], False)
    except _Declared:
        return True
    except (ExpatError, ValueError, LookupError):
        return False
    return False


_MAX_DECLARED_BYTES: Final = 65_536
"""How many bytes of a document to search for entities."""
