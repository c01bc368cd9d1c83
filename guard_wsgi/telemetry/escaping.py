"""Escapes an attacker's text for a log line.

Line feeds forge log lines (CWE-117), escape sequences control terminals, and bidirectional marks
change what a reader sees. All of them are written as escapes.
"""

from __future__ import annotations

MAX_LOGGED_CHARS = 200
"""The length of a text in a log line: enough to recognise an attack, not to store it."""


def escape(text: str, max_chars: int = MAX_LOGGED_CHARS) -> str:
    """Return printable text of at most ``max_chars`` characters, and ``…`` if there was more."""
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
