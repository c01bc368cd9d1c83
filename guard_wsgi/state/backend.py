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
    """``view(key, requests, window_seconds, cost)``: would it fit, and when? Counts nothing."""

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

    ``complete``: ``entries`` lists all bans, so others are not banned. ``more``: there are further
    entries to read; until then, no other address is known to be free. ``lost``: the store has lost
    its bans. ``learnt``: whether the store has answered at all. ``tells_lifted``: whether bans that
    were lifted of late are among the entries.
    """

    version: int | None
    complete: bool
    entries: Iterable[BanEntry]
    more: bool = False
    lost: bool = False
    learnt: bool = True
    tells_lifted: bool = True


class Backend(Protocol):
    """A place for counts, bans and small values.

    Keys may be any text. If the store can't be reached, methods raise an exception of ``failures``.
    Memory and LMDB are always reachable.
    """

    scheme: str
    failures: tuple[type[Exception], ...]
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

    def drop_counter(self, key: str, window_seconds: int) -> None: ...

    def read_value(self, key: str) -> bytes | None: ...

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None: ...

    def drop_value(self, key: str) -> None: ...

    def save_ban(self, entry: BanEntry) -> None: ...

    def drop_ban(self, target: str) -> bool:
        """Lift a ban. Return whether there was one that hadn't expired."""
        ...

    def ban_changes(self, since: int | None) -> BanChanges | None:
        """Return the changes of bans after version ``since``; all bans for ``None``.

        :return: ``None`` if bans do not apply now (store down, policy ``allow``).
        """
        ...

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        """Ask the store itself which targets are banned; the result includes ended bans."""
        ...

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        """Call ``seen`` with the version of the bans whenever another answer contains it."""
        ...

    def begin_request(self) -> None:
        """Start the time budget that all calls of one request in this thread share."""
        ...

    def size(self) -> int | None:
        """Return the number of counted keys, if that is cheap to know."""
        ...

    def erase(self) -> None:
        """Forget every count and every ban. Values stay: they are caches, not counts."""
        ...

    def close(self) -> None: ...
