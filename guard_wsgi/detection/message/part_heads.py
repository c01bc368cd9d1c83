"""The head of a part of a multipart body (RFC 7578), as each framework reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen
from werkzeug.http import parse_options_header

from guard_wsgi.detection.decoding.charset import charsets_in, parameters_of
from guard_wsgi.detection.value import to_text

# The head of a part as browsers and libraries write it: each parameter once, as a token or a quoted
# string without quotes and backslashes, and no folded line.
_QUOTED: Final = rb"(?:\"([^\"\\\r\n]*)\"|([\w.-]+))"
_PLAIN_DISPOSITION: Final = re.compile(
    rb"content-disposition: *(?:form-data|file|attachment|inline)(?: *; *name=" + _QUOTED + rb")?"
    rb"(?: *; *filename=" + _QUOTED + rb")?(?: *; *filename\*=[\w-]+'[\w-]*'[\w.%!~()-]+)?",
    re.IGNORECASE,
)
PLAIN_HEADER: Final = re.compile(
    rb"(?:content-type: *[\w.+-]+/[\w.+-]+(?:; *(?:charset|boundary|format|name)=\"?[\w. -]++\"?)?"
    rb"|content-transfer-encoding: *(?:binary|8bit|7bit|base64|quoted-printable)"
    rb"|content-length: *\d+|mime-version: *1\.0|content-id: *<?[\w.@-]+>?) *",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(r"\bname\s*[*=]", re.IGNORECASE)
_FILE_NAMED: Final = re.compile(r"filename\s*=\s*(?:\"([^\"]*)|([^;\s\"]+))", re.IGNORECASE)
LINE_BREAK: Final = re.compile(rb"\r\n|\n|\r")
_FOLDED: Final = re.compile(rb"(?:\r\n|\n|\r)[ \t]+")
MAX_HEAD_BYTES: Final = 16_384
"""The longest head of a part; werkzeug, Django and Bottle refuse longer ones, or read no field from
them."""


@frozen(slots=True)
class PartHead:
    """What a head says.

    :ivar name: the name of the field; "" if it can be read in several ways: exclusions by name
        apply only to a name that everybody reads alike.
    :ivar names: all readings of the name.
    :ivar filenames: all readings of the file's name.
    :ivar is_plain: whether all parsers read the head alike.
    """

    name: str
    names: tuple[str, ...]
    filenames: tuple[str, ...]
    is_plain: bool


def read_head(head: bytes) -> PartHead:
    """Read the lines of a head."""
    return _plain(head) or _lenient(head[:MAX_HEAD_BYTES])


def is_usual_head(head: bytes) -> bool:
    """Whether it has only lines as browsers and libraries write them."""
    return len(head) <= MAX_HEAD_BYTES and all(
        _PLAIN_DISPOSITION.fullmatch(line) or PLAIN_HEADER.fullmatch(line)
        for line in head.split(b"\r\n")
    )


def is_file_head(head: bytes) -> bool:
    """Whether every framework reads a part with this head as a file."""
    said = _plain(head)
    return said is not None and bool(said.filenames)


def _plain(head: bytes) -> PartHead | None:
    """Read a head as browsers write it; ``None`` for any other."""
    if len(head) > MAX_HEAD_BYTES:
        return None
    name, filename = "", ""
    dispositions, is_plain = 0, True
    for line in head.split(b"\r\n"):
        match = _PLAIN_DISPOSITION.fullmatch(line)
        if match is not None:
            dispositions += 1
            name = to_text(match[1] or match[2] or b"")[0]
            said = match[3] or match[4]
            if said:
                filename = to_text(said)[0]
            # Bottle supports neither the other form of the name nor an empty name.
            elif b"filename" in line:
                is_plain = False
        elif PLAIN_HEADER.fullmatch(line) is None:
            is_plain = False
    if is_plain and dispositions == 1:
        return PartHead(name, (name,), (filename,) if filename else (), True)
    return None


def _lenient(head: bytes) -> PartHead:
    """Read a head that is unusual, as werkzeug does and as Django does."""
    names: list[str] = []
    filenames: list[str] = []
    said = 0
    for text in unfolded(head):
        if text[:19].lower() == "content-disposition":
            rest = text.partition(":")[2]
            _, options = parse_options_header(rest)
            said += len(_NAMED.findall(rest))
            names.append(options.get("name", "").strip())
            filenames.append(options.get("filename", ""))
            filenames += [quoted or plain for quoted, plain in _FILE_NAMED.findall(rest)]
            if "*" in rest:
                name, filename = parameters_of(rest, "name", "filename")
                names.append(name.strip())
                filenames.append(filename)
    names = [one for one in dict.fromkeys(names) if one]
    filenames = [one for one in dict.fromkeys(filenames) if one]
    only = names[0] if said == len(names) == 1 else ""
    return PartHead(only, tuple(names), tuple(filenames), False)


def unfolded(head: bytes) -> list[str]:
    """Return the lines of a head. Each that was folded is one (RFC 5322, 2.2.3)."""
    return [to_text(line)[0] for line in LINE_BREAK.split(_FOLDED.sub(b" ", head))]


def part_charsets(head: bytes) -> Iterator[str]:
    """Yield the charsets that a part names. Bottle puts folded lines together without a blank."""
    if b"charset" in head.lower():
        yield from charsets_in(to_text(_FOLDED.sub(b" ", head))[0])
    elif b"char" in head.lower() and _FOLDED.search(head):
        yield from charsets_in(to_text(_FOLDED.sub(b"", head))[0])
