"""The interface of all stores: memory, LMDB and servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

from attrs import frozen

Strategy = Literal["fixed-window", "moving-window", "sliding-window-counter"]
STRATEGIES: tuple[Strategy, ...] = ("fixed-window", "moving-window", "sliding-window-counter")

Taken = tuple[bool, int, float, int]
"""allowed, remaining, seconds until more requests pass, and the applied limit (less than requested
while this process applies its share, because the store is down)."""

Take = Callable[[str, int, int, int], Taken]
"""``take(key, requests, window_seconds, cost)``: count, unless that exceeds the limit."""


UNBOUNDED = 2**31 - 1
"""More bans than a site makes."""


class Peek(Protocol):
    """``view(key, requests, window_seconds, cost)``: whether a hit fits, and when. It counts
    nothing."""

    def __call__(self, key: str, requests: int, window_seconds: int, cost: int = 1, /) -> Taken: ...


@frozen(slots=True)
class BanEntry:
    """A ban as stores keep it: ``expires_at`` in epoch seconds, 0.0 for one that was lifted, and
    how many ``seconds`` it was made for (0.0: not known)."""

    target: str
    expires_at: float
    reason: str
    seconds: float = 0.0


@frozen(slots=True)
class BanChanges:
    """The changes of bans up to ``version``; ``None`` if nothing is known.

    :ivar complete: whether ``entries`` has all bans, so that no other address is banned.
    :ivar more: whether there are more entries to read. Until then, other addresses may be banned.
    :ivar lost: whether the store has lost its bans.
    :ivar answered: whether the store has answered at all.
    :ivar includes_lifted: whether ``entries`` includes bans that were lifted recently.
    """

    version: int | None
    complete: bool
    entries: Iterable[BanEntry]
    more: bool = False
    lost: bool = False
    answered: bool = True
    includes_lifted: bool = True


class Backend(Protocol):
    """A place for counts, bans and small values.

    Keys may be any text. If the store can't be reached, methods raise an exception of ``failures``.
    `Store` then follows ``store_failure_policy``, so a backend only names its exceptions. A store
    that several processes share reads the time from ``settings.clock.wall_ns``.
    """

    scheme: str
    """The name in ``store_url``."""
    failures: tuple[type[Exception], ...]
    """What its methods raise while it is down; empty for a store that can't be down."""
    max_bans: int
    """How many bans the store itself keeps."""
    bans_are_shared: bool
    """Whether other processes write the same bans, so that this one must read them again."""

    def taker(self, strategy: Strategy) -> Take:
        """Return the function that counts hits by ``strategy``.

        :raises ConfigError: if the store lacks that strategy.
        """
        ...

    def viewer(self, strategy: Strategy) -> Peek:
        """Return the function that reads the state of a key by ``strategy``."""
        ...

    def forget(self, strategy: Strategy, key: str, window_seconds: int) -> None:
        """Forget the counts of ``taker(strategy)`` for the key."""
        ...

    def increment(self, key: str, window_seconds: int, amount: int) -> int:
        """Add to a counter; return its count (see `windows.count_in_halves`)."""
        ...

    def counted(self, key: str, window_seconds: int) -> int:
        """Return the counter's value; 0 if there is none."""
        ...

    def drop_counter(self, key: str, window_seconds: int) -> None:
        """Set a counter to zero."""
        ...

    def read_value(self, key: str) -> bytes | None:
        """Return a value; ``None`` if there is none or its time is over."""
        ...

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep a value for some seconds. It replaces an earlier one."""
        ...

    def drop_value(self, key: str) -> None:
        """Delete a value, if there is one."""
        ...

    def save_ban(self, entry: BanEntry) -> None:
        """Add a ban, or replace the ban of the same target. The version of the bans increases."""
        ...

    def drop_ban(self, target: str) -> bool:
        """Lift a ban. Return whether there was one that hadn't expired."""
        ...

    def ban_changes(self, since: int | None) -> BanChanges | None:
        """Return the changes of bans after version ``since``; all bans for ``None``.

        Versions are numbers that only increase, from any first one.

        :return: ``None`` if bans do not apply now (store down, policy ``allow``).
        """
        ...

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        """Ask the store itself which targets are banned; the result includes ended bans.

        A target is an address or a network, as :meth:`save_ban` gets it; the caller lists all
        networks that contain an address.
        """
        ...

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        """Call ``seen`` with the version of the bans whenever another answer contains it."""
        ...

    def begin_request(self) -> None:
        """Start the time budget that all calls of one request in this thread share.

        It does nothing in a store that never waits.
        """
        ...

    def size(self) -> int | None:
        """Return the number of counted keys, if that is cheap to know."""
        ...

    def erase(self) -> None:
        """Forget every count and every ban. Values stay: they are caches, not counts."""
        ...

    def close(self) -> None:
        """Close files and connections."""
        ...
