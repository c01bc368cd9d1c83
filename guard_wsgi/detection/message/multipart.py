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
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from typing import Final

from attrs import frozen
from werkzeug.http import parse_options_header

from guard_wsgi.detection.decoding.charset import decoded
from guard_wsgi.detection.formats.files import (
    MIN_RUN_IN_FIELD,
    content_values,
    is_binary,
    name_values,
    readable,
)
from guard_wsgi.detection.formats.structure import unfold
from guard_wsgi.detection.value import NAME_EVIDENCE, Budget, Value, to_text

_SIMPLE_NAME: Final = re.compile(r"[\w.\[\]:-]*")
# The head of a part as browsers and libraries write it: each parameter once, as a token or a quoted
# string without quotes and backslashes, and no folded line.
_QUOTED: Final = rb"(?:\"([^\"\\\r\n]*)\"|([\w.-]+))"
_PLAIN_DISPOSITION: Final = re.compile(
    rb"content-disposition: *(?:form-data|file|attachment|inline)(?: *; *name=" + _QUOTED + rb")?"
    rb"(?: *; *filename=" + _QUOTED + rb")?(?: *; *filename\*=[\w-]+'[\w-]*'[\w.%!~()-]+)?",
    re.IGNORECASE,
)
_PLAIN_HEADER: Final = re.compile(
    rb"(?:content-type: *[\w.+-]+/[\w.+-]+(?:; *(?:charset|boundary|format|name)=\"?[\w. -]+\"?)?"
    rb"|content-transfer-encoding: *(?:binary|8bit|7bit|base64|quoted-printable)"
    rb"|content-length: *\d+|mime-version: *1\.0|content-id: *<?[\w.@-]+>?) *",
    re.IGNORECASE,
)
_BOUNDARY_NAMED: Final = re.compile(
    r"boundary[*\d]*\s*=\s*(?:\"([^\"]*)\"|([^;,\s]*))", re.IGNORECASE
)
_NAMED: Final = re.compile(r"\bname\s*[*=]", re.IGNORECASE)
_FILE_NAMED: Final = re.compile(r"filename\s*=\s*(?:\"([^\"]*)|([^;\s\"]+))", re.IGNORECASE)
_CHARSET: Final = re.compile(rb"charset\*?\s{0,8}=\s{0,8}[\"']?\s{0,8}([\w.:-]{1,40})")
_BLANK_LINE: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_BREAK: Final = re.compile(rb"\r\n|\n|\r")
_FOLDED: Final = re.compile(rb"(?:\r\n|\n|\r)[ \t]+")
MAX_BOUNDARIES: Final = 4
"""How many boundaries to read from a Content-Type; clients send one."""


@frozen(slots=True)
class Part:
    """One part in one reading.

    :ivar head: its header lines.
    :ivar name: the name of the field.
    :ivar filenames: the file's name, as each framework reads it; none for a field.
    :ivar is_file: whether every framework reads it as a file, and none as a field.
    """

    head: bytes
    content: bytes
    name: str = ""
    filenames: tuple[str, ...] = ()
    is_file: bool = False
    is_plain: bool = False


def boundaries(content_type: str) -> list[bytes]:
    """Return every boundary that a framework may read in a Content-Type."""
    names = [parse_options_header(content_type)[1].get("boundary", "")]
    if content_type.lower().count("boundary") > 1 or names[0] not in content_type or not names[0]:
        message = Message()
        message["content-type"] = content_type.replace("\r", " ").replace("\n", " ")
        names.append(str(message.get_param("boundary") or ""))
        names += [quoted or plain for quoted, plain in _BOUNDARY_NAMED.findall(content_type)]
    found = [name.encode("latin-1", "replace") for name in dict.fromkeys(names) if name.strip()]
    return found[:MAX_BOUNDARIES]


def is_ended(body: bytes, boundary: bytes) -> bool:
    """Whether a body has its last delimiter: without it, parsers read different parts."""
    end = b"--" + boundary + b"--"
    return end in body[-len(end) - 512 :]


def parts(body: bytes, boundary: bytes, complete: bool, budget: Budget) -> Iterator[Part]:
    """Return the parts of a body: of the one reading, or of all readings if they differ.

    :raises BudgetSpent: if one reading has more parts than there may be values.
    """
    delimiter = b"--" + boundary
    most = budget.values + 1
    plain = _cut_plain(body, delimiter, complete, most)
    if plain is not None:
        for piece in plain:
            budget.take_value()
            budget.take_chars(PART_CHARS)
            yield _part(piece)
        return
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


