"""Text that an attacker wrote, made fit for a line of a log.

Line feeds forge log lines (CWE-117), escape sequences drive terminals, and bidirectional marks
show a reader something other than what is there; all of them are written as escapes.
"""

from __future__ import annotations

MAX_LOGGED_CHARS = 200
"""A log line is for reading: enough to recognise an attack, not to keep it."""


def escape(text: str, max_chars: int = MAX_LOGGED_CHARS) -> str:
    """Printable text of at most ``max_chars`` characters, and ``…`` when there was more."""
    if len(text) <= max_chars and text.isprintable():
        return text
    cut = text if len(text) <= max_chars else text[:max_chars]
    if not cut.isprintable():
        cut = "".join(
            character
            if character.isprintable()
            else character.encode("unicode_escape").decode("ascii")
            for character in cut
        )
    return cut if len(text) <= max_chars else cut + "…"
