"""The shape of a text: its tokens in classes, and runs of one to three of them.

This is the idea of token fingerprints (libinjection reduces SQL to five letters), widened to
every language an attack may be written in, with the fingerprints learned instead of listed:
`1' or 1=1--` and `x' AND 2=2 #` become the same few tokens, and prose becomes `w`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import fsum
from typing import Final

from guard_wsgi.detection.lexicon import LEXICON

# Runs longer than this many tokens say nothing a prefix does not.
MAX_TOKENS: Final = 400
# Tokens and words whose class is remembered: texts repeat their words.
MAX_KNOWN: Final = 8192
# Of words that are: longer ones do not come again.
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
# The same without groups, so that all of them are found in one call.
_ANY_TOKEN = re.compile(re.sub(r"\(\?P<\w+>", "(?:", _TOKEN.pattern), re.DOTALL)
_EVENT = re.compile(r"on[a-z]{4,24}")
_HEXADECIMAL = re.compile(r"[0-9a-f]{16,}")
# Two digits or more are the same to every class as two or more others, but where the lexicon has
# words with them ("base64").
_NUMBER = re.compile(r"[0-9][0-9]+")
_KNOWN_NUMBERS: Final = frozenset(number for word in LEXICON for number in _NUMBER.findall(word))


def _as_zeros(match: re.Match[str]) -> str:
    number = match[0]
    return number if number in _KNOWN_NUMBERS else "0" * len(number)


_UNKNOWN: Final = 1
"""The number for all tokens without a weighted run; 0 stands for no token."""
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


class RunWeights:
    """The weights of runs, by numbers in place of names: their sum for texts of a few hundred
    characters takes half of the time of making the names.

    :param weights: name of the feature (`shapes`) -> log-odds.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        runs = {name: name.removeprefix("t:").split(" ") for name in weights}
        known = {token for run in runs.values() for token in run} | {_START, _END}
        # Of what collapses the numbers are the highest.
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
        """The sum over the different runs in some texts, readings of the same, each cut at its
        blanks."""
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
        # Exact, so that the order of a set does not show in the last digit.
        return fsum(map(self._weights.get, found, itertools.repeat(0.0)))

    def _row(self, words: Iterable[str]) -> list[int]:
        """The numbers of a text's tokens in order, as `tokens` gives their classes. No token has
        a blank in it but rows of what is beyond ASCII, which collapse."""
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
    """A text with the same tokens, and zeros for all its numbers of two digits or more: what a
    text counts or measures never comes again, and the words around it may."""
    return _NUMBER.sub(_as_zeros, text)


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
