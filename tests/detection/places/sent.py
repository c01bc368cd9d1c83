"""A request with a payload in it, and the pieces that places are made of."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes
from xml.sax.saxutils import escape

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


def latin_of(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def form_of(payload: str) -> bytes:
    return b"lang=en&item=" + quote_plus(payload).encode()


def json_of(value: object, **options: Any) -> bytes:
    return json.dumps(value, **options).encode("utf-8", "surrogatepass")


def part_of(head: str, content: bytes) -> bytes:
    return b"--frontier\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def multipart_of(*parts: bytes, end: bytes = b"--frontier--\r\n") -> bytes:
    return b"".join(parts) + end


def named_of(more: str = "", name: str = "item") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


def field_of(payload: str, more: str = "") -> bytes:
    return part_of(named_of(more), payload.encode("utf-8", "surrogatepass"))


FILE = part_of(named_of('; filename="a.bin"', "file"), b"\x89PNG" + bytes(range(256)) * 40)
LARGE_FILE = part_of(
    named_of('; filename="a.bin"', "file"), bytes(range(256)) * (FILLER_BYTES // 256)
)


def wrapped_of(document: object) -> str:
    return base64.urlsafe_b64encode(json_of(document)).decode().rstrip("=")


def token_of(payload: str) -> str:
    return f"{wrapped_of({'alg': 'HS256'})}.{wrapped_of({'sub': payload})}.c2lnbmF0dXJl"


def typed_of(kind: str, body: Callable[[str], bytes], reads: str, **headers: str) -> Place:
    return lambda payload: Sent(reads, body(payload), kind, headers=headers)


def xml_of(payload: str) -> bytes:
    return f"<order><item>{escape(payload)}</item></order>".encode("utf-8", "surrogatepass")


def cut_of(payload: str, between: str) -> bytes:
    middle = len(payload) // 2
    halves = escape(payload[:middle]), escape(payload[middle:])
    return f"<order><item>{between.join(halves)}</item></order>".encode("utf-8", "surrogatepass")


def cdata_of(payload: str) -> bytes:
    return f"<o><i><![CDATA[{payload.replace(']]>', '')}]]></i></o>".encode(
        "utf-8", "surrogatepass"
    )


CHUNKED: dict[str, Any] = {
    "HTTP_TRANSFER_ENCODING": "chunked",
    "wsgi.input_terminated": True,
    "CONTENT_LENGTH": "",
}
"""What a server says of a body without a length."""


def base64_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def pieces_of(text: str) -> list[str]:
    """Return the base64 of a text in groups of four letters."""
    data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    return [data[at : at + 4] for at in range(0, len(data), 4)]


def quoted_of(text: str) -> str:
    """Return a text as it stands between quotes in a header."""
    return latin_of(text).replace("\\", "\\\\").replace('"', '\\"')


def utf7_of(text: str) -> bytes:
    """Return a text in UTF-7 with no letter of it left."""
    return b"+%s-" % base64.b64encode(text.encode("utf-16-be", "surrogatepass")).rstrip(b"=")


def ebcdic_of(text: str) -> bytes:
    """Return a field of a form, with escapes, all in EBCDIC."""
    return ("item=" + quote_plus(text.encode("cp037"))).encode("cp037")


def charset_of(name: str) -> dict[str, str]:
    return {"CONTENT_TYPE": f"text/plain; charset={name}"}


Place = Callable[[str], Sent]
"""Makes the request that contains a payload."""
