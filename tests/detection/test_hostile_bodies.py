"""Bodies that take long to read: what is fast for them gives the same result."""

from __future__ import annotations

import json
import random
import re
import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection import BUDGET, Detector
from guard_wsgi.detection.decoding.decodings import overlong
from guard_wsgi.detection.message import multipart
from guard_wsgi.detection.message.form import form_values
from guard_wsgi.detection.value import Budget

# The lines that end a part: werkzeug's (`MultipartDecoder.boundary_re`), and Bottle's.
WERKZEUG_LINE = rb"(?:\r\n|\n|\r|\A)%s(?:--[^\S\n\r]*(?:\r\n|\n|\r)?|[^\S\n\r]*(?:\r\n|\n|\r))"
BOTTLE_LINE = rb"(?:\r\n|\A)%s(?:--)?(?=\r\n|\Z)(?:\r\n)?"
BOUNDARIES = [b"B", b"-", b"--", b"BB", b"x y"]
PIECES = [b"--", b"-", b"\r\n", b"\n", b"\r", b" ", b"\t", b"x", b"B", b"--B", b"---", b"--x y"]


@given(st.sampled_from(BOUNDARIES), st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
def test_parts_end_where_the_frameworks_end_them(boundary: bytes, body: bytes) -> None:
    delimiter = b"--" + boundary
    for line, cut in (
        (WERKZEUG_LINE, multipart._as_werkzeug),
        (BOTTLE_LINE, multipart._as_bottle),
    ):
        assert cut(body, delimiter, 99) == re.split(line % re.escape(delimiter), body, maxsplit=99)


def slowly_overlong(data: bytes) -> str:
    out = []
    at = 0
    while at < len(data):
        width = {0xC0: 2, 0xC1: 2, 0xE0: 3, 0xF0: 4}.get(data[at], 0)
        form = data[at : at + width]
        code = form[0] & 0x1F if width == 2 else 0
        for byte in form[1:]:
            code = code << 6 | (byte & 0x3F)
        is_hidden = width > 0 and len(form) == width and code < 0x80
        out.append(chr(code if is_hidden else data[at]))
        at += width if is_hidden else 1
    return "".join(out)


FORMS = st.sampled_from([0xC0, 0xC1, 0xE0, 0xF0, 0x80, 0x81, 0xAF, 0, 0x40, 0x41, 0xC2, 0xFF])


@given(st.lists(FORMS | st.integers(0, 255), max_size=12).map(bytes))
def test_forms_of_ascii_in_more_bytes_become_what_they_hide(data: bytes) -> None:
    assert overlong(data) == slowly_overlong(data)


def test_empty_pairs_of_a_form_cost_nothing() -> None:
    data = b"&&&a=1&&" + b"&" * 1000 + b"b=2&"
    values = list(form_values(data, "form", Budget(2, 100)))
    assert [(one.name, one.text) for one in values] == [("a", "1"), ("b", "2")]


def calls_of(body: bytes) -> tuple[int, list[str]]:
    """How many calls an inspection makes, and the categories of its findings."""
    inspection = Detector().compile()
    inspection.body(b"warm <script>", content_type="text/plain")
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        found = inspection.body(body, content_type="application/json")
    finally:
        sys.setprofile(None)
    return calls, [one.category for one in found]


def test_after_a_finding_hardly_any_work_is_done() -> None:
    rng = random.Random(3)
    flood = ["".join(rng.choices("abcdef", k=6)) + "' or <b" for _ in range(4000)]
    attack = "1' UNION SELECT password FROM users-- -"
    alone, _ = calls_of(json.dumps(flood).encode())
    after, found = calls_of(json.dumps([attack, *flood]).encode())
    assert "sqli" in found
    assert BUDGET not in found
    assert after < alone / 2


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", "1' UNION SELECT a FROM b-- -"])
def test_the_beginning_of_a_text_that_is_too_long_is_weighed(attack: str) -> None:
    text = attack + " " + "it's a <b>' or</b> " * 400_000
    found = Detector().compile().body(text.encode(), content_type="text/plain")
    assert any(one.category != BUDGET for one in found)
