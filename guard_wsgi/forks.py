"""What must not be shared with a parent process: locks, queues, threads, sessions.

One hook for the process over weak references, as ``os.register_at_fork`` can't be undone and
would keep every object it is given alive. uWSGI forks in C and, without
``py-call-uwsgi-fork-hooks``, never runs that hook, but one of its own. An app may replace uWSGI's,
so whoever owns a thread compares process ids as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """Something that starts afresh in a child process."""

    def after_fork_in_child(self) -> None:
        """Replace every lock, event, queue and thread; acquire none: they may be held for ever.

        May be called more than once in a child, before anything else is done in it.
        """


_tracked: WeakSet[ForkAware] = WeakSet()


def track(thing: ForkAware) -> None:
    """Have ``thing.after_fork_in_child`` called in every child process."""
    _tracked.add(thing)
    # Each time anew: uwsgidecorators, imported late, puts its own hook in place of all others.
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is not None:
        before = getattr(uwsgi, "post_fork_hook", None)
        if not isinstance(before, _PostFork):
            uwsgi.post_fork_hook = _PostFork(before)  # type: ignore[attr-defined]


class _PostFork:
    """uWSGI's hook, which is one callable for all: ours, then the one that was there before."""

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
    """Whether other threads run beside requests: uWSGI has them stand still by default."""
    options = getattr(sys.modules.get("uwsgi"), "opt", None)
    return not isinstance(options, Mapping) or threads_enabled(options)


def threads_enabled(options: Mapping[Any, Any]) -> bool:
    """The same, for the options of uWSGI; keys are text or bytes, by version."""
    names = {name.decode() if isinstance(name, bytes) else str(name) for name in options}
    return bool(names & {"enable-threads", "threads"})
