"""The context of the evidence in a value: its place, name, size and kind of text."""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.language.prose import are_words, function_words
from guard_wsgi.detection.relaxations.field_names import (
    FILTER_RANGE,
    is_filter,
    is_whole,
    name_features,
)
from guard_wsgi.detection.scoring.window import Window
from guard_wsgi.detection.value import KEPT, STORED, Value

# A complete query in a language that APIs and tracers carry. An injection begins or ends in the
# middle of a query.
STATEMENT = re.compile(
    r"\s*(?:select|update|insert\s+into|delete\s+from|with|from)\s", re.IGNORECASE
)
# The same in a log line: nothing before it ends a string, and it comes after a colon or a bracket,
# where no statement continues.
LOGGED_STATEMENT = re.compile(
    r"[^'\"`;]{1,200}[:\])](?: # Query_time[^'\"`;]{1,80})?"
    r"\s+(?:select|update|insert\s+into|delete\s+from)\s",
    re.IGNORECASE,
)
_NOT_STATEMENT = re.compile(
    r"--|/\*|#|;\s*\S|\bunion\b|\bsleep\b|benchmark|_schema\b|\bpg_|\bsys\w*\.|@@|0x|\bcha?r\s*\(|\bconcat"
    r"|\b(?:where|and|or|by|from|limit)\s*$|\b(\d+)\s*=\s*\1\b|\binto\s+(?:out|dump)file|\bexec",
    re.IGNORECASE,
)
HTML_TEXT = re.compile(
    r"<(?:p|div|span|h[1-6]|ul|li|table|td|br|font|center|b|strong|em)\b[^<>]*>", re.IGNORECASE
)


_CODE_SPAN = re.compile(r"```.*?(?:```|$)|`[^`]{2,400}`", re.DOTALL)
_THREE_WORDS = re.compile(r"\b(?:[^\W\d_]{2,}\W+){2}[^\W\d_]{2,}")
_EXCEPTION = re.compile(r"[\w.$]{1,100}(?:Exception|Error)")
_EXCEPTIONS: Final = ("Exception", "Error")
_REMOTE = re.compile(r"\s*(?:https?|ftps?):/{0,2}[\w.\[]", re.IGNORECASE)


_STORED: Final = frozenset({STORED, KEPT})


class Surroundings:
    """The context of a whole value, which each of its windows has. It is computed once, on
    demand."""

    __slots__ = ("_features", "_value")

    def __init__(self, value: Value) -> None:
        self._value = value
        self._features: list[str] | None = None

    def features(self) -> list[str]:
        if self._features is None:
            self._features = _surroundings(self._value)
        return self._features


def _is_statement(text: str) -> bool:
    quotes = text.count("'"), text.count('"')
    return not (quotes[0] % 2 or quotes[1] % 2 or _NOT_STATEMENT.search(text))


def _surroundings(value: Value) -> list[str]:
    """Return the place and the kind of a value: an attack in one place is data in another."""
    text = value.text
    found = ["at:" + value.location]
    if value.kind:
        found.append("kind:path" if value.kind in _STORED else "kind:" + value.kind)
    found += name_features(value.name)
    # One word under this name is a country's, a coupon's or an OAuth server's code.
    if value.name.lower() == "code" and len(text.split(None, 1)) > 1:
        found.append("name:command")
    if _REMOTE.match(text):
        found.append("value:url")
        if "name:include" in found and value.location in ("query", "form", "cookie"):
            found.append("file.remote_include")
    if "$" in text and is_filter(value.name) and FILTER_RANGE.search(text) and not is_whole(value):
        found.append("text:filter")
    found += _document(text)
    found.append(size_feature(len(text)))
    return found


WRITING: Final = frozenset(
    {
        *("text:document", "text:source", "text:code", "text:prose", "text:html", "text:statement"),
        *("text:after_words", "text:before_words", "text:lines", "name:text", "name:code"),
    }
)
"""Features of texts that people write: sentences, programs, documents, and fields for them."""

