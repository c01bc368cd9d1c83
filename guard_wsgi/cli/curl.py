"""Reads a ``curl`` command, as browsers copy it, as the request that it sends."""

from __future__ import annotations

import argparse
import base64
import json
import re
import shlex
from typing import Any, NoReturn
from urllib.parse import quote_plus

from guard_wsgi.cli.inspecting import MAX_HEADERS, environ_of
from guard_wsgi.cli.loading import CommandError

BOUNDARY = "----guard-wsgi-inspect"
"""The boundary of the multipart body that ``-F`` makes; curl's own is random."""

MAX_WORDS = 1000
"""The most words of a command; a browser copies some 60."""

_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_WINDOWS = re.compile(r"\^[ \t]*\r?\n|\s\^\"?https?:")
"""Line ends and quotes, as the Windows command line escapes them."""
_IGNORED = (
    *("-s", "-S", "-i", "-v", "-k", "-L", "-f", "-g", "-N", "-#"),
    *("--silent", "--show-error", "--include", "--verbose", "--insecure", "--location", "--fail"),
    *("--globoff", "--no-buffer", "--compressed", "--http1.1", "--http2", "--path-as-is"),
)
_IGNORED_WITH_VALUE = ("-o", "--output", "-m", "--max-time", "--connect-timeout", "-w", "--retry")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(f"curl: {message}")


class _Field(argparse.Action):
    """A field of a form; ``reads_files`` says whether ``@`` and ``<`` begin the name of a file."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        is_literal = option_string == "--form-string"
        namespace.form = [*namespace.form, (values, is_literal)]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="curl", add_help=False, allow_abbrev=False)
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--url", dest="url")
    parser.add_argument("-X", "--request", dest="method")
    parser.add_argument("-H", "--header", dest="headers", action="append", default=[])
    parser.add_argument(
        "-d", "--data", "--data-raw", "--data-binary", "--data-ascii", dest="data", action="append"
    )
    parser.add_argument("--data-urlencode", dest="encoded", action="append", default=[])
    parser.add_argument("--json", dest="json")
    parser.add_argument("-F", "--form", dest="form", action=_Field, default=[])
    parser.add_argument("--form-string", dest="form", action=_Field, default=[])
    parser.add_argument("-b", "--cookie", dest="cookie")
    parser.add_argument("-A", "--user-agent", dest="user_agent")
    parser.add_argument("-e", "--referer", dest="referer")
    parser.add_argument("-u", "--user", dest="user")
    parser.add_argument("-G", "--get", dest="get", action="store_true")
    parser.add_argument("-I", "--head", dest="head", action="store_true")
    parser.add_argument(*_IGNORED, dest="_", action="store_true")
    parser.add_argument(*_IGNORED_WITH_VALUE, dest="_value")
    return parser


def parse_curl(command: str) -> dict[str, Any]:
    """Make the environ of the request that a ``curl`` command sends. Files are not read.

    :raises CommandError: if it is not a curl command, or names a file.
    """
    text = _ANSI_C.sub(lambda found: shlex.quote(_unescaped(found[1])), command.strip())
    try:
        words = shlex.split(text.replace("\\\r\n", " ").replace("\\\n", " "))
    except ValueError as error:
        raise CommandError(f"curl: {error}") from None
    if _WINDOWS.search(command):
        raise CommandError(
            "curl: this is quoted for the Windows command line; copy as cURL (POSIX, or bash)"
        )
    if not words or words[0] != "curl":
        raise CommandError("not a curl command: it must begin with 'curl'")
    if len(words) > MAX_WORDS:
        raise CommandError(f"curl: {len(words)} words; at most {MAX_WORDS} are allowed")
    options = _parser().parse_args(words[1:])
    if len(options.headers) > MAX_HEADERS:
        raise CommandError(f"curl: {len(options.headers)} headers: servers take {MAX_HEADERS}")
    url = options.url or (options.urls[0] if options.urls else "")
    if not url:
        raise CommandError("curl: the URL is missing")
    if "://" not in url and not url.startswith("/"):
        url = "http://" + url
    headers, body = _headers(options), _body(options)
    for name, value in _implied(options).items():
        if name.lower() not in {known.lower() for known in headers}:
            headers[name] = value
    if options.get and body is not None:
        url += ("&" if "?" in url else "?") + body.decode("latin-1")
        body = None
    method = options.method or ("HEAD" if options.head else "GET" if body is None else "POST")
    return environ_of(method, url, headers, body or b"")


def _headers(options: argparse.Namespace) -> dict[str, str]:
    headers: dict[str, str] = {}
    for header in options.headers:
        name, colon, value = _no_file(header).partition(":")
        if colon and value.strip():
            headers[name.strip()] = value.strip()
    return headers


def _implied(options: argparse.Namespace) -> dict[str, str]:
    """Return the headers that options stand for. A header that was given explicitly takes
    precedence."""
    implied = {"User-Agent": options.user_agent or "curl/8.5.0", "Accept": "*/*"}
    if options.cookie:
        implied["Cookie"] = options.cookie
    if options.referer:
        implied["Referer"] = options.referer
    if options.user:
        implied["Authorization"] = "Basic " + base64.b64encode(options.user.encode()).decode()
    if options.json is not None:
        implied["Content-Type"] = implied["Accept"] = "application/json"
    elif options.form:
        implied["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
    elif (options.data or options.encoded) and not options.get:
        implied["Content-Type"] = "application/x-www-form-urlencoded"
    return implied


def _body(options: argparse.Namespace) -> bytes | None:
    if options.json is not None:
        return _no_file(options.json).encode()
    if options.form:
        return _multipart(options.form)
    parts = [_no_file(one) for one in options.data or ()]
    parts += [_encoded(one) for one in options.encoded]
    if not parts:
        return None
    return "&".join(parts).encode("utf-8", "surrogateescape")


def _encoded(part: str) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return quote_plus(_no_file(part))
    return (f"{name}=" if name else "") + quote_plus(_no_file(value))


def _multipart(fields: list[tuple[str, bool]]) -> bytes:
    lines: list[str] = []
    for one, is_literal in fields:
        name, _, value = one.partition("=")
        disposition = f"Content-Disposition: form-data; name={json.dumps(name)}"
        lines += [f"--{BOUNDARY}", disposition, "", value if is_literal else _no_file(value, "@<")]
    return "\r\n".join([*lines, f"--{BOUNDARY}--", ""]).encode("utf-8", "surrogateescape")


def _no_file(text: str, marks: str = "@") -> str:
    if text[:1] and text[0] in marks:
        raise CommandError(f"curl: {text[:80]!r} names a file, which is not read: paste its text")
    return text


def _unescaped(text: str) -> str:
    """Decode bash's ``$'...'``."""
    simple = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "v": "\v"}

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        return simple.get(found[2], found[2])

    return re.sub(r"\\(?:[xuU]([0-9a-fA-F]{1,6})|(.))", one, text, flags=re.DOTALL)
