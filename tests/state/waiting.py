"""Measures waiting on a machine that is busy with other work."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path


def clock() -> float:
    """Return monotonic seconds, without those in which this thread could have run and another
    thread did.

    Limits for waiting for a store are no limits for waiting for a processor. Linux distinguishes
    them; elsewhere these are plain seconds.
    """
    now = time.monotonic()
    try:
        queued = Path("/proc/thread-self/schedstat").read_text().split()[1]
    except OSError:
        return now
    return now - int(queued) / 1e9


HANG_SECONDS = 2.0
"""No timeout of the store's is as long, and no busy machine has held up a request for it."""


def assert_bounded(took: Iterable[float], bound: float, *, together: int = 1) -> None:
    """Requests wait no longer than the bound, and none for as long as a missing timeout takes.

    One in ten, at least one, may be late: a thread also waits for the interpreter's lock, and for
    that the kernel has no figure.

    :param together: how many requests run at a time. What holds up the process holds them up all.
    """
    ordered = sorted(took)
    late = [seconds for seconds in ordered if seconds >= bound]
    assert len(late) <= max(together, len(ordered) // 10), late
    assert ordered[-1] < HANG_SECONDS
