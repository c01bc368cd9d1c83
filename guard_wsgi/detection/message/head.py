"""The values of a request's head: path, query, cookies and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve

from guard_wsgi.detection.decoding.backslashes import without_backslashes
from guard_wsgi.detection.decoding.charset import charsets_in, form_in
from guard_wsgi.detection.decoding.percent import PERCENT, unquote
from guard_wsgi.detection.formats.structure import unfold
from guard_wsgi.detection.message.form import MAX_NAME_CHARS, form_values, name_values
from guard_wsgi.detection.message.headers import as_of_public_site, header_values
from guard_wsgi.detection.message.linked_sessions import fixed_sessions
from guard_wsgi.detection.relaxations.shown_files import is_shown
from guard_wsgi.detection.value import KEPT, STORED, Budget, Value, to_text

# Methods of clients that manage files here (RFC 9110, RFC 4918, RFC 4791).
_WRITERS: Final = frozenset(
    {
        *("PUT", "DELETE", "PROPFIND", "PROPPATCH", "MKCOL", "MKCALENDAR", "COPY", "MOVE"),
        *("LOCK", "UNLOCK", "REPORT"),
    }
)
_OTHER_FOLDER = re.compile(r"//|[\\:%\x00]|(?:^|/)\.\.?(?:/|$)")
"""Parts that may lead to another folder if a server joins or decodes the path."""
MAX_TAILS: Final = 6
"""How many tails of a path to weigh, one after each segment; routes have fewer segments."""
MAX_TAIL_CHARS: Final = 600
"""How much of a tail to weigh: only its beginning differs from the whole path."""


def head_values(
    environ: dict[str, Any], budget: Budget, is_stored: bool = False
) -> Iterator[Value]:
    """Yield the values of path, query, cookies and headers, in that order.

    :param is_stored: whether the path is that of a file that the app stores for its clients.
    """
    path = str(environ.get("PATH_INFO", ""))
    is_content = is_stored or environ.get("REQUEST_METHOD") in _WRITERS or is_shown(path)
    is_kept = is_stored and not _OTHER_FOLDER.search(path)
    kind = KEPT if is_kept else STORED if is_content else "path"
    yield from path_values(path, budget, kind)
    hosts = tuple(
        str(environ[key]).lower()
        for key in ("HTTP_HOST", "HTTP_X_FORWARDED_HOST")
        if key in environ
    )
    query = str(environ.get("QUERY_STRING", ""))
    if query:
        data = query.encode("latin-1", "replace")
        yield from _with_own_pages(form_values(data, "query", budget), hosts)
        # Django reads the query in the charset of the body.
        for name in charsets_in(str(environ.get("CONTENT_TYPE", ""))):
            read = form_in(data, name, budget.take_chars)
            if read is not None:
                yield from _with_own_pages(form_values(read, "query", budget), hosts)
        yield from fixed_sessions(environ)
    for key, value in environ.items():
        if key == "HTTP_COOKIE":
            yield from cookie_values(value, budget)
        elif key.startswith("HTTP_") or key == "CONTENT_TYPE":
            yield from header_values(key, value, budget, hosts)


# Where a visitor goes next, by the names of Django, Flask-Login, Rails, ASP.NET and SAML. A browser
# opens such an address, and no server fetches it.
_NEXT_NAME: Final = re.compile(
    r"next|redirect(?:_?(?:to|url|uri))?|return_?(?:to|url)?|continue|goto|relaystate",
    re.IGNORECASE,
)


def _with_own_pages(values: Iterator[Value], hosts: tuple[str, ...]) -> Iterator[Value]:
    """Yield values. In a field that says where a visitor goes next, an address of this server gets
    a public name."""
    for value in values:
        if value.text[:4].lower() == "http" and _NEXT_NAME.fullmatch(value.name):
            value = evolve(value, text=as_of_public_site(value.text, hosts))
        yield value


def path_values(path: str, budget: Budget, kind: str = "path") -> Iterator[Value]:
    """Yield the whole path, the part after its first segments, and its last segment: a payload in a
    path follows the route's own part."""
    text, flags = to_text(path.encode("latin-1", "replace"))
    yield Value("path", "", text, kind, flags)
    start = 0
    for _ in range(MAX_TAILS):
        start = text.find("/", start + 1)
        if start < 0 or start + 1 >= len(text):
            break
        yield Value("path", "", text[start + 1 :][:MAX_TAIL_CHARS], kind, flags)
    last = text[text.rstrip("/").rfind("/") + 1 :]
    yield from unfold(Value("path", "", last, kind, flags), budget)
    segments = text.split("/")[1:]
    if segments and last == segments[-1]:
        segments.pop()
    # A route reads each segment as one value.
    for segment in [*segments[:MAX_SEGMENTS], *segments[MAX_SEGMENTS:][-MAX_SEGMENTS:]]:
        if len(segment) > 1:
            yield from unfold(Value("path", "", segment, kind, flags), budget)


MAX_SEGMENTS: Final = 8
"""How many of the first segments of a path, and of the last, to weigh as values."""


# Cookies of RFC 2965, which old programs send.
_ATTRIBUTES = re.compile(
    r"\$(?:Version|Path|Domain|Port)(?:=(?:\"[\w./:-]*\"|[\w./:-]*))?\s*(?:[;,]\s*|$)",
    re.IGNORECASE,
)


# Another cookie between the quotes of one: a server that reads quotes as RFC 2965 does takes all of
# it as one value, and a page that shows this value shows the other cookie (PortSwigger: stealing
# HttpOnly cookies with the cookie sandwich technique).
_SANDWICH = re.compile(r"=\s{0,8}\\?\"[^\"=;]{0,200};\s{0,8}[\w.-]{1,64}=")

_QUOTED = re.compile(r"(?<![^\s;=\"])([^\s;=\"]*)=\s{0,8}\"([^\\\"]*(?:\\.[^\\\"]*)*)\"", re.DOTALL)


def cookie_values(header: str, budget: Budget) -> Iterator[Value]:
    """Yield the cookies' values, percent-decoded like the common libraries do, and the values in
    JSON."""
    if header.lstrip().startswith("$"):
        flags = ("protocol.cookies_in_quotes",) if _SANDWICH.search(header) else ()
        yield Value("cookie", "", _ATTRIBUTES.sub("", header), "header", flags)
    for pair in header.split(";"):
        pair = pair.strip()
        if not pair:
            continue
        budget.take_value()
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", pair
        name_text, name_flags = to_text(name.encode("latin-1", "replace"))
        yield from name_values("cookie", name_text, name_flags)
        name_text = name_text[:MAX_NAME_CHARS]
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        yield from _unfolded_cookie(name_text, value.encode("latin-1", "replace"), budget)
    if '"' in header:
        # The end of a pair may be quoted as well.
        for match in _QUOTED.finditer(header):
            if "\\" not in match[2] and ";" not in match[2]:
                continue
            budget.take_value()
            quoted = without_backslashes(match[2].encode("latin-1", "replace"))
            yield from _unfolded_cookie(match[1][:MAX_NAME_CHARS], quoted, budget)


def _unfolded_cookie(name: str, data: bytes, budget: Budget) -> Iterator[Value]:
    text, flags = to_text(unquote(data) if PERCENT in data else data)
    yield from unfold(Value("cookie", name, text, "", flags), budget)
