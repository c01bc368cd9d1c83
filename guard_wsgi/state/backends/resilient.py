"""A store that may fail, and its substitute meanwhile.

Each store has one breaker. While it is open, each feature follows its policy: ``local`` counts in
this process, within this process's share of the limit when the number of workers is known;
``allow`` and ``deny`` don't count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from attrs import evolve

from guard_wsgi.errors import StoreError
from guard_wsgi.state.backend import (
    Backend,
    BanChanges,
    BanEntry,
    Peek,
    Strategy,
    Take,
    Taken,
)
from guard_wsgi.state.backends.breaker import Breaker
from guard_wsgi.state.backends.memory import MemoryStorage
from guard_wsgi.state.budget import TimeBudget
from guard_wsgi.state.fork_pauses import RunningCalls, renew_after_fork
from guard_wsgi.state.settings import Feature, StoreSettings

MAX_PENDING_BANS = 10_000
"""The most bans to remember that were made while the store was down. They are sent when it is
back."""

PENDING_AT_ONCE = 100
"""How many of those one request sends."""

_NOTHING = object()

Result = TypeVar("Result")


class ResilientBackend:
    """Asks ``main`` while it answers; otherwise this process counts."""

    bans_are_shared = True

    def __init__(self, main: Backend, settings: StoreSettings, budget: TimeBudget | None) -> None:
        """:param budget: of the requests; ``None`` for a store that has nothing to wait for."""
        self.scheme = main.scheme
        self.max_bans = main.max_bans
        self.failures: tuple[type[Exception], ...] = ()
        self.breaker = Breaker(main.scheme, on_change=settings.on_change, clock=settings.clock)
        self._main = main
        self._settings = settings
        self._policies = settings.policies
        self._budget = budget
        # Calls to a server are cut at the timeout; on a busy machine their threads end later.
        self._calls = None if budget is None else RunningCalls(2 * settings.timeout_seconds)
        self._local = MemoryStorage(max_keys=settings.max_keys, clock=settings.clock)
        self._pending: dict[str, BanEntry | None] = {}
        self._pending_lock = threading.Lock()
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        self._pending_lock = threading.Lock()

    def begin_request(self) -> None:
        if self._budget is not None:
            self._budget.begin_request()

    # -- limits -------------------------------------------------------------------------------

    def taker(self, strategy: Strategy) -> Take:
        main_take, local_take = self._main.taker(strategy), self._local.taker(strategy)
        breaker, failures = self.breaker, self._main.failures
        if self._budget is None:
            # Optimization: `_ask` written out, for LMDB's sake, whose hits take microseconds.
            def take(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
                if breaker.closed or breaker.admits_probe():
                    try:
                        verdict = main_take(key, requests, window_seconds, cost)
                    except failures as error:
                        breaker.failed(error)
                    except BaseException:
                        breaker.abandoned()
                        raise
                    else:
                        if breaker.failures:
                            breaker.succeeded()
                        return verdict
                return take_locally(key, requests, window_seconds, cost)

        else:

            def take(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
                verdict = self._ask(main_take, key, requests, window_seconds, cost)
                if verdict is not None:
                    return verdict
                return take_locally(key, requests, window_seconds, cost)

        def take_locally(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
            if self._may("rate_limit"):
                return local_take(key, self._share(requests), window_seconds, cost)
            return True, requests, 0.0, requests

        return take

    def viewer(self, strategy: Strategy) -> Peek:
        main_view, local_view = self._main.viewer(strategy), self._local.viewer(strategy)

        def view(key: str, requests: int, window_seconds: int, cost: int = 1) -> Taken:
            verdict = self._ask(main_view, key, requests, window_seconds, cost)
            if verdict is not None:
                return verdict
            if self._may("rate_limit"):
                return local_view(key, self._share(requests), window_seconds, cost)
            return True, requests, 0.0, requests

        return view

    def forget(self, strategy: Strategy, key: str, window_seconds: int) -> None:
        self._local.forget(strategy, key, window_seconds)
        if self._ask(_done(self._main.forget), strategy, key, window_seconds) is None:
            self._may("rate_limit")

    def _share(self, requests: int) -> int:
        workers = self._settings.worker_count
        return requests if workers is None else max(1, requests // workers)

    # -- counters and values ------------------------------------------------------------------

    def increment(self, key: str, window_seconds: int, amount: int) -> int:
        count = self._ask(self._main.increment, key, window_seconds, amount)
        if count is not None:
            return count
        return self._local.increment(key, window_seconds, amount) if self._may("counters") else 0

    def counted(self, key: str, window_seconds: int) -> int:
        count = self._ask(self._main.counted, key, window_seconds)
        if count is not None:
            return count
        return self._local.counted(key, window_seconds) if self._may("counters") else 0

    def drop_counter(self, key: str, window_seconds: int) -> None:
        self._local.drop_counter(key, window_seconds)
        if self._ask(_done(self._main.drop_counter), key, window_seconds) is None:
            self._may("counters")

    def read_value(self, key: str) -> bytes | None:
        answer = self._ask(_wrapped(self._main.read_value), key)
        if answer is not None:
            return answer[0]
        return self._local.read_value(key) if self._may("counters") else None

    def ask_value(self, key: str) -> bytes | None:
        """Ask the store itself.

        :raises StoreError: if it is down, whatever the policy.
        """
        answer = self._ask(_wrapped(self._main.read_value), key)
        if answer is None:
            raise StoreError(f"store {self.scheme} is down: {self.breaker.last_error}")
        return answer[0]

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self._local.write_value(key, value, ttl_seconds)
        if self._ask(_done(self._main.write_value), key, value, ttl_seconds) is None:
            self._may("counters")

    def drop_value(self, key: str) -> None:
        self._local.drop_value(key)
        if self._ask(_done(self._main.drop_value), key) is None:
            self._may("counters")

    # -- bans ---------------------------------------------------------------------------------

    def save_ban(self, entry: BanEntry) -> None:
        if self._ask(_done(self._main.save_ban), entry) is None:
            self._keep(entry.target, entry)
            self._may("bans")
        else:
            self._supersede(entry.target, entry)

    def drop_ban(self, target: str) -> bool:
        was_banned = self._ask(self._main.drop_ban, target)
        if was_banned is None:
            self._keep(target, None)
            self._may("bans")
            return False
        self._supersede(target, None)
        return was_banned

    def ban_changes(self, since: int | None) -> BanChanges | None:
        if self._pending:
            self._send_pending()
        changes = self._ask(self._main.ban_changes, since)
        if changes is not None:
            if changes.complete and self._pending:
                # A ban that the store does not know yet applies all the same.
                pending = [entry for entry in tuple(self._pending.values()) if entry is not None]
                return evolve(changes, entries=[*changes.entries, *pending])
            return changes
        # Policy local: the known bans hold. Nothing new is known, so the version stays.
        return BanChanges(since, False, (), answered=False) if self._may("bans") else None

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        found = self._ask(self._main.find_bans, targets)
        if found is None:
            self._may("bans")
            return ()  # policy local: what this process knows, it has looked up already
        return found

    @property
    def waits(self) -> bool:
        """Whether a call may wait for another machine."""
        return self._budget is not None

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        self._main.on_ban_version(seen)

    def _keep(self, target: str, entry: BanEntry | None) -> None:
        with self._pending_lock:
            if target in self._pending or len(self._pending) < MAX_PENDING_BANS:
                self._pending[target] = entry

    def _supersede(self, target: str, entry: BanEntry | None) -> None:
        """The latest write decides about a target: an older one that waits, or is being sent now,
        must not overwrite it."""
        if self._pending:
            with self._pending_lock:
                if target in self._pending:
                    self._pending[target] = entry

    def _send_pending(self) -> None:
        """Send bans that were made and lifted while the store was down, until it fails again.

        If the store refuses one, it is tried again later, after the others.
        """
        for _ in range(min(len(self._pending), PENDING_AT_ONCE)):
            with self._pending_lock:
                target, entry = next(iter(self._pending.items()), (None, None))
            if target is None:
                return
            if entry is None:
                reported = self._ask(self._main.drop_ban, target) is not None
            else:
                reported = self._ask(_done(self._main.save_ban), entry) is not None
            with self._pending_lock:
                if self._pending.get(target, _NOTHING) is entry:
                    del self._pending[target]
                    if not reported:
                        self._pending[target] = entry
            if not reported and not self.breaker.closed:
                return

    # -- upkeep -------------------------------------------------------------------------------

    def size(self) -> int | None:
        if not self.breaker.closed:
            return self._local.size()
        return self._main.size()

    def erase(self) -> None:
        self._local.erase()
        if self._calls is not None:
            self._calls.begin()
        try:
            self._main.erase()
        except self._main.failures as error:
            self.breaker.failed(error)
            raise StoreError(f"store {self.scheme} could not be erased: {error}") from error
        finally:
            if self._calls is not None:
                self._calls.end()
        self._pending.clear()

    def close(self) -> None:
        self._main.close()

    def _ask(self, call: Callable[..., Result], *args: object) -> Result | None:
        """Return ``call(*args)`` if the store may be asked and answers, else ``None``."""
        breaker, budget, calls = self.breaker, self._budget, self._calls
        if not breaker.closed and not breaker.admits_probe():
            return None
        if budget is not None and not budget.begin_call():
            if not breaker.closed:
                breaker.abandoned()
            return None
        if calls is not None:
            calls.begin()
        try:
            result = call(*args)
        except self._main.failures as error:
            breaker.failed(error)
            return None
        except BaseException:
            breaker.abandoned()
            raise
        finally:
            if calls is not None:
                calls.end()
            if budget is not None:
                budget.end_call()
        breaker.succeeded()
        return result

    def _may(self, feature: Feature) -> bool:
        """Whether this process counts instead of the store.

        :raises StoreError: if the policy is to deny.
        """
        policy = self._policies[feature]
        if policy == "deny":
            raise StoreError(f"store {self.scheme} is down: {self.breaker.last_error}")
        return policy == "local"


def _done(call: Callable[..., None]) -> Callable[..., bool]:
    """Wrap a call that returns nothing, so that it returns that it was done."""

    def done(*args: object) -> bool:
        call(*args)
        return True

    return done


def _wrapped(call: Callable[..., Result]) -> Callable[..., tuple[Result]]:
    """Wrap a call that may return ``None``, to distinguish that from no answer."""

    def wrapped(*args: object) -> tuple[Result]:
        return (call(*args),)

    return wrapped
