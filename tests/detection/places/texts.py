"""Places in XML and in plain text."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)

from __future__ import annotations

import gzip
import json
from xml.sax.saxutils import escape, quoteattr

from tests.detection.places.sent import (
    FILLER_BYTES,
    FORM,
    JSON,
    MULTIPART,
    Place,
    cdata_of,
    cut_of,
    typed_of,
    utf7_of,
    xml_of,
)


def _behind(xml: bytes) -> bytes:
    return b"<a>" + b"<i>tea</i>" * 8000 + b"<b>" + xml + b"</b></a>"


def _toml(text: str) -> bytes:
    return f"a = {json.dumps(text)}\n".encode()


def _toml_lines(text: str) -> bytes:
    letters = [json.dumps(char)[1:-1].replace(" ", "\\u0020") for char in text]
    return 'a = """{}"""\n'.format("\\\n  ".join(letters)).encode()


TEXTS: dict[str, Place] = {
    "XML text": typed_of("application/xml", xml_of, "xml"),
    "XML attribute": typed_of(
        "text/xml", lambda text: f"<o><i\tb={quoteattr(text)}/></o>".encode(), "xml"
    ),
    "XML, in CDATA": typed_of("application/soap+xml", cdata_of, "xml"),
    "XML, cut by a comment": typed_of("text/xml", lambda text: cut_of(text, "<!-- -->"), "xml"),
    "XML, cut by an instruction": typed_of("text/xml", lambda text: cut_of(text, "<?a b?>"), "xml"),
    "XML, cut by CDATA": typed_of("text/xml", lambda text: cut_of(text, "<![CDATA[]]>"), "xml"),
    "XML, UTF-16": typed_of(
        "text/xml",
        lambda text: f"<o>{escape(text)}</o>".encode("utf-16"),
        "xml",
    ),
    "XML, characters by number": typed_of(
        "text/xml",
        lambda text: f"<o>{''.join(f'&#{ord(char)};' for char in text)}</o>".encode(),
        "xml",
    ),
    "XML, behind 300 kB": typed_of(
        "text/xml",
        lambda text: b"<o>" + b"<i>tea</i>" * (FILLER_BYTES // 10) + xml_of(text) + b"</o>",
        "xml",
    ),
    "XML, as text, cut by a comment": typed_of(
        "text/plain", lambda text: cut_of(text, "<!-- -->"), "xml"
    ),
    "text": typed_of("text/plain", lambda text: text.encode("utf-8", "surrogatepass"), "text"),
    "text, controls in front": typed_of(
        "text/plain", lambda text: b"\x01" * 90 + text.encode("utf-8", "surrogatepass"), "text"
    ),
    "XML, with namespaces": typed_of(
        "text/xml", lambda text: f"<s:a xmlns:s='urn:x' s:b={quoteattr(text)}/>".encode(), "xml"
    ),
    "XML, in an envelope": typed_of(
        "application/soap+xml",
        lambda text: (
            b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>%s</s:Body></s:Envelope>"
            % xml_of(text)
        ),
        "xml",
    ),
    "XML, a call": typed_of(
        "text/xml",
        lambda text: (
            b"<?xml version='1.0'?><methodCall><methodName>a.b</methodName><params><param><value><string>%s"
            b"</string></value></param></params></methodCall>" % escape(text).encode()
        ),
        "xml",
    ),
    "XML, behind an element": typed_of(
        "text/xml", lambda text: f"<a><b/>{escape(text)}</a>".encode(), "xml"
    ),
    "XML, an entity of its own": typed_of(
        "text/xml",
        lambda text: f"<!DOCTYPE a [<!ENTITY x {quoteattr(escape(text))}>]><a>&x;</a>".encode(),
        "xml",
    ),
    "XML, an attribute by numbers": typed_of(
        "text/xml",
        lambda text: "<a b='{}'/>".format("".join(f"&#x{ord(char):x};" for char in text)).encode(),
        "xml",
    ),
    "XML, a section for each letter": typed_of(
        "text/xml",
        lambda text: (
            "<a>{}</a>".format("".join(f"<![CDATA[{char}]]>" for char in text))
        ).encode("utf-8", "surrogatepass"),
        "xml",
    ),
    "XML, in latin-1": typed_of(
        "text/xml",
        lambda text: f"<?xml version='1.0' encoding='iso-8859-1'?><a><b>\xe9</b><c>{escape(text)}</c></a>".encode(
            "latin-1"
        ),
        "xml",
    ),
    "XML, UTF-16, an attribute": typed_of(
        "text/xml", lambda text: f"<a b={quoteattr(text)}/>".encode("utf-16"), "xml"
    ),
    "XML, under another charset": typed_of("text/xml; charset=cp037", xml_of, "xml"),
    "XML, as a form": typed_of(
        FORM, lambda text: b"<?xml version='1.0'?>" + cut_of(text, "<!-- a=b&c -->"), "xml"
    ),
    "XML, as JSON": typed_of(JSON, lambda text: cut_of(text, '<?a "b"?>'), "xml"),
    "XML, as multipart": typed_of(MULTIPART, lambda text: cut_of(text, "<!-- -->"), "xml"),
    "XML, as text": typed_of("text/plain", xml_of, "xml"),
    "XML, as text, behind blanks": typed_of(
        "text/plain", lambda text: b"\n" * 80 + cut_of(text, "<!-- -->"), "xml"
    ),
    "XML, a piece": typed_of("application/xml-external-parsed-entity", xml_of, "xml"),
    "XML, behind 70 kB, cut by CDATA": typed_of(
        "text/xml", lambda text: _behind(cut_of(text, "<![CDATA[]]>")), "xml"
    ),
    "XML, behind 70 kB, by numbers": typed_of(
        "text/xml",
        lambda text: _behind("".join(f"&#{ord(char)};" for char in text).encode()),
        "xml",
    ),
    "XML, behind 70 kB and a bracket in an attribute": typed_of(
        "text/xml", lambda text: _behind(f"<b c='>' d={quoteattr(text)}/>".encode()), "xml"
    ),
    "TOML, as text": typed_of("text/plain", _toml, "toml"),
    "TOML, letters by numbers": typed_of(
        "text/plain",
        lambda text: 'a = "{}"\n'.format("".join(f"\\U{ord(char):08x}" for char in text)).encode(),
        "toml",
    ),
    "TOML, a line for each letter": typed_of("text/plain", _toml_lines, "toml"),
    "text, utf-16": typed_of(
        "text/plain; charset=utf-16", lambda text: text.encode("utf-16"), "text utf-16"
    ),
    "text, utf-7": typed_of("text/plain; charset=utf-7", utf7_of, "text utf-7"),
    "text, its type in capitals": typed_of(
        "TEXT/PLAIN", lambda text: text.encode("utf-8", "surrogatepass"), "text"
    ),
    "text, gzip": typed_of(
        "text/plain",
        lambda text: gzip.compress(text.encode("utf-8", "surrogatepass")),
        "gzip text",
        HTTP_CONTENT_ENCODING="gzip",
    ),
}  # fmt: skip
