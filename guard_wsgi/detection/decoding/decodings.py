"""Decodings of a value: as sent, decoded until it stops changing, without filler, and the content
of base64. The length of the value bounds every decoding; the number of rounds is fixed."""

from __future__ import annotations

import html
import re
import unicodedata
from binascii import a2b_base64
from collections.abc import Iterator
from typing import Final

from attrs import define

from guard_wsgi.detection.decoding.compressed_base64 import GZIP, serialized_inside
from guard_wsgi.detection.decoding.percent import unquote

# Eight layers: the deepest chain in lists of payloads has five. Each round is linear.
MAX_ROUNDS: Final = 8
# A value may contain a few runs of base64; a value with more is data.
MAX_BASE64_RUNS: Final = 4

# Optimization: `html.unescape` calls Python for each other ampersand.
_REFERENCE = re.compile("&[#A-Za-z]")
_PERCENT_RUN = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_PERCENT_U = re.compile(r"%u([0-9a-fA-F]{4})", re.IGNORECASE)
_BACKSLASH = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{0*([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})"
    r"|([01][0-7]{2}))"
)
# Unicode 15, Default_Ignorable_Code_Point: invisible characters between two letters.
IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_CONTROL = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029{IGNORABLE}]")
_LOOKALIKE: Final = str.maketrans(
    {
        "\u2215": "/",
        "\u2044": "/",
        "\u2216": "\\",
        "\u2018": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "\u02b9": "'",
        "\u2032": "'",
        "\uff07": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2033": '"',
        "\u2039": "<",
        "\u203a": ">",
        "\u3008": "<",
        "\u3009": ">",
        "\u2024": ".",
        "\u3002": ".",
    }
)
# The typographic quotes of prose stay: only escapes turn them into syntax.
_PROSE_SAFE: Final = str.maketrans({"\u2215": "/", "\u2044": "/", "\u2216": "\\", "\u3002": "."})
_VERSION_MARK = re.compile(r"!\d{0,6}")
_SHELL_FILLER = re.compile(r"\$\{?IFS(?:\}|\$\d|\b)(?::[^}]*\})?|\$IFS|\\\r?\n", re.IGNORECASE)
# The same behind the last bracket, where each substring would look for its end in vain.
_OPEN_SHELL_FILLER = re.compile(r"\$\{?IFS(?:\$\d|\b)|\$IFS|\\\r?\n", re.IGNORECASE)
# A shell reads the two halves of a word as one.
_CONTINUED = re.compile(r"(?<=\w)\\\r?\n(?=\w)")
# Expansions that are empty in any shell without arguments; attackers put them into words.
_SHELL_NOTHING = re.compile(r"(?<=\w)\$(?:[@*]|\{[@*]\}|\(\))(?=\w)")
_DOLLAR_NOTHING = re.compile(r"\$[@*{(]")
# Optimization: each begins with fixed text, so `re` looks only where that is.
_SHELL_SPLICE = re.compile(
    r"'(?<=\w')'(?=\w)|\"(?<=\w\")\"(?=\w)|`(?<=\w`)`(?=\w)|\\(?<=\w\\)(?=[a-z])"
    r"|\^(?:(?<=\w\^)(?=\w)|(?=[a-z]))",
    re.IGNORECASE,
)
_QUOTED_LETTER = re.compile(r"(['\"])(\w)\1")
_CONCATENATION = re.compile(r"(['\"`])\s*(?:\+|\.|\|\|)\s*\1")
_QUOTE = re.compile(r"['\"`]")
_FILLER = re.compile(r"/\*|\$|''|\"\"|``|\\|\^|['\"]\s*[+.|]|'\w'|\"\w\"|\s\s|[\t\n\r]")
# Between characters that are not of base64. A shorter run must be padded.
_BASE64_RUN = re.compile(rb"[^=]{12,}={0,2}|[^=]{6,11}={1,2}")
_MIN_UNPADDED: Final = 12
MIN_BASE64_CHARS: Final = 7
"""The shortest run, with its padding."""
_BASE64_SPACED = re.compile(r"[A-Za-z0-9+/_ -]{16,}={0,2}")
_TEXT = re.compile(rb"[\t-\r\x20-\x7e]+")


@define(unsafe_hash=True)
class Decoding:
    """A reading of a value. Not frozen, like Value: making one would take three times as long.

    :ivar name: "raw", "decoded", "spaced", "plain" or "base64".
    :ivar rounds: how many layers of encoding were removed.
    """

    name: str
    text: str
    rounds: int = 0


# Classic ASP drops a percent sign without two hexadecimal digits after it.
_PERCENT_FILLER = re.compile(r"(?:%[^%]){6,}")
# Control characters that SQL Server and MySQL read as blanks.
_CONTROL_BLANK = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f]+")

