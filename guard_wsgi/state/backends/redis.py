"""``redis://`` and its variants: counts and bans that several machines share.

`limits` makes the connection (one server, TLS, a socket, Sentinel, Cluster, Valkey). The commands
are our own. A counted request runs one script in one round trip, and the answer also has the
version of the bans.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha1
from random import randrange
from typing import Any

from attrs import frozen

from guard_wsgi.state.backend import (
    UNBOUNDED,
    Backend,
    BanChanges,
    BanEntry,
    Peek,
    Strategy,
    Take,
    Taken,
)
from guard_wsgi.state.backends import redis_scripts
from guard_wsgi.state.backends.redis_client import open_client
from guard_wsgi.state.backends.resilient import ResilientBackend
from guard_wsgi.state.budget import TimeBudget
from guard_wsgi.state.fork_pauses import renew_after_fork
from guard_wsgi.state.schemes import SCHEMES
from guard_wsgi.state.settings import StoreSettings

BANS_A_PAGE = 1000
"""How many bans to read at once: about 3 ms of the server and 5 ms here; the rest comes with the
next request."""

JOURNAL_SECONDS = 600
"""How long the journal keeps a lifted ban, for processes that have not read it yet."""

_MOST_ERASURES = 16
"""The most erasures between two reads of one process. After more, the server counts as having lost
the bans."""

_LONGEST_STEP = 2**16
"""The longest step to the next version. So a range of versions has room for at least 65,000 changes
of bans. After them, each process reads all bans again, once."""

_NEVER_THERE = 2
"""The answer of `redis_scripts.BAN_CHANGES` for a version that the server never had."""

_ERASE_SECONDS = 30.0
_MICROSECONDS = 1_000_000


@frozen(slots=True)
class _Script:
    text: str
    digest: str


def _script(text: str) -> _Script:
    return _Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


_LIMIT_SCRIPTS: dict[Strategy, tuple[bytes, _Script]] = {
    "fixed-window": (b"f:", _script(redis_scripts.FIXED_WINDOW)),
    "sliding-window-counter": (b"s:", _script(redis_scripts.SLIDING_WINDOW_COUNTER)),
    "moving-window": (b"m:", _script(redis_scripts.MOVING_WINDOW)),
}
_INCREMENT = _script(redis_scripts.INCREMENT)
_SAVE_BAN = _script(redis_scripts.SAVE_BAN)
_DROP_BAN = _script(redis_scripts.DROP_BAN)
_BAN_CHANGES = _script(redis_scripts.BAN_CHANGES)
_ERASE_BANS = _script(redis_scripts.ERASE_BANS)


class RedisBackend:
    """Counts, bans and values on a Redis or Valkey server."""

    max_bans = UNBOUNDED
    bans_are_shared = True

    def __init__(self, url: str, settings: StoreSettings, budget: TimeBudget) -> None:
        """Prepare a client. It connects on first use.

        :raises ConfigError: if the URI can't be parsed.
        """
        self.scheme = url.partition("://")[0]
        self._cluster = self.scheme.endswith("+cluster")
        library = SCHEMES[self.scheme].package
        self._library = importlib.import_module(library)
        name = "Redis" if library == "redis" else "Valkey"
        self.failures: tuple[type[Exception], ...] = (
            getattr(self._library.exceptions, f"{name}Error"),
            getattr(self._library.exceptions, f"{name}ClusterException"),  # not a subclass of it
            OSError,
        )
        self._url = url
        self._settings = settings
        self._budget = budget
        self._prefix = settings.prefix.encode()
        # The braces put all keys of a script into one slot of a cluster.
        self._ban_keys = tuple(
            b"{%sbans}%s" % (self._prefix, name)
            for name in (b":version", b"", b":journal", b":endings", b":versions")
        )
        self._seen: Callable[[int], None] = _ignore_version
        self._bans_read_at = 0.0
        self._loaded: set[str] = set()
        self._client: Any = None
        self._connecting = threading.Lock()
        if not self._cluster:
            self._connect()  # a cluster's client would read the map now
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        # The client's pool notices the fork and drops the parent's connections. Its locks are free,
        # because `ResilientBackend` pauses calls during a fork.
        self._connecting = threading.Lock()

    # -- limits -------------------------------------------------------------------------------

    def taker(self, strategy: Strategy) -> Take:
        kind, script = _LIMIT_SCRIPTS[strategy]
        prefix = self._prefix + kind
        version_key = () if self._cluster else self._ban_keys[:1]
        run = self._run

        def take(key: str, requests: int, window_seconds: int, cost: int) -> Taken:
            keys = (prefix + key.encode("utf-8", "surrogatepass"), *version_key)
            allowed, remaining, wait_us, version = run(
                script, keys, requests, window_seconds * _MICROSECONDS, cost, 1
            )
            if version_key:
                self._seen(version)
            return bool(allowed), remaining, wait_us / _MICROSECONDS, requests

        return take

    def viewer(self, strategy: Strategy) -> Peek:
        kind, script = _LIMIT_SCRIPTS[strategy]
        prefix = self._prefix + kind

        def view(key: str, requests: int, window_seconds: int, cost: int = 1) -> Taken:
            keys = (prefix + key.encode("utf-8", "surrogatepass"),)
            allowed, remaining, wait_us, _ = self._run(
                script, keys, requests, window_seconds * _MICROSECONDS, cost, 0
            )
            return bool(allowed), remaining, wait_us / _MICROSECONDS, requests

        return view

    def forget(self, strategy: Strategy, key: str, window_seconds: int) -> None:
        kind, _ = _LIMIT_SCRIPTS[strategy]
        self._do("DEL", self._name(kind, key))

    # -- counters and values ------------------------------------------------------------------

    def increment(self, key: str, window_seconds: int, amount: int) -> int:
        name = self._name(b"n:", key)
        return int(self._run(_INCREMENT, (name,), window_seconds * _MICROSECONDS, amount))

    def counted(self, key: str, window_seconds: int) -> int:
        return self.increment(key, window_seconds, 0)

    def drop_counter(self, key: str, window_seconds: int) -> None:
        self._do("DEL", self._name(b"n:", key))

    def read_value(self, key: str) -> bytes | None:
        value: bytes | None = self._do("GET", self._name(b"v:", key))
        return value

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self._do("SET", self._name(b"v:", key), value, "PX", max(1, int(ttl_seconds * 1000)))

    def drop_value(self, key: str) -> None:
        self._do("DEL", self._name(b"v:", key))

    # -- bans ---------------------------------------------------------------------------------

    def save_ban(self, entry: BanEntry) -> None:
        times = f"{entry.expires_at!r}/{entry.seconds!r}"
        record = f"{times} {entry.reason}".encode("utf-8", "replace")
        now = self._settings.clock.wall_ns() / 1e9
        self._run(_SAVE_BAN, self._ban_keys, entry.target, record, entry.expires_at, now, _step())

    def drop_ban(self, target: str) -> bool:
        now = self._settings.clock.wall_ns() / 1e9
        forgets_at = now + JOURNAL_SECONDS
        dropped = self._run(_DROP_BAN, self._ban_keys, target, forgets_at, _step())
        return bool(dropped) and _ban_entry(target.encode(), dropped).expires_at > now

    def ban_changes(self, since: int | None) -> BanChanges | None:
        began = time.monotonic()
        known = since
        if since is None or began - self._bans_read_at > JOURNAL_SECONDS / 2:
            since = -1  # the journal may have forgotten changes since then
        version, reached, complete, *pairs = self._run(
            _BAN_CHANGES, self._ban_keys, since, BANS_A_PAGE
        )
        self._bans_read_at = began
        entries = [_ban_entry(*pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)]
        lost = complete == _NEVER_THERE or (
            bool(complete) and known is not None and _has_lost(known, version)
        )
        return BanChanges(reached, bool(complete), entries, more=reached != version, lost=lost)

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        records = self._do("HMGET", self._ban_keys[1], *targets)
        return [
            _ban_entry(target.encode(), record)
            for target, record in zip(targets, records, strict=True)
            if record is not None
        ]

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        self._seen = seen

    def begin_request(self) -> None:
        self._budget.begin_request()

    # -- upkeep -------------------------------------------------------------------------------

    def size(self) -> int | None:
        return None

    def erase(self) -> None:
        self._budget.allow(_ERASE_SECONDS)
        client = self._connect()
        self._seen(self._run(_ERASE_BANS, self._ban_keys))
        pattern = re.sub(rb"([*?\[\]\\^-])", rb"\\\1", self._prefix)
        batch = []
        for name in client.scan_iter(match=pattern + b"[fsmn]:*", count=1000):
            batch.append(name)
            if self._cluster or len(batch) == 1000:
                self._do("DEL", *batch)
                batch.clear()
        if batch:
            self._do("DEL", *batch)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
            manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
            for sentinel in getattr(manager, "sentinels", ()):
                sentinel.close()

    # -- the wire -----------------------------------------------------------------------------

    def _name(self, kind: bytes, key: str) -> bytes:
        return self._prefix + kind + key.encode("utf-8", "surrogatepass")

    def _do(self, *command: object) -> Any:
        return (self._client or self._connect()).execute_command(*command)

    def _run(self, script: _Script, keys: tuple[bytes, ...], *arguments: object) -> Any:
        client = self._client or self._connect()
        # The first call sends the text, which also loads the script. Trying the digest first would
        # cost a second round trip.
        if script.digest in self._loaded:
            try:
                return client.execute_command(
                    "EVALSHA", script.digest, len(keys), *keys, *arguments
                )
            except self.failures as error:
                if type(error).__name__ != "NoScriptError":
                    raise
        reply = client.execute_command("EVAL", script.text, len(keys), *keys, *arguments)
        self._loaded.add(script.digest)
        return reply

    def _connect(self) -> Any:
        # The call's time limits connecting, and also waiting for another thread that connects.
        if not self._connecting.acquire(timeout=self._budget.remaining_seconds()):
            raise TimeoutError("another thread is connecting")
        try:
            if self._client is None:
                self._client = open_client(self._library, self._url, self._settings, self._budget)
            return self._client
        finally:
            self._connecting.release()


def _ban_entry(target: bytes, record: bytes) -> BanEntry:
    if not record:
        return BanEntry(target.decode(), 0.0, "")
    times, _, reason = record.decode("utf-8", "replace").partition(" ")
    expires_at, _, seconds = times.partition("/")
    return BanEntry(target.decode(), float(expires_at), reason, float(seconds or 0))


def _has_lost(known: int, version: int) -> bool:
    """Whether a server that once was at version ``known`` has lost the bans.

    A new server begins in a random range of versions. Each erasure moves on to the next range.
    """
    if known == 0:
        return False
    erasures = version // redis_scripts.RANGE - known // redis_scripts.RANGE
    return version < known or erasures > _MOST_ERASURES


def _step() -> int:
    """Return a random step to the next version of the bans; it is not secret."""
    return randrange(1, _LONGEST_STEP)


def _ignore_version(version: int) -> None:
    return None


def open_backend(url: str, settings: StoreSettings) -> Backend:
    """Open a Redis or Valkey server, with local counters as a substitute."""
    budget = TimeBudget(settings.timeout_seconds, settings.request_budget_seconds)
    return ResilientBackend(RedisBackend(url, settings, budget), settings, budget)
