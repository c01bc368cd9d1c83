"""A bounded queue, and the thread that empties it.

The thread is started by the first thing that is queued, in the process that queues it; nothing
happens at import or construction. All that a fork breaks (locks, queue, thread, connections)
is in one object that is looked up by process id: a child makes its own and touches none of the
parent's, which may be locked for ever. What the parent has queued, the parent sends.

The sender promises: a caller waits for a lock that is held for microseconds and for nothing
else; memory is bounded; it never raises into the app, but under ``overflow_policy="raise"``;
every loss is counted under a reason; an exit is delayed by ``exit_timeout`` at most. It does not
promise delivery: without a spool, what a process holds when it is killed is gone.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from weakref import WeakMethod

from guard_wsgi.agent.backoff import Backoff
from guard_wsgi.agent.batch import Batch, Encoder, Item, batches
from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.delivery import Outcome, attempt
from guard_wsgi.agent.identity import install_id
from guard_wsgi.agent.servers import uwsgi_advice
from guard_wsgi.agent.spool import Spool, SpoolError, SpoolFull, has_leftovers
from guard_wsgi.agent.transport import Transport, TransportError, load
from guard_wsgi.errors import GuardError
from guard_wsgi.telemetry.events import SecurityEvent, SecurityMetric, utc_now
from guard_wsgi.telemetry.forks import track
from guard_wsgi.telemetry.silence import silence

log = logging.getLogger("guard_wsgi.agent")

Telemetry = SecurityEvent | SecurityMetric
MetricSource = Callable[..., object]
StatusReport = Callable[[], Mapping[str, Any]]
Phase = Literal["idle", "running", "backing_off", "parked", "stopped"]

STATUS_PATH = "/api/v1/status"

BACKLOG_GROWTH = 5
"""A queue with more than one batch in it goes in batches of up to this many times the size."""
SOURCE_SECONDS = 15.0
"""How often the bus is asked whether an interval of metrics is over."""
SPOOL_SECONDS = 30.0
"""How often the spool is searched for files of dead processes."""
THREAD_RETRY_SECONDS = 5.0
"""After the system refused a thread."""


class BufferFullError(GuardError):
    """The queue is full and ``buffer_overflow_policy`` is ``"raise"``."""


class _State:
    """All that belongs to one process. Fields are guarded by ``lock`` unless said otherwise."""

    def __init__(self, config: AgentConfig) -> None:
        # Re-entrant: a signal handler or a finalizer may queue while its thread is queueing.
        self.lock = threading.RLock()
        self.wake = threading.Condition(self.lock)
        self.room = threading.Condition(self.lock)
        self.queue: deque[Telemetry] = deque()
        self.oldest = 0.0
        # Whether the thread knows that there is something, and that there is a batch of it.
        self.armed = False
        self.hurried = False
        self.appended = 0
        self.settled = 0
        self.flushers = 0
        self.blocked = 0
        self.thread: threading.Thread | None = None
        self.no_thread_until = 0.0
        self.stopping = False
        self.abandoned = False
        self.deadline = 0.0
        self.counts: dict[str, int] = {}
        self.dropped: dict[str, int] = {}
        self.started_at = time.monotonic()
        self.last_success: datetime | None = None
        self.last_error = ""
        self.status_ok: bool | None = None
        # Written by the sender's thread alone.
        self.ready: deque[Batch] = deque()
        self.in_hand = 0
        self.accepted_batches = 0
        self.failures: dict[str, int] = {}
        self.backoff = Backoff(config.backoff_factor)
        self.transport: Transport | None = None
        self.next_status = self.started_at + config.status_interval
        self.next_source = self.started_at + SOURCE_SECONDS
        self.next_spool = 0.0
        # Made by whoever needs it first, under the lock.
        self.spool: Spool | None = None
        self.spool_retry_at = 0.0

    def count(self, name: str, amount: int = 1) -> None:
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + amount

    def drop(self, reason: str, amount: int = 1) -> None:
        with self.lock:
            self.dropped[reason] = self.dropped.get(reason, 0) + amount

    @property
    def pending(self) -> int:
        """What is not yet settled, in memory and on disk."""
        return len(self.queue) + self.in_hand + (self.spool.count if self.spool else 0)


class Sender:
    """Queues telemetry and posts it in batches.

    :param status: builds the report that is posted every ``status_interval``.
    :raises MissingExtra: when encryption is configured without the ``crypto`` extra.
    :raises ConfigError: for a spool where there are no file locks.
    """

    def __init__(self, config: AgentConfig, status: StatusReport) -> None:
        self._config = config
        self._status = status
        self._encoder = Encoder(config)
        self._limit = config.buffer_size
        self._batch = min(config.batch_size, config.buffer_size)
        watermark = max(1, int(config.buffer_size * config.high_watermark_ratio))
        self._threshold = min(self._batch, watermark)
        self._sources: tuple[WeakMethod[MetricSource], ...] = ()
        self._states: dict[int, _State] = {}
        self._uses_spool = config.spool_path is not None
        load()
        if self._uses_spool:
            has_leftovers(config)  # says at construction that this system can't
        track(self)

    # Called by the app's threads

    @property
    def exit_timeout(self) -> float:
        """Seconds that an exit may be delayed by."""
        return self._config.exit_timeout

    @property
    def state(self) -> _State:
        """This process's state."""
        pid = os.getpid()
        state = self._states.get(pid)
        # setdefault is atomic: threads of a child that arrive together get one state.
        return state if state is not None else self._states.setdefault(pid, _State(self._config))

    def put(self, thing: Telemetry) -> bool:
        """Queue one event or metric; whether it was taken.

        :raises BufferFullError: when the queue is full and the policy is ``"raise"``.
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
        """Start the thread if there is something to send that an earlier process left behind."""
        if self._uses_spool:
            state = self.state
            if state.thread is None and not state.stopping and has_leftovers(self._config):
                with state.lock:
                    self._start_thread(state)

    def flush(self, timeout_seconds: float) -> bool:
        """Send what is queued now, and wait for it; whether all of it was settled in time."""
        state = self.state
        if threading.current_thread() is state.thread:
            return False
        deadline = time.monotonic() + timeout_seconds
        self._pull_sources(final=True)
        with state.lock:
            ticket = state.appended
            if state.settled >= ticket:
                return True
            if state.thread is None:
                self._start_thread(state)
            state.flushers += 1
            try:
                state.backoff.hurry()
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
        # Before stopping is set, as the last metrics are to be taken.
        self._pull_sources(final=True)
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
        """Wait for the thread until the deadline; what is left then is counted as lost."""
        state = self._states.get(os.getpid())
        if state is None:
            return
        thread = state.thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
        elif thread is None and state.pending:
            # No thread could be had: this one does its work, under the same deadline.
            with silence():
                self._run_last(state)
        with state.lock:
            state.abandoned = True
            lost = len(state.queue) + state.in_hand
            state.queue.clear()
            state.in_hand = 0
            if lost:
                state.drop("shutdown", lost)
            state.room.notify_all()

    def resume(self) -> None:
        """Take events again after a stop."""
        pid = os.getpid()
        state = self._states.get(pid)
        if state is not None and state.stopping:
            self._states[pid] = _State(self._config)

    def add_source(self, source: MetricSource) -> None:
        """Ask this bound method for metrics from time to time; held weakly."""
        self._sources = (
            *(known for known in self._sources if known() is not None),
            WeakMethod(source),
        )

    def phase(self) -> Phase:
        """What the sender is doing in this process."""
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

    def _put_in_spool(self, state: _State, thing: Telemetry) -> bool:
        """Whether it is taken care of: written, or counted as lost."""
        if state.stopping:
            return False
        spool = state.spool
        if spool is None:
            spool = self._open_spool(state)
            if spool is None:
                return False
        try:
            item = self._encoder.encode(thing)
        except Exception as error:  # metadata of the app's own may do anything in its str()
            self._unencodable(state, error)
            return True
        try:
            spool.append(item)
        except SpoolFull:
            state.drop("spool_full")
            return True
        except SpoolError as error:
            self._trouble(state, "spool", error, "the spool failed, events stay in memory: %s")
            return False
        with state.lock:
            self._appended(state, spool.own.waiting)
        return True

    def _appended(self, state: _State, waiting: int) -> None:
        """Account for one more, and wake the thread if it has a reason to. The lock is held."""
        state.appended += 1
        if not state.armed:
            state.armed = True
            state.oldest = time.monotonic()
            state.wake.notify()
        elif waiting >= self._threshold and not state.hurried:
            state.hurried = True
            state.wake.notify()
        if state.thread is None and not state.stopping:
            self._start_thread(state)

    def _make_room(self, state: _State) -> bool:
        """Apply the overflow policy; whether there is room now. The lock is held."""
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
        if dropped & (dropped - 1) == 0:
            log.warning("the queue of %d is full: %d dropped so far", self._limit, dropped)
        if policy == "raise":
            raise BufferFullError(f"{self._limit} events are queued")
        return False

    def _start_thread(self, state: _State) -> None:
        """The lock is held."""
        if state.thread is not None or time.monotonic() < state.no_thread_until:
            return
        thread = threading.Thread(
            target=self._run, args=(state,), name="guard-wsgi-agent", daemon=True
        )
        state.thread = thread
        try:
            thread.start()
        except RuntimeError as error:
            # At the interpreter's end, or out of threads: stop() sends what it can without one.
            state.thread = None
            state.no_thread_until = time.monotonic() + THREAD_RETRY_SECONDS
            state.last_error = str(error)
            state.count("thread_refused")
            return
        _finalize_in_multiprocessing(self)
        # Said here: the thread may be the one that won't get to run.
        advice = uwsgi_advice()
        if advice:
            log.warning("%s", advice)

    def _pull_sources(self, *, final: bool = False) -> None:
        for reference in self._sources:
            source = reference()
            if source is not None:
                try:
                    source(final=final)
                except Exception as error:  # a bus being torn down is no reason to stop sending
                    log.warning("a source of metrics failed: %r", error)

    def _open_spool(self, state: _State) -> Spool | None:
        with state.lock:
            if state.spool is None and time.monotonic() >= state.spool_retry_at:
                try:
                    state.spool = Spool(self._config)
                except SpoolError as error:
                    state.spool_retry_at = time.monotonic() + SPOOL_SECONDS
                    self._trouble(state, "spool", error, "no spool, events stay in memory: %s")
            return state.spool

    # The sender's thread

    def _run(self, state: _State) -> None:
        try:
            with silence():
                while self._wait_until_due(state):
                    try:
                        self._step(state)
                    except Exception as error:  # a fault here may not end the thread for good
                        self._trouble(state, "sender", error, "the sender failed: %r")
                        state.backoff.failed()
                self._run_last(state)
        finally:
            # Ended by something worse than an Exception: the next event starts another.
            if not state.stopping:
                state.thread = None

    def _wait_until_due(self, state: _State) -> bool:
        """Sleep until there is something to do; false when it is time to end."""
        with state.lock:
            while not state.stopping:
                delay = self._seconds_until_due(state)
                if delay <= 0:
                    return True
                state.wake.wait(delay)
            return False

    def _seconds_until_due(self, state: _State) -> float:
        """The lock is held. What the thread knows from here on, no one needs to wake it for."""
        due = state.next_status
        if self._sources:
            due = min(due, state.next_source)
        if self._uses_spool:
            due = min(due, state.next_spool)
        sending = self._sending_due(state)
        if sending is not None:
            due = min(due, sending)
        return due - time.monotonic()

    def _sending_due(self, state: _State) -> float | None:
        """Monotonic time at which a batch is to go, ``None`` when there is nothing to send."""
        spool = state.spool
        waiting = len(state.queue) + (spool.waiting if spool is not None else 0)
        state.armed = bool(state.ready or waiting)
        state.hurried = waiting >= self._threshold
        if not state.armed:
            return None
        now = time.monotonic()
        is_due = (
            bool(state.ready or state.flushers or state.blocked)
            or waiting >= self._threshold
            or (spool is not None and any(file.waiting for file in spool.inherited))
        )
        due = now if is_due else state.oldest + self._config.flush_interval
        return max(due, state.backoff.resume_at)

    def _step(self, state: _State) -> None:
        now = time.monotonic()
        if now >= state.next_source:
            state.next_source = now + SOURCE_SECONDS
            self._pull_sources()
        if self._uses_spool and now >= state.next_spool:
            self._care_for_spool(state)
        with state.lock:
            sending = self._sending_due(state)
        if sending is not None and sending <= time.monotonic():
            self._send_one(state)
        if now >= state.next_status and state.backoff.resume_at <= now:
            state.next_status = now + self._config.status_interval
            self._send_status(state)
        elif now >= state.next_status:
            # Not while the collector is down; asked again when it may be up.
            state.next_status = state.backoff.resume_at + 1.0

    def _send_one(self, state: _State, within_seconds: float | None = None) -> Outcome | None:
        """Post one batch and settle its outcome; ``None`` when there is none."""
        ready = state.ready
        # A batch that had its attempts waits behind whatever else there is.
        only_old = len(ready) == 1 and ready[0].accepted_before is not None
        if not ready or (only_old and ready[0].attempts == 0):
            fresh = self._form(state)
            ready.extend(fresh)
            if only_old and fresh:
                ready.rotate(-1)
        if not ready:
            return None
        batch = ready.popleft()
        outcome = attempt(batch, self._encoder, self._transport(state), within_seconds)
        self._settle(state, batch, outcome)
        return outcome

    def _form(self, state: _State) -> Sequence[Batch]:
        """Batches of what is queued, encoded outside of the lock."""
        size = self._batch
        with state.lock:
            queue = state.queue
            if len(queue) > size:
                size = min(len(queue), size * BACKLOG_GROWTH)
            things = [queue.popleft() for _ in range(min(size, len(queue)))]
            state.in_hand += len(things)
            state.oldest = time.monotonic()
            spool = state.spool
        items: list[Item] = []
        for thing in things:
            try:
                item = self._encoder.encode(thing)
            except Exception as error:  # metadata of the app's own may do anything in its str()
                self._unencodable(state, error)
                self._done(state, memory=1, settled=1)
                continue
            if len(item.data) > self._config.batch_max_bytes:
                state.drop("too_big")
                self._done(state, memory=1, settled=1)
                continue
            items.append(item)
        if spool is not None:
            try:
                items += spool.take(max(self._batch, size - len(items)))
            except SpoolError as error:
                self._trouble(state, "spool", error, "the spool can't be read: %s")
                state.next_spool = 0.0
        return batches(items, size, self._config.batch_max_bytes)

    def _settle(self, state: _State, batch: Batch, outcome: Outcome) -> None:
        accepted, dropped, again = outcome.accepted, outcome.dropped, outcome.again
        backoff = state.backoff
        if outcome.trouble == "":
            was_down = backoff.failures
            backoff.succeeded()
            if was_down:
                self._recovered(state)
        if accepted:
            state.accepted_batches += 1
            state.last_success = utc_now()
        if outcome.trouble:
            batch.attempts += 1
            if batch.accepted_before is None:
                batch.accepted_before = state.accepted_batches
            self._failed(state, outcome)
        elif again and len(again) == 1:
            # Part of it was not accepted. Not at once again, and not for ever.
            again[0].attempts = batch.attempts + 1
            if again[0].attempts > self._config.retry_attempts:
                dropped, again = again[0].items, ()
                state.drop("rejected", len(dropped))
            else:
                backoff.resume_at = time.monotonic() + self._config.backoff_factor
        if again and batch.attempts > self._config.retry_attempts:
            batch.attempts = 0
            others_arrived = state.accepted_batches > (batch.accepted_before or 0)
            if outcome.trouble != "down" or not outcome.answered or not others_arrived:
                state.ready.extend(again)
            elif len(batch.items) > 1:
                # The collector takes others and fails over something in this one: look for it.
                state.ready.extend(batch.halves())
            else:
                dropped = batch.items
                state.drop("gave_up", len(dropped))
            again = ()
        elif outcome.dropped:
            state.drop(outcome.reason, len(dropped))
            self._trouble(
                state,
                "encryption" if outcome.reason == "unencodable" else "transport_send",
                outcome.error or TransportError(outcome.detail),
                "%d items dropped: %s",
                len(dropped),
                outcome.detail,
            )
        state.ready.extendleft(reversed(again))
        with state.lock:
            kinds = {"events": "events_sent", "metrics": "metrics_sent"}
            state.count(kinds[batch.kind], len(accepted))
            state.count("requests_failed" if outcome.trouble else "requests_sent")
            state.count("bytes_sent", outcome.bytes_sent)
        self._forget(state, [*accepted, *dropped])

    def _forget(self, state: _State, items: Sequence[Item]) -> None:
        """Items that are settled leave the spool and the accounts."""
        spool = state.spool
        placed = [item for item in items if item.place is not None]
        if placed and spool is not None:
            try:
                spool.settle(placed)
            except SpoolError as error:
                self._trouble(state, "spool", error, "sent events can't be removed: %s")
        own_file = spool.own if spool is not None else None
        own = sum(item.place is not None and item.place[0] is own_file for item in placed)
        memory = len(items) - len(placed)
        self._done(state, memory=memory, settled=memory + own)

    def _done(self, state: _State, *, memory: int, settled: int) -> None:
        with state.lock:
            if not state.abandoned:
                state.in_hand -= memory
            state.settled += settled
            if state.flushers or state.blocked:
                state.room.notify_all()

    def _care_for_spool(self, state: _State) -> None:
        state.next_spool = time.monotonic() + SPOOL_SECONDS
        spool = self._open_spool(state)
        if spool is None:
            return
        try:
            expired = spool.expire()
            self._done(state, memory=0, settled=expired)
            found, too_old = spool.inherit()
            spool.checkpoint()
        except SpoolError as error:
            self._trouble(state, "spool", error, "the spool can't be looked after: %s")
            return
        if found and not state.stopping:
            log.info("%d events of an earlier process are sent now", found)
        if expired + too_old:
            state.drop("too_old", expired + too_old)

    def _send_status(self, state: _State) -> None:
        sealed = self._encoder.seal_plain(self._status())
        try:
            answer = self._transport(state).request(
                "POST", STATUS_PATH, sealed.body, sealed.headers
            )
            state.status_ok = 200 <= answer.status < 300
        except TransportError:
            state.status_ok = False

    def _run_last(self, state: _State) -> None:
        """Send what there is until the deadline, or until the collector fails once."""
        try:
            while True:
                remaining = state.deadline - time.monotonic()
                if remaining <= 0:
                    break
                outcome = self._send_one(state, remaining)
                if outcome is None or outcome.trouble or (outcome.again and outcome.accepted):
                    break
        except Exception as error:  # the process is ending: nowhere to raise to
            state.last_error = repr(error)
        finally:
            spool, state.spool = state.spool, None
            if spool is not None:
                left = spool.count
                spool.close()
                state.count("left_in_spool", left)
            if state.transport is not None:
                state.transport.close()

    def _transport(self, state: _State) -> Transport:
        if state.transport is None:
            state.transport = Transport(self._config, self.install_id())
        return state.transport

    def install_id(self) -> str:
        """The configured one, or the machine's."""
        return self._config.install_id or install_id()

    def _failed(self, state: _State, outcome: Outcome) -> None:
        if outcome.trouble == "refused":
            if state.backoff.state != "parked":
                self._log(
                    state,
                    logging.ERROR,
                    "the collector refused the API key (%s): telemetry is parked, a probe "
                    "goes every few minutes",
                    outcome.detail,
                )
            state.backoff.refused()
            state.last_error = outcome.detail
        else:
            state.backoff.failed(outcome.retry_after_seconds)
            self._trouble(
                state,
                "transport_send",
                outcome.error or TransportError(outcome.detail),
                "the collector can't be reached (%d times so far): %s",
                state.failures.get("transport_send", 0) + 1,
                outcome.detail,
            )

    def _recovered(self, state: _State) -> None:
        self._log(state, logging.INFO, "the collector is back, %d wait", state.pending)
        state.failures.pop("transport_send", None)

    def _unencodable(self, state: _State, error: Exception) -> None:
        state.drop("unencodable")
        self._trouble(state, "serialization", error, "an event that JSON can't hold: %r", error)

    def _trouble(
        self, state: _State, stage: str, error: Exception, message: str, *arguments: object
    ) -> None:
        """Log the first failure and then every power of two; tell ``on_error`` of each."""
        state.last_error = str(error)
        count = state.failures[stage] = state.failures.get(stage, 0) + 1
        if count & (count - 1) == 0:
            self._log(state, logging.WARNING, message, *(arguments or (error,)))
        if self._config.on_error is not None and not state.stopping:
            try:
                self._config.on_error(stage, error, {"failures": count})
            except (Exception, SystemExit) as second:  # the hook's fault has nowhere else to go
                self._log(state, logging.WARNING, "on_error raised %r", second)

    def _log(self, state: _State, level: int, message: str, *arguments: object) -> None:
        if not state.stopping:  # at the interpreter's end the streams may be locked or gone
            log.log(level, message, *arguments)


def _finalize_in_multiprocessing(sender: Sender) -> None:
    """Children of ``multiprocessing`` end by ``os._exit``: they run these finalizers, no atexit."""
    if "multiprocessing.util" not in sys.modules:
        return
    from multiprocessing import parent_process
    from multiprocessing.util import Finalize

    if parent_process() is not None:
        Finalize(sender, stop_within, args=([sender], None), exitpriority=100)


def stop_within(senders: Sequence[Sender], timeout_seconds: float | None) -> None:
    """Stop several under one deadline.

    :param timeout_seconds: the longest ``exit_timeout`` of them when ``None``.
    """
    if timeout_seconds is None:
        timeout_seconds = max((sender.exit_timeout for sender in senders), default=0.0)
    deadline = time.monotonic() + timeout_seconds
    for sender in senders:
        sender.begin_stop(deadline)
    for sender in senders:
        sender.finish_stop(deadline)
