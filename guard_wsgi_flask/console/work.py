"""Work that takes a while, and how far it has come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define

from guard_wsgi_flask.console.database import now

MAX_KEPT = 10
"""Pieces of work that a page lists: the latest."""


@define(slots=True)
class Task:
    """:ivar done: how many of what it is about.
    :ivar total: about how many there are, ``None`` when nobody knows.
    :ivar began: and ``ended``: microseconds since the epoch; 0 while it goes on.
    """

    what: str
    who: str
    total: int | None
    done: int = 0
    began: int = 0
    ended: int = 0
    is_whole: bool = False


class Work:
    """What this process is at, and what it did last."""

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque(maxlen=MAX_KEPT)
        self._lock = threading.Lock()

    @contextmanager
    def task(self, what: str, who: str, total: int | None = None) -> Iterator[Task]:
        """A piece of work; who does it counts ``done``."""
        task = Task(what, who, total, began=now())
        with self._lock:
            self._tasks.appendleft(task)
        try:
            yield task
            task.is_whole = True
        finally:
            task.ended = now()

    def latest(self) -> list[Task]:
        """The newest first."""
        with self._lock:
            return list(self._tasks)
