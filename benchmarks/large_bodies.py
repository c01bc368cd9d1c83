"""Measures what large bodies of many shapes cost: the most expensive that we know.

    python benchmarks/large_bodies.py                              all shapes at 8 MB, plain and gzip
    python benchmarks/large_bodies.py --size 1000000 --only XML,JSON

A guard with default settings answers each request; the app reads nothing. The script prints
processor time (ms, and us a byte of what is inspected), the answer and the findings, the most
expensive first. The limit is 150 milliseconds. A request over it is measured three times, and the
least counts.
"""

# ruff: noqa: E501  (a table)
from __future__ import annotations

import argparse
import base64
import gzip
import json
import logging
import random
import sys
from collections.abc import Callable
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from hostile import (
    FORM,
    JSON,
    MOST_SECONDS,
    SERVER,
    XML,
    environ,
    filled,
    new_guard,
    seconds,
)

TEXT = "text/plain"
PARTS = "multipart/form-data; boundary=B"
FOUR = 'multipart/form-data; boundary=B; boundary="C"; Boundary=D; boundary=E'
END = "--B--\r\n"


def joined(one: Callable[[int], str], size: int, between: str = "") -> str:
    found: list[str] = []
    length = 0
    for number in count():
        found.append(one(number))
        length += len(found[-1]) + len(between)
        if length >= size:
            return between.join(found)
    raise AssertionError  # the numbers never end


def field(number: int, value: str, more: str = "", boundary: str = "B") -> str:
    head = f'Content-Disposition: form-data; name="f{number}"{more}'
    return f"--{boundary}\r\n{head}\r\n\r\n{value}\r\n"


def fields(value: str, more: str = "") -> Callable[[int], str]:
    return lambda size: joined(lambda number: field(number, value, more), size) + END


def rooted(atom: str) -> Callable[[int], str]:
    return lambda size: f"<r>{filled(atom, size)}</r>"


def listed(atom: str) -> Callable[[int], str]:
    return lambda size: f"[{filled(atom, size)}1]"


def in_field(atom: str) -> Callable[[int], str]:
    return lambda size: json.dumps({"a": filled(atom, size)})


