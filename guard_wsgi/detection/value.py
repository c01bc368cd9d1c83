"""One name and text of a request, and the budget for extracting them."""

from __future__ import annotations

import re
from typing import Final

from attrs import define

from guard_wsgi.detection.normalize import overlong

STORED: Final = "stored"
"""Kind of a path under which a client keeps a file of its own, or a site shows one."""

KEPT: Final = "kept"
"""The same for a path of plain names, which leads to no other folder."""

EXPRESSION: Final = "expression"
"""Kind of an XPath where a format prescribes one."""

COMMENT: Final = "comment"
"""Kind of a comment in a document of XML, in which no element is one."""

SAMPLE: Final = "sample"
"""Kind of the piece of a program that a browser quotes in a report."""

PLACE: Final = "place"
"""Kind of the name or the place of a file that says where something is from."""

CONTENT: Final = "content"
"""Kind of what a published format holds as a file holds it: programs, their output, pages."""

# Names that are more than a label to a deserializer, an object merger or a browser (CWE-502,
# CWE-1321, CWE-79).
NAME_EVIDENCE: Final = re.compile(
    r"__(?:proto|class|import|global|init|type|define|lookup|builtin|subclass|base|mro|dict|reduce|code)|constructor|prototype|^@(?:type|class)$|java|class[.\[]|processbuilder"
    r"|transformer|closure|getruntime|instantiatefactory|\borg\.(?:apache|omg|spring)"
    r"|\bcom\.(?:sun|opensymphony|mchange)|^(?:document|window)\.",
    re.IGNORECASE,
)


# Fields of Java Server Faces, and properties that Java and Spring document: settings, not classes.
_PROPERTY: Final = re.compile(
    r"(?:javax|jakarta)\.faces\.[\w.]{1,60}|logging\.level\.[\w.]{1,80}"
    r"|java\.(?:version|vendor|home|io\.tmpdir|class\.path|class\.version|library\.path|(?:runtime|specification|vm)\.\w{1,24})(?:\.\w{1,16})?",
    re.IGNORECASE,
)


def stands_out(name: str) -> bool:
    """Whether a name may be more than a label."""
    return NAME_EVIDENCE.search(name) is not None and not _PROPERTY.fullmatch(name)


def with_parent(path: str, key: str) -> str:
    """A key, with that of the object it stands in where the two together say more
    (``{"constructor": {"prototype": ...}}``, ``{"__class__": {"__init__": ...}}``)."""
    parent = path.rpartition(".")[2]
    is_suggestive = parent == "constructor" or (parent[:2] == "__" and parent[-2:] == "__")
    return f"{parent}.{key}" if is_suggestive else key


UNREAD: Final = "unread_value"
"""Flag of a value that could not be parsed."""


@define(unsafe_hash=True)
class Value:
    """A piece of a request that an application would see as one string. Not frozen, which would
    double the time of making one; nobody writes to it.

    :ivar location: as in Finding.
    :ivar name: of the parameter or field.
    :ivar text: decoded as the transport says (form decoding, JSON strings), not further.
    :ivar kind: what the text is known to be: "" (anything), "name" (a field's own name),
        "filename", "agent" (User-Agent), "header", "path", STORED, KEPT, EXPRESSION,
        COMMENT, SAMPLE, PLACE, CONTENT (not weighed), "url" (without its query), "upload" (text of
        an uploaded file), "binary" (the same, not text), "markup" (a document of XML).
    :ivar flags: evidence seen while decoding, as names of features.
    """

    location: str
    name: str
    text: str
    kind: str = ""
    flags: tuple[str, ...] = ()


VALUE_CHARS: Final = 12
"""To take one value out of a document and look at it with the first pass."""


@define
class Budget:
    """How much a request may still cost. Spending more than is left raises BudgetSpent.

    Characters are the unit of work: each is about half a microsecond of a processor's time, which
    is what one costs in a text that is weighed all over. What takes longer or less is charged by
    the time that it takes (benchmarks/bytes.py), whatever its length is.
    """

    values: int
    chars: int

    def take_value(self) -> None:
        self.values -= 1
        if self.values < 0:
            raise BudgetSpent("max_values")
        self.take_chars(VALUE_CHARS)

    def take_chars(self, count: int) -> None:
        self.chars -= count
        if self.chars < 0:
            raise BudgetSpent("max_chars")


class BudgetSpent(Exception):
    """A budget ran out; the argument names it. Never leaves the detection package."""


def to_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Bytes as text: UTF-8, else leniently, which is evidence when overlong forms were used."""
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        text = overlong(data)
        if len(text) < len(data):
            return text, ("encoding.overlong_bytes",)
        return text, ()
