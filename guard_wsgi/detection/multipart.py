"""multipart/form-data and its relatives, bounded and forgiving (RFC 7578, RFC 2046)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from guard_wsgi.detection.structure import unfold
from guard_wsgi.detection.value import NAME_EVIDENCE, Budget, Value, to_text

MAX_PARTS: Final = 1000  # werkzeug's own default for form parts
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,256})\"|([^;,\s]{1,256}))", re.IGNORECASE)
_PARAMETER = re.compile(
    r";\s*(filename\*?|name)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\r\n]*))", re.IGNORECASE
)
_PLAIN_HEADER = re.compile(
    r"(?:content-type:\s*[\w.+-]+/[\w.+-]+(?:;\s*(?:charset|boundary|format)=\"?[\w-]+\"?)?"
    r"|content-transfer-encoding:\s*[\w-]+|content-length:\s*\d+|content-id:\s*<?[\w.@-]+>?)\s*",
    re.IGNORECASE,
)
_SIMPLE_NAME = re.compile(r"[\w.\[\]:-]*")
_PLAIN_FILE = re.compile(r"[\w\s.,()&+'@#\[\]~!-]*")


def multipart_values(
    body: bytes, parameters: str, complete: bool, budget: Budget
) -> Iterator[Value]:
    """Field names, file names, headers out of the ordinary, text parts, samples of binaries.
    Without a usable boundary the first line of the body is taken as one."""
    match = _BOUNDARY.search(parameters)
    if match:
        boundary = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
        if boundary not in body:
            boundary = _first_line(body)
    else:
        boundary = _first_line(body)
    parts = body.split(boundary) if len(boundary) > 2 else [b"", b"\r\n\r\n" + body]
    preamble = parts[0].strip()
    if preamble:
        yield Value("multipart", "", to_text(preamble)[0])
    for part in parts[1:]:
        if part[:2] == b"--":
            break
        budget.take_value()
        yield from _part_values(part, budget)


def _first_line(body: bytes) -> bytes:
    line = body.split(b"\n", 1)[0].strip()
    return line if line.startswith(b"--") else b""


def _part_values(part: bytes, budget: Budget) -> Iterator[Value]:
    part = part.lstrip(b"\r\n") if part[:1] in b"\r\n" else part
    head, separator, content = part.partition(b"\r\n\r\n")
    if not separator:
        head, separator, content = part.partition(b"\n\n")
    if content.endswith(b"\r\n"):
        content = content[:-2]
    elif content.endswith(b"\n"):
        content = content[:-1]
    name, filename = "", None
    content_type = ""
    for line in re.split(r"\r?\n(?![ \t])", to_text(head)[0]):
        if line.lower().startswith("content-disposition"):
            found = {
                m[1].lower(): m[2] if m[2] is not None else m[3] for m in _PARAMETER.finditer(line)
            }
            name = found.get("name", "").strip()
            filename = found.get("filename", found.get("filename*"))
            rest = _PARAMETER.sub("", line)
            if not re.fullmatch(r"content-disposition:\s*[\w-]+\s*;?\s*", rest, re.IGNORECASE):
                yield Value("multipart", name, line, "header")
        elif line.strip() and not _PLAIN_HEADER.fullmatch(line):
            yield Value("multipart", name, line, "header")
        if line.lower().startswith("content-type:"):
            content_type = line[13:].strip().lower()
    if name and (not _SIMPLE_NAME.fullmatch(name) or NAME_EVIDENCE.search(name)):
        yield Value("multipart", name, name, "name")
    if filename:
        yield Value("multipart", name, filename, "filename")
    if not content:
        return
    binary = filename is not None and is_binary_upload(content)
    if binary:
        yield Value("multipart", name, content.decode("latin-1"), "binary")
        return
    text, flags = to_text(content)
    if filename is None:
        if "json" in content_type or "xml" not in content_type:
            yield from unfold(Value("multipart", name, text, "", flags), budget)
        else:
            yield Value("multipart", name, text, "", flags)
    else:
        yield Value("multipart", name, text, "upload", flags)


_MAGIC: Final = (
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"GIF8",
    b"%PDF",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"OggS",
    b"ID3",
    b"\x00\x00\x00",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"\x7fELF",
    b"7z\xbc\xaf",
    b"Rar!",
)


def is_binary_upload(content: bytes) -> bool:
    """By magic number, else by the share of bytes that text does not have."""
    if content.startswith(_MAGIC):
        return True
    sample = content[:1024]
    odd = len(sample) - len(sample.translate(None, _NOT_TEXT))
    return odd * 20 > len(sample)


_NOT_TEXT: Final = bytes(set(range(32)) - {9, 10, 13, 12, 27} | {127})
