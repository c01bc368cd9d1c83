"""One process at a time opens, grows or replaces an LMDB file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from guard_wsgi.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows: one process a file; there is no pre-forking server to share it
    fcntl = None  # type: ignore[assignment]

_LOCK_SECONDS = 5.0


@contextmanager
def exclusive(fd: int, path: Path) -> Iterator[None]:
    """Prevent other processes from opening, growing or replacing the file meanwhile.

    It locks the data file; LMDB's own locks are on the file beside it.
    """
    if fcntl is not None:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreError(f"state file {path} is locked by another process") from None
                time.sleep(0.005)
    yield  # closing the descriptor unlocks
