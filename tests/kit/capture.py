"""A real HTTP server that records requests and answers by a script."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from attrs import field, frozen


@frozen
class CapturedRequest:
    """One request as it was sent; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@frozen
class Answer:
    """One scripted answer.

    :ivar hang_seconds: wait this long before answering (less if the server is closed).
    :ivar reset: close the connection with RST in place of an answer.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(factory=dict)
    hang_seconds: float = 0.0
    reset: bool = False


class CapturingServer:
    """Serves on 127.0.0.1 on a free port, in a thread, until closed.

    Answers come from :meth:`script` in order; when it is empty, ``default`` answers.
    """

    def __init__(self, default: Answer | None = None) -> None:
        self.default = default or Answer()
        self.requests: list[CapturedRequest] = []
        self._answers: deque[Answer] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, *answers: Answer) -> None:
        """The answers to the next requests, in order."""
        with self._changed:
            self._answers.extend(answers)

    def wait_for(self, count: int, timeout_seconds: float = 10.0) -> list[CapturedRequest]:
        """The requests so far, once there are ``count``; AssertionError when they don't come."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, timeout_seconds)
            assert arrived, f"{len(self.requests)} of {count} requests came"
            return list(self.requests)

    def __enter__(self) -> CapturingServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _take(self, request: CapturedRequest) -> Answer:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            return self._answers.popleft() if self._answers else self.default


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes the connection is part of the scripts, so nothing is printed."""


def _handler(owner: CapturingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            answer = owner._take(
                CapturedRequest(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    body,
                )
            )
            if answer.hang_seconds:
                owner._closing.wait(answer.hang_seconds)
            if answer.reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler
