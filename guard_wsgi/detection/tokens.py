"""The shape of a text: its tokens in classes, and runs of one to three of them.

This is the idea of token fingerprints (libinjection reduces SQL to five letters), widened to
every language an attack may be written in, with the fingerprints learned instead of listed:
`1' or 1=1--` and `x' AND 2=2 #` become the same few tokens, and prose becomes `w`.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.lexicon import LEXICON

# Runs longer than this many tokens say nothing a prefix does not.
MAX_TOKENS: Final = 400
# Tokens whose class is remembered: texts repeat their words.
MAX_KNOWN: Final = 4096

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
# The same without groups, so that all of them are found in one call.
_ANY_TOKEN = re.compile(re.sub(r"\(\?P<\w+>", "(?:", _TOKEN.pattern), re.DOTALL)
_EVENT = re.compile(r"on[a-z]{4,24}")
_HEXADECIMAL = re.compile(r"[0-9a-f]{16,}")
_START: Final = "^"
_END: Final = "$end"


def tokens(text: str) -> list[str]:
    """Token classes in order. Two words in a row are one "w", blanks count only between
    punctuation ("_"), words of the lexicon are themselves or their class."""
    out: list[str] = []
    previous = ""
    for token in map(_class_of, _ANY_TOKEN.findall(text)):
        if token and not (token == previous and token in _COLLAPSED):
            previous = token
            out.append(token)
            if len(out) >= MAX_TOKENS:
                break
    return out


@lru_cache(maxsize=MAX_KNOWN)
def _class_of(text: str) -> str:
    """The class of one token; "" for blanks."""
    match = _TOKEN.match(text)
    kind = match.lastgroup if match else "punctuation"
    if kind == "name":
        word = text.lower()
        token = LEXICON.get(word)
        if token is not None:
            return token
        if word[0] == "o" and _EVENT.fullmatch(word):
            return "EVENT"
        if len(word) == 1:
            return "c"
        return "0" if _HEXADECIMAL.fullmatch(word) else "w"
    return _BY_KIND.get(kind or "", text)


_BY_KIND: Final = {"number": "0", "hex": "0x", "space": "", "other": "u"}
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
    twos = [f"{one} {two}" for one, two in itertools.pairwise(row)]
    threes = [f"{two} {three}" for two, three in zip(twos, row[2:], strict=False)]
    return {f"t:{run}" for run in {*row, *twos, *threes}}
