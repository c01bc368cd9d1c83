"""Attack payloads that packages carry: naughty strings, scanners' lists, sanitizers' test vectors.

What a list holds besides payloads (references, markers, error messages to look for) is left out by
the rule stated beside each source.
"""

from __future__ import annotations

import ast
import html
import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from package_corpus_fetch import Fetcher, texts
from package_corpus_records import Record, attack, attack_body, category_of, source

MARKUP = ("query", "form", "json", "multipart", "cookie", "query", "form")


def listed_strings(path: Path) -> Iterator[tuple[str, str]]:
    """(variable, string) of all strings in lists and tuples of a module, which is never run."""
    tree = ast.parse(path.read_text(encoding="utf-8-sig"))
    for statement in tree.body:
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        name = getattr(targets[0], "id", "")
        if name.startswith("__"):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.List | ast.Tuple | ast.Set):
                for item in node.elts:
                    if isinstance(item, ast.Constant) and isinstance(item.value, str):
                        yield name, item.value


def filled(payload: str) -> str:
    """A payload with the list's own placeholders filled in."""
    known = {
        "marker": "x7k2",
        "delay": "5",
        "callback": "oob.attacker.example",
        "bench": "5000000",
        "cb": "oob.attacker.example",
        "rounds": "5000000",
        "n": "3",
    }
    text = re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), payload)
    return text.replace("SM0G_MARK", "x7k2").replace("{{", "{").replace("}}", "}")


SQL_SIGN = re.compile(
    r"['\"`)#]|--|/\*|\b(?:select|union|and|or|sleep|waitfor|benchmark)\b.*[=(]", re.I
)
XSS_SIGN = re.compile(r"<\s*[a-z!/?]|javascript:|\bon\w+\s*=|alert|\(|`|&#|%3c|\\[xu]\d", re.I)


def module_payloads(name: str, folder: Path, rng: random.Random, skip: str) -> Iterator[Record]:
    """Payloads of a package of lists, sorted by its own folders sqli/ and xss/ and waf/."""
    for path in texts(folder, "*.py"):
        kind = path.parent.name
        if kind not in ("sqli", "xss", "waf") or path.stem in ("signatures", "prints", "__init__"):
            continue
        for variable, text in listed_strings(path):
            if re.search(skip, variable, re.I) or "__B64_" in text or len(text) < 4:
                continue
            category, sign = ("sqli", SQL_SIGN) if kind == "sqli" else ("xss", XSS_SIGN)
            # Error messages and database names are among the payloads, in lower-case words.
            if not sign.search(text) or (re.fullmatch(r"[\w .,:'-]*", text) and "=" not in text):
                continue
            yield attack(name, category, filled(text), rng)


@source("pypi-commonhuman-payloads")
def commonhuman(fetcher: Fetcher, rng: random.Random) -> Iterable[Record]:
    """SQL injection and XSS probes of a family of scanners."""
    folder = fetcher.wheel("commonhuman-payloads", "0.1.7")
    return module_payloads("pypi-commonhuman-payloads", folder, rng, r"ERROR|PATTERN|SIGN|TARGET")


@source("pypi-sm0g-payloads")
def smog(fetcher: Fetcher, rng: random.Random) -> Iterable[Record]:
    """Yield the payloads of another family."""
    folder = fetcher.wheel("sm0g-payloads", "0.1.4")
    return module_payloads("pypi-sm0g-payloads", folder, rng, r"ERROR|PATTERN|TRACE|SIGN|TARGET")


NAUGHTY = {
    "Script Injection": "xss",
    "SQL Injection": "sqli",
    "Server Code Injection": "cmdi",
    "Command Injection (Ruby)": "cmdi",
    "XXE Injection (XML)": "xml",
    "File Inclusion": "lfi",
    "Known CVEs and Vulnerabilities": "cmdi",
}
# Values that are an attack only in their comment's mind: plain options, bare links, prose.
NAUGHTY_PLAIN = re.compile(
    r"[ _%]|<plaintext>|<<< .*|-|--|--version|--help|\$USER|http://a/%%30%30|ABC<div.*|test|perl .*"
)


