"""Sources of the package corpus, and the envelopes that their texts are sent in.

A source is a function that yields records; `source` registers it under the name of its package.
Envelopes are what browsers and API clients really send: their headers, their field names, their
encodings. Benign texts travel in the same envelopes as payloads, so that no envelope tells.
"""

# ruff: noqa: E501  (a long pattern)
from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from independent_corpus import fold, record
from package_corpus_fetch import Fetcher

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
Record = dict[str, Any]
Headers = dict[str, str]


class Source(NamedTuple):
    """One package's records."""

    name: str
    make: Callable[[Fetcher, random.Random], Iterable[Record]]
    limit: int


SOURCES: dict[str, Source] = {}


def source(name: str, *, limit: int = 300) -> Callable[[Any], Any]:
    """Register a maker of records, at most `limit` of them, under a package's name."""

    def registered(make: Any) -> Any:
        SOURCES[name] = Source(name, make, limit)
        return make

    return registered


AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/139.0.7258.94 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
)
PROGRAMS = (
    "python-requests/2.32.4",
    "axios/1.11.0",
    "okhttp/4.12.0",
    "Go-http-client/2.0",
    "node",
    "curl/8.5.0",
    "PostmanRuntime/7.45.0",
    "Apache-HttpClient/5.3 (Java/21.0.4)",
    "GuzzleHttp/7",
    "Dart/3.8 (dart:io)",
)
LANGUAGES = ("en-US,en;q=0.9", "de,en-US;q=0.7,en;q=0.3", "fr-FR,fr;q=0.9", "ja", "en-GB,en;q=0.5")


def browser(rng: random.Random, kind: str = "navigate") -> Headers:
    """Headers of a browser that loads a page, a resource, or fetches data."""
    headers = {
        "User-Agent": rng.choice(AGENTS),
        "Accept-Language": rng.choice(LANGUAGES),
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Sec-Fetch-Site": rng.choice(("same-origin", "same-site", "cross-site")),
    }
    if kind == "navigate":
        headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        headers["Upgrade-Insecure-Requests"] = "1"
    else:
        headers["Accept"] = "*/*"
    if rng.random() < 0.4:
        headers["Cookie"] = (
            f"_ga=GA1.1.{rng.randrange(10**9)}.17{rng.randrange(10**8):08d}; "
            f"session={rng.randbytes(12).hex()}"
        )
    if rng.random() < 0.4:
        headers["Referer"] = "https://shop.example.com/" + rng.choice(("", "en/", "search?q=lamp"))
    return headers


def program(rng: random.Random) -> Headers:
    """Headers of an API client."""
    headers = {"User-Agent": rng.choice(PROGRAMS), "Accept": "application/json, */*"}
    if rng.random() < 0.5:
        headers["Authorization"] = "Bearer " + rng.randbytes(20).hex()
    return headers


def benign(
    name: str,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: str | bytes = "",
    *,
    document: str,
    tier: str = "core",
    placement: str = "request",
) -> Record:
    """A benign record of the fold of its document. The target is path and query, as sent."""
    path, _, query = target.partition("?")
    shown = body if isinstance(body, str) else body.decode("utf-8", "replace")
    payload = f"{method} {target[:300]} {shown[:300]}"
    kept = {k: v for k, v in headers.items() if k.lower() not in ("host", "content-length")}
    made = record(
        name,
        "benign",
        "benign",
        placement,
        method,
        path,
        query,
        kept,
        body,
        payload=payload,
        tier=tier,
    )
    made["meta"]["fold"] = fold(document)
    return made


def multipart(fields: Iterable[tuple[str, str | None, str | None, bytes]], edge: str) -> bytes:
    """A multipart body of (name, filename, content type, content)."""
    parts = []
    for name, filename, kind, content in fields:
        head = f'Content-Disposition: form-data; name="{name}"'
        if filename is not None:
            head += f'; filename="{filename}"'
        if kind is not None:
            head += f"\r\nContent-Type: {kind}"
        parts.append(b"--" + edge.encode() + b"\r\n" + head.encode() + b"\r\n\r\n" + content)
    return b"\r\n".join(parts) + b"\r\n--" + edge.encode() + b"--\r\n"


TITLES = ("subject", "title", "summary", "name", "headline")
BODIES = ("body", "message", "comment", "text", "description", "content", "notes", "review")


def texts_sent(
    name: str, pieces: Iterable[tuple[str, str]], rng: random.Random, *, tier: str = "core"
) -> Iterator[Record]:
    """Texts of (document, text), each sent as one of the requests that carry a user's words."""
    for document, text in pieces:
        yield text_sent(name, document, text, rng, tier)


