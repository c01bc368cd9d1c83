"""Tells which requests a page may have made a visitor's browser send.

A ban for them would punish the visitor, so they are counted as doubtful (suspicion.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OF_ELEMENTS = ("image/", "text/css")
_BY_HAND = frozenset({"document", "empty"})
"""Destinations (Fetch Metadata, 2.1) of what a visitor opens, or the page's own script asks for. A
browser loads all others by itself: images, fonts, frames, ..."""
_OWN_SITE = frozenset({"same-origin", "none"})
_OTHER_SITE = frozenset({"cross-site", "same-site"})
"""Origins of a request (Fetch Metadata, 2.2). No browser sends any other word."""
_BROWSERS = "Mozilla/5.0 ("
"""The beginning of the ``User-Agent`` of all browsers."""


def is_made_by_a_page(environ: Mapping[str, Any]) -> bool:
    """Whether a page may have made the visitor's browser send a request.

    Any page can do so with an image or a link, and so can a comment with an image. A page can send
    any request to a site that admits it (CORS), and its question whether it may (a preflight) to
    every site. A ban would punish the visitors. A program can send these headers as well: it is
    refused all the same, and banned later.
    """
    if _is_prefetched(environ):
        return True
    site: str | None = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        destination: str = environ.get("HTTP_SEC_FETCH_DEST", "document")
        return site in _OTHER_SITE or (site in _OWN_SITE and destination not in _BY_HAND)
    # Over plain HTTP, browsers send only the address of the page.
    page: str = environ.get("HTTP_ORIGIN") or environ.get("HTTP_REFERER", "")
    if page:
        its_host = page.partition("://")[2].partition("/")[0]
        host: str = environ.get("HTTP_HOST", "")
        return its_host.lower() != host.lower()
    # A page may withhold its address, except with a POST.
    return environ.get("REQUEST_METHOD") in ("GET", "HEAD") and _is_from_a_browser(environ)


def _is_from_a_browser(environ: Mapping[str, Any]) -> bool:
    """Whether a request has the headers of a browser."""
    # What a browser accepts for an image or a style, it accepts nowhere else (Fetch standard,
    # "Accept" of a request's destination).
    accepted: str = environ.get("HTTP_ACCEPT", "")
    return accepted.startswith(_OF_ELEMENTS) or (
        "HTTP_ACCEPT_LANGUAGE" in environ
        and "deflate" in environ.get("HTTP_ACCEPT_ENCODING", "")
        and environ.get("HTTP_USER_AGENT", "").startswith(_BROWSERS)
    )


def _is_prefetched(environ: Mapping[str, Any]) -> bool:
    """Whether a browser loads a page that nobody has opened yet (``<link rel=prefetch>``)."""
    purpose: str = environ.get("HTTP_SEC_PURPOSE") or environ.get("HTTP_PURPOSE", "")
    return purpose.startswith("prefetch") or environ.get("HTTP_X_MOZ") == "prefetch"
