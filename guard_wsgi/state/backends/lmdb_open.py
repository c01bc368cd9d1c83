"""Opens LMDB files, each once per process."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import lmdb

from guard_wsgi.state.backends.lmdb_counts import allocate
from guard_wsgi.state.fork_pauses import renew_after_fork

log = logging.getLogger("guard_wsgi.state")


class OpenFiles:
    """The files that this process has open, by path: LMDB allows opening a file only once."""

    def __init__(self) -> None:
        self.by_path: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self.lock = threading.Lock()
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        self.lock = threading.Lock()


def closed(*_: Any) -> Any:
    """Stands for the function that begins a transaction while the file is closed."""
    raise lmdb.Error("closed")


MAX_READERS = 1024
"""Slots for threads that read at the same moment, over all processes; LMDB's 126 is 16 workers
of 8 threads."""

_LOCK_FILE_BYTES = 64 * (MAX_READERS + 64)
"""One cache line per reader, and more than LMDB needs besides."""


def open_environment(path: Path, fd: int, map_bytes: int) -> Any:
    """Open the file, and reserve disk space for all of it.

    Both files are written through maps, and a write without space would kill the process. LMDB
    itself only extends the files without reserving space.

    :param fd: the descriptor of the file.
    :raises OSError: if the disk is full.
    :raises lmdb.Error: if LMDB can't open it.
    """
    lock_fd = os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if os.fstat(lock_fd).st_size < _LOCK_FILE_BYTES:
            allocate(lock_fd, _LOCK_FILE_BYTES)
    finally:
        os.close(lock_fd)
    environment = lmdb.open(
        str(path),
        map_size=map_bytes,
        subdir=False,
        sync=False,
        metasync=False,
        writemap=True,
        meminit=False,
        readahead=False,
        max_readers=MAX_READERS,
        mode=0o600,
    )
    try:
        allocate(fd, map_bytes)
    except OSError:
        environment.close()
        raise
    return environment


def log_new(path: Path) -> None:
    """Log that this process has created a store. It is a warning, because a mistyped path creates
    one as well, and because a container that loses its disk begins each time without bans."""
    log.warning(
        "created a new store at %s: it has no bans and no counts yet",
        path,
        extra={"path": str(path)},
    )
