"""The progress of long work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define

from guard_wsgi_flask.console.database import now

MAX_KEPT = 10
"""How many pieces of work a page lists: the latest."""


@define(slots=True)
class Task:
    """:ivar done: how many items are done.

    :ivar total: about how many there are; ``None`` if it is not known.
    :ivar began: with ``ended``, microseconds since the epoch; 0 while it runs.
    """

    what: str
    who: str
    total: int | None
    done: int = 0
    began: int = 0
    ended: int = 0
    is_whole: bool = False


class Work:
    """The running and the latest work of this process."""

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque(maxlen=MAX_KEPT)
        self._lock = threading.Lock()

    @contextmanager
    def task(self, what: str, who: str, total: int | None = None) -> Iterator[Task]:
        """Start a piece of work; its owner counts ``done``."""
        task = Task(what, who, total, began=now())
        with self._lock:
            self._tasks.appendleft(task)
        try:
            yield task
            task.is_whole = True
        finally:
            task.ended = now()

    def latest(self) -> list[Task]:
        """Return the work, the newest first."""
        with self._lock:
            return list(self._tasks)
