"""The agent as the app sees it: one handler per collector, key and project in a process.

It needs no start: the first event starts its thread, and the exit of the process sends what is
left. ``start`` and ``stop`` are for apps that want to decide themselves.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from weakref import finalize

from attrs import evolve, fields

from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.dispatch import MetricSource
from guard_wsgi.agent.routes import ReportedRoutes, RouteSource
from guard_wsgi.agent.rules import DynamicRules, RulesAnswer, read_rules
from guard_wsgi.agent.sender import Sender, stop_within
from guard_wsgi.agent.status import (
    DEGRADED_FAILURE_RATE,
    DEGRADED_FILL,
    UNHEALTHY_FAILURE_RATE,
    UNHEALTHY_FILL,
    AgentStatus,
    Health,
)
from guard_wsgi.agent.transport import Transport, TransportError
from guard_wsgi.forks import track
from guard_wsgi.telemetry.events import SecurityEvent, SecurityMetric, utc_now

log = logging.getLogger("guard_wsgi.agent")

RULES_PATH = "/api/v1/rules"

WAIT_HEADER = "X-Guard-Rules-Wait"
"""The header of an answer with rules: for how many seconds the collector can hold the next
request."""
MAX_WAIT_SECONDS = 10.0
"""Less than the lease under which one of several processes asks (rulescache.py)."""

FLUSH_SECONDS = 5.0
"""The default timeout of ``flush_buffer``."""

_EVENT_FIELDS = tuple(attribute.name for attribute in fields(SecurityEvent))
_METRIC_FIELDS = tuple(attribute.name for attribute in fields(SecurityMetric))


class _Rules:
    """One process's state of fetching rules.

    The first fetch creates it, so that under gevent its lock is gevent's: the lock is held during a
    request to the collector.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.transport: Transport | None = None
        self.known: DynamicRules | None = None
        self.known_until = 0.0
        self.fetched = 0
        self.conversations = threading.local()
        self.open_conversations: list[Transport] = []


