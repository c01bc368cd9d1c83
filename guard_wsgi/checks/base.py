"""What a check is."""

from __future__ import annotations

from typing import Protocol

from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest


class Check(Protocol):
    """One rung of the ladder: a callable that answers ``None`` or a :class:`Block`.

    :ivar name: stable, one of ``spec``'s check names.
    :ivar excused: bits of those it does not apply to.
    :ivar fails_closed: whether its own fault refuses the request (access, authentication) or
        lets it pass (detection, limits); ``fail_secure=False`` lets all of them pass.
    """

    @property
    def name(self) -> str: ...
    @property
    def excused(self) -> int: ...
    @property
    def fails_closed(self) -> bool: ...

    def __call__(self, request: GuardRequest) -> Block | None: ...