def text_sent(name: str, document: str, text: str, rng: random.Random, tier: str) -> Record:
    """A user's words, in the request that fits their length."""
    title = text.strip().split("\n")[0][:80]
    field, heading = rng.choice(BODIES), rng.choice(TITLES)
    if len(text) < 120 and rng.random() < 0.5:
        target = rng.choice(("/search?", "/api/suggest?limit=10&", "/find?sort=new&")) + urlencode(
            {rng.choice(("q", "query", "s", "term")): text}
        )
        headers = browser(rng, "navigate")
        return benign(name, "GET", target, headers, document=document, tier=tier, placement="query")
    how = rng.choice(("form", "json", "json", "nested", "multipart", "form"))
    if how == "form":
        headers = browser(rng) | {"Content-Type": FORM, "Origin": "https://shop.example.com"}
        crlf = text.replace("\r\n", "\n").replace("\n", "\r\n")
        fields = {"csrf_token": rng.randbytes(16).hex(), heading: title, field: crlf}
        body: str | bytes = urlencode(fields, encoding="utf-8", errors="replace")
        target = rng.choice(("/comments", "/contact", "/wp-comments-post.php", "/post/edit/17"))
    elif how == "json":
        headers = program(rng) | {"Content-Type": JSON}
        made = {heading: title, field: text, "labels": ["a"], "draft": False}
        body = json.dumps(made, ensure_ascii=rng.random() < 0.5)
        target = rng.choice(("/api/v1/issues", "/api/comments", "/v2/tickets/88/notes"))
    elif how == "nested":
        headers = browser(rng, "fetch") | {"Content-Type": "application/json; charset=utf-8"}
        rich = "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n") if line.strip())
        inner: Any = {"attributes": {heading: title, field: rng.choice((text, rich))}}
        body = json.dumps({"data": {"type": "posts", "id": str(rng.randrange(9999)), **inner}})
        target = "/api/posts"
    else:
        edge = "----WebKitFormBoundary" + rng.randbytes(8).hex()
        headers = browser(rng) | {"Content-Type": f"multipart/form-data; boundary={edge}"}
        encoded = text.encode("utf-8", "replace")
        file = (("file", "note.txt", "text/plain", encoded), (field, None, None, encoded))
        first: tuple[str, str | None, str | None, bytes]
        first = (heading, None, None, title.encode("utf-8", "replace"))
        body = multipart((first, rng.choice(file)), edge)
        target = "/upload"
    return benign(name, "POST", target, headers, body, document=document, tier=tier, placement=how)


CATEGORIES = (
    ("log4shell", r"\$\{(?:jndi|\$\{)"),
    ("xml", r"<!(?:DOCTYPE|ENTITY)"),
    (
        "xss",
        r"<\s*(?:script|svg|img|body|iframe|a|details|input|video|embed|frame|x|s)\b|alert|onerror",
    ),
    ("ssti", r"\{\{|\{%|<%|\$\{|#\{"),
    (
        "sqli",
        r"\b(?:select|union|sleep|waitfor|benchmark|and|or|order by|rlike|dbms_|randomblob|having)\b|['\")]+(?:--|\s|$)|\|\|",
    ),
    ("lfi", r"\.\./|\.\.\\|/etc/|/proc/|c:[\\/]|win\.ini|boot\.ini"),
    ("rfi", r"^(?:https?|ftp|php|file|data):"),
    ("crlf", r"[\r\n]\S+:"),
    ("ldap", r"\)\(|\*\)"),
)


def category_of(payload: str, fallback: str) -> str:
    """The class that a payload's look suggests."""
    return next((c for c, sign in CATEGORIES if re.search(sign, payload, re.I)), fallback)


FIELDS = ("id", "q", "name", "page", "search", "email", "user", "comment", "sort", "url", "item")


def attack(
    name: str,
    category: str,
    payload: str,
    rng: random.Random,
    *,
    fields: tuple[str, ...] = FIELDS,
    places: tuple[str, ...] = ("query", "query", "form", "json", "multipart", "cookie", "path"),
    tier: str = "core",
) -> Record:
    """A payload in one place of a request."""
    field, place = rng.choice(fields), rng.choice(places)
    method, target, body = "GET", "/" + rng.choice(("item", "search", "view.php", "api/find")), ""
    safe = rng.choice(("", "/:@!$()*,'", "/:@!$()*,;'"))
    if place in ("query", "cookie", "path", "header"):
        headers = browser(rng)
    else:
        method, headers = "POST", rng.choice((browser, program))(rng)
    if place == "query":
        target += "?" + rng.choice(("", "lang=en&", "page=2&")) + f"{field}={quote(payload, safe)}"
    elif place == "path":
        target += "/" + quote(payload, safe.replace("/", ""))
    elif place == "cookie":
        headers["Cookie"] = f"lang=en; {field}={quote(payload, safe.replace(';', ''))}"
    elif place == "header":
        shown = re.sub(r"[\r\n\x00]+", " ", payload).strip()
        headers[rng.choice(("User-Agent", "Referer", "X-Forwarded-For", "X-Client"))] = shown
    elif place == "form":
        headers["Content-Type"] = FORM
        body = urlencode({"token": rng.randbytes(6).hex(), field: payload, "go": "Send"})
    elif place == "json":
        headers["Content-Type"] = JSON
        body = json.dumps({"locale": "en", field: payload, "limit": 20})
    else:
        edge = "----WebKitFormBoundary" + rng.randbytes(8).hex()
        headers["Content-Type"] = f"multipart/form-data; boundary={edge}"
        content = payload.encode("utf-8", "replace")
        body_bytes = multipart(((field, None, None, content), ("go", None, None, b"Send")), edge)
        path, _, query = target.partition("?")
        return record(
            name,
            "attack",
            category,
            place,
            method,
            path,
            query,
            headers,
            body_bytes.decode("utf-8", "replace"),
            payload=payload,
            tier=tier,
        )
    path, _, query = target.partition("?")
    return record(
        name,
        "attack",
        category,
        place,
        method,
        path,
        query,
        headers,
        body,
        payload=payload,
        tier=tier,
    )


def attack_body(
    name: str, category: str, content_type: str, body: str, rng: random.Random, target: str
) -> Record:
    """A payload that is a whole body."""
    headers = program(rng) | {"Content-Type": content_type}
    return record(name, "attack", category, "body", "POST", target, "", headers, body, payload=body)
