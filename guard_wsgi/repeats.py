"""What repeats is reported less and less often."""

from __future__ import annotations


def is_reported(count: int) -> bool:
    """Whether to report the ``count``-th of a kind: the first, then every power of two.

    A storm of a thousand makes ten log lines.
    """
    return count & (count - 1) == 0
