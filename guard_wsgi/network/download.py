"""Fetches one publication: conditionally, bounded, and parsed before it replaces anything."""

from __future__ import annotations

import time

from attrs import evolve, field, frozen

from guard_wsgi.network.feeds import Feed, FeedError, Networks
from guard_wsgi.network.provider_ranges import ProviderRanges, check_networks

MAX_FEED_BYTES = 64 * 1024 * 1024
"""The largest file, Azure's, has some 5 MB; 64 MB are not a publication."""
FETCH_TIMEOUT_SECONDS = (5.0, 20.0)
"""Timeouts to connect and between two reads; Azure's download takes seconds on a slow line."""


def fetch_feed(feed: Feed, known: ProviderRanges | None = None) -> ProviderRanges:
    """Fetch and parse a publication; with known ranges, the request is conditional.

    :raises FeedError: for any fault, from the network to the contents.
    """
    url = feed.url
    page: _Page | None = None
    if feed.locate is not None:
        page = _download(url)
        # A mirror may serve the file itself at the address of the provider's download page.
        if page is not None and not page.body.lstrip().startswith(b"{"):
            url, page = feed.locate(page.body), None
    if page is None:
        page = _download(url, known.etag, known.last_modified) if known else _download(url)
    now = time.time()
    if page is None:
        if known is None:
            raise FeedError(f"{url} answered 304 to a request without conditions")
        return evolve(known, checked_at=now)
    networks = _distinct(feed.parse(page.body))
    check_networks(networks)
    return ProviderRanges(feed.provider, networks, now, now, page.etag, page.last_modified)


def _distinct(networks: Networks) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(networks))


@frozen(slots=True)
class _Page:
    body: bytes = field(repr=False)
    etag: str
    last_modified: str


def _download(url: str, etag: str = "", last_modified: str = "") -> _Page | None:
    """Return the response; ``None`` if the server answers "not modified"."""
    import requests  # here, because an app without such rules should not pay for its import

    headers = {"User-Agent": "guard-wsgi", "Accept": "*/*"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    body = bytearray()
    try:
        with requests.get(
            url, headers=headers, timeout=FETCH_TIMEOUT_SECONDS, stream=True
        ) as response:
            if response.status_code == 304:
                return None
            if response.status_code != 200:
                raise FeedError(f"{url} answered {response.status_code}")
            for chunk in response.iter_content(65536):
                body += chunk
                if len(body) > MAX_FEED_BYTES:
                    raise FeedError(f"{url} sends more than {MAX_FEED_BYTES} bytes")
            return _Page(
                bytes(body),
                response.headers.get("ETag", ""),
                response.headers.get("Last-Modified", ""),
            )
    except requests.RequestException as error:
        raise FeedError(f"{url}: {type(error).__name__}") from error
