"""Quoted cookies, as frameworks read them."""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)


def without_backslashes(data: bytes) -> bytes:
    """Unescape the quoted value of a cookie: a backslash precedes any character or three octal
    digits (RFC 2109 and RFC 2965; http.cookies and werkzeug decode both)."""
    return _ESCAPE.sub(_unescaped, data)


def _unescaped(match: re.Match[bytes]) -> bytes:
    said = match[1]
    return bytes([int(said, 8)]) if len(said) == 3 else said
