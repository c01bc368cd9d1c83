"""Bytes of a body that were read and wait for the app, in memory or on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from tempfile import SpooledTemporaryFile, TemporaryFile

from guard_wsgi.request.framing import CHUNK_BYTES, InputStream

MAX_MEMORY_BYTES = 1_048_576
"""The largest body to keep in memory; a larger one waits in a file."""


class KeptBody:
    """A body that was read, in memory or, if it is large, in a file without a name."""

    def __init__(self) -> None:
        self.file = SpooledTemporaryFile(MAX_MEMORY_BYTES)  # noqa: SIM115 -- closed with the body
        self.error: Exception | None = None

    def __del__(self) -> None:
        self.file.close()


class KeptReader:
    """Reads a kept body from its beginning, and raises the error of the server's stream at its
    end."""

    def __init__(self, kept: KeptBody) -> None:
        self._kept = kept
        self._position = 0

    def again(self) -> KeptReader:
        """Return another reader, which begins at the first byte."""
        return KeptReader(self._kept)

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


class DiskBytes:
    """Bytes in a file without a name, which vanishes with its last reader.

    It keeps a descriptor, not a file object: one in a reference cycle, as tracebacks make them,
    would warn.
    """

    __slots__ = ("_descriptor", "_line")

    def __init__(self) -> None:
        with TemporaryFile(buffering=0) as file:
            self._descriptor = os.dup(file.fileno())
        self._line = b""  # more than was asked for

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


class ResumedStream:
    """First the bytes that were read of a stream, from disk, then the stream itself."""

    __slots__ = ("_error", "_kept", "_rest")

    def __init__(self, kept: DiskBytes, rest: InputStream, error: Exception | None) -> None:
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
