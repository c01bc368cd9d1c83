"""A decorated function keeps its rules where its framework has no request for it: in answers that
are made while they are sent, after them, in helpers that are handed no request."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bottle
import pytest
from flask import Flask, Response
from werkzeug.wsgi import FileWrapper

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.request.current_request import ViewRefused
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve
from tests.routes.frameworks import TOKEN, Project, verify


class Secret:
    """A decorated function that is handed nothing, and how often it ran."""

    def __init__(self, config: SecurityConfig) -> None:
        self.runs = 0

        @SecurityDecorator(config).require_auth(verifier=verify)
        def call() -> str:
            self.runs += 1
            return "SECRET"

        self.call = call


def tried(app: Any, path: str, headers: dict[str, str] | None = None) -> bytes:
    """The body of an answer, as far as it comes: what refuses in a stream ends it."""
    body = b""
    try:
        answer = iter(app(environ_for(path, headers=headers or {}), lambda *begun: None))
        for chunk in answer:
            body += chunk
    except Exception:
        return body
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                body += b"!"
    return body


def streamed(secret: Secret) -> Iterator[str]:
    yield "start "
    yield secret.call()


def in_a_thread(call: Callable[[], str]) -> str:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(contextvars.copy_context().run, call).result()


def flask_site() -> tuple[Any, Secret]:
    app, config = Flask(__name__), SecurityConfig()
    secret = Secret(config)
    app.add_url_rule("/stream", "stream", lambda: Response(streamed(secret)))
    app.add_url_rule("/thread", "thread", lambda: in_a_thread(secret.call))

    @app.route("/close")
    def close() -> Response:
        response = Response("open")
        response.call_on_close(secret.call)
        return response

    FlaskAPIGuard(app, config=config)
    return app, secret


def bottle_site() -> tuple[Any, Secret]:
    app, config = bottle.Bottle(), SecurityConfig()
    secret = Secret(config)
    app.route("/stream", callback=lambda: streamed(secret))
    app.route("/thread", callback=lambda: in_a_thread(secret.call))

    def closing() -> Iterator[bytes]:
        try:
            yield b"open"
        finally:
            secret.call()

    app.route("/close", callback=closing)
    return GuardMiddleware(app, config, resolver=BottleResolver(app)), secret


def plain_site() -> tuple[Any, Secret]:
    config = SecurityConfig()
    secret = Secret(config)

    def closing() -> Iterator[bytes]:
        try:
            yield b"open"
        finally:
            secret.call()

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        if environ["PATH_INFO"] == "/stream":
            return (chunk.encode() for chunk in streamed(secret))
        if environ["PATH_INFO"] == "/close":
            return closing()
        return [in_a_thread(secret.call).encode()]

    return GuardMiddleware(app, config), secret


SITES = {"flask": flask_site, "bottle": bottle_site, "plain": plain_site}


@pytest.mark.parametrize("path", ["/stream", "/thread", "/close"])
@pytest.mark.parametrize("site", SITES)
def test_what_an_answer_calls_while_it_is_made_keeps_its_rules(site: str, path: str) -> None:
    app, secret = SITES[site]()
    for _ in range(2):
        assert b"SECRET" not in tried(app, path)
        assert secret.runs == 0
    body = tried(app, path, TOKEN)
    assert secret.runs == 1
    assert (b"SECRET" in body) is (path != "/close")
    # The request is over: a function is a function.
    assert secret.call() == "SECRET"


def test_answers_that_a_thread_sends_in_turns_lend_each_other_no_credentials() -> None:
    app, secret = flask_site()
    for first, second in ((TOKEN, {}), ({}, TOKEN)):
        answers = [
            iter(app(environ_for("/stream", headers=headers), lambda *begun: None))
            for headers in (first, second)
        ]
        assert [next(answer) for answer in answers] == [b"start ", b"start "]
        for answer, headers in zip(answers, (first, second), strict=True):
            if headers:
                assert next(answer) == b"SECRET"
            else:
                with pytest.raises(ViewRefused):
                    next(answer)
        for answer in answers:
            answer.close()  # type: ignore[attr-defined]
    assert secret.runs == 2


@pytest.mark.parametrize("path", ["/stream/", "/helper/", "/fourth/", "/awaited/", "/rest/"])
def test_a_django_helper_that_is_handed_no_request_keeps_its_rules(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(monkeypatch, SecurityConfig())
    from django.http import HttpResponse, StreamingHttpResponse
    from django.urls import path as route
    from rest_framework.response import Response as RestResponse
    from rest_framework.views import APIView

    secret = Secret(project.config)

    @project.decorate.require_auth(verifier=verify)
    def fourth(a: int, b: int, c: int, request: Any) -> str:
        secret.runs += 1
        return "SECRET"

    async def awaited(request: Any) -> Any:
        return HttpResponse(secret.call())

    class Rest(APIView):
        def get(self, request: Any) -> Any:
            return RestResponse(secret.call())

    urls = [
        route("stream/", lambda request: StreamingHttpResponse(streamed(secret))),
        route("helper/", lambda request: HttpResponse(secret.call())),
        route("fourth/", lambda request: HttpResponse(fourth(1, 2, 3, request))),
        route("awaited/", awaited),
        route("rest/", Rest.as_view()),
    ]
    guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    assert b"SECRET" not in tried(guard, path)
    assert secret.runs == 0
    if path != "/stream/":
        answer = serve(guard, environ_for(path))
        assert answer.code == 401
        assert answer.header("WWW-Authenticate")
    assert b"SECRET" in tried(guard, path, TOKEN)


def test_a_plain_apps_helper_answers_with_the_refusal() -> None:
    config = SecurityConfig()
    secret = Secret(config)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [secret.call().encode()]

    guard = GuardMiddleware(app, config)
    answer = serve(guard, environ_for("/"))
    assert answer.code == 401
    assert answer.header("WWW-Authenticate")
    assert secret.runs == 0
    assert serve(guard, environ_for("/", headers=TOKEN)).body == b"SECRET"


def test_a_request_of_another_framework_that_is_over_lends_no_credentials() -> None:
    """Bottle's is kept by its thread."""
    config = SecurityConfig()
    secret = Secret(config)
    site = bottle.Bottle()
    site.route("/", callback=secret.call)
    guarded = GuardMiddleware(site, config, resolver=BottleResolver(site))

    def other(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return [secret.call().encode()]

    plain = GuardMiddleware(other, config)
    assert serve(guarded, environ_for("/", headers=TOKEN)).body == b"SECRET"
    assert serve(plain, environ_for("/")).code == 401
    assert secret.runs == 1


@pytest.mark.parametrize("is_sized", [True, False])
def test_answers_that_no_code_makes_are_handed_on_as_they_are(is_sized: bool) -> None:
    config = SecurityConfig()
    Secret(config)
    made: Any = [b"a"] if is_sized else None

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return made

    guard = GuardMiddleware(app, config)
    environ = environ_for("/")
    if made is None:
        import io

        environ["wsgi.file_wrapper"] = FileWrapper
        made = FileWrapper(io.BytesIO(b"x"))
    assert guard(environ, lambda *begun: None) is made  # type: ignore[arg-type, return-value]


def test_a_call_in_a_thread_of_its_own_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(SecurityConfig())
    with caplog.at_level(logging.WARNING, "guard_wsgi.routes"):
        for _ in range(2):
            thread = threading.Thread(target=secret.call)
            thread.start()
            thread.join()
    assert secret.runs == 2
    (line,) = [record.getMessage() for record in caplog.records]
    assert "Secret.__init__.<locals>.call" in line
    assert "no request is known" in line