class _Conversation:
    """One thread's state of asking for rules: the last answer, and whether it may wait."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.etag = ""
        self.answer = RulesAnswer("unknown")
        self.wait_seconds = 0.0


class GuardAgentHandler:
    """Sends events and metrics to a collector, and gets its rules. Safe for threads and forks.

    :raises MissingExtra: if encryption is configured without the ``crypto`` extra.
    :raises ConfigError: if a spool is configured on a system without file locks.
    """

    def __init__(self, config: AgentConfig) -> None:
        self.config = config
        self.wants_metrics = config.enable_metrics
        self._sender = Sender(config, lambda: self.get_status().as_wire())
        self._rules: dict[int, _Rules] = {}
        self._routes = ReportedRoutes()
        parts = urlsplit(config.endpoint)
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            log.warning("agent_endpoint is plain http: the API key is sent unencrypted")
        track(self)

    # Life

    def start(self) -> None:
        """Accept events again after :meth:`stop`. This starts no thread: the first event does."""
        self._sender.resume()

    def stop(self, timeout: float | None = None) -> None:
        """Send what is left within ``timeout`` seconds (``exit_timeout``), then accept no more
        events."""
        stop_within([self._sender], timeout)
        rules = self._rules_here
        if rules.lock.acquire(blocking=False):  # held while rules are being fetched
            try:
                if rules.transport is not None:
                    rules.transport.close()
                    rules.transport = None
                for transport in rules.open_conversations:
                    transport.close()
            finally:
                rules.lock.release()

    def touch(self) -> None:
        """Send what an earlier process left in the spool. Requests call this, so it is cheap."""
        self._sender.touch()

    # Telemetry

    def send_event(self, event: SecurityEvent | Mapping[str, Any] | object) -> bool:
        """Queue an event and return whether it was accepted. It waits only under the policy
        ``block``.

        Any object with the attributes, or mapping with the keys, of an event works.

        :raises BufferFullError: if the queue is full and the policy is ``raise``.
        :raises TypeError: if it has no ``event_type``.
        """
        if not self.config.enable_events:
            return False
        if isinstance(event, SecurityEvent):
            return self._sender.put(event)
        return self._sender.put(SecurityEvent(**_fields_of(event, _EVENT_FIELDS)))

    def send_metric(self, metric: SecurityMetric | Mapping[str, Any] | object) -> bool:
        """Queue a metric; like :meth:`send_event`."""
        if not self.config.enable_metrics:
            return False
        if isinstance(metric, SecurityMetric):
            return self._sender.put(metric)
        return self._sender.put(SecurityMetric(**_fields_of(metric, _METRIC_FIELDS)))

    def flush_buffer(self, timeout: float = FLUSH_SECONDS) -> bool:
        """Send what is queued. Return whether all of it was settled within ``timeout`` seconds."""
        return self._sender.flush(timeout)

    def add_metric_source(self, source: MetricSource) -> None:
        """Ask a bus for its aggregated metrics even if no request arrives."""
        self._sender.add_source(source)

    def add_route_source(self, source: RouteSource) -> None:
        """Report an app's routes with the status: each template with its limit."""
        self._routes.add(source)

    # Rules

    def get_dynamic_rules(self) -> DynamicRules | None:
        """Return the collector's rules, from memory while their ``ttl`` lasts, else fetched.

        ``None`` if there are none, if they can't be fetched now, or if they are not valid. This
        does network I/O in the calling thread.
        """
        rules = self._rules_here
        with rules.lock:
            if time.monotonic() < rules.known_until:
                return rules.known
        answer = self.fetch_rules()
        with rules.lock:
            rules.known = answer.rules
            if answer.rules is not None:
                rules.known_until = time.monotonic() + answer.rules.ttl
            return rules.known

    def fetch_rules(self) -> RulesAnswer:
        """Ask the collector once, now. "None", "not known" and "not valid" are different
        answers."""
        rules = self._rules_here
        with rules.lock:
            if rules.transport is None:
                rules.transport = Transport(self.config, self._sender.install_id())
            try:
                answer = rules.transport.request("GET", RULES_PATH)
            except TransportError as error:
                return RulesAnswer("unknown", detail=str(error))
            read = read_rules(answer.status, answer.body)
            if read.rules is not None:
                rules.fetched += 1
            return read

    def await_rules(self) -> RulesAnswer:
        """Fetch again, and let the collector hold the request until its answer changes, if it can.

        Use a separate thread: this may wait for :data:`MAX_WAIT_SECONDS`. The first request is the
        same as the existing agent's, byte for byte. So is every request to a collector without long
        polls. A collector offers long polls with an ``ETag`` and :data:`WAIT_HEADER`. The agent
        then asks with ``If-None-Match`` and ``Prefer: wait`` (RFC 9110, 13.1.2; RFC 7240, 4.3).
        """
        rules = self._rules_here
        asked: _Conversation | None = getattr(rules.conversations, "asked", None)
        if asked is None:
            asked = _Conversation(Transport(self.config, self._sender.install_id()))
            rules.conversations.asked = asked
            rules.open_conversations.append(asked.transport)
        headers: dict[str, str] = {}
        if asked.etag:
            headers["If-None-Match"] = asked.etag
            if asked.wait_seconds >= 1:
                # Wait at least a second. A client that asks without waiting comes back only after a
                # minute, and would miss rules that are written just after these have expired.
                wait = max(1, int(min(asked.wait_seconds, _until_expiry(asked.answer))))
                headers["Prefer"] = f"wait={wait}"
        began = time.monotonic()
        try:
            answer = asked.transport.request("GET", RULES_PATH, headers=headers)
        except TransportError as error:
            asked.etag = ""
            return RulesAnswer("unknown", detail=str(error))
        unchanged = answer.status == 304 and bool(asked.etag)
        if not unchanged:
            asked.answer = read_rules(answer.status, answer.body)
            asked.etag = answer.headers.get("etag", "")
        offered = _seconds(answer.headers.get(WAIT_HEADER.lower(), ""))
        asked.wait_seconds = min(offered, MAX_WAIT_SECONDS, self.config.timeout * 0.8)
        # If a collector offers to wait and does not, pause before the next request.
        is_held = not unchanged or time.monotonic() - began >= 0.5
        if asked.answer.rules is not None:
            rules.fetched += 1
        can_wait = bool(asked.etag) and asked.wait_seconds >= 1
        return evolve(asked.answer, ask_again=can_wait and is_held)

    # Health

    def health_check(self) -> bool:
        """False while the agent is stopped, while the collector counts as down, or while the queue
        overflows."""
        state = self._sender.state
        return not (
            state.stopping
            or state.backoff.state in ("open", "parked")
            or self._fill() >= UNHEALTHY_FILL
            or self._failure_rate() > UNHEALTHY_FAILURE_RATE
        )

    def get_status(self) -> AgentStatus:
        """Return the report that the collector gets every ``status_interval``."""
        state = self._sender.state
        errors: list[str] = []
        health: Health = "healthy"
        breaker = state.backoff.state
        if breaker in ("open", "half_open"):
            errors.append("Transport circuit breaker is open")
        if breaker == "parked":
            errors.append("API key refused")
        if self._fill() >= DEGRADED_FILL:
            errors.append("Buffer nearly full")
        if self._failure_rate() > DEGRADED_FAILURE_RATE:
            errors.append(f"High failure rate: {self._failure_rate():.1%}")
        if errors:
            health = "degraded"
        if state.stopping or breaker == "parked":
            health = "failed"
        return AgentStatus(
            status=health,
            uptime=time.monotonic() - state.started_at,
            events_sent=state.counts.get("events_sent", 0),
            events_failed=sum(state.dropped.values()),
            buffer_size=state.pending,
            last_flush=state.last_success,
            errors=tuple(errors),
            circuit_breaker_state=breaker,
            routes=self._routes.limits(),
        )

    def get_stats(self) -> dict[str, Any]:
        """Return counters of this process. ``dropped`` counts each loss under its reason.

        ``state`` is ``idle``, ``running``, ``backing_off``, ``parked`` or ``stopped``;
        ``last_success`` is a datetime, or ``None`` if nothing has arrived yet.
        """
        state = self._sender.state
        with state.lock:
            counts, dropped = dict(state.counts), dict(state.dropped)
            queued, pending = len(state.queue), state.pending
        spool = state.spool
        return {
            "running": not state.stopping,
            "state": self._sender.phase(),
            "uptime": time.monotonic() - state.started_at,
            "events_sent": counts.get("events_sent", 0),
            "metrics_sent": counts.get("metrics_sent", 0),
            "events_failed": sum(dropped.values()),
            "dropped": dropped,
            "queued": state.appended,
            "pending": pending,
            "last_success": state.last_success,
            "last_error": state.last_error,
            "last_status_push_ok": state.status_ok,
            "rules_fetched": self._rules_here.fetched,
            "buffer_stats": {
                "current_buffer_size": queued,
                "in_hand": state.in_hand,
                "buffer_limit": self.config.buffer_size,
                "spooled": spool.count if spool is not None else 0,
                "spooled_bytes": spool.bytes if spool is not None else 0,
                "auto_flush_running": state.thread is not None and state.thread.is_alive(),
                "last_flush_time": state.last_success,
            },
            "transport_stats": {
                "requests_sent": counts.get("requests_sent", 0),
                "requests_failed": counts.get("requests_failed", 0),
                "bytes_sent": counts.get("bytes_sent", 0),
                "circuit_breaker_state": state.backoff.state.upper(),
                "failure_count": state.backoff.failures,
            },
        }

    def after_fork_in_child(self) -> None:
        self._rules = {}

    @property
    def _rules_here(self) -> _Rules:
        """Return the state of this process; setdefault is atomic."""
        pid = os.getpid()
        rules = self._rules.get(pid)
        return rules if rules is not None else self._rules.setdefault(pid, _Rules())

    def _fill(self) -> float:
        state = self._sender.state
        return (len(state.queue) + state.in_hand) / self.config.buffer_size

    def _failure_rate(self) -> float:
        counts = self._sender.state.counts
        failed, sent = counts.get("requests_failed", 0), counts.get("requests_sent", 0)
        return failed / (failed + sent) if failed + sent else 0.0


