"""The shape of a text: its tokens in classes, and runs of one to three of them.

This is the idea of token fingerprints (libinjection reduces SQL to five letters), widened to
every language an attack may be written in, with the fingerprints learned instead of listed:
`1' or 1=1--` and `x' AND 2=2 #` become the same few tokens, and prose becomes `w`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from guard_wsgi.detection.lexicon import LEXICON

# Runs longer than this many tokens say nothing a prefix does not.
MAX_TOKENS: Final = 400

_TOKEN = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<hex>0[xX][0-9A-Fa-f]+)"
    r"|(?P<number>\d[\d.,:]*\d|\d)"
    r"|(?P<space>\s+)"
    r"|(?P<mark>\.\.[/\\]|\.{3,}|--|/\*|\*/|\*!|&&|\|\||\$\{|\{\{|\}\}|\{%|%\}|<\?|\?>|<%|%>|</|<!|/>"
    r"|://|//|\$\(|[<>!=:]=|<>|=>|->|::|@@|#\{|\\)"
    r"|(?P<other>[^\x00-\x7f]+)"
    r"|(?P<punctuation>.)",
    re.DOTALL,
)
_EVENT = re.compile(r"on[a-z]{4,24}")
_HEXADECIMAL = re.compile(r"[0-9a-f]{16,}")
_START: Final = "^"
_END: Final = "$end"


def tokens(text: str) -> list[str]:
    """Token classes in order. Two words in a row are one "w", blanks count only between
    punctuation ("_"), words of the lexicon are themselves or their class."""
    out: list[str] = []
    append = out.append
    lexicon = LEXICON
    previous = ""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "name":
            word = match[0].lower()
            token = lexicon.get(word)
            if token is None:
                if word[0] == "o" and _EVENT.fullmatch(word):
                    token = "EVENT"
                elif len(word) == 1:
                    token = "c"
                elif _HEXADECIMAL.fullmatch(word):
                    token = "0"
                else:
                    token = "w"
        elif kind == "number":
            token = "0"
        elif kind == "hex":
            token = "0x"
        elif kind == "space":
            continue
        elif kind == "other":
            token = "u"
        else:
            token = match[0]
        if token == previous and token in _COLLAPSED:
            continue
        previous = token
        append(token)
        if len(out) >= MAX_TOKENS:
            break
    return out


_COLLAPSED: Final = frozenset({"w", "u", "0", "../", "..\\", ".", "-", "=", "*", "_", "A", "\\"})


def shapes(text: str, starts: bool = True, ends: bool = True) -> set[str]:
    """Names of features: every run of one to three tokens.

    :param starts: whether the text is the beginning of a value, which is marked then.
    :param ends: whether it is the end.
    """
    row = tokens(text)
    if starts:
        row.insert(0, _START)
    if ends:
        row.append(_END)
    return set(_runs(row))


def _runs(row: list[str]) -> Iterable[str]:
    size = len(row)
    for index in range(size):
        one = row[index]
        yield "t:" + one
        if index + 1 < size:
            two = one + " " + row[index + 1]
            yield "t:" + two
            if index + 2 < size:
                yield "t:" + two + " " + row[index + 2]
