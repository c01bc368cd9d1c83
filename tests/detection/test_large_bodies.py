"""Large bodies are read completely, whatever precedes an attack, and forms after files."""

from __future__ import annotations

import io
import json
import random
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection import DetectionSettings, Detector, Inspection
from guard_wsgi.detection.formats import json_paths
from guard_wsgi.detection.formats.large_bodies import (
    LARGE_JSON_BYTES,
    form_pieces,
    json_values,
    xml_values,
)
from guard_wsgi.detection.formats.structure import unfold, whole_json
from guard_wsgi.detection.message.multipart import multipart_values
from guard_wsgi.detection.message.skimmer import Skimmer
from guard_wsgi.detection.value import Budget
from guard_wsgi.request.body import RequestBody
from tests.core.visiting import INJECTION, Site

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=frontier"
ROWS = [
    {"id": number, "name": f"customer {number}", "note": 'says "tea", \\ and \u00e9', "tags": []}
    for number in range(3000)
]


def everything(texts: Sequence[str]) -> list[int]:
    return list(range(len(texts)))


@pytest.fixture(scope="module")
def whole() -> Inspection:
    """An inspection of 8 MiB."""
    return Detector().compile(DetectionSettings(max_body_bytes=8_388_608))


@pytest.mark.parametrize("place", [0, 1, 1500, 2999])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_large_document_is_read_whole(whole: Inspection, place: int, indent: int | None) -> None:
    rows = [dict(row) for row in ROWS]
    harmless = json.dumps(rows, indent=indent).encode()
    assert len(harmless) > LARGE_JSON_BYTES
    assert not whole.body(harmless, content_type="application/json")
    rows[place]["note"] = INJECTION
    body = json.dumps(rows, indent=indent).encode()
    for kind in ("application/json", "application/octet-stream", "text/plain", ""):
        (found,) = whole.body(body, content_type=kind)
        assert (found.location, found.name, found.value) == ("json", "[].note", INJECTION)
    del rows[place]["note"]
    rows[place][INJECTION] = 1
    assert whole.body(json.dumps(rows, indent=indent).encode(), content_type="application/json")


@pytest.mark.parametrize("junk", [b"", b"}", b'"', b"\\", b"\x00", b"{'a':"])
def test_a_large_document_that_does_not_parse_is_read_as_well(
    whole: Inspection, junk: bytes
) -> None:
    body = json.dumps(ROWS).encode()
    attacked = body[:-1] + junk + b" " + INJECTION.encode() + b"]"
    assert whole.body(attacked, content_type="application/json")
    quoted = junk + body[:-1] + json.dumps(INJECTION).encode()
    assert whole.body(quoted, content_type="application/json")


@given(st.lists(st.text(max_size=8000), max_size=12), st.dictionaries(st.text(), st.text()))
def test_every_string_of_a_document_is_in_its_pieces(
    texts: list[str], keys: dict[str, str]
) -> None:
    body = json.dumps([texts, keys]).encode()
    found = {
        value.text
        for value in json_values(
            body, "json", lambda piece: True, everything, 99, Budget(10**6, 10**9)
        )
    }
    assert found >= {text for text in (*texts, *keys.values()) if text}


KEYS = (
    st.text(max_size=9)
    .filter(lambda key: key.isascii() and key.isprintable())
    .filter(lambda key: not set(key) & set('"\\'))
)
DOCUMENTS = st.recursive(
    st.text(max_size=9) | st.integers() | st.none() | st.booleans(),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(KEYS, one, max_size=4),
    max_leaves=30,
)


@given(DOCUMENTS, st.sampled_from([None, 2]))
def test_a_value_is_named_by_its_path_as_in_a_small_document(
    document: object, indent: int | None
) -> None:
    body = json.dumps(document, indent=indent).encode()
    known = whole_json(body)
    assert known is not None
    plain = {
        (value.name, value.text, value.kind)
        for value in known.values("json", 99, Budget(10**6, 10**6))
        if value.kind != "name"
    }
    large = json_values(body, "json", lambda piece: True, everything, 99, Budget(10**6, 10**9))
    pieces = {
        (inner.name, inner.text, inner.kind)
        for value in large
        if value.text and value.kind != "name"
        for inner in unfold(value, Budget(10**6, 10**6))
    }
    assert pieces == plain


