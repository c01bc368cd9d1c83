"""A multipart body without the contents of its files."""

from __future__ import annotations

from guard_wsgi.detection.message.part_heads import MAX_HEAD_BYTES, is_file_head


class Skimmer:
    """Takes a multipart body chunk by chunk, and keeps it without the contents of its files.

    The kept bytes are split like any other body: after a delimiter of any reading in a file, it
    keeps bytes again.
    """

    def __init__(self, boundary: bytes, max_bytes: int, max_parts: int) -> None:
        """:param max_bytes: how much is kept.
        :param max_parts: how many parts are kept, plus one, so that the reader's budget is
            exceeded; later parts are skipped.
        """
        self._delimiter = b"--" + boundary
        self._max_bytes = max_bytes
        self._parts_left = max_parts + 1
        self._kept = bytearray()
        self._buffer = b""
        self._in_file = False
        self.is_whole = True

    def see(self, data: bytes) -> None:
        """Take the next chunk."""
        if self._parts_left < 0:
            return
        buffer, delimiter = self._buffer + data, self._delimiter
        place = 0  # everything before it is finished
        while True:
            at = buffer.find(delimiter, place)
            if at < 0:
                # The end may be the beginning of a delimiter, with the line break before it.
                end = max(len(buffer) - len(delimiter) - 2, place)
                if not self._in_file:
                    self._keep(buffer[place:end])
                place = end
                break
            self._parts_left -= 1
            if self._parts_left < 0:
                self._keep(buffer[place : at + len(delimiter)])
                self._in_file, self.is_whole = True, False
                buffer = b""
                break
            if self._in_file:
                place = max(at - 2, place)
                self._in_file = False
            head = at + len(delimiter)
            # If another delimiter comes first, no file begins.
            next_one = buffer.find(delimiter, head, head + MAX_HEAD_BYTES)
            if next_one >= 0 and buffer.find(b"\r\n\r\n", head, next_one + 3) < 0:
                self._keep(buffer[place:head])
                place = head
                continue
            end = buffer.find(b"\r\n\r\n", head, head + MAX_HEAD_BYTES)
            if end < 0:
                if len(buffer) - head < MAX_HEAD_BYTES:
                    self._keep(buffer[place:at])
                    place = at
                    break
                self._keep(buffer[place:head])
                place = head
                continue
            whole = buffer[head : end + 4].removeprefix(b"\r\n")
            is_field = delimiter in whole or b"filename" not in whole.lower()
            if is_field or not is_file_head(whole.removesuffix(b"\r\n\r\n")):
                self._keep(buffer[place:head])
                place = head
                continue
            self._keep(buffer[place : end + 4])
            place = end + 4
            self._in_file = True
        self._buffer = buffer[place:]

    def finish(self) -> bytes:
        """Return the kept bytes."""
        if not self._in_file:
            self._keep(self._buffer)
        self._buffer = b""
        return bytes(self._kept)

    def _keep(self, data: bytes) -> None:
        if len(self._kept) + len(data) > self._max_bytes:
            self.is_whole = False
            data = data[: self._max_bytes - len(self._kept)]
        self._kept += data
