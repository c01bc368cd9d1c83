"""Every place for a payload, and what three frameworks read from it.

A payload counts in a place only if the framework itself reads it from there.
benchmarks/differential.py prints the whole matrix; test_differential.py tests a sample of it.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from attrs import field, frozen

Environ = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=frontier"
FILLER_BYTES = 300_000


@frozen
class Sent:
    """A request with a payload in it, and the form in which an app reads it."""

    reads: str
    body: bytes = b""
    kind: str = ""
    path: str = "/items"
    query: str = ""
    headers: dict[str, str] = field(factory=dict)

    def environ(self) -> Environ:
        made = {
            "REQUEST_METHOD": "POST" if self.body else "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "QUERY_STRING": self.query,
            "SERVER_NAME": "shop.example.com",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "shop.example.com",
            "REMOTE_ADDR": "203.0.113.7",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.body:
            made["CONTENT_LENGTH"] = str(len(self.body))
            made["CONTENT_TYPE"] = self.kind
        return made | self.headers


def _latin(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _form(payload: str) -> bytes:
    return b"lang=en&item=" + quote_plus(payload).encode()


def _json(value: object, **options: Any) -> bytes:
    return json.dumps(value, **options).encode("utf-8", "surrogatepass")


def _part(head: str, content: bytes) -> bytes:
    return b"--frontier\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def _multipart(*parts: bytes, end: bytes = b"--frontier--\r\n") -> bytes:
    return b"".join(parts) + end


def _named(more: str = "", name: str = "item") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


def _field(payload: str, more: str = "") -> bytes:
    return _part(_named(more), payload.encode("utf-8", "surrogatepass"))


_FILE = _part(_named('; filename="a.bin"', "file"), b"\x89PNG" + bytes(range(256)) * 40)
_LARGE_FILE = _part(_named('; filename="a.bin"', "file"), bytes(range(256)) * (FILLER_BYTES // 256))


def _wrapped(document: object) -> str:
    return base64.urlsafe_b64encode(_json(document)).decode().rstrip("=")


def _token(payload: str) -> str:
    return f"{_wrapped({'alg': 'HS256'})}.{_wrapped({'sub': payload})}.c2lnbmF0dXJl"


def _query(payload: str) -> Sent:
    return Sent("head", query="page=2&q=" + quote_plus(payload))


def _typed(kind: str, body: Callable[[str], bytes], reads: str, **headers: str) -> Place:
    return lambda payload: Sent(reads, body(payload), kind, headers=headers)


def _xml(payload: str) -> bytes:
    return f"<order><item>{escape(payload)}</item></order>".encode("utf-8", "surrogatepass")


def _cut(payload: str, between: str) -> bytes:
    middle = len(payload) // 2
    halves = escape(payload[:middle]), escape(payload[middle:])
    return f"<order><item>{between.join(halves)}</item></order>".encode("utf-8", "surrogatepass")


def _cdata(payload: str) -> bytes:
    return f"<o><i><![CDATA[{payload.replace(']]>', '')}]]></i></o>".encode(
        "utf-8", "surrogatepass"
    )


Place = Callable[[str], Sent]
"""Makes the request that contains a payload."""


PLACES: dict[str, Place] = {
    "query value": _query,
    "query value, %20": lambda text: Sent("head", query="q=" + quote(text, safe="")),
    "query value, last of 300": lambda text: Sent(
        "head", query="".join(f"p{n}=x&" for n in range(300)) + "q=" + quote_plus(text)
    ),
    "query name": lambda text: Sent("head", query=quote_plus(text) + "=1"),
    "query, in JSON": lambda text: Sent("head", query="q=" + quote_plus(json.dumps({"a": text}))),
    "query, in base64url JSON": lambda text: Sent("head", query="state=" + _wrapped({"a": text})),
    "query, in a token": lambda text: Sent("head", query="jwt=" + _token(text)),
    "query, in a URL": lambda text: Sent(
        "head", query="next=" + quote_plus("https://a.example/?q=" + quote_plus(text))
    ),
    "path": lambda text: Sent("head", path="/items/" + quote(text, safe="")),
    "path, deep": lambda text: Sent("head", path="/shop/en/items/42/" + quote(text, safe="")),
    "cookie": lambda text: Sent("head", headers={"HTTP_COOKIE": "theme=dark; p=" + _latin(text)}),
    "cookie, in base64url JSON": lambda text: Sent(
        "head", headers={"HTTP_COOKIE": "state=" + _wrapped({"a": text})}
    ),
    "cookie, in a token": lambda text: Sent("head", headers={"HTTP_COOKIE": "t=" + _token(text)}),
    "header": lambda text: Sent("head", headers={"HTTP_X_SEARCH": _latin(text)}),
    "Referer": lambda text: Sent(
        "head", headers={"HTTP_REFERER": "https://a.example/?q=" + quote_plus(text)}
    ),
    "Basic password": lambda text: Sent(
        "head",
        headers={
            "HTTP_AUTHORIZATION": "Basic "
            + base64.b64encode(f"ada:{text}".encode("utf-8", "surrogatepass")).decode()
        },
    ),
    "Bearer token": lambda text: Sent(
        "head", headers={"HTTP_AUTHORIZATION": "Bearer " + _token(text)}
    ),
    "form": _typed(FORM, _form, "form"),
    "form name": _typed(FORM, lambda text: quote_plus(text).encode() + b"=1", "form"),
    "form, unescaped": _typed(
        FORM, lambda text: b"item=" + _latin(text).encode("latin-1"), "form"
    ),
    "form, behind a mark": _typed(FORM, lambda text: b"\xff\xfea=1&" + _form(text), "form"),
    "form, charset=cp037": _typed(FORM + "; charset=cp037", _form, "form"),
    "form, charset=utf-16": _typed(FORM + "; charset=utf-16", _form, "form"),
    "form, charset=utf_7": _typed(FORM + "; charset=utf_7", _form, "form"),
    "form, Content-Encoding: deflate": _typed(FORM, _form, "form", HTTP_CONTENT_ENCODING="deflate"),
    "form, Content-Encoding: br": _typed(FORM, _form, "form", HTTP_CONTENT_ENCODING="br"),
    "form, as a picture": _typed("image/png", _form, "form"),
    "form, as text": _typed("text/plain", _form, "form"),
    "form, as JSON": _typed(JSON, _form, "form"),
    "form, behind 60 kB": _typed(
        FORM, lambda text: b"a=" + b"tea " * 15_000 + b"&" + _form(text), "form"
    ),
    "form, behind 300 kB": _typed(
        FORM, lambda text: b"a=" + b"tea+" * (FILLER_BYTES // 4) + b"&" + _form(text), "form"
    ),
    "JSON": _typed(JSON, lambda text: _json({"id": 7, "user": {"tags": ["a", text]}}), "json"),
    "JSON, not ASCII": _typed(JSON, lambda text: _json({"a": text}, ensure_ascii=False), "json"),
    "JSON, all escaped": _typed(
        JSON,
        lambda text: b'{"a": "%s"}'
        % "".join(f"\\u{ord(char):04x}" for char in text if ord(char) < 65536).encode(),
        "json",
    ),
    "JSON key": _typed(JSON, lambda text: _json({text: 1}), "json"),
    "JSON, a string": _typed(JSON, _json, "json"),
    "JSON, pretty": _typed(JSON, lambda text: _json({"a": [text]}, indent=4), "json"),
    "JSON, UTF-16": _typed(
        JSON, lambda text: json.dumps({"a": text}).encode("utf-16"), "json"
    ),
    "JSON, UTF-32 without a mark": _typed(
        JSON, lambda text: json.dumps({"a": text}).encode("utf-32-le"), "json"
    ),
    "JSON, charset=cp037": _typed(JSON + "; charset=cp037", lambda text: _json([text]), "json"),
    "JSON, as text": _typed("text/plain", lambda text: _json([text]), "json"),
    "JSON, as a file": _typed("application/octet-stream", lambda text: _json([text]), "json"),
    "JSON, as a form": _typed(FORM, lambda text: _json([text]), "json"),
    "JSON, as multipart": _typed(MULTIPART, lambda text: _json([text]), "json"),
    "JSON, of no type": _typed("", lambda text: _json([text]), "json"),
    "JSON, pretty, Content-Encoding: deflate": _typed(
        JSON, lambda text: _json({"a": text}, indent=2), "json", HTTP_CONTENT_ENCODING="deflate"
    ),
    "JSON in JSON": _typed(JSON, lambda text: _json({"a": json.dumps({"b": text})}), "json"),
    "JSON, behind 300 kB": _typed(
        JSON, lambda text: _json({"a": "tea " * (FILLER_BYTES // 4), "b": text}), "json"
    ),
    "JSON, behind 20,000 values": _typed(
        JSON, lambda text: _json({"a": ["tea"] * 20_000, "b": text}), "json"
    ),
    "GraphQL argument": _typed(
        JSON, lambda text: _json({"query": f"query {{ a(b: {json.dumps(text)}) {{ c }} }}"}), "json"
    ),
    "GraphQL, a decoy": _typed(JSON, lambda text: _json({"query": "query {a} " + text}), "json"),
    "multipart": _typed(MULTIPART, lambda text: _multipart(_field(text)), "form"),
    "multipart, behind a file": _typed(
        MULTIPART, lambda text: _multipart(_FILE, _field(text)), "form"
    ),
    "multipart, behind 300 kB of a file": _typed(
        MULTIPART, lambda text: _multipart(_LARGE_FILE, _field(text)), "form"
    ),
    "multipart, an empty file name": _typed(
        MULTIPART, lambda text: _multipart(_field(text, '; filename=""')), "form"
    ),
    "multipart, filename*": _typed(
        MULTIPART, lambda text: _multipart(_field(text, "; filename*=utf-8''a.gif")), "form"
    ),
    "multipart, a quoted decoy": _typed(
        MULTIPART, lambda text: _multipart(_field(text, '; x="; filename=a.gif"')), "form"
    ),
    "multipart, two dispositions": _typed(
        MULTIPART,
        lambda text: _multipart(
            _part(_named('; filename="a.gif"') + "\r\n" + _named(), text.encode())
        ),
        "form",
    ),
    "multipart, LF": _typed(
        MULTIPART, lambda text: _multipart(_field(text)).replace(b"\r\n", b"\n"), "form"
    ),
    "multipart, a preamble": _typed(
        MULTIPART, lambda text: b"tea\r\n" + _multipart(_field(text)), "form"
    ),
    "multipart, past its end": _typed(
        MULTIPART, lambda text: _multipart(_FILE) + _multipart(_field(text)), "form"
    ),
    "multipart, cut in a line": _typed(
        MULTIPART,
        lambda text: _multipart(
            _part(_named('; filename="a"', "file"), b"tea" + _field(text).removesuffix(b"\r\n"))
        ),
        "form",
    ),
    "multipart, a quoted boundary": _typed(
        'multipart/form-data; boundary="frontier"', lambda text: _multipart(_field(text)), "form"
    ),
    "multipart, two boundaries": _typed(
        "multipart/form-data; boundary=x; boundary=frontier",
        lambda text: _multipart(_field(text)),
        "form",
    ),
    "multipart, base64": _typed(
        MULTIPART,
        lambda text: _multipart(
            _part(
                _named() + "\r\nContent-Transfer-Encoding: base64",
                base64.encodebytes(text.encode("utf-8", "surrogatepass")),
            )
        ),
        "form",
    ),
    "multipart, a part's charset": _typed(
        MULTIPART,
        lambda text: _multipart(
            _part(_named() + "\r\nContent-Type: text/plain; charset=utf-16", text.encode("utf-16"))
        ),
        "form",
    ),
    "XML text": _typed("application/xml", _xml, "xml"),
    "XML attribute": _typed(
        "text/xml", lambda text: f"<o><i\tb={quoteattr(text)}/></o>".encode(), "xml"
    ),
    "XML, in CDATA": _typed("application/soap+xml", _cdata, "xml"),
    "XML, cut by a comment": _typed("text/xml", lambda text: _cut(text, "<!-- -->"), "xml"),
    "XML, cut by an instruction": _typed("text/xml", lambda text: _cut(text, "<?a b?>"), "xml"),
    "XML, cut by CDATA": _typed("text/xml", lambda text: _cut(text, "<![CDATA[]]>"), "xml"),
    "XML, UTF-16": _typed(
        "text/xml",
        lambda text: f"<o>{escape(text)}</o>".encode("utf-16"),
        "xml",
    ),
    "query, in EBCDIC": lambda text: Sent(
        "head",
        query=f"q={text}".encode("cp037").decode("latin-1"),
        headers={"CONTENT_TYPE": "text/plain; charset=cp037"},
    ),
    "query, JSON in JSON": lambda text: Sent(
        "head", query="q=" + quote_plus(json.dumps({"a": json.dumps([text])}))
    ),
    "Basic user": lambda text: Sent(
        "head",
        headers={
            "HTTP_AUTHORIZATION": "Basic "
            + base64.b64encode(f"{text}:".encode("utf-8", "surrogatepass")).decode()
        },
    ),
    "path, in base64url JSON": lambda text: Sent("head", path="/items/" + _wrapped({"a": text})),
    "User-Agent": lambda text: Sent(
        "head", headers={"HTTP_USER_AGENT": "Mozilla/5.0 (X11) " + _latin(text)}
    ),
    "form, by GET": _typed(FORM, _form, "form", REQUEST_METHOD="GET"),
    "form, by PUT": _typed(FORM, _form, "form", REQUEST_METHOD="PUT"),
    "form, in JSON": _typed(
        FORM, lambda text: b"item=" + quote_plus(json.dumps({"a": [text]})).encode(), "form json"
    ),
    "JSON, by GET": _typed(JSON, lambda text: _json([text]), "json", REQUEST_METHOD="GET"),
    "JSON, deep": _typed(JSON, lambda text: _json([[[[{"a": {"b": [text]}}]]]]), "json"),
    "JSON, a list of objects": _typed(
        JSON,
        lambda text: _json([{"id": n, "a": "tea"} for n in range(90)] + [{"id": 90, "a": text}]),
        "json",
    ),
    "JSON, behind 5 MB": _typed(
        JSON, lambda text: _json({"a": "tea " * 1_250_000, "b": text}), "json"
    ),
    "JSON, a line each": _typed(
        "application/x-ndjson", lambda text: b'{"a": 1}\n' + _json({"a": text}), "json lines"
    ),
    "multipart, of another charset": _typed(
        MULTIPART + "; charset=cp037",
        lambda text: _multipart(_part(_named(), text.encode("cp037"))),
        "form",
    ),
    "multipart, behind 900 parts": _typed(
        MULTIPART,
        lambda text: _multipart(_part(_named(), b"tea") * 900, _field(text)),
        "form",
    ),
    "multipart, CR": _typed(
        MULTIPART, lambda text: _multipart(_field(text)).replace(b"\r\n", b"\r"), "form"
    ),
    "XML, characters by number": _typed(
        "text/xml",
        lambda text: f"<o>{''.join(f'&#{ord(char)};' for char in text)}</o>".encode(),
        "xml",
    ),
    "XML, behind 300 kB": _typed(
        "text/xml",
        lambda text: b"<o>" + b"<i>tea</i>" * (FILLER_BYTES // 10) + _xml(text) + b"</o>",
        "xml",
    ),
    "XML, as text, cut by a comment": _typed(
        "text/plain", lambda text: _cut(text, "<!-- -->"), "xml"
    ),
    "text": _typed("text/plain", lambda text: text.encode("utf-8", "surrogatepass"), "text"),
    "text, controls in front": _typed(
        "text/plain", lambda text: b"\x01" * 90 + text.encode("utf-8", "surrogatepass"), "text"
    ),
}  # fmt: skip


EXCEPTIONS = {
    "Basic password": "a password may be any characters",
    "User-Agent": "programs name themselves and their libraries in it",
    "GraphQL, a decoy": "behind other text a path or an address is no whole value",
}
"""Places in which a payload needs more evidence, and why. docs/detection.md names them."""


def _strings(node: Any) -> Iterator[str]:
    """Yield all strings of a parsed document."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for child in node:
            yield from _strings(child)
    elif isinstance(node, dict):
        for key, child in node.items():
            yield key
            yield from _strings(child)


