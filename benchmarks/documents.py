"""Documents for measurements: what people attach and send, and what costs the guard most.

A seeded generator makes everything, so two versions of the guard read the same text. Each function
returns about the requested number of characters.
"""

# ruff: noqa: E501, SIM905  (tables: one row a line reads better than the rows broken)
from __future__ import annotations

import base64
import html
import inspect
import json
import pydoc_data.topics
import random
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from urllib.parse import quote, urlencode
from zlib import compress

sys.path.insert(0, str(Path(__file__).resolve().parent / "training"))

from benign_writing import COMMANDS, ERRORS, MODULES, SQL, THINGS, UNIX

Document = Callable[[random.Random, int], str]
Request = tuple[str, bytes]
"""Content type and body."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

FIRST = "anna ben carla david eva frank greta hans ida jan karl lena max nina otto paul rosa sven tina ulf".split()
LAST = "smith o'brien mueller garcia nguyen rossi d'angelo kowalski jones novak ivanov sato kim lopez".split()
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"


def _filled(pieces: Iterator[str], size: int) -> str:
    made, length = [], 0
    while length < size:
        piece = next(pieces)
        made.append(piece)
        length += len(piece)
    return "".join(made)[:size]


@lru_cache(maxsize=1)
def _modules() -> list[str]:
    """The sources of the standard library's modules that this Python has."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name in MODULES:
            try:
                found.append(inspect.getsource(import_module(name)))
            except (ImportError, OSError):
                continue
    return found


def _prose(rng: random.Random) -> str:
    text = pydoc_data.topics.topics[rng.choice(sorted(pydoc_data.topics.topics))]
    start = rng.randrange(max(1, len(text) - 800))
    return text[start : start + 800]


