"""Sentences in a value: finds their function words, and removes sentences from a text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.language.lexicon import LEXICON

# Words that connect sentences and that no attacked language uses.
_FUNCTION_WORDS: Final = (
    *("the", "my", "we", "you", "your", "our", "they", "she", "he", "his", "her", "its", "it's"),
    *("i'm", "don't", "can't", "isn't", "please", "was", "were", "are", "have", "would", "could"),
    *("should", "there", "than", "but", "when", "then", "which", "what", "who", "how", "until"),
    *("before", "after", "ich", "nicht", "und", "der", "das", "ist", "les", "une", "des", "pour"),
    *("est", "que", "los", "por", "para", "een", "het", "voor", "che", "non"),
)
FUNCTION_WORD: Final = rf"\b(?:{'|'.join(_FUNCTION_WORDS)})\b"
_FUNCTION_WORD_SET: Final = frozenset(word.encode() for word in _FUNCTION_WORDS)
# Characters that no such word has become blanks.
_LETTERS_APART: Final = bytes(
    code | 32 if chr(code).isalpha() and code < 128 else code if code == 39 else 32
    for code in range(256)
)


def function_words(text: str) -> int:
    """Count the different function words of a text. Splitting it into words and looking them up
    takes a tenth of the time of searching for each word."""
    words = text.encode("utf-8", "surrogatepass").translate(_LETTERS_APART).split()
    return len(_FUNCTION_WORD_SET.intersection(words))


# Seven words or more in a row, as in sentences; attacked languages put marks between words. The
# first and the last two stay, as the surroundings of the payload.
PROSE_CHARS: Final = 32
_WORD = (
    r"(?!(?:union|select|insert|delete|drop|exec|waitfor)\s)"
    r"[(\"]?[^\W_]{1,24}(?:['\u2019-][^\W_]{1,16})?[,.:;!?)\"]{0,2}\s{1,2}"
)
_PROSE = re.compile(rf"\s({_WORD})(?:{_WORD}){{4,400}}((?:{_WORD}){{2}})")
_PROSE_WORD = re.compile(_WORD.removesuffix(r"\s{1,2}"))
_PROSE_ROW: Final = "w" * 7
MAX_KNOWN: Final = 4096


def without_prose(text: str) -> str:
    """Remove the sentences of a text. Only both ends of each long run of words stay."""
    if len(text) < PROSE_CHARS or _PROSE_ROW not in "".join(map(_prose_word, text.split())):
        return text
    # Optimization: the pattern begins with a blank, so `re` looks only where there is one.
    return _PROSE.sub(r" \1 \2", " " + text)[1:]


# Characters that the pattern for a run of words excludes.
_NO_PROSE: Final = frozenset({"union", "select", "insert", "delete", "drop", "exec", "waitfor"})


def without_sentences(text: str) -> list[str]:
    """Return the words of a text without its sentences; quicker if only the words matter."""
    # A run of words ends at more than two blanks.
    parts = _WIDE.split(text)
    words: list[str] = parts[0].split()
    for part in parts[1:]:
        words += ("", *part.split())
    if len(words) < len(_PROSE_ROW):
        return [word for word in words if word] if len(parts) > 1 else words
    # The last one has no blank after it.
    marks = "".join(map(_prose_word, words if text[-1:].isspace() else words[:-1]))
    if _PROSE_ROW in marks:
        kept: list[str] = []
        end = 0
        for row in _PROSE_MARKS.finditer(marks):
            start, stop = row.span()
            kept += words[end : start + 1]
            end = stop - 2
        words = kept + words[end:]
    return [word for word in words if word] if len(parts) > 1 else words


_WIDE = re.compile(r"\s{3,}")
_PROSE_MARKS = re.compile("w{7,}")


@lru_cache(maxsize=MAX_KNOWN)
def _prose_word(word: str) -> str:
    """ "w" if the text may be a word in a run of words, else "". Cached, because texts repeat
    words."""
    return "w" if _PROSE_WORD.fullmatch(word) and word not in _NO_PROSE else "."


# A word of a sentence, between blanks.
_PLAIN_WORD = re.compile(r"[(\"]?([^\W\d_]{2,24}(?:['\u2019-][^\W\d_]{1,16})?)[,.:;!?)\"]{0,2}")


def are_words(words: list[str]) -> bool:
    """Whether these are two words of a sentence and no words of an attacked language."""
    plain = [match[1].lower() for word in words if (match := _PLAIN_WORD.fullmatch(word))]
    return len(plain) == 2 and not any(word in LEXICON for word in plain)
