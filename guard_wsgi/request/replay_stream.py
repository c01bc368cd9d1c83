"""Replays ``wsgi.input`` from its first byte after the guard has read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from guard_wsgi.request.framing import CHUNK_BYTES, BodyTooLarge, InputStream
from guard_wsgi.request.kept_body import DiskBytes, KeptReader, ResumedStream


class ReplayStream:
    """``wsgi.input`` from its first byte: the bytes that the guard has read, then the rest.

    :ivar limit_bytes: how many bytes may be read in all; ``None`` for no limit.
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
        """Read as ``io.BufferedIOBase.read``: everything for a negative size or ``None``."""
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
        """Read as ``io.BufferedIOBase.readline``: one line with its newline, cut at ``size``."""
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
        """Read as ``io.IOBase.readlines``: lines until there are more than ``hint`` bytes."""
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
        """Whether anybody has read from it."""
        return bool(self._position or self._taken)

    def again(self) -> ReplayStream | None:
        """Return the body from its first byte, if all of it is kept."""
        if isinstance(self._rest, KeptReader) and not self._head:
            return ReplayStream(self._rest.again(), None)
        if self._taken or self._remaining != 0 or self._error is not None:
            return None
        return ReplayStream(self._rest, 0, None, self._head)

    def grow(self, max_bytes: int) -> tuple[bytes, bool, str | None]:
        """Take up to ``max_bytes`` into the head, unless the app has read beyond it already.

        :return: the head, whether it is the whole body, and the server's error as text.
        """
        missing = max_bytes - len(self._head)
        at_end = self._remaining == 0 and not self._taken
        if missing > 0 and not at_end and not self._taken and self._error is None:
            more, self._remaining, at_end, self._error = read_bounded(
                self._rest, self._remaining, missing
            )
            self._head += more
            if at_end:
                self._remaining = 0
        return self._head, at_end, None if self._error is None else repr(self._error)

    def look_on(self, see: Callable[[bytes], None], max_bytes: int) -> tuple[bool, str | None]:
        """Work as `RequestBody.look_on`; return the server's error as text as well."""
        if self._taken or self._error is not None:
            return False, None if self._error is None else repr(self._error)
        remaining, kept = self._remaining, 0
        if self.limit_bytes is not None:
            max_bytes = min(max_bytes, self.limit_bytes - len(self._head) + 1)
        kept_bytes = DiskBytes()
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
        except Exception as raised:  # the server's own error: kept for the app
            error = raised.with_traceback(None)
        kept_bytes.rewind()
        self._rest = ResumedStream(kept_bytes, self._rest, error)
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
        """Read once, or one line, from the rest on the server's stream."""
        error = self._error
        if error is not None:
            # If it were kept longer, its traceback would keep this stream and the app's frames
            # alive.
            self._error = None
            raise error
        remaining = self._remaining
        if remaining is not None and (size < 0 or size > remaining):
            size = remaining
        limit_bytes = self.limit_bytes
        if limit_bytes is not None:
            # One byte over the limit distinguishes a body that ends there from a longer one.
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
            # Do not read again after an early end of the stream.
            self._remaining = remaining - len(data) if data else 0
        if limit_bytes is not None and len(self._head) + self._taken > limit_bytes:
            raise BodyTooLarge
        return data

    def _read_all(self) -> bytes:
        parts = [self._from_head(len(self._head))]
        while data := self._from_rest(CHUNK_BYTES):
            parts.append(data)
        return b"".join(parts)


def read_bounded(
    stream: InputStream, remaining: int | None, max_bytes: int
) -> tuple[bytes, int | None, bool, Exception | None]:
    """Read the next ``max_bytes`` of a stream, with ``read(n)`` only.

    :param remaining: how many bytes the declared length leaves; ``None`` if the stream ends by
        itself.
    :return: the bytes, how many remain, whether the stream has ended, and its error.
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
    except Exception as raised:  # the server's own error: kept for the app
        error = raised.with_traceback(None)
    if more:
        head += b"".join(more)
    if error is not None:
        return head, remaining, False, error
    if remaining:
        remaining -= len(head)
    return head, remaining, remaining == 0, None