_handlers: dict[tuple[str, str, str | None], GuardAgentHandler] = {}
"""The one registry of the process: two apps that report to the same project share a thread."""


def guard_agent(config: AgentConfig) -> GuardAgentHandler:
    """Return the process's handler for this endpoint, API key and project.

    The configuration of the first call applies; a different one for the same three logs a warning.
    """
    key = (config.endpoint, config.api_key, config.project_id)
    handler = _handlers.get(key)
    if handler is None:
        handler = _handlers.setdefault(key, GuardAgentHandler(config))
        _stop_at_exit()
    elif handler.config != config:
        log.warning(
            "an agent for this project is already running: the second configuration is ignored"
        )
    return handler


def _stop_all() -> None:
    """Stop all handlers at the process's exit, under one deadline."""
    stop_within([handler._sender for handler in _handlers.values()], None)


def _stop_at_exit() -> None:
    """Register the exit hook, once, after that of :mod:`weakref`.

    Hooks run in reverse order. urllib3 closes its connections by a finalizer, and a connection that
    is opened after the finalizers have run is never closed. The first finalizer of the process
    registers the hook for all finalizers.
    """
    finalize(_stop_all, bool).detach()
    atexit.unregister(_stop_all)
    atexit.register(_stop_all)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def _until_expiry(answer: RulesAnswer) -> float:
    """Return how many seconds the rules remain valid: nobody may wait past their end."""
    if answer.rules is None or answer.rules.expires_at is None:
        return MAX_WAIT_SECONDS
    seconds = (answer.rules.expires_at - utc_now()).total_seconds()
    return seconds if seconds > 0 else MAX_WAIT_SECONDS


def _fields_of(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    """Copy the fields of an event or metric from another package's object or mapping."""
    if isinstance(thing, Mapping):
        return {name: thing[name] for name in names if name in thing}
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}
