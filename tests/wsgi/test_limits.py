"""Bodies over the limit are refused, however late that turns out; broken ones are not waved on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest

from tests.kit.gateway import Environ, environ_for, serve
from tests.wsgi.guarding import INJECTION, guard

TEXT = [("Content-Type", "text/plain")]
LIMIT = 1000


def upload(body: bytes, *, declared: bool) -> Environ:
    environ = environ_for(method="POST")
    environ["CONTENT_TYPE"] = "text/plain"
    environ["wsgi.input"] = BytesIO(body)
    environ["wsgi.input_terminated"] = True
    environ.pop("CONTENT_LENGTH", None)
    if declared:
        environ["CONTENT_LENGTH"] = str(len(body))
    else:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    return environ


def reads_first(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", TEXT)
    return [b"%d" % len(body)]


def starts_first(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return [b"%d" % len(environ["wsgi.input"].read())]


@pytest.mark.parametrize("app", [reads_first, starts_first])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
@pytest.mark.parametrize("scan_body", [True, False], ids=["inspected", "not inspected"])
def test_a_body_at_the_limit_passes_and_one_over_it_gets_413(
    app: Any, declared: bool, scan_body: bool
) -> None:
    options = {"max_request_size": LIMIT, "detection_scan_body": scan_body}
    answer = serve(guard(app, **options), upload(b"x" * LIMIT, declared=declared))
    assert (answer.code, answer.body) == (200, b"1000")
    answer = serve(guard(app, **options), upload(b"x" * (LIMIT + 1), declared=declared))
    assert answer.code == 413
    assert answer.body != b"1001"


@pytest.mark.parametrize(
    "framing",
    [
        pytest.param({"CONTENT_LENGTH": "-3"}, id="negative"),
        pytest.param({"CONTENT_LENGTH": "abc"}, id="letters"),
        pytest.param({"CONTENT_LENGTH": "3,3"}, id="list"),
        pytest.param(
            {"CONTENT_LENGTH": "3", "HTTP_TRANSFER_ENCODING": "chunked"}, id="length and chunked"
        ),
        pytest.param({"HTTP_TRANSFER_ENCODING": "gzip"}, id="not chunked"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_bad_framing_gets_400(framing: dict[str, str], method: str) -> None:
    environ = environ_for(method=method)
    environ.pop("CONTENT_LENGTH", None)
    environ.update(framing)
    answer = serve(guard(reads_first), environ)
    assert answer.code == 400


class BreakingStream:
    """A body that breaks off with the server's error after its first bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int = -1) -> bytes:
        if not self.data:
            raise OSError("malformed chunk")
        data, self.data = self.data[:size], self.data[size:]
        return data


@pytest.mark.parametrize("unreadable_body", ["flag", "block"])
def test_an_attack_before_the_break_of_a_body_is_refused(unreadable_body: str) -> None:
    environ = upload(b"", declared=False)
    environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    environ["wsgi.input"] = BreakingStream(f"text={INJECTION}".encode())
    answer = serve(guard(reads_first, unreadable_body=unreadable_body), environ)
    assert answer.code == 400


def test_a_body_whose_end_is_not_marked_is_flagged_or_refused_by_config() -> None:
    read: list[int] = []

    class Trap:
        def read(self, size: int = -1) -> bytes:
            read.append(size)
            raise AssertionError("reading here would wait forever")

    def leaves_it(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return [b"reached"]

    for setting, expected in (("flag", 200), ("block", 411)):
        environ = environ_for(method="POST")
        environ.pop("CONTENT_LENGTH", None)
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        environ["wsgi.input"] = Trap()
        assert serve(guard(leaves_it, unreadable_body=setting), environ).code == expected
    assert read == []


def test_the_head_decides_before_the_body_is_touched() -> None:
    """A slow or hostile sender must not hold the worker when its head is reason enough."""
    touched: list[int] = []

    class Slow:
        def read(self, size: int = -1) -> bytes:
            touched.append(size)
            return b""

    environ = environ_for(method="POST", query_string={"q": INJECTION})
    environ["CONTENT_LENGTH"] = "1000000"
    environ["wsgi.input"] = Slow()
    assert serve(guard(reads_first), environ).code == 400
    environ["REMOTE_ADDR"] = "198.51.100.9"
    environ["QUERY_STRING"] = ""
    environ.pop("guard_wsgi", None)
    assert serve(guard(reads_first, blacklist=("198.51.100.0/24",)), environ).code == 403
    assert touched == []
