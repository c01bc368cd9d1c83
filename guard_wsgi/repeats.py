"""Repeated events are reported less and less often."""

from __future__ import annotations


def is_reported(count: int) -> bool:
    """Whether to report the ``count``-th event of a kind: the first, then every power of two.

    A thousand events make ten log lines.
    """
    return count & (count - 1) == 0