# Optimization: nearly all texts have nothing of most kinds, and checking that without an expression
# takes a tenth of the time.
_CONTROL_BLANK_BYTES: Final = bytes({*range(1, 9), 11, 12, *range(14, 32)})
_CONTROL_BYTES: Final = bytes({*range(9), 11, 12, *range(14, 32), 127})
_BASE64_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# The other alphabet as this one (RFC 4648, section 5), and everything else as a blank.
_TO_BASE64: Final = bytes(
    code if code in _BASE64_LETTERS or code == 61 else {45: 43, 95: 47}.get(code, 32)
    for code in range(256)
)
# Optimization: half of the names in programs begin with a letter that no readable text begins with
# in base64: its first byte would be a control character, or none of UTF-8.
_FIRST_BYTES: Final = frozenset({*range(9, 14), GZIP[0], *range(0x20, 0x7F), *range(0xC2, 0xF5)})
_FIRST_LETTERS: Final = frozenset(
    letter
    for number, letter in enumerate(_BASE64_LETTERS)
    if not _FIRST_BYTES.isdisjoint(range(number << 2, (number << 2) + 4))
)


def decodings(raw: str) -> tuple[Decoding, ...]:
    """Return the distinct readings of a value, the raw one first."""
    found = [Decoding("raw", raw)]
    has_controls = not raw.isprintable()
    text, rounds = raw, 0
    if has_controls or "%" in raw or "&" in raw or "\\" in raw or not raw.isascii():
        text, rounds = decode(raw)
        if text != raw:
            found.append(Decoding("decoded", text, rounds))
    spaced = ""
    if has_controls and _has(raw, _CONTROL_BLANK_BYTES):
        spaced = _CONTROL_BLANK.sub(" ", raw)
    if "%" in text and _PERCENT_FILLER.search(text):
        spaced = (spaced or text).replace("%", "")
    if spaced:
        # Only the outermost reading: senders of such blanks do not escape them again.
        found.append(Decoding("spaced", strip_filler(decode(spaced)[0]), rounds))
    plus = "+" in text and " " not in text
    if plus or _has_filler(text):
        plain = strip_filler(text.replace("+", " ") if plus else text)
        if plain != text:
            found.append(Decoding("plain", plain, rounds))
    inside = decode_base64(text) if len(text) >= MIN_BASE64_CHARS else ""
    if inside:
        inner, inner_rounds = decode(inside)
        found.append(Decoding("base64", inner, rounds + inner_rounds + 1))
        if _has_filler(inner):
            found.append(Decoding("base64", strip_filler(inner), rounds + inner_rounds + 1))
    return tuple(found)


def _has_filler(text: str) -> bool:
    # Optimization: most texts have none of the characters with which filler begins, and the
    # expression would try each character. Blanks but the usual one are not printable.
    return (
        "'" in text
        or '"' in text
        or "  " in text
        or "$" in text
        or "\\" in text
        or "/*" in text
        or "^" in text
        or "``" in text
        or not text.isprintable()
    ) and _FILLER.search(text) is not None


def decode(text: str) -> tuple[str, int]:
    """Remove percent, entity and backslash escapes, look-alikes and control characters until
    nothing changes or MAX_ROUNDS is reached. Return the text and the number of rounds."""
    rounds = 0
    escaped = False
    while rounds < MAX_ROUNDS and ("%" in text or "&" in text or "\\" in text):
        before = text
        if "%" in text:
            if "%u" in text or "%U" in text:
                text = _PERCENT_U.sub(_from_hex, text)
            text = _without_percent(text)
        if "&" in text and _REFERENCE.search(text) is not None:
            text = html.unescape(text)
        if "\\" in text:
            text = _BACKSLASH.sub(_from_backslash, text)
        if text == before:
            break
        escaped = True
        rounds += 1
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_LOOKALIKE if escaped else _PROSE_SAFE)
        return _CONTROL.sub("", text), rounds
    return (_CONTROL.sub("", text) if _has(text, _CONTROL_BYTES) else text), rounds


def _has(text: str, some: bytes) -> bool:
    """Whether a text contains any of some ASCII characters."""
    data = text.encode("utf-8", "surrogatepass")
    return len(data.translate(None, some)) != len(data)


