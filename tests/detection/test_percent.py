"""Percent-encoding is decoded as the standard library does it, malformed escapes included."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from guard_wsgi.detection.decoding.percent import unquote

PIECES = st.sampled_from([b"%", b"%2", b"%27", b"%c3%a9", b"%u0027", b"%zz", b"\\", b"\\n", b"\n"])


@given(st.lists(st.one_of(PIECES, st.binary(max_size=4))).map(b"".join))
@example(b"%\\\n%0a")
@example(b"100%")
@example(b"\\x41\\u0041%5c")
def test_decodes_like_the_standard_library(data: bytes) -> None:
    assert unquote(data) == unquote_to_bytes(data)
