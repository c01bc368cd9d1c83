"""Places in urlencoded forms."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)

from __future__ import annotations

import json
from urllib.parse import quote_plus
from xml.sax.saxutils import quoteattr

from tests.detection.places.sent import (
    CHUNKED,
    FILLER_BYTES,
    FORM,
    JSON,
    Place,
    base64_of,
    ebcdic_of,
    form_of,
    latin_of,
    typed_of,
    utf7_of,
)

FORMS: dict[str, Place] = {
    "form": typed_of(FORM, form_of, "form"),
    "form name": typed_of(FORM, lambda text: quote_plus(text).encode() + b"=1", "form"),
    "form, unescaped": typed_of(
        FORM, lambda text: b"item=" + latin_of(text).encode("latin-1"), "form"
    ),
    "form, behind a mark": typed_of(FORM, lambda text: b"\xff\xfea=1&" + form_of(text), "form"),
    "form, charset=cp037": typed_of(FORM + "; charset=cp037", form_of, "form"),
    "form, charset=utf-16": typed_of(FORM + "; charset=utf-16", form_of, "form"),
    "form, charset=utf_7": typed_of(FORM + "; charset=utf_7", form_of, "form"),
    "form, Content-Encoding: deflate": typed_of(FORM, form_of, "form", HTTP_CONTENT_ENCODING="deflate"),
    "form, Content-Encoding: br": typed_of(FORM, form_of, "form", HTTP_CONTENT_ENCODING="br"),
    "form, as a picture": typed_of("image/png", form_of, "form"),
    "form, as text": typed_of("text/plain", form_of, "form"),
    "form, as JSON": typed_of(JSON, form_of, "form"),
    "form, behind 60 kB": typed_of(
        FORM, lambda text: b"a=" + b"tea " * 15_000 + b"&" + form_of(text), "form"
    ),
    "form, behind 300 kB": typed_of(
        FORM, lambda text: b"a=" + b"tea+" * (FILLER_BYTES // 4) + b"&" + form_of(text), "form"
    ),
    "form, by GET": typed_of(FORM, form_of, "form", REQUEST_METHOD="GET"),
    "form, by PUT": typed_of(FORM, form_of, "form", REQUEST_METHOD="PUT"),
    "form, in JSON": typed_of(
        FORM, lambda text: b"item=" + quote_plus(json.dumps({"a": [text]})).encode(), "form json"
    ),
    "form, in JSON in base64": typed_of(
        FORM, lambda text: b"item=" + base64_of(json.dumps({"a": text}, indent=1)).encode(), "form"
    ),
    "form, a form in it": typed_of(
        FORM, lambda text: b"item=" + quote_plus("a=1&b=" + quote_plus(text)).encode(), "form form"
    ),
    "form, XML in it": typed_of(
        FORM,
        lambda text: b"item=" + quote_plus(f"<?xml version='1.0'?><a b={quoteattr(text)}/>").encode(),
        "form xml",
    ),
    "form, a method beside": typed_of(FORM, lambda text: b"_method=PUT&" + form_of(text), "form"),
    "form, chunked": typed_of(FORM, form_of, "form", **CHUNKED),
    "form, Content-Encoding: identity": typed_of(
        FORM, form_of, "form", HTTP_CONTENT_ENCODING="identity"
    ),
    "form, Content-Encoding: zstd": typed_of(FORM, form_of, "form", HTTP_CONTENT_ENCODING="zstd"),
    "form, Content-Encoding: gzip": typed_of(FORM, form_of, "form", HTTP_CONTENT_ENCODING="gzip"),
    "form, its type in capitals": typed_of(
        "Application/X-WWW-Form-URLEncoded ; x", form_of, "form"
    ),
    "form, as Multipart": typed_of("Multipart/Form-Data; boundary=frontier", form_of, "form"),
    "form, as Multipart with a delimiter": typed_of(
        "Multipart/Form-Data; boundary=frontier",
        lambda text: form_of(text) + b"&x=--frontier",
        "form",
    ),
    "form, as a file, nested names": typed_of(
        "application/octet-stream", lambda text: b"a.b[]=1&" + form_of(text), "form"
    ),
    "form, as a file, an empty pair": typed_of(
        "application/octet-stream", lambda text: b"&tea&" + form_of(text), "form"
    ),
    "form, as HTML, behind a tag": typed_of(
        "text/html", lambda text: b"<p>tea</p>&" + form_of(text), "form"
    ),
    "form, as a picture, behind its beginning": typed_of(
        "image/png", lambda text: b"\x89PNG\r\n\x1a\n&" + form_of(text), "form"
    ),
    "form, as a file, behind a blank": typed_of(
        "application/pdf", lambda text: b" &" + form_of(text), "form"
    ),
    "form, of no type, behind a bracket": typed_of("", lambda text: b"{&" + form_of(text), "form"),
    "form, as XML": typed_of(
        "application/xml", lambda text: b"<a>1</a>&" + form_of(text), "form"
    ),
    "form, of no type": typed_of("", form_of, "form"),
    "form, of half a type": typed_of("form", form_of, "form"),
    "form, control bytes beside": typed_of(
        FORM, lambda text: b"x=" + bytes(range(1, 33)) * 200 + b"&" + form_of(text), "form"
    ),
    "form, in REST framework, utf-7": typed_of(
        FORM + "; charset=utf-7", lambda text: b"item=" + quote_plus(utf7_of(text)).encode(), "rest"
    ),
    "form, in REST framework, EBCDIC": typed_of(FORM + "; charset=cp037", ebcdic_of, "rest"),
    "form, in REST framework, iso-2022-jp": typed_of(
        FORM + "; charset=iso-2022-jp",
        lambda text: b"item=" + quote_plus("\x1b(B".join(text)).encode(),
        "rest",
    ),
}  # fmt: skip
