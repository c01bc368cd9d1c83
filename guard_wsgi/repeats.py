"""Repeated events are reported less and less often."""

from __future__ import annotations


def is_reported(count: int) -> bool:
    """Whether to report the ``count``-th event of a kind: the first, then every power of two.

    A thousand events make ten log lines.
    """
    return count & (count - 1) == 0


def times(count: int) -> str:
    """Return a count for a log line: ``once``, ``2 times``."""
    return "once" if count == 1 else f"{count} times"
