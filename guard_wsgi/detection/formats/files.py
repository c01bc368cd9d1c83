"""Files: content that an app stores or passes on, and does not read as a field."""

from __future__ import annotations

import base64
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from guard_wsgi.detection.value import Value, to_text

EXECUTABLE: Final = "upload.executable_name"
"""Flag of a file name that a web server would run, or read its settings from."""

# Extensions that web servers run by default or by a common setting: PHP, JSP, ASP, ColdFusion, CGI,
# SSI (OWASP Unrestricted File Upload).
_RUN: Final = (
    r"\.\s?(?:php[\dst]?|pht|phtml|phar|jspx?|jspf|jsw|jsv|aspx?|ashx|asmx|ascx|asa|cfml?|cfc|cgi"
    r"|shtml?|stm)"
)
# The last extension; one before it (Apache's AddHandler); and the ways in which file systems and
# servers cut names: a NUL, a semicolon (IIS 6), a stream (NTFS), dots and blanks (Windows).
_RUN_NAME: Final = re.compile(
    _RUN + r"(?:[\s.]*$|(?:\.(?!net\b)|;|:(?!\d)|\x00|%00|[\s.]*[/\\]))"
    r"|(?:^|[/\\])(?:sess_[a-z0-9,-]{16,64}|\.htaccess|\.user\.ini|web\.config)[\s.]*(?:$|[;:\x00/\\]|%00)",
    re.IGNORECASE,
)
# A name of one word has nothing dangerous but its extension, nor has its copy: "notes (1).txt".
_PLAIN_NAME: Final = re.compile(r"[\w.-]*(?: \(\w{1,16}\)(?:\.\w+)*)?")
# A command may end before the extension: `id`.png.
_CLOSED_STEM: Final = re.compile(r"(.*[`;&|])\.\w{1,8}", re.DOTALL)


def runs(name: str) -> bool:
    """Whether a web server may run a file of this name."""
    return _RUN_NAME.search(name) is not None


def name_values(location: str, field: str, name: str) -> Iterator[Value]:
    """Yield a file's name, if it may be dangerous."""
    if runs(name):
        yield Value(location, field, name, "filename", (EXECUTABLE,))
    elif not _PLAIN_NAME.fullmatch(name):
        yield Value(location, field, name, "filename")
        stem = _CLOSED_STEM.fullmatch(name)
        if stem is not None:
            yield Value(location, field, stem[1], "filename")


def content_values(location: str, field: str, content: bytes) -> Iterator[Value]:
    """Yield what strict inspection weighs of a file: text as it is, the readable parts of other
    files, and the markup in office documents, which are archives of XML."""
    if content.startswith(b"PK\x03\x04"):
        yield from _archive_values(location, field, content)
    if is_binary(content):
        text = readable(content, MIN_RUN_IN_FILE)
        if text:
            yield Value(location, field, text, "binary")
        return
    text, flags = to_text(content)
    yield Value(location, field, text, "upload", flags)


_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\r\n-]{64,}")
MIN_LINES: Final = 4
"""A shorter text in base64 may be an ordinary value."""


def file_in_base64(text: str) -> str:
    """Return the text of several lines that a whole base64 text contains: a file, as APIs of code
    hosts, mail and editors carry it in a document; "" for anything else."""
    if not _BASE64.fullmatch(text):
        return ""
    body = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4))
        inside = data.decode("utf-8")
    except ValueError:
        return ""
    return inside if data.strip().count(b"\n") >= MIN_LINES and not is_binary(data) else ""


MIN_RUN_IN_FILE: Final = 16
"""Shorter runs of printable bytes occur in any picture."""

MIN_RUN_IN_FIELD: Final = 5
"""A shorter run in a field is no payload."""

_SAMPLE_BYTES: Final = 1024
_CONTROLS: Final = bytes(set(range(32)) - {9, 10, 13, 12, 27} | {127})


def is_binary(data: bytes) -> bool:
    """Whether a sample of the bytes is binary: it has control characters that text does not have.

    The beginning alone is not enough: archives and packs begin with lists of names.
    """
    if b"\x00" in data:
        return True
    middle, end = len(data) // 2, len(data) - _SAMPLE_BYTES
    for start in (0,) if end <= 0 else (0, middle, end):
        sample = data[start : start + _SAMPLE_BYTES]
        if (len(sample) - len(sample.translate(None, _CONTROLS))) * 20 > len(sample):
            return True
    return False


_PRINTABLE: Final = bytes(32 <= byte < 127 or byte == 9 for byte in range(256))
MOST_RUNS_IN_A_LOOP: Final = 50_000


def readable(data: bytes, min_run: int) -> str:
    """Return the runs of printable bytes in binary data, one per line."""
    # Optimization: random data has a run in 200 bytes, and an expression tries each byte.
    kinds, run = data.translate(_PRINTABLE), b"\x01" * min_run
    runs: list[bytes] = []
    at = kinds.find(run)
    while at >= 0 and len(runs) < MOST_RUNS_IN_A_LOOP:
        end = kinds.find(0, at)
        if end < 0:
            end = len(data)
        runs.append(data[at:end])
        at = kinds.find(run, end)
    if at >= 0:
        runs += re.findall(rb"[\t -~]{%d,}" % min_run, data[at:])
    return b"\n".join(runs).decode("ascii")


MAX_MEMBERS: Final = 256
MAX_UNPACKED_BYTES: Final = 8_388_608
"""How much of one archive is unpacked: a text document of a hundred pages has 40 members and 2
MB."""


def _archive_values(location: str, field: str, content: bytes) -> Iterator[Value]:
    """Yield the documents with a type declaration in an archive, which office documents never have
    (ECMA-376, part 2, 8.1.3.1), and their external parts."""
    room = MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for member in archive.infolist()[:MAX_MEMBERS]:
                if not member.filename.lower().endswith((".xml", ".rels", ".svg")) or room <= 0:
                    continue
                with archive.open(member) as file:
                    data = file.read(room)
                room -= len(data)
                if b"<!" in data or b"<?xml-stylesheet" in data:
                    yield Value(location, field, to_text(data)[0][:8192], "markup")
    except (zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, OSError, EOFError):
        return
