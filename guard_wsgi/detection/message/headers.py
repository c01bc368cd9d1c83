"""The values of request headers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

from guard_wsgi.detection.decoding.percent import unquote
from guard_wsgi.detection.formats.files import EXECUTABLE, runs
from guard_wsgi.detection.formats.structure import unfold
from guard_wsgi.detection.value import STORED, Budget, Value, to_text

# Headers whose grammar leaves no room for a payload (RFC 9110, RFC 8941, Fetch metadata, client
# hints). A value that does not match the grammar is inspected like any other.
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
# Elements with parameters, the form of all of them; separate words only in quotes and dates. No
# element is empty, so a blank matches in one place only and matching stays linear.
_ITEM = (
    r"(?:\"[\w\s./;:()&+?-]{0,64}\"|[\w./*+?:\[\]~=-]+)"
    r"(?:\s*;\s*[\w.+*-]+(?:\s*=\s*(?:\"[\w\s./;:()+-]{0,64}\"|[\w./*+-]+))?)*"
)
_DATE = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*, [\w :-]{18,32}"
_TYPED_GRAMMAR = re.compile(rf"\s*+(?:{_DATE}|{_ITEM}(?:\s*,\s*{_ITEM})*)?\s*+")
# A path or an address, which none of these headers has.
_NO_ITEM: Final = re.compile(r":/|^\s*/")
# Entity tags (RFC 9110, 8.8.3), also without quotes, as some clients send them.
_TAGS = re.compile(
    r"\s*+(?:\*|(?:W/)?\"[\w.:/+=~*-]*+\"(?:\s*,\s*(?:W/)?\"[\w.:/+=~*-]*+\")*|[\w.:/+=~*-]*+)\s*+"
)
# A path or an address. An entity tag may have any of these characters (8.8.3), but it is no query
# and no command.
_NO_TAG: Final = re.compile(r"\.\.|:/|^\s*(?:W/)?\"?/\w+/")
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
_ORIGIN = re.compile(r"\s*https?://([\w.:\[\]-]+)(?=[/?#]|\s*$)", re.IGNORECASE)
_PUBLIC: Final = "https://example.com"
# AWS: these addresses have the metadata of a machine or a container, and no site.
_METADATA: Final = ("169.254.169.", "169.254.170.", "[fd00:ec2:")
_OWN = re.compile(r"/(?!/)[^\s?#]*")


def header_values(
    key: str, value: str, budget: Budget, hosts: tuple[str, ...] = ()
) -> Iterator[Value]:
    """Yield a header, unless its grammar leaves no room for an attack. Referer is parsed as a URL.

    :param hosts: names of this server, which Referer, Origin and WebDAV's headers contain.
    """
    budget.take_value()
    if key in TYPED_HEADERS or key.startswith(TYPED_PREFIX):
        is_short = len(value) < 512 and ".." not in value
        if is_short and not _NO_ITEM.search(value) and _TYPED_GRAMMAR.fullmatch(value):
            return
    elif key in _TAG_HEADERS and not _NO_TAG.search(value) and _TAGS.fullmatch(value):
        return
    name = key.removeprefix("HTTP_").replace("_", "-").lower()
    text, flags = to_text(value.encode("latin-1", "replace"))
    if key == "HTTP_USER_AGENT":
        yield Value("header", name, text, "agent", flags)
    elif key in ("HTTP_REFERER", "HTTP_ORIGIN"):
        own = as_of_public_site(text, hosts)
        yield from unfold(Value("header", name, own, "header", flags), budget)
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
        kind = "header"
        if "filename" in name or "file-name" in name:
            kind = "filename"
            if runs(text):
                flags = (*flags, EXECUTABLE)
        yield from unfold(Value("header", name, text, kind, flags), budget)


MAX_CONDITION_CHARS: Final = 4096
"""The longest If header to parse: a lock token has 45 characters, and a request has a few."""


def as_of_public_site(address: str, hosts: tuple[str, ...]) -> str:
    """Return a URL of this server with a public name in place of its own; any other text as it is.

    A site in an internal network has an internal address. That is no attack on it (CWE-918).
    """
    match = _ORIGIN.match(address)
    if match is None or match[1].lower() not in hosts or match[1].lower().startswith(_METADATA):
        return address
    return _PUBLIC + address[match.end() :]


def _own_path(address: str, hosts: tuple[str, ...]) -> str | None:
    """Return the path of a URL of this server, with or without its host (RFC 4918, 8.3)."""
    path = address
    if not _OWN.fullmatch(address):
        match = _ADDRESS.fullmatch(address)
        if match is None or match[1].lower() not in hosts:
            return None
        path = match[2] or "/"
    return to_text(unquote(path.encode("utf-8", "surrogatepass")))[0]


def _credentials(name: str, text: str, flags: tuple[str, ...], budget: Budget) -> Iterator[Value]:
    """Yield the values in Authorization: user and password of Basic, the claims of a token, the
    parameters of Digest and of signatures. Any other token has no values."""
    match = _CREDENTIALS.fullmatch(text)
    is_basic = text[:16].lower().split(None, 1)[:1] == ["basic"]
    if is_basic:
        user, _, password = _basic(text.split(None, 1)[-1]).partition(":")
        yield from unfold(Value("header", name, user, "", flags), budget)
        yield from unfold(Value("header", f"{name}>password", password, "", flags), budget)
    if match is not None:
        if not is_basic:
            yield from unfold(Value("header", name, match[2], "header", flags), budget)
        return
    rest = text.strip().partition(" ")[2]
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
    """Return user and password (RFC 7617); the whole text if it is not base64. Characters that are
    no letters of it are ignored, as Bottle does."""
    letters = _NO_LETTERS.sub("", token).replace("-", "+").replace("_", "/")
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    if not letters:
        return token
    return to_text(base64.b64decode(letters + "=" * (-len(letters) % 4)))[0]


_NO_LETTERS: Final = re.compile(r"[^A-Za-z0-9+/_-]+")
