"""start_response through the guard: exc_info, write(), late and repeated calls (PEP 3333)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.kit.gateway import Environ, Gateway, environ_for, sandwich, serve, text_app
from tests.wsgi.guarding import INJECTION, guard, settings

TEXT = [("Content-Type", "text/plain")]
Start = Callable[..., Any]


def test_exc_info_is_passed_on_only_when_the_app_gives_it() -> None:
    answer = serve(guard(text_app()))
    assert [len(args) for args in answer.starts] == [2]


def test_an_error_page_with_exc_info_replaces_the_answer_and_our_headers_stay_single() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [*TEXT, ("X-First", "1")])
        try:
            raise ValueError("changed my mind")
        except ValueError:
            start_response("418 Teapot", [*TEXT, ("X-Second", "2")], sys.exc_info())
        return [b"teapot"]

    answer = serve(guard(app))
    assert answer.status == "418 Teapot"
    assert [len(args) for args in answer.starts] == [2, 3]
    assert answer.header("X-First") is None
    assert answer.count("X-Content-Type-Options") == 1


def test_exc_info_after_the_head_is_out_raises_the_app_s_own_error() -> None:
    failure = ValueError("too late")

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"out"
        try:
            raise failure
        except ValueError:
            start_response("500 Oops", TEXT, sys.exc_info())

    with pytest.raises(ValueError, match="too late") as raised:
        serve(guard(app))
    assert raised.value is failure


def test_a_second_call_without_exc_info_is_left_to_the_server_to_refuse() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        start_response("200 OK", TEXT)
        return []

    with pytest.raises(AssertionError, match="twice without exc_info"):
        serve(guard(app))


def test_the_app_gets_the_server_s_own_write() -> None:
    seen: list[Any] = []

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        seen.append(write)
        write(b"written ")
        return [b"and returned"]

    gateway = Gateway()
    answer = gateway.serve(guard(app), environ_for())
    assert seen == [gateway.write]
    assert answer.body == b"written and returned"


def test_a_generator_that_starts_late_still_gets_our_headers() -> None:
    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("202 Accepted", TEXT)
        yield b"late"

    gateway = Gateway()
    iterable = guard(app)(environ_for(), gateway.start_response)
    assert gateway.answer.starts == []
    assert next(iter(iterable)) == b"late"
    assert gateway.answer.status == "202 Accepted"
    assert gateway.answer.count("X-Content-Type-Options") == 1


def test_the_app_s_own_header_list_is_not_changed() -> None:
    own = [("Content-Type", "text/plain")]

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", own)
        return [b""]

    serve(guard(app))
    assert own == [("Content-Type", "text/plain")]


def test_a_header_that_the_app_has_set_stays_as_it_is() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [*TEXT, ("x-frame-options", "DENY")])
        return [b""]

    answer = serve(guard(app))
    assert answer.count("X-Frame-Options") == 1
    assert answer.header("X-Frame-Options") == "DENY"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_gets_no_content_headers(status: str) -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response(status, [])
        return []

    answer = serve(guard(app))
    assert [
        name for name, _ in answer.headers if name.lower() in ("content-type", "content-length")
    ] == []


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "DELETE"])
def test_a_passing_request_conforms_on_both_sides_of_two_guards(method: str) -> None:
    config = settings()
    app = sandwich(text_app(b"" if method == "HEAD" else b"hello"), lambda a: guard_with(a, config))
    answer = serve(app, method=method)
    assert answer.code == 200
    assert answer.count("X-Content-Type-Options") == 1


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_refusal_conforms_on_both_sides_of_two_guards(method: str) -> None:
    config = settings()
    app = sandwich(text_app(), lambda a: guard_with(a, config))
    answer = serve(app, method=method, query_string={"q": INJECTION})
    assert answer.code == 400
    assert (answer.body == b"") == (method == "HEAD")
    assert int(answer.header("Content-Length") or 0) > 0


@pytest.mark.parametrize("size", [0, 10, 300_000])
def test_a_body_conforms_on_both_sides_of_two_guards(size: int) -> None:
    def echo(environ: Environ, start_response: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", [*TEXT, ("Content-Length", str(len(body)))])
        return [body]

    config = settings()
    body = b"tea " * (size // 4)
    app = sandwich(echo, lambda a: guard_with(a, config))
    answer = serve(app, method="POST", data=body, content_type="text/plain")
    assert answer.body == body


def guard_with(app: Any, config: Any) -> Any:
    from guard_wsgi import GuardMiddleware

    return GuardMiddleware(app, config)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("own", [[], [("X-Frame-Options", "DENY")]])
def test_only_an_answer_over_tls_tells_browsers_to_stay_with_it(
    scheme: str, own: list[tuple[str, str]]
) -> None:
    """RFC 6797, 7.2: the header must not be sent over plain HTTP."""

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [*TEXT, *own])
        return [b""]

    answer = serve(guard(app), base_url=f"{scheme}://shop.example")
    assert (answer.header("Strict-Transport-Security") is not None) == (scheme == "https")
