"""One WSGI app that uses every freedom of PEP 3333, one per path.

``plain`` is served bare, ``guarded()`` behind the guard; both must look the same from outside.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
TEXT = (("Content-Type", "text/plain"),)  # a list would be shared: wsgiref adds to what it gets
WAIT_SECONDS = 10


def plain(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    view = VIEWS.get(environ["PATH_INFO"], not_found)
    return view(environ, start_response)


def guarded() -> Any:
    from tests.servers.guarding import guard

    return guard(plain)


def marked() -> Any:
    """Behind a guard that adds one header of its own, so that the rest can be compared."""
    from tests.servers.guarding import guard

    headers = {"preset": "off", "custom": {"X-Guarded": "yes"}}
    return guard(plain, security_headers=headers, rate_limit_headers="off")


def not_found(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [*TEXT])
    return [b"no such page"]


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT, ("Content-Length", "5")])
    return [b"hello"]


def answer_json(start_response: StartResponse, value: Any) -> Iterable[bytes]:
    body = json.dumps(value).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Return what arrived: the body's length and hash, read as werkzeug reads it."""
    stream = get_input_stream(environ)
    digest = hashlib.sha256()
    length = 0
    while data := stream.read(65_536):
        digest.update(data)
        length += len(data)
    return answer_json(
        start_response,
        {
            "method": environ["REQUEST_METHOD"],
            "query": environ.get("QUERY_STRING", ""),
            "length": length,
            "sha256": digest.hexdigest(),
            "content_length": environ.get("CONTENT_LENGTH"),
            "transfer_encoding": environ.get("HTTP_TRANSFER_ENCODING"),
            "input_terminated": bool(environ.get("wsgi.input_terminated")),
        },
    )


def declared_echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Reads exactly CONTENT_LENGTH bytes, as the CGI way has it."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return answer_json(start_response, [len(body), hashlib.sha256(body).hexdigest()])


def lines(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Reads lines, in small pieces of uneven size."""
    left = int(environ.get("CONTENT_LENGTH") or 0)
    parts = []
    while left > 0:
        line = environ["wsgi.input"].readline(min(left, 7))
        if not line:
            break
        left -= len(line)
        parts.append(line)
    start_response("200 OK", [*TEXT])
    return [b"".join(parts)]


def form(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    request = Request(environ)
    files = {name: hashlib.sha256(f.read()).hexdigest() for name, f in request.files.items()}
    return answer_json(
        start_response,
        {"form": request.form.to_dict(flat=False), "files": files},
    )


def unread(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answers without a look at the body."""
    start_response("200 OK", [*TEXT, ("Content-Length", "7")])
    return [b"ignored"]


def file_named_by(environ: Environ, parameter: str) -> Path:
    return Path(bytes.fromhex(parse_qs(environ["QUERY_STRING"])[parameter][0]).decode())


def events(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Sends the second event only when the reader of the first has created a file."""
    release = file_named_by(environ, "release")
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    yield b"data: first\n\n"
    deadline = time.monotonic() + WAIT_SECONDS
    while not release.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield b"data: second\n\n" if release.exists() else b"data: late\n\n"


def chunks(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [*TEXT])
    for number in range(5):
        yield b"chunk %d\n" % number


def written(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [*TEXT, ("Content-Length", "15")])
    write(b"writ")
    write(b"ten ")
    return [b"and ", b"yes"]


def file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    path = Path(__file__)
    headers = [*TEXT, ("Content-Length", str(path.stat().st_size))]
    start_response("200 OK", headers)
    opened = path.open("rb")
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(opened, 1024) if wrapper else iter(lambda: opened.read(1024), b"")


def bytes_file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A file without a descriptor: no sendfile possible."""
    start_response("200 OK", [*TEXT, ("Content-Length", "4000")])
    wrapper = environ.get("wsgi.file_wrapper")
    body = BytesIO(b"abcd" * 1000)
    return wrapper(body, 1024) if wrapper else iter(lambda: body.read(1024), b"")


def late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """A generator: its status is known at the first ``next`` only."""
    start_response("202 Accepted", [*TEXT, ("X-Late", "yes")])
    yield b"late"


def twice(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Begins one answer, fails before a byte of it, and gives an error page in its place."""
    start_response("200 OK", [*TEXT, ("X-First", "1")])
    try:
        raise ValueError("changed my mind")
    except ValueError:
        start_response("418 Teapot", [*TEXT, ("X-Second", "2")], sys.exc_info())
    return [b"short and stout"]


def twice_without_reason(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The second call is an error without exc_info (PEP 3333): the server must see it."""
    start_response("200 OK", [*TEXT])
    start_response("200 OK", [*TEXT])
    return [b"never"]


def twice_sent(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Fails after bytes are out: start_response must raise the error again."""
    start_response("200 OK", [*TEXT])
    yield b"already out\n"
    try:
        raise ValueError("too late")
    except ValueError:
        start_response("500 Oops", [*TEXT], sys.exc_info())
    yield b"never seen"


def error_first(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    raise RuntimeError("before the answer")


def error_mid(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [*TEXT, ("Content-Length", "100")])
    yield b"half of "
    raise RuntimeError("in the middle")


def no_content(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


def not_modified(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("304 Not Modified", [("ETag", '"1"')])
    return []


def empty(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT, ("Content-Length", "0")])
    return []


class Closing:
    """Endless chunks; its close leaves a mark in the file system."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __iter__(self) -> Closing:
        return self

    def __next__(self) -> bytes:
        return b"x" * 65_536

    def close(self) -> None:
        with self.mark.open("a") as mark:
            mark.write("closed\n")


def endless(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT])
    return Closing(file_named_by(environ, "mark"))


def memory(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The worker's process id, and its peak resident memory in KiB."""
    status = Path("/proc/self/status").read_text()
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return answer_json(start_response, {"pid": os.getpid(), "peak_kib": int(peak)})


VIEWS: dict[str, Callable[[Environ, StartResponse], Iterable[bytes]]] = {
    "/": hello,
    "/echo": echo,
    "/declared-echo": declared_echo,
    "/lines": lines,
    "/form": form,
    "/unread": unread,
    "/events": events,
    "/chunks": chunks,
    "/written": written,
    "/file": file,
    "/bytes-file": bytes_file,
    "/late": late,
    "/twice": twice,
    "/twice-without-reason": twice_without_reason,
    "/twice-sent": twice_sent,
    "/error-first": error_first,
    "/error-mid": error_mid,
    "/no-content": no_content,
    "/not-modified": not_modified,
    "/empty": empty,
    "/endless": endless,
    "/memory": memory,
}
