"""What three frameworks read from a request with a payload in it (places).

A payload counts in a place only if the framework itself reads it from there.
benchmarks/differential.py prints the whole matrix; test_differential.py tests a sample of it.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.detection.places import Environ, Sent
from tests.kit.gateway import text_app


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


def _in_base64(text: str) -> Iterator[str]:
    for piece in (*text.split("."), *text.partition(" ")[2].split(".")):
        if len(piece) > 8:
            with suppress(ValueError, RecursionError):
                data = base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
                yield from _strings(json.loads(data))


def _unwrapped(text: str) -> Iterator[str]:
    """A value, and the strings in it, as apps that look for a document in it find them."""
    yield text
    with suppress(ValueError, RecursionError):
        yield from _strings(json.loads(text))
    yield from _in_base64(text)
    if text.startswith("http"):
        with suppress(ValueError):
            yield from (value for _, value in parse_qsl(urlsplit(text).query))


def _said(value: str, reads: str) -> Iterator[str]:
    """A value, and what an app finds in it that expects a certain format there."""
    yield from _unwrapped(value)
    form = reads.partition(" ")[2]
    if form == "form":
        yield from (inner for _, inner in parse_qsl(value))
    elif form == "xml" and "<" in value:
        with suppress(ElementTree.ParseError):
            yield from _xml(value)
    elif form == "unquoted":
        yield from _unwrapped(unquote(value))


def _segments(path: str) -> Iterator[str]:
    yield path
    for segment in path.split("/"):
        yield from _unwrapped(segment)
        yield from segment.split("=")


def _deep(node: Any) -> Iterator[str]:
    for said in _strings(node):
        yield said
        with suppress(ValueError, RecursionError):
            yield from _deep(json.loads(said))


def _documents(text: str) -> Iterator[str]:
    """The strings of JSON documents behind each other."""
    at = 0
    while at < len(text):
        document, at = json.JSONDecoder().raw_decode(text, at)
        yield from _strings(document)


def _json(how: str, body: bytes) -> Iterator[str]:
    if how == "lines":
        for line in body.splitlines():
            yield from _strings(json.loads(line))
    elif how == "sequence":
        for record in body.split(b"\x1e")[1:]:
            yield from _strings(json.loads(record))
    elif how == "all":
        yield from _documents(body.decode())
    elif how == "first":
        yield from _strings(json.JSONDecoder().raw_decode(body.decode())[0])
    elif how == "pairs":
        yield from (value for _, value in json.loads(body, object_pairs_hook=list))
    elif how == "comments":
        yield from _strings(json.loads(re.sub(rb"/\*.*?\*/", b"", body, count=1)))
    else:
        for said in _strings(json.loads(body)):
            yield said
            if how == "base64":
                yield from _in_base64(said)
            elif how == "address":
                yield from _unwrapped(said)
            elif how == "block":
                yield said.partition('"""')[2].rpartition('"""')[0]
            elif "(b: " in said:
                with suppress(ValueError):
                    yield json.loads(said[said.index("(b: ") + 4 : said.rindex(") { c")])
            else:
                with suppress(ValueError, RecursionError):
                    yield from _deep(json.loads(said))


def _xml(document: bytes | str) -> Iterator[str]:
    for element in ElementTree.fromstring(document).iter():
        yield element.text or ""
        yield element.tail or ""
        yield from element.attrib.values()


def _document(reads: str, body: bytes) -> Iterator[str]:
    reads, _, how = reads.partition(" ")
    if reads == "gzip":
        yield from _document(how, zlib.decompress(body, 47))
    elif reads == "json":
        yield from _json(how, body)
    elif reads == "xml":
        yield from _xml(body)
    elif reads == "toml":
        yield from _strings(tomllib.loads(body.decode()))
    elif reads == "text":
        yield body.decode(how or "utf-8", "surrogatepass")
    elif reads == "mail":
        for part in message_from_bytes(body).walk():
            if not part.is_multipart():
                yield str(part.get_payload(decode=True), "utf-8", "replace")
    else:
        raise AssertionError(reads)


def _mail(environ: Environ, body: bytes) -> bytes:
    return f"Content-Type: {environ['CONTENT_TYPE']}\r\n\r\n".encode() + body


def in_flask(environ: Environ, reads: str) -> Iterator[str]:
    from werkzeug.wrappers import Request

    request = Request(environ)
    with request:
        yield from _in_flask(request, reads)


def _in_flask(request: Any, reads: str) -> Iterator[str]:
    kind = reads.partition(" ")[0]
    if kind == "head":
        yield from _segments(request.path)
        for pairs in (request.args, request.cookies):
            for name, value in pairs.items(multi=True):
                yield name
                yield from _said(value, reads)
        for name, value in request.headers:
            if name != "Cookie":
                yield from _unwrapped(value.encode("latin-1", "replace").decode("utf-8", "replace"))
        if request.authorization is not None:
            yield from (value or "" for value in request.authorization.parameters.values())
    elif kind == "form":
        for name, value in request.form.items(multi=True):
            yield name
            yield from _said(value, reads)
    elif kind == "files":
        for name, file in request.files.items(multi=True):
            yield from (name or "", file.filename or "", *(value for _, value in file.headers))
    elif kind == "mail":
        yield from _document(reads, _mail(request.environ, request.get_data()))
    elif kind != "rest":
        yield from _document(reads, request.get_data())


def in_django(environ: Environ, reads: str) -> Iterator[str]:
    from django.conf import settings

    if not settings.configured:
        settings.configure(DEFAULT_CHARSET="utf-8", ALLOWED_HOSTS=["*"])
    from django.core.handlers.wsgi import WSGIRequest

    request = WSGIRequest(environ)
    kind = reads.partition(" ")[0]
    if kind == "head":
        yield from _segments(request.path_info)
        for values in (
            request.GET.lists(),
            ((name, [one]) for name, one in request.COOKIES.items()),
        ):
            for name, several in values:
                yield name
                for value in several:
                    yield from _said(value, reads)
        for name, value in request.headers.items():
            if name != "Cookie":
                yield from _unwrapped(value.encode("latin-1", "replace").decode("utf-8", "replace"))
    elif kind == "form":
        for name, several in request.POST.lists():
            yield name
            for value in several:
                yield from _said(value, reads)
        request.close()
    elif kind == "files":
        for name, several in request.FILES.lists():
            for file in several:
                yield from (name, file.name, file.content_type)
    elif kind == "rest":
        yield from _in_rest_framework(request)
    elif kind == "mail":
        yield from _document(reads, _mail(environ, request.body))
    else:
        yield from _document(reads, request.body)


def _in_rest_framework(request: Any) -> Iterator[str]:
    from rest_framework.parsers import FormParser, JSONParser
    from rest_framework.request import Request

    data = Request(request, parsers=[JSONParser(), FormParser()]).data
    if hasattr(data, "lists"):
        for name, several in data.lists():
            yield name
            yield from several
    else:
        yield from _strings(data)


def _recoded(text: str) -> str:
    """A value of Bottle's, which holds bytes as latin-1 in a form."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def in_bottle(environ: Environ, reads: str) -> Iterator[str]:
    from bottle import BaseRequest

    request = BaseRequest(environ)
    try:
        yield from _in_bottle(request, reads)
    finally:
        # Bottle leaves large bodies and files open.
        with suppress(Exception):
            request.body.close()
            for _, file in request.POST.allitems():
                if not isinstance(file, str):
                    file.file.close()


