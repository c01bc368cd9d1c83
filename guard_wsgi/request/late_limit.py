"""Limits the body for answers that read it while they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from guard_wsgi.request.framing import BodyTooLarge


class LateLimit:
    """The answer of an app that may exceed the limit of the body while it answers, as a generator
    does.

    :param refuse: starts another answer and returns its body.
    """

    def __init__(self, response: Iterable[bytes], refuse: Callable[[], Iterable[bytes]]) -> None:
        self._response = response
        self._chunks = iter(response)
        self._refuse: Callable[[], Iterable[bytes]] | None = refuse

    def __iter__(self) -> LateLimit:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BodyTooLarge:
            if self._refuse is None:
                raise
            # The server raises it again if the head was already sent (PEP 3333).
            refuse, self._refuse = self._refuse, None
            self._chunks = iter(refuse())
        return next(self._chunks)

    def close(self) -> None:
        close = getattr(self._response, "close", None)
        if close is not None:
            close()
