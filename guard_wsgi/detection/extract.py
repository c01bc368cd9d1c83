"""Take a request apart into the values an application would see."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

from guard_wsgi.detection import large
from guard_wsgi.detection.charset import charsets_in, decoded
from guard_wsgi.detection.files import MIN_RUN_IN_FIELD, content_values, is_binary, readable
from guard_wsgi.detection.large import (
    LARGE_FORM_BYTES,
    LARGE_JSON_BYTES,
    LARGE_XML_BYTES,
    PiecePass,
)
from guard_wsgi.detection.media import BodyKind
from guard_wsgi.detection.multipart import multipart_values, present
from guard_wsgi.detection.percent import PERCENT, unquote
from guard_wsgi.detection.structure import (
    MANY_GUESSES,
    is_json,
    json_document,
    unfold,
    whole_json,
    xml_values,
)
from guard_wsgi.detection.value import NAME_EVIDENCE, STORED, Budget, BudgetSpent, Value, to_text
from guard_wsgi.detection.xmlbody import declarations, entities

# Methods of clients that keep files here and look after them (RFC 9110, RFC 4918, RFC 4791).
# Who looks for a file that should not be public reads it, by GET.
_WRITERS: Final = frozenset(
    {
        *("PUT", "DELETE", "PROPFIND", "PROPPATCH", "MKCOL", "MKCALENDAR", "COPY", "MOVE"),
        *("LOCK", "UNLOCK", "REPORT"),
    }
)

# Headers whose grammar leaves no room for a payload when they match it (RFC 9110, RFC 8941,
# Fetch metadata, client hints). A value that does not match is looked at like any other.
TYPED_HEADERS: Final = frozenset(
    {
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_CHARSET",
        "HTTP_ACCEPT_ENCODING",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_CACHE_CONTROL",
        "HTTP_CONNECTION",
        "HTTP_DNT",
        "HTTP_HOST",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_KEEP_ALIVE",
        "HTTP_PRAGMA",
        "HTTP_PRIORITY",
        "HTTP_TE",
        "HTTP_UPGRADE_INSECURE_REQUESTS",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_REQUESTED_WITH",
    }
)
TYPED_PREFIX: Final = "HTTP_SEC_"
# Elements with parameters, as all of them have; words apart only within quotes and dates. No
# element is empty, so that a blank belongs to one place only and matching stays linear.
_ITEM = (
    r"(?:\"[\w\s./;:()&+?-]{0,64}\"|[\w./*+?:\[\]~=-]+)"
    r"(?:\s*;\s*[\w.+*-]+(?:\s*=\s*(?:\"[\w\s./;:()+-]{0,64}\"|[\w./*+-]+))?)*"
)
_DATE = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*, [\w :-]{18,32}"
_TYPED_GRAMMAR = re.compile(rf"\s*(?:{_DATE}|{_ITEM}(?:\s*,\s*{_ITEM})*)?\s*")
# Entity tags (RFC 9110, 8.8.3), also without their quotes, as some clients send them.
_TAGS = re.compile(
    r"\s*(?:\*|(?:W/)?\"[\w.:/+=~*-]*\"(?:\s*,\s*(?:W/)?\"[\w.:/+=~*-]*\")*|[\w.:/+=~*-]*)\s*"
)
_TAG_HEADERS: Final = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_IF_RANGE"})
# RFC 9110, 11.4: a scheme with one token (token68), or with parameters.
_CREDENTIALS = re.compile(r"\s*([\w!#$&^.+-]{1,40})\s+([\w.~+/=-]+)\s*", re.ASCII)
_PARAMETER = re.compile(
    r"\s*+([\w-]{1,40})\s*+=\s*+(?:\"((?:[^\"\\]|\\.)*+)\"|([^\s,\"]*+))\s*+(?:,|$)"
)
# RFC 4918, 10.4.2: lists of lock tokens and entity tags, each for a resource.
_CONDITIONS = re.compile(
    r"\s*(?:(?:<([\w:/.@+~%?&=;,()-]*)>|\(|\)|Not\b|\[\s*(?:W/)?\"[\w.:/+=~*-]*\"\s*\])\s*)+",
    re.ASCII,
)
_RESOURCE = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]*):([\w:/.@+~%?&=;,()-]*)>")
_ADDRESS = re.compile(r"https?://([\w.:\[\]-]+)(/[^\s?#]*)?", re.IGNORECASE)
_OWN = re.compile(r"/(?!/)[^\s?#]*")
# A longer name says no more in a finding, and is matched against by patterns of our own.
MAX_NAME_CHARS: Final = 100
MAX_TAILS: Final = 6
"""Segments of a route, behind each of which what follows is a value; routes have fewer."""
_SIMPLE_NAME = re.compile(r"[\w.:\[\]-]*")


def head_values(environ: dict[str, Any], budget: Budget) -> Iterator[Value]:
    """Path, query, cookies and headers, in that order."""
    kind = STORED if environ.get("REQUEST_METHOD") in _WRITERS else "path"
    yield from path_values(str(environ.get("PATH_INFO", "")), budget, kind)
    query = str(environ.get("QUERY_STRING", ""))
    if query:
        data = query.encode("latin-1", "replace")
        yield from form_values(data, "query", budget)
        # Django reads the query in the charset of the body.
        for name in charsets_in(str(environ.get("CONTENT_TYPE", ""))):
            read = decoded(data, name)
            if read is not None:
                yield from form_values(read.encode("utf-8", "replace"), "query", budget)
    hosts = tuple(
        str(environ[key]).lower()
        for key in ("HTTP_HOST", "HTTP_X_FORWARDED_HOST")
        if key in environ
    )
    for key, value in environ.items():
        if key == "HTTP_COOKIE":
            yield from cookie_values(value, budget)
        elif key.startswith("HTTP_") or key == "CONTENT_TYPE":
            yield from header_values(key, value, budget, hosts)


def path_values(path: str, budget: Budget, kind: str = "path") -> Iterator[Value]:
    """The whole path, what follows its first segments, and its last one: a payload in a path stands
    behind the route's own part."""
    text, flags = to_text(path.encode("latin-1", "replace"))
    yield Value("path", "", text, kind, flags)
    start = 0
    for _ in range(MAX_TAILS):
        start = text.find("/", start + 1)
        if start < 0 or start + 1 >= len(text):
            break
        yield Value("path", "", text[start + 1 :], kind, flags)
    last = text[text.rstrip("/").rfind("/") + 1 :]
    yield from unfold(Value("path", "", last, kind, flags), budget)


