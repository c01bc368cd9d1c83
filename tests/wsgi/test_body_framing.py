"""A body has the length that RFC 9112 defines, or the request is refused."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.errors import GuardError
from guard_wsgi.request.body import RequestBody
from guard_wsgi.request.framing import FramingError, content_length
from tests.kit.gateway import environ_for, serve, text_app


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_plain_number_is_the_length(length: int) -> None:
    assert content_length({"CONTENT_LENGTH": str(length)}) == length


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="absent"),
        pytest.param({"CONTENT_LENGTH": ""}, id="empty, as PEP 3333 allows"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, id="chunked"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "gzip, Chunked"}, id="chunked last"),
    ],
)
def test_no_declared_length(environ: dict[str, Any]) -> None:
    assert content_length(environ) is None


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param("-3", id="negative"),
        pytest.param("+3", id="plus sign"),
        pytest.param("abc", id="letters"),
        pytest.param("3,3", id="list"),
        pytest.param("3, 3", id="list with space"),
        pytest.param("0x10", id="hexadecimal"),
        pytest.param("1_0", id="underscore"),
        pytest.param(" 3", id="leading space"),
        pytest.param("3\n", id="newline"),
        pytest.param("3.0", id="fraction"),
        pytest.param("1e3", id="exponent"),
        pytest.param("٣", id="other script's digit"),
        pytest.param("²", id="superscript"),
        pytest.param("9" * 5000, id="too long for int()"),
    ],
)
def test_anything_else_is_a_framing_error(declared: str) -> None:
    environ = {"CONTENT_LENGTH": declared, "wsgi.input": BytesIO(b"abcdef")}
    with pytest.raises(FramingError):
        content_length(environ)
    body = RequestBody(environ)
    assert isinstance(body.framing_error, GuardError)
    assert isinstance(body.framing_error, ValueError)
    assert not body.readable
    assert body.prefix(100) == b""
    assert not body.complete


@pytest.mark.parametrize(
    "transfer_encoding", ["chunked", "CHUNKED", "gzip, chunked", "identity", "xchunked"]
)
def test_a_length_together_with_a_transfer_encoding_is_a_framing_error(
    transfer_encoding: str,
) -> None:
    environ = {"CONTENT_LENGTH": "3", "HTTP_TRANSFER_ENCODING": transfer_encoding}
    with pytest.raises(FramingError, match="and Transfer-Encoding"):
        content_length(environ)


@pytest.mark.parametrize("coding", ["gzip", "identity", "xchunked", "chunked, gzip", "chunked;q=1"])
def test_a_transfer_coding_that_is_not_chunked_at_the_end_is_a_framing_error(coding: str) -> None:
    with pytest.raises(FramingError, match="not chunked"):
        content_length({"HTTP_TRANSFER_ENCODING": coding})


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_header_text_gives_a_length_or_a_framing_error(length: str, coding: str) -> None:
    environ = {"CONTENT_LENGTH": length, "HTTP_TRANSFER_ENCODING": coding}
    try:
        declared = content_length(environ)
    except FramingError:
        return
    assert declared is None or declared >= 0


NGINX = {"REQUEST_SCHEME": "http", "DOCUMENT_ROOT": "/usr/share/nginx/html"}
"""Keys of uwsgi_params, fastcgi_params and scgi_params; no client header has such a name."""


def test_what_a_gateway_has_put_together_has_the_length_it_counted() -> None:
    chunked = {"CONTENT_LENGTH": "5", "HTTP_TRANSFER_ENCODING": "chunked", "REQUEST_METHOD": "PUT"}
    environ = {**chunked, **NGINX, "wsgi.input": BytesIO(b"hello and more")}
    assert content_length(environ) == 5
    body = RequestBody(environ)
    assert (body.framing_error, body.prefix(100), body.complete) == (None, b"hello", True)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"REQUEST_SCHEME": None}, id="one variable only"),
        pytest.param({"DOCUMENT_ROOT": None}, id="the other only"),
        pytest.param(
            {"REQUEST_SCHEME": None, "DOCUMENT_ROOT": None, "HTTP_REQUEST_SCHEME": "http"},
            id="a header of that name",
        ),
        pytest.param({"HTTP_TRANSFER_ENCODING": "gzip, chunked"}, id="another coding"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "xchunked"}, id="an unknown coding"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked, chunked"}, id="two headers"),
        pytest.param({"CONTENT_LENGTH": "5, 6"}, id="two lengths"),
        pytest.param({"CONTENT_LENGTH": "-5"}, id="no length"),
    ],
)
def test_what_only_resembles_a_gateway_is_a_framing_error(changes: dict[str, str | None]) -> None:
    environ = {**NGINX, "CONTENT_LENGTH": "5", "HTTP_TRANSFER_ENCODING": "chunked", **changes}
    with pytest.raises(FramingError):
        content_length({key: value for key, value in environ.items() if value is not None})


@pytest.mark.parametrize("length", [0, 5, 2**40])
def test_a_length_that_is_a_number_is_a_length(length: int) -> None:
    assert content_length({"CONTENT_LENGTH": length}) == length


@pytest.mark.parametrize("length", [-1, 5.0, True, b"5", [5]])
def test_what_is_neither_text_nor_a_number_is_a_framing_error(length: Any) -> None:
    with pytest.raises(FramingError):
        content_length({"CONTENT_LENGTH": length})


@pytest.mark.parametrize("options", [{}, {"exempt_ips": ["203.0.113.9"], "max_request_size": 99}])
def test_a_client_that_gives_a_number_is_served(options: dict[str, Any]) -> None:
    guard = GuardMiddleware(text_app(), SecurityConfig(**options))
    for method, length in (("POST", 5), ("POST", 0), ("GET", 0), ("OPTIONS", 0)):
        environ = environ_for("/", method=method) | {"CONTENT_LENGTH": length}
        environ["wsgi.input"] = BytesIO(b"hello")
        assert serve(guard, environ).code == 200
    environ = environ_for("/", method="POST") | {"CONTENT_LENGTH": 100}
    environ["wsgi.input"] = BytesIO(b"q=1' UNION SELECT password FROM users--".ljust(100))
    environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    assert serve(guard, environ).code == (413 if options else 400)
