"""The part of memcached's text protocol that the client uses, in a thread.

No package ships the real server; the client, pymemcache, is the real one.
"""

from __future__ import annotations

import socketserver
import threading
import time
from itertools import count


class MemcachedServer:
    """Items live in a dict; expiry in seconds, as the protocol has it."""

    def __init__(self) -> None:
        self._items: dict[bytes, tuple[bytes, float, int]] = {}
        self._lock = threading.Lock()
        self._tokens = count(1)
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while line := self.rfile.readline():
                    reply = owner._answer(line.split(), self.rfile.read)
                    if reply:
                        self.wfile.write(reply)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"memcached://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _find(self, key: bytes) -> tuple[bytes, float, int] | None:
        item = self._items.get(key)
        return item if item is not None and time.time() < item[1] else None

    def _answer(self, words: list[bytes], read: object) -> bytes:
        assert callable(read)
        command, *rest = words
        with self._lock:
            if command in (b"get", b"gets"):
                reply = b""
                for key in rest:
                    item = self._find(key)
                    if item is not None:
                        token = b" %d" % item[2] if command == b"gets" else b""
                        reply += b"VALUE %s 0 %d%s\r\n%s\r\n" % (key, len(item[0]), token, item[0])
                return reply + b"END\r\n"
            quiet = rest[-1] == b"noreply"
            reply = self._change(command, rest, read)
            return b"" if quiet else reply

    def _change(self, command: bytes, rest: list[bytes], read: object) -> bytes:
        assert callable(read)
        key = rest[0]
        assert len(key) <= 250
        item = self._find(key)
        if command in (b"set", b"add", b"cas"):
            value = read(int(rest[3]) + 2)[:-2]
            if command == b"add" and item is not None:
                return b"NOT_STORED\r\n"
            if command == b"cas":
                if item is None:
                    return b"NOT_FOUND\r\n"
                if item[2] != int(rest[4]):
                    return b"EXISTS\r\n"
            seconds = int(rest[2])
            self._items[key] = (value, time.time() + (seconds or 10**9), next(self._tokens))
            return b"STORED\r\n"
        if command == b"delete":
            self._items.pop(key, None)
            return b"DELETED\r\n" if item is not None else b"NOT_FOUND\r\n"
        assert command in (b"incr", b"decr"), command
        if item is None:
            return b"NOT_FOUND\r\n"
        amount = int(rest[1]) * (1 if command == b"incr" else -1)
        value = b"%d" % max(0, int(item[0]) + amount)
        self._items[key] = (value, item[1], next(self._tokens))
        return value + b"\r\n"
