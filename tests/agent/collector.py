"""A collector on a loopback socket that records requests and answers by a script."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field


@define
class Recorded:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(factory=time.monotonic)

    @property
    def plain(self) -> bytes:
        """The body before compression."""
        if self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.body)
        return self.body

    @property
    def json(self) -> Any:
        return json.loads(self.plain)


@define
class Reply:
    """One answer. ``hang`` seconds pass first; ``reset`` cuts the connection instead."""

    status: int = 200
    body: bytes = b'{"success": true}'
    headers: dict[str, str] = field(factory=dict)
    hang: float = 0.0
    reset: bool = False


_GIVEN_OUT: set[int] = set()


class Collector:
    """Answers 200 unless scripted; ``with Collector() as collector: ... collector.url``."""

    def __init__(self, *, port: int = 0, delay: float = 0.0) -> None:
        self.requests: list[Recorded] = []
        self.script: deque[Reply] = deque()
        self.default = Reply(hang=delay)
        self.answer: Callable[[Recorded], Reply | None] | None = None
        self.rules: bytes | None = None
        self._changed = threading.Condition()
        self._released = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                recorded = Recorded(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                reply = collector._reply(recorded)
                if reply.hang:
                    collector._released.wait(reply.hang)
                if reply.reset:
                    self.connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                    )
                    self.close_connection = True
                    return
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    if reply.status != 204:
                        self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    if reply.status != 204:
                        self.wfile.write(reply.body)
                except OSError:
                    self.close_connection = True  # the client has gone: it gave up waiting

            do_GET = do_POST = _serve

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that was killed

        self._server = Server(("127.0.0.1", port), Handler)
        # A handler belongs to an endpoint for the process's life, stopped or not, so a port that
        # the system gives out a second time would bring another test's handler along.
        while not port and self._server.server_address[1] in _GIVEN_OUT:
            self._server.server_close()
            self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        _GIVEN_OUT.add(self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def _reply(self, recorded: Recorded) -> Reply:
        with self._changed:
            self.requests.append(recorded)
            self._changed.notify_all()
            if recorded.method == "GET" and self.rules is not None:
                return Reply(body=self.rules)
            if self.answer is not None:
                reply = self.answer(recorded)
                if reply is not None:
                    return reply
            return self.script.popleft() if self.script else self.default

    def wait_for(self, condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        """Return the result of the condition once it is true; AssertionError after ``seconds``."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                result = condition()
                if result:
                    return result
                remaining = deadline - time.monotonic()
                assert remaining > 0, f"not within {seconds} s; got {self.summary()}"
                self._changed.wait(min(remaining, 0.1))

    def summary(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]

    def posts(self, path: str = "/api/v1/events") -> list[Recorded]:
        return [request for request in self.requests if request.path == path]

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events of all batches, including refused batches."""
        return [event for request in self.posts() for event in request.json["events"]]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [
            metric
            for request in self.posts("/api/v1/metrics")
            for metric in request.json["metrics"]
        ]

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
