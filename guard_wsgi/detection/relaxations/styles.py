# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
"""Fragments of style sheets that do nothing but name files of the site, states and values.

Theme editors and editors of code take style sheets (CSS, Sass, Tailwind). A file beside the style
sheet is the site's own. An address of another site, a scheme and a file of the system keep their
weight.
"""

from __future__ import annotations

import re
from typing import Final

_FILE: Final = r"(?!(?:[./]*|[^\"'\n]*/)(?:(?:etc|proc|sys|var|dev|root|home|boot|windows|winnt|passwd|shadow|hosts)\b|\.\w))(?:~@?|(?:\.{1,2}/){1,8})?@?[\w-]+(?:(?:/@?|\.)[\w-]+){0,12}"
_FONTS: Final = r"https://fonts\.googleapis\.com/css2?\?[\w=:@;&,+|.-]{1,400}"
_IMPORT: Final = re.compile(
    rf"@(?:import|use|forward|plugin|reference|config) (?:url\()?(?:\"(?:{_FILE}|{_FONTS})\"|'(?:{_FILE}|{_FONTS})')\)?(?=\s*;)"
)
# A variant of Tailwind: which elements it applies to.
_VARIANT: Final = re.compile(
    r"@custom-variant [\w-]{1,40} \(&:(?:is|where)\([.\w\[\]=, *-]{1,80}\)\)(?=\s*;)"
)
# Sass puts the value of a variable, or of a function of variables and names, into a property.
_VALUE: Final = re.compile(
    r"#\{(?:\$[a-z][\w-]{0,60}|(?:theme|inspect|map-get|math\.div|percentage|darken|lighten|rgba?)\((?:\$[\w-]{1,60}|'[\w.-]{1,60}'|[\d.%]{1,8})(?:, ?(?:\$[\w-]{1,60}|'[\w.-]{1,60}'|[\d.%]{1,8})){0,4}\))\}"
)
# A title between lines of slashes. A host has no blank before or within it.
_TITLE: Final = re.compile(
    r"(?m)(?:^/{2,}[ \t]*\r?\n)?^// [A-Za-z][\w ,&-]{0,60}\r?\n/{2,}[ \t]*(?=\r?$|\r?\n)"
)

HINTS: Final = ("@import ", "@use ", "@forward ", "@plugin ", "@custom-variant ")
"""Every text with a fragment of one line contains one of these, or a brace."""


def without_styles(text: str) -> str:
    """Replace the harmless fragments of a style sheet with words."""
    if "@" in text:
        text = _VARIANT.sub("variant", _IMPORT.sub("style", text))
    if "#{" in text:
        text = _VALUE.sub("value", text)
    if "\n//" in text:
        text = _TITLE.sub("title", text)
    return text
