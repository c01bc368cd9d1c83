"""Charsets, by their names in a request (RFC 9110, 8.3.2)."""

from __future__ import annotations

import codecs
import encodings
import json
import pkgutil
import re
from collections.abc import Callable
from email.message import Message
from email.utils import collapse_rfc2231_value
from encodings.aliases import aliases
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.decoding.percent import unquote

# Not decoded: UTF-8, and two charsets whose ASCII half is all that patterns look for.
_USUAL: Final = frozenset({"utf-8", "ascii", "iso8859-1"})
# Codecs that are no charsets: escapes of source code.
_NO_CHARSET: Final = frozenset({"idna", "punycode", "undefined", "mbcs", "oem"})
MAX_NAME_CHARS: Final = 40
_CHARSET: Final = re.compile(
    r"charset\*?\s*+=\s*+[\"']?\s*+(?:[\w-]*'[\w-]*')?([\w.:-]{1,40})", re.IGNORECASE
)


def charsets_in(parameters: str) -> list[str]:
    """Return the charsets that a Content-Type names, in every way that a framework reads it.

    Django reads names in pieces and in percent signs as well (RFC 2231).
    """
    found = _CHARSET.findall(parameters)
    if "*" in parameters:
        said = parameter_of(f"a/b;{parameters}", "charset")
        if said not in found:
            found.append(said)
    if len(found) > 2 * MAX_CHARSETS:
        found[MAX_CHARSETS:-MAX_CHARSETS] = []
    return found


MAX_CHARSETS: Final = 4
"""How many of the first names, and of the last, to read; frameworks read the first or the last."""


def parameter_of(header: str, name: str) -> str:
    """Return a parameter of a header as Python's `email` reads it, and so Django; "" if there is
    none."""
    return parameters_of(header, name)[0]


def parameters_of(header: str, *names: str) -> list[str]:
    """Return several parameters of a header (`parameter_of`)."""
    message = Message()
    message["content-type"] = header.replace("\r", " ").replace("\n", " ")
    try:
        pairs = message.get_params(failobj=[])
    except (LookupError, ValueError, TypeError):  # TypeError: for pieces with and without a number
        return [""] * len(names)
    said: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        if key in names and key not in said:
            try:
                said[key] = collapse_rfc2231_value(value or "")
            except (LookupError, ValueError):
                said[key] = ""
    return [said.get(name, "") for name in names]


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Whether the interpreter knows a codec. For an unknown name it would search the file system
    and cache the failure forever, and clients must not cause that."""
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


def decoded(data: bytes, charset: str, charge: Callable[[int], None]) -> str | None:
    """Decode data in a charset; ``None`` for usual and unknown charsets, and if the text is the
    same as in UTF-8.

    :param charge: takes the cost of the work, in characters of a budget.
    """
    name = codec_name(charset)
    if not name:
        return None
    charge(len(data) // DECODED_EACH)
    try:
        text = _in_pieces(data, name, charge)
    except (UnicodeError, LookupError, ValueError):
        return None
    return None if text == data.decode("utf-8", "replace") else text


def _in_pieces(data: bytes, name: str, charge: Callable[[int], None]) -> str:
    """Decode leniently. What is no text of the charset takes thirty times as long, so it is charged
    before there is more of it."""
    if len(data) <= PIECE_BYTES:
        return data.decode(name, "replace")
    decoder = codecs.getincrementaldecoder(name)("replace")
    found = []
    for start in range(0, len(data), PIECE_BYTES):
        piece = decoder.decode(data[start : start + PIECE_BYTES], start + PIECE_BYTES >= len(data))
        charge(piece.count("\ufffd") // WRONG_EACH)
        found.append(piece)
    return "".join(found)


PIECE_BYTES: Final = 65_536
DECODED_EACH: Final = 32
WRONG_EACH: Final = 4
FORM_EACH: Final = 4
"""The cost of decoding is one for so many bytes, for so many that are none of the charset, and for
so many bytes of a form (value.Budget)."""


def form_in(data: bytes, charset: str, charge: Callable[[int], None]) -> bytes | None:
    """Return the pairs of a form as Django reads them in a charset, which applies to the text and
    again to the bytes of its escapes; in UTF-8. ``None`` for usual and unknown charsets.

    Django itself reads only the query like this, and Django REST framework forms as well.
    """
    name = codec_name(charset)
    if not name:
        return None
    data = data[:MAX_CHARSET_BYTES]
    charge(len(data) // FORM_EACH)
    try:
        text = data.decode(name)
    except UnicodeError:
        text = data.decode("latin-1")

    def read(run: re.Match[str]) -> str:
        return unquote(run[0].encode()).decode(name, "replace")

    # As `urllib.parse.unquote`, which decodes ASCII only, and nothing of a text without escapes.
    pairs = []
    for pair in text.replace("+", " ").split("&"):
        halves = [_ASCII.sub(read, half) if "%" in half else half for half in pair.split("=", 1)]
        pairs.append(b"=".join(map(_escaped, halves)))
    return b"&".join(pairs)


MAX_CHARSET_BYTES: Final = 262_144
"""How much of a form to read in another charset: half a microsecond a byte. Browsers send UTF-8."""
_ASCII: Final = re.compile(r"[\x00-\x7f]+")


def _escaped(text: str) -> bytes:
    """Return a name or a value of a form, so that reading it as UTF-8 gives the text."""
    for char in "%&=+":
        text = text.replace(char, f"%{ord(char):02X}")
    return text.encode("utf-8", "replace")


def marked(body: bytes) -> str:
    """Return the kind of UTF-16 or UTF-32 in which a body begins, by its mark or by its zeros, as
    JSON and XML parsers detect it (RFC 4627, 3); "" for another charset."""
    name = json.detect_encoding(body)
    return "" if name.startswith("utf-8") else name
