"""Forms of the package's patterns for a backtracking search, which take the same texts.

Hyperscan reads a pattern with two repetitions of blanks around an optional bracket in linear time;
`re` tries each way to divide the blanks between them.
"""

from __future__ import annotations

import re
from typing import Final

# Blanks, an optional sign that is none, blanks: with the sign's blanks in its own group, there is
# one way to read blanks alone.
_SIGN: Final = r"(?:\\[().;|&/\"'`]|['\";,|&]|\[(?:\\['\"`)(]|[^\]\\s\^])+\])"
_AROUND: Final = re.compile(rf"(?<!\\)\\s\*({_SIGN})([*?])\\s\*(?![+?*])")
_REPEATED: Final = {"*": "+", "?": ""}


def for_backtracking(pattern: str) -> str:
    r"""Return the pattern with ``\s*\)*\s*`` as ``\s*(?:\)+\s*)?``."""
    while (last := _last(pattern)) is not None:
        begin, end = last.span()
        inner = rf"\s*(?:{last[1]}{_REPEATED[last[2]]}\s*)?"
        pattern = pattern[:begin] + inner + pattern[end:]
    return pattern


def _last(pattern: str) -> re.Match[str] | None:
    """The last such place: what follows it has one reading already."""
    found = None
    at = 0
    while (match := _AROUND.search(pattern, at)) is not None:
        found, at = match, match.start() + 1
    return found
