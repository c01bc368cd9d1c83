"""Bans: addresses and networks that are refused until a moment.

They live in the store; every process keeps a copy that it brings up to date at most every
``refresh_seconds``, so that looking up a client costs no round trip.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from guard_wsgi.errors import BanRefused
from guard_wsgi.network.address import Address, parse_address
from guard_wsgi.network.ipset import IPSet, parse_network
from guard_wsgi.state.backend import Backend, BanChanges, BanEntry
from guard_wsgi.state.ban_index import DEFAULT_MAX_BANS, Ban, BanIndex, canonical_target
from guard_wsgi.state.clock import NANOSECONDS, SYSTEM_CLOCK, Clock
from guard_wsgi.state.forking import renew_after_fork

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""Health checks, local proxies and the operator's own shell come from here."""

PROXY = "a trusted proxy"

MAX_REASON_CHARACTERS = 200
"""A reason is shown in a list; it is not a place for the attacker's text."""

DEFAULT_REFRESH_SECONDS = 0.5
"""Half of the second within which a ban must be seen everywhere."""

_FIRST_LOAD_SECONDS = 0.15
"""How long a request waits for another that is loading the bans for the first time."""


OnBan = Callable[[str, str, str], None]
"""``(what, target, reason)``: ``ip_banned``, ``ip_unbanned`` or ``ip_ban_failed``, for events."""


