"""Keeps the beginning of a response body while it streams by.

Every chunk passes at once and unchanged. The tap keeps references to the first chunks, up to its
cap, and searches them once: when the cap is reached, or when the response ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from guard_wsgi.behavior.response_pattern import BodyPatterns

_UNREADABLE_TYPES = (
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/zip",
    "application/gzip",
    "application/pdf",
)
"""Media types that are large, and in which patterns are not meant to match."""


class ResponseTap:
    """The tap of one response.

    :param found: called at most once, with the indexes of the patterns found.
    :param max_bytes: how much of the body is searched.
    """

    __slots__ = ("_chunks", "_encoding", "_found", "_is_json", "_kept", "_max_bytes", "_patterns")

    def __init__(
        self, found: Callable[[Sequence[int]], None], patterns: BodyPatterns, max_bytes: int
    ) -> None:
        self._found = found
        self._patterns = patterns
        self._max_bytes = max_bytes
        self._chunks: list[bytes] | None = []
        self._kept = 0
        self._is_json = False
        self._encoding = ""

    def begin(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Read what the response's headers say about its body."""
        content_type = encoding = ""
        for name, value in headers:
            lowered = name.lower()
            if lowered == "content-type":
                content_type = value.partition(";")[0].strip().lower()
            elif lowered == "content-encoding":
                encoding = value.strip().lower()
        self._is_json = content_type == "application/json" or content_type.endswith("+json")
        self._encoding = encoding
        if content_type.startswith(_UNREADABLE_TYPES) or status in (204, 304):
            self._chunks = None

    def over(self, iterable: Iterable[bytes]) -> Iterable[bytes]:
        return (_SizedTappedBody if hasattr(iterable, "__len__") else _TappedBody)(self, iterable)

    def through(self, write: Callable[[bytes], object]) -> Callable[[bytes], object]:
        def tapped(chunk: bytes) -> object:
            self.keep(chunk)
            return write(chunk)

        return tapped

    def keep(self, chunk: bytes) -> None:
        chunks = self._chunks
        if chunks is None:
            return
        chunks.append(chunk)
        self._kept += len(chunk)
        if self._kept >= self._max_bytes:
            self._look(is_complete=self._kept == self._max_bytes)

    def end(self) -> None:
        """Search what was kept, at the end of the response. It may be called twice, or after the
        cap."""
        if self._chunks is not None:
            self._look(is_complete=True)

    def _look(self, *, is_complete: bool) -> None:
        chunks, self._chunks = self._chunks or (), None
        body = b"".join(chunks)[: self._max_bytes]
        if self._encoding in ("gzip", "deflate"):
            body, ended = _decompress(body, self._max_bytes)
            is_complete = is_complete and ended
        elif self._encoding not in ("", "identity"):
            return  # the app uses an encoding that needs another library
        places = self._patterns.matches(body, is_json=self._is_json, is_complete=is_complete)
        if places:
            self._found(places)


def _decompress(body: bytes, max_bytes: int) -> tuple[bytes, bool]:
    """Return the decompressed beginning of a body, and whether that is all of it."""
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, by its header
    try:
        return decompressor.decompress(body, max_bytes), decompressor.eof
    except zlib.error:
        return b"", False


class _TappedBody:
    """The app's iterable. It calls the app's ``close`` however the response ends (PEP 3333)."""

    __slots__ = ("_iterable", "_iterator", "_tap")

    def __init__(self, tap: ResponseTap, iterable: Iterable[bytes]) -> None:
        self._tap = tap
        self._iterable = iterable
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        try:
            chunk = next(self._iterator)
        except StopIteration:
            self._tap.end()
            raise
        self._tap.keep(chunk)
        return chunk

    def close(self) -> None:
        close = getattr(self._iterable, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._tap.end()


class _SizedTappedBody(_TappedBody):
    """The same for a list: servers call ``len()`` to set Content-Length for a response of one
    chunk."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type]
