"""Keeps the collector's rules in force: fetches them, applies them, and ends expired ones.

Each process has one thread. Among the processes that share a store, one fetches; the others find
its result in the store within seconds. The first request starts the thread, never before a fork.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from guard_wsgi.agent.rules import DynamicRules, RulesAnswer
from guard_wsgi.agent.rulescache import CachedRules, RulesCache
from guard_wsgi.forks import track
from guard_wsgi.network.background import BackgroundLoop
from guard_wsgi.repeats import is_reported

if TYPE_CHECKING:
    from guard_wsgi.state.store import Store

log = logging.getLogger("guard_wsgi.agent")

LOOK_SECONDS = 2.0
"""Seconds between looks at the store for rules that another process fetched, and at the expiry."""
ERROR_SECONDS = 60.0
"""The longest delay between attempts while the collector does not answer."""
MIN_INTERVAL_SECONDS = 60.0
SAVE_SECONDS = 30.0
"""How old the last known rules may get in store and file while the collector keeps answering."""


class RulesSource(Protocol):
    """The source of rules: the agent's handler."""

    def fetch_rules(self) -> RulesAnswer: ...
    def await_rules(self) -> RulesAnswer: ...


class _State:
    """State of one process. The process that uses it creates it, so that under gevent its lock,
    which is held while rules are fetched, is a lock of gevent."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.has_begun = False
        self.next_fetch = 0.0
        self.ask_again = False


class RulesPoller:
    """Calls ``apply`` with each new set of rules, and ``restore`` when the rules end.

    :param apply: puts rules into force, all or none; it rejects them by raising.
    :param restore: puts the app's own configuration back.
    :param emit: the bus's ``emit``.
    :param store: shared state; without it every process fetches for itself.
    :param cache_path: a file for the last known rules.
    :param interval_seconds: the time between fetches; the rules' ``ttl`` shortens it, to no less
        than a minute.
    """

    def __init__(
        self,
        source: RulesSource,
        apply: Callable[[DynamicRules], object],
        restore: Callable[[], object],
        *,
        emit: Callable[..., object] | None = None,
        store: Store | None = None,
        cache_path: str | None = None,
        interval_seconds: float = 300.0,
    ) -> None:
        self._source = source
        self._apply = apply
        self._restore = restore
        self._emit_to = emit
        self._cache = RulesCache(store, cache_path)
        self._interval = interval_seconds
        self._states: dict[int, _State] = {}
        self._loop = BackgroundLoop("guard-wsgi-rules", self._step)
        self._rejected: DynamicRules | None = None
        self._failures = 0
        self._saved = CachedRules(None, 0.0)
        self.current: DynamicRules | None = None
        track(self)

    def touch(self) -> None:
        """Start the thread if this process has none. Every request calls this; it takes 0.1 us."""
        self._loop.ensure_running()

    def poll(self) -> None:
        """Fetch and apply now, in the calling thread. The background thread uses it; so may tools
        and tests.

        Never raises.
        """
        state = self._state()
        with state.lock:
            self._fetch(state, self._source.fetch_rules())

    def stop(self, timeout: float = 1.0) -> None:
        """Stop this process's thread. The rules in force stay."""
        self._loop.close(timeout)

    def after_fork_in_child(self) -> None:
        self._states = {}

    def _state(self) -> _State:
        # setdefault is atomic: all threads of a process get the same state.
        return self._states.get(os.getpid()) or self._states.setdefault(os.getpid(), _State())

    def _step(self) -> float:
        """Look once. Return the seconds to wait before the next look."""
        state = self._state()
        try:
            with state.lock:
                if not state.has_begun:
                    state.has_begun = True
                    self._begin()
                    return 0.0
                self._look(state)
        except Exception as error:  # a fault here must not end the rules for good
            log.warning("could not apply the dynamic rules: %r", error)
            state.next_fetch = time.time() + ERROR_SECONDS
            state.ask_again = False
        return 0.0 if state.ask_again else LOOK_SECONDS * random.uniform(0.75, 1.25)

    def _begin(self) -> None:
        """Apply the last known rules before fetching, so that a restart leaves no gap."""
        known = self._cache.load()
        if known is not None:
            self._take(known.rules, is_new=False)

    def _look(self, state: _State) -> None:
        if self.current is not None and self.current.has_expired():
            self._let_go("dynamic_rule_expired")
        self._take_shared(state)
        if time.time() >= state.next_fetch:
            if not self._cache.claim():  # another process asks, and shares the answer in the store
                state.ask_again = False
                return
            try:
                # Another process may have fetched between our read and our claim.
                self._take_shared(state)
                if time.time() >= state.next_fetch:
                    self._fetch(state, self._source.await_rules())
            finally:
                self._cache.release()

    def _take_shared(self, state: _State) -> None:
        known = self._cache.shared()
        if known is not None:
            self._take(known.rules, is_new=False)
            if not state.ask_again:
                self._schedule(state, known)

    def _schedule(self, state: _State, known: CachedRules) -> None:
        interval = self._interval
        if known.rules is not None:
            interval = min(interval, max(known.rules.ttl, MIN_INTERVAL_SECONDS))
        state.next_fetch = max(state.next_fetch, known.fetched_at + interval)

    def _fetch(self, state: _State, answer: RulesAnswer) -> None:
        now = time.time()
        state.ask_again = answer.ask_again
        if answer.kind == "unknown":
            self._failures += 1
            if is_reported(self._failures):
                log.warning(
                    "could not fetch dynamic rules (%d times in a row); the last known rules"
                    " stay active: %s",
                    self._failures,
                    answer.detail,
                )
            pause = min(self._interval, ERROR_SECONDS)
            state.next_fetch = now + pause * random.uniform(0.5, 1.0)
            return
        self._failures = 0
        if answer.kind == "invalid":
            self._reject(None, answer.detail)
            state.next_fetch = now + self._interval
            return
        known = CachedRules(answer.rules, now)
        self._take(answer.rules, is_new=True)
        if known.rules is not self._saved.rules or now - self._saved.fetched_at >= SAVE_SECONDS:
            self._cache.save(known)
            self._saved = known
        state.next_fetch = 0.0
        if not answer.ask_again:
            self._schedule(state, known)

    def _take(self, rules: DynamicRules | None, *, is_new: bool) -> None:
        """Put rules into force if they differ from the current ones."""
        if rules is None:
            if self.current is not None:
                self._let_go("dynamic_rule_updated")
            return
        if rules.has_expired() or not rules.replaces(self.current):
            return
        if self._rejected is not None and not rules.replaces(self._rejected):
            return
        if is_new:
            self._emit("dynamic_rule_updated", rules)
        try:
            self._apply(rules)
        except Exception as error:  # apply compiles a whole policy: all rules or none
            self._rejected = rules
            self._reject(rules, str(error))
            return
        before, self.current, self._rejected = self.current, rules, None
        log.info("dynamic rules %s, version %d, are active", rules.rule_id, rules.version)
        self._emit("dynamic_rule_applied", rules)
        was_emergency = before is not None and before.emergency_mode
        if rules.emergency_mode != was_emergency:
            self._emit_emergency(rules, rules.emergency_mode)

    def _let_go(self, event_type: str) -> None:
        before = self.current
        if before is None:
            return
        self._restore()
        self.current = None
        log.info("dynamic rules %s are no longer active", before.rule_id)
        self._emit(event_type, before, reason="the collector has no rules")
        if before.emergency_mode:
            self._emit_emergency(before, False)

    def _reject(self, rules: DynamicRules | None, detail: str) -> None:
        log.error("rejected the dynamic rules as a whole: %s", detail)
        self._emit("dynamic_rule_rejected", rules, reason=detail)

    def _emit_emergency(self, rules: DynamicRules, is_on: bool) -> None:
        self._emit(
            "emergency_mode_activated" if is_on else "emergency_mode_deactivated",
            rules,
            reason=rules.message or "",
        )

    def _emit(self, event_type: str, rules: DynamicRules | None, reason: str = "") -> None:
        if self._emit_to is None:
            return
        reported: dict[str, Any] = {}
        if rules is not None:
            reported = {"rule_id": rules.rule_id, "rule_version": rules.version}
            reason = reason or rules.message or ""
        self._emit_to(event_type, None, reason=reason, **reported)