class Bans:
    """The bans of one store.

    :ivar on_change: told of each ban that this process sets, lifts or refuses to set.
    :ivar none_yet: whether nobody was ever banned, so that `find` need not be asked. Never so in
        a shared store, where others ban as well.
    """

    __slots__ = (
        "__weakref__",
        "_backend",
        "_clock",
        "_index",
        "_loading",
        "_loopback",
        "_now",
        "_protected",
        "_refresh_at_ns",
        "_refresh_ns",
        "_version",
        "none_yet",
        "on_change",
    )

    def __init__(
        self,
        backend: Backend,
        *,
        protected: IPSet | None = None,
        max_bans: int = DEFAULT_MAX_BANS,
        refresh_seconds: float = DEFAULT_REFRESH_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """:param protected: never banned, nor any network that contains some of it: the trusted
        proxies. Loopback always is.
        """
        self._backend = backend
        self.on_change: OnBan | None = None
        self._protected = IPSet() if protected is None else protected
        self._loopback = IPSet(LOOPBACK)
        self._clock = clock
        self._now = clock.monotonic_ns
        self._index = BanIndex(max_bans)
        self._version: int | None = None
        self._refresh_ns = int(refresh_seconds * NANOSECONDS)
        # 0: at once. None: never, the bans are nobody else's.
        self._refresh_at_ns: int | None = 0 if backend.bans_are_shared else None
        self.none_yet = not backend.bans_are_shared
        self._loading = threading.Lock()
        backend.on_ban_version(self.seen_version)
        renew_after_fork(self)

    def after_fork_in_child(self) -> None:
        self._loading = threading.Lock()
        self._index.renew_lock()

    def find(self, address: Address) -> Ban | None:
        """The ban in force against an address; asked for every request.

        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        if self._refresh_at_ns is not None:
            now_ns = self._now()
            if now_ns >= self._refresh_at_ns and not self.refresh():
                return None
        index = self._index
        if not (index.addresses or index.networks):
            return None
        return index.find(address, self._now())

    def is_banned(self, text: str) -> bool:
        """Whether an address, or the whole of a network, is banned.

        :raises ValueError: when the text is neither.
        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        target = canonical_target(text)
        address = parse_address(target)
        if address is not None:
            return self.find(address) is not None
        return self._up_to_date() and self._index.covers(target, self._now())

    def ban(self, target: str, seconds: float, reason: str) -> Ban:
        """Refuse an address or network (CIDR) for ``seconds`` from now.

        A second ban of the same target replaces the first, also by a shorter one.

        :raises BanRefused: when it would cover loopback or a protected address.
        :raises ValueError: when the target is neither, or ``seconds`` is not positive.
        :raises StoreError: when the store is down and the policy of bans is to deny. The ban
            holds in this process all the same.
        """
        canonical = canonical_target(target)
        if not 0 < seconds < float("inf"):
            raise ValueError(f"seconds must be positive and finite, not {seconds}")
        network = parse_network(canonical)
        for ip_set, what in ((self._loopback, "loopback addresses"), (self._protected, PROXY)):
            if ip_set.overlaps(network):
                refusal = f"{canonical} includes {what}"
                self._tell("ip_ban_failed", canonical, refusal)
                raise BanRefused(refusal)
        now_ns = self._now()
        # On a millisecond, which every store keeps exactly.
        expires_at = round(self._clock.wall_ns() / NANOSECONDS + seconds, 3)
        ban = Ban(canonical, reason[:MAX_REASON_CHARACTERS], expires_at)
        self._index.put(ban, now_ns + int(seconds * NANOSECONDS), now_ns)
        self.none_yet = False  # last, and in `clear` first: neither overtakes the other
        self._tell("ip_banned", canonical, ban.reason)
        self._backend.save_ban(BanEntry(ban.target, ban.expires_at, ban.reason))
        return ban

    def unban(self, target: str) -> bool:
        """Lift the ban of exactly this address or network; whether there was one.

        An address stays refused while a network around it is banned.

        :raises ValueError: when the target is neither.
        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        canonical = canonical_target(target)
        held = self._index.remove(canonical, self._now())
        lifted = self._backend.drop_ban(canonical) or held
        if lifted:
            self._tell("ip_unbanned", canonical, "")
        return lifted

    def _tell(self, what: str, target: str, reason: str) -> None:
        if self.on_change is not None:
            self.on_change(what, target, reason)

    def list(self) -> list[Ban]:
        """The bans in force, those that end first first.

        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        self._up_to_date()
        return self._index.active(self._now())

    def seconds_left(self, ban: Ban) -> float:
        """Until a ban ends by itself; negative when it has."""
        return ban.expires_at - self._clock.wall_ns() / NANOSECONDS

    def clear(self) -> None:
        """Forget this process's copy; the store's bans come back with the next refresh."""
        self.none_yet = self._refresh_at_ns is None
        self._index.replace([], self._now())
        self._version = None
        if self._refresh_at_ns is not None:
            self._refresh_at_ns = 0

    def __len__(self) -> int:
        """How many bans this process knows, ended ones that weren't swept yet included."""
        return len(self._index)

    def refresh(self) -> bool:
        """Bring the copy up to date with the store; one thread does, the others go on.

        :return: whether bans are to be enforced at all.
        :raises StoreError: when the store is down and the policy of bans is to deny.
        """
        waits = _FIRST_LOAD_SECONDS if self._version is None else 0.0
        if not (self._loading.acquire(timeout=waits) if waits else self._loading.acquire(False)):
            return True
        try:
            changes = self._backend.ban_changes(self._version)
            if changes is None:
                return False
            self.apply(changes)
            return True
        finally:
            self._loading.release()

    def apply(self, changes: BanChanges) -> None:
        """Enter what the store says, and leave it alone for ``refresh_seconds``."""
        now_ns = self._now()
        offset_ns = now_ns - self._clock.wall_ns()
        if changes.complete:
            self._index.replace(
                [
                    (
                        int(entry.expires_at * NANOSECONDS) + offset_ns,
                        Ban(entry.target, entry.reason, entry.expires_at),
                    )
                    for entry in changes.entries
                ],
                now_ns,
            )
        else:
            for entry in changes.entries:
                if entry.expires_at:
                    ban = Ban(entry.target, entry.reason, entry.expires_at)
                    deadline_ns = int(entry.expires_at * NANOSECONDS) + offset_ns
                    self._index.put(ban, deadline_ns, now_ns)
                else:
                    self._index.remove(entry.target, now_ns)
        self._version = changes.version
        if self._refresh_at_ns is not None:
            self._refresh_at_ns = 0 if changes.more else now_ns + self._refresh_ns

    def seen_version(self, version: int) -> None:
        """What another answer of the store said: refresh with the next request, or not yet."""
        if version == self._version:
            self._refresh_at_ns = self._now() + self._refresh_ns
        else:
            self._refresh_at_ns = 0

    def _up_to_date(self) -> bool:
        return self._refresh_at_ns is None or self.refresh()