def _in_bottle(request: Any, reads: str) -> Iterator[str]:
    environ = request.environ
    kind = reads.partition(" ")[0]
    if kind == "head":
        yield from _segments(request.path.encode("latin-1", "replace").decode("utf-8", "replace"))
        for pairs in (request.query.decode().allitems(), request.cookies.decode().allitems()):
            for name, value in pairs:
                yield name
                yield from _said(value, reads)
        for name, value in request.headers.items():
            if name != "Cookie":
                yield from _unwrapped(value.encode("latin-1", "replace").decode("utf-8", "replace"))
        yield from (one or "" for one in request.auth or ())
    elif kind == "form":
        for name, value in request.forms.allitems():
            yield _recoded(name)
            yield from _said(_recoded(value), reads)
    elif kind == "files":
        for name, file in request.files.allitems():
            yield from (name, file.raw_filename, *file.headers.values())
    elif kind == "mail":
        yield from _document(reads, _mail(environ, request.body.read()))
    elif kind != "rest":
        yield from _document(reads, request.body.read())


FRAMEWORKS = {"flask": in_flask, "django": in_django, "bottle": in_bottle}


def receives(framework: str, sent: Sent, payload: str) -> bool:
    """Whether the framework's reading has the payload in it."""
    read: list[str] = []
    with suppress(Exception):  # an app may use what was read before the fault
        for said in FRAMEWORKS[framework](sent.environ(), sent.reads):
            read.append(said or "")
    wanted = payload.replace("]]>", "")
    return any(payload in said or wanted in said for said in read)


def gates() -> dict[str, Callable[[Sent], bool]]:
    """Return what tells whether a guard around an app of a framework refuses a request."""
    from bottle import Bottle

    plain = _gate(text_app("tea"))
    return {"flask": plain, "django": plain, "bottle": _gate(Bottle())}


def _gate(app: Any) -> Callable[[Sent], bool]:
    """Only what the guard has read counts: a fault in the form of a body alone, which it refuses as
    well, refuses nothing here."""
    config = SecurityConfig(
        enable_ip_banning=False, enable_rate_limiting=False, detection_budget_action="flag"
    )
    guard = GuardMiddleware(app, config)

    def refuses(sent: Sent) -> bool:
        statuses: list[str] = []

        def start_response(status: str, headers: object, exc_info: object = None) -> Any:
            statuses.append(status)
            return statuses.append

        answer = guard(sent.environ(), start_response)
        for _ in answer:
            pass
        if hasattr(answer, "close"):
            answer.close()
        return statuses[0][:3] == "400"

    return refuses