def _unwrapped(text: str) -> Iterator[str]:
    """A value, and the strings in it, as apps that look for a document in it find them."""
    yield text
    pieces = [text, *text.partition(" ")[2].split("."), *text.split(".")]
    for piece in pieces:
        if len(piece) > 8:
            with suppress(ValueError, RecursionError):
                yield from _strings(json.loads(piece))
            with suppress(ValueError, RecursionError):
                data = base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
                yield from _strings(json.loads(data))
    if text.startswith("http"):
        from urllib.parse import parse_qsl, urlsplit

        with suppress(ValueError):
            yield from (value for _, value in parse_qsl(urlsplit(text).query))
    if text.lower().startswith("basic "):
        with suppress(ValueError):
            pair = base64.b64decode(text[6:]).decode("utf-8", "replace")
            yield from (pair.partition(":")[2], pair.partition(":")[0])


def _segments(path: str) -> Iterator[str]:
    yield path
    for segment in path.split("/"):
        yield from _unwrapped(segment)


def _document(reads: str, body: bytes) -> Iterator[str]:
    if reads == "json lines":
        for line in body.splitlines():
            yield from _strings(json.loads(line))
    elif reads == "json":
        for said in _strings(json.loads(body)):
            yield said
            with suppress(ValueError, RecursionError):
                yield from _strings(json.loads(said))
            if "(b: " in said:
                with suppress(ValueError):
                    yield json.loads(said[said.index("(b: ") + 4 : said.rindex(") { c")])
    elif reads == "xml":
        for element in ElementTree.fromstring(body).iter():
            yield element.text or ""
            yield from element.attrib.values()
    elif reads == "text":
        yield body.decode("utf-8", "surrogatepass")


