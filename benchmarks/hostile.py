"""Measures the highest cost per byte: repeated atoms in every format.

    python benchmarks/hostile.py                                  all formats at 40 kB
    python benchmarks/hostile.py --size 1000000 --only XML,JSON   some formats, a larger text
    python benchmarks/hostile.py --worst 20

Each request repeats one atom: as a value, as many values with different names, as names, as the raw
body. A guard with default settings answers it; the app reads nothing. The script prints the most
expensive requests, in processor time per byte (us) and per request (ms), and how many exceed the
limits: 0.5 microseconds a byte, 150 milliseconds. A request over a limit is measured three times,
each with a new guard, and the least counts: other processes share the processor's caches.
"""

# ruff: noqa: E501  (a table)
from __future__ import annotations

import argparse
import base64
import gzip
import json
import logging
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import quote_plus

sys.path.append(str(Path(__file__).resolve().parents[1]))

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.detection.pump import ATOMS
from tests.detection.requests import environ
from tests.kit.gateway import text_app

MORE = (
    *("--B\r\n", "--B", '; name="a"', "x'", "='", "1' or", "{},", '"\'",', '{"a":"<b"},', "<a>", "</a>"),
    *("<a b='c'/>", "&lt;", "&#39;", "%25", "%2527", "%252527", "%u003c", "\\x27", "\\u003c", "$(a)"),
    *("`a`", "a'b", "' ", "(select", "/bin/", "/etc/passwd ", "C:\\", "../../", "eyJhIjoxfQ==", "H4sIAAAA"),
    *("PHNjcmlwdD4= ", "data:text/html,<b>", "on=", "onerror=", "javascript:", "{{7", "<%=", "<?php "),
    *("@a(", "http://127.0.0.1/", "//a?b=c&", "?a=b&c=d#", ";id", "|id", "&&id", "\n- a", "```\na\n```\n"),
    *("    at a.b(c.java:1)\n", "INFO [a] b=c\n", "query{a}", "{a{b}}", "...a ", "__class__.", "a\x00"),
    *("\u200b", "\u00ad", "\uff1c", "+ADw-", "\x1b[31m", "=HYPERLINK(", "'a','b',", "SELECT * FROM a;\n"),
    *("def a(b):\n", "if(a){b}\n", "$a='b';", "import os\n", "100% ", "A=", "\r\n\r\n", "''a", "a'+'b"),
    *("a||'b", "/**/", "/*a*/", "--a\n", "&a;", "==", "\\\\", "\\n", "<", "'"),
)  # fmt: skip
FORM, JSON, XML = "application/x-www-form-urlencoded", "application/json", "text/xml"
MULTIPART = "multipart/form-data; boundary=B"
FIELD = '--B\r\nContent-Disposition: form-data; name="a{0}{1}"\r\n\r\n{2}\r\n'
HEADERS = ("REFERER", "USER_AGENT", "AUTHORIZATION", "X_ANY", "IF_NONE_MATCH", "FORWARDED")
MAX_HEAD = 64_000
SERVER = {
    **{"REMOTE_ADDR": "198.51.100.23", "SERVER_NAME": "shop.example.com", "SERVER_PORT": "80"},
    **{"SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr},
    **{"wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False},
}
Make = Callable[[str, int], dict[str, Any]]


def filled(atom: str, size: int) -> str:
    return (atom * (size // len(atom) + 1))[:size]


def many(one: Callable[[int], str], size: int, between: str = "") -> str:
    return between.join(map(one, range(size // (len(one(9)) + len(between)) + 1)))


def posted(kind: str, make: Callable[[str, int], str]) -> Make:
    def request(atom: str, size: int) -> dict[str, Any]:
        body = make(atom, size).encode("utf-8", "surrogatepass")
        sent = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        return environ() | SERVER | {"REQUEST_METHOD": "POST"} | sent

    return request


def headed(key: str, make: Callable[[str, int], str]) -> Make:
    def request(atom: str, size: int) -> dict[str, Any]:
        text = make(atom, min(size, MAX_HEAD)).encode().decode("latin-1")
        return environ() | SERVER | {key: text, "wsgi.input": BytesIO()}

    return request


def quoted(atom: str) -> str:
    return json.dumps(atom, ensure_ascii=False)[1:-1]


def word(number: int) -> str:
    """A word for a number: values that no memory of others knows."""
    letters = ""
    while number >= 0:
        letters += chr(97 + number % 26)
        number = number // 26 - 1
    return letters


def inside(text: str, layers: int) -> str:
    """A text in base64, several times over."""
    for _ in range(layers):
        text = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    return text


def token(atom: str, number: int) -> str:
    """A JSON Web Token whose claims have the atom (RFC 7519)."""
    parts = ('{"alg":"none"}', json.dumps({"a": f"{atom}{word(number)}"}))
    return ".".join(inside(part, 1).rstrip("=") for part in (*parts, "x"))


def many_headers(atom: str, size: int) -> dict[str, Any]:
    request = environ() | SERVER | {"wsgi.input": BytesIO()}
    text = filled(atom, size // 100).encode().decode("latin-1")
    return request | {f"HTTP_X_{number}": text + str(number) for number in range(100)}


def packed(make: Make) -> Make:
    """The same in gzip; the length that counts is what is in it."""

    def request(atom: str, size: int) -> dict[str, Any]:
        made = make(atom, size)
        body = gzip.compress(made["wsgi.input"].getvalue(), 1)
        sent = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return made | sent | {"HTTP_CONTENT_ENCODING": "gzip"}

    return request


FORMATS: dict[str, Make] = {
    "JSON, raw": posted(JSON, filled),
    "JSON, one string": posted(JSON, lambda a, n: '{"a":"' + filled(quoted(a), n) + '"}'),
    "JSON, strings": posted(
        JSON, lambda a, n: "[" + many(lambda i: f'"{quoted(a)}{i}"', n, ",") + "]"
    ),
    "JSON, fields": posted(
        JSON, lambda a, n: "{" + many(lambda i: f'"k{i}":"{quoted(a)}{i}"', n, ",") + "}"
    ),
    "JSON, keys": posted(
        JSON, lambda a, n: "{" + many(lambda i: f'"{quoted(a)}{i}":1', n, ",") + "}"
    ),
    "JSON, in JSON": posted(JSON, lambda a, n: json.dumps({"a": json.dumps({"b": filled(a, n)})})),
    "form, raw": posted(FORM, filled),
    "form, one value": posted(FORM, lambda a, n: "a=" + filled(quote_plus(a), n)),
    "form, pairs": posted(FORM, lambda a, n: many(lambda i: f"a{i}={quote_plus(a)}", n, "&")),
    "form, pairs as they are": posted(FORM, lambda a, n: many(lambda i: f"a{i}=x{a}{i}", n, "&")),
    "form, names": posted(FORM, lambda a, n: many(lambda i: f"{a}{i}=1", n, "&")),
    "multipart, raw": posted(MULTIPART, filled),
    "multipart, one field": posted(
        MULTIPART, lambda a, n: FIELD.format("", "", filled(a, n)) + "--B--\r\n"
    ),
    "multipart, fields": posted(
        MULTIPART, lambda a, n: many(lambda i: FIELD.format(i, "", f"{a}{i}"), n) + "--B--\r\n"
    ),
    "multipart, heads": posted(
        MULTIPART, lambda a, n: many(lambda i: FIELD.format(i, a, "x"), n) + "--B--\r\n"
    ),
    "XML, raw": posted(XML, filled),
    "XML, one text": posted(XML, lambda a, n: f"<a>{filled(a, n)}</a>"),
    "XML, elements": posted(
        XML, lambda a, n: "<r>" + many(lambda i: f"<a{i % 7}>{a}{i}</a{i % 7}>", n) + "</r>"
    ),
    "XML, attributes": posted(
        XML, lambda a, n: "<r>" + many(lambda i: f'<a b="{a}{i}"/>', n) + "</r>"
    ),
    "text": posted("text/plain", filled),
    "text, behind a trace": posted("text/plain", lambda a, n: "../ " + filled(a, n)),
    "file": posted("application/octet-stream", filled),
    "GraphQL": posted("application/graphql", filled),
    "query, one value": headed("QUERY_STRING", lambda a, n: "a=" + filled(quote_plus(a), n)),
    "query, behind a trace": headed("QUERY_STRING", lambda a, n: "z=..%2f&" + filled(a, n)),
    "query, pairs": headed("QUERY_STRING", lambda a, n: many(lambda i: f"a{i}={a}", n, "&")),
    "path": headed("PATH_INFO", lambda a, n: "/" + filled(a, n)),
    "cookie, raw": headed("HTTP_COOKIE", filled),
    "cookie, pairs": headed("HTTP_COOKIE", lambda a, n: many(lambda i: f"a{i}={a}", n, "; ")),
    # Values that all differ, and structures in structures.
    "varied query": headed(
        "QUERY_STRING", lambda a, n: many(lambda i: f"{word(i)}={word(i)}{a}", n, "&")
    ),
    "varied form": posted(
        FORM,
        lambda a, n: many(lambda i: f"{word(i)}={word(i)}{quote_plus(a)}{word(i * 7)}", n, "&"),
    ),
    "varied JSON": posted(
        JSON,
        lambda a, n: (
            "{" + many(lambda i: f'"{word(i)}":"{word(i)}{quoted(a)}{word(i * 7)}"', n, ",") + "}"
        ),
    ),
    "varied keys": posted(
        JSON,
        lambda a, n: "{" + many(lambda i: f'"{word(i)}{quoted(a)}{word(i * 7)}":1', n, ",") + "}",
    ),
    "varied cookies": headed(
        "HTTP_COOKIE", lambda a, n: many(lambda i: f"{word(i)}={word(i)}{a}", n, "; ")
    ),
    "varied cookies, quoted": headed(
        "HTTP_COOKIE", lambda a, n: many(lambda i: f'{word(i)}="{word(i)}\\{quoted(a)}"', n, "; ")
    ),
    "varied fields": posted(
        MULTIPART,
        lambda a, n: many(lambda i: FIELD.format(word(i), "", f"{a}{word(i)}"), n) + "--B--\r\n",
    ),
    "varied file names": posted(
        MULTIPART,
        lambda a, n: (
            many(lambda i: FIELD.format(word(i), f'; filename="{word(i)}{a}.txt"', "x"), n)
            + "--B--\r\n"
        ),
    ),
    "varied XML": posted(
        XML,
        lambda a, n: "<r>" + many(lambda i: f'<a b="{word(i)}{a}">{a}{word(i)}</a>', n) + "</r>",
    ),
    "varied paths": headed("PATH_INFO", lambda a, n: "/" + many(lambda i: f"{word(i)}{a}", n, "/")),
    "headers, a hundred": many_headers,
    "JSON, nested": posted(
        JSON,
        lambda a, n: (
            "[" + many(lambda i: '{"a":' * 30 + f'"{quoted(a)}{word(i)}"' + "}" * 30, n, ",") + "]"
        ),
    ),
    "JSON, one key": posted(JSON, lambda a, n: '{"' + filled(quoted(a), n) + '":"x"}'),
    "XML, nested": posted(
        XML,
        lambda a, n: "<r>" + many(lambda i: "<a>" * 30 + f"{a}{word(i)}" + "</a>" * 30, n) + "</r>",
    ),
    "XML, one name": posted(XML, lambda a, n: f"<{filled(a, n)}>x</a>"),
    "tokens, JSON": posted(
        JSON, lambda a, n: "[" + many(lambda i: f'"{token(a, i)}"', n, ",") + "]"
    ),
    "tokens, form": posted(FORM, lambda a, n: many(lambda i: f"a{i}={token(a, i)}", n, "&")),
    "tokens, cookies": headed(
        "HTTP_COOKIE", lambda a, n: many(lambda i: f"a{i}={token(a, i)}", n, "; ")
    ),
    "base64, thrice": posted(
        JSON,
        lambda a, n: "[" + many(lambda i: f'"{inside(a * 3 + word(i), 3)}"', n, ",") + "]",
    ),
    "base64, one value": posted(FORM, lambda a, n: "a=" + quote_plus(inside(filled(a, n // 2), 1))),
    "percent, thrice": posted(
        FORM,
        lambda a, n: many(
            lambda i: f"a{i}={quote_plus(quote_plus(quote_plus(a)))}{word(i)}", n, "&"
        ),
    ),
    "JSON in a form": posted(
        FORM,
        lambda a, n: many(
            lambda i: f"a{i}=" + quote_plus(json.dumps({"a": f"{a}{word(i)}"})), n, "&"
        ),
    ),
    "addresses": posted(
        FORM,
        lambda a, n: many(
            lambda i: f"a{i}=" + quote_plus(f"http://h/?b={a}&c={word(i)}#{a}"), n, "&"
        ),
    ),
    "GraphQL, many": posted(
        JSON,
        lambda a, n: (
            "["
            + many(
                lambda i: '{"query":"{a{b(c:\\"' + quoted(quoted(a)) + f'{word(i)}\\")}}}}"}}',
                n,
                ",",
            )
            + "]"
        ),
    ),
    "multipart, long heads": posted(
        MULTIPART,
        lambda a, n: (
            many(lambda i: FIELD.format(word(i), f'"\r\nX-{word(i)}: "' + filled(a, 2000), "x"), n)
            + "--B--\r\n"
        ),
    ),
    "gzip, JSON": packed(
        posted(JSON, lambda a, n: "[" + many(lambda i: f'"{quoted(a)}{word(i)}"', n, ",") + "]")
    ),
    **{f"header, {name}": headed(f"HTTP_{name}", filled) for name in HEADERS},
}


def seconds(guard: GuardMiddleware, request: dict[str, Any]) -> tuple[float, str]:
    statuses: list[str] = []

    def start(status: str, headers: object, error: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda data: None

    began = process_time()
    b"".join(guard(request, start))
    return process_time() - began, statuses[-1][:3]


def new_guard() -> GuardMiddleware:
    return GuardMiddleware(
        text_app(), SecurityConfig(enable_rate_limiting=False, enable_ip_banning=False)
    )


MOST_US_A_BYTE = 0.5
MOST_SECONDS = 0.15


def rows(size: int, only: str) -> Iterator[tuple[float, float, str, str, str]]:
    """Microseconds a byte, milliseconds, format, atom and the answer."""
    guard = new_guard()
    seconds(guard, FORMATS["query, one value"]("1' union select 1 ", 20))
    chosen = [name for name in FORMATS if not only or name.startswith(tuple(only.split(",")))]
    for name in chosen:
        longest = 0.0
        for atom in dict.fromkeys((*ATOMS, *MORE)):
            request = FORMATS[name](atom, size)
            sent = int(request.get("CONTENT_LENGTH") or min(size, MAX_HEAD))
            if "HTTP_CONTENT_ENCODING" in request:
                sent = size
            sent = max(sent, size // 2)
            taken, status = seconds(guard, request)
            for _ in range(2):
                if taken <= MOST_SECONDS and taken * 1e6 / sent <= MOST_US_A_BYTE:
                    break
                taken = min(taken, seconds(new_guard(), FORMATS[name](atom, size))[0])
            longest = max(longest, taken)
            yield taken * 1e6 / sent, taken * 1e3, name, atom, status
        print(f"{name:26} {longest * 1e3:8.1f} ms at most", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, default=40_000)
    parser.add_argument(
        "--only", default="", help="how names of formats begin, with commas between"
    )
    parser.add_argument("--worst", type=int, default=40)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = sorted(rows(options.size, options.only), reverse=True)
    for each, whole, name, atom, status in found[: options.worst]:
        print(f"{each:7.2f} us a byte {whole:8.1f} ms   {name:26} {status}   {atom!r}")
    many_us = sum(each > MOST_US_A_BYTE for each, *_ in found)
    print(f"over {MOST_US_A_BYTE} us a byte: {many_us} of {len(found)};", end=" ")
    print(f"over 150 ms: {sum(whole > MOST_SECONDS * 1e3 for _, whole, *_ in found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
