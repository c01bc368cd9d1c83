"""The sender's thread: it decides when a batch is sent, and handles the outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakMethod

from guard_wsgi.agent.batch import Batch, Encoder, Item, batches
from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.delivery import Outcome, attempt
from guard_wsgi.agent.failure_log import FailureLog
from guard_wsgi.agent.identity import install_id
from guard_wsgi.agent.process import SOURCE_SECONDS, ProcessState
from guard_wsgi.agent.spool import Spool
from guard_wsgi.agent.spool_errors import SpoolError
from guard_wsgi.agent.transport import Transport, TransportError, prepare_exit
from guard_wsgi.telemetry.events import utc_now
from guard_wsgi.telemetry.silence import silence

log = logging.getLogger("guard_wsgi.agent")

MetricSource = Callable[..., object]
StatusReport = Callable[[], Mapping[str, Any]]

STATUS_PATH = "/api/v1/status"

BACKLOG_GROWTH = 5
"""If more than one batch is queued, batches may be up to this many times as large."""
SPOOL_SECONDS = 30.0
"""How often the spool is searched for files of dead processes."""


class Dispatch:
    """Empties a process's queue and spool. It keeps no state of a process itself.

    :param status: builds the report that is posted every ``status_interval``.
    :ivar threshold: with this many items waiting, a batch is sent at once.
    """

    def __init__(
        self, config: AgentConfig, encoder: Encoder, failure_log: FailureLog, status: StatusReport
    ) -> None:
        self._config = config
        self._encoder = encoder
        self._failure_log = failure_log
        self._status = status
        self._batch = min(config.batch_size, config.buffer_size)
        watermark = max(1, int(config.buffer_size * config.high_watermark_ratio))
        self.threshold = min(self._batch, watermark)
        self._uses_spool = config.spool_path is not None
        self._sources: tuple[WeakMethod[MetricSource], ...] = ()

    def add_source(self, source: MetricSource) -> None:
        """Ask this bound method for metrics from time to time. The reference is weak."""
        self._sources = (
            *(known for known in self._sources if known() is not None),
            WeakMethod(source),
        )

    def pull_sources(self, *, final: bool = False) -> None:
        """Ask the buses for their metrics. Any thread may call this."""
        for reference in self._sources:
            source = reference()
            if source is not None:
                try:
                    source(final=final)
                except Exception as error:  # a bus that is being closed must not stop the sender
                    log.warning("could not collect some metrics: %r", error)

    def open_spool(self, state: ProcessState) -> Spool | None:
        """Return the process's spool and open it if needed; ``None`` while it can't be opened."""
        with state.lock:
            if state.spool is None and time.monotonic() >= state.spool_retry_at:
                try:
                    state.spool = Spool(self._config)
                except SpoolError as error:
                    state.spool_retry_at = time.monotonic() + SPOOL_SECONDS
                    why = "could not open the spool; events stay in memory: %s"
                    self._failure_log.log(state, "spool", error, why)
            return state.spool

    def run(self, state: ProcessState) -> None:
        """Send until the process's state says to stop."""
        try:
            with silence():
                prepare_exit()
                while self._wait_until_due(state):
                    try:
                        self._step(state)
                    except Exception as error:  # a fault here must not end the thread for good
                        self._failure_log.log(state, "sender", error, "the sender failed: %r")
                        state.backoff.failed()
                self.run_last(state)
        finally:
            # Something worse than an Exception ended the thread: the next event starts another one.
            if not state.stopping:
                state.thread = None

    def _wait_until_due(self, state: ProcessState) -> bool:
        """Sleep until there is something to do. Return false when the thread should end."""
        with state.lock:
            while not state.stopping:
                delay = self._seconds_until_due(state)
                if delay <= 0:
                    return True
                state.wake.wait(delay)
            return False

    def _seconds_until_due(self, state: ProcessState) -> float:
        """Return how long the thread may sleep, and note what it knows, so that nobody wakes it for
        that. The caller holds the lock."""
        due = state.next_status
        if self._sources:
            due = min(due, state.next_source)
        if self._uses_spool:
            due = min(due, state.next_spool)
        sending = self._sending_due(state)
        if sending is not None:
            due = min(due, sending)
        return due - time.monotonic()

    def _sending_due(self, state: ProcessState) -> float | None:
        """Return the monotonic time at which to send a batch; ``None`` if there is nothing to
        send."""
        spool = state.spool
        waiting = len(state.queue) + (spool.waiting if spool is not None else 0)
        state.armed = bool(state.ready or waiting)
        state.knows_full_batch = waiting >= self.threshold
        if not state.armed:
            return None
        now = time.monotonic()
        is_due = (
            bool(state.ready or state.flushers or state.blocked)
            or waiting >= self.threshold
            or (spool is not None and any(file.waiting for file in spool.inherited))
        )
        due = now if is_due else state.oldest + self._config.flush_interval
        return max(due, state.backoff.resume_at)

    def _step(self, state: ProcessState) -> None:
        now = time.monotonic()
        if now >= state.next_source:
            state.next_source = now + SOURCE_SECONDS
            self.pull_sources()
        if self._uses_spool and now >= state.next_spool:
            self._care_for_spool(state)
        with state.lock:
            sending = self._sending_due(state)
        if sending is not None and sending <= time.monotonic():
            self._send_one(state)
        if now >= state.next_status and state.backoff.resume_at <= now:
            state.next_status = now + self._config.status_interval
            self.send_status(state)
        elif now >= state.next_status:
            # Not while the collector is down; this is asked again when it may be up.
            state.next_status = state.backoff.resume_at + 1.0

    def _send_one(self, state: ProcessState, within_seconds: float | None = None) -> Outcome | None:
        """Post one batch and settle its outcome; ``None`` if there is no batch."""
        ready = state.ready
        # A batch that has used up its attempts goes to the end of the queue.
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

    def _form(self, state: ProcessState) -> Sequence[Batch]:
        """Make batches of the queue; the encoding happens outside of the lock."""
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
            except Exception as error:  # the str() of the app's own metadata may raise anything
                self._failure_log.unencodable(state, error)
                self._done(state, memory=1, settled=1)
                continue
            if len(item.data) > self._encoder.room_bytes:
                state.drop("too_big")
                self._done(state, memory=1, settled=1)
                continue
            items.append(item)
        if spool is not None:
            try:
                items += spool.take(max(self._batch, size - len(items)))
            except SpoolError as error:
                self._failure_log.log(state, "spool", error, "could not read the spool: %s")
                state.next_spool = 0.0
        return batches(items, size, self._encoder.room_bytes)

    def _settle(self, state: ProcessState, batch: Batch, outcome: Outcome) -> None:
        accepted, dropped, again = outcome.accepted, outcome.dropped, outcome.again
        backoff = state.backoff
        if outcome.trouble == "":
            was_down = backoff.failures
            backoff.succeeded()
            if was_down:
                self._failure_log.recovered(state)
        if accepted:
            state.accepted_batches += 1
            state.last_success = utc_now()
        if outcome.trouble:
            batch.attempts += 1
            if batch.accepted_before is None:
                batch.accepted_before = state.accepted_batches
            if outcome.trouble == "refused":
                self._failure_log.refused(state, outcome)
                backoff.refused()
            else:
                backoff.failed(outcome.retry_after_seconds)
                self._failure_log.failed(state, outcome)
        elif again and len(again) == 1:
            # The collector did not accept a part: try again, but not at once and not forever.
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
                # The collector accepts other batches and fails on an item of this one: search for
                # the item.
                state.ready.extend(batch.halves())
            else:
                dropped = batch.items
                state.drop("gave_up", len(dropped))
            again = ()
        elif outcome.dropped:
            state.drop(outcome.reason, len(dropped))
            self._failure_log.log(
                state,
                "encryption" if outcome.reason == "unencodable" else "transport_send",
                outcome.error or TransportError(outcome.detail),
                "dropped %d items: %s",
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

    def _forget(self, state: ProcessState, items: Sequence[Item]) -> None:
        """Remove settled items from the spool and the counters."""
        spool = state.spool
        placed = [item for item in items if item.place is not None]
        if placed and spool is not None:
            try:
                spool.settle(placed)
            except SpoolError as error:
                self._failure_log.log(state, "spool", error, "could not remove sent events: %s")
        own_file = spool.own if spool is not None else None
        own = sum(item.place is not None and item.place[0] is own_file for item in placed)
        memory = len(items) - len(placed)
        self._done(state, memory=memory, settled=memory + own)

    def _done(self, state: ProcessState, *, memory: int, settled: int) -> None:
        with state.lock:
            if not state.abandoned:
                state.in_hand -= memory
            state.settled += settled
            if state.flushers or state.blocked:
                state.room.notify_all()

    def _care_for_spool(self, state: ProcessState) -> None:
        state.next_spool = time.monotonic() + SPOOL_SECONDS
        spool = self.open_spool(state)
        if spool is None:
            return
        try:
            expired = spool.expire()
            self._done(state, memory=0, settled=expired)
            found, too_old = spool.inherit()
            spool.checkpoint()
        except SpoolError as error:
            self._failure_log.log(state, "spool", error, "could not maintain the spool: %s")
            return
        if found and not state.stopping:
            log.info("sending %d events of an earlier process", found)
        if expired + too_old:
            state.drop("too_old", expired + too_old)

    def send_status(self, state: ProcessState) -> None:
        """Post the status once. A failed report is not repeated before the next interval."""
        sealed = self._encoder.seal_plain(self._status())
        try:
            answer = self._transport(state).request(
                "POST", STATUS_PATH, sealed.body, sealed.headers
            )
            state.status_ok = 200 <= answer.status < 300
        except TransportError:
            state.status_ok = False

    def run_last(self, state: ProcessState) -> None:
        """Send what is queued, until the deadline or until the collector fails once."""
        try:
            while True:
                remaining = state.deadline - time.monotonic()
                if remaining <= 0:
                    break
                outcome = self._send_one(state, remaining)
                if outcome is None or outcome.trouble or (outcome.again and outcome.accepted):
                    break
        except Exception as error:  # the process is ending: nobody can catch this
            state.last_error = repr(error)
        finally:
            spool, state.spool = state.spool, None
            if spool is not None:
                remaining = spool.count
                spool.close()
                state.count("left_in_spool", remaining)
            if state.transport is not None:
                state.transport.close()

    def _transport(self, state: ProcessState) -> Transport:
        if state.transport is None:
            state.transport = Transport(self._config, self.install_id())
        return state.transport

    def install_id(self) -> str:
        """Return the configured installation id, or the machine's."""
        return self._config.install_id or install_id()