def naughty_strings(fetcher: Fetcher) -> Iterator[tuple[str, str]]:
    """(section, string) of the big list of naughty strings."""
    folder = fetcher.npm("blns", "2.0.4")
    section = ""
    lines = (folder / "resources" / "blns.txt").read_text(encoding="utf-8").split("\n")
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("#\t") and before in ("", "\n"):
            section = line[2:].strip()
        elif line and not line.startswith("#"):
            yield section, line


@source("npm-blns")
def naughty_attacks(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Its sections of injections."""
    for section, text in naughty_strings(fetcher):
        if section in NAUGHTY and not NAUGHTY_PLAIN.fullmatch(text):
            yield attack("npm-blns", "xml" if "<!DOCTYPE" in text else NAUGHTY[section], text, rng)


YWAF = {
    "SQLi": "sqli",
    "NOSQLi": "nosql",
    "XSS": "xss",
    "XXE": "xml",
    "PT": "lfi",
    "LDAPi": "ldap",
    "XPATHi": "xpath",
    "PHPi": "code_injection",
}


@source("pypi-identywaf")
def identywaf(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """The probes that identify firewalls, each in five places, without the harmless ones."""
    folder = fetcher.sdist("identYwaf", "1.0.127")
    (path,) = texts(folder, "data.json")
    for line in json.loads(path.read_text())["payloads"]:
        kind, _, text = line.partition("::")
        if kind in ("HTML",) or len(text) < 6 or re.fullmatch(r"[\w ]+", text):
            continue
        category = YWAF.get(kind, "cmdi")
        places: tuple[str, ...]
        for places in (("query",), ("form",), ("json",), ("cookie",), ("multipart",)):
            yield attack("pypi-identywaf", category, text, rng, places=places)


EVENTS = re.compile(
    r"<\s*/?\s*script|javascript\s*:|vbscript\s*:|\bon[a-z]{3,}\s*=|expression\s*\(|data:text/html"
    r"|j\W*a\W*v\W*a\W*s|&#(?:x6a|106)|-moz-binding|<(?:iframe|object|embed|meta|base|link)\b"
    r"|@import|alert\s*[(`]",
    re.I,
)


def markup_strings(path: Path) -> Iterator[str]:
    """String literals with active markup in a test module, which is never run."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            # The sanitizer must keep a frame or a base of example.com.
            hostile = re.search(r"script|\bon\w+\s*=|alert|expression|evil|data:|\\\d", text, re.I)
            if "<" in text and 12 <= len(text) <= 1500 and EVENTS.search(text) and hostile:
                yield text


@source("pypi-bleach")
def bleach(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """The sanitizer's vectors: tests/data and the literals of its tests that hold active markup."""
    folder = fetcher.sdist("bleach", "6.4.0")
    for path in texts(folder, "data/*.test"):
        text = path.read_text(encoding="utf-8", errors="replace").split("\n--\n")[0]
        if not EVENTS.search(text.replace("\n", "")):
            continue
        for places in (("query",), ("form",), ("json",), ("multipart",)):
            yield attack("pypi-bleach", "xss", text, rng, places=places)
    for path in texts(folder, "tests/test_*.py"):
        for text in markup_strings(path):
            yield attack("pypi-bleach", "xss", text, rng, places=MARKUP)


@source("pypi-lxml-html-clean")
def lxml_clean(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """The sanitizer's vectors, each in two places."""
    folder = fetcher.sdist("lxml-html-clean", "0.4.6")
    for path in texts(folder, "tests/test_*.py"):
        for text in markup_strings(path):
            for places in (("query", "form"), ("json", "multipart")):
                yield attack("pypi-lxml-html-clean", "xss", text, rng, places=places)


@source("pypi-defusedxml")
def defusedxml(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Entity bombs and external entities, as bodies of several types and as values."""
    folder = fetcher.sdist("defusedxml", "0.7.1")
    kinds = ("application/xml", "text/xml; charset=utf-8", "application/soap+xml")
    for path in texts(folder, "xmltestdata/*.x*"):
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.name.startswith("simple") or path.name == "dtd.xml":
            continue  # nothing hostile: a document, and a reference to a DTD
        for kind in kinds:
            yield attack_body("pypi-defusedxml", "xml", kind, text, rng, "/api/import")
        for places in (("form",), ("json",), ("multipart",), ("query",)):
            if len(text) < 4000:
                fields: Any = ("xml", "data", "document")
                yield attack("pypi-defusedxml", "xml", text, rng, fields=fields, places=places)


@source("pypi-feedparser-sanitize", limit=150)
def feedparser(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """The feed parser's test feeds with active content: whole, and their markup as a value."""
    folder = fetcher.sdist("feedparser", "6.0.14")
    for path in texts(folder, "wellformed/sanitize/*.xml"):
        feed = path.read_text(encoding="utf-8", errors="replace")
        feed = re.sub(r"<!--.*?-->\s*", "", feed, count=1, flags=re.S)
        markup = html.unescape(feed)
        active = re.search(
            r"<script|javascript:|\bon[a-z]+\s*=|<(?:iframe|object|embed)\b", markup, re.I
        )
        if active is None:
            continue
        kind = "application/atom+xml"
        yield attack_body("pypi-feedparser-sanitize", "xss", kind, feed, rng, "/websub/callback")
        inner = re.search(
            r"<(?:content|description|summary|title|info)[^>]*>(.*?)</(?:content|description|summary|title|info)>",
            feed,
            re.S,
        )
        if inner and re.search(
            r"<script|javascript:|\bon[a-z]+\s*=|<(?:iframe|object|embed)\b",
            html.unescape(inner[1]),
            re.I,
        ):
            yield attack(
                "pypi-feedparser-sanitize",
                "xss",
                html.unescape(inner[1]).strip(),
                rng,
                places=MARKUP,
            )


WFUZZ = {"SQL": "sqli", "XSS": "xss", "Traversal": "lfi", "XML": "xml"}


@source("deb-wfuzz")
def wfuzz(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """The fuzzer's injection lists. Lone characters, numbers and format strings are left out."""
    folder = fetcher.deb("wfuzz")
    for path in texts(folder, "wordlist/Injections/*.txt"):
        for line in path.read_text(encoding="latin-1").splitlines():
            text = line.strip()
            plain = re.fullmatch(r"[\w.%:+-]*|(?:%\w+)+|(.)\1*|[^\w]{1,4}", unquote(text))
            letters = re.sub(r"&#?\w+;?|\\[xu]\w+|%\w\w|sqlattempt", "", unquote(text))
            few = len(re.findall(r"[A-Za-z0-9]", letters)) < 3 and ".." not in letters
            noise = re.search(r"ADSF|@variable|#x[AD]|\$NULL|xxx<P>yyy|018387|> < /", text)
            if path.stem == "bad_chars" or len(text) < 4 or plain or few or noise:
                continue
            category = WFUZZ.get(path.stem) or category_of(unquote(text), "cmdi")
            ready = "%" in text and unquote(text) != text
            yield attack("deb-wfuzz", category, unquote(text) if ready else text, rng)


@source("pypi-markdown-it-py-xss", limit=60)
def markdown_links(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Markdown with links that would run a script."""
    folder = fetcher.sdist("markdown-it-py", "4.3.0")
    (path,) = texts(folder, "fixtures/xss.md")
    for case in path.read_text(encoding="utf-8").split("\n.\n")[1::2]:
        for line in case.split("\n"):
            if line.startswith("<p>") or "normal link" in line:
                continue  # the expected result, and what must stay
            if re.search(
                r"javascript|vbscript|file:|data:text", html.unescape(unquote(line)), re.I
            ):
                for places in (("form", "query"), ("json", "multipart")):
                    yield attack(
                        "pypi-markdown-it-py-xss", "xss", line, rng, places=places, tier="hard"
                    )