def _from_hex(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _from_backslash(match: re.Match[str]) -> str:
    two, four, braced, eight, octal = match.groups()
    if octal:
        return chr(int(octal, 8))
    code = int(two or four or braced or eight, 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def _without_percent(text: str) -> str:
    """Undo percent-encoding; each row of escapes that is no UTF-8 is decoded leniently."""
    try:
        return unquote(text.encode("utf-8")).decode("utf-8")
    except UnicodeError:
        return _PERCENT_RUN.sub(_from_percent, text)


def _from_percent(match: re.Match[str]) -> str:
    data = bytes.fromhex(match[0].replace("%", ""))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return overlong(data)


# Forms of ASCII in two, three and four bytes; servers that read them look at six bits of each byte
# behind the first.
_OVERLONG = re.compile(
    rb"[\xc0\xc1].|\xe0[\x00\x01@A\x80\x81\xc0\xc1].|\xf0[\x00@\x80\xc0][\x00\x01@A\x80\x81\xc0\xc1].",
    re.DOTALL,
)


def overlong(data: bytes) -> str:
    """Decode leniently, like old servers: overlong two- to four-byte forms of ASCII become the
    character that they hide (Unicode TR36); other bytes become Latin-1."""
    return _OVERLONG.sub(_hidden, data).decode("latin-1")


_IN_TWO: Final = {
    bytes((first, low)): bytes(((first & 1) << 6 | low & 0x3F,))
    for first in (0xC0, 0xC1)
    for low in range(256)
}
"""All forms in two bytes: binary data has one every hundred bytes."""


def _hidden(match: re.Match[bytes]) -> bytes:
    form = match[0]
    return _IN_TWO.get(form) or bytes(((form[-2] & 1) << 6 | form[-1] & 0x3F,))


def strip_filler(text: str) -> str:
    """Remove text that a parser skips: SQL comments, `$IFS` and quotes in shell words, carets of
    cmd.exe, joined string pieces, runs of blanks."""
    if "/*" in text:
        text = _strip_comments(text)
    has_backslash = "\\" in text
    if "\\\n" in text or "\\\r\n" in text:
        text = _CONTINUED.sub("", text)
    if "\\\n" in text or "\\\r\n" in text or ("$" in text and "ifs" in text.lower()):
        end = text.rfind("}") + 1
        text = _SHELL_FILLER.sub(" ", text[:end]) + _OPEN_SHELL_FILLER.sub(" ", text[end:])
    if "$" in text and _DOLLAR_NOTHING.search(text):
        text = _SHELL_NOTHING.sub("", text)
    if has_backslash or "^" in text or "''" in text or '""' in text or "``" in text:
        text = _SHELL_SPLICE.sub("", text)
    if "'" in text or '"' in text:
        text = _QUOTED_LETTER.sub(r"\2", text)
    if ("+" in text or "." in text or "||" in text) and _QUOTE.search(text):
        text = _CONCATENATION.sub("", text)
    return _one_blank(text)


def _one_blank(text: str) -> str:
    """Return a text with one blank for each run of blanks."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return " " * text[0].isspace() + words + " " * text[-1].isspace()


def _strip_comments(text: str) -> str:
    """Replace SQL comments with blanks; the content of a versioned one (`/*!50000 union*/`) is
    code."""
    out = []
    position = 0
    while True:
        start = text.find("/*", position)
        if start < 0:
            out.append(text[position:])
            return "".join(out).replace("*/", " ")
        out.append(text[position:start] + " ")
        mark = _VERSION_MARK.match(text, start + 2)
        if mark:
            position = mark.end()
            continue
        end = text.find("*/", start + 2)
        if end < 0:
            out.append(text[start + 2 :])
            return "".join(out)
        position = end + 2


def decode_base64(text: str) -> str:
    """Return the readable text in runs of base64, joined by newlines; "" if there is none."""
    found: list[str] = []
    if " " in text and _BASE64_SPACED.fullmatch(text):
        text = text.replace(" ", "+")  # a plus that nobody escaped
    for run in _base64_runs(text.encode("ascii", "replace").translate(_TO_BASE64).split()):
        if len(found) >= MAX_BASE64_RUNS:
            break
        if run[0] not in _FIRST_LETTERS or run.isdigit():
            continue
        if run.isalpha() and (run.islower() or run.isupper()):
            continue
        data = _decode_run(run)
        if len(data) >= (4 if run.endswith(b"=") else 8):
            inside = serialized_inside(data) if data.startswith(GZIP) else _readable(data)
            if inside:
                found.append(inside)
    return "\n".join(found)


def _base64_runs(words: list[bytes]) -> Iterator[bytes]:
    for word in [one for one in words if len(one) >= MIN_BASE64_CHARS]:
        if b"=" in word:
            yield from _BASE64_RUN.findall(word)
        elif len(word) >= _MIN_UNPADDED:
            yield word


def _readable(data: bytes) -> str:
    """Return bytes as text if they are text, most of it ASCII; else ""."""
    if _TEXT.fullmatch(data):
        return data.decode("ascii")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return "" if foreign * 3 > len(text) or _CONTROL.search(text) else text


def _decode_run(run: bytes) -> bytes:
    letters = run.rstrip(b"=")
    # A single letter after the last whole group has less than a byte.
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return a2b_base64(letters + b"=" * (-len(letters) % 4))
