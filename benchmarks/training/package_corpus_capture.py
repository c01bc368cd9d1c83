"""A server on this machine that records what it is sent, for attack tools and API clients.

It plays a small shop: pages with links, forms, an upload, a JSON and an XML call. Parameters are
reflected, and one of them reaches an in-memory database unescaped, so that a tool which finds a
weakness goes on to use it. It binds to the loopback address only.
"""

from __future__ import annotations

import html
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit


class Sent(NamedTuple):
    """One recorded request: its target as it was sent, its headers' names in title case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes]
Site = Callable[[Sent], Answer]

# The values of a visitor who changes nothing: those in the pages' links and forms.
DEFAULTS = {
    "id": "1",
    "q": "lamp",
    "sort": "price",
    "page": "home.html",
    "lang": "en",
    "user": "anna",
    "password": "letmein",
    "comment": "Nice lamp",
    "email": "anna@example.com",
    "name": "Anna",
    "url": "http://shop.example.com/a.png",
    "host": "192.0.2.7",
    "file": "manual.pdf",
    "theme": "light",
    "track": "7",
    "next": "/account",
}

INDEX = """<!doctype html><html><head><title>Shop</title></head><body>
<a href="/item?id=1&lang=en">Lamp</a> <a href="/search?q=lamp&sort=price">Search</a>
<a href="/page.php?page=home.html">Home</a> <a href="/download?file=manual.pdf">Manual</a>
<a href="/ping?host=192.0.2.7">Ping</a> <a href="/login">Login</a> <a href="/contact">Contact</a>
<a href="/fetch?url=http://shop.example.com/a.png">Image</a> <a href="/go?next=/account">Go</a>
<form action="/search" method="get"><input name="q" value="lamp">
<input type="hidden" name="sort" value="price"><input type="submit"></form></body></html>"""
LOGIN = """<html><body><form action="/login" method="post"><input name="user" value="anna">
<input name="password" value="letmein"><input type="hidden" name="next" value="/account">
<input type="submit"></form></body></html>"""
CONTACT = """<html><body><form action="/contact" method="post" enctype="multipart/form-data">
<input name="name" value="Anna"><input name="email" value="anna@example.com">
<textarea name="comment">Nice lamp</textarea><input type="file" name="file"><input type="submit">
</form></body></html>"""


class Shop:
    """The target of attack tools. A shop that mangles what it reflects keeps a tool trying
    everything it has."""

    def __init__(self, mangle: bool = False) -> None:
        self.mangle = mangle
        self.lock = threading.Lock()
        self.database = sqlite3.connect(":memory:", check_same_thread=False)
        self.database.executescript(
            "create table items (id integer, name text, price real);"
            "insert into items values (1, 'Lamp', 9.5), (2, 'Desk', 80), (3, 'Chair', 35);"
            "create table users (id integer, login text, secret text);"
            "insert into users values (1, 'anna', 'x1'), (2, 'bob', 'x2');"
        )

    def __call__(self, sent: Sent) -> Answer:
        parts = urlsplit(sent.target)
        values = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        if sent.method == "POST":
            form = parse_qs(sent.body.decode("utf-8", "replace"), keep_blank_values=True)
            values |= {k: v[0] for k, v in form.items()}
        kind = {"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "theme=light; Path=/"}
        page = {"/login": LOGIN, "/contact": CONTACT, "/": INDEX}.get(parts.path, "")
        if parts.path == "/item":
            page = self.item(values.get("id", "1"))
        elif parts.path.startswith("/api/"):
            return 200, {"Content-Type": "application/json"}, json.dumps({"ok": True}).encode()
        elif not page and parts.path.lstrip("/") not in (
            "search",
            "page.php",
            "download",
            "ping",
            "fetch",
            "go",
        ):
            return 404, {"Content-Type": "text/html"}, b"<html><body>Not found</body></html>"
        if self.mangle:
            values = {k: re.sub(r"(?i)alert|prompt|=", "-", v) for k, v in values.items()}
        shown = "".join(f"<p>{key}: {value}</p>" for key, value in values.items())
        agent = html.escape(sent.headers.get("User-Agent", ""))
        return 200, kind, f"{page}<div>{shown}</div><i>{agent}</i>".encode()

    def item(self, wanted: str) -> str:
        """The weakness: SQL made from a parameter, and the database's complaint shown."""
        with self.lock:
            try:
                query = f"select id, name, price from items where id = {wanted}"
                rows = self.database.execute(query).fetchmany(50)
            except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
                return f"<p>sqlite3.OperationalError: {html.escape(str(error))}</p>"
        return "".join(f"<li>{row[1]} {row[2]}</li>" for row in rows) or "<p>No such item</p>"


@contextmanager
def capturing(site: Site) -> Iterator[tuple[str, list[Sent]]]:
    """The address of a running server, and the list that its requests are recorded in."""
    record: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.read_body()
            sent = Sent(
                self.command, self.path, {k.title(): v for k, v in self.headers.items()}, body
            )
            record.append(sent)
            status, headers, content = site(sent)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def read_body(self) -> bytes:
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                pieces = []
                while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                    pieces.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(pieces)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Tools hang up when they have seen enough."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", record
    finally:
        server.shutdown()
        server.server_close()


MULTIPART_FIELD = re.compile(
    r'name="([^"]*)"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n(.*?)\r?\n--', re.S
)


def changed_values(sent: Sent, usual: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (place, value) for each difference to a visitor's request."""
    parts = urlsplit(sent.target)
    kind = sent.headers.get("Content-Type", "")
    body = sent.body.decode("utf-8", "replace")
    fields = [("query", parts.query)]
    if "urlencoded" in kind:
        fields.append(("form", body))
    elif "multipart" in kind:
        for name, value in MULTIPART_FIELD.findall(body):
            if value != usual.get(name):
                yield "multipart", value
    elif body:
        yield "json" if "json" in kind else "body", body
    for place, text in fields:
        for pair in text.split("&"):
            name, _, value = pair.partition("=")
            if unquote(name) not in usual:
                yield place, unquote(name.replace("+", " "))
            shown = unquote(value.replace("+", " "))
            if shown != usual.get(unquote(name)):
                yield place, shown
    for pair in sent.headers.get("Cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if unquote(value) != usual.get(name):
            yield "cookie", unquote(value)
    for name in ("User-Agent", "Referer", "X-Forwarded-For"):
        if name in sent.headers:
            yield "header", sent.headers[name]
    yield "path", unquote(parts.path)