def packed64(text: str, size: int) -> str:
    return base64.b64encode(filled(text, size * 3 // 4).encode()).decode()


def words(size: int) -> str:
    rng = random.Random(1)
    return joined(lambda _: "".join(rng.choices("abcdefgh", k=7)) + "'x ", size)


def binary_part(size: int) -> bytes:
    data = random.Random(1).randbytes(size)
    head = field(1, "", '; filename="a.bin"').removesuffix("\r\n").encode()
    return head + data + b"\r\n" + END.encode()


SHAPES: dict[str, tuple[str, Callable[[int], str | bytes]]] = {
    "multipart, a file with the boundary in it": (PARTS, binary_part),
    "multipart, boundaries": (PARTS, lambda n: filled("--B", n)),
    "multipart, lines of boundaries": (PARTS, lambda n: filled("--B\r\n", n) + END),
    "multipart, dashes": (PARTS, lambda n: filled("-", n)),
    "multipart, boundary of dashes": (PARTS[:-1] + "-", lambda n: filled("-", n)),
    "multipart, tiny fields": (PARTS, fields("x'")),
    "multipart, fields and LF": (PARTS, lambda n: fields("x'")(n).replace("\r\n", "\n")),
    "multipart, parts without a head": (PARTS, lambda n: filled("--B\r\n\r\nx\r\n", n) + END),
    "multipart, tiny files": (PARTS, fields("x", '; filename="a.txt"')),
    "multipart, files with odd names": (PARTS, fields("x", "; filename*=utf-8''a.txt")),
    "multipart, one long field": (PARTS, lambda n: field(1, filled("' ", n)) + END),
    "multipart, a long head": (PARTS, lambda n: field(1, "x", filled('; a="b"', n)) + END),
    "multipart, a head of lines": (PARTS, lambda n: "--B\r\n" + filled("X-A: b\r\n", n) + "\r\nx\r\n" + END),
    "multipart, four boundaries": (FOUR, lambda n: joined(lambda i: field(i, "x'", "", "BCDE"[i % 4]), n) + END),
    "XML, elements": (XML, rooted("<a>x'</a>")),
    "XML, harmless elements": (XML, rooted("<a>x</a>")),
    "XML, attributes": (XML, rooted("<a b='x\"'/>")),
    "XML, brackets": (XML, lambda n: filled("<", n)),
    "XML, comments": (XML, rooted("<!--x'-->")),
    "XML, sections": (XML, rooted("<![CDATA[x']]>")),
    "XML, instructions": (XML, rooted("<?a x'?>")),
    "XML, references": (XML, rooted("&lt;")),
    "XML, without ends": (XML, lambda n: filled("<a>", n)),
    "XML in JSON": (JSON, lambda n: json.dumps({"a": "<?xml version='1.0'?>" + rooted("<a>x'</a>")(n)})),
    "form, layers of percent": (FORM, lambda n: "a=" + filled("%252527", n)),
    "form, more layers": (FORM, lambda n: "a=" + filled("%2525252525252527", n)),
    "form, percent": (FORM, lambda n: "a=" + filled("%25", n)),
    "form, tiny pairs": (FORM, lambda n: filled("a='&", n)),
    "form, names": (FORM, lambda n: joined(lambda i: f"a'{i}=1&", n)),
    "form, separators": (FORM, lambda n: filled("&", n)),
    "form, one value": (FORM, lambda n: "a=" + filled("'+or+", n)),
    "form, Cyrillic": (FORM, lambda n: "a=%27&b=" + filled("%D0%B0%D1%8F+", n)),
    "JSON, layers of percent": (JSON, in_field("%25252527")),
    "JSON, numbers": (JSON, listed("1,")),
    "JSON, strings": (JSON, lambda n: "[" + joined(lambda i: f'"\'{i}"', n, ",") + "]"),
    "JSON, keys": (JSON, lambda n: "{" + joined(lambda i: f'"\'{i}":1', n, ",") + "}"),
    "JSON, objects": (JSON, listed("{},")),
    "JSON, nested": (JSON, listed("[" * 20 + "\"'\"" + "]" * 20 + ",")),
    "JSON, escapes": (JSON, lambda n: '{"a":"' + filled("\\u0027", n) + '"}'),
    "JSON, one string": (JSON, in_field("' ")),
    "JSON, in JSON": (JSON, lambda n: json.dumps({"a": json.dumps([f"'{i}" for i in range(n // 12)])})),
    "JSON, lines": (JSON, lambda n: filled('{"a":"\'"}\n', n)),
    "JSON, no end": (JSON, lambda n: "[" + filled('"\'",', n)),
    "JSON, brackets": (JSON, lambda n: filled("[", n)),
    "JSON, quotes": (JSON, lambda n: filled('"', n)),
    "JSON, backslashes": (JSON, lambda n: '"' + filled("\\", n)),
    "JSON, GraphQL": (JSON, lambda n: json.dumps({"query": "{" + filled("a(b:\"c'\") ", n) + "}"})),
    "JSON, a file in base64": (JSON, lambda n: json.dumps({"file": packed64("<script>alert(1)</script> ", n)})),
    "JSON, a data URL": (JSON, lambda n: json.dumps({"a": "data:text/html;base64," + packed64("<b>a' or 1</b> ", n)})),
    "text, quotes": (TEXT, lambda n: filled("' ", n)),
    "text, tags": (TEXT, lambda n: filled("<a b='c'>", n)),
    "text, words": (TEXT, words),
    "text, statements": (TEXT, lambda n: filled("SELECT * FROM a;\n", n)),
    "text, harmless": (TEXT, lambda n: filled("hello world ", n)),
    "text, beyond ASCII": (TEXT, lambda n: filled("\u00e9' ", n)),
    "text, layers of percent": (TEXT, lambda n: filled("%252527", n)),
    "text, percent signs": (TEXT, lambda n: filled("%", n)),
    "text, JSON": (TEXT, listed('"a\'",')),
    "text, base64": (TEXT, lambda n: packed64("<b>a' or 1</b> ", n)),
    "text in EBCDIC": (TEXT + "; charset=cp037", lambda n: filled("a' ", n).encode("cp037")),
    "file, JSON": ("application/octet-stream", listed('"a\'",')),
    "file, form": ("application/octet-stream", lambda n: filled("a='&", n)),
}  # fmt: skip


def posted(kind: str, body: bytes, coding: str = "") -> dict[str, Any]:
    sent = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    packed = {"HTTP_CONTENT_ENCODING": coding} if coding else {}
    return environ() | SERVER | {"REQUEST_METHOD": "POST"} | sent | packed


def measured(kind: str, body: bytes, coding: str) -> tuple[float, str, list[str]]:
    sent = gzip.compress(body, 1) if coding else body
    request = posted(kind, sent, coding)
    taken, status = seconds(new_guard(), request)
    for _ in range(2):
        if taken <= MOST_SECONDS:
            break
        taken = min(taken, seconds(new_guard(), posted(kind, sent, coding))[0])
    verdict = request.get("guard_wsgi")
    found = [] if verdict is None else [one.indicators[0] for one in verdict.findings]
    return taken, status, found[:2]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, default=8_000_000)
    parser.add_argument("--only", default="", help="how names of shapes begin, with commas between")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    measured(TEXT, b"1' union select 1", "")  # loads the patterns
    rows = []
    for name, (kind, make) in SHAPES.items():
        if options.only and not name.startswith(tuple(options.only.split(","))):
            continue
        made = make(options.size)
        body = made.encode() if isinstance(made, str) else made
        for coding in ("", "gzip"):
            taken, status, found = measured(kind, body, coding)
            rows.append((taken, len(body), f"{name} {coding}", status, found))
    for taken, length, name, status, found in sorted(rows, reverse=True):
        each = taken * 1e6 / length
        print(f"{taken * 1e3:8.1f} ms {each:7.3f} us a byte   {name:46} {status}   {found}")
    print(f"over 150 ms: {sum(row[0] > MOST_SECONDS for row in rows)} of {len(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
