"""The part of a text that a database runs, if an app puts the text between quotes.

It lies between the quote that ends the app's string and the comment that cuts off the rest of the
statement. Words before and after are only a string and a comment, so a sentence around an injection
must not excuse it.
"""

from __future__ import annotations

import re
from typing import Final

MAX_INJECTED_CHARS: Final = 400
"""The longest part that is taken out. In a longer one the injection has evidence enough without
its end."""

# Two quotes in a row are one in the string (SQL:2016, 5.3).
_STRING_END: Final = {
    "'": re.compile(r"(?:[^']++|'')*+'(?!')"),
    '"': re.compile(r'(?:[^"]++|"")*+"(?!")'),
}
_TOKEN: Final = re.compile(r"'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|/\*.*?\*/|(--|#|/\*)", re.DOTALL)
# How a statement continues after a string. The letter after the quote of "don't" does not.
_CONTINUES: Final = re.compile(
    r"[\s)]*(?:[;,=<>|&+*/%^-]|#|!=|(?:or|and|xor|union|having|order|group|limit|offset|where|like|rlike"
    r"|regexp|glob|match|in|is|isnull|notnull|not|between|collate|into|procedure|window|intersect|except"
    r"|minus|fetch|for|returning|when|then|else|end|div|mod)\b)",
    re.IGNORECASE,
)
_ONLY_CUT: Final = re.compile(r"['\"][\s);]*(?:--|#|/\*)\Z")
# A comment alone behind a quote ends a name: "ann' -- ". Longer texts have plurals, colours and
# signatures there.
MAX_NAME_CHARS: Final = 24
_PLURAL: Final = re.compile(r"\s\S*s\Z", re.IGNORECASE)
_IN_TAG: Final = re.compile(r"<[a-z!?/][^<>]*\Z", re.IGNORECASE)
# Speech that begins with a word of SQL, and an article of French or Italian ("d'or").
_SPEECH: Final = re.compile(r"['\"][A-Z][a-z]*\b[^=<>()\d]*\Z")
_ARTICLE: Final = re.compile(r"\b(?:[cdjlmnst]|qu|dell|nell|all)\Z", re.IGNORECASE)
_LETTERS: Final = re.compile(r"'[a-z][^=<>()\d]*\Z", re.IGNORECASE)


def injected_statement(text: str) -> str | None:
    """Return the part between the first quote and the comment behind it, both included; ``None`` if
    there is none, or nothing else around it."""
    if " " not in text or ("--" not in text and "#" not in text and "/*" not in text):
        return None  # no words
    for quote, string in _STRING_END.items():
        begin = string.match(text) if quote in text else None
        if begin is None or _CONTINUES.match(text, begin.end()) is None:
            continue
        end = _comment_in(text, begin.end())
        if end < 0 or end - begin.end() > MAX_INJECTED_CHARS:
            continue
        before, injected, after = text[: begin.end() - 1], text[begin.end() - 1 : end], text[end:]
        if not after.strip() and " " not in before:
            continue  # the text itself
        if _IN_TAG.search(before) or (not before and _SPEECH.match(injected)):
            continue
        if _LETTERS.match(injected) and _ARTICLE.search(before):
            continue
        if _ONLY_CUT.match(injected) and not _ends_name(quote, before, after):
            continue
        return injected
    return None


# To the end of the line, outside of strings (PostgreSQL manual 4.1.5; in MySQL "#" as well).
_LINE_COMMENT: Final = re.compile(r"(?:(?<!<!)--|#)[^\n]*+\n?")
_WORD: Final = re.compile(
    r"\b(?:union|select|x?or|and|having|insert|update|delete|drop|order|group|limit|where|like)\b",
    re.IGNORECASE,
)
MAX_COMMENTED_CHARS: Final = 65_536
"""The longest text in which comments are looked for: no database is asked with a longer one."""


def without_line_comments(text: str) -> str | None:
    """Return a text without its comments to the end of a line; ``None`` if it has none, or is too
    long for a statement without them.

    Between the words of an injection they are blanks to a database, and keep the words apart here.
    """
    if (
        "\n" not in text
        or len(text) > MAX_COMMENTED_CHARS
        or ("--" not in text and "#" not in text)
    ):
        return None
    rest = _LINE_COMMENT.sub(lambda match: " " if match[0][-1] == "\n" else match[0], text)
    if len(rest) > MAX_INJECTED_CHARS or len(rest) == len(text) or _WORD.search(rest) is None:
        return None
    return rest


def _ends_name(quote: str, before: str, after: str) -> bool:
    return (
        quote == "'"
        and after[:1] == " "
        and "`" not in before
        and 0 < len(before) <= MAX_NAME_CHARS
        and _PLURAL.search(before) is None
    )


def _comment_in(text: str, at: int) -> int:
    """Return where the first comment's mark ends, outside of the strings that begin at a place; -1
    if there is none."""
    for token in _TOKEN.finditer(text, at):
        if token[1] is not None:
            return token.end()
    return -1
