"""Pickles (CWE-502): programs of Python's own serialization, in each encoding that apps use.

`pickle.loads` runs the program. A pickle of plain data calls nothing; one that looks up a name of a
module and calls it can run anything. The encodings are read as Python's decoders read them:
`base64.b64decode` skips characters of no alphabet, `bytes.fromhex` skips blanks.
"""

from __future__ import annotations

import ast
import base64
import binascii
import bz2
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pickletools import OpcodeInfo

FEATURE: Final = "deserialization.pickle_call"
"""Flag of a value that is a pickle with a call."""
MIN_CHARS: Final = 11
"""No pickle with a call is shorter: ``cos\\nfork\\n)R``"""
MAX_CHARS: Final = 65_536
"""How much of a text is decoded."""
MAX_STEPS: Final = 1024
"""How many steps of a program are read: a call stands near the beginning, or is padded."""
HINTED_CHARS: Final = 100
DECODED_EACH: Final = 32
STEP_CHARS: Final = 6
"""The cost of trying each encoding, plus one for this many characters of the text, and of reading a
step of a program (value.Budget)."""
LINE_CHARS: Final = 4
"""The cost of looking at one line for a name that is looked up."""
UNPACKED_CHARS: Final = 250
"""The cost of unpacking the beginning of compressed data, besides that of reading it."""
UNPACKED_IN_BLOCKS_CHARS: Final = 4500
"""The same for bzip2, which unpacks a block of 900 kB to show its beginning."""
MAX_LAYERS: Final = 3
"""Compressed and twice in base64."""

