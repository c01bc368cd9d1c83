"""A bounded queue, and the thread that empties it.

The first item that a process queues starts its thread; nothing happens at import or construction.
Everything that a fork breaks (locks, queue, thread, connections) is in one object per process id. A
child makes its own object and never touches the parent's, which may be locked forever. The parent
sends what it has queued. But a parent that exists only to fork (uWSGI's master) starts no thread,
and leaves its queue to its children. The thread is not a `BackgroundLoop`: callers wait for the
queue on its condition, and the exit waits for the thread until a deadline and then does its work.

The sender promises: a caller waits only for a lock that is held for microseconds; memory is
bounded; it raises into the app only under ``overflow_policy="raise"``; every loss is counted under
a reason; it delays an exit by at most ``exit_timeout``. It does not promise delivery: without a
spool, a process that is killed loses its queue.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Literal

from guard_wsgi.agent.batch import Encoder
from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.dispatch import Dispatch, MetricSource, StatusReport
from guard_wsgi.agent.failure_log import FailureLog
from guard_wsgi.agent.process import ProcessState, Telemetry
from guard_wsgi.agent.servers import forks_to_come, uwsgi_advice
from guard_wsgi.agent.shared_queue import SharedQueue
from guard_wsgi.agent.spool import has_leftovers
from guard_wsgi.agent.spool_errors import SpoolError, SpoolFull
from guard_wsgi.agent.transport import load
from guard_wsgi.errors import GuardError
from guard_wsgi.forks import track
from guard_wsgi.repeats import is_reported
from guard_wsgi.telemetry.silence import silence

log = logging.getLogger("guard_wsgi.agent")

Phase = Literal["idle", "running", "backing_off", "parked", "stopped"]

THREAD_RETRY_SECONDS = 5.0
"""Seconds to wait after the system refused a thread."""


class BufferFullError(GuardError):
    """The queue is full and ``buffer_overflow_policy`` is ``"raise"``."""


class Sender:
    """Queues telemetry and posts it in batches.

    :param status: builds the report that is posted every ``status_interval``.
    :raises MissingExtra: if encryption is configured without the ``crypto`` extra.
    :raises ConfigError: if a spool is configured on a system without file locks.
    """

    def __init__(self, config: AgentConfig, status: StatusReport) -> None:
        self._config = config
        self._encoder = Encoder(config)
        self._failure_log = FailureLog(config.on_error)
        self._dispatch = Dispatch(config, self._encoder, self._failure_log, status)
        self._limit = config.buffer_size
        self._states: dict[int, ProcessState] = {}
        self._handed_over: SharedQueue | None = None
        self._uses_spool = config.spool_path is not None
        load()
        if self._uses_spool:
            has_leftovers(config)  # raises at construction if this system can't
        track(self)

    # Called by the app's threads

    @property
    def exit_timeout(self) -> float:
        """The longest delay of an exit, in seconds."""
        return self._config.exit_timeout

    @property
    def state(self) -> ProcessState:
        """Return this process's state."""
        pid = os.getpid()
        state = self._states.get(pid)
        # setdefault is atomic: threads of a child that arrive together get the same state.
        return (
            state if state is not None else self._states.setdefault(pid, ProcessState(self._config))
        )

    def put(self, thing: Telemetry) -> bool:
        """Queue one event or metric. Return whether it was accepted.

        :raises BufferFullError: if the queue is full and the policy is ``"raise"``.
        """
        state = self._states.get(os.getpid()) or self.state
        if self._uses_spool and self._put_in_spool(state, thing):
            return True
        with state.lock:
            if state.stopping:
                state.drop("shutdown")
                return False
            queue = state.queue
            if len(queue) + state.in_hand >= self._limit and not self._make_room(state):
                return False
            queue.append(thing)
            self._appended(state, len(queue))
        return True

    def touch(self) -> None:
        """Start the thread if an earlier process has left something to send."""
        state = self.state
        if state.thread is None and not state.stopping and not forks_to_come():
            self._inherit(state)
            with state.lock:
                if state.queue or (self._uses_spool and has_leftovers(self._config)):
                    self._start_thread(state)

    def flush(self, timeout_seconds: float) -> bool:
        """Send what is queued now, and wait for it. Return whether all of it was settled in
        time."""
        state = self.state
        if threading.current_thread() is state.thread:
            return False
        deadline = time.monotonic() + timeout_seconds
        self._dispatch.pull_sources(final=True)
        with state.lock:
            ticket = state.appended
            if state.settled >= ticket:
                return True
            if state.thread is None:
                self._start_thread(state)
                if state.thread is None:
                    return False
            state.flushers += 1
            try:
                state.backoff.retry_now()
                state.wake.notify()
                while state.settled < ticket:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0 or state.abandoned:
                        return False
                    state.room.wait(remaining)
                return True
            finally:
                state.flushers -= 1

    def begin_stop(self, deadline: float) -> None:
        """Tell the thread to send what it can until the deadline (monotonic) and end."""
        # Before stopping is set, so that the queue still accepts the last metrics.
        self._dispatch.pull_sources(final=True)
        if self._handed_over is not None:
            self._inherit(self.state)
        state = self._states.get(os.getpid())
        if state is None:
            return
        with state.lock:
            if not state.stopping:
                state.stopping = True
                state.deadline = deadline
                state.wake.notify_all()
                state.room.notify_all()

    def finish_stop(self, deadline: float) -> None:
        """Wait for the thread until the deadline; count what is left then as lost."""
        state = self._states.get(os.getpid())
        if state is None:
            return
        thread = state.thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
        elif thread is None and state.pending:
            # No thread could be started: this thread does the work, under the same deadline.
            with silence():
                self._dispatch.run_last(state)
        with state.lock:
            state.abandoned = True
            lost = len(state.queue) + state.in_hand
            state.queue.clear()
            state.in_hand = 0
            if lost:
                state.drop("shutdown", lost)
            state.room.notify_all()

    def resume(self) -> None:
        """Accept events again after a stop."""
        pid = os.getpid()
        state = self._states.get(pid)
        if state is not None and state.stopping:
            self._states[pid] = ProcessState(self._config)

    def add_source(self, source: MetricSource) -> None:
        """Ask this bound method for metrics from time to time. The reference is weak."""
        self._dispatch.add_source(source)

    def install_id(self) -> str:
        """Return the configured installation id, or the machine's."""
        return self._dispatch.install_id()

    def phase(self) -> Phase:
        """Return what the sender is doing in this process."""
        state = self.state
        if state.stopping:
            return "stopped"
        if state.backoff.state == "parked":
            return "parked"
        if state.backoff.resume_at > time.monotonic():
            return "backing_off"
        return "running" if state.pending else "idle"

    def after_fork_in_child(self) -> None:
        for state in self._states.values():
            if state.spool is not None:
                state.spool.abandon()
        self._states = {}

    def _leave_to_children(self, state: ProcessState) -> None:
        """Leave the queue to the processes that will be forked from this one. The caller holds the
        lock."""
        if self._handed_over is None:
            self._handed_over = SharedQueue(state.queue)
            log.info(
                "uWSGI loads the app before it forks: a worker sends the events from before the"
                " fork"
            )

    def _inherit(self, state: ProcessState) -> None:
        """Take over what the process that loaded the app has queued, unless another process did."""
        with state.lock:
            handed_over, self._handed_over = self._handed_over, None
            if handed_over is None:
                return
            others = handed_over.claim()
            if handed_over.things is state.queue:
                state.settled += others
            elif handed_over.things:
                state.queue.extendleft(reversed(handed_over.things))
                state.appended += len(handed_over.things)
                state.oldest = time.monotonic()

    def _put_in_spool(self, state: ProcessState, thing: Telemetry) -> bool:
        """Write one item to the spool. Return whether it is written or counted as lost."""
        if state.stopping or (state.thread is None and forks_to_come()):
            return False
        spool = state.spool
        if spool is None:
            spool = self._dispatch.open_spool(state)
            if spool is None:
                return False
        try:
            item = self._encoder.encode(thing)
        except Exception as error:  # the str() of the app's own metadata may raise anything
            self._failure_log.unencodable(state, error)
            return True
        try:
            spool.append(item)
        except SpoolFull:
            state.drop("spool_full")
            return True
        except SpoolError as error:
            why = "the spool failed; events stay in memory: %s"
            self._failure_log.log(state, "spool", error, why)
            return False
        with state.lock:
            self._appended(state, spool.own.waiting)
        return True

    def _appended(self, state: ProcessState, waiting: int) -> None:
        """Count one more item, and wake the thread if there is a reason. The caller holds the
        lock."""
        state.appended += 1
        if not state.armed:
            state.armed = True
            state.oldest = time.monotonic()
            state.wake.notify()
        elif waiting >= self._dispatch.threshold and not state.knows_full_batch:
            state.knows_full_batch = True
            state.wake.notify()
        if state.thread is None and not state.stopping:
            self._start_thread(state)

    def _make_room(self, state: ProcessState) -> bool:
        """Apply the overflow policy. Return whether there is room now. The caller holds the
        lock."""
        policy = self._config.buffer_overflow_policy
        if policy == "block" and threading.current_thread() is not state.thread:
            deadline = time.monotonic() + self._config.buffer_block_timeout
            state.blocked += 1
            state.wake.notify()
            try:
                while not state.stopping:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        break
                    state.room.wait(remaining)
                    if len(state.queue) + state.in_hand < self._limit and not state.stopping:
                        return True
            finally:
                state.blocked -= 1
        state.drop("queue_full")
        dropped = state.dropped["queue_full"]
        if is_reported(dropped):
            log.warning("the queue of %d events is full: %d dropped so far", self._limit, dropped)
        if policy == "raise":
            raise BufferFullError(f"{self._limit} events are queued")
        return False

    def _start_thread(self, state: ProcessState) -> None:
        """Start the thread. The caller holds the lock."""
        if state.thread is not None or time.monotonic() < state.no_thread_until:
            return
        if forks_to_come():
            self._leave_to_children(state)
            return
        self._inherit(state)
        thread = threading.Thread(
            target=self._dispatch.run, args=(state,), name="guard-wsgi-agent", daemon=True
        )
        state.thread = thread
        try:
            thread.start()
        except RuntimeError as error:
            # The interpreter is ending, or the system has no more threads: stop() sends what it can
            # without one.
            state.thread = None
            state.no_thread_until = time.monotonic() + THREAD_RETRY_SECONDS
            state.last_error = str(error)
            state.count("thread_refused")
            return
        _finalize_in_multiprocessing(self)
        # The warning comes from here: the thread itself may never get to run.
        advice = uwsgi_advice()
        if advice:
            log.warning("%s", advice)


def _finalize_in_multiprocessing(sender: Sender) -> None:
    """Register an exit hook for children of ``multiprocessing``: they end by ``os._exit``, which
    runs these finalizers but no atexit."""
    if "multiprocessing.util" not in sys.modules:
        return
    from multiprocessing import parent_process
    from multiprocessing.util import Finalize

    if parent_process() is not None:
        Finalize(sender, stop_within, args=([sender], None), exitpriority=100)


def stop_within(senders: Sequence[Sender], timeout_seconds: float | None) -> None:
    """Stop several senders under one deadline.

    :param timeout_seconds: the time for all; ``None`` means the longest ``exit_timeout`` among
        them.
    """
    if timeout_seconds is None:
        timeout_seconds = max((sender.exit_timeout for sender in senders), default=0.0)
    deadline = time.monotonic() + timeout_seconds
    for sender in senders:
        sender.begin_stop(deadline)
    for sender in senders:
        sender.finish_stop(deadline)
