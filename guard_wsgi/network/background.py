"""A loop on one daemon thread that exists only where requests are served.

Data that ages (address ranges, country databases, verified crawlers) is renewed beside the
requests, never inside one. A thread started at import or in a preloading master does not survive
the fork into a worker, so the loop starts with the first request that a process serves, and
nothing of it is carried over a fork: the child has another process id, hence another thread,
another event, and no lock that the parent could have held.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from os import getpid
from time import monotonic

from attrs import define, field

logger = logging.getLogger("guard_wsgi.network")

FAULT_DELAY_SECONDS = 60.0
"""After a step that raised: long enough not to hammer anybody, short enough to recover soon."""


@define(slots=True)
class _Run:
    """One thread's controls; replaced as a whole in each process."""

    process_id: int = 0
    stopping: bool = False
    wake: threading.Event = field(factory=threading.Event)


@define(slots=True)
class _Cell:
    """What the exit hook holds: the loop's present run, without holding the loop."""

    run: _Run = field(factory=_Run)


class BackgroundLoop:
    """Calls ``step`` again and again; each call returns the seconds to wait before the next.

    ``step`` must be a bound method: the thread holds its object weakly, so an object nobody
    uses any more takes its thread with it. A step that raises is logged and tried again.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self._name = name
        self._step = weakref.WeakMethod(step)
        self._cell = _Cell()
        self._closed = False
        self._start_at = 0.0
        # A dict's setdefault is atomic: of several first requests exactly one starts the thread,
        # and no lock has to outlive a fork.
        self._starters: dict[int, object] = {}
        weakref.finalize(self, _stop, self._cell)

    @property
    def running(self) -> bool:
        """Whether this process has the thread."""
        return self._cell.run.process_id == getpid() and not self._cell.run.stopping

    def ensure_running(self) -> bool:
        """Start the thread if this process has none; whether it has one now."""
        if self._cell.run.process_id != getpid():
            self._start()
        return self.running

    def wake(self) -> None:
        """Run the next step now."""
        self._cell.run.wake.set()

    def stopping(self) -> bool:
        """For a long step: whether it should give up, because the process or the owner ends."""
        return self._cell.run.stopping

    def close(self) -> None:
        """End the thread at its next wait; it is not started again."""
        self._closed = True
        _stop(self._cell)

    def _start(self) -> None:
        process_id = getpid()
        token = object()
        if self._closed or monotonic() < self._start_at:
            return
        if self._starters.setdefault(process_id, token) is not token:
            return
        run = _Run(process_id)
        self._cell.run = run
        thread = threading.Thread(
            target=_loop, args=(self._step, run, self._name), name=self._name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            # No thread to be had (limits of the process, or interpreter shutdown): the data age,
            # which their status shows, but requests go on, and a later one tries again.
            self._start_at = monotonic() + FAULT_DELAY_SECONDS
            self._cell.run = _Run()
            del self._starters[process_id]
            logger.warning("%s: the background thread could not be started", self._name)


def _stop(cell: _Cell) -> None:
    cell.run.stopping = True
    cell.run.wake.set()


def _loop(step: weakref.WeakMethod[Callable[[], float]], run: _Run, name: str) -> None:
    while not run.stopping:
        call = step()
        if call is None:
            return
        try:
            delay = call()
        except Exception:
            # The fault boundary of the thread: without it one surprise would end all renewal.
            delay = FAULT_DELAY_SECONDS
            if not run.stopping:
                logger.exception("%s: failed, tried again in %d s", name, delay)
        del call
        if run.wake.wait(delay):
            run.wake.clear()
