"""Heads of mails and of HTTP messages that people paste into a field for texts.

An injection of a header continues the one line of an address, a subject or a location. A field for
texts has many lines by nature: an app that put it into a header would break with every customer.
So the lines of a head are idle there, if the text begins with a whole head, or with a sentence and
then a blank line or a colon. A lone header behind a short value is still weighed.
"""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.relaxations.breakout import leading
from guard_wsgi.detection.value import Value

# Fields of many lines, by the app's own name.
_PARAGRAPHS: Final = frozenset(
    {
        *(
            "text",
            "content",
            "body",
            "comment",
            "comments",
            "message",
            "msg",
            "description",
            "desc",
        ),
        *("note", "notes", "review", "question", "answer", "reply", "details", "feedback", "issue"),
    }
)
_NAME_WORDS: Final = re.compile(r"[^\W_]+")
_FIELD: Final = r"[A-Za-z][A-Za-z0-9-]{1,40}:(?:[ \t][^\r\n]*)?(?:\r?\n[ \t]+\S[^\r\n]*)*"
_HEAD: Final = rf"(?:HTTP/[123](?:\.[01])? \d{{3}}[^\r\n]*|{_FIELD})(?:\r?\n{_FIELD}){{2,60}}"
_AT_START: Final = re.compile(rf"{_HEAD}(?=\r?\n\r?\n|\s*$)")
_AFTER_TEXT: Final = re.compile(rf"(?:\n\r?\n|:[ \t]*\r?\n){_HEAD}(?=\r?\n|\s*$)")
# Line ends that a decoder would make, and commands for a mail server.
_UNSAFE: Final = re.compile(
    r"%(?:25)*0[ad]|\\[rn]|%u000|^\.\r?$|^(?:rcpt to|mail from|ehlo|helo)\b",
    re.IGNORECASE | re.MULTILINE,
)
IN_HEADS: Final = frozenset(
    {
        *("protocol.response_header", "protocol.header_field", "protocol.line_break_markup"),
        *("protocol.line_and_field", "protocol.header_name_any", "protocol.status_line"),
        *("protocol.response_line", "protocol.mail_header", "protocol.mail_field"),
        *("protocol.mail_line", "xss.cookie_set", "code.session_fixation"),
    }
)
"""The indicators of lines of a head."""


def is_for_paragraphs(value: Value) -> bool:
    """Whether a value is in a field of a body for texts of many lines."""
    if value.location not in ("form", "json", "multipart") or ">" in value.name:
        return False
    return not _PARAGRAPHS.isdisjoint(_NAME_WORDS.findall(value.name.lower())[-1:])


def has_pasted_head(value: Value) -> bool:
    """Whether a text for many lines has a whole head, before which nothing or a sentence is."""
    text = value.text
    if "\n" not in text or not is_for_paragraphs(value) or _UNSAFE.search(text) is not None:
        return False
    if _AT_START.match(text.lstrip()) is not None and text[:1] not in "\r\n":
        return True
    return leading(text).is_sentence and _AFTER_TEXT.search(text) is not None