PROTOCOL: Final = 0x80
"""The first byte since protocol 2."""
_LOOK_UPS: Final = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"})
_CALLS: Final = frozenset({"REDUCE", "OBJ", "INST", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_STORES: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_RECALLS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_NAME: Final = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*")
# A name that is looked up anywhere, for a program that is longer than the steps that are read: in
# two lines, or on the stack. Each begins with fixed text, so `re` looks only where that is.
_NAME_LINE: Final = re.compile(rb"\n[A-Za-z_][\w.]{1,60}(?=\n)")
_MODULE_LINE: Final = re.compile(rb"[ci][A-Za-z_][\w.]{1,60}\Z")
_MODULE_CHARS: Final = 62
_ON_STACK: Final = re.compile(
    rb"\x93(?:(?<=[A-FHILN-Za-z_]\x93)|(?<=[A-FHILN-Za-z_]\x94\x93))\x94?[(\x8c)X}N]"
)
# A list of words in brackets may begin with these steps: "(inside\nthe\nhouse)".
_WORDS_IN_BRACKETS: Final = re.compile(r"\(i\w+\n\w+\n")
# The first step: a protocol, or what protocols 0 and 1 begin with.
_BEGINNING: Final = re.compile(rb"\x80[\x00-\x05]|[(c\]}NIJKLMSUVXF)lqp]")
_PACKED: Final = (b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")

_OUTSIDE: Final = bytes(
    code for code in range(256) if not re.match(rb"[A-Za-z0-9+/_-]", bytes((code,)))
)
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_HEX: Final = re.compile(rb"(?:0x|\\x)?([0-9A-Fa-f]{2}(?:(?:\s|\\x|:)*[0-9A-Fa-f]{2})*)")
_NO_DIGIT: Final = bytes(
    code for code in range(256) if not re.match(rb"[0-9A-Fa-f]", bytes((code,)))
)
_BASE32: Final = re.compile(rb"[A-Z2-7]+=*|[a-z2-7]+=*")
_BASE85: Final = re.compile(rb"[!-~]+")
_LITERAL: Final = re.compile(r"b(?:'[^'\n]*'|\"[^\"\n]*\")")
# Python warns of escapes that mean nothing, and of octal numbers over a byte; it reads them.
_ESCAPE: Final = re.compile(r"\\([4-7][0-7]{2}|.)", re.DOTALL)
_MEANINGFUL: Final = frozenset("abfnrtvx01234567\\'\"")
_FIRST: Final = 40
"""How many characters of a text show whether an encoding has a pickle in it: a whole number of
groups of each."""
# The first characters of a text that may be a pickle: its beginnings (a protocol, `(`, `c`, `]`,
# `}`, and what compressed data begins with) in base64, with what its decoder skips between them,
# in hexadecimal digits, base32, both kinds of base85, base64 twice, and as they are.
_HINT: Final = re.compile(
    r"[^\w/]{0,64}(?:g[^\w/]*A[^\w/]*[A-X]|Y[^\w/]*[123]|K[^\w/]*[A-P]|[Xf][^\w/]*[Q-Za-f]|e[^\w/]*[AFJN]|H[^\w/]*4|Q[^\w/]*l|/[^\w/]*T"
    r"|(?:0?x)?(?:80|63|28|[57][dD]|78|1[fF]|42|[fF][dD])[\W_]*[0-9A-Fa-f\\]"
    r"|QA|M[M-P]|F[A-D]|L[U-X]|P[A-DU-X]|IJ|D6|7U|qa|m[m-p]|f[a-d]|l[u-x]|p[a-du-x]|ij|d6|7u|Z[0Ul]|W[FT]|S0|OD|N[2j]|Mj)"
    r"|f[BC]|c[$%mw-]|(?:e[^y]|[CDVWTU][!-~])[!-~]{14}|J[,-]|G[Qa-hb[]|[-.@A>?I][!-~]{15}|<~|[(c\]}\x80\x1f]|b['\"]"
)
_BASE85_STARTS: Final = frozenset(b"*+-.69<>?@ACDGIJLTUVWcefr{")
"""The first characters of both kinds of base85 for the beginnings of a pickle and of compressed
data. To encode one would make two tables of the standard library with 7,225 texts each."""


def is_pickle_call(text: str, charge: Callable[[int], None]) -> bool:
    """Whether a text is a pickle that calls something, in any usual encoding.

    :param charge: takes the cost of the work, in characters of a budget.
    """
    if len(text) < MIN_CHARS or _HINT.match(text) is None:
        return False
    text = text[:MAX_CHARS].strip()
    charge(HINTED_CHARS + len(text) // DECODED_EACH)
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        data = text.encode("ascii", "ignore")
    if text[:2] in ("b'", 'b"') and _LITERAL.fullmatch(text):
        try:
            data = ast.literal_eval(_ESCAPE.sub(_silent, text))
        except (ValueError, SyntaxError):
            return False
    elif _WORDS_IN_BRACKETS.match(text) and not _has_module(text):
        return False
    return _is_call(data, MAX_LAYERS, charge)


def _has_module(text: str) -> bool:
    """Whether the first word of such a list is the name of a module."""
    module = text[2 : text.index("\n")]
    return "_" in module or module in sys.stdlib_module_names


def _silent(escape: re.Match[str]) -> str:
    """The same bytes, in an escape that Python reads without a warning."""
    what = escape[1]
    if len(what) > 1:
        return f"\\x{int(what, 8) & 0xFF:02x}"
    return escape[0] if what in _MEANINGFUL else f"\\{escape[0]}"


def _is_call(data: bytes, layers: int, charge: Callable[[int], None]) -> bool:
    if _calls(data, charge):
        return True
    if not layers:
        return False
    if data.startswith(_PACKED):
        charge(UNPACKED_IN_BLOCKS_CHARS if data.startswith(b"BZh") else UNPACKED_CHARS)
        unpacked = _unpacked(data)
        charge(len(unpacked) // DECODED_EACH)
        return bool(unpacked) and _is_call(unpacked, layers - 1, charge)
    data = data.strip(b" \t\r\n'\"")
    return len(data) >= MIN_CHARS and any(
        _is_call(inside, layers - 1, charge) for inside in _decoded(data, charge)
    )


def _decoded(data: bytes, charge: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the content of a text in each encoding that can contain a pickle."""
    for decode, accepts, cost in _ENCODINGS:
        if not accepts(data):
            continue
        try:
            start = decode(data[:_FIRST])
            is_program = _BEGINNING.match(start) is not None
            if is_program and cost >= _SLOW and len(data) > _SLOW_FIRST:
                charge(int(_SLOW_FIRST * cost) + STEP_CHARS)
                is_program = _is_program(decode(data[:_SLOW_FIRST]))
            if is_program or start.startswith(_PACKED) or _is_text(start):
                charge(int(len(data) * cost))
                yield decode(data)
        except (ValueError, binascii.Error):
            continue


def _is_program(start: bytes) -> bool:
    """Whether a program may begin like this: each step is known, or follows a call."""
    import pickletools

    source = BytesIO(start)
    try:
        return any(opcode.name in _CALLS for opcode, _, _ in pickletools.genops(source))
    except Warning:
        return True
    except (ValueError, KeyError, IndexError, UnicodeError, OverflowError, TypeError):
        end = source.tell()
        code = start[end - 1 : end].decode("latin-1")
        return end == len(start) or any(one.code == code for one in pickletools.opcodes)


def _is_text(start: bytes) -> bool:
    """Whether a beginning may be another layer."""
    return start.isascii() and start.isalnum() and len(start) >= MIN_CHARS


def _from_base64(data: bytes) -> bytes:
    letters = data.translate(_STANDARD, _OUTSIDE)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _from_hex(data: bytes) -> bytes:
    digits = data.removeprefix(b"0x").translate(None, _NO_DIGIT)
    return bytes.fromhex(digits[: len(digits) & ~1].decode())


def _from_base32(data: bytes) -> bytes:
    letters = data.rstrip(b"=").upper()
    letters = letters[: len(letters) & ~7] if len(letters) % 8 in (1, 3, 6) else letters
    return base64.b32decode(letters + b"=" * (-len(letters) % 8))


def _from_ascii85(data: bytes) -> bytes:
    return base64.a85decode(data.removeprefix(b"<~").removesuffix(b"~>"))


def _is_base85(data: bytes) -> bool:
    return data[0] in _BASE85_STARTS and _BASE85.fullmatch(data) is not None


_SLOW: Final = 0.2
_SLOW_FIRST: Final = 640
"""How many characters of an encoding that is slow to decode show whether a program is in it."""
# With the cost of each character (value.Budget): some decoders are written in Python.
_ENCODINGS: Final[tuple[tuple[Callable[[bytes], bytes], Callable[[bytes], object], float], ...]] = (
    (_from_base64, lambda data: data[:1] not in (b"{", b"[", b"<"), 0.01),
    (_from_hex, _HEX.fullmatch, 0.05),
    (_from_base32, _BASE32.fullmatch, 0.2),
    (base64.b85decode, _is_base85, 0.25),
    (_from_ascii85, _is_base85, 0.6),
)


def _unpacked(data: bytes) -> bytes:
    """Return the beginning of compressed data; ``b""`` if it is none."""
    try:
        if data.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(data, MAX_CHARS)
        if data.startswith(b"\xfd"):
            return lzma.LZMADecompressor(memlimit=1 << 24).decompress(data, MAX_CHARS)
        # Both containers of zlib, by their own heads.
        return zlib.decompressobj(47).decompress(data, MAX_CHARS)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, MemoryError):
        return b""


def _calls(data: bytes, charge: Callable[[int], None]) -> bool:
    """Whether bytes are a program that looks a name up and calls it; what follows does not count,
    because it runs after the call."""
    if not _BEGINNING.match(data):
        return False
    if data[0] != PROTOCOL:
        charge(LINE_CHARS * data.count(b"\n"))
        if not _looks_up(data):
            return False
    import pickletools  # tables of 120 kB, for texts that begin like a pickle

    has_name = False
    stack, memo = _Stack(), set[int]()
    steps = 0
    try:
        for opcode, argument, _ in pickletools.genops(data):
            name = opcode.name
            if name in _LOOK_UPS:
                if isinstance(argument, str) and not _NAME.fullmatch(argument):
                    return False
                has_name = True
            stack.step(opcode)
            charge(STEP_CHARS)
            if name in _STORES:
                memo.add(len(memo) if argument is None else argument)
            elif name in _RECALLS and argument not in memo:
                return False
            if has_name and name in _CALLS:
                return True
            steps += 1
            if steps >= MAX_STEPS:
                return _looks_up(data)
    except Warning:  # of an odd escape, where the site makes warnings errors
        return _looks_up(data)
    except (ValueError, KeyError, IndexError, UnicodeError, OverflowError, TypeError):
        return False
    return False


def _looks_up(data: bytes) -> bool:
    """Whether a name is looked up anywhere in a program."""
    for line in _NAME_LINE.finditer(data):
        end = line.start()
        start = data.rfind(b"\n", max(end - _MODULE_CHARS, 0), end) + 1
        if _MODULE_LINE.search(data, max(start, end - _MODULE_CHARS), end):
            return True
    return _ON_STACK.search(data) is not None


class _Stack:
    """The heights of a program's stack. A step that takes more than there is ends the program."""

    def __init__(self) -> None:
        self._height = 0
        self._marks: list[int] = []

    def step(self, opcode: OpcodeInfo) -> None:
        """Remove what a step takes, and add what it pushes.

        :raises IndexError: if there is less, or no mark.
        """
        before, after = opcode.stack_before, opcode.stack_after
        kinds = [kind.name for kind in before]
        if "mark" in kinds:
            self._height = self._marks.pop() - kinds.index("mark")
        elif opcode.name == "POP" and self._marks and self._marks[-1] == self._height:
            self._marks.pop()
            return
        else:
            self._height -= len(before)
        if self._height < (self._marks[-1] if self._marks else 0):
            raise IndexError
        if opcode.name == "MARK":
            self._marks.append(self._height)
        else:
            self._height += len(after)
