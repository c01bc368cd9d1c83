"""The request body: its framing, a bounded read of its beginning, and an exact replay for the app.

The guard looks at the first bytes of a body in the request's own thread, only when a rule asks,
with ``read(n)`` calls that never ask for more than the message holds, and puts a stream in the
place of ``wsgi.input`` that gives the app every byte again. What the guard didn't ask for stays
on the socket until the app reads it, so an upload costs the guard its prefix and nothing more.

How long a body is follows RFC 9112 section 6.3, and how a WSGI server says so follows PEP 3333
and werkzeug: ``CONTENT_LENGTH``, or ``wsgi.input_terminated`` when the stream ends by itself. A
chunked body on a server that sets neither can't be read without the risk of waiting for ever.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from io import SEEK_CUR, BytesIO
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any, Protocol, final

from werkzeug.exceptions import RequestEntityTooLarge

from guard_wsgi.errors import GuardError

CHUNK_BYTES = 65_536
"""How much of an unbounded ``read()`` is asked for at a time: a socket buffer's worth."""

MAX_MEMORY_BYTES = 1_048_576
"""Of a body that is read whole before the app; what is larger is in a file meanwhile."""

_MAX_LENGTH_DIGITS = 19
"""2**63 has 19 digits; longer numbers are an attack on the parser, not a length."""


class FramingError(GuardError, ValueError):
    """The request doesn't say in one way how long its body is (RFC 9112, 6.3): answer 400.

    Servers and proxies that disagree about where a body ends are what request smuggling needs.
    """


class BodyTooLarge(GuardError, RequestEntityTooLarge):
    """The app read past the size limit of the body. Frameworks on werkzeug answer 413 by it."""


class InputStream(Protocol):
    """What PEP 3333 asks of ``wsgi.input``."""

    def read(self, size: int = ..., /) -> bytes: ...

    def readline(self, size: int = ..., /) -> bytes: ...


def content_length(environ: dict[str, Any]) -> int | None:
    """The declared length of the body in bytes, or ``None`` when none is declared.

    :raises FramingError: when ``CONTENT_LENGTH`` is not a plain decimal number (RFC 9110, 8.6: a
        sign, a list, white space or another script's digits are not), when it comes together
        with a ``Transfer-Encoding`` (RFC 9112, 6.1) that no gateway has undone, and when the last
        transfer coding isn't ``chunked`` (RFC 9112, 6.3, rule 4).
    """
    transfer_encoding = environ.get("HTTP_TRANSFER_ENCODING")
    declared = environ.get("CONTENT_LENGTH")
    if type(declared) is int:  # a test client's; PEP 3333 has text
        declared = str(declared)
    if transfer_encoding and not (declared and _is_dechunked(environ, transfer_encoding)):
        if declared:
            raise FramingError("Content-Length and Transfer-Encoding in one request")
        if transfer_encoding.rpartition(",")[2].strip(" \t").lower() != "chunked":
            raise FramingError("the last transfer coding is not chunked")
        return None
    if not declared:
        return None
    if (
        not isinstance(declared, str)
        or not (declared.isdigit() and declared.isascii())
        or len(declared) > _MAX_LENGTH_DIGITS
    ):
        raise FramingError("Content-Length is not a number")
    return int(declared)


def _is_dechunked(environ: dict[str, Any], transfer_encoding: str) -> bool:
    """Whether a gateway has put the chunks together, and counted them, and left the header.

    nginx does, before it hands a request on by ``uwsgi_pass``, ``fastcgi_pass`` or ``scgi_pass``.
    Those protocols send the length apart from the headers, so that nobody can disagree about it.
    That it was one of them is told by what no client can set: the variables of nginx's parameter
    files (Apache sets them, too, and lets no length through beside chunks), or the reader of
    gunicorn, which reads chunks by another one whenever HTTP brought the header.
    """
    if transfer_encoding.strip(" \t").lower() != "chunked":
        return False
    if "REQUEST_SCHEME" in environ and "DOCUMENT_ROOT" in environ:
        return True
    reader = type(getattr(environ.get("wsgi.input"), "reader", None))
    return reader.__module__ == "gunicorn.http.body" and reader.__name__ == "LengthReader"


