"""A user's own patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from guard_wsgi.detection.finding import CUSTOM
from guard_wsgi.detection.scanning.scanner import Scanner

# A pattern with anchors may match a value without matching the request that carries it.
_ANCHOR = re.compile(r"(?<!\\)(?:\^|\$|\\[AZzbB])")


@frozen
class CustomPattern:
    """A user's pattern: every match is a finding, in any place."""

    name: str
    pattern: str
    category: str = CUSTOM


def with_custom(
    matches: Callable[[bytes], bool], scanner: Scanner, patterns: Iterable[CustomPattern]
) -> Callable[[bytes], bool]:
    """A first pass that includes a user's own patterns. JSON escapes quotes, slashes and non-ASCII
    characters with backslashes, so it needs its own first pass."""
    anchored = any(_ANCHOR.search(one.pattern) for one in patterns)
    return lambda data: matches(data) or anchored or b"\\" in data or scanner.any(data)


def matching_each(matches: Callable[[bytes], bool]) -> Callable[[Sequence[bytes]], list[int]]:
    """Which of several texts match such a first pass."""
    return lambda texts: [index for index, text in enumerate(texts) if matches(text)]
