"""Reads a whole XML document with a real parser. Handlers may refuse the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate


class Refused(Exception):
    """Ends the reading of a document that has a forbidden part."""


def refuse(*_: object) -> None:
    """A handler for forbidden parts."""
    raise Refused


_FORBIDDEN: Final[dict[str, Callable[..., object]]] = {
    "ProcessingInstructionHandler": refuse,
    "StartDoctypeDeclHandler": refuse,
}


def reads_strictly(document: str, **handlers: Callable[..., Any]) -> bool:
    """Whether a document is well-formed and no handler refuses it.

    :param handlers: handlers by their names in `xml.parsers.expat`. Element names come as
        ``"namespace name"``, attributes as a flat list. Instructions and a document type are
        refused unless there is a handler for them.
    """
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.ordered_attributes = True
    for name, handler in {**_FORBIDDEN, **handlers}.items():
        setattr(parser, name, handler)
    try:
        parser.Parse(document.strip().encode("utf-8", "surrogatepass"), True)
    except (Refused, ExpatError, ValueError, LookupError):
        return False
    return True