# The beginning of a long text shows its kind.
_DOCUMENT_CHARS: Final = 8000
_LINES: Final = 4
# A line of a program: a comment, an indented line, a line that begins or ends like a statement. A
# line of a diff, unless it may be an item of a list.
_CODE_LINE = re.compile(
    r"\s*(?:#|//|/?\*|--|@|\$ |>>> |[+-](?! [^\W_])|\$[\w:.]+ ?[+.]?= )|(?:\t| {2,})\S"
    r"|.*[;{}(\[,:\\>)=]\s*$"
    r"|(?:def|class|import|from|return|if|else|elif|for|while|try|const|let|var|function|public|private"
    r"|static|void|int|select|where|join|and|or|order|group|insert|update|delete|create|alter|drop|echo"
    r"|export|sudo|cd|pip|npm|git|docker|apt|curl)\b",
    re.IGNORECASE,
)


def _document(text: str) -> list[str]:
    """Return the kind of a text with many lines or sentences."""
    found: list[str] = []
    head = text[:_DOCUMENT_CHARS]
    if len(head) > 200 and function_words(head) > 4:
        found.append("text:document")
    if head.count("\n") >= _LINES:
        found.append("text:lines")
        if is_source(head):
            found.append("text:source")
    if "`" in head:
        outside, spans = _CODE_SPAN.subn(" ", head)
        if spans and _THREE_WORDS.search(outside):
            found.append("text:code")
    return found


def is_source(text: str, more_than: int = _LINES) -> bool:
    """Whether most lines of a text are lines of a program, and more than a few."""
    lines = [line for line in text[:_DOCUMENT_CHARS].splitlines() if line.strip()]
    code = sum(1 for line in lines if _CODE_LINE.match(line))
    return len(lines) > more_than and code * 2 > len(lines)


# A statement of a program: prose and lists have no such line.
_STATEMENT_LINE = re.compile(
    r".*[;{}(\[\\]\s*$|[ \t]*(?:\$?[\w.\[\]]{1,60} ?[-+.|]?= ?\S|[})\]]|[\w.]{1,60}\(.*\)\s*$)"
    r"|\s*(?:def|class|import|from|return|elif|for|while|const|let|var|function|public|private"
    r"|static|#include|#define|echo|export)\s.*[\w)'\"]|\$ErrorAction|\w+-\w+ -\w"
)


def is_program(text: str, more_than: int) -> bool:
    """Whether most lines of a text are statements of a program, and more than ``least``."""
    lines = [line for line in text[:_DOCUMENT_CHARS].splitlines() if line.strip()]
    statements = sum(1 for line in lines if _STATEMENT_LINE.match(line))
    return statements > more_than and statements * 2 > len(lines)


def window_context(window: Window) -> list[str]:
    """Return the context of the evidence in a window."""
    text = window.text
    found: list[str] = []
    is_query = STATEMENT.match(text) or LOGGED_STATEMENT.match(text)
    if window.starts and is_query and _is_statement(text):
        found.append("text:statement")
    if "<" in text and len(HTML_TEXT.findall(text)) > 3:
        found.append("text:html")
    if text.endswith(_EXCEPTIONS) and window.starts and window.ends and _EXCEPTION.fullmatch(text):
        found.append("text:exception")
    if len(text) > 24 and function_words(text) > 1:
        found.append("text:prose")
    words = text.split()
    if are_words(words[:2]):
        found.append("text:after_words")
    if are_words(words[-2:]):
        found.append("text:before_words")
    return found


CONTEXT: Final = frozenset(
    {
        *("text:statement", "text:html", "text:exception", "text:prose", "text:after_words"),
        *("text:before_words", "encoding.rounds>1", "encoding.base64_text", "text:part"),
    }
)
"""The features that `Reading.add_context` may add to a window, besides its size."""
SIZES: Final = frozenset({"size:S", "size:M", "size:L", "size:XL"})


def size_feature(chars: int) -> str:
    """Return the feature of a text's length."""
    return "size:" + ("S" if chars < 16 else "M" if chars < 80 else "L" if chars < 400 else "XL")