def form_values(data: bytes, location: str, budget: Budget) -> Iterator[Value]:
    """Every pair of an urlencoded string, repeats and empty names included."""
    for pair in data.split(b"&"):
        if not pair:
            continue
        budget.take_value()
        name, _, value = pair.partition(b"=")
        name_text, name_flags = _form_text(name)
        yield from _name(location, name_text, name_flags)
        name_text = name_text[:MAX_NAME_CHARS]
        if value:
            text, flags = _form_text(value)
            yield from unfold(Value(location, name_text, text, "", flags), budget)


def _form_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    return to_text(form_bytes(data))


def form_bytes(data: bytes) -> bytes:
    """A name or a value of an urlencoded string, decoded."""
    data = data.replace(b"+", b" ")
    return unquote(data) if PERCENT in data else data


def _name(location: str, name: str, flags: tuple[str, ...] = ()) -> Iterator[Value]:
    """A name is a value of its own, unless it looks like every other name."""
    if name and (flags or not _SIMPLE_NAME.fullmatch(name) or NAME_EVIDENCE.search(name)):
        yield Value(location, name[:MAX_NAME_CHARS], name, "name", flags)


# Of cookies as RFC 2965 had them, sent by old programs.
_ATTRIBUTES = re.compile(
    r"\$(?:Version|Path|Domain|Port)(?:=(?:\"[\w./:-]*\"|[\w./:-]*))?\s*(?:[;,]\s*|$)",
    re.IGNORECASE,
)


def cookie_values(header: str, budget: Budget) -> Iterator[Value]:
    """Cookie pairs; values percent-decoded as the common libraries do, JSON ones walked."""
    if header.lstrip().startswith("$"):
        yield Value("cookie", "", _ATTRIBUTES.sub("", header), "header")
    for pair in header.split(";"):
        pair = pair.strip()
        if not pair:
            continue
        budget.take_value()
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", pair
        name_text, name_flags = to_text(name.encode("latin-1", "replace"))
        yield from _name("cookie", name_text, name_flags)
        name_text = name_text[:MAX_NAME_CHARS]
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        data = value.encode("latin-1", "replace")
        text, flags = to_text(unquote(data) if PERCENT in data else data)
        yield from unfold(Value("cookie", name_text, text, "", flags), budget)


