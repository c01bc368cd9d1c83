"""Shares: folders that the app itself serves by WebDAV (RFC 4918).

A client of a share stores `.env` or `backup.sql` and reads it back, and a probe looks for the same
names. The request can't show the difference, because anybody can send it. The app's earlier answers
do. An app that lists a folder answers PROPFIND with 207 (RFC 4918, 9.1), which no other app does,
and one that keeps a file answers PUT with 201 or 204 (RFC 9110, 9.3.4). So names below a folder
that the app has listed, and of a file that it has taken, are its content.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

LISTED: Final = 207
TAKEN: Final = frozenset({201, 204})
_ASKS: Final = frozenset({"PROPFIND", "PUT"})
MAX_KNOWN: Final = 4096
"""Folders and files of one process; of more, the oldest are forgotten, and learned again."""


class WebDAVShares:
    """The folders and files that the app has answered for, in this process. Threads may lose each
    other's entries, but never add a wrong one."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # A folder ends with a slash, a file does not.
        self._known: dict[str, None] = {}

    def observer_of(self, environ: dict[str, Any]) -> ShareObserver | None:
        """Return the observer of the app's answer, if it may reveal a share."""
        method = environ["REQUEST_METHOD"]
        return ShareObserver(self, method, _path(environ)) if method in _ASKS else None

    def learn(self, method: str, path: str, status: int) -> None:
        """Note an answer of the app."""
        if method == "PROPFIND" and status == LISTED:
            name = path.rstrip("/") + "/"
        elif method == "PUT" and status in TAKEN:
            name = path
        else:
            return
        known = self._known
        if name not in known and not _leads_out(name):
            if len(known) >= MAX_KNOWN:
                known.pop(next(iter(known), ""), None)
            known[name] = None

    def covers(self, environ: dict[str, Any]) -> bool:
        """Whether a path is one of a share."""
        known = self._known
        if not known:
            return False
        path = _path(environ)
        if _leads_out(path):
            return False
        if path in known or path + "/" in known:
            return True
        end = path.rfind("/")
        while end >= 0:
            if path[: end + 1] in known:
                return True
            end = path.rfind("/", 0, end)
        return False


class ShareObserver:
    """Observes the answer to one request (`AnswerObserver`)."""

    __slots__ = ("_method", "_path", "_shares")

    wants_body = False

    def __init__(self, shares: WebDAVShares, method: str, path: str) -> None:
        self._shares, self._method, self._path = shares, method, path

    def status(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self._shares.learn(self._method, self._path, status)

    def tap(self, iterable: Iterable[bytes], file_wrapper: object = None) -> Iterable[bytes]:
        """Return the body as it is."""
        return iterable


def _path(environ: dict[str, Any]) -> str:
    return f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"


def _leads_out(path: str) -> bool:
    """Whether a path may be of another folder than the one in which it seems to be, by any way in
    which a server reads it."""
    return (
        "\\" in path
        or "//" in path
        or "%" in path
        or ";" in path
        or "\x00" in path
        or any(part in (".", "..") for part in path.split("/"))
    )