def source(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        while True:
            lines = rng.choice(_modules()).split("\n")
            start = rng.randrange(max(1, len(lines) - 50))
            yield "\n".join(lines[start : start + rng.randrange(30, 200)]) + "\n"

    return _filled(pieces(), size)


def access_log(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        while True:
            paths = ["/", "/index.html", "/wp-login.php", "/.env", "/../../etc/passwd"]
            paths.append(f"/api/v1/orders?id={rng.randrange(9999)}&sort=name")
            paths.append(f"/static/app.{rng.getrandbits(32):x}.js")
            paths.append(f"/search?q={rng.choice(FIRST)}%20{rng.choice(FIRST)}")
            path = rng.choice(paths)
            address = ".".join(str(rng.randrange(1, 224)) for _ in range(4))
            yield (
                f"{address} - - [1{rng.randrange(10)}/May/2024:1{rng.randrange(10)}:{rng.randrange(60):02}:00 +0000]"
                f' "GET {path} HTTP/1.1" {rng.choice([200, 304, 404])} {rng.randrange(99999)}'
                f' "https://shop.example.com/{rng.choice(FIRST)}" "{AGENT.format(rng.randrange(90, 130))}"\n'
            )

    return _filled(pieces(), size)


def _trace(rng: random.Random) -> str:
    word = rng.choice(FIRST)
    frames = range(rng.randrange(4, 20))
    kind = rng.randrange(3)
    if kind == 0:
        rows = [
            f"\tat org.{word}.core.{rng.choice(FIRST).title()}Service.invoke({word.title()}.java:{rng.randrange(999)})\n"
            for _ in frames
        ]
        return f"{rng.choice(ERRORS)}\n{''.join(rows)}"
    if kind == 1:
        rows = [
            f'  File "/usr/lib/python3.11/site-packages/{word}/{rng.choice(FIRST)}.py", line {rng.randrange(999)}, in __call__\n    cursor.execute(sql, params)\n'
            for _ in frames
        ]
        return f"Traceback (most recent call last):\n{''.join(rows)}KeyError: '{word}'\n"
    rows = [
        f"    at async handler (/srv/app/node_modules/{word}/lib/{rng.choice(FIRST)}.js:{rng.randrange(999)}:9)\n"
        for _ in frames
    ]
    return f"TypeError: Cannot read properties of undefined (reading '{word}')\n{''.join(rows)}"


def app_log(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        while True:
            rows = [f"Connection from 10.0.{rng.randrange(256)}.9 port 22"]
            rows.append(f"GET /api/users?id={rng.randrange(9999)} 200")
            rows.append(f"user {rng.choice(FIRST)} logged in")
            rows.append(f"SELECT id, name FROM users WHERE id = {rng.randrange(9999)} -- 3 ms")
            rows.append(f"cache miss for key session:{rng.getrandbits(40):x}")
            rows.append(f"open /var/lib/app/{rng.choice(FIRST)}.json failed: no such file")
            said = rng.choice(rows)
            yield f"2024-05-1{rng.randrange(10)} 10:{rng.randrange(60):02}:00,{rng.randrange(999):03} {rng.choice(['INFO', 'WARN', 'ERROR'])} [{rng.choice(FIRST)}] com.example.Shop - {said}\n"
            if rng.random() < 0.15:
                yield _trace(rng)

    return _filled(pieces(), size)


def mail(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        while True:
            one, two = rng.choice(FIRST), rng.choice(FIRST)
            body = textwrap.fill(_prose(rng).replace("\n", " "), 72)
            quoted = textwrap.fill(_prose(rng).replace("\n", " "), 70)
            yield (
                f"From: {one.title()} <{one}@example.com>\nTo: {two.title()} <{two}@example.org>\nDate: Mon, {rng.randrange(1, 29)} Jan 2024 10:00:00 +0100\n"
                f"Subject: Re: {rng.choice(THINGS)}\nMessage-ID: <{rng.getrandbits(64):x}@mail.example.com>\nContent-Type: text/plain; charset=utf-8\n\nHi {two.title()},\n\n{body}\n\n"
                f"{two.title()} wrote:\n"
                + "".join(f"> {line}\n" for line in quoted.split("\n"))
                + f"\nBest,\n{one.title()}\n\n"
            )

    return _filled(pieces(), size)


def markdown(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        while True:
            yield (
                f"## {rng.choice(THINGS).title()}\n\n{_prose(rng)}\n\n- `{rng.choice(COMMANDS)}`\n- [link](https://example.com/{rng.choice(FIRST)}?a=1&b=2)\n"
                f"- **{rng.choice(FIRST)}** uses `{rng.choice(UNIX)}`\n\n```python\n{source(rng, 400)}\n```\n\n| a | b |\n|---|---|\n| {rng.randrange(99)} | {rng.choice(FIRST)} |\n\n"
                f"```sh\n{rng.choice(COMMANDS)}\n{rng.choice(COMMANDS)}\n```\n\n"
            )

    return _filled(pieces(), size)


def page(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Page</title><link rel="stylesheet" href="/a.css"></head><body class="page">\n'
        while True:
            number = rng.randrange(9999)
            yield (
                f'<div class="card c{number}" id="x{number}" style="width:{rng.randrange(99)}px">\n<h2><a href="/p/{rng.choice(FIRST)}-{number}?a=1&amp;b=2" title="{rng.choice(FIRST)}">{rng.choice(THINGS)}</a></h2>\n'
                f'<p>{html.escape(_prose(rng)[:60])} <b>{rng.choice(FIRST)}</b> &nbsp; <img src="/i/{number}.png" alt="" width="20"></p>\n<ul><li>{number}</li><li><span data-x="{number}">{rng.choice(LAST)}</span></li></ul></div>\n'
            )

    return _filled(pieces(), size)


def shell(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        yield "#!/bin/sh\nset -e\n"
        while True:
            yield f"if [ -f {rng.choice(UNIX)} ]; then\n  {rng.choice(COMMANDS)}\n  X{rng.randrange(999)}=$(cat {rng.choice(UNIX)} | grep {rng.choice(FIRST)})\nfi\n{rng.choice(COMMANDS)}\n"

    return _filled(pieces(), size)


def table(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        yield "id;name;mail;total;note\n"
        while True:
            yield f'{rng.randrange(99999)};"{rng.choice(LAST)}, {rng.choice(FIRST)}";{rng.choice(FIRST)}@example.com;{rng.randrange(9999) / 100};"{rng.choice(THINGS)} (5\' x {rng.randrange(9)}\')"\n'

    return _filled(pieces(), size)


def sql_dump(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        yield "-- MySQL dump 10.13  Distrib 8.0.32, for Linux (x86_64)\n--\n-- Host: localhost    Database: shop\n--\n/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!50503 SET NAMES utf8mb4 */;\n"
        while True:
            name = f"orders{rng.randrange(999)}"
            rows = ",".join(
                f"({rng.randrange(99999)},'{rng.choice(FIRST)} {rng.choice(LAST)}','{rng.choice(FIRST)}@example.com','2024-01-0{rng.randrange(1, 9)} 10:00:00',NULL,'{rng.choice(THINGS)}')".replace(
                    "o'", "o\\'"
                ).replace("d'", "d\\'")
                for _ in range(rng.randrange(5, 60))
            )
            yield (
                f"\n--\n-- Table structure for table `{name}`\n--\n\nDROP TABLE IF EXISTS `{name}`;\nCREATE TABLE `{name}` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `name` varchar(255) DEFAULT NULL,\n"
                f"  `created` datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n\nLOCK TABLES `{name}` WRITE;\nINSERT INTO `{name}` VALUES {rows};\nUNLOCK TABLES;\n"
            )

    return _filled(pieces(), size)


def statements(rng: random.Random, size: int) -> str:
    def pieces() -> Iterator[str]:
        while True:
            yield f"{rng.choice(SQL)};\n"

    return _filled(pieces(), size)


DOCUMENTS: dict[str, Document] = {
    "access log": access_log,
    "application log": app_log,
    "mail": mail,
    "SQL dump": sql_dump,
    "SQL statements": statements,
    "source": source,
    "shell script": shell,
    "Markdown": markdown,
    "HTML": page,
    "CSV": table,
}
"""Documents that people send as one field, or attach."""


def in_json(text: str) -> Request:
    return JSON, json.dumps({"id": 1, "text": text}).encode()


def in_form(text: str) -> Request:
    return FORM, urlencode({"a": "1", "text": text}).encode()


def in_text(text: str) -> Request:
    return "text/plain", text.encode()


PLACES: dict[str, Callable[[str], Request]] = {"JSON": in_json, "form": in_form, "text": in_text}


def order(rng: random.Random, size: int) -> Request:
    """A plain document of a shop: nothing suspicious, thousands of values."""
    rows, length = [], 0
    while length < size:
        row = {
            "id": rng.randrange(99999), "sku": f"AB-{rng.randrange(9999)}", "name": rng.choice(THINGS), "price": rng.randrange(9999) / 100,
            "customer": {"first": rng.choice(FIRST).title(), "last": "Jones", "city": "Berlin"}, "note": "please leave it at the door",
        }  # fmt: skip
        rows.append(row)
        length += len(json.dumps(row)) + 2
    return JSON, json.dumps({"items": rows}).encode()


def traces(rng: random.Random, size: int) -> Request:
    """A batch of error reports."""
    rows, length = [], 0
    while length < size:
        trace = _trace(rng)
        rows.append(
            {
                "message": trace.split("\n", 1)[0],
                "stack": trace,
                "level": "error",
                "id": rng.getrandbits(60),
            }
        )
        length += len(trace) + 90
    return JSON, json.dumps(rows).encode()


DATA: dict[str, Callable[[random.Random, int], Request]] = {
    "JSON order": order,
    "JSON traces": traces,
}

_TELLING = "select <b> -- | ; ( /etc ../ where like <td> 0x cat %20 &#65; \\u0041 /* */ && \" ' <a on- from (a) [ ` # => ls".split(
    " "
)


def _words(rng: random.Random) -> Iterator[str]:
    while True:
        yield rng.choice(_TELLING)
        yield " "
        yield f"{rng.getrandbits(32):x}"
        yield " "


def _hits(rng: random.Random, size: int) -> str:
    """Marks and words of attacks everywhere, in no meaningful order."""
    return _filled(_words(rng), size)


def _dotted(rng: random.Random, size: int) -> str:
    """One mark per hundred characters, between words that never repeat."""

    def pieces() -> Iterator[str]:
        while True:
            yield (
                " ".join(f"{rng.getrandbits(48):x}" for _ in range(8)) + f" {rng.choice(_TELLING)} "
            )

    return _filled(pieces(), size)


def hits(rng: random.Random, size: int) -> Request:
    return in_json(_hits(rng, size))


def dotted(rng: random.Random, size: int) -> Request:
    return in_json(_dotted(rng, size))


def foreign(rng: random.Random, size: int) -> Request:
    """The same beside letters beyond ASCII, which are normalised."""
    pieces = _words(rng)
    row = (
        next(pieces) + rng.choice(("\u00e9", "\uff41", "\u2019", "\u4e2d", "\u200b"))
        for _ in range(10**9)
    )
    return in_text(_filled(row, size // 2))


def tiny_json(rng: random.Random, size: int) -> Request:
    return JSON, json.dumps(
        [f"{rng.choice(_TELLING)}{rng.getrandbits(16):x}" for _ in range(size // 12)]
    ).encode()


def tiny_form(rng: random.Random, size: int) -> Request:
    return FORM, "&".join(
        f"{rng.getrandbits(16):x}={quote(rng.choice(_TELLING))}" for _ in range(size // 10)
    ).encode()


def short_json(rng: random.Random, size: int) -> Request:
    """Values of some 60 characters, each with its own name and something to weigh."""
    return JSON, json.dumps(
        {f"{rng.getrandbits(32):x}": _hits(rng, 60) for _ in range(size // 76)}
    ).encode()


def multipart(rng: random.Random, size: int) -> Request:
    parts = (
        f'--X\r\nContent-Disposition: form-data; name="{rng.getrandbits(16):x}"\r\n\r\n{rng.choice(_TELLING)}\r\n'
        for _ in range(size // 70)
    )
    return "multipart/form-data; boundary=X", "".join([*parts, "--X--\r\n"]).encode()


def xml(rng: random.Random, size: int) -> Request:
    pieces = (
        f'<i a{rng.getrandbits(16):x}="{html.escape(rng.choice(_TELLING))}">{html.escape(rng.choice(_TELLING))}</i>'
        for _ in range(10**9)
    )
    return (
        "text/xml",
        f"<?xml version='1.0'?><r>{_filled(pieces, size).rpartition('<i ')[0]}</r>".encode(),
    )


def layers(rng: random.Random, size: int) -> Request:
    """Documents in base64 in documents, and escapes of escapes."""
    values = []
    while sum(map(len, values)) < size:
        text = _hits(rng, 200)
        for _ in range(3):
            text = base64.b64encode(json.dumps({"a": text}).encode()).decode()
        values.append(text)
        text = _hits(rng, 100)
        for _ in range(3):
            text = quote(text)
        values.append(text)
    return JSON, json.dumps(values).encode()


def nested_json(rng: random.Random, size: int) -> Request:
    """JSON in a text in JSON, so that each value is taken apart again."""
    rows = [
        json.dumps({"a": json.dumps({"b": [f"{_hits(rng, 20)}" for _ in range(6)]})})
        for _ in range(size // 260)
    ]
    return JSON, json.dumps(rows).encode()


def nested_form(rng: random.Random, size: int) -> Request:
    row = "&".join(f"{rng.getrandbits(16):x}={quote(_hits(rng, 24))}" for _ in range(size // 40))
    return FORM, urlencode({"a": row}).encode()


def graphql(rng: random.Random, size: int) -> Request:
    rows = " ".join(
        f'a{rng.getrandbits(24):x}: item(id: "{rng.randrange(99)} or 1")' for _ in range(size // 40)
    )
    return JSON, json.dumps({"query": f"query {{ {rows} }}"}).encode()


def entities(rng: random.Random, size: int) -> Request:
    return in_json(
        "".join(
            rng.choice(("&#65;", "&lt;", "%41", "\\u0041", "%2541", "&amp;#65;", "b ", "1 "))
            for _ in range(size // 5)
        )
    )


def base64_runs(rng: random.Random, size: int) -> Request:
    return in_json(
        _filled(
            (base64.b64encode(_hits(rng, 30).encode()).decode() + " ' " for _ in range(10**9)), size
        )
    )


def quotes(rng: random.Random, size: int) -> Request:
    return in_text("".join(rng.choice("'\"`;()=-#/*|&<>{}$%\\ or1") for _ in range(size)))


def packed_values(rng: random.Random, size: int) -> Request:
    """Compressed repetitions in base64, as many values."""
    rows = []
    for number in range(size // 120 + 1):
        data = compress(f"<a>{rng.choice(_TELLING)}{rng.getrandbits(20):x}".encode() * 4000)
        rows.append(f"a{number}={quote(base64.b64encode(data).decode())}")
    return FORM, "&".join(rows)[:size].encode()


def deep_mail(rng: random.Random, size: int) -> Request:
    """Parts of a mail in parts, up to the deepest that is read, and short lines in all of them."""
    head = "From: a\r\nDate: b\r\n" + "".join(
        f"Content-Type: multipart/mixed; boundary=x{n}\r\n\r\n--x{n}\r\n" for n in range(30)
    )
    return JSON, json.dumps({"RawEmail": head + "\r\n'\r\n" * ((size - len(head)) // 9)}).encode()


def split_mail(rng: random.Random, size: int) -> Request:
    """A mail of many parts."""
    head = "From: a\r\nDate: b\r\nContent-Type: multipart/digest; boundary=x\r\n\r\n"
    return JSON, json.dumps({"RawEmail": head + "--x\r\n\r\na: '\r\n" * (size // 19)}).encode()


WORST: dict[str, Callable[[random.Random, int], Request]] = {
    "marks all over": hits,
    "marks far apart": dotted,
    "beyond ASCII": foreign,
    "tiny JSON values": tiny_json,
    "tiny form fields": tiny_form,
    "short JSON values": short_json,
    "multipart fields": multipart,
    "XML elements": xml,
    "layers of encodings": layers,
    "JSON in JSON": nested_json,
    "form in a form": nested_form,
    "GraphQL": graphql,
    "escapes": entities,
    "base64": base64_runs,
    "punctuation": quotes,
    "compressed values": packed_values,
    "mail in mails": deep_mail,
    "mail of parts": split_mail,
}
"""Documents designed to cost the guard most."""