def header_values(
    key: str, value: str, budget: Budget, hosts: tuple[str, ...] = ()
) -> Iterator[Value]:
    """A header, unless its grammar clears it. Referer is a URL and taken apart like one.

    :param hosts: names of this server, by which WebDAV's headers address it.
    """
    budget.take_value()
    if key in TYPED_HEADERS or key.startswith(TYPED_PREFIX):
        if len(value) < 512 and ".." not in value and _TYPED_GRAMMAR.fullmatch(value):
            return
    elif key in _TAG_HEADERS and _TAGS.fullmatch(value):
        return
    name = key.removeprefix("HTTP_").replace("_", "-").lower()
    text, flags = to_text(value.encode("latin-1", "replace"))
    if key == "HTTP_USER_AGENT":
        yield Value("header", name, text, "agent", flags)
    elif key == "HTTP_REFERER":
        yield from unfold(Value("header", name, text, "header", flags), budget)
    elif key in ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION"):
        yield from _credentials(name, text, flags, budget)
    elif key == "HTTP_DESTINATION" and (path := _own_path(text, hosts)) is not None:
        yield Value("header", name, path, STORED, flags)
    elif key == "HTTP_IF" and len(text) < MAX_CONDITION_CHARS and _CONDITIONS.fullmatch(text):
        for scheme, rest in _RESOURCE.findall(text):
            path = _own_path(f"{scheme}:{rest}", hosts)
            if path is not None or "%" in rest:
                yield Value("header", name, path or rest, STORED, flags)
    else:
        kind = "filename" if "filename" in name or "file-name" in name else "header"
        yield from unfold(Value("header", name, text, kind, flags), budget)


MAX_CONDITION_CHARS: Final = 4096
"""Of an If header: a lock token has 45 characters, and a request has a few."""


def _own_path(address: str, hosts: tuple[str, ...]) -> str | None:
    """The path of an address of this very server, with its host or without (RFC 4918, 8.3)."""
    path = address
    if not _OWN.fullmatch(address):
        match = _ADDRESS.fullmatch(address)
        if match is None or match[1].lower() not in hosts:
            return None
        path = match[2] or "/"
    return to_text(unquote(path.encode("utf-8", "surrogatepass")))[0]


def _credentials(name: str, text: str, flags: tuple[str, ...], budget: Budget) -> Iterator[Value]:
    """Authorization: user and password of Basic, the claims of a token, the parameters of Digest
    and of signatures. A token that is none of these says nothing."""
    match = _CREDENTIALS.fullmatch(text)
    if match is not None:
        scheme, token = match[1].lower(), match[2]
        if scheme == "basic":
            user, _, password = _basic(token).partition(":")
            yield from unfold(Value("header", name, user, "", flags), budget)
            yield from unfold(Value("header", f"{name}>password", password, "", flags), budget)
        else:
            yield from unfold(Value("header", name, token, "header", flags), budget)
        return
    scheme, _, rest = text.strip().partition(" ")
    place, found = 0, []
    while place < len(rest):
        pair = _PARAMETER.match(rest, place)
        if pair is None:
            yield from unfold(Value("header", name, text, "header", flags), budget)
            return
        found.append((pair[1], pair[2] if pair[2] is not None else pair[3]))
        place = pair.end()
    for key, said in found:
        budget.take_value()
        yield from unfold(Value("header", f"{name}>{key}", said, "header", flags), budget)
    if not found:
        yield from unfold(Value("header", name, text, "header", flags), budget)


def _basic(token: str) -> str:
    """User and password (RFC 7617); what is no base64 as it stands."""
    try:
        return to_text(
            base64.b64decode(token + "=" * (-len(token) % 4), b"-_" if "_" in token else None)
        )[0]
    except ValueError:
        return token


def body_values(
    body: bytes,
    kind: BodyKind,
    complete: bool,
    max_depth: int,
    budget: Budget,
    contents: bool = False,
    first_pass: PiecePass | None = None,
) -> Iterator[Value]:
    """The values of a body by its kind, and by what else it parses as.

    :param contents: whether contents of files are weighed.
    :param first_pass: over a piece of such a body, and over one value. Of a large one only the
        pieces that it does not clear are read; without it all values are.
    """
    if kind.is_multipart:
        found = present(body, kind.content_type)
        if found:
            charsets = charsets_in(kind.parameters)
            yield from multipart_values(body, found, complete, budget, contents, charsets)
            return
        kind = _UNKNOWN
    if kind.is_file:
        yield from _file_values(body, complete, max_depth, budget, contents, first_pass)
        return
    start = body[:64].lstrip()[:1]
    if kind.is_json or start in (b"{", b"["):
        # Operations of GraphQL in one list are counted together.
        is_batch = start == b"[" and body.count(b'"query"') >= MANY_GUESSES
        if first_pass is not None and len(body) > LARGE_JSON_BYTES and not is_batch:
            if kind.is_json or is_json(body):
                pieces = large.json_values(body, "json", *first_pass, max_depth, budget.values)
                yield from _unfolded(pieces, budget)
                if not kind.is_form:
                    return
        else:
            document = json_document(body, complete) if kind.is_json else whole_json(body)
            if document is not None:
                yield from document.values("json", max_depth, budget)
                if not kind.is_form:
                    return
    if kind.is_form:
        if first_pass is None or len(body) <= LARGE_FORM_BYTES:
            yield from form_values(body, "form", budget)
        else:
            for piece in large.form_pieces(body, first_pass[0]):
                yield from form_values(piece, "form", budget)
        if b"=" not in body[:4096]:
            text, flags = _form_text(body)
            if is_binary(body):
                text, flags = readable(body, MIN_RUN_IN_FIELD), ()
            yield from unfold(Value("body", "", text, "", flags), budget)
        if not kind.is_text:
            return
    text, flags = to_text(body)
    if kind.is_xml or (start == b"<" and b"<?xml" in body[:200].lower()):
        yield from _xml_values(body, budget, first_pass)
        return
    if kind.is_text and start == b"<" and _CUT.search(body):
        # Marks in the text cut it, and a parser of XML puts it together.
        yield from _xml_values(body, budget, first_pass)
    if kind.media == "application/graphql":
        yield from unfold(Value("graphql", "", text, "", flags), budget)
        return
    if is_binary(body):
        # Controls between what is readable hide nothing from an app that reads it as text.
        text, flags = readable(body, MIN_RUN_IN_FIELD), ()
    if not kind.is_form and _FORM_BEGINNING.match(body):
        yield from form_values(body, "form", budget)
    yield from unfold(Value("body", "", text, "", flags), budget)


