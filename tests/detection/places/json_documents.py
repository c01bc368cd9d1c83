"""Places in JSON and GraphQL."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)

from __future__ import annotations

import gzip
import json
from urllib.parse import quote_plus

from tests.detection.places.sent import (
    CHUNKED,
    FILLER_BYTES,
    FORM,
    JSON,
    MULTIPART,
    Place,
    base64_of,
    json_of,
    token_of,
    typed_of,
    utf7_of,
)


def _json_in_json(text: str, depth: int) -> bytes:
    said = text
    for _ in range(depth):
        said = json.dumps({"a": said})
    return said.encode("utf-8", "surrogatepass")


JSON_DOCUMENTS: dict[str, Place] = {
    "JSON": typed_of(JSON, lambda text: json_of({"id": 7, "user": {"tags": ["a", text]}}), "json"),
    "JSON, not ASCII": typed_of(JSON, lambda text: json_of({"a": text}, ensure_ascii=False), "json"),
    "JSON, all escaped": typed_of(
        JSON,
        lambda text: b'{"a": "%s"}'
        % "".join(f"\\u{ord(char):04x}" for char in text if ord(char) < 65536).encode(),
        "json",
    ),
    "JSON key": typed_of(JSON, lambda text: json_of({text: 1}), "json"),
    "JSON, a string": typed_of(JSON, json_of, "json"),
    "JSON, pretty": typed_of(JSON, lambda text: json_of({"a": [text]}, indent=4), "json"),
    "JSON, UTF-16": typed_of(
        JSON, lambda text: json.dumps({"a": text}).encode("utf-16"), "json"
    ),
    "JSON, UTF-32 without a mark": typed_of(
        JSON, lambda text: json.dumps({"a": text}).encode("utf-32-le"), "json"
    ),
    "JSON, charset=cp037": typed_of(JSON + "; charset=cp037", lambda text: json_of([text]), "json"),
    "JSON, as text": typed_of("text/plain", lambda text: json_of([text]), "json"),
    "JSON, as a file": typed_of("application/octet-stream", lambda text: json_of([text]), "json"),
    "JSON, as a form": typed_of(FORM, lambda text: json_of([text]), "json"),
    "JSON, as multipart": typed_of(MULTIPART, lambda text: json_of([text]), "json"),
    "JSON, of no type": typed_of("", lambda text: json_of([text]), "json"),
    "JSON, pretty, Content-Encoding: deflate": typed_of(
        JSON, lambda text: json_of({"a": text}, indent=2), "json", HTTP_CONTENT_ENCODING="deflate"
    ),
    "JSON in JSON": typed_of(JSON, lambda text: json_of({"a": json.dumps({"b": text})}), "json"),
    "JSON, behind 300 kB": typed_of(
        JSON, lambda text: json_of({"a": "tea " * (FILLER_BYTES // 4), "b": text}), "json"
    ),
    "JSON, behind 20,000 values": typed_of(
        JSON, lambda text: json_of({"a": ["tea"] * 20_000, "b": text}), "json"
    ),
    "GraphQL argument": typed_of(
        JSON, lambda text: json_of({"query": f"query {{ a(b: {json.dumps(text)}) {{ c }} }}"}), "json"
    ),
    "GraphQL, a decoy": typed_of(JSON, lambda text: json_of({"query": "query {a} " + text}), "json"),
    "JSON, by GET": typed_of(JSON, lambda text: json_of([text]), "json", REQUEST_METHOD="GET"),
    "JSON, deep": typed_of(JSON, lambda text: json_of([[[[{"a": {"b": [text]}}]]]]), "json"),
    "JSON, a list of objects": typed_of(
        JSON,
        lambda text: json_of([{"id": n, "a": "tea"} for n in range(90)] + [{"id": 90, "a": text}]),
        "json",
    ),
    "JSON, behind 5 MB": typed_of(
        JSON, lambda text: json_of({"a": "tea " * 1_250_000, "b": text}), "json"
    ),
    "JSON, a line each": typed_of(
        "application/x-ndjson", lambda text: b'{"a": 1}\n' + json_of({"a": text}), "json lines"
    ),
    "JSON, a key twice": typed_of(
        JSON, lambda text: b'{"a": "tea", "a": %s}' % json_of(text), "json"
    ),
    "JSON, a key twice, the first": typed_of(
        JSON, lambda text: b'{"a": %s, "a": "tea"}' % json_of(text), "json pairs"
    ),
    "JSON, behind a mark": typed_of(
        JSON, lambda text: b"\xef\xbb\xbf" + json_of({"a": text}), "json"
    ),
    "JSON, no numbers beside": typed_of(
        JSON, lambda text: b'{"n": [NaN, -Infinity, 1e999], "a": %s}' % json_of(text), "json"
    ),
    "JSON, half a character beside": typed_of(
        JSON, lambda text: b'{"n": "\\ud800", "a": %s}' % json_of(text), "json"
    ),
    "JSON, a long number beside": typed_of(
        JSON, lambda text: b'{"n": %s, "a": %s}' % (b"1" * 4000, json_of(text)), "json"
    ),
    "JSON, text behind it": typed_of(
        JSON, lambda text: b'{"a": %s} tea' % json_of(text), "json first"
    ),
    "JSON, the second document": typed_of(
        JSON, lambda text: b'{"a": 1}{"a": %s}' % json_of(text), "json all"
    ),
    "JSON, with comments": typed_of(
        JSON, lambda text: b'{/* b */ "b": 1, "a": %s}' % json_of(text), "json comments"
    ),
    "JSON, a sequence": typed_of(
        "application/json-seq",
        lambda text: b'\x1e{"a": 1}\n\x1e{"a": %s}\n' % json_of(text),
        "json sequence",
    ),
    "JSON, a line each, as a file": typed_of(
        "application/octet-stream",
        lambda text: b'{"a": 1}\n' + json_of({"a": text}),
        "json lines",
    ),
    "JSON, as XML": typed_of("application/xml", lambda text: json_of([text]), "json"),
    "JSON, as HTML": typed_of("text/html", lambda text: json_of([text]), "json"),
    "JSON, as a picture": typed_of("image/png", lambda text: json_of([text]), "json"),
    "JSON, as YAML": typed_of("application/yaml", lambda text: json_of([text]), "json"),
    "JSON, as a form, behind blanks": typed_of(
        FORM, lambda text: b" " * 100 + json_of({"x": "a=b&c=d", "a": text, "y": "e=f&g"}), "json"
    ),
    "JSON, as a file, behind blanks": typed_of(
        "application/octet-stream", lambda text: b"\r\n\t " * 50 + json_of([text]), "json"
    ),
    "JSON, as multipart with a delimiter": typed_of(
        MULTIPART, lambda text: json_of({"b": "--frontier", "a": text}), "json"
    ),
    "JSON, UTF-16 without a mark": typed_of(
        JSON, lambda text: json.dumps({"a": text}).encode("utf-16-be"), "json"
    ),
    "JSON, UTF-16, as a form": typed_of(
        FORM, lambda text: json.dumps({"a": text}).encode("utf-16"), "json"
    ),
    "JSON, UTF-16, as multipart": typed_of(
        MULTIPART, lambda text: json.dumps({"a": text}).encode("utf-16-le"), "json"
    ),
    "JSON, in REST framework, utf-7": typed_of(
        JSON + "; charset=utf-7",
        lambda text: b'{"a": "%s"}' % utf7_of(json.dumps(text)[1:-1]),
        "rest",
    ),
    "JSON, in REST framework, iso-2022-jp": typed_of(
        JSON + "; charset=iso-2022-jp",
        lambda text: b'{"a": "%s"}' % "\x1b(B".join(json.dumps(text)[1:-1]).encode(),
        "rest",
    ),
    "JSON, in REST framework, a charset in two pieces": typed_of(
        JSON + "; charset*0=cp; charset*1=500",
        lambda text: json.dumps({"a": text}).encode("cp500"),
        "rest",
    ),
    "JSON, in REST framework, a charset in percent": typed_of(
        JSON + "; charset*=utf-8''cp%35%30%30",
        lambda text: json.dumps({"a": text}).encode("cp500"),
        "rest",
    ),
    "JSON, in JSON in JSON": typed_of(
        JSON, lambda text: _json_in_json(text, 3), "json deep"
    ),
    "JSON, pretty JSON in base64": typed_of(
        JSON, lambda text: json_of({"a": base64_of(json.dumps({"b": text}, indent=2))}), "json base64"
    ),
    "JSON, a token": typed_of(JSON, lambda text: json_of({"id_token": token_of(text)}), "json base64"),
    "JSON, an address": typed_of(
        JSON,
        lambda text: json_of({"a": "https://a.example/?q=" + quote_plus(text)}),
        "json address",
    ),
    "JSON, a patch": typed_of(
        "application/json-patch+json",
        lambda text: json_of([{"op": "add", "path": "/a", "value": text}]),
        "json",
    ),
    "JSON, gzip": typed_of(
        JSON, lambda text: gzip.compress(json_of([text])), "gzip json", HTTP_CONTENT_ENCODING="gzip"
    ),
    "JSON, gzip, not named": typed_of(
        JSON, lambda text: gzip.compress(json_of([text])), "gzip json"
    ),
    "JSON, gzip, as a file": typed_of(
        "application/octet-stream",
        lambda text: gzip.compress(json_of([text])),
        "gzip json",
        HTTP_CONTENT_ENCODING="gzip",
    ),
    "JSON, chunked": typed_of(JSON, lambda text: json_of([text]), "json", **CHUNKED),
    "GraphQL, a block string": typed_of(
        JSON,
        lambda text: json_of({"query": 'query {{ a(b: """{}""") {{ c }} }}'.format(text.replace('"""', ""))}),
        "json block",
    ),
}  # fmt: skip