CUT_CHARS: Final = 3
PART_CHARS: Final = 12
"""The cost of splitting off one part and reading its head (value.Budget). An unusual head costs
each of its bytes."""
MAX_HEAD_BYTES: Final = 16_384
"""The longest head of a part; werkzeug, Django and Bottle refuse longer ones, or read no field from
them."""


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
    line = rb"(?:\r\n|\n|\r|\A)%s(?:--[^\S\n\r]*(?:\r\n|\n|\r)?|[^\S\n\r]*(?:\r\n|\n|\r))"
    return re.split(line % re.escape(delimiter), body, maxsplit=most)


def _as_bottle(body: bytes, delimiter: bytes, most: int) -> list[bytes]:
    """Split like Bottle's `_MultipartParser`: lines end with CR and LF only."""
    line = rb"(?:\r\n|\A)%s(?:--)?(?=\r\n|\Z)(?:\r\n)?"
    return re.split(line % re.escape(delimiter), body, maxsplit=most)


_READINGS: Final[tuple[Callable[[bytes, bytes, int], list[bytes]], ...]] = (
    _as_django,
    _as_werkzeug,
    _as_bottle,
)


def _part(piece: bytes) -> Part:
    if piece[:2] == b"\r\n":
        head, content = b"", piece[2:]
    else:
        head, separator, content = piece.partition(b"\r\n\r\n")
        if not separator:
            blank = _BLANK_LINE.search(piece)
            if blank is None:
                return Part(b"", piece)
            head, content = piece[: blank.start()], piece[blank.end() :]
    name = ""
    filenames: tuple[str, ...] = ()
    dispositions, is_plain = 0, True
    for line in head.split(b"\r\n"):
        match = _PLAIN_DISPOSITION.fullmatch(line)
        if match is not None:
            dispositions += 1
            name = to_text(match[1] or match[2] or b"")[0]
            filename = match[3] or match[4]
            if filename:
                filenames = (to_text(filename)[0],)
            # Bottle supports neither the other form of the name nor an empty name.
            elif b"filename" in line:
                is_plain = False
        elif _PLAIN_HEADER.fullmatch(line) is None:
            is_plain = False
    is_plain = is_plain and dispositions == 1
    if not is_plain:
        name, filenames = _lenient(head[:MAX_HEAD_BYTES])
    return Part(head, content, name, filenames, is_plain and bool(filenames), is_plain)


