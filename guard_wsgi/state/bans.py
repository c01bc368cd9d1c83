"""Bans: addresses and networks that are refused until a certain time.

They live in the store. Every process keeps a copy, which it refreshes at most every
``refresh_seconds``, so that a lookup takes no round trip.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from guard_wsgi.errors import BanRefused
from guard_wsgi.network.address import IPV6_CLIENT_PREFIX_BITS, Address, parse_address
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.backend import Backend, BanChanges, BanEntry
from guard_wsgi.state.ban_index import DEFAULT_MAX_BANS, Ban, BanIndex
from guard_wsgi.state.ban_recovery import BanRecovery
from guard_wsgi.state.ban_targets import Bannable, canonical_target, targets_around
from guard_wsgi.state.clock import NANOSECONDS, SYSTEM_CLOCK, Clock
from guard_wsgi.state.fork_pauses import renew_after_fork

MAX_REASON_CHARACTERS = 200
"""The longest reason: an attacker's text must not fill the list of bans."""

DEFAULT_REFRESH_SECONDS = 0.5
"""Half of the second within which every worker must see a ban."""

MAX_ASKED = 10_000
"""For how many clients to cache the store's answer: while a process reads many bans, or if there
are more than it may keep."""

_MOST_PAGES = 10_000
"""The most pages of a list of bans, whatever a store says."""

_LAST_END = 16_725_225_600.0
"""The year 2500, in epoch seconds: a ban for longer ends then. Every store can keep that."""

_CLOCKS_SECONDS = 10.0
"""How much the clocks of two machines may differ. A ban with a larger difference was made by a
wrong clock."""

OnBan = Callable[[str, str, str, "float | None"], None]
"""Called with ``(what, target, reason, seconds)``: ``ip_banned``, ``ip_unbanned`` or
``ip_ban_failed``, and the length of the ban."""


