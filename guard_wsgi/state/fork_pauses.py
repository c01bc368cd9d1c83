"""Stores over a fork.

A lock that another thread holds at a fork stays held in the child forever, so the child replaces
it and never acquires it (`guard_wsgi.forks`). A file with a running transaction can't even be
closed in the child, and we can't replace the locks of a client's library. Such an object pauses
during the fork.

One set of hooks serves all objects (hooks can't be removed, so one per object would leak), and it
keeps none of them alive.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakSet

from guard_wsgi.forks import ForkAware
from guard_wsgi.forks import track as renew_after_fork

__all__ = ["ForkAware", "Pausable", "RunningCalls", "pause_during_fork", "renew_after_fork"]


class Pausable(ForkAware, Protocol):
    """An object that must pause while the process forks."""

    def before_fork(self) -> None:
        """Finish running work and start nothing new. It must return soon."""
        ...

    def after_fork_in_parent(self) -> None:
        """Continue."""
        ...


class RunningCalls:
    """Calls into a library whose locks we can't replace: none runs during a fork.

    When redis-py 8 notices in the child that it was forked, it takes a lock of its pool, which
    another thread of the parent may have held. Python's import locks (``encodings.idna`` with the
    first connection) stay held in the same way.
    """

    def __init__(self, longest_seconds: float) -> None:
        """:param longest_seconds: the longest wait for a running call."""
        self._longest_seconds = longest_seconds
        self._count = 0
        self._forks = 0
        self._changed = threading.Condition()  # reentrant, as a signal handler may interrupt
        pause_during_fork(self)

    def begin(self) -> None:
        """Begin a call; during a fork, wait for its end."""
        with self._changed:
            while self._forks:
                self._changed.wait()
            self._count += 1

    def end(self) -> None:
        with self._changed:
            if self._count:  # none, when this very call has forked and is in the child now
                self._count -= 1
            if self._forks:
                self._changed.notify_all()

    def before_fork(self) -> None:
        with self._changed:
            self._forks += 1
            self._changed.wait_for(self._is_quiet, self._longest_seconds)

    def after_fork_in_parent(self) -> None:
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()

    def after_fork_in_child(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._forks = 0

    def _is_quiet(self) -> bool:
        return self._count == 0


_still: WeakSet[Pausable] = WeakSet()


class _Stopped(threading.local):
    """The objects that the calling thread has paused: two threads may fork at once."""

    def __init__(self) -> None:
        self.objects: list[Pausable] = []


_stopped = _Stopped()


def pause_during_fork(still: Pausable) -> None:
    """Call all three methods around every fork from now on.

    A fork in C only calls the child's method.
    """
    _still.add(still)
    renew_after_fork(still)


def _before_fork() -> None:
    for still in sorted(_still, key=id):  # in the same order, whichever thread forks
        still.before_fork()
        _stopped.objects.append(still)


def _after_fork_in_parent() -> None:
    while _stopped.objects:
        _stopped.objects.pop().after_fork_in_parent()


def _after_fork_in_child() -> None:
    _stopped.objects.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
