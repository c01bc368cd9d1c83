"""The part of a text that a database, a shell or a script runs, if an app puts the text into a
program.

The words around an injection become a string, a comment or arguments there. So this part is also
weighed by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import evolve

from guard_wsgi.detection.decoding.commands import injected_command
from guard_wsgi.detection.decoding.statements import (
    MAX_COMMENTED_CHARS,
    injected_statement,
    without_line_comments,
)
from guard_wsgi.detection.relaxations.field_names import name_features
from guard_wsgi.detection.relaxations.grammars import is_titled
from guard_wsgi.detection.value import Budget, Value

MAX_SENTENCE_CHARS: Final = 4096
"""A longer text is a document, of which windows are weighed."""
# Features of names of fields in which people write about commands. Inside a document, programs do.
_ABOUT_COMMANDS: Final = frozenset({"name:text", "name:code"})
_FOR_A_LINE: Final = frozenset({"name:line", "name:number"})
_INSIDE: Final = (".", "[", ">")
# Operators that join a text to the text before or after it.
_OPERATED: Final = re.compile(
    r"\s*(?:[-+*/%|&,;^>=?:.)\]}!]\s*[\w$!~({\[]|<\s*[\d(]"
    r"|(?:or|and|xor|union|in|is|not|like|between|having|collate)\b)"
    r".*(?:[-+*/%|&,;^<>=?:(\[{]|\b(?:or|and|xor|like|in|is|not)|//[^\n]*|--\s?|#)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)


# What begins a comment or separates commands. Optimization: most values have none.
_MARK: Final = re.compile(r"--|/\*|[#;|&]")
SEARCH_CHARS: Final = 8
SEARCH_EACH: Final = 16
"""The cost of a search, in units of a budget: for any text, and one more for this many of its
characters."""


# A closed block of code, which people put into questions (CommonMark 4.5).
_FENCED: Final = re.compile(r"^ {0,3}```[^`\n]*\n(?:.*\n)*? {0,3}```\s*$", re.MULTILINE)
# A block of Markdown ("/// note"), or a comment of a program.
_BLOCK: Final = re.compile(r"(?:///|//|#|--) [\w .,-]*\Z")
MAX_LINED_CHARS: Final = 1024
"""The longest text of which to weigh the lines by themselves. A longer one is a document, of which
windows are weighed."""
MIN_LINE_CHARS: Final = 4
"""A shorter line is no attack."""


def without_sentence(value: Value, budget: Budget) -> Iterable[Value]:
    """Return the rest of a value without the words around it; nothing for most values."""
    if len(value.text) > MAX_COMMENTED_CHARS:
        return ()
    lines = _lines(value) if "\n" in value.text else ()
    if not lines and _MARK.search(value.text) is None:
        return ()
    budget.take_chars(SEARCH_CHARS + len(value.text) // SEARCH_EACH)
    return [evolve(value, text=text) for text in (*lines, *_injected(value))]


def _lines(value: Value) -> Iterable[str]:
    """Return the lines of a text in a field for one line, each by itself.

    A stack trace or a program beside an attack says that the text is quoted. In such a field nobody
    quotes any, and the app reads the attack all the same.
    """
    name = value.name
    if (
        len(value.text) > MAX_LINED_CHARS
        or any(mark in name for mark in _INSIDE)
        or _FOR_A_LINE.isdisjoint(features := name_features(name))
        or not _ABOUT_COMMANDS.isdisjoint(features)
    ):
        return ()
    lines = [line.strip() for line in _FENCED.sub("\n", value.text).splitlines()]
    return [line for line in lines if len(line) >= MIN_LINE_CHARS and not _BLOCK.match(line)]


def _injected(value: Value) -> Iterator[str]:
    text = value.text
    bare = without_line_comments(text)
    if bare is not None:
        yield bare
    if len(text) > MAX_SENTENCE_CHARS:
        return
    statement = injected_statement(text)
    if statement is not None and not is_titled(value):
        yield statement
    name = value.name
    if (
        " " in text
        and "\n" not in text
        and not any(mark in name for mark in _INSIDE)
        and _ABOUT_COMMANDS.isdisjoint(name_features(name))
    ):
        command = injected_command(text)
        if command is not None:
            yield command


def with_quotes(value: Value) -> Iterable[Value]:
    """Return a text of a document with the document's own quotes, if it begins and ends with what
    joins texts.

    Where an app puts the document into a string of a script or of a statement, these quotes end
    that string.
    """
    if _OPERATED.match(value.text) is None:
        return ()
    return (evolve(value, text=f'"{value.text}"'),)
