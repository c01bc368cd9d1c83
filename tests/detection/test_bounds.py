"""Each request gets an answer, and the guard reports what it did not inspect."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection import BUDGET, DetectionSettings, Detector, Inspection
from tests.detection.requests import environ

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TYPES = (
    JSON,
    FORM,
    "multipart/form-data; boundary=X",
    "multipart/form-data",
    "text/xml",
    "application/graphql",
    "text/plain",
    "",
    "image/png",
    "text/plain; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nonsense",
)
NASTY = st.binary(max_size=300) | st.lists(
    st.sampled_from(
        [
            b"%",
            b"%u",
            b"%00",
            b"\x00",
            b"\xc0\xae",
            b"--X",
            b"\r\n\r\n",
            b"{",
            b"[",
            b'"',
            b"\\",
            b"<!",
            b"]]>",
            b"&#",
            b"{{",
            b"'or 1=1",
            b"=",
            b"&",
            b"name=",
            b"\xff",
            b"<a ",
            b"eyJ",
            b"\\u00",
        ]
    ),
    max_size=60,
).map(b"".join)


def budgets(found: object) -> list[str]:
    assert isinstance(found, tuple)
    return [one.indicators[0] for one in found if one.category == BUDGET]


@given(NASTY, st.sampled_from(TYPES), st.booleans())
def test_no_body_makes_it_raise(body: bytes, kind: str, complete: bool) -> None:
    Detector().compile().body(body, content_type=kind, complete=complete)


@given(NASTY, NASTY)
def test_no_head_makes_it_raise(path: bytes, text: bytes) -> None:
    latin = text.decode("latin-1")
    made = environ(query=latin, HTTP_COOKIE=latin, HTTP_X_THING=latin, HTTP_REFERER=latin)
    made["PATH_INFO"] = path.decode("latin-1")
    Detector().compile().head(made)


def test_json_deeper_than_allowed_is_reported(inspection: Inspection) -> None:
    deep = '["' + "' or 1=1" + '",' + "[" * 10_000 + "]" * 10_000 + "]"
    assert budgets(inspection.body(deep.encode(), content_type=JSON)) == ["max_json_depth"]
    wide = json.dumps({"a": {"b": {"c": {"d": "' or '1'='1"}}}}).encode()
    shallow = Detector().compile(DetectionSettings(max_json_depth=2))
    assert budgets(shallow.body(wide, content_type=JSON)) == ["max_json_depth"]


def test_more_values_than_allowed_are_reported() -> None:
    small = Detector().compile(DetectionSettings(max_values=100))
    body = "&".join(f"a{n}=it's or {n}" for n in range(200)).encode()
    assert budgets(small.body(body, content_type=FORM)) == ["max_values"]


@pytest.mark.parametrize("limit", ["max_values", "max_chars"])
def test_a_harmless_query_over_a_limit_is_reported(limit: str) -> None:
    query = "&".join(f"page{n}=tea" for n in range(200))
    assert Detector().compile().head(environ(query=query)) == ()
    small = Detector().compile(DetectionSettings(**{limit: 150}))
    assert budgets(small.head(environ(query=query))) == [limit]
    # Long headers are no long query.
    assert small.head(environ(query="page=tea", HTTP_REFERER="/tea/" * 100)) == ()


def test_a_harmless_upload_without_an_end_is_reported(inspection: Inspection) -> None:
    part = b"--X\r\n\r\ngreen tea\r\n"
    kind = "multipart/form-data; boundary=X"
    assert inspection.body(part + b"--X--\r\n", content_type=kind) == ()
    assert len(budgets(inspection.body(part, content_type=kind))) == 1


def test_more_suspicious_text_than_allowed_is_reported() -> None:
    small = Detector().compile(DetectionSettings(max_chars=1000))
    body = "&".join(f"a{n}=it's or {n}" for n in range(200)).encode()
    assert budgets(small.body(body, content_type=FORM)) == ["max_chars"]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_packed_body_is_unpacked(inspection: Inspection, pack: object) -> None:
    assert callable(pack)
    kind = "gzip" if pack is gzip.compress else "deflate"
    found = inspection.body(
        pack(b"q=<script>alert(1)</script>"), content_type=FORM, content_encoding=kind
    )
    assert found
    assert found[0].category == "xss"


def test_a_bomb_is_unpacked_only_so_far_and_said(inspection: Inspection) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert "max_body_bytes" in budgets(
        inspection.body(bomb, content_type=FORM, content_encoding="gzip")
    )


def test_a_body_that_is_not_packed_is_read_as_it_is(inspection: Inspection) -> None:
    assert inspection.body(
        b"q=<script>alert(1)</script>", content_type=FORM, content_encoding="gzip"
    )


@pytest.mark.parametrize(
    "unit",
    [
        "'",
        "' or ",
        "%27",
        "%25",
        "\\",
        "(",
        ") ",
        "/*",
        "*/",
        "<",
        "<a ",
        "{{",
        "${",
        "../",
        "&#x27;",
        "a=b&",
        '"',
        "--",
        ";",
        "`",
        " ",
        "\t",
        "\n",
        "[",
        '{"a":',
        "x'||'",
        "union select ",
        "A1b2",
        "%u0027",
        "\\u0027",
        "'+'",
        "/*!",
        "::",
        "@{",
        "<!--",
        "; cat /etc/passwd ",
        "\x00",
    ],
)
def test_a_quarter_megabyte_of_anything_is_answered(inspection: Inspection, unit: str) -> None:
    """Within the time limit of the test; benchmarks/detection.py measures the time."""
    text = unit * (262_144 // len(unit))
    for kind in (FORM, JSON, "text/plain"):
        inspection.body(text.encode(), content_type=kind)
    inspection.body(json.dumps({"a": text}).encode(), content_type=JSON)
    inspection.head(environ(query="q=" + text[:65536].replace("\n", "%0a")))


def test_a_cut_off_body_is_still_read(inspection: Inspection) -> None:
    whole = json.dumps(
        {"a": ["x", "1' union select password from users-- -"], "b": "c" * 100}
    ).encode()
    assert inspection.body(whole[:-60], content_type=JSON, complete=False)


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-32", "ibm037"])
@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded"])
def test_other_charsets_are_read(inspection: Inspection, media: str, charset: str) -> None:
    body = "<script>alert(document.cookie)</script>".encode(charset)
    assert inspection.body(body, content_type=f"{media}; charset={charset}")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_charset_is_detected_by_its_mark_if_no_header_names_it(
    inspection: Inspection, media: str
) -> None:
    """Fullwidth forms, whose bytes contain no ASCII."""
    wide = "".join(chr(ord(char) + 0xFEE0) for char in "<script>alert(document.cookie)</script>")
    assert inspection.body(wide.encode("utf-16"), content_type=media)


def test_xml_hidden_in_utf_16_is_read(inspection: Inspection) -> None:
    body = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    assert inspection.body(body.encode("utf-16"), content_type="text/xml")


def test_a_multipart_body_without_its_end_is_a_finding_however_harmless(
    inspection: Inspection,
) -> None:
    """Parsers disagree about what such a body has in it (lying boundaries hide parts)."""
    kind = "multipart/form-data; boundary=XyZ"
    part = b'--XyZ\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n'
    assert not inspection.body(part + b"--XyZ--\r\n", content_type=kind)
    (found,) = inspection.body(part, content_type=kind)
    assert found.category == BUDGET
    assert found.indicators == ("multipart_end",)