def _lenient(head: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the name and the file names of a part whose head is unusual. If the name can be read
    in several ways, it is empty: exclusions by name apply only to a name that everybody reads
    alike."""
    names: list[str] = []
    filenames: list[str] = []
    for line in _LINE_BREAK.split(_FOLDED.sub(b" ", head)):
        if line[:19].lower() == b"content-disposition":
            text = to_text(line)[0]
            _, options = parse_options_header(text.partition(":")[2])
            names += [options.get("name", "").strip()] * len(_NAMED.findall(text))
            filenames.append(options.get("filename", ""))
            filenames += [quoted or plain for quoted, plain in _FILE_NAMED.findall(text)]
    filenames = [one for one in dict.fromkeys(filenames) if one]
    return names[0] if len(names) == 1 else "", tuple(filenames)


def present(body: bytes, content_type: str) -> list[bytes]:
    """Return the boundaries that the body contains."""
    return [one for one in boundaries(content_type) if b"--" + one in body]


def multipart_values(
    body: bytes,
    found: list[bytes],
    complete: bool,
    budget: Budget,
    contents: bool,
    charsets: Iterable[str] = (),
) -> Iterator[Value]:
    """Yield field names, file names, unusual headers and fields, and the contents of files if they
    are inspected.

    :param found: the boundaries at which the body is split.
    :param charsets: the charsets of the whole body, in which Django reads the fields.
    """
    for boundary in found:
        for part in parts(body, boundary, complete, budget):
            yield from part_values(part, budget, contents, charsets)


def part_values(
    part: Part, budget: Budget, contents: bool, charsets: Iterable[str]
) -> Iterator[Value]:
    """Yield the values of one part of a form."""
    name = part.name
    if not part.is_plain:
        for line in _LINE_BREAK.split(part.head):
            if line.strip() and not _PLAIN_HEADER.fullmatch(line):
                yield Value("multipart", name, to_text(line)[0], "header")
    if name and (not _SIMPLE_NAME.fullmatch(name) or NAME_EVIDENCE.search(name)):
        yield Value("multipart", name, name, "name")
    for filename in part.filenames:
        yield from name_values("multipart", name, filename)
    if not part.content:
        return
    if part.is_file:
        if contents:
            yield from content_values("multipart", name, part.content)
        return
    for text, flags in _readings(part, charsets):
        yield from unfold(Value("multipart", name, text, "", flags), budget)


def _readings(part: Part, charsets: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield a field as it is and decoded by its head: Django decodes base64, Bottle the charset,
    mail parsers quoted-printable as well."""
    content, head = part.content, part.head.lower()
    if is_binary(content) and len(content) > MAX_ODD_BYTES:
        yield readable(content, MIN_RUN_IN_FIELD), ()
    else:
        yield to_text(content)
    if b"base64" in head:
        with contextlib.suppress(binascii.Error, ValueError):
            yield to_text(base64.b64decode(content))
    if b"quoted-printable" in head:
        yield to_text(quopri.decodestring(content))
    named = (
        [name.decode("latin-1") for name in _CHARSET.findall(head)] if b"charset" in head else []
    )
    for name in (*charsets, *named):
        text = decoded(content, name)
        if text is not None:
            yield text, ()


MAX_ODD_BYTES: Final = 4096
"""The longest field with control bytes that is weighed as it is. Of a longer one, the runs of
printable bytes are weighed: it is a file that a client sent without a name."""


class Skimmer:
    """A multipart body without the contents of its files, from one chunk after the other.

    The kept bytes are split like any other body: after a delimiter of any reading in a file, it
    keeps bytes again.
    """

    def __init__(self, boundary: bytes, max_bytes: int, max_parts: int) -> None:
        """:param max_bytes: how much is kept.
        :param max_parts: how many parts are kept, plus one, so that the reader's budget is
            exceeded; later parts are skipped.
        """
        self._delimiter = b"--" + boundary
        self._max_bytes = max_bytes
        self._parts_left = max_parts + 1
        self._kept = bytearray()
        self._buffer = b""
        self._in_file = False
        self.is_whole = True

    def see(self, data: bytes) -> None:
        """Take the next chunk."""
        if self._parts_left < 0:
            return
        buffer, delimiter = self._buffer + data, self._delimiter
        place = 0  # everything before it is finished
        while True:
            at = buffer.find(delimiter, place)
            if at < 0:
                # The end may be the beginning of a delimiter, with the line break before it.
                end = max(len(buffer) - len(delimiter) - 2, place)
                if not self._in_file:
                    self._keep(buffer[place:end])
                place = end
                break
            self._parts_left -= 1
            if self._parts_left < 0:
                self._keep(buffer[place : at + len(delimiter)])
                self._in_file, self.is_whole = True, False
                buffer = b""
                break
            if self._in_file:
                place = max(at - 2, place)
                self._in_file = False
            head = at + len(delimiter)
            # If another delimiter comes first, no file begins.
            next_one = buffer.find(delimiter, head, head + MAX_HEAD_BYTES)
            if next_one >= 0 and buffer.find(b"\r\n\r\n", head, next_one + 3) < 0:
                self._keep(buffer[place:head])
                place = head
                continue
            end = buffer.find(b"\r\n\r\n", head, head + MAX_HEAD_BYTES)
            if end < 0:
                if len(buffer) - head < MAX_HEAD_BYTES:
                    self._keep(buffer[place:at])
                    place = at
                    break
                self._keep(buffer[place:head])
                place = head
                continue
            whole = buffer[head : end + 4].removeprefix(b"\r\n")
            is_field = delimiter in whole or b"filename" not in whole.lower()
            if is_field or not _part(whole + b"-").is_file:
                self._keep(buffer[place:head])
                place = head
                continue
            self._keep(buffer[place : end + 4])
            place = end + 4
            self._in_file = True
        self._buffer = buffer[place:]

    def finish(self) -> bytes:
        """Return the kept bytes."""
        if not self._in_file:
            self._keep(self._buffer)
        self._buffer = b""
        return bytes(self._kept)

    def _keep(self, data: bytes) -> None:
        if len(self._kept) + len(data) > self._max_bytes:
            self.is_whole = False
            data = data[: self._max_bytes - len(self._kept)]
        self._kept += data
