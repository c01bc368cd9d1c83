"""multipart/form-data and its relatives (RFC 7578, RFC 2046), as each framework reads them.

Browsers and HTTP libraries write one form of it, which all parsers read alike. A body of that form
is split once. For any other body, every reading is weighed: that of werkzeug (a delimiter is a line
with any line end), of Django (a delimiter is anywhere), of Bottle (a line ends with CR and LF).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import quopri
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from attrs import frozen
from werkzeug.http import parse_options_header

from guard_wsgi.detection.decoding.charset import codec_name, decoded, parameter_of
from guard_wsgi.detection.formats.files import (
    MIN_RUN_IN_FIELD,
    content_values,
    is_binary,
    name_values,
    readable,
)
from guard_wsgi.detection.formats.structure import unfold
from guard_wsgi.detection.message.form import MAX_NAME_CHARS
from guard_wsgi.detection.message.part_heads import (
    LINE_BREAK,
    MAX_HEAD_BYTES,
    PLAIN_HEADER,
    is_usual_head,
    part_charsets,
    read_head,
)
from guard_wsgi.detection.value import Budget, Value, stands_out, to_text

_SIMPLE_NAME: Final = re.compile(r"[\w.\[\]:-]*")
_BOUNDARY_NAMED: Final = re.compile(
    r"boundary[*\d]*\s*=\s*(?:\"([^\"]*)\"|([^;,\s]*))", re.IGNORECASE
)
_BLANK_LINE: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
MAX_BOUNDARIES: Final = 4
"""How many boundaries to read from a Content-Type; clients send one."""


@frozen(slots=True)
class Part:
    """One part in one reading.

    :ivar head: its header lines.
    :ivar name: the name of the field; "" if it can be read in several ways.
    :ivar names: the name of the field, as each framework reads it.
    :ivar filenames: the file's name, as each framework reads it; none for a field.
    :ivar is_file: whether every framework reads it as a file, and none as a field.
    """

    head: bytes
    content: bytes
    name: str = ""
    names: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()
    is_file: bool = False
    is_plain: bool = False


def boundaries(content_type: str) -> list[bytes]:
    """Return every boundary that a framework may read in a Content-Type."""
    names = [parse_options_header(content_type)[1].get("boundary", "")]
    if content_type.lower().count("boundary") > 1 or names[0] not in content_type or not names[0]:
        names.append(parameter_of(content_type, "boundary"))
        names += [quoted or plain for quoted, plain in _BOUNDARY_NAMED.findall(content_type)]
    found = [name.encode("latin-1", "replace") for name in dict.fromkeys(names) if name.strip()]
    return found[:MAX_BOUNDARIES]


def is_ended(body: bytes, boundary: bytes) -> bool:
    """Whether a body has its last delimiter: without it, parsers read different parts."""
    end = b"--" + boundary + b"--"
    return end in body[-len(end) - 512 :]


def parts(
    body: bytes, boundary: bytes, complete: bool, budget: Budget, charsets: Collection[str] = ()
) -> Iterator[Part]:
    """Return the parts of a body: of the one reading, or of all readings if they differ.

    :param charsets: the charsets of the whole body, in which Bottle reads the heads.
    :raises BudgetSpent: if one reading has more parts than there may be values.
    """
    delimiter = b"--" + boundary
    most = budget.values + 1
    plain = _cut_plain(body, delimiter, complete, most)
    if plain is not None:
        for piece in plain:
            budget.take_value()
            budget.take_chars(PART_CHARS)
            part = _part(piece)
            if not part.is_plain:
                budget.take_chars(ODD_HEAD_CHARS)
            yield part
            if charsets or not part.is_plain:
                yield from _other_parts(piece, part, charsets)
        return
    budget.take_chars(len(body) // SPLIT_EACH)
    seen: set[bytes] = set()
    for cut in _READINGS:
        pieces = cut(body, delimiter, most)
        budget.take_chars(len(pieces) * CUT_CHARS)
        for piece in pieces:
            if piece not in seen:
                seen.add(piece)
                budget.take_value()
                part = _part(piece)
                budget.take_chars(PART_CHARS + min(len(part.head), MAX_HEAD_BYTES))
                yield part
                if charsets or not part.is_plain:
                    yield from _other_parts(piece, part, charsets)


CUT_CHARS: Final = 3
PART_CHARS: Final = 12
"""The cost of splitting off one part and reading its head (value.Budget). An unusual head costs
each of its bytes."""
ODD_HEAD_CHARS: Final = 160
"""The cost of reading an unusual head as each framework does."""
SPLIT_EACH: Final = 40
"""Splitting a body in each way costs one unit for this many bytes."""


def _cut_plain(body: bytes, delimiter: bytes, complete: bool, most: int) -> list[bytes] | None:
    """Return the parts of a body that all parsers split alike; ``None`` for any other.

    Each delimiter is its own line, which ends with CR and LF; nothing precedes the first one, and
    nothing follows the last.
    """
    pieces = body.split(delimiter, most)
    if pieces[0] not in (b"", b"\r\n") or len(pieces) < 2:
        return None
    last = len(pieces) - 1
    found: list[bytes] = []
    for index in range(1, last + 1):
        piece = pieces[index]
        if index == last and piece[:2] == b"--":
            return found if piece[2:].strip() == b"" and len(piece) < 16 else None
        if piece[:2] != b"\r\n":
            return None
        if index == last:
            if complete:
                return None
            found.append(piece[2:])
        elif piece[-2:] == b"\r\n":
            found.append(piece[2:-2])
        else:
            return None
    return found


def _as_django(body: bytes, delimiter: bytes, most: int) -> list[bytes]:
    """Split like Django: a delimiter is anywhere, and parts continue after the last one."""
    return [_without_breaks(piece) for piece in body.split(delimiter, most)]


def _without_breaks(piece: bytes) -> bytes:
    piece = piece.removeprefix(b"\r\n") if piece[:2] == b"\r\n" else piece.removeprefix(b"\n")
    return piece.removesuffix(b"\n").removesuffix(b"\r")


def _as_werkzeug(body: bytes, delimiter: bytes, most: int) -> list[bytes]:
    """Split like werkzeug's `MultipartDecoder.boundary_re`; the text before the first delimiter is
    read as well."""
    return _at_lines(body, delimiter, most, _WERKZEUG_BEFORE, _WERKZEUG_AFTER)


_WERKZEUG_BEFORE: Final = (b"\r\n", b"\n", b"\r")
_WERKZEUG_AFTER: Final = re.compile(rb"--[^\S\n\r]*(?:\r\n|\n|\r)?|[^\S\n\r]*(?:\r\n|\n|\r)")


def _as_bottle(body: bytes, delimiter: bytes, most: int) -> list[bytes]:
    """Split like Bottle's `_MultipartParser`: lines end with CR and LF only."""
    return _at_lines(body, delimiter, most, (b"\r\n",), _BOTTLE_AFTER)


