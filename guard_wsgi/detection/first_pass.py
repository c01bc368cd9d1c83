"""What the first pass reads: a head or a body as bytes, decoded once and cheaply."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any

from guard_wsgi.detection.gate import JOINER, JOINER_BYTES
from guard_wsgi.detection.percent import unquote


def head_bytes(environ: dict[str, Any]) -> bytes:
    """What the first pass reads of a head: path, query and every header, decoded once, and
    twice more where that leaves something to decode."""
    text = JOINER.join(("", *_head_texts(tuple(environ))(environ)))
    if "%" not in text:
        return text.replace("+", " ").encode("latin-1", "replace")
    data = unquote(text.encode("latin-1", "replace"))
    if b"%" in data:
        data = data + JOINER_BYTES + _unquote_twice(data)
    # A plus is a blank in a query, and stands for one where a client escaped it once more.
    return data.replace(b"+", b" ")


@lru_cache(maxsize=256)
def _head_texts(keys: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[str, ...]]:
    """Takes the texts of a head out of an environ with these keys. Clients of a kind send the
    same headers, and looking through all keys each time costs as much as the scan."""
    names = [key for key in keys if key.startswith("HTTP_") or key in _HEAD_KEYS]
    if len(names) > 1:
        return itemgetter(*names)
    return lambda environ: tuple(environ[name] for name in names)


def body_bytes(body: bytes, content_type: str) -> bytes:
    """What the first pass reads of a body: a form decoded once, anything else as it came."""
    if b"%" in body:
        if not content_type or "urlencoded" in content_type:
            body = unquote(body)
        if b"%" in body:
            body = body + JOINER_BYTES + _unquote_twice(body)
    if b"+" in body:
        body = body.replace(b"+", b" ")
    return body if "json" in content_type or "multipart" in content_type else b"=" + body


def value_bytes(text: str) -> bytes:
    """A value as the first pass reads it, set off from its neighbours."""
    data = b"=" + text.encode("utf-8", "surrogatepass") + JOINER_BYTES
    if b"%" in data:
        data += b"=" + _unquote_twice(data)
    return data.replace(b"+", b" ")


def _unquote_twice(data: bytes) -> bytes:
    """Decoded, and decoded again where a percent sign was escaped."""
    once = unquote(data)
    return once + JOINER_BYTES + unquote(once) if b"%25" in data else once


_HEAD_KEYS = frozenset({"PATH_INFO", "QUERY_STRING", "CONTENT_TYPE"})
BOM_BEGINNINGS = b"\x00\xfe\xff"


def to_utf8(body: bytes, content_type: str) -> bytes:
    """A body in another charset than UTF-8 as UTF-8: UTF-16 and UTF-32 by their marks or by
    name, UTF-7 by name; what can't be decoded stays as it is.

    :param content_type: in lower case.
    """
    charset = ""
    if body[:4] in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"):
        charset = "utf-32"
    elif body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        charset = "utf-16"
    elif "charset" in content_type:
        named = content_type.partition("charset=")[2].strip(" \"'").partition(";")[0].strip(" \"'")
        if named.startswith(("utf-16", "utf16", "utf-32", "utf32", "utf-7", "utf7", "ibm", "cp")):
            charset = named
    if not charset:
        return body
    try:
        return body.decode(charset).encode("utf-8")
    except (LookupError, UnicodeError):
        return body
