"""What must not be shared with a parent process: locks, queues, threads, sessions.

One hook for the process over weak references, as ``os.register_at_fork`` can't be undone and
would keep every object it is given alive. A fork made in C never runs the hook (uWSGI without
``py-call-uwsgi-fork-hooks``), so whoever owns a thread compares process ids as well.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """Something that starts afresh in a child process."""

    def after_fork_in_child(self) -> None:
        """Replace every lock, event, queue and thread; acquire none: they may be held for ever."""


_tracked: WeakSet[ForkAware] = WeakSet()


def track(thing: ForkAware) -> None:
    """Have ``thing.after_fork_in_child`` called in every child process."""
    _tracked.add(thing)


def _after_fork_in_child() -> None:
    for thing in list(_tracked):
        thing.after_fork_in_child()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
