"""A body's length is what RFC 9112 says it is, or the request is refused."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.body import FramingError, RequestBody, content_length
from guard_wsgi.errors import GuardError


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
