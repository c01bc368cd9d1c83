"""A refusal, before it is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import Any

from attrs import define, field

from guard_wsgi.request.response import GuardResponse


@define(kw_only=True, eq=False)
class Block:
    """A refusal, before it is rendered. It is not frozen, because a flood makes many; nobody writes
    to it.

    :ivar check: the check that refused; a stable name for logs, muting and metrics.
    :ivar event: the type of the event that reports it (telemetry/event_types.py).
    :ivar retry_after_seconds: sent as ``Retry-After``.
    :ivar response: a hook's own answer, sent as it is instead of status and message.
    :ivar metadata: further metadata of its event.
    """

    status: int
    message: str
    check: str
    event: str = "access_denied"
    _reason: str = field(default="", repr=False)
    retry_after_seconds: float | None = None
    headers: tuple[tuple[str, str], ...] = ()
    response: GuardResponse | None = None
    metadata: Mapping[str, Any] = MappingProxyType({})

    @property
    def reason(self) -> str:
        """For the operator; never sent to the client."""
        return self._reason

    @property
    def category(self) -> str:
        """The category of an attack."""
        return ""

    def details(self) -> Mapping[str, Any]:
        """Makes further metadata of its event, if a sink takes the event."""
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle it, with a request's environ, as a plain refusal with its reason and findings."""
        return _restored, (self.status, self.message, self.check, self.event, self.reason)


def whole_seconds(seconds: float) -> int:
    """The value of ``Retry-After``: rounded up, at least one, allowing for a rounding error."""
    return max(1, ceil(seconds - 0.001))


def _restored(status: int, message: str, check: str, event: str, reason: str) -> Block:
    return Block(status=status, message=message, check=check, event=event, reason=reason)
