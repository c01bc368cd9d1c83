"""Every test client works with a guarded app under the default configuration as with a bare app."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import falcon
import falcon.testing
import flask
import httpx
import pytest
import webob
import webtest
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.config.sections.limits import DEFAULT_RATE_LIMIT
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve, text_app
from tests.kit.live import ROOT


def by_werkzeug(app: Any) -> Callable[[], int]:
    client = Client(app)
    return lambda: client.get("/").status_code


def by_webtest(app: Any) -> Callable[[], int]:
    client = webtest.TestApp(app)
    return lambda: client.get("/", status="*").status_int


def by_falcon(app: Any) -> Callable[[], int]:
    client = falcon.testing.TestClient(app)
    return lambda: client.simulate_get("/").status_code


def by_httpx(app: Any) -> Callable[[], int]:
    client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://testserver")
    return lambda: client.get("/").status_code


def by_webob(app: Any) -> Callable[[], int]:
    return lambda: webob.Request.blank("/").get_response(app).status_code


def by_wsgiref(app: Any) -> Callable[[], int]:
    def get() -> int:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        return serve(app, environ).code

    return get


CLIENTS = (by_werkzeug, by_webtest, by_falcon, by_httpx, by_webob, by_wsgiref)


@pytest.mark.parametrize("by", CLIENTS)
def test_a_suite_of_more_requests_than_the_limit_runs_unchanged(
    by: Callable[[Any], Callable[[], int]],
) -> None:
    get = by(GuardMiddleware(text_app(), SecurityConfig()))
    assert {get() for _ in range(DEFAULT_RATE_LIMIT + 5)} == {200}


def test_a_flask_suite_runs_unchanged() -> None:
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "hello")
    FlaskAPIGuard(app)
    client = app.test_client()
    assert {client.get("/").status_code for _ in range(DEFAULT_RATE_LIMIT + 5)} == {200}


@pytest.mark.parametrize("by", CLIENTS)
def test_a_limit_that_the_site_has_set_holds_for_its_tests(
    by: Callable[[Any], Callable[[], int]],
) -> None:
    get = by(GuardMiddleware(text_app(), SecurityConfig(rate_limit=2)))
    assert [get() for _ in range(3)] == [200, 200, 429]


def test_a_limit_of_a_path_holds_for_tests() -> None:
    config = SecurityConfig(endpoint_rate_limits={"/": (2, 60)})
    get = by_werkzeug(GuardMiddleware(text_app(), config))
    assert [get() for _ in range(3)] == [200, 200, 429]


def test_a_client_may_be_driven_outside_of_any_runner() -> None:
    """For example from a console: here from a thread without a test runner on its stack."""
    app = GuardMiddleware(text_app(), SecurityConfig())
    for by in (by_werkzeug, by_webtest, by_falcon):
        assert in_a_thread(by(app)) == 200


def test_a_test_of_unittest_runs_unchanged() -> None:
    app = GuardMiddleware(text_app(), SecurityConfig())

    class Suite(unittest.TestCase):
        def test_home(self) -> None:
            assert by_wsgiref(app)() == 200

    result = unittest.TestResult()
    thread = threading.Thread(
        target=unittest.defaultTestLoader.loadTestsFromTestCase(Suite).run, args=(result,)
    )
    thread.start()
    thread.join(10)
    assert (result.testsRun, result.failures, result.errors) == (1, [], [])


# -- what no client can pass itself off as -------------------------------------------------------


def in_a_thread(call: Callable[[], Any]) -> Any:
    """Return the answer of a call on its own stack, like that of a server's thread."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    thread.join(10)
    return answers[0]


def without_address(**headers: str) -> dict[str, Any]:
    environ = environ_for("/", headers=headers)
    del environ["REMOTE_ADDR"]
    return environ


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "Werkzeug/3.1"},
        {"Paste-Testing": "1", "Werkzeug-Request": "1", "X-Forwarded-For": "127.0.0.1"},
    ],
)
def test_a_server_that_gives_no_address_is_no_test_client(headers: dict[str, str]) -> None:
    app = GuardMiddleware(text_app(), SecurityConfig())
    assert in_a_thread(lambda: serve(app, without_address(**headers)).code) == 403


def test_a_middleware_that_calls_by_werkzeugs_function_is_no_test_client() -> None:
    """Some middlewares call the wrapped app by ``Response.from_app``, behind a real server."""
    guarded = GuardMiddleware(text_app(), SecurityConfig())

    def outer(environ: Any, start_response: Any) -> Any:
        return Response.from_app(guarded, environ)(environ, start_response)

    assert in_a_thread(lambda: serve(outer, without_address()).code) == 403
    environ = EnvironBuilder("/").get_environ()
    assert in_a_thread(lambda: run_wsgi_app(guarded, environ)[1]) == "403 Forbidden"


def test_a_unix_socket_is_refused_while_a_test_runs(tmp_path: Path) -> None:
    """A real server has no test on its stack, whatever started it."""
    path = str(tmp_path / "guarded.sock")
    command = [sys.executable, "-m", "gunicorn", "--bind", f"unix:{path}", "--no-control-socket"]
    server = subprocess.Popen([*command, "tests.testing.guarded_app:app"], cwd=ROOT)
    try:
        deadline = time.monotonic() + 30
        while not Path(path).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert b" 403 " in ask(path, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    finally:
        server.terminate()
        server.wait(10)


def test_remote_clients_are_held_to_the_default_limit_in_tests_as_well() -> None:
    app = GuardMiddleware(text_app(), SecurityConfig())
    codes = [serve(app, environ_for("/")).code for _ in range(DEFAULT_RATE_LIMIT + 1)]
    assert codes[-1] == 429


def test_a_local_client_that_is_no_test_is_held_to_the_default_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    app = GuardMiddleware(text_app(), SecurityConfig())

    def flood() -> int:
        local = {"environ_overrides": {"REMOTE_ADDR": "127.0.0.1"}}
        codes = [serve(app, environ_for("/", **local)).code for _ in range(DEFAULT_RATE_LIMIT + 1)]
        return codes[-1]

    assert in_a_thread(flood) == 429


def ask(path: str, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(4096), b""))
