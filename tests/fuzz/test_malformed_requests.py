"""Requests that no client means: answered with a 4xx or noted as a finding, and never a 500.

The timeout of each test is the bound on its time: a parser that is quadratic in any of these
would take minutes.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.kit.gateway import Answer, Environ, body_stream, environ_for, serve

pytestmark = pytest.mark.timeout(30)

DEEP = 10_000
MEGABYTE = 1024 * 1024
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=frontier"


class ReadingApp:
    """Reads the whole body and remembers the verdict it was given."""

    def __init__(self) -> None:
        self.findings: tuple[Any, ...] | None = None

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.findings = environ["guard_wsgi"].findings
        while environ["wsgi.input"].read(65_536):
            pass
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"reached"]


def guarded(**options: Any) -> tuple[GuardMiddleware, ReadingApp]:
    app = ReadingApp()
    return GuardMiddleware(app, SecurityConfig(**{"rate_limit": 10**9, **options})), app


def post(body: bytes, content_type: str, **more: str) -> Environ:
    environ = environ_for("/upload", method="POST")
    environ["wsgi.input"] = body_stream(body)
    environ["CONTENT_TYPE"] = content_type
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.update(more)
    return environ


def get(**more: str) -> Environ:
    environ = environ_for("/page")
    environ.update(more)
    return environ


def outcome(environ: Environ, **options: Any) -> tuple[Answer, bool]:
    """The answer, and whether the app was reached without anything noted."""
    guard, app = guarded(**options)
    try:
        answer = serve(guard, environ)
        faults = {name: n for name, n in guard.stats().items() if name.startswith("faults")}
        assert not faults, faults
        assert answer.code < 500, (answer.status, answer.body)
        return answer, app.findings == ()
    finally:
        guard.close()


def multipart(parts: int, end: bool = True) -> bytes:
    part = b'--frontier\r\nContent-Disposition: form-data; name="a%d"\r\n\r\nvalue\r\n'
    return b"".join(part % n for n in range(parts)) + (b"--frontier--\r\n" if end else b"")


NOTICED = [
    pytest.param(lambda: get(QUERY_STRING="q=" + "a" * MEGABYTE), id="query of a megabyte"),
    pytest.param(
        lambda: get(QUERY_STRING="&".join(f"p{n}={n}" for n in range(100_000))),
        id="100,000 parameters",
    ),
    pytest.param(lambda: post(b"[" * DEEP + b"]" * DEEP, JSON), id="JSON lists 10,000 deep"),
    pytest.param(
        lambda: post(b'{"a":' * DEEP + b"1" + b"}" * DEEP, JSON), id="JSON objects 10,000 deep"
    ),
    pytest.param(lambda: post(b"[" * DEEP, JSON), id="JSON never closed, 10,000 deep"),
    pytest.param(lambda: post(multipart(3, end=False), MULTIPART), id="multipart without an end"),
    pytest.param(lambda: post(b"abc", JSON, CONTENT_LENGTH="-3"), id="negative length"),
    pytest.param(lambda: post(b"abc", JSON, CONTENT_LENGTH="abc"), id="length in letters"),
    pytest.param(
        lambda: post(b"abc", JSON, HTTP_TRANSFER_ENCODING="chunked"), id="length and chunked"
    ),
    pytest.param(lambda: get(PATH_INFO="/a\x00b"), id="NUL in the path"),
    pytest.param(lambda: get(QUERY_STRING="q=a%00b"), id="NUL in the query"),
    pytest.param(lambda: get(QUERY_STRING="q=%c0%ae%c0%ae/etc/passwd"), id="overlong UTF-8 dots"),
]


@pytest.mark.parametrize("make", NOTICED)
def test_it_is_refused_or_found(make: Callable[[], Environ]) -> None:
    answer, unnoticed = outcome(make())
    assert 400 <= answer.code < 500 or not unnoticed, answer


@pytest.mark.parametrize("make", NOTICED)
def test_it_is_found_and_passed_in_passive_mode(make: Callable[[], Environ]) -> None:
    outcome(make(), passive_mode=True)


SURVIVED = [
    pytest.param(lambda: get(QUERY_STRING="q=100%&r=%zz&s=%"), id="bad percent-encoding"),
    pytest.param(lambda: get(QUERY_STRING="q=%u0041%uzzzz"), id="IIS percent-encoding"),
    pytest.param(lambda: get(QUERY_STRING="q=%ff%fe%80"), id="invalid UTF-8, encoded"),
    pytest.param(lambda: get(QUERY_STRING="q=\xff\xfe\x80"), id="invalid UTF-8, raw"),
    pytest.param(lambda: get(PATH_INFO="/\xff\xfe"), id="invalid UTF-8 in the path"),
    pytest.param(lambda: get(PATH_INFO=""), id="no path"),
    pytest.param(lambda: get(PATH_INFO="no/slash"), id="path without its slash"),
    pytest.param(lambda: get(PATH_INFO="/" + "a/" * 100_000), id="path of 100,000 segments"),
    pytest.param(lambda: get(PATH_INFO="/" + "../" * 10_000), id="10,000 times up"),
    pytest.param(lambda: get(REQUEST_METHOD="NO SUCH"), id="method with a space"),
    pytest.param(lambda: get(REQUEST_METHOD="x" * 10_000), id="very long method"),
    pytest.param(lambda: get(HTTP_HOST="[::1"), id="broken host"),
    pytest.param(lambda: get(HTTP_HOST="a b\tc"), id="host with spaces"),
    pytest.param(lambda: get(HTTP_HOST=""), id="empty host"),
    pytest.param(lambda: get(REMOTE_ADDR=""), id="no peer"),
    pytest.param(lambda: get(REMOTE_ADDR="not an address"), id="peer that is no address"),
    pytest.param(lambda: get(HTTP_COOKIE="=;;=;a=\x01;" * 2000), id="malformed cookies"),
    pytest.param(lambda: get(HTTP_COOKIE="a=b; " * 20_000), id="100 KB of cookies"),
    pytest.param(lambda: get(HTTP_USER_AGENT="\xff" * 10_000), id="agent in no encoding"),
    pytest.param(lambda: get(HTTP_USER_AGENT="(" * 100_000), id="agent of 100,000 brackets"),
    pytest.param(lambda: get(HTTP_X_FORWARDED_FOR="," * 50_000), id="50,000 commas forwarded"),
    pytest.param(lambda: get(HTTP_AUTHORIZATION="Basic ====="), id="malformed credentials"),
    pytest.param(lambda: get(HTTP_ACCEPT=",;q=x," * 5_000), id="malformed Accept"),
    pytest.param(lambda: get(HTTP_ORIGIN="\x00null"), id="malformed Origin"),
    pytest.param(lambda: post(b"", JSON), id="empty JSON"),
    pytest.param(lambda: post(b'{"a": ', JSON), id="JSON cut short"),
    pytest.param(lambda: post(b"\xff\xfe\x00\x80", JSON), id="JSON in no encoding"),
    pytest.param(lambda: post(b'{"a":1e999999999}', JSON), id="JSON number out of range"),
    pytest.param(lambda: post(b"1" * 100_000, JSON), id="JSON number of 100,000 digits"),
    pytest.param(lambda: post(b'"\\ud800"', JSON), id="JSON with a lone surrogate"),
    pytest.param(
        lambda: post(b'{"a":1}', "application/json; charset=no-such"), id="unknown charset"
    ),
    pytest.param(lambda: post(b"x", "multipart/form-data"), id="multipart without boundary"),
    pytest.param(lambda: post(b"x", 'multipart/form-data; boundary=""'), id="empty boundary"),
    pytest.param(
        lambda: post(b"x", "multipart/form-data; boundary=" + "b" * 10_000), id="huge boundary"
    ),
    pytest.param(lambda: post(b"--other\r\n\r\n", MULTIPART), id="another boundary"),
    pytest.param(lambda: post(b"--frontier\r\n" * 20_000, MULTIPART), id="boundaries only"),
    pytest.param(lambda: post(multipart(5_000), MULTIPART), id="5,000 parts"),
    pytest.param(
        lambda: post(b"--frontier\r\nX: " + b"y" * 200_000, MULTIPART), id="endless part header"
    ),
    pytest.param(
        lambda: post(b"<a>" * 20_000, "application/xml"), id="XML 20,000 deep, never closed"
    ),
    pytest.param(
        lambda: post(
            b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>', "text/xml"
        ),
        id="XML entities",
    ),
    pytest.param(
        lambda: post(b'{"query": "' + b"{a" * 10_000 + b'"}', JSON), id="GraphQL 10,000 deep"
    ),
    pytest.param(lambda: post(b"%" * 200_000, "application/x-www-form-urlencoded"), id="percents"),
    pytest.param(
        lambda: post(b"&" * 200_000, "application/x-www-form-urlencoded"), id="ampersands"
    ),
    pytest.param(lambda: post(b"=" * 200_000, "application/x-www-form-urlencoded"), id="equals"),
    pytest.param(lambda: post(b"a", "\x00;;;=\xff"), id="malformed content type"),
    pytest.param(lambda: post(b"a" * 1000, ";" * 20_000), id="content type of semicolons"),
    pytest.param(
        lambda: post(gzip.compress(b"\x00" * 50 * MEGABYTE), JSON, HTTP_CONTENT_ENCODING="gzip"),
        id="gzip of 50 MB of zeros",
    ),
    pytest.param(
        lambda: post(zlib.compress(b"a" * 50 * MEGABYTE), JSON, HTTP_CONTENT_ENCODING="deflate"),
        id="deflate of 50 MB",
    ),
    pytest.param(
        lambda: post(b"\x1f\x8b broken", JSON, HTTP_CONTENT_ENCODING="gzip"), id="broken gzip"
    ),
    pytest.param(
        lambda: post(b"abc", JSON, HTTP_CONTENT_ENCODING="gzip, " * 1000), id="1,000 encodings"
    ),
    pytest.param(
        lambda: get(QUERY_STRING="q=" + "%25" * 100_000 + "27"), id="encoded 100,000 times"
    ),
    pytest.param(lambda: get(QUERY_STRING="q=" + "&lt;" * 50_000), id="entities"),
    pytest.param(lambda: get(QUERY_STRING="q=" + "(" * 50_000), id="50,000 brackets"),
    pytest.param(lambda: get(QUERY_STRING="q=" + "' or " * 20_000), id="20,000 conditions"),
    pytest.param(lambda: get(QUERY_STRING="q=" + "/*" * 50_000), id="50,000 comments"),
    pytest.param(lambda: get(QUERY_STRING="q=" + "A" * 60_000 + "=="), id="long base64"),
]


@pytest.mark.parametrize("make", SURVIVED)
def test_it_is_never_a_server_error(make: Callable[[], Environ]) -> None:
    outcome(make())


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"trusted_proxies": ("203.0.113.0/24",)}, id="behind a proxy"),
        pytest.param({"enable_cors": True, "cors_allow_origins": ["https://a.example"]}, id="CORS"),
        pytest.param({"blocked_user_agents": ["bad.*bot"]}, id="user agents"),
        pytest.param({"enforce_https": True, "allowed_hosts": ["a.example"]}, id="https"),
        pytest.param({"passive_mode": True}, id="passive"),
        pytest.param({"error_format": "problem"}, id="problem documents"),
    ],
)
def test_no_setting_turns_it_into_a_server_error(options: dict[str, Any]) -> None:
    for parameter in SURVIVED[:26]:
        outcome(parameter.values[0](), **options)  # type: ignore[operator]