@given(DOCUMENTS, st.sampled_from([2, 4, 2048]), st.integers(1, 9))
def test_few_strings_of_a_document_are_named_like_all(
    document: object, block: int, step: int
) -> None:
    def few(texts: Sequence[str]) -> list[int]:
        return list(range(0, len(texts), step))

    def names(matching: Callable[[Sequence[str]], list[int]]) -> list[tuple[str, str]]:
        values = json_values(body, "json", lambda piece: True, matching, 99, Budget(10**6, 10**9))
        return [(value.name, value.text) for value in values if value.kind != "name"]

    body = json.dumps(document).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_paths, "BLOCK", block)
        found = names(few)
    assert set(found) <= set(names(everything))


@pytest.mark.parametrize("unit", ["{}", "[]", '{"":0}', '{"":{}}', "[[],[[],[]]]", "[[[[[[]]]]]]"])
def test_brackets_before_an_attack_cost_little(unit: str) -> None:
    """Looking at each of them took 1.7 s of 8 MB, and gzip makes 8 kB of it."""
    body = f"[{(unit + ',') * 20_000}{json.dumps(INJECTION)}]".encode()
    inspection = Detector().compile()
    inspection.body(b"warm <script>", content_type="text/plain")
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        (found,) = inspection.body(body, content_type="application/json")
    finally:
        sys.setprofile(None)
    assert (found.name, found.value) == ("[]", INJECTION)
    assert calls < 20_000  # less than one for each unit


