"""Raw e-mails (RFC 5322) in the fields of services that deliver them by webhook.

A mail consists of header lines, which are an injection in any other value. An app with a field of
one of these names parses its value as an e-mail. So the standard library's parser splits it here,
too, and each piece is weighed: fields of the header without their line ends, texts, and what
precedes and follows the parts. Attachments are contents of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from email.policy import Policy, compat32
from functools import partial
from typing import Any, Final

from attrs import define, evolve

from guard_wsgi.detection.formats.files import is_binary
from guard_wsgi.detection.value import CONTENT, MAIL, PLACE, Budget, Value, to_text

# Mailgun (routes with "mime" in their address) and Postmark ("Include raw email content").
_FIELDS: Final = frozenset({"body-mime", "RawEmail"})
# Amazon SES sends an e-mail to a topic of SNS. The message of its notification is a document in a
# text.
_NOTIFICATION: Final = "Message"
_NOTIFIED_FIELD: Final = "content"
_BEGINNING: Final = re.compile(r"\s*(?:From [^\r\n]{1,200}\r?\n)?[!-9;-~]{1,76}:[ \t\r\n]")
# The parts of Message-ID, References and In-Reply-To: names that nobody resolves.
_IDENTIFIERS: Final = re.compile(r"(?:<[\w.+$=!#%&-]{1,200}@[\w.-]{1,200}> ?){1,100}")
_KNOWN: Final = frozenset(
    {
        *("from", "to", "subject", "date", "message-id", "mime-version", "received", "return-path"),
        *("content-type", "delivered-to", "sender", "reply-to"),
    }
)
_FEWEST_KNOWN: Final = 2
"""How many known fields a header has: every mail has a date and a sender (RFC 5322, 3.6)."""
MAX_NAME_CHARS: Final = 100  # as in form.py
PARSED_CHARS: Final = 8
"""How many characters are parsed for the price of weighing one (value.Budget)."""
LINE_CHARS: Final = 2
PART_CHARS: Final = 24
BOUNDARY_CHARS: Final = 500
"""The cost of a short line, of a part, and of a boundary, which the parser compiles."""
COMPARED_EACH: Final = 4
"""Comparing each line with the boundaries of one more level costs one for so many lines."""
MAX_LEVELS: Final = 32
"""How deep parts may nest. Each mail that forwards another one adds two or three levels."""


def is_notification(value: Value) -> bool:
    """Whether a value is the document in a notification of Amazon SNS."""
    return value.location == "json" and value.name == _NOTIFICATION


def kind_of_notified(name: str, text: str) -> str:
    """Return the kind of a string in what Amazon SES notifies of: MAIL or ""."""
    return MAIL if name == _NOTIFIED_FIELD and _BEGINNING.match(text) else ""


def mail_values(value: Value, budget: Budget) -> Iterator[Value] | None:
    """Return the values in a mail; None if the field is not one for mails, or the text is none."""
    if value.kind != MAIL and value.name not in _FIELDS:
        return None
    if not _BEGINNING.match(value.text):
        return None
    lines = value.text.count("\n")
    budget.take_chars(max(len(value.text) // PARSED_CHARS, lines * LINE_CHARS))
    mail = message_from_string(value.text.lstrip(), partial(_Part, _Work(budget, lines)))
    if len(_KNOWN.intersection(name.lower() for name in mail)) < _FEWEST_KNOWN:
        return None
    return _pieces(value, mail, budget)


@define
class _Work:
    """What parsing one mail costs: the parser compares each line with the boundaries of all levels
    around it."""

    budget: Budget
    lines: int
    levels: int = 0

    def enter(self, level: int, is_first: bool) -> None:
        """Charge a part, and what the first one of a level or of its parent costs in addition.

        :raises ValueError: if it is too deep to be read.
        """
        self.budget.take_chars(PART_CHARS + BOUNDARY_CHARS * is_first)
        if level > self.levels:
            if level > MAX_LEVELS:
                raise ValueError("parts of a mail nest too deep")
            self.levels = level
            self.budget.take_chars(self.lines // COMPARED_EACH)


class _Part(Message):
    """A part of a mail, which is charged when the parser begins with it."""

    def __init__(self, work: _Work, policy: Policy = compat32) -> None:
        super().__init__(policy)
        self._work = work
        self._level = 0
        self._has_parts = False

    def attach(self, payload: Any) -> None:
        is_first = not self._has_parts and self.get_content_maintype() == "multipart"
        self._has_parts = True
        payload._level = self._level + 1
        self._work.enter(payload._level, is_first)
        super().attach(payload)


def _pieces(value: Value, mail: Message, budget: Budget) -> Iterator[Value]:
    def piece(name: str, text: str, kind: str = "") -> Value:
        budget.take_value()
        return evolve(value, name=f"{value.name}>{name}"[:MAX_NAME_CHARS], text=text, kind=kind)

    for part in mail.walk():
        for name, text in part.items():
            line = " ".join(str(text).split())
            yield piece(name.lower(), line, PLACE if _IDENTIFIERS.fullmatch(line) else "")
        for around in (part.preamble, part.epilogue):
            if around and around.strip():
                yield piece("text", around)
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or not content.strip():
            continue
        if part.get_content_maintype() == "text" and not part.get_filename():
            charset = part.get_content_charset("utf-8")
            yield piece(part.get_content_subtype(), _text(content, charset))
        elif not is_binary(content):
            yield piece("attachment", to_text(content)[0], CONTENT)


def _text(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset)
    except (LookupError, ValueError):
        return to_text(content)[0]