_UNKNOWN: Final = BodyKind("", "", is_form=True, is_text=True)
_CUT: Final = re.compile(rb"<!--|<\?|<!\[CDATA\[")
_FORM_BEGINNING: Final = re.compile(rb"[\w.%+\[\]-]{1,64}=")
_JSON_BEGINNING: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*[{\[\"]")
_XML_BEGINNING: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*<")
_BLANKS: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*")
# A pair as Bottle cuts it, up to the end of the line: fields that people fill in have no more.
_PAIR: Final = re.compile(rb"(?:\A\s*|&)([\w.%\[\]-]{1,64})=([^&\r\n]+)")
_FORM: Final = re.compile(rb"\s*[\w%-]{1,32}=")
MAX_FORM_BYTES: Final = 102_400
"""What Bottle reads as a form whatever its type says (``MEMFILE_MAX``)."""


def is_document(body: bytes) -> bool:
    """Whether a body of a file's type may be read as something else."""
    return (
        _JSON_BEGINNING.match(body) is not None
        or _XML_BEGINNING.match(body) is not None
        or _BLANKS.fullmatch(body) is not None  # whatever comes behind them
        or (len(body) <= MAX_FORM_BYTES and _FORM.match(body) is not None)
    )


def _unfolded(values: Iterator[Value], budget: Budget) -> Iterator[Value]:
    for value in values:
        budget.take_value()
        yield from unfold(value, budget)


def _xml_values(body: bytes, budget: Budget, first_pass: PiecePass | None) -> Iterator[Value]:
    if first_pass is None or len(body) <= LARGE_XML_BYTES:
        yield from xml_values(body, budget)
        return
    yield from declarations(to_text(body)[0])
    yield from _unfolded(large.xml_values(body, first_pass[0]), budget)


def _file_values(
    body: bytes,
    complete: bool,
    max_depth: int,
    budget: Budget,
    contents: bool,
    first_pass: PiecePass | None,
) -> Iterator[Value]:
    """A body of a file's type. Views read JSON from any body, and Bottle fields: if it parses as
    one it is weighed as one. What does not is a file, of which only the entities are looked at
    that a parser of XML would be made to read."""
    if complete:
        if _JSON_BEGINNING.match(body):
            if first_pass is not None and len(body) > LARGE_JSON_BYTES:
                if is_json(body):
                    pieces = large.json_values(body, "json", *first_pass, max_depth, budget.values)
                    yield from _unfolded(pieces, budget)
                    return
            else:
                document = whole_json(body)
                if document is not None:
                    yield from document.values("json", max_depth, budget)
                    return
        elif _XML_BEGINNING.match(body):
            declared = entities(body)
            if declared:
                yield from declared
                return
        if len(body) <= MAX_FORM_BYTES and _FORM.match(body):
            for name, value in _PAIR.findall(body):
                budget.take_value()
                text, flags = _form_text(value)
                named = _form_text(name)[0]
                yield from unfold(Value("form", named, text, "", flags), budget)
    if contents:
        yield from content_values("body", "", body)


__all__ = [
    "Budget",
    "BudgetSpent",
    "Value",
    "body_values",
    "cookie_values",
    "form_values",
    "head_values",
    "header_values",
    "is_document",
    "path_values",
]