class Bans:
    """The bans of one store.

    :ivar on_change: called with each ban that this process sets, lifts or refuses to set.
    :ivar none_yet: whether nobody was ever banned, so that `find` need not be called. Always false
        with a shared store, where others ban as well.
    :ivar nobody_until: until this time (``time.monotonic()``) the last answer of the store, "no
        bans", is valid.

    The process asks the store about bans that it has not read yet or can't keep.
    """

    __slots__ = (
        "__weakref__",
        "_asked",
        "_backend",
        "_bannable",
        "_changes",
        "_clock",
        "_index",
        "_is_whole",
        "_loading",
        "_now",
        "_recovery",
        "_refresh_at_ns",
        "_refresh_ns",
        "_version",
        "nobody_until",
        "none_yet",
        "on_change",
    )

    def __init__(
        self,
        backend: Backend,
        *,
        protected: IPSet | None = None,
        max_bans: int = DEFAULT_MAX_BANS,
        ipv6_prefix_bits: int = IPV6_CLIENT_PREFIX_BITS,
        refresh_seconds: float = DEFAULT_REFRESH_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """:param protected: addresses that are never banned, with all networks that contain one:
        the trusted proxies. Loopback is always protected.
        :param ipv6_prefix_bits: the length of the prefix of one IPv6 client, which is banned as a
            whole.
        """
        self._backend = backend
        self.on_change: OnBan | None = None
        self._bannable = Bannable(IPSet() if protected is None else protected, ipv6_prefix_bits)
        self._clock = clock
        self._now = clock.monotonic_ns
        self._index = BanIndex(max_bans)
        self._version: int | None = None
        self._refresh_ns = int(refresh_seconds * NANOSECONDS)
        # 0: at once. None: never, the bans are nobody else's.
        self._refresh_at_ns: int | None = 0 if backend.bans_are_shared else None
        self.none_yet = not backend.bans_are_shared
        self.nobody_until = 0.0
        self._changes = 0
        self._is_whole = not backend.bans_are_shared
        self._asked: dict[str, tuple[int, Ban | None]] = {}
        self._recovery = BanRecovery(backend, self._index, self.seconds_left)
        self._loading = threading.Lock()
        backend.on_ban_version(self.seen_version)
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        self._loading = threading.Lock()
        self._index.renew_lock()

    def find(self, address: Address) -> Ban | None:
        """Return the ban in force against an address; ``None`` if there is none. Every request
        asks.

        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        if self._refresh_at_ns is not None:
            now_ns = self._now()
            if now_ns >= self._refresh_at_ns and not self.refresh():
                return None
            if not self._is_whole:
                return self._index.find(address, now_ns) or self._ask(address, now_ns)
        changes = self._changes
        index = self._index
        if not (index.addresses or index.networks):
            if self._refresh_at_ns is not None and self._clock is SYSTEM_CLOCK:
                self.nobody_until = self._refresh_at_ns / NANOSECONDS
                if self._changes != changes:  # another thread has banned somebody meanwhile
                    self.nobody_until = 0.0
            return None
        return index.find(address, self._now())

    def _ask(self, address: Address, now_ns: int) -> Ban | None:
        """Ask the store about an address and the networks around it."""
        known = self._asked.get(address.text)
        if known is None or now_ns >= known[0]:
            found = Ban.longest(self._backend.find_bans(targets_around(address)))
            known = now_ns + self._refresh_ns, found
            if len(self._asked) >= MAX_ASKED:
                self._asked.clear()
            self._asked[address.text] = known
        ban = known[1]
        return None if ban is None or self.seconds_left(ban) <= 0 else ban

    def is_banned(self, text: str) -> bool:
        """Whether an address, or the whole of a network, is banned.

        :raises ValueError: when the text is neither.
        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        target = canonical_target(text)
        address = parse_address(target)
        if address is not None:
            return self.find(address) is not None
        return self._read_all() and self._index.covers(target, self._now())

    def ban(self, target: str, seconds: float, reason: str, *, shortens: str | None = None) -> Ban:
        """Refuse an address or network (CIDR) for ``seconds`` from now.

        An IPv6 address stands for its client's network, as in limits: the /64, unless
        ``ipv6_client_prefix`` says otherwise or the network contains a protected address.
        ``2001:db8::1/128`` bans that one address. A second ban of the same target replaces the
        first, even if it is shorter. A ban that is longer than stores can keep ends in the year
        2500.

        :param shortens: the only reason whose bans a shorter ban may replace; other bans are
            returned unchanged. ``None``: a shorter ban may replace any.
        :raises BanRefused: if it would cover loopback or a protected address.
        :raises ValueError: if the target is neither, or ``seconds`` is not positive and finite.
        :raises StoreError: when the store is down and the policy of bans is to deny. This process
            enforces the ban all the same.
        """
        canonical = self._bannable.covered_by(target)
        if canonical is None:
            refusal = self.refusal(target)
            self._report("ip_ban_failed", canonical_target(target), refusal)
            raise BanRefused(refusal)
        if not 0 < seconds < float("inf"):
            raise ValueError(f"seconds must be positive and finite, not {seconds}")
        # On a millisecond, which every store keeps exactly.
        now = self._clock.wall_ns() / NANOSECONDS
        seconds = min(seconds, _LAST_END)  # a number of any size: limit it before computing with it
        expires_at = min(round(now + seconds, 3), _LAST_END)
        if shortens is not None:
            longer = self._ends_after(canonical, expires_at)
            if longer is not None and longer.reason != shortens:
                return longer
        now_ns = self._now()
        ban = Ban(canonical, reason[:MAX_REASON_CHARACTERS], expires_at, seconds)
        if self._refresh_at_ns is not None:
            self._recovery.note_written(ban)  # first, so that an earlier read does not undo it
        self._index.put(ban, now_ns + int(min(seconds, _LAST_END - now) * NANOSECONDS), now_ns)
        self._asked.clear()
        self._changed()
        # Last here, and first in `clear`, so that neither overtakes the other.
        self.none_yet = False
        self._report("ip_banned", canonical, ban.reason, seconds)
        self._backend.save_ban(ban.entry)
        return ban

    def targets_of(self, target: str) -> list[str]:
        """Return a target and, for an IPv6 address, the network of its client, which a ban covers.

        :raises ValueError: if it is neither an address nor a network.
        """
        return self._bannable.targets_of(target)

    def refusal(self, target: str) -> str:
        """Say why an address or network can't be banned; "" if it can.

        :raises ValueError: if the target is neither.
        """
        return self._bannable.refusal(canonical_target(target))

    def exactly(self, target: str) -> Ban | None:
        """Return the ban in force of what `ban` would ban for this target, not of a network around
        it."""
        canonical = self._bannable.covered_by(target)
        now = self._clock.wall_ns() / NANOSECONDS
        return None if canonical is None else self._ends_after(canonical, now)

    def _ends_after(self, canonical: str, moment: float) -> Ban | None:
        """Return the ban of exactly this target that ends after a time."""
        entry = self._index.deadline_and_ban(canonical)
        known = [] if entry is None else [entry[1]]
        if self._refresh_at_ns is not None:
            entries = self._backend.find_bans([canonical])
            known.extend(map(Ban.of, entries))
        last = max(known, key=lambda ban: ban.expires_at, default=None)
        return last if last is not None and last.expires_at > moment else None

    def unban(self, target: str) -> bool:
        """Lift the ban of exactly this address or network. Return whether there was one. For an
        IPv6 address, the ban of its client's network is lifted as well.

        An address stays refused while another network around it is banned.
        :raises ValueError: when the target is neither.
        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        lifted = False
        for canonical in self.targets_of(target):
            self._recovery.lift(canonical)
            was_known = self._index.remove(canonical, self._now())
            self._recovery.forget({canonical})
            self._asked.clear()
            if self._backend.drop_ban(canonical) or was_known:
                lifted = True
                self._report("ip_unbanned", canonical, "")
        return lifted

    def _report(self, what: str, target: str, reason: str, seconds: float | None = None) -> None:
        if self.on_change is not None:
            self.on_change(what, target, reason, seconds)

    def list(self) -> list[Ban]:
        """Return the bans in force, sorted by their end.

        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        self._read_all()
        return self._index.active(self._now())

    def seconds_left(self, ban: Ban) -> float:
        """Return the seconds until a ban ends; negative if it has."""
        seconds = ban.expires_at - self._clock.wall_ns() / NANOSECONDS
        return min(seconds, ban.seconds) if ban.seconds else seconds

    def clear(self) -> None:
        """Forget this process's copy; the next refresh reads the store's bans again."""
        self.none_yet = self._refresh_at_ns is None
        self._index.replace([], self._now())
        self._is_whole = self.none_yet
        self._asked.clear()
        self._recovery.clear()
        self._version = None
        if self._refresh_at_ns is not None:
            self._refresh_at_ns = 0
        self._changed()

    def __len__(self) -> int:
        """Return the number of bans that this process knows, with ended ones that were not swept
        yet."""
        return len(self._index)

    def refresh(self) -> bool:
        """Refresh the copy from the store, in one thread; the others go on.

        :return: whether bans apply at all.
        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        if not self._loading.acquire(False):
            return True
        try:
            changes = self._backend.ban_changes(self._version)
            if changes is None:
                return False
            self.apply(changes)
            if self._recovery.is_due:
                self._recovery.repair()
            return True
        finally:
            self._loading.release()

    def apply(self, changes: BanChanges) -> None:
        """Apply the store's changes, and do not ask again for ``refresh_seconds``."""
        now_ns = self._now()
        if not changes.answered:
            self._refresh_at_ns = now_ns + self._refresh_ns
            return
        offset_ns = now_ns - self._clock.wall_ns()
        kept: list[tuple[int, Ban]] = []
        recovery = self._recovery
        lifted = {entry.target for entry in changes.entries if not entry.expires_at}
        for target in lifted:
            recovery.lift(target)
        entries = recovery.in_force(changes.entries)
        if changes.complete:
            if changes.lost:
                # People rely on a ban: a loss in the store does not lift it.
                recovery.lost = self._index.active(now_ns)
            recovery.forget(lifted)
            stored = {entry.target for entry in changes.entries}
            missing = (ban.target for ban in recovery.lost if ban.target not in stored)
            kept = [pair for target in missing if (pair := self._index.deadline_and_ban(target))]
            self._index.replace([self._timed(entry, offset_ns) for entry in entries], now_ns)
        else:
            recovery.forget(lifted)
            for entry in entries:
                if entry.expires_at:
                    deadline_ns, ban = self._timed(entry, offset_ns)
                    self._index.put(ban, deadline_ns, now_ns)
                else:
                    self._index.remove(entry.target, now_ns)
        for deadline_ns, ban in kept:
            self._index.put(ban, deadline_ns, now_ns)
        for ban in recovery.unknown(changes):
            if self._index.deadline_and_ban(ban.target) is None:
                self._index.put(ban, int(ban.expires_at * NANOSECONDS) + offset_ns, now_ns)
        if changes.entries or changes.complete:
            self._asked.clear()
        self._version = changes.version
        if self._refresh_at_ns is not None:
            self._is_whole = not (changes.more or changes.version is None or self._index.dropped)
            goes_on = changes.more or recovery.is_due
            self._refresh_at_ns = 0 if goes_on else now_ns + self._refresh_ns
        self._changed()

    def _timed(self, entry: BanEntry, offset_ns: int) -> tuple[int, Ban]:
        """Return when a ban of the store ends, by this process's clock. A known ban keeps its end,
        even if the wall clock has been set since. No ban ends later than if it was made now: the
        clock was ahead when it was made, or this clock is slow."""
        known = self._index.deadline_and_ban(entry.target)
        if known is not None and known[1].expires_at == entry.expires_at:
            return known
        deadline_ns = int(entry.expires_at * NANOSECONDS) + offset_ns
        if entry.seconds:
            latest_ns = self._now() + int((entry.seconds + _CLOCKS_SECONDS) * NANOSECONDS)
            deadline_ns = min(deadline_ns, latest_ns)
        return deadline_ns, Ban.of(entry)

    def seen_version(self, version: int) -> None:
        """Note the version in another answer of the store: refresh with the next request, or not
        yet."""
        if version == self._version:
            self._refresh_at_ns = self._now() + self._refresh_ns
        else:
            self._refresh_at_ns = 0
            self._changed()

    def _changed(self) -> None:
        self._changes += 1
        self.nobody_until = 0.0  # last: `find` looks at the other after it has set this one

    def _read_all(self) -> bool:
        """Refresh the whole copy. Return whether bans apply at all."""
        if self._refresh_at_ns is None:
            return True
        for _ in range(_MOST_PAGES):
            if not self.refresh():
                return False
            if self._is_whole or self._refresh_at_ns:
                break
        return True

    def status(self) -> dict[str, int | bool]:
        """Return how many bans this process knows and may know, and whether these are all."""
        return {
            "bans": len(self._index),
            "max_bans": self._index.max_bans,
            "bans_dropped": self._index.dropped,
            "bans_complete": self._is_whole and not self._index.dropped,
        }
