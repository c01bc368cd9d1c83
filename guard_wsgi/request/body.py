"""The request body: a bounded read of its beginning, and an exact replay for the app.

The guard reads the first bytes of a body in the request's own thread, and only if a rule needs
them. Its ``read(n)`` calls never ask for more than the message has. It replaces ``wsgi.input`` by a
stream that gives the app every byte again. The rest stays on the socket until the app reads it, so
an upload costs the guard only its prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from io import SEEK_CUR, BytesIO
from typing import Any, final

from guard_wsgi.request.framing import (
    CHUNK_BYTES,
    BodyTooLarge,
    FramingError,
    InputStream,
    content_length,
)
from guard_wsgi.request.kept_body import KeptBody, KeptReader
from guard_wsgi.request.replay_stream import ReplayStream, read_bounded


@final
class RequestBody:
    """The body of one request, read only as far as the rules need.

    Before the first :meth:`prefix` or :meth:`limit`, nothing is read or replaced. Both must come
    before anyone else reads ``wsgi.input``. The reference to the environ is dropped as soon as its
    stream is replaced.

    :ivar length: the declared length in bytes; ``None`` if none is declared.
    :ivar readable: whether the body can be read without waiting for bytes that never come.
        ``False`` for bad framing and for a chunked body whose end the server doesn't mark.
    :ivar complete: whether the last :meth:`prefix` returned the whole body.
    :ivar framing_error: why the framing is refused, or ``None``.
    :ivar read_error: the error of the server's stream while the guard read (the client went away, a
        chunk was malformed), as text, or ``None``; the app gets the same error at that byte.
    """

    # The defaults are on the class: most bodies are read whole, at once, and never change them.
    _environ: dict[str, Any] | None
    _head = b""
    _replay: ReplayStream | None = None
    _limit_bytes: int | None = None
    framing_error: FramingError | None = None
    read_error: str | None = None
    complete = False
    length: int | None = None
    readable = True

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        try:
            self.length = content_length(environ)
        except FramingError as error:
            self.framing_error = error.with_traceback(None)
            self.readable = False
            return
        # No length and no transfer coding is an empty body (RFC 9112, 6.3, rule 7).
        if self.length is None and environ.get("HTTP_TRANSFER_ENCODING"):
            self.readable = bool(environ.get("wsgi.input_terminated"))

    @classmethod
    def begun(cls, environ: dict[str, Any], replay: ReplayStream) -> RequestBody:
        """Make a body that was read in part; the stream gives that part again."""
        body = cls(environ)
        body._environ = None
        body._replay = environ["wsgi.input"] = replay
        return body

    def prefix(self, max_bytes: int) -> bytes:
        """Return the first ``max_bytes`` of the body, or all of it if it is shorter.

        It blocks while the client is slow, as the app's own read would, until the server's
        timeout. Never raises: see :attr:`read_error`.
        """
        if self._environ is None:
            return self._grown_prefix(max_bytes)
        environ = self._environ
        if not self.readable:
            return b""
        # A stream that ends by itself is read to its end, even past the declared length: the app
        # would read those bytes as well.
        remaining = None if environ.get("wsgi.input_terminated") else self.length or 0
        if remaining == 0:
            self.complete = True
            return b""
        self._environ = None
        stream: InputStream = environ["wsgi.input"]
        limit_bytes = self._limit_bytes
        head, remaining, self.complete, error = read_bounded(stream, remaining, max_bytes)
        self._head = head
        if self.complete and (limit_bytes is None or len(head) <= limit_bytes):
            if head:
                environ["wsgi.input"] = BytesIO(head)
                if type(stream) is BytesIO:  # as in read_at_once
                    stream.seek(-len(head), SEEK_CUR)
        else:
            if error is not None:
                self.read_error = repr(error)
            self._replay = ReplayStream(stream, remaining, limit_bytes, head, error)
            environ["wsgi.input"] = self._replay
        return head

    def look_on(self, see: Callable[[bytes], None], max_bytes: int) -> bool:
        """Pass the data after the last :meth:`prefix` to ``see``, chunk by chunk.

        The data is kept on disk for the app, so that memory holds only a chunk.

        :return: whether that was the rest of the body; false if more than ``max_bytes`` are left,
            or if the app has already read from it.
        """
        replay = self._replay
        if replay is None:
            return self.complete
        ended, self.read_error = replay.look_on(see, max_bytes)
        return ended

    def limit(self, max_bytes: int) -> None:
        """Limit the body to ``max_bytes``: a read past them raises `BodyTooLarge`.

        A check refuses a declared length. This limits bodies without a length, and bodies that are
        longer than declared. Call it before :meth:`prefix`: once that has returned the complete
        body, there is nothing left to limit.
        """
        self._limit_bytes = max_bytes
        environ = self._environ
        if environ is None or not self.readable:
            if self._replay is not None:
                self._replay.limit_bytes = max_bytes
            return
        if environ.get("wsgi.input_terminated"):
            self._replay = ReplayStream(environ["wsgi.input"], None, max_bytes)
        elif self.length is not None and self.length > max_bytes:
            self._replay = ReplayStream(environ["wsgi.input"], self.length, max_bytes)
        else:
            return
        environ["wsgi.input"] = self._replay
        self._environ = None

    def on_its_own(self, environ: dict[str, Any], stream: ReplayStream) -> RequestBody:
        """Return the same body on its own stream, which gives all of it again; a complete body
        needs none.

        :param environ: the request's environ, whose stream stays as it is.
        """
        if self._environ is None and self._replay is None:
            return self
        body = RequestBody({**environ, "wsgi.input": stream})
        if self._limit_bytes is not None:
            body.limit(self._limit_bytes)
        return body

    @property
    def limit_bytes(self) -> int | None:
        """How many bytes may be read; ``None`` for no limit."""
        return self._limit_bytes

    @property
    def is_limited(self) -> bool:
        """Whether reading it may raise `BodyTooLarge` while the app answers."""
        return self._limit_bytes is not None and self._environ is None

    def whole(self, environ: dict[str, Any]) -> InputStream:
        """Return all of the body, to be read once; the app still gets all of it.

        A body that doesn't fit into memory is kept in a file until its last reader is gone.

        :raises BodyTooLarge: if it is longer than its limit.
        """
        if not self.readable:
            return BytesIO()
        if self._environ is None and self._replay is None:
            return BytesIO(self._head)
        source: InputStream = environ["wsgi.input"]
        remaining = None if environ.get("wsgi.input_terminated") else self.length or 0
        kept = KeptBody()
        while remaining is None or remaining > 0:
            try:
                chunk = source.read(
                    CHUNK_BYTES if remaining is None else min(CHUNK_BYTES, remaining)
                )
            except BodyTooLarge:
                raise
            except Exception as raised:  # the server's own error: kept for the app
                kept.error = raised.with_traceback(None)
                self.read_error = repr(raised)
                break
            if not chunk:
                break
            kept.file.write(chunk)
            if remaining is not None:
                remaining -= len(chunk)
        self._environ = None
        self._head = b""
        self._replay = environ["wsgi.input"] = ReplayStream(KeptReader(kept), None)
        return KeptReader(kept)

    def _grown_prefix(self, max_bytes: int) -> bytes:
        replay = self._replay
        if replay is not None:
            self._head, self.complete, self.read_error = replay.grow(max_bytes)
        head = self._head
        if len(head) > max_bytes:
            self.complete = False
            return head[:max_bytes]
        if replay is None:
            self.complete = True
        return head


def read_at_once(environ: dict[str, Any], length: int, max_bytes: int) -> bytes | RequestBody:
    """Read a body with a declared length in one call, if the stream has all of it at once.

    It is a short way for most bodies. For others, it returns a begun `RequestBody`.

    :param length: the declared length, less than ``max_bytes``.
    :param max_bytes: the most to read from a stream that ends by itself: the app would read bytes
        past the declared length as well.
    """
    ends_by_itself = environ.get("wsgi.input_terminated")
    if not length and not ends_by_itself:
        return b""
    stream: InputStream = environ["wsgi.input"]
    data = more = b""
    error = None
    try:
        data = stream.read(max_bytes if ends_by_itself else length)
        if len(data) == length:
            if ends_by_itself:
                more = stream.read(max_bytes - length)
            if not more:
                environ["wsgi.input"] = BytesIO(data)
                if type(stream) is BytesIO:
                    # A test client's stream: it sends the same stream again after a 307 or 308.
                    stream.seek(-len(data), SEEK_CUR)
                return data
    except Exception as raised:  # the server's own error: kept for the app, which would have got it
        error = raised.with_traceback(None)
    remaining = None if ends_by_itself else length - len(data)
    return RequestBody.begun(environ, ReplayStream(stream, remaining, None, data + more, error))
