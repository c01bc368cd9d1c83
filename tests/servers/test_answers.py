"""The app's response is sent as without the guard, byte for byte and in time."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.kit.live import Endpoint
from tests.kit.wire import Connection, RawAnswer, request

INJECTION = "/?q=1'%20UNION%20SELECT%20username,password%20FROM%20users--"
PATHS = [
    "/",
    "/chunks",
    "/written",
    "/file",
    "/bytes-file",
    "/late",
    "/twice",
    "/twice-without-reason",
    "/twice-sent",
    "/error-first",
    "/error-mid",
    "/no-content",
    "/not-modified",
    "/empty",
    "/nowhere",
]


SERVER_S_OWN_ANSWER = {"/error-first", "/twice-without-reason"}


def in_hexadecimal(path: Path) -> str:
    """A file name in a query looks like an attack, rightly."""
    return str(path).encode().hex()


def answer_to(server: Endpoint, method: str, path: str) -> tuple[bytes, ...]:
    with Connection(server.port) as connection:
        connection.send(request(method, path))
        while connection.receive_more():
            pass
    raw = re.sub(rb"(?im)^date: .*\r\n", b"", connection.received)
    # gunicorn sends the headers of both calls of start_response.
    raw, added = re.subn(rb"X-Guarded: yes\r\n", b"", raw)
    if not added:
        assert server.app.endswith("plain") or path in SERVER_S_OWN_ANSWER, raw
    head, _, body = raw.partition(b"\r\n\r\n")
    return (body, *head.split(b"\r\n"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", PATHS)
def test_the_answer_is_that_of_the_bare_app(
    bare_and_marked: tuple[Endpoint, Endpoint], path: str, method: str
) -> None:
    bare, guarded = bare_and_marked
    assert answer_to(guarded, method, path) == answer_to(bare, method, path)


def test_the_guard_adds_its_headers_once_and_leaves_the_rest(guarded: Endpoint) -> None:
    for path in ("/", "/late", "/twice", "/written"):
        if path == "/twice" and guarded.server.startswith("gunicorn"):
            continue  # gunicorn sends the headers of both calls of start_response
        answer = guarded.exchange(request("GET", path))
        names = [name for name, _ in answer.headers]
        assert names.count("x-content-type-options") == 1, (path, answer.headers)


@pytest.mark.parametrize("path", ["/no-content", "/not-modified"])
def test_an_answer_without_a_body_gets_no_content_headers(guarded: Endpoint, path: str) -> None:
    answer = guarded.exchange(request("GET", path))
    assert answer.raw.endswith(b"\r\n\r\n")
    if guarded.server in ("gunicorn-sync", "gunicorn-gthread", "gunicorn-gevent"):
        assert answer.header("content-type") is None


def test_the_first_event_of_a_stream_is_not_held_back(guarded: Endpoint, tmp_path: Path) -> None:
    release = tmp_path / "release"
    with Connection(guarded.port) as connection:
        connection.send(request("GET", f"/events?release={in_hexadecimal(release)}"))
        connection.receive_until(b"data: first\n\n")
        release.touch()
        connection.receive_until(b"data: second\n\n")


def test_the_app_s_iterable_is_closed_when_the_client_leaves(
    guarded: Endpoint, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    with Connection(guarded.port) as connection:
        connection.send(request("GET", f"/endless?mark={in_hexadecimal(mark)}"))
        connection.receive_until(b"xxxx")
    deadline = time.monotonic() + 15
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert mark.read_text() == "closed\n"


def test_a_refused_head_request_has_the_headers_of_the_get_and_no_body(
    guarded: Endpoint,
) -> None:
    get = guarded.exchange(request("GET", INJECTION))
    head = raw_answer(guarded, request("HEAD", INJECTION))
    assert get.status == 400
    assert get.body
    assert head.raw.endswith(b"\r\n\r\n"), head.raw
    assert head.status == 400
    assert head.header("content-length") == str(len(get.body))
    assert head.header("content-type") == get.header("content-type")


def raw_answer(server: Endpoint, sent: bytes) -> RawAnswer:
    """An answer to HEAD with everything that came until the server closed."""
    with Connection(server.port) as connection:
        connection.send(sent)
        while connection.receive_more():
            pass
        return connection.answer("HEAD")


def test_a_refusal_is_not_to_be_cached_and_says_its_length(guarded: Endpoint) -> None:
    answer = guarded.exchange(request("GET", INJECTION))
    assert answer.header("cache-control") == "no-store"
    assert answer.header("content-length") == str(len(answer.body))
    assert (answer.header("content-type") or "").startswith("text/plain")


def test_a_kept_connection_serves_on_after_a_passed_body(guarded: Endpoint) -> None:
    """After the guard has read a body, the connection is where the server expects it."""
    if guarded.server in ("wsgiref", "werkzeug", "gunicorn-sync"):
        pytest.skip("no kept connections on this server")
    body = b'{"text": "tea"}'
    post = (
        b"POST /declared-echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    for _ in range(3):
        with Connection(guarded.port) as connection:
            connection.send(post)
            assert connection.answer().status == 200
            connection.received = b""
            connection.send(request("GET", "/"))
            assert connection.answer().body == b"hello"
