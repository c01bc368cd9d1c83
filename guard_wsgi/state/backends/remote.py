"""``memcached://`` and ``mongodb://``: `limits` counts, and bans are a document.

Redis is the better choice: a counted request is one round trip there, and two or three here. A
limit is as exact as `limits` makes it: on memcached, a race at the limit may refuse an allowed hit,
but never lets one too many through.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from math import floor
from typing import Any

from limits.errors import ConcurrentUpdateError, ConfigurationError
from limits.storage import storage_from_string

from guard_wsgi.errors import ConfigError, StoreError
from guard_wsgi.state.backend import Backend, BanChanges, BanEntry, Peek, Strategy, Take, Taken
from guard_wsgi.state.backends.documents import Documents, MemcachedDocuments, MongoDocuments
from guard_wsgi.state.backends.resilient import ResilientBackend
from guard_wsgi.state.budget import TimeBudget
from guard_wsgi.state.clock import NANOSECONDS
from guard_wsgi.state.fork_pauses import renew_after_fork
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.windows import sliding_wait

log = logging.getLogger("guard_wsgi.state")

MAX_BANS = 5_000
"""The most bans, in one document of at most about half a megabyte; memcached's items may have one
megabyte."""

MIN_SECONDS = 600.0
"""How long the document is kept after the last ban was lifted: a store without it has lost it, and
workers write it again."""

_SAFE_KEY = re.compile(r"[!-~]{1,200}\Z")
"""The longest key. Memcached's keys are printable, without blanks, and at most 250 bytes long;
`limits` needs some of these."""


_Bans = dict[str, tuple[float, str, float]]
"""Target -> when it ends, why, and how many seconds it was made for."""


class LimitsBackend:
    """Counts, bans and values on a store that `limits` supports and this package doesn't."""

    bans_are_shared = True

    def __init__(self, url: str, settings: StoreSettings, budget: TimeBudget) -> None:
        """It connects on first use, not here.

        :raises ConfigError: if the URI can't be parsed.
        """
        self.scheme = url.partition("://")[0]
        self.max_bans = MAX_BANS
        self._is_full = False
        self._is_memcached = self.scheme == "memcached"
        self._url = url
        self._settings = settings
        self._budget = budget
        self._prefix = settings.prefix
        self._pool: Any = None
        self._storage: Any = self._open()
        self.failures: tuple[type[Exception], ...] = (
            self._storage.base_exceptions,
            ConcurrentUpdateError,
            OSError,
            StoreError,
        )
        self._documents = self._open_documents()
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        # Connections, and MongoDB's threads, belong to the parent.
        self._pool = None
        self._storage = self._open()
        self._documents = self._open_documents()

    # -- limits -------------------------------------------------------------------------------

    def taker(self, strategy: Strategy) -> Take:
        """:raises ConfigError: for a moving window on memcached, which has no lists."""
        self._require(strategy)
        kind = strategy[0]

        def take(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
            name = self._name(kind, key)
            storage = self._storage
            if strategy == "fixed-window":
                count = storage.incr(name, window_seconds, cost)
                if count > requests:
                    self._give_back(name, window_seconds, cost)
                    return False, max(0, requests - count + cost), self._left(name), requests
                return True, requests - count, self._left(name), requests
            if strategy == "moving-window":
                allowed = storage.acquire_entry(name, requests, window_seconds, cost)
            else:
                allowed = storage.acquire_sliding_window_entry(name, requests, window_seconds, cost)
            _, remaining, wait, _ = self._view(strategy, name, requests, window_seconds, cost)
            return allowed, remaining, wait, requests

        return take

    def viewer(self, strategy: Strategy) -> Peek:
        """:raises ConfigError: for a moving window on memcached."""
        self._require(strategy)
        kind = strategy[0]

        def view(key: str, requests: int, window_seconds: int, cost: int = 1) -> Taken:
            return self._view(strategy, self._name(kind, key), requests, window_seconds, cost)

        return view

    def forget(self, strategy: Strategy, key: str, window_seconds: int) -> None:
        name = self._name(strategy[0], key)
        if strategy == "sliding-window-counter" and self._is_memcached:
            for window in self._storage.sliding_window_keys(name, window_seconds, time.time()):
                self._clear(window)
        else:
            self._clear(name)

    def _clear(self, name: str) -> None:
        if self._is_memcached:
            self._documents.delete(name)  # `limits` wouldn't wait for it to be done
        else:
            self._storage.clear(name)

    def _require(self, strategy: Strategy) -> None:
        if strategy == "moving-window" and not hasattr(self._storage, "acquire_entry"):
            raise ConfigError(
                [
                    f"{self.scheme} does not support rate_limit_strategy moving-window: choose"
                    " another strategy"
                ]
            )

    def _view(
        self, strategy: Strategy, name: str, requests: int, window_seconds: int, cost: int
    ) -> Taken:
        """Return the state of a key, and the time until ``cost`` more fits, if it doesn't now."""
        storage = self._storage
        if strategy == "fixed-window":
            remaining = max(0, requests - storage.get(name))
            return remaining >= cost, remaining, self._left(name) or window_seconds, requests
        if strategy == "moving-window":
            oldest, count = storage.get_moving_window(name, requests, window_seconds)
            remaining = max(0, requests - count)
            wait = max(0.0, (oldest or time.time()) + window_seconds - time.time())
            return remaining >= cost, remaining, wait, requests
        previous, previous_left, current, current_ttl = storage.get_sliding_window(
            name, window_seconds
        )
        seconds_left = previous_left or max(0.0, current_ttl - window_seconds) or window_seconds
        used = floor(previous * seconds_left / window_seconds) + current
        remaining = max(0, requests - used)
        window_ns = window_seconds * NANOSECONDS
        left_ns = min(window_ns, int(seconds_left * NANOSECONDS))
        wait_ns = sliding_wait(previous, current, left_ns, window_ns, requests, cost)
        return remaining >= cost, remaining, (wait_ns or left_ns) / NANOSECONDS, requests

    def _left(self, name: str) -> float:
        expires_at: float = self._storage.get_expiry(name)
        return max(0.0, expires_at - time.time())

    def _give_back(self, name: str, window_seconds: int, amount: int) -> None:
        """Subtract a refused hit, which `limits` has counted."""
        if self._is_memcached:
            self._storage.storage.decr(name, amount)
        else:
            self._storage.incr(name, window_seconds, -amount)

    # -- counters and values ------------------------------------------------------------------

    def increment(self, key: str, window_seconds: int, amount: int) -> int:
        before, name = self._halves(key, window_seconds)
        count = self._storage.incr(name, window_seconds, amount)
        return int(count) + int(self._storage.get(before))

    def counted(self, key: str, window_seconds: int) -> int:
        return sum(int(self._storage.get(name)) for name in self._halves(key, window_seconds))

    def drop_counter(self, key: str, window_seconds: int) -> None:
        for name in self._halves(key, window_seconds):
            self._clear(name)

    def _halves(self, key: str, window_seconds: int) -> tuple[str, str]:
        """Return the counters of the previous half of a window, and of the current half."""
        number = int(time.time() / (window_seconds / 2))
        return self._name("c", f"{key}/{number - 1}"), self._name("c", f"{key}/{number}")

    def read_value(self, key: str) -> bytes | None:
        record = self._documents.get(self._name("v", key))
        if record is None:
            return None
        expires_at, _, value = record.partition(b" ")
        return value if float(expires_at) > time.time() else None

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None:
        # The exact end is kept beside it: memcached rounds to seconds.
        record = f"{time.time() + ttl_seconds!r} ".encode() + value
        self._documents.set(self._name("v", key), record, ttl_seconds + 1)

    def drop_value(self, key: str) -> None:
        self._documents.delete(self._name("v", key))

    # -- bans ---------------------------------------------------------------------------------

    def save_ban(self, entry: BanEntry) -> None:
        def change(bans: _Bans) -> bool:
            bans[entry.target] = (entry.expires_at, entry.reason, entry.seconds)
            return True

        self._change_bans(change)

    def drop_ban(self, target: str) -> bool:
        was_banned = False

        def change(bans: _Bans) -> bool:
            nonlocal was_banned
            was_banned = target in bans
            bans.pop(target, None)
            return was_banned

        self._change_bans(change)
        return was_banned

    def ban_changes(self, since: int | None) -> BanChanges | None:
        version, bans = _bans(self._documents.get(self._name("b", "bans")))
        if version == since:
            return BanChanges(version, False, (), includes_lifted=False)
        entries = [BanEntry(target, *record) for target, record in bans.items()]
        lost = since is not None and version < since
        return BanChanges(version, True, entries, lost=lost, includes_lifted=False)

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        _, bans = _bans(self._documents.get(self._name("b", "bans")))
        return [BanEntry(target, *bans[target]) for target in targets if target in bans]

    def _change_bans(self, change: Callable[[_Bans], bool]) -> None:
        def change_document(document: bytes | None) -> tuple[bytes, float] | None:
            _, bans = _bans(document)
            if not change(bans):
                return None
            now = time.time()
            kept = sorted(
                ((target, *record) for target, record in bans.items() if record[0] > now),
                key=lambda ban: ban[1],
            )
            self._report_drops(len(kept))
            kept = kept[-self.max_bans :]
            # The time is the version: it goes on rising after the store has lost everything.
            version = time.time_ns()
            ends_in = max(kept[-1][1] - now if kept else 0.0, MIN_SECONDS)
            return json.dumps({"version": version, "bans": kept}).encode(), ends_in

        self._documents.change(self._name("b", "bans"), change_document)

    def _report_drops(self, bans: int) -> None:
        was_full, self._is_full = self._is_full, bans > self.max_bans
        if self._is_full and not was_full:
            log.error("%s keeps %d bans: dropping those that end first", self.scheme, self.max_bans)

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        return None  # no answer brings it along

    def begin_request(self) -> None:
        self._budget.begin_request()

    # -- upkeep -------------------------------------------------------------------------------

    def size(self) -> int | None:
        return None

    def erase(self) -> None:
        """:raises StoreError: on memcached, which can't distinguish our keys from others."""

        def change(bans: _Bans) -> bool:
            bans.clear()
            return True

        self._change_bans(change)
        if self._is_memcached:
            raise StoreError("memcached can't delete single keys of the guard: run its flush_all")
        for collection in (self._storage.counters, self._storage.windows):
            collection.delete_many({"_id": {"$regex": f"^{re.escape(self._prefix)}"}})

    def close(self) -> None:
        client = self._pool if self._is_memcached else self._storage._storage
        if client is not None:
            with suppress(*self.failures):
                client.close()

    def _name(self, kind: str, key: str) -> str:
        name = f"{self._prefix}{kind}:{key}"
        if _SAFE_KEY.match(name):
            return name
        digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=24).hexdigest()
        # "#" keeps it from being some other key's plain name.
        return f"#{digest}" if self._is_memcached else f"{self._prefix}#{digest}"

    def _open(self) -> Any:
        timeout_seconds = self._settings.timeout_seconds
        milliseconds = max(1, int(timeout_seconds * 1000))
        options: dict[str, Any]
        if self._is_memcached:
            options = {
                "connect_timeout": timeout_seconds,
                "timeout": timeout_seconds,
                "client_getter": self._shared_pool,
            }
            if "," in self._url:
                options["retry_attempts"] = 0
        else:
            options = {
                "serverSelectionTimeoutMS": milliseconds,
                "connectTimeoutMS": milliseconds,
                "socketTimeoutMS": milliseconds,
                "timeoutMS": milliseconds,
                "retryWrites": False,
                "retryReads": False,
            }
        try:
            return storage_from_string(self._url, **{**options, **self._settings.options})
        except (ConfigurationError, ValueError) as error:
            raise ConfigError([f"store_url {self.scheme}://: {error}"]) from error

    def _shared_pool(self, module: Any, hosts: list[Any], **options: Any) -> Any:
        """Make one pool for all threads; `limits` would open one in each, and close none."""
        if self._pool is None:
            if len(hosts) > 1:
                self._pool = module.HashClient(hosts, use_pooling=True, **options)
            else:
                self._pool = module.PooledClient(*hosts, **options)
        return self._pool

    def _open_documents(self) -> Documents:
        storage = self._storage
        if self._is_memcached:
            return MemcachedDocuments(lambda: storage.storage)
        return MongoDocuments(
            lambda: storage.counters.database, storage.lib_errors.DuplicateKeyError
        )


def _bans(document: bytes | None) -> tuple[int, _Bans]:
    """Return the version and the bans of a document; version 0 if there is none, or it isn't
    ours."""
    try:
        read = json.loads(document or b"{}")
        return int(read.get("version", 0)), {
            str(target): (float(expires_at), str(reason), float(seconds[0] if seconds else 0.0))
            for target, expires_at, reason, *seconds in read.get("bans", ())
        }
    except (ValueError, TypeError, AttributeError):
        return 0, {}


def open_backend(url: str, settings: StoreSettings) -> Backend:
    """Open a server through `limits`, with local counters as a substitute."""
    budget = TimeBudget(settings.timeout_seconds, settings.request_budget_seconds)
    return ResilientBackend(LimitsBackend(url, settings, budget), settings, budget)
