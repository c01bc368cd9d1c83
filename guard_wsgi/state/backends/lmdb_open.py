"""Which LMDB files this process has open."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakValueDictionary

import lmdb

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