_BOTTLE_AFTER: Final = re.compile(rb"(?:--)?(?=\r\n|\Z)(?:\r\n)?")


def _at_lines(
    body: bytes, delimiter: bytes, most: int, before: tuple[bytes, ...], after: re.Pattern[bytes]
) -> list[bytes]:
    """Split where a line begins with the delimiter.

    An expression for the whole line would try each character of a file: half a second for 8 MB.

    :param before: the line ends that may precede it.
    :param after: what follows it in its line.
    """
    pieces = body.split(delimiter, most)
    found: list[bytes] = []
    run = [pieces[0]]
    taken, last = 0, len(pieces) - 1
    for index, piece in enumerate(pieces[1:], 1):
        if taken:
            # The end of the line before took the beginning of this one.
            run = [delimiter[taken:] + piece]
            taken = 0
            continue
        end = run[-1]
        line = next((one for one in before if end.endswith(one)), None)
        if line is not None or (index == 1 and not end):
            text = piece if index == last else piece + delimiter
            match = after.match(text)
            if match is not None:
                run[-1] = end[: len(end) - len(line or b"")]
                found.append(b"".join(run))
                taken = max(match.end() - len(piece), 0)
                run = [piece[match.end() :]]
                continue
        run += [delimiter, piece]
    return [*found, b"".join(run)]


_READINGS: Final[tuple[Callable[[bytes, bytes, int], list[bytes]], ...]] = (
    _as_django,
    _as_werkzeug,
    _as_bottle,
)


def _part(piece: bytes) -> Part:
    if piece[:2] == b"\r\n":
        return _made(b"", piece[2:])
    head, separator, content = piece.partition(b"\r\n\r\n")
    if not separator:
        blank = _BLANK_LINE.search(piece, 0, MAX_HEAD_BYTES)
        if blank is None:
            # The delimiter's line end ends the head of an empty part (RFC 2046, 5.1.1).
            is_empty = piece[-2:] == b"\r\n" and is_usual_head(piece[:-2])
            return _made(piece[:-2], b"") if is_empty else Part(b"", piece)
        head, content = piece[: blank.start()], piece[blank.end() :]
    return _made(head, content)


