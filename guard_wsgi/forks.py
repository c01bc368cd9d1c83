"""Renews what a child process must not share with its parent: locks, queues, threads, sessions.

There is one fork hook per process, which keeps weak references: ``os.register_at_fork`` can't be
undone and would keep every object alive. uWSGI forks in C. Without ``py-call-uwsgi-fork-hooks`` it
never runs that hook, only its own, and an app may replace that one. So an object that owns a thread
compares process ids as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """An object that starts fresh in a child process."""

    def after_fork_in_child(self) -> None:
        """Replace every lock, event, queue and thread. Acquire none: a lock may stay held forever.

        This may be called more than once in a child, before anything else happens there.
        """


_tracked: WeakSet[ForkAware] = WeakSet()


def track(thing: ForkAware) -> None:
    """Call ``thing.after_fork_in_child`` in every child process."""
    _tracked.add(thing)
    # Do this on each call: uwsgidecorators, if imported later, replaces all other hooks.
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is not None:
        before = getattr(uwsgi, "post_fork_hook", None)
        if not isinstance(before, _PostFork):
            uwsgi.post_fork_hook = _PostFork(before)  # type: ignore[attr-defined]


class _PostFork:
    """The only hook that uWSGI calls: it runs ours, then the one that was there before."""

    def __init__(self, before: Callable[[], object] | None) -> None:
        self._before = before

    def __call__(self) -> None:
        _after_fork_in_child()
        if self._before is not None:
            self._before()


def _after_fork_in_child() -> None:
    for thing in list(_tracked):
        thing.after_fork_in_child()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)


def threads_run() -> bool:
    """Whether background threads run between requests: by default, uWSGI stops them."""
    options = getattr(sys.modules.get("uwsgi"), "opt", None)
    return not isinstance(options, Mapping) or threads_enabled(options)


def threads_enabled(options: Mapping[Any, Any]) -> bool:
    """Whether these options of uWSGI enable threads. Keys are text or bytes, by version."""
    names = {name.decode() if isinstance(name, bytes) else str(name) for name in options}
    return bool(names & {"enable-threads", "threads"})
