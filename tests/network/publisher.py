"""A publisher on loopback: it serves files of the tests, and counts and records requests."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from attrs import define, field

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


@define
class Publisher:
    """``files`` by path; an int is an error status, a pair a status with its body, and ``etags``
    makes answers conditional."""

    url: str = ""
    files: dict[str, bytes | int | tuple[int, bytes]] = field(factory=dict)
    etags: dict[str, str] = field(factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(factory=list)
    declared_lengths: dict[str, int] = field(factory=dict)

    def asked(self, path: str) -> list[dict[str, str]]:
        return [headers for asked, headers in self.requests if asked == path]


class Handler(BaseHTTPRequestHandler):
    publisher: Publisher

    def do_GET(self) -> None:
        publisher = self.publisher
        headers = {name.lower(): value for name, value in self.headers.items()}
        publisher.requests.append((self.path, headers))
        content = publisher.files.get(self.path, 404)
        etag = publisher.etags.get(self.path)
        status = 200
        if isinstance(content, tuple):
            status, content = content
        if isinstance(content, int):
            self.send_response(content)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif etag is not None and headers.get("if-none-match") == etag:
            self.send_response(304)
            self.end_headers()
        else:
            self.send_response(status)
            if etag is not None:
                self.send_header("ETag", etag)
            length = publisher.declared_lengths.get(self.path, len(content))
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass
