"""A body with several readers before the app. Each of them, and the app, reads it from its first
byte.

An app's own functions (a verifier, a key of a limit) may read the body through their framework
before the guard has inspected it. What they read is kept, in memory or, if it is large, in a file.
The rest stays on the server's stream.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.body import RequestBody
from guard_wsgi.request.framing import CHUNK_BYTES, FramingError, InputStream, content_length
from guard_wsgi.request.kept_body import MAX_MEMORY_BYTES
from guard_wsgi.request.replay_stream import ReplayStream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_KEY = "guard_wsgi.shared_body"
"""The environ key, set while the bytes that are read of the body are kept."""


class SharedBody:
    """The shared body of a request.

    :param forget: makes the framework drop what it has parsed of the body, and parse it again from
        the environ's stream.
    """

    def __init__(self, environ: WSGIEnvironment, forget: Callable[[WSGIEnvironment], None]) -> None:
        self._environ = environ
        self._forget = forget
        self._original = stream = environ["wsgi.input"]
        self._beginning = stream.tell() if type(stream) is BytesIO else 0
        self._limit_bytes: int | None = None
        if isinstance(stream, ReplayStream):
            # The app's limit applies to each reader, not to their sum.
            self._limit_bytes, stream.limit_bytes = stream.limit_bytes, None
        self._kept = _Kept(stream)
        self._remaining: int | None = None
        if not environ.get("wsgi.input_terminated"):
            try:
                self._remaining = content_length(environ)
            except FramingError:
                self._remaining = None
        environ[_KEY] = True
        self._given = environ["wsgi.input"] = self._reader()

    @staticmethod
    def is_kept(environ: WSGIEnvironment) -> bool:
        """Whether the environ already has a shared body, or there is no body to share."""
        return _KEY in environ or environ.get("wsgi.input") is None

    def guards(self, body: RequestBody) -> RequestBody:
        """Return the body as the guard has read it so far, on its own stream."""
        if body.limit_bytes is not None:
            self._limit_bytes = body.limit_bytes
        # It has its own limit, and reports it in its own way.
        return body.on_its_own(self._environ, ReplayStream(_Reader(self._kept), self._remaining))

    def for_each(self, readers: Iterable[Any]) -> Iterator[Any]:
        """Let one reader read the body; the environ has all of it meanwhile."""
        for reader in readers:
            self._renew()
            yield reader

    def hand_on(self) -> None:
        """Give the app all of the body, and stop keeping it."""
        self._renew()
        self._environ.pop(_KEY, None)
        self._kept.records = False
        if not self._kept.length:
            original = self._original
            if isinstance(original, ReplayStream):
                original.limit_bytes = self._limit_bytes
            if isinstance(original, ReplayStream) or self._limit_bytes is None:
                self._environ["wsgi.input"] = original
        elif type(self._original) is BytesIO and not self._original.closed:
            # A test client's stream: it sends the same stream again after a 307 or 308.
            self._original.seek(self._beginning)
            if self._limit_bytes is None:
                rest = self._original.getvalue()[self._beginning :]
                self._environ["wsgi.input"] = BytesIO(rest)

    def _renew(self) -> None:
        if self._given.is_begun or self._environ.get("wsgi.input") is not self._given:
            if self._given.is_begun:
                self._forget(self._environ)
            self._given = self._environ["wsgi.input"] = self._reader()

    def _reader(self) -> ReplayStream:
        return ReplayStream(_Reader(self._kept), self._remaining, self._limit_bytes)


class _Kept:
    """A stream with a record of what was read of it.

    :ivar length: how many bytes were read.
    :ivar records: whether further bytes are recorded as well.
    """

    def __init__(self, stream: InputStream) -> None:
        self.length = 0
        self.records = True
        self._stream = stream
        self._memory = bytearray()
        self._descriptor: int | None = None
        self._error: Exception | None = None
        self._has_ended = False

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def take(self, position: int, size: int, line: bool) -> bytes:
        """Return up to ``size`` bytes from ``position`` on, or the line that begins there."""
        data = b""
        if position < self.length:
            data = self._line_at(position, size) if line else self._bytes_at(position, size)
            if len(data) == size or (line and data[-1:] == b"\n"):
                return data
        if self._error is not None and not data:
            raise self._error
        if self._error is not None or self._has_ended:
            return data
        missing = size - len(data) if size >= 0 else -1
        try:
            more = self._next(missing, line)
        except Exception as raised:  # the server's own error: each reader gets it at the same byte
            self._error = raised.with_traceback(None)
            if data:
                return data
            raise
        self._has_ended = not more
        if self.records:
            self._keep(more)
        self.length += len(more)
        return data + more

    def _next(self, size: int, line: bool) -> bytes:
        if not line:
            return self._stream.read(size)
        return self._stream.readline() if size < 0 else self._stream.readline(size)

    def _keep(self, data: bytes) -> None:
        if self._descriptor is None and self.length + len(data) <= MAX_MEMORY_BYTES:
            self._memory += data
            return
        if self._descriptor is None:
            # A descriptor, since a file object in a reference cycle would warn.
            with TemporaryFile(buffering=0) as file:
                self._descriptor = os.dup(file.fileno())
            data, self._memory = bytes(self._memory) + data, bytearray()
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _bytes_at(self, position: int, size: int) -> bytes:
        if self._descriptor is None:
            return bytes(self._memory[position : position + size])
        return os.pread(self._descriptor, size, position)

    def _line_at(self, position: int, size: int) -> bytes:
        """Return the line, or the part of it that was read."""
        parts = []
        while size:
            data = self._bytes_at(position, CHUNK_BYTES if size < 0 else min(size, CHUNK_BYTES))
            newline = data.find(b"\n") + 1
            parts.append(data[:newline] if newline else data)
            if newline or not data:
                break
            position += len(data)
            size = size - len(data) if size > 0 else size
        return b"".join(parts)


class _Reader:
    """Reads a kept body from its beginning."""

    __slots__ = ("_kept", "_position")

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept
        self._position = 0

    def read(self, size: int = -1, /) -> bytes:
        return self._take(size, line=False)

    def readline(self, size: int = -1, /) -> bytes:
        return self._take(size, line=True)

    def _take(self, size: int, line: bool) -> bytes:
        data = self._kept.take(self._position, size, line)
        self._position += len(data)
        return data
