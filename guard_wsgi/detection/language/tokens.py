"""The shape of a text: its tokens in classes, and runs of one to three of them.

The idea is that of token fingerprints (libinjection reduces SQL to five letters), extended to every
language of attacks, with learned instead of listed fingerprints: `1' or 1=1--` and `x' AND 2=2 #`
become the same few tokens, and prose becomes `w`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import fsum
from typing import Final

from guard_wsgi.detection.language.lexicon import LEXICON

# Longer runs of tokens add nothing to their beginning.
MAX_TOKENS: Final = 400
# How many tokens and words to cache the class of: texts repeat their words.
MAX_KNOWN: Final = 8192
# The longest word to cache; longer ones do not occur again.
MAX_WORD_CHARS: Final = 64

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
# The same without groups: one call finds all of them.
_ANY_TOKEN = re.compile(re.sub(r"\(\?P<\w+>", "(?:", _TOKEN.pattern), re.DOTALL)
_EVENT = re.compile(r"on[a-z]{4,24}")
_HEXADECIMAL = re.compile(r"[0-9a-f]{16,}")
# All numbers of two digits or more have the same class, except in words of the lexicon ("base64").
_NUMBER = re.compile(r"[0-9][0-9]+")
_KNOWN_NUMBERS: Final = frozenset(number for word in LEXICON for number in _NUMBER.findall(word))


def _as_zeros(match: re.Match[str]) -> str:
    number = match[0]
    return number if number in _KNOWN_NUMBERS else "0" * len(number)


_UNKNOWN: Final = 1
"""The number of all tokens without a weighted run; 0 means no token."""
_START: Final = "^"
_END: Final = "$end"


def tokens(text: str) -> list[str]:
    """Return token classes in order. Two words in a row are one "w", blanks count only between
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
    """Return the class of one token; "" for blanks."""
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


class RunWeights:
    """The weights of runs, with numbers instead of names. Their sum for a text of a few hundred
    characters takes half the time of making the names.

    :param weights: name of the feature (`shapes`) -> log-odds.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        runs = {name: name.removeprefix("t:").split(" ") for name in weights}
        known = {token for run in runs.values() for token in run} | {_START, _END}
        # Classes that collapse have the highest numbers.
        tokens = [*sorted(known - _COLLAPSED), *sorted(_COLLAPSED)]
        self._numbers = {token: number for number, token in enumerate(tokens, _UNKNOWN + 1)}
        self._collapsed = min(self._numbers[token] for token in _COLLAPSED)
        self._weights = {
            self._key([self._numbers[token] for token in run]): weights[name]
            for name, run in runs.items()
        }
        self._words: dict[str, tuple[int, ...]] = {}

    @staticmethod
    def _key(numbers: list[int]) -> int | tuple[int, ...]:
        return numbers[0] if len(numbers) == 1 else tuple(numbers)

    def total(
        self, texts: Iterable[Iterable[str]], starts: bool = True, ends: bool = True
    ) -> float:
        """Return the sum of the different runs in some readings of a text. Each reading is split at
        its blanks."""
        found: set[int | tuple[int, ...]] = set()
        for words in texts:
            row = self._row(words)
            if starts:
                row.insert(0, self._numbers[_START])
            if ends:
                row.append(self._numbers[_END])
            after = row[1:]
            found.update(row, zip(row, after, strict=False))
            found.update(zip(row, after, row[2:], strict=False))
        # An exact sum: otherwise the order of a set would change its last digit.
        return fsum(map(self._weights.get, found, itertools.repeat(0.0)))

    def _row(self, words: Iterable[str]) -> list[int]:
        """Return the numbers of a text's tokens in the order of `tokens`. No token contains a
        blank, except runs beyond ASCII, which collapse."""
        get, number, collapsed = self._words.get, self._number_word, self._collapsed
        found = [get(word) or number(word) for word in words]
        row = itertools.pairwise(itertools.chain((0,), *found))
        return [one for before, one in row if one != before or one < collapsed][:MAX_TOKENS]

    def _number_word(self, word: str) -> tuple[int, ...]:
        get, unknown = self._numbers.get, _UNKNOWN
        found = tuple([get(_class_of(token), unknown) for token in _ANY_TOKEN.findall(word)])
        if len(word) <= MAX_WORD_CHARS:
            if len(self._words) >= MAX_KNOWN:
                self._words.clear()
            self._words[word] = found
        return found


def numbers_alike(text: str) -> str:
    """Return a text with the same tokens, in which zeros replace all digits of numbers with two
    digits or more: counts and measures never repeat, the words around them may."""
    return _NUMBER.sub(_as_zeros, text)


def shapes(text: str, starts: bool = True, ends: bool = True) -> set[str]:
    """Return the names of features: every run of one to three tokens.

    :param starts: whether the text is the beginning of a value; it is marked then.
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
