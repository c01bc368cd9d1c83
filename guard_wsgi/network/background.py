"""A loop on one daemon thread, in processes that serve requests.

It renews data that ages (address ranges, country databases, verified crawlers) beside the requests,
never inside one. A thread that starts at import or in a preloading master does not survive the fork
into a worker. So the loop starts with the first request of a process. Its state is per process id:
a child has its own thread and event, and no lock that the parent could hold.
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
"""Seconds to wait after a step that raised: long enough to disturb nobody, short enough to recover
soon."""


@define(slots=True)
class _Run:
    """The controls of one thread; each process has its own."""

    process_id: int = 0
    stopping: bool = False
    wake: threading.Event = field(factory=threading.Event)
    thread: threading.Thread | None = None


@define(slots=True)
class _Cell:
    """Refers to the loop's current run for the exit hook, without keeping the loop alive."""

    run: _Run = field(factory=_Run)


class BackgroundLoop:
    """Calls ``step`` again and again; each call returns the seconds to wait before the next.

    ``step`` must be a bound method. The thread refers to its object weakly, so the thread ends with
    the object. If a step raises, the fault is logged and the step runs again.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self._name = name
        self._step = weakref.WeakMethod(step)
        self._cell = _Cell()
        self._closed = False
        self._start_at = 0.0
        # A dict's setdefault is atomic: exactly one of several first requests starts the thread,
        # without a lock that could be held at a fork.
        self._starters: dict[int, object] = {}
        weakref.finalize(self, _stop, self._cell)

    @property
    def running(self) -> bool:
        """Whether this process has the thread."""
        return self._cell.run.process_id == getpid() and not self._cell.run.stopping

    def ensure_running(self) -> bool:
        """Start the thread if this process has none. Return whether it has one now."""
        if self._cell.run.process_id != getpid():
            self._start()
        return self.running

    def wake(self) -> None:
        """Run the next step now."""
        self._cell.run.wake.set()

    def stopping(self) -> bool:
        """Whether a long step should give up because the process or the owner ends."""
        return self._cell.run.stopping

    def close(self, timeout_seconds: float = 0.0) -> None:
        """End the thread at its next wait; it does not start again.

        :param timeout_seconds: how long to wait for the end of the thread.
        """
        self._closed = True
        run = self._cell.run
        _stop(self._cell)
        thread = run.thread
        if timeout_seconds and thread is not None and thread is not threading.current_thread():
            thread.join(timeout_seconds)

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
            run.thread = thread
        except RuntimeError:
            # No thread is available (limits of the process, or interpreter shutdown). The data age,
            # which their status shows. Requests go on, and a later one tries again.
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
            # Catch everything: otherwise one fault would end the thread.
            delay = FAULT_DELAY_SECONDS
            if not run.stopping:
                logger.exception("%s: failed; trying again in %d s", name, delay)
        del call
        if run.wake.wait(delay):
            run.wake.clear()