def _made(head: bytes, content: bytes) -> Part:
    said = read_head(head)
    is_file = said.is_plain and bool(said.filenames)
    return Part(head, content, said.name, said.names, said.filenames, is_file, said.is_plain)


def _other_parts(piece: bytes, part: Part, charsets: Iterable[str]) -> Iterator[Part]:
    """Yield the same part with another end of its head: werkzeug also takes two line feeds for it,
    and Bottle a line of blanks, in the charset of the body."""
    if not part.is_plain:
        blank = _BLANK_LINE.search(piece, 0, min(len(part.head), MAX_HEAD_BYTES))
        if blank is not None:
            yield _made(piece[: blank.start()], piece[blank.end() :])
    if piece[:2] == b"\r\n":
        return
    plain_size = len(part.head) if part.head else len(piece)
    for name in ("utf-8", *charsets):
        codec = "utf-8" if name == "utf-8" else codec_name(name)
        if not codec or (codec == "utf-8" and part.is_plain):
            continue
        lines: list[str] = []
        size = 0
        for line in piece[:MAX_HEAD_BYTES].split(b"\r\n"):
            text = line.decode(codec, "replace")
            size += len(line) + 2
            if not text.strip():
                if codec != "utf-8" or size - 4 < plain_size:
                    head = "\r\n".join(lines).encode("utf-8", "replace")
                    yield _made(head, piece[size:])
                break
            lines.append(text)


def present(body: bytes, content_type: str) -> list[bytes]:
    """Return the boundaries that the body contains."""
    return [one for one in boundaries(content_type) if b"--" + one in body]


def multipart_values(
    body: bytes,
    found: list[bytes],
    complete: bool,
    budget: Budget,
    contents: bool,
    charsets: Collection[str] = (),
) -> Iterator[Value]:
    """Yield field names, file names, unusual headers and fields, and the contents of files if they
    are inspected.

    :param found: the boundaries at which the body is split.
    :param charsets: the charsets of the whole body, in which Django reads the fields.
    """
    for boundary in found:
        for part in parts(body, boundary, complete, budget, charsets):
            yield from part_values(part, budget, contents, charsets)


def part_values(
    part: Part, budget: Budget, contents: bool, charsets: Iterable[str]
) -> Iterator[Value]:
    """Yield the values of one part of a form."""
    name = part.name[:MAX_NAME_CHARS]
    if not part.is_plain:
        head, rest = part.head[:MAX_HEAD_BYTES], part.head[MAX_HEAD_BYTES:]
        if rest:
            yield Value("multipart", name, to_text(rest)[0], "header")
        for line in LINE_BREAK.split(head):
            if line.strip() and not PLAIN_HEADER.fullmatch(line):
                budget.take_value()
                yield Value("multipart", name, to_text(line)[0], "header")
    for one in part.names:
        if one and (not _SIMPLE_NAME.fullmatch(one) or stands_out(one)):
            yield Value("multipart", name, one, "name")
    for filename in part.filenames:
        yield from name_values("multipart", name, filename)
    if not part.content:
        return
    if part.is_file:
        if contents:
            yield from content_values("multipart", name, part.content)
        return
    for text, flags in _readings(part, charsets, budget):
        yield from unfold(Value("multipart", name, text, "", flags), budget)


def _readings(
    part: Part, charsets: Iterable[str], budget: Budget
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield a field as it is and decoded by its head: Django decodes base64, Bottle the charset,
    mail parsers quoted-printable as well."""
    content, head = part.content, part.head.lower()
    if is_binary(content) and len(content) > MAX_ODD_BYTES:
        yield readable(content, MIN_RUN_IN_FIELD), ()
    else:
        yield to_text(content)
    contents = [content]
    if b"base64" in head:
        with contextlib.suppress(binascii.Error, ValueError):
            contents.append(base64.b64decode(content))
    if b"quoted-printable" in head:
        contents.append(quopri.decodestring(content))
    for one in contents[1:]:
        yield to_text(one)
    for name in (*charsets, *part_charsets(part.head)):
        for one in contents:
            text = decoded(one, name, budget.take_chars)
            if text is not None:
                yield text, ()


MAX_ODD_BYTES: Final = 4096
"""The longest field with control bytes that is weighed as it is. Of a longer one, the runs of
printable bytes are weighed: it is a file that a client sent without a name."""