@final
class RequestBody:
    """The body of one request, read as far as the rules need and no further.

    Nothing is read and nothing replaced before the first :meth:`prefix` or :meth:`limit`, and
    both must come before anyone else reads ``wsgi.input``. The environ is let go of as soon as
    its stream has been replaced.

    :ivar length: the declared length in bytes; ``None`` when none is declared.
    :ivar readable: whether the body can be read without waiting for bytes that never come.
        ``False`` for bad framing and for a chunked body whose end the server doesn't mark.
    :ivar complete: whether the last :meth:`prefix` returned the whole body.
    :ivar framing_error: why the framing is refused, or ``None``.
    :ivar read_error: what the server's stream raised while the guard read (the client went away,
        a chunk was malformed), as text, or ``None``; the app gets the error itself at that byte.
    """

    # Defaults stand on the class: most bodies are read whole, at once, and leave them as they are.
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
        """One of which something has been read already, which the stream gives again."""
        body = cls(environ)
        body._environ = None
        body._replay = environ["wsgi.input"] = replay
        return body

    def prefix(self, max_bytes: int) -> bytes:
        """The first ``max_bytes`` of the body, or all of it if it is shorter.

        Blocks while the client is slow, as the app's own read would; the server's time-out is
        the bound. Never raises: see :attr:`read_error`.
        """
        if self._environ is None:
            return self._grown_prefix(max_bytes)
        environ = self._environ
        if not self.readable:
            return b""
        # A stream that ends by itself is read to its end, even past the declared length: the app
        # would read what stands there as well.
        remaining = None if environ.get("wsgi.input_terminated") else self.length or 0
        if remaining == 0:
            self.complete = True
            return b""
        self._environ = None
        stream: InputStream = environ["wsgi.input"]
        limit_bytes = self._limit_bytes
        head, remaining, self.complete, error = _read_bounded(stream, remaining, max_bytes)
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
        """Show what comes after the last :meth:`prefix` to ``see``, a chunk at a time.

        What is read is kept on disk for the app, so that memory holds a chunk of it.

        :return: whether that was the rest of the body; not if it has more than ``max_bytes``
            still, or if the app has read from it already.
        """
        replay = self._replay
        if replay is None:
            return self.complete
        ended, self.read_error = replay.look_on(see, max_bytes)
        return ended

    def limit(self, max_bytes: int) -> None:
        """Let nobody read more than ``max_bytes``: the read that would raises `BodyTooLarge`.

        The declared length is for a check to refuse; this holds for bodies without one, and for
        those whose length lies. Call it before :meth:`prefix`: once that has returned the
        complete body there is nothing left to bound, and its length is known.
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
        """The same body on a stream that gives all of it again, and that nobody else reads; one
        that is complete needs none.

        :param environ: the request's, of which the stream is left as it is.
        """
        if self._environ is None and self._replay is None:
            return self
        body = RequestBody({**environ, "wsgi.input": stream})
        if self._limit_bytes is not None:
            body.limit(self._limit_bytes)
        return body

    @property
    def limit_bytes(self) -> int | None:
        """How much of it may be read; ``None`` for no limit."""
        return self._limit_bytes

    @property
    def is_limited(self) -> bool:
        """Whether reading it may raise `BodyTooLarge` while the app answers."""
        return self._limit_bytes is not None and self._environ is None

    def whole(self, environ: dict[str, Any]) -> InputStream:
        """All of the body, to be read through once; the app still gets all of it.

        What doesn't fit into memory is kept in a file until nobody reads it any more.

        :raises BodyTooLarge: when it goes on past its limit.
        """
        if not self.readable:
            return BytesIO()
        if self._environ is None and self._replay is None:
            return BytesIO(self._head)
        source: InputStream = environ["wsgi.input"]
        remaining = None if environ.get("wsgi.input_terminated") else self.length or 0
        kept = _KeptBody()
        while remaining is None or remaining > 0:
            try:
                chunk = source.read(
                    CHUNK_BYTES if remaining is None else min(CHUNK_BYTES, remaining)
                )
            except BodyTooLarge:
                raise
            except Exception as raised:  # the server's own: kept for the app, at the same byte
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
        self._replay = environ["wsgi.input"] = ReplayStream(_KeptReader(kept), None)
        return _KeptReader(kept)

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


class _KeptBody:
    """A body that has been read, in memory or, if it is large, in a file without a name."""

    def __init__(self) -> None:
        self.file = SpooledTemporaryFile(MAX_MEMORY_BYTES)  # noqa: SIM115 -- closed with the body
        self.error: Exception | None = None

    def __del__(self) -> None:
        self.file.close()


class _KeptReader:
    """Reads a kept body from its beginning, and raises what the server's stream did at its end."""

    def __init__(self, kept: _KeptBody) -> None:
        self._kept = kept
        self._position = 0

    def read(self, size: int = -1, /) -> bytes:
        return self._take(self._kept.file.read, size)

    def readline(self, size: int = -1, /) -> bytes:
        return self._take(self._kept.file.readline, size)

    def _take(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._kept.file.seek(self._position)
        data = read(size)
        self._position += len(data)
        if not data and size and self._kept.error is not None:
            raise self._kept.error
        return data


class ReplayStream:
    """``wsgi.input`` again from its first byte: what the guard read, then what it did not.

    :ivar limit_bytes: how much may be read in all; ``None`` for no limit.
    """

    __slots__ = ("_error", "_head", "_position", "_remaining", "_rest", "_taken", "limit_bytes")

    def __init__(
        self,
        rest: InputStream,
        remaining: int | None,
        limit_bytes: int | None = None,
        head: bytes = b"",
        error: Exception | None = None,
    ) -> None:
        self._rest = rest
        self._remaining = remaining
        self._head = head
        self._position = 0
        self._taken = 0
        self._error = error
        self.limit_bytes = limit_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        """As ``io.BufferedIOBase.read``: all of it for a negative size or ``None``."""
        if size is None or size < 0:
            return self._read_all()
        if size == 0:
            return b""
        data = self._from_head(size)
        missing = size - len(data)
        if missing and (not data or self._error is None):
            rest = self._from_rest(missing)
            if rest:
                return data + rest if data else rest
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        """As ``io.BufferedIOBase.readline``: one line with its newline, cut at ``size``."""
        if size is None or size < 0:
            size = -1
        head, position = self._head, self._position
        if position < len(head):
            newline = head.find(b"\n", position)
            end = len(head) if newline < 0 else newline + 1
            if size >= 0:
                end = min(end, position + size)
            line = self._from_head(end - position)
            if end == newline + 1 or len(line) == size or self._error is not None:
                return line
            return line + self._from_rest(-1 if size < 0 else size - len(line), line=True)
        return self._from_rest(size, line=True)

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """As ``io.IOBase.readlines``: lines until ``hint`` bytes are passed."""
        lines = []
        total = 0
        while line := self.readline():
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    @property
    def is_begun(self) -> bool:
        """Whether something has been read of it."""
        return bool(self._position or self._taken)

    def grow(self, max_bytes: int) -> tuple[bytes, bool, str | None]:
        """Take up to ``max_bytes`` into the head, unless the app has read beyond it already.

        :return: the head, whether it is the whole body, and the server's error as text.
        """
        missing = max_bytes - len(self._head)
        at_end = self._remaining == 0 and not self._taken
        if missing > 0 and not at_end and not self._taken and self._error is None:
            more, self._remaining, at_end, self._error = _read_bounded(
                self._rest, self._remaining, missing
            )
            self._head += more
            if at_end:
                self._remaining = 0
        return self._head, at_end, None if self._error is None else repr(self._error)

    def look_on(self, see: Callable[[bytes], None], max_bytes: int) -> tuple[bool, str | None]:
        """As `RequestBody.look_on`; with the server's error as text."""
        if self._taken or self._error is not None:
            return False, None if self._error is None else repr(self._error)
        remaining, kept = self._remaining, 0
        if self.limit_bytes is not None:
            max_bytes = min(max_bytes, self.limit_bytes - len(self._head) + 1)
        kept_bytes = _OnDisk()
        error = None
        ended = remaining == 0
        try:
            while not ended and kept < max_bytes:
                size = min(CHUNK_BYTES, max_bytes - kept)
                data = self._rest.read(size if remaining is None else min(size, remaining - kept))
                kept_bytes.write(data)
                kept += len(data)
                see(data)
                ended = not data or kept == remaining
        except Exception as raised:  # the server's own: kept for the app, which would have got it
            error = raised.with_traceback(None)
        kept_bytes.rewind()
        self._rest = _Behind(kept_bytes, self._rest, error)
        if ended:
            self._remaining = kept
        return ended, None if error is None else repr(error)

    def _from_head(self, size: int) -> bytes:
        position = self._position
        data = self._head[position : position + size]
        if data:
            self._position = position = position + len(data)
            if self.limit_bytes is not None and position > self.limit_bytes:
                raise BodyTooLarge
        return data

    def _from_rest(self, size: int, line: bool = False) -> bytes:
        """One read, or one line, of what the guard left on the server's stream."""
        error = self._error
        if error is not None:
            # Kept any longer, its traceback would hold this stream and the app's frames.
            self._error = None
            raise error
        remaining = self._remaining
        if remaining is not None and (size < 0 or size > remaining):
            size = remaining
        limit_bytes = self.limit_bytes
        if limit_bytes is not None:
            # One byte over the limit tells a body that ends there from one that goes on.
            allowed = limit_bytes - len(self._head) - self._taken + 1
            if allowed <= 0:
                raise BodyTooLarge
            if size < 0 or size > allowed:
                size = allowed
        if size == 0:
            return b""
        if not line:
            data = self._rest.read(size)
        elif size < 0:
            data = self._rest.readline()
        else:
            data = self._rest.readline(size)
        self._taken += len(data)
        if remaining is not None:
            # An early end of the stream is its end: don't ask a second time.
            self._remaining = remaining - len(data) if data else 0
        if limit_bytes is not None and len(self._head) + self._taken > limit_bytes:
            raise BodyTooLarge
        return data

    def _read_all(self) -> bytes:
        parts = [self._from_head(len(self._head))]
        while data := self._from_rest(CHUNK_BYTES):
            parts.append(data)
        return b"".join(parts)


class LateLimit:
    """The answer of an app that may read past the limit of the body only while it answers, as a
    generator does.

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
            # The server raises it again if the head is out (PEP 3333).
            refuse, self._refuse = self._refuse, None
            self._chunks = iter(refuse())
        return next(self._chunks)

    def close(self) -> None:
        close = getattr(self._response, "close", None)
        if close is not None:
            close()


class _OnDisk:
    """Bytes in a file without a name, which is gone with the last who reads it.

    By its descriptor: a file object in a circle of garbage, as tracebacks make them, warns.
    """

    __slots__ = ("_descriptor", "_line")

    def __init__(self) -> None:
        with TemporaryFile(buffering=0) as file:
            self._descriptor = os.dup(file.fileno())
        self._line = b""  # read ahead of what was asked for

    def __del__(self) -> None:
        os.close(self._descriptor)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def rewind(self) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)

    def read(self, size: int, /) -> bytes:
        if self._line:
            data, self._line = self._line[:size], self._line[size:]
            return data
        return os.read(self._descriptor, size)

    def readline(self, size: int, /) -> bytes:
        parts = []
        while size:
            data = self.read(CHUNK_BYTES)
            newline = data.find(b"\n") + 1
            end = min(newline or len(data), size if size > 0 else len(data))
            self._line = data[end:] + self._line
            parts.append(data[:end])
            if not data or end == newline:
                break
            size = size - end if size > 0 else size
        return b"".join(parts)


class _Behind:
    """What has been read of a stream, from disk, and then the stream itself."""

    __slots__ = ("_error", "_kept", "_rest")

    def __init__(self, kept: _OnDisk, rest: InputStream, error: Exception | None) -> None:
        self._kept = kept
        self._rest = rest
        self._error = error

    def read(self, size: int = -1, /) -> bytes:
        return self._kept.read(CHUNK_BYTES if size < 0 else size) or self._more().read(size)

    def readline(self, size: int = -1, /) -> bytes:
        line = self._kept.readline(size)
        if line[-1:] == b"\n" or len(line) == size or (line and self._error is not None):
            return line
        return line + self._more().readline(-1 if size < 0 else size - len(line))

    def _more(self) -> InputStream:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return self._rest


def read_at_once(environ: dict[str, Any], length: int, max_bytes: int) -> bytes | RequestBody:
    """The body of a message that declares its length, if that is what the stream has at once.

    What `RequestBody` does for most bodies, in one call; for others that is returned, begun.

    :param length: the declared length, less than ``max_bytes``.
    :param max_bytes: of a stream that ends by itself: what stands past the declared length, the
        app would read as well.
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
                    # A test client's: it sends the same stream again where a 307 or 308 points.
                    stream.seek(-len(data), SEEK_CUR)
                return data
    except Exception as raised:  # the server's own: kept for the app, which would have got it
        error = raised.with_traceback(None)
    remaining = None if ends_by_itself else length - len(data)
    return RequestBody.begun(environ, ReplayStream(stream, remaining, None, data + more, error))


def _read_bounded(
    stream: InputStream, remaining: int | None, max_bytes: int
) -> tuple[bytes, int | None, bool, Exception | None]:
    """The next ``max_bytes`` of a stream by ``read(n)`` alone.

    :param remaining: bytes left by the declared length; ``None`` if the stream ends by itself.
    :return: the bytes, what remains, whether the stream has ended, and what it raised.
    """
    missing = max_bytes if remaining is None or remaining > max_bytes else remaining
    head = b""
    more: list[bytes] = []
    error = None
    try:
        while missing:
            data = stream.read(missing)
            if not data:
                remaining = 0
                break
            missing -= len(data)
            if head:
                more.append(data)
            else:
                head = data  # usually all there is
    except Exception as raised:  # the server's own: kept for the app, which would have got it
        error = raised.with_traceback(None)
    if more:
        head += b"".join(more)
    if error is not None:
        return head, remaining, False, error
    if remaining:
        remaining -= len(head)
    return head, remaining, remaining == 0, None
