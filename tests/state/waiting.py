"""How long something waited, on a machine that is busy with other things."""

from __future__ import annotations

import time
from pathlib import Path


def clock() -> float:
    """Monotonic seconds, without those in which this thread could have run and another one did.

    Bounds on waiting for a store are no bounds on waiting for a processor. Linux tells them
    apart; elsewhere these are plain seconds.
    """
    now = time.monotonic()
    try:
        queued = Path("/proc/thread-self/schedstat").read_text().split()[1]
    except OSError:
        return now
    return now - int(queued) / 1e9
