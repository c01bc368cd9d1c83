"""A body from its first byte again, for the rules of a view that an app calls after it has read the
body."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.replay_stream import ReplayStream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class RewoundBody:
    """Within the block, the environ has all of a body that is kept: in memory, like each body that
    the guard has inspected, or where a framework keeps it. After the block, the environ is as
    before."""

    __slots__ = ("_environ", "_is_forgotten", "_position", "_stream")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ
        self._stream: Any = None
        self._position = 0
        self._is_forgotten = False

    def __enter__(self) -> RewoundBody:
        stream: Any = self._environ.get("wsgi.input")
        if isinstance(stream, ReplayStream):
            again = stream.again() if stream.is_begun else None
            if again is not None:
                self._stream, self._environ["wsgi.input"] = stream, again
        elif _is_seekable(stream):
            self._position = stream.tell()
            if self._position:
                self._stream = stream
                stream.seek(0)
        return self

    def noting(self, forget: Callable[[WSGIEnvironment], None]) -> Callable[[Any], None]:
        """Return what makes a framework parse the body again: then it needs all of it."""

        def noted(environ: WSGIEnvironment) -> None:
            self._is_forgotten = True
            forget(environ)

        return noted

    def __exit__(self, *raised: Any) -> None:
        stream = self._stream
        if stream is None or self._is_forgotten:
            return
        if not isinstance(stream, ReplayStream):
            stream.seek(self._position)
        self._environ["wsgi.input"] = stream


def _is_seekable(stream: Any) -> bool:
    seekable = getattr(stream, "seekable", None)
    try:
        return seekable is not None and bool(seekable())
    except ValueError:  # closed
        return False
