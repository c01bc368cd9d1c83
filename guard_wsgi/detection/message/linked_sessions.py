"""Names of session cookies in the query of a request that another site links to.

Such a link makes a visitor's browser take a session that the linking site knows (CWE-384, session
fixation; idea of the CRS 943 family). An address of one's own site may have a session in it, and
payment services send back a `session_id`, so only names that one framework or server gives to its
cookie count, and only after a link on another site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from guard_wsgi.detection.decoding.percent import unquote
from guard_wsgi.detection.language.session_names import (
    FOREIGN_LINK,
    LOG_IN_COOKIES,
    SESSION_COOKIES,
)
from guard_wsgi.detection.value import Value, to_text

_LOG_IN: Final = re.compile(r"/(?:log-?[io]n|sign-?in|auth)/?", re.IGNORECASE)
_NAMES: Final = re.compile("|".join(SESSION_COOKIES), re.IGNORECASE)
_LOG_IN_NAMES: Final = re.compile("|".join((*SESSION_COOKIES, *LOG_IN_COOKIES)), re.IGNORECASE)

_HOST: Final = re.compile(r"https?://(?:[^/?#@]*@)?(\[[0-9a-f:.]+\]|[^/?#:]+)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[\d.]+|\[.*")


def fixed_sessions(environ: dict[str, Any]) -> Iterator[Value]:
    """Yield the names of session cookies in a query, if the link to it is on another site."""
    query = environ.get("QUERY_STRING")
    if not query or not _is_foreign(environ):
        return
    names = _LOG_IN_NAMES if _LOG_IN.search(str(environ.get("PATH_INFO", ""))) else _NAMES
    for pair in str(query).split("&"):
        name, equals, value = pair.partition("=")
        if equals and value:
            text, _ = to_text(unquote(name.encode("latin-1", "replace")))
            if names.fullmatch(text):
                yield Value("query", text, text, "name", (FOREIGN_LINK,))


def _is_foreign(environ: dict[str, Any]) -> bool:
    """Whether the page that links here is of another site than the hosts of this request."""
    page = _HOST.match(str(environ.get("HTTP_REFERER", "")).strip())
    hosts = [
        host.partition(":")[0].lower()
        for key in ("HTTP_HOST", "HTTP_X_FORWARDED_HOST")
        for host in str(environ.get(key, "")).replace(" ", "").split(",")
        if host
    ]
    if page is None or not hosts:
        return False
    return all(_site(page[1].lower()) != _site(host) for host in hosts)


def _site(host: str) -> str:
    """The last two labels of a host: other hosts of a site have the same."""
    return host if _ADDRESS.fullmatch(host) else ".".join(host.rsplit(".", 2)[-2:])
