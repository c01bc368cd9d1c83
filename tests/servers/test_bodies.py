"""Attacks in any part of a request are refused on every server; bodies that pass are intact."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable

import pytest

from tests.kit.live import Endpoint
from tests.kit.wire import Connection, request

SQL_INJECTION = "1' UNION SELECT username, password FROM users--"
HARMLESS = "two cups of tea, please"
JSON_TYPE = ("Content-Type", "application/json")
FORM_TYPE = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART_TYPE = ("Content-Type", "multipart/form-data; boundary=frontier")


def quoted(text: str) -> str:
    from urllib.parse import quote_plus

    return quote_plus(text)


def json_body(text: str) -> bytes:
    return json.dumps({"title": "note", "tags": ["a", "b"], "text": text}).encode()


def form_body(text: str) -> bytes:
    return f"title=note&text={quoted(text)}&page=2".encode()


def multipart_body(text: str) -> bytes:
    return (
        "--frontier\r\n"
        'Content-Disposition: form-data; name="text"\r\n\r\n'
        f"{text}\r\n"
        "--frontier\r\n"
        'Content-Disposition: form-data; name="picture"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
        "\x7fPNG pixels\r\n"
        "--frontier--\r\n"
    ).encode()


def post(path: str, kind: tuple[str, str], body: bytes) -> bytes:
    return request("POST", path, headers=[kind], body=body)


def post_chunked(path: str, kind: tuple[str, str], body: bytes) -> bytes:
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    return request("POST", path, headers=[kind], chunks=pieces)


REQUESTS = [
    pytest.param(lambda t: request("GET", f"/echo?page=2&q={quoted(t)}"), id="query"),
    pytest.param(lambda t: post("/echo", FORM_TYPE, form_body(t)), id="form"),
    pytest.param(lambda t: post("/echo", JSON_TYPE, json_body(t)), id="json"),
    pytest.param(lambda t: post("/echo", MULTIPART_TYPE, multipart_body(t)), id="multipart"),
]
CHUNKED_REQUESTS = [
    pytest.param(lambda t: post_chunked("/echo", FORM_TYPE, form_body(t)), id="form"),
    pytest.param(lambda t: post_chunked("/echo", JSON_TYPE, json_body(t)), id="json"),
    pytest.param(
        lambda t: post_chunked("/echo", MULTIPART_TYPE, multipart_body(t)), id="multipart"
    ),
]


@pytest.mark.parametrize("make", REQUESTS)
def test_an_injection_is_refused(guarded: Endpoint, make) -> None:  # type: ignore[no-untyped-def]
    answer = guarded.exchange(make(SQL_INJECTION))
    assert answer.status == 400, answer
    assert b"Suspicious activity" in answer.body


@pytest.mark.parametrize("make", REQUESTS)
def test_the_same_request_harmless_reaches_the_app(guarded: Endpoint, make) -> None:  # type: ignore[no-untyped-def]
    sent = make(HARMLESS)
    body = sent.partition(b"\r\n\r\n")[2]
    answer = guarded.exchange(sent)
    assert answer.status == 200, answer
    assert answer.json()["length"] == len(body)
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()
    assert answer.json()["content_length"] == (
        str(len(body)) if body else answer.json()["content_length"]
    )


def reads_chunked_bodies(server: Endpoint) -> bool:
    """wsgiref neither decodes chunks nor marks their end: no app can read such a body safely."""
    return server.server != "wsgiref"


@pytest.mark.parametrize("make", CHUNKED_REQUESTS)
def test_an_injection_in_a_chunked_body_is_refused(guarded: Endpoint, make) -> None:  # type: ignore[no-untyped-def]
    answer = guarded.exchange(make(SQL_INJECTION))
    assert 400 <= answer.status < 500, answer
    if reads_chunked_bodies(guarded):
        assert answer.status == 400
        assert b"Suspicious activity" in answer.body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(FORM_TYPE, form_body(HARMLESS), id="form"),
        pytest.param(JSON_TYPE, json_body(HARMLESS), id="json"),
        pytest.param(MULTIPART_TYPE, multipart_body(HARMLESS), id="multipart"),
    ],
)
def test_a_harmless_chunked_body_reaches_the_app(
    guarded: Endpoint, kind: tuple[str, str], body: bytes
) -> None:
    if not reads_chunked_bodies(guarded):
        pytest.skip("wsgiref can't read a chunked body")
    answer = guarded.exchange(post_chunked("/echo", kind, body))
    assert answer.status == 200, answer
    assert answer.json()["length"] == len(body)
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_form_and_its_file_are_parsed_by_the_app_as_sent(guarded: Endpoint) -> None:
    answer = guarded.exchange(post("/form", MULTIPART_TYPE, multipart_body(HARMLESS)))
    assert answer.json() == {
        "form": {"text": [HARMLESS]},
        "files": {"picture": hashlib.sha256(b"\x7fPNG pixels").hexdigest()},
    }


@pytest.mark.parametrize("path", ["/echo", "/declared-echo", "/lines"])
@pytest.mark.parametrize("size", [0, 1, 2048, 262_143, 262_144, 262_145, 1_000_000])
def test_a_body_of_any_size_is_intact_however_the_app_reads(
    guarded: Endpoint, path: str, size: int
) -> None:
    if path == "/lines" and size > 300_000:
        pytest.skip("seven bytes at a time: long, and no other code path")
    words = random.Random(size).choices([b"tea\n", b"milk ", b"sugar\r\n", b"cup"], k=size // 3 + 1)
    body = b"".join(words)[:size]
    answer = guarded.exchange(post(path, ("Content-Type", "application/octet-stream"), body))
    assert answer.status == 200, answer
    if path == "/echo":
        assert answer.json()["length"] == size
        assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()
    elif path == "/declared-echo":
        assert answer.json() == [size, hashlib.sha256(body).hexdigest()]
    else:
        assert answer.body == body


def test_a_body_that_arrives_in_drips_is_inspected_whole(guarded: Endpoint) -> None:
    sent = post("/echo", JSON_TYPE, json_body(SQL_INJECTION))
    middle = len(sent) - 20
    with Connection(guarded.port) as connection:
        connection.send(sent[:middle])
        for position in range(middle, len(sent)):
            connection.send(sent[position : position + 1])
        assert connection.answer().status == 400


def test_an_app_that_ignores_the_body_still_answers(guarded: Endpoint) -> None:
    answer = guarded.exchange(post("/unread", JSON_TYPE, json_body(HARMLESS)))
    assert answer.body == b"ignored"


UPLOAD_BYTES = 100 * 1024 * 1024
PIECE = random.Random(7).randbytes(1024 * 1024)


def upload_parts(framing: str) -> Iterable[bytes]:
    head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += "Content-Type: application/octet-stream\r\n"
    pieces = UPLOAD_BYTES // len(PIECE)
    if framing == "length":
        yield (head + f"Content-Length: {UPLOAD_BYTES}\r\n\r\n").encode()
        yield from (PIECE for _ in range(pieces))
    else:
        yield (head + "Transfer-Encoding: chunked\r\n\r\n").encode()
        yield from (b"%x\r\n%s\r\n" % (len(PIECE), PIECE) for _ in range(pieces))
        yield b"0\r\n\r\n"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_100_mb_upload_passes_in_flat_memory(guarded: Endpoint, framing: str) -> None:
    if framing == "chunked" and not reads_chunked_bodies(guarded):
        pytest.skip("wsgiref can't read a chunked body")
    guarded.exchange(post("/echo", ("Content-Type", "application/octet-stream"), PIECE))
    before = guarded.exchange(request("GET", "/memory")).json()["peak_kib"]
    answer = guarded.exchange(*upload_parts(framing), timeout_seconds=60)
    assert answer.status == 200, answer
    assert answer.json()["length"] == UPLOAD_BYTES
    digest = hashlib.sha256()
    for _ in range(UPLOAD_BYTES // len(PIECE)):
        digest.update(PIECE)
    assert answer.json()["sha256"] == digest.hexdigest()
    after = guarded.exchange(request("GET", "/memory")).json()["peak_kib"]
    # A tenth of the upload is far more than the buffers, and far less than a copy of it.
    assert after - before < UPLOAD_BYTES / 10 / 1024
