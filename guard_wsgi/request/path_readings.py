"""The readings of a path: all paths that an app may understand it as.

Servers and apps differ in what they decode and resolve: percent-encodings of percent-encodings,
path parameters, backslashes, doubled slashes, dots (RFC 3986, 5.2.4), characters that look like
others (Unicode Standard Annex #15). In CVE-2020-5902 and similar cases, the rules were checked for
another spelling than the one that was served.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

_UNCANONICAL = re.compile(r"//|/\.|[;\\\x00-\x1f]")
_AMBIGUOUS = re.compile(r"//|/\.|[;\\%?#\x00-\x1f\x7f]|[. ](?:/|\Z)|/ ")
_PARAMETERS = re.compile(r";[^/]*")
_SLASHES = re.compile(r"/{2,}")
_AUTHORITY = re.compile(r"[a-z][a-z0-9+.-]*+://[^/]*", re.IGNORECASE)
_END = re.compile(r"[?#\x00]")
# Soft hyphen, zero-width and bidirectional marks, variation selectors, byte order mark.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)

MAX_ENCODINGS = 4
"""How many nested percent-encodings are decoded; real servers decode up to two."""


def spellings(path: str) -> list[str]:
    """Return the readings of ``path`` (encoded as in PEP 3333), the plainest first."""
    found = {_decoded(path, "replace"): None}
    if not path.isascii():
        found[_decoded(path, "ignore")] = None
    for undo in _UNDONE:
        for known in tuple(found):
            found[undo(known)] = None
    return sorted(found, key=len)


def is_plain_path(path: str) -> bool:
    """Whether the path has only one reading, apart from the case of its letters."""
    return path.isascii() and not _AMBIGUOUS.search(path)


def is_canonical_path(path: str) -> bool:
    """Whether :func:`canonical_path` has nothing to do."""
    return not _UNCANONICAL.search(path)


def canonical_path(path: str) -> str:
    """Resolve the spellings of one path (RFC 3986, 5.2.4), never above the root."""
    path = _PARAMETERS.sub("", path.replace("\\", "/"))
    segments: list[str] = []
    for segment in _SLASHES.sub("/", path).split("/")[1:]:
        if segment == "..":
            if segments:
                segments.pop()
        elif segment != ".":
            segments.append(segment)
    return "/" + "/".join(segments)


def _decoded(path: str, errors: str) -> str:
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", errors)


def _unquoted(path: str) -> str:
    return unquote(path) if "%" in path else path


def _unquoted_all(path: str) -> str:
    for _ in range(MAX_ENCODINGS):
        path = _unquoted(path)
    return path


def _without_authority(path: str) -> str:
    """Return the path of a target in absolute form (RFC 9112, 3.2.2), which wsgiref passes on as it
    is."""
    if "://" not in path:
        return path
    target = path.lstrip("/")
    authority = _AUTHORITY.match(target)
    return target[authority.end() :] if authority else path


def _without_query(path: str) -> str:
    """Cut the path where a URL parser, or a parser in C, would end it."""
    return _END.split(path, maxsplit=1)[0]


def _without_parameters(path: str) -> str:
    return _PARAMETERS.sub("", path)


def _tidied(path: str) -> str:
    """Reduce the path to the characters that people see, without characters that Windows drops at
    the end of a name."""
    if not path.isascii():
        path = normalize("NFKC", path)
    segments = _with_slashes(_UNSEEN.sub("", path)).split("/")
    return "/".join(
        segment if not segment.strip(".") else segment.strip(" ").rstrip(". ")
        for segment in segments
    )


def _with_slashes(path: str) -> str:
    return path.replace("\\", "/")


def _merged(path: str) -> str:
    return _SLASHES.sub("/", path)


def _resolved(path: str) -> str:
    """Resolve dots; an empty segment counts as a segment."""
    segments: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    return "/" + "/".join(segments)


_UNDONE = (
    *(_unquoted, _unquoted_all, _without_authority, _without_query, _without_parameters),
    *(_with_slashes, _tidied, _merged, _resolved),
)


def path_of(environ: Mapping[str, Any]) -> str:
    """Return ``PATH_INFO`` as text. PEP 3333 gives the UTF-8 bytes as latin-1.

    It does the same as werkzeug's ``get_path_info``, in 0.09 us instead of 0.25: most paths are
    ASCII.
    """
    path: str = environ.get("PATH_INFO") or "/"
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def canonical_path_of(environ: Mapping[str, Any]) -> str:
    """Return the path that a router sees: without ``//``, ``.``, ``..`` and ``;x``."""
    path = path_of(environ)
    return path if is_canonical_path(path) else canonical_path(path)


def readings_of(environ: Mapping[str, Any]) -> Iterable[str]:
    """Return every path that an app may understand the request's path as."""
    path = path_of(environ)
    return (path,) if is_plain_path(path) else spellings(environ.get("PATH_INFO") or "/")
