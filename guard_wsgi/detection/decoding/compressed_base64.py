"""Compressed data in base64: looks at its beginning after unpacking.

Most of it is a file that somebody stores. But libraries unpack and read serialized objects
(CWE-502), so these weigh the same as without compression.
"""

from __future__ import annotations

import base64
import re
import zlib
from typing import Final

GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31
"""zlib's number for a window of 32 KiB in a gzip container."""

HEAD_BYTES: Final = 96
"""An object names its class at its beginning."""

# Streams of Java, .NET, Ruby and Python; objects of PHP, and of YAML with a class.
_SERIALIZED: Final = re.compile(
    rb"\xac\xed\x00\x05|\x00\x01\x00\x00\x00\xff\xff\xff\xff|\x04\x08[\[o{i\"]|\x80[\x02-\x05][c(}\x8c\x95]"
    rb"|[OC]:\+?\d+:\"|a:\d+:\{|c[a-z_]{2,32}\n\w+\n|!!(?:python|java|ruby)|!ruby/|--- !"
)


def serialized_inside(data: bytes) -> str:
    """Return the beginning of a serialized object in gzip: as text if it is ASCII, else in base64,
    as it would be sent without compression. "" for anything else."""
    try:
        head = zlib.decompressobj(_GZIP_WINDOW).decompress(data, HEAD_BYTES)
    except zlib.error:
        return ""
    if not _SERIALIZED.match(head):
        return ""
    is_text = head.isascii() and b"\x00" not in head
    return head.decode() if is_text else base64.b64encode(head).decode()
