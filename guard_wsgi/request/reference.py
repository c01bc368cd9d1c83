"""References: names of requests that tell an operator, and nobody else, whose they are and of when.

A flood must not fill the log, so a client's refusals past the first ten a minute have no line each.
A reference leads to the client's own lines of that minute all the same.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import getrandbits
from time import time
from typing import Final

from attrs import frozen

_CLIENT_BITS: Final = 48
_CLIENT_DIGITS: Final = _CLIENT_BITS // 4
_CLIENT_MASK: Final = (1 << _CLIENT_BITS) - 1
_SECONDS_MASK: Final = (1 << 32) - 1
_VARIANT: Final = 0x2 << 62
"""What makes it, with the digit of the version, a UUID of version 8 (RFC 9562, 5.8): of 48 bits of
the client, 12 random ones, 32 of seconds and 30 random ones."""


def new_reference(client: str) -> str:
    """A UUID in 32 hexadecimal digits, unique and not secret.

    It contains the client as Python's hash of the address, with a random key of the process (which
    forked workers share): who refuses it may count on it, and nobody can look an address up by it.
    """
    random = getrandbits(42)
    when = _VARIANT | (int(time()) & _SECONDS_MASK) << 30 | random & 0x3FFFFFFF
    return f"{hash(client) & _CLIENT_MASK:012x}8{random >> 30:03x}{when:016x}"


@frozen
class Reference:
    """What a reference tells.

    :ivar client: the digits that all references of a client begin with, in one process.
    :ivar seconds: since the epoch.
    """

    client: str
    seconds: int

    @property
    def when(self) -> str:
        """The second, in UTC."""
        return datetime.fromtimestamp(self.seconds, UTC).isoformat()

    @classmethod
    def of(cls, text: str) -> Reference | None:
        """That of 32 digits; ``None`` where they are none of ours."""
        try:
            number = int(text, 16)
        except ValueError:
            return None
        if len(text) != 32 or text[12] != "8":
            return None
        return cls(text[:_CLIENT_DIGITS], number >> 30 & _SECONDS_MASK)
