"""What a store must do for the rooms above it: the one interface of memory, LMDB and servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

from attrs import frozen

Strategy = Literal["fixed-window", "moving-window", "sliding-window-counter"]
STRATEGIES: tuple[Strategy, ...] = ("fixed-window", "moving-window", "sliding-window-counter")

Taken = tuple[bool, int, float, int]
"""allowed, remaining, seconds until more is let through, and the requests that were the limit
(fewer than asked for while a local share of the limit stands in for the store)."""

Take = Callable[[str, int, int, int], Taken]
"""``take(key, requests, window_seconds, cost)``: count, unless that is over the limit."""


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
    """What happened to the bans up to ``version``; ``None`` when nothing is known.

    ``complete``: from nothing, so that what isn't among the ``entries`` isn't banned. ``more``:
    there are further ones to be asked for; until then nobody who isn't known is known to be free.
    ``lost``: the store has forgotten what it knew, without being asked to. ``learnt``:
    whether the store has answered at all. ``tells_lifted``: whether bans that were lifted of late
    are among the entries.
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

    Keys are any text. Methods raise what ``failures`` names when the store can't be reached;
    memory and LMDB have nothing to reach.
    """

    scheme: str
    failures: tuple[type[Exception], ...]
    bans_are_shared: bool
    """Whether other processes write the same bans, so that they must be read again."""

    def taker(self, strategy: Strategy) -> Take:
        """The function that counts hits by ``strategy``.

        :raises ConfigError: when the store can't do that strategy.
        """
        ...

    def viewer(self, strategy: Strategy) -> Peek:
        """The function that tells where a key stands by ``strategy``."""
        ...

    def forget(self, strategy: Strategy, key: str, window_seconds: int) -> None:
        """Drop what ``taker(strategy)`` counted for the key."""
        ...

    def increment(self, key: str, window_seconds: int, amount: int) -> int:
        """Add to a counter; what it has counted (see `windows.count_in_halves`)."""
        ...

    def counted(self, key: str, window_seconds: int) -> int:
        """The counter's value; 0 when there is none."""
        ...

    def drop_counter(self, key: str, window_seconds: int) -> None: ...

    def read_value(self, key: str) -> bytes | None: ...

    def write_value(self, key: str, value: bytes, ttl_seconds: float) -> None: ...

    def drop_value(self, key: str) -> None: ...

    def save_ban(self, entry: BanEntry) -> None: ...

    def drop_ban(self, target: str) -> bool:
        """Lift a ban; whether there was one that hadn't expired."""
        ...

    def ban_changes(self, since: int | None) -> BanChanges | None:
        """The bans written after version ``since``; all of them for ``None``.

        :return: ``None`` when bans are not to be enforced (store down, policy ``allow``).
        """
        ...

    def find_bans(self, targets: Sequence[str]) -> Iterable[BanEntry]:
        """Those of the targets that are banned, ended bans included: asked of the store itself."""
        ...

    def on_ban_version(self, seen: Callable[[int], None]) -> None:
        """Call ``seen`` with the version of the bans whenever another answer brings it along."""
        ...

    def begin_request(self) -> None:
        """The calling thread begins to serve a request, whose calls share one time budget."""
        ...

    def size(self) -> int | None:
        """How many keys are counted, where that is cheap to find out."""
        ...

    def erase(self) -> None:
        """Forget every count and every ban. Values stay: they are caches, not counts."""
        ...

    def close(self) -> None: ...
