"""Emergency mode: everybody but an allow list gets 503, in every worker within a second.

The configuration, dynamic rules and a command line may declare it. The command line writes to the
shared store, where every worker looks at most every half second, when it serves a request. Each
declaration applies until its author revokes it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from attrs import field, frozen

from guard_wsgi.errors import StoreError
from guard_wsgi.network.address import Address
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.values import Values

KEY = "emergency"
POLL_SECONDS = 0.5
"""Half of the second within which it must apply in every worker."""
LONGEST_SECONDS = 30 * 86_400
"""How long the store keeps an emergency without an end."""
_ENDED = 8
"""How many superseded declarations a worker remembers: a day's emergencies."""
RETRY_AFTER_SECONDS = 60.0
"""``Retry-After`` if no end is known: a minute is soon, and spreads the returning clients."""


@frozen(slots=True)
class Declaration:
    """A declaration: who may come in, until when, and why.

    :ivar until: seconds since the epoch; ``None`` until it is revoked.
    :ivar at: the time of the declaration, seconds since the epoch; it distinguishes equal
        declarations.
    """

    allow: tuple[str, ...] = ()
    until: float | None = None
    reason: str = ""
    at: float = 0.0
    allowed: IPSet = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """:raises ValueError: naming an entry that is neither an address nor a network."""
        object.__setattr__(self, "allowed", IPSet(self.allow))

    @property
    def is_over(self) -> bool:
        """Whether its end has passed, or somebody has revoked it."""
        return self.until is not None and self.until <= time.time()

    def to_bytes(self) -> bytes:
        document = {
            "allow": self.allow,
            "until": self.until,
            "reason": self.reason,
            "at": self.at,
        }
        return json.dumps(document).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> Declaration | None:
        """Read a declaration; ``None`` if it is damaged or of another version."""
        try:
            document = json.loads(value)
            until = document["until"]
            return cls(
                allow=tuple(str(entry) for entry in document["allow"]),
                until=None if until is None else float(until),
                reason=str(document["reason"]),
                at=float(document.get("at", 0.0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def declare(
    values: Values, allow: Iterable[str] = (), seconds: float | None = None, reason: str = ""
) -> Declaration:
    """Put every worker of the store into emergency mode; for command lines.

    :param allow: addresses and networks that may still come in, besides ``emergency_whitelist``.
    :param seconds: how long; ``None`` until :func:`revoke`.
    :raises ValueError: if an entry is not an address, or the time is not positive.
    :raises StoreError: if the store can't be reached.
    """
    if seconds is not None and seconds <= 0:
        raise ValueError(f"the duration of an emergency must be positive, not {seconds} s")
    now = time.time()
    until = None if seconds is None else now + seconds
    declaration = Declaration(tuple(allow), until, reason, now)
    values.set(KEY, declaration.to_bytes(), LONGEST_SECONDS if seconds is None else seconds)
    return declaration


def revoke(values: Values) -> bool:
    """End an emergency of :func:`declare`. Return whether there was one.

    :raises StoreError: if the store can't be reached.
    """
    value = values.get(KEY)
    declared = Declaration.from_bytes(value) if value else None
    # Write the end, do not only delete the declaration: a store without either has lost it, and
    # workers write it again.
    revoked = Declaration(until=0.0, reason="revoked", at=time.time())
    values.set(KEY, revoked.to_bytes(), LONGEST_SECONDS)
    return declared is not None and not declared.is_over


OnChange = Callable[[bool, str], None]
"""Called with ``(active, reason)`` when a worker sees emergency mode begin or end."""


class EmergencyMode:
    """Decides whether a client is kept out. While no emergency is declared, a request compares a
    clock.

    :param values: where command lines declare it (``Store.values``); ``None``: nowhere.
    :param active: whether the configuration declares it (``emergency_mode``), by itself or by the
        dynamic rules over it.
    :param allow: the addresses that always pass (``emergency_whitelist``), whichever source
        declared it.
    :ivar declared: the active declarations, as of the last look.
    :ivar calm_until: when, on the monotonic clock, the next look is due; 0 in an emergency. Until
        then no client needs a check.
    """

    def __init__(
        self,
        values: Values | None = None,
        *,
        active: bool = False,
        allow: Iterable[str] = (),
        on_change: OnChange | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._values = values
        self._allowed = IPSet(allow)
        self._configured = Declaration(reason="configuration") if active else None
        self._from_store: Declaration | None = None
        self._ended: tuple[Declaration, ...] = ()
        self._on_change = on_change
        self._poll_seconds = poll_seconds
        self._poll_at = 0.0
        self.calm_until = 0.0
        self.declared: tuple[Declaration, ...] = ()
        self._was_active = False
        self._update()

    def refuses(self, address: Address | None) -> bool:
        """Whether the emergency keeps this client out. ``None`` is a client without address."""
        if monotonic() >= self._poll_at:
            self._poll()
        active = self.declared
        if not active:
            return False
        if address is None:
            return True
        return address not in self._allowed and not any(address in d.allowed for d in active)

    @property
    def active(self) -> bool:
        """Whether an emergency is declared now."""
        if monotonic() >= self._poll_at:
            self._poll()
        return bool(self.declared)

    @property
    def retry_after_seconds(self) -> float:
        """Return the seconds for ``Retry-After``: the time to the last known end, else a minute."""
        ends = [declaration.until for declaration in self.declared]
        known = [end for end in ends if end is not None]
        if not known or len(known) < len(ends):
            return RETRY_AFTER_SECONDS
        return max(1.0, max(known) - time.time())

    def status(self) -> dict[str, Any]:
        """``{"active", "declared_by": [...], "until", "allow": [...]}``."""
        self._poll()
        active = self.declared
        ends = [declaration.until for declaration in active]
        return {
            "active": bool(active),
            "declared_by": [declaration.reason or "command line" for declaration in active],
            "until": None if None in ends or not ends else max(end for end in ends if end),
            "allow": [entry for declaration in active for entry in declaration.allow],
        }

    def _poll(self) -> None:
        # Set the time first, so that other threads use the known state while this one asks.
        self._poll_at = monotonic() + self._poll_seconds
        if self._values is not None:
            try:
                value = self._values.ask(KEY)
                read = None if value is None else Declaration.from_bytes(value)
                if value is None or (read is not None and read in self._ended):
                    self._write_again(self._values, is_gone=value is None)
                elif read != self._from_store:
                    self._end(self._from_store)
                    self._from_store = read
            except StoreError:
                pass  # the store reports its outage itself; the last declaration still applies
        self._update()

    def _end(self, declaration: Declaration | None) -> None:
        """Remember a superseded declaration. A store that returns it again has an older snapshot,
        or a worker that had not seen the newer one has written it."""
        if declaration is not None and declaration.at:
            self._ended = (*self._ended[1 - _ENDED :], declaration)

    def _write_again(self, values: Values, is_gone: bool) -> None:
        """Write a lost declaration to the store again. An emergency ends at its end, or when
        somebody revokes it, which leaves a record. A store without any record has lost it."""
        known = self._from_store
        if known is None:
            return
        is_over = known.is_over
        if not is_over and known.until is not None:
            values.set(KEY, known.to_bytes(), known.until - time.time())
        elif not is_over or not is_gone:
            values.set(KEY, known.to_bytes(), LONGEST_SECONDS)
        else:
            self._from_store = None

    def _update(self) -> None:
        declarations = (self._configured, self._from_store)
        self.declared = tuple(
            declaration
            for declaration in declarations
            if declaration is not None and not declaration.is_over
        )
        is_active = bool(self.declared)
        self.calm_until = 0.0 if is_active else self._poll_at
        if is_active != self._was_active:
            self._was_active = is_active
            reason = self.declared[0].reason if is_active else ""
            if self._on_change is not None:
                self._on_change(is_active, reason)
