"""Charsets, by their names in a request (RFC 9110, 8.3.2)."""

from __future__ import annotations

import codecs
import encodings
import json
import pkgutil
import re
from encodings.aliases import aliases
from functools import lru_cache
from typing import Final

# Not decoded: UTF-8, and two charsets whose ASCII half is all that patterns look for.
_USUAL: Final = frozenset({"utf-8", "ascii", "iso8859-1"})
# Codecs that are no charsets: escapes of source code.
_NO_CHARSET: Final = frozenset({"idna", "punycode", "undefined", "mbcs", "oem"})
MAX_NAME_CHARS: Final = 40
_CHARSET: Final = re.compile(
    r"charset\*?\s*=\s*[\"']?\s*(?:[\w-]*'[\w-]*')?([\w.:-]{1,40})", re.IGNORECASE
)


def charsets_in(parameters: str) -> list[str]:
    """Return the charsets that a Content-Type names, in every way that a framework reads it."""
    return _CHARSET.findall(parameters)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Whether the interpreter knows a codec. For an unknown name it would search the file system
    and cache the failure for ever, and clients must not cause that."""
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return frozenset(modules | set(aliases)) - {"aliases"} - _NO_CHARSET


def codec_name(name: str) -> str:
    """Return the interpreter's name of a charset that needs decoding; "" for usual and unknown
    ones."""
    if not name or len(name) > MAX_NAME_CHARS or not name.isascii():
        return ""
    normal = encodings.normalize_encoding(name.replace("\x00", "")).lower()
    if normal not in _known():
        return ""
    try:
        info = codecs.lookup(normal)
    except LookupError:
        return ""
    if info.name in _USUAL or not getattr(info, "_is_text_encoding", True):
        return ""
    return info.name


def decoded(data: bytes, charset: str) -> str | None:
    """Decode data in a charset; ``None`` for usual and unknown charsets, and if the text is the
    same as in UTF-8."""
    name = codec_name(charset)
    if not name:
        return None
    try:
        text = data.decode(name, "replace")
    except (UnicodeError, LookupError, ValueError):
        return None
    return None if text == data.decode("utf-8", "replace") else text


def marked(body: bytes) -> str:
    """Return the kind of UTF-16 or UTF-32 in which a body begins, by its mark or by its zeros, as
    JSON and XML parsers detect it (RFC 4627, 3); "" for another charset."""
    name = json.detect_encoding(body)
    return "" if name.startswith("utf-8") else name
