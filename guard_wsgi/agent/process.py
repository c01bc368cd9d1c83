"""The state of one process's sender: everything that a fork breaks, in one object."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import datetime

from guard_wsgi.agent.backoff import Backoff
from guard_wsgi.agent.batch import Batch
from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.spool import Spool
from guard_wsgi.agent.transport import Transport
from guard_wsgi.telemetry.events import SecurityEvent, SecurityMetric

Telemetry = SecurityEvent | SecurityMetric

SOURCE_SECONDS = 15.0
"""How often the sender asks the bus whether an interval of metrics is over, in seconds."""


class ProcessState:
    """The state of one process. ``lock`` guards the fields unless a comment says otherwise."""

    def __init__(self, config: AgentConfig) -> None:
        # Re-entrant: a signal handler or a finalizer may queue an event while its thread does.
        self.lock = threading.RLock()
        self.wake = threading.Condition(self.lock)
        self.room = threading.Condition(self.lock)
        self.queue: deque[Telemetry] = deque()
        self.oldest = 0.0
        # Whether the thread knows that something is queued, and that a full batch is.
        self.armed = False
        self.knows_full_batch = False
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
        # Only the sender's thread writes these.
        self.ready: deque[Batch] = deque()
        self.in_hand = 0
        self.accepted_batches = 0
        self.failures: dict[str, int] = {}
        self.backoff = Backoff(config.backoff_factor)
        self.transport: Transport | None = None
        self.next_status = self.started_at + config.status_interval
        self.next_source = self.started_at + SOURCE_SECONDS
        self.next_spool = 0.0
        # Created on first use, under the lock.
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
        """Count items that are not settled yet, in memory and on disk."""
        return len(self.queue) + self.in_hand + (self.spool.count if self.spool else 0)
