"""Opening LMDB files, each once a process."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import lmdb

from guard_wsgi.state.backends.lmdb_counts import allocate
from guard_wsgi.state.forking import renew_after_fork


class OpenFiles:
    """What this process has open, by path: LMDB allows a file to be opened once."""

    def __init__(self) -> None:
        self.by_path: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self.lock = threading.Lock()
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        self.lock = threading.Lock()


def closed(*_: Any) -> Any:
    """What begins a transaction while the file is closed."""
    raise lmdb.Error("closed")


MAX_READERS = 1024
"""Slots for threads that read at the same moment, over all processes; LMDB's 126 is 16 workers
of 8 threads."""

_LOCK_FILE_BYTES = 64 * (MAX_READERS + 64)
"""A cache line a reader, and more than LMDB wants beside them."""


def open_environment(path: Path, fd: int, map_bytes: int) -> Any:
    """Open the file, with room on the disk for all of it.

    Both files are written through maps, and a write that finds no room kills the process; so none
    is done before there is room. LMDB itself only makes the files long.

    :param fd: of the file.
    :raises OSError: when there is no room.
    :raises lmdb.Error: when LMDB can't open it.
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