def in_flask(environ: Environ, reads: str) -> Iterator[str]:
    from werkzeug.wrappers import Request

    request = Request(environ)
    with request:
        yield from _in_flask(request, reads)


def _in_flask(request: Any, reads: str) -> Iterator[str]:
    if reads == "head":
        yield from _segments(request.path)
        for pairs in (request.args, request.cookies):
            for name, value in pairs.items(multi=True):
                yield name
                yield from _unwrapped(value)
        for _, value in request.headers:
            yield from _unwrapped(value.encode("latin-1", "replace").decode("utf-8", "replace"))
    elif reads.startswith("form"):
        for name, value in request.form.items(multi=True):
            yield name
            yield from _unwrapped(value)
    else:
        yield from _document(reads, request.get_data())


def in_django(environ: Environ, reads: str) -> Iterator[str]:
    from django.conf import settings

    if not settings.configured:
        settings.configure(DEFAULT_CHARSET="utf-8", ALLOWED_HOSTS=["*"])
    from django.core.handlers.wsgi import WSGIRequest

    request = WSGIRequest(environ)
    if reads == "head":
        yield from _segments(request.path_info)
        for values in (
            request.GET.lists(),
            ((name, [one]) for name, one in request.COOKIES.items()),
        ):
            for name, several in values:
                yield name
                for value in several:
                    yield from _unwrapped(value)
        for value in request.headers.values():
            yield from _unwrapped(value.encode("latin-1", "replace").decode("utf-8", "replace"))
    elif reads.startswith("form"):
        for name, several in request.POST.lists():
            yield name
            for value in several:
                yield from _unwrapped(value)
        request.close()
    else:
        yield from _document(reads, request.body)


def in_bottle(environ: Environ, reads: str) -> Iterator[str]:
    from bottle import BaseRequest

    request = BaseRequest(environ)
    if reads == "head":
        yield from _segments(request.path.encode("latin-1", "replace").decode("utf-8", "replace"))
        for pairs in (request.query.decode().allitems(), request.cookies.decode().allitems()):
            for name, value in pairs:
                yield name
                yield from _unwrapped(value)
        for value in request.headers.values():
            yield from _unwrapped(value.encode("latin-1", "replace").decode("utf-8", "replace"))
    elif reads.startswith("form"):
        for name, value in request.forms.decode().allitems():
            yield name
            yield from _unwrapped(value)
    else:
        yield from _document(reads, request.body.read())


FRAMEWORKS = {"flask": in_flask, "django": in_django, "bottle": in_bottle}


def receives(framework: str, sent: Sent, payload: str) -> bool:
    """Whether the framework's reading has the payload in it."""
    read: list[str] = []
    with suppress(Exception):  # an app may use what was read before the fault
        for said in FRAMEWORKS[framework](sent.environ(), sent.reads):
            read.append(said)
    wanted = payload.replace("]]>", "")
    return any(payload in said or wanted in said for said in read)