@pytest.mark.parametrize("unit", ["1", "[1.5,2]", '{"id":1}', '{"x":{"y":1}}'])
def test_many_numbers_and_objects_pass(whole: Inspection, unit: str) -> None:
    rows = (unit + ",") * (2_500_000 // (len(unit) + 1))
    body = f'[{rows}{{"a":{{"note":"see <b>it\'s</b> or $(b)"}}}},{rows}"it\'s <b>it</b>"]'.encode()
    assert not whole.body(body, content_type="application/json")


def test_a_document_of_a_large_stream_begins_at_its_own_root(whole: Inspection) -> None:
    event = {"note": "x" * LARGE_JSON_BYTES, "span": {"statement": INJECTION}}
    lines = [{"metadata": {"system": {}}}, {"type": "event", "length": 2042}, event]
    stream = "\n".join(map(json.dumps, lines)).encode()
    found = whole.body(stream, content_type="application/x-ndjson")
    assert {finding.name for finding in found} == {"span.statement"}


def test_a_large_form_is_read_whole(whole: Inspection) -> None:
    pairs = [f"name{number}=tea+and+scones" for number in range(9000)]
    assert not whole.body("&".join(pairs).encode(), content_type=FORM)
    for place in (0, 4500, 8999):
        attacked = [*pairs]
        attacked[place] = "q=" + INJECTION.replace(" ", "+")
        (found,) = whole.body("&".join(attacked).encode(), content_type=FORM)
        assert found.name == "q"


@given(st.lists(st.binary(max_size=6000).map(lambda data: data.replace(b"&", b"")), max_size=9))
def test_the_pieces_of_a_form_are_the_form(pairs: list[bytes]) -> None:
    body = b"&".join(pairs)
    assert b"".join(form_pieces(body, lambda piece: True)) == body


@pytest.mark.parametrize("cut", ["", "<!-- x -->", "<?a b?>", "<![CDATA[]]>"])
def test_a_large_xml_document_is_read_whole(whole: Inspection, cut: str) -> None:
    rows = [f"<row n='{number}'><name>tea &amp; scones</name></row>" for number in range(3000)]
    assert not whole.body(f"<rows>{''.join(rows)}</rows>".encode(), content_type="text/xml")
    middle = len(INJECTION) // 2
    said = INJECTION[:middle] + cut + INJECTION[middle:]
    for place in (0, 1500, 2999):
        attacked = [*rows]
        attacked[place] = f"<row><name>{said}</name></row>"
        body = f"<rows>{''.join(attacked)}</rows>".encode()
        assert whole.body(body, content_type="text/xml"), (place, cut)
    attribute = [*rows, f'<row\tq="{INJECTION}"/>']
    assert whole.body(f"<rows>{''.join(attribute)}</rows>".encode(), content_type="text/xml")
    assert list(xml_values(b"<a>" * 2000, lambda piece: False, Budget(9, 9))) == []


def part(head: str, content: bytes) -> bytes:
    disposition = f"Content-Disposition: form-data; {head}"
    return f"--frontier\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n"


NOISE = random.Random(7).randbytes(400_000)
LARGE = (
    part('name="title"', b"tea"),
    part('name="photo"; filename="a.bin"', NOISE),
    part('name="again"; filename="b.bin"', b"--frontie\r\n--front" + NOISE[:1000]),
    part('name="text"', b"scones"),
)


def skimmed(body: bytes, size: int) -> bytes:
    skimmer = Skimmer(b"frontier", 10**9, 10**9)
    for start in range(0, len(body), size):
        skimmer.see(body[start : start + size])
    return skimmer.finish()


@pytest.mark.parametrize("size", [1, 7, 64, 1000, 65_536, 10**9])
def test_a_form_without_its_files_is_the_same_whatever_the_chunks(size: int) -> None:
    body = b"".join(LARGE if size > 1 else (LARGE[0], LARGE[2], LARGE[3])) + b"--frontier--\r\n"
    short = skimmed(body, size)
    assert len(short) < 1500
    values = list(multipart_values(short, [b"frontier"], True, Budget(99, 9999), False))
    assert [value.text for value in values] == ["tea", "scones"]


@given(
    st.lists(
        st.sampled_from(
            (
                *(*LARGE, b"--frontier", b"\r\n", b"--frontier--\r\n", b"\n--frontier\n", b"tea"),
                *(part('name="word"; filename=""', b"x"), part('name="word"', b"--frontier"), b"-"),
            )
        ),
        max_size=8,
    ),
    st.integers(1, 3000),
)
def test_what_no_reading_takes_for_a_file_is_kept(pieces: list[bytes], size: int) -> None:
    """Skimming leaves out nothing but what parts() takes for the content of a file. No field here
    is one for a single line: the lines of its text would be values of their own."""
    body = b"".join(pieces)
    if len(body) > 3000:
        body = body.replace(NOISE, NOISE[:700])

    def fields(data: bytes) -> set[tuple[str, str]]:
        values = multipart_values(data, [b"frontier"], False, Budget(999, 10**6), False)
        return {(value.name, value.text) for value in values if value.kind == ""}

    assert fields(skimmed(body, size)) >= {
        one for one in fields(body) if len(one[1]) < 60 and "frontier" not in one[1]
    }


@pytest.mark.parametrize("read", [lambda stream: stream.read(), lambda s: b"".join(s.readlines())])
@pytest.mark.parametrize("declared", [True, False])
def test_what_was_looked_on_is_read_again(
    read: Callable[[io.BytesIO], bytes], declared: bool
) -> None:
    body = NOISE[:200_000]
    environ = {"wsgi.input": io.BytesIO(body)}
    if declared:
        environ["CONTENT_LENGTH"] = str(len(body))  # type: ignore[assignment]
    else:
        environ |= {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}  # type: ignore[dict-item]
    for most in (10**9, 90_000):
        environ["wsgi.input"] = io.BytesIO(body)
        incoming = RequestBody(environ)  # type: ignore[arg-type]
        assert incoming.prefix(1000) == body[:1000]
        seen: list[bytes] = []
        assert incoming.look_on(seen.append, most) == (most > len(body))
        assert b"".join(seen) == body[1000 : 1000 + most]
        assert read(environ["wsgi.input"]) == body


def test_a_field_is_read_however_large_the_files_before_it_are() -> None:
    site = Site(enable_ip_banning=False)
    files = part('name="file"; filename="a.bin"', NOISE) * 30
    for said, code in ((b"scones", 200), (INJECTION.encode(), 400)):
        body = LARGE[0] + files + part('name="text"', said) + b"--frontier--\r\n"
        environ = {"CONTENT_TYPE": MULTIPART, "CONTENT_LENGTH": str(len(body))}
        answer = site.visit(method="POST", server={"wsgi.input": io.BytesIO(body), **environ})
        assert answer.code == code


def test_text_that_is_all_traces_is_weighed_as_far_as_a_request_may_take() -> None:
    """Beyond that it is reported, not refused: people send such documents, and send few of them."""
    dense = "We'll select a tea from ../menu; or order by 7 -- see <b>notes</b>.\n" * 40_000
    site = Site(enable_ip_banning=False)
    assert site.visit(method="POST", json={"text": dense}).code == 200
    attacked = {"text": INJECTION, "more": dense}
    assert site.visit(method="POST", json=attacked).code == 400
    strict = Site(detection_oversized_body="block")
    assert strict.visit(method="POST", json={"text": dense}).code == 413
