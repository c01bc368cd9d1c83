"""HTTP by hand: raw requests over a socket, because clients correct what servers must survive."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from typing import Any

from attrs import frozen


@frozen
class RawAnswer:
    """One answer as it was received.

    :ivar interim: status codes of the 1xx answers before it.
    :ivar headers: name (lower case) and value pairs in order.
    :ivar body: without the chunked framing.
    :ivar raw: every byte received.
    """

    status: int
    reason: str
    interim: tuple[int, ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        return json.loads(self.body)


def request(
    method: str,
    target: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    chunks: Iterable[bytes] | None = None,
    version: str = "1.1",
) -> bytes:
    """The bytes of a request that asks for the connection to be closed.

    ``body`` sets a Content-Length; ``chunks`` sends them chunked.
    """
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers]
    payload = b""
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
        payload = body
    elif chunks is not None:
        lines.append("Transfer-Encoding: chunked")
        payload = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        payload += b"0\r\n\r\n"
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + payload


class Connection:
    """One TCP connection with a deadline for everything."""

    def __init__(self, port: int, timeout_seconds: float = 20) -> None:
        self.deadline = time.monotonic() + timeout_seconds
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_seconds)
        self.received = b""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *details: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive_more(self) -> bool:
        """One receive; ``False`` at the end of the connection."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no more after {self.received[-300:]!r}")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:
            return False
        self.received += data
        return bool(data)

    def receive_until(self, marker: bytes) -> bytes:
        """Return everything received so far, once it contains the marker."""
        while marker not in self.received:
            assert self.receive_more(), f"closed after {self.received[-300:]!r}"
        return self.received

    def answer(self, method: str = "GET") -> RawAnswer:
        """Read one answer to its end (by its framing, or the end of the connection)."""
        interim: list[int] = []
        start = 0
        while True:
            while (end := self.received.find(b"\r\n\r\n", start)) < 0:
                assert self.receive_more(), f"closed after {self.received[-300:]!r}"
            head = self.received[start:end].decode("latin-1").split("\r\n")
            _, code, reason = (head[0] + "  ").split(" ", 2)
            start = end + 4
            if not code.startswith("1"):
                break
            interim.append(int(code))
        headers = tuple(
            (name.strip().lower(), value.strip())
            for name, _, value in (line.partition(":") for line in head[1:])
        )
        body = self._body(dict(headers), start, bodiless=method == "HEAD" or code in ("204", "304"))
        return RawAnswer(int(code), reason.strip(), tuple(interim), headers, body, self.received)

    def _body(self, headers: dict[str, str], start: int, bodiless: bool) -> bytes:
        if bodiless:
            return b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while (decoded := dechunk(self.received[start:])) is None:
                if not self.receive_more():
                    return self.received[start:]
            return decoded
        if "content-length" in headers:
            end = start + int(headers["content-length"])
            while len(self.received) < end and self.receive_more():
                pass
            return self.received[start:end]
        while self.receive_more():
            pass
        return self.received[start:]


def dechunk(data: bytes) -> bytes | None:
    """The body of a chunked message, ``None`` while its last chunk is missing."""
    body = b""
    while True:
        size_line, found, data = data.partition(b"\r\n")
        if not found:
            return None
        size = int(size_line.split(b";")[0], 16)
        if size == 0:
            return body
        if len(data) < size + 2:
            return None
        body += data[:size]
        data = data[size + 2 :]


def exchange(
    port: int, *parts: bytes, method: str = "GET", timeout_seconds: float = 20
) -> RawAnswer:
    """Send the parts one after the other and read one answer."""
    with Connection(port, timeout_seconds) as connection:
        try:
            for part in parts:
                connection.send(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent: the answer is what counts
        return connection.answer(method)
