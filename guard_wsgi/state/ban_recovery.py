"""Restores bans after a store has lost data: it restarted empty, or with an older snapshot.

People rely on bans, and on lifted bans. So a process writes what it knows to the store again: lost
bans, and which bans were lifted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable

from guard_wsgi.state.backend import Backend, BanChanges, BanEntry
from guard_wsgi.state.ban_index import Ban, BanIndex

RESTORED_AT_ONCE = 100
"""How many bans one request restores."""

MAX_LIFTED = 10_000
"""How many lifted bans to remember: usually those since the last snapshot of a store."""


CONFIRMED_SECONDS = 60.0
"""After a ban: what the store does not say then is lost. Later it may be lifted and forgotten."""


class BanRecovery:
    """The writes that the store needs. One thread at a time may use it, except for `lift` and
    `forget`.

    :ivar lost: bans that the store has lost and that were not written again yet.
    """

    __slots__ = ("_backend", "_index", "_lifted", "_returned", "_seconds_left", "_written", "lost")

    def __init__(
        self, backend: Backend, index: BanIndex, seconds_left: Callable[[Ban], float]
    ) -> None:
        self._backend = backend
        self._index = index
        self._seconds_left = seconds_left
        self.lost: list[Ban] = []
        self._lifted: dict[str, float] = {}
        self._returned: list[str] = []
        self._written: dict[str, tuple[float, Ban]] = {}

    @property
    def is_due(self) -> bool:
        """Whether there is something to write to the store."""
        return bool(self.lost or self._returned)

    def lift(self, target: str) -> None:
        """Note that a known ban is lifted, before it leaves the index."""
        known = self._index.deadline_and_ban(target)
        if known is not None:
            while len(self._lifted) >= MAX_LIFTED:
                del self._lifted[next(iter(self._lifted))]
            self._lifted[target] = known[1].expires_at

    def note_written(self, ban: Ban) -> None:
        """Note a ban that is being written to the store, and that the store must return with the
        next changes. It may have the same end as an earlier one of its target."""
        self._lifted.pop(ban.target, None)
        if len(self._written) < MAX_LIFTED:
            self._written[ban.target] = time.monotonic(), ban

    def unknown(self, changes: BanChanges) -> list[Ban]:
        """Return bans that the store accepted, but lost before any process read them. They become
        `lost`. Call it with every part of the changes."""
        if not self._written:
            return []
        for entry in changes.entries:
            self._written.pop(entry.target, None)
        if changes.more or changes.version is None:
            return []
        written, self._written = self._written, {}
        if not changes.includes_lifted:
            return []
        now = time.monotonic()
        unknown = [ban for moment, ban in written.values() if now - moment < CONFIRMED_SECONDS]
        self.lost = [*self.lost, *unknown]
        return unknown

    def forget(self, lifted: Collection[str]) -> None:
        """Forget lost bans that were lifted."""
        for target in lifted:
            self._written.pop(target, None)
        if self.lost and lifted:
            self.lost = [ban for ban in self.lost if ban.target not in lifted]

    def in_force(self, entries: Iterable[BanEntry]) -> list[BanEntry]:
        """Return the store's bans without bans that this process knows to be lifted."""
        kept = []
        for entry in entries:
            if entry.expires_at and self._lifted.get(entry.target) == entry.expires_at:
                self._returned.append(entry.target)
            else:
                kept.append(entry)
        return kept

    def clear(self) -> None:
        self.lost.clear()
        self._lifted.clear()
        self._returned.clear()
        self._written.clear()

    def repair(self) -> None:
        """Write a part of it to the store, unless another process has done so."""
        returned, self._returned = self._returned, []
        for target in returned:
            if target in self._lifted:
                self._backend.drop_ban(target)
        restored, self.lost = self.lost[:RESTORED_AT_ONCE], self.lost[RESTORED_AT_ONCE:]
        if not restored:
            return
        stored = {
            entry.target for entry in self._backend.find_bans([ban.target for ban in restored])
        }
        for ban in restored:
            if ban.target in stored or self._seconds_left(ban) <= 0 or not self._knows(ban):
                continue
            self._backend.save_ban(ban.entry)
            if not self._knows(ban):  # another thread has lifted it meanwhile
                self._backend.drop_ban(ban.target)

    def _knows(self, ban: Ban) -> bool:
        return self._index.deadline_and_ban(ban.target) is not None
