"""Puts one guard with the default configuration between a suite's test client and its app.

Runs in the suite's own process:

    python guarded_client.py guarded|bare (script.py | -m module) ARGUMENTS...

Django's test client, its request factory, its WSGI handler (live servers) and werkzeug's test
client are patched; ``bare`` only counts. Limits and bans are off: a suite is one client that
sends thousands of requests from one address.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peer_outcomes
from peer_gate import Counter, Gate

Environ = dict[str, Any]


class Refused(Exception):
    """The guard refused a request that was made for no client, so nobody can be answered."""


def patch_django(serve: Callable[[Environ, Any, Any], Any]) -> None:
    """Django's clients. Its asynchronous client speaks ASGI and is left alone."""
    from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
    from django.http import HttpResponse
    from django.test.client import ClientHandler, RequestFactory

    handle, answer = ClientHandler.__call__, WSGIHandler.__call__

    def handle_guarded(self: Any, environ: Environ) -> Any:
        answers: list[Any] = []
        sent: list[Any] = []

        def app(environ: Environ, start_response: Any) -> list[bytes]:
            response = handle(self, environ)
            answers.append(response)
            start_response(
                f"{response.status_code} {response.reason_phrase}", list(response.items())
            )
            return []

        def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
            sent[:] = [status, headers]

        body = b"".join(serve(environ, start_response, app))
        status, headers = sent
        if not answers:
            response = HttpResponse(body, status=int(status[:3]))
            response.wsgi_request = WSGIRequest(environ)
            answers.append(response)
        for name, value in headers:
            if not answers[0].has_header(name):
                answers[0][name] = value
        return answers[0]

    def request_guarded(self: Any, **request: Any) -> Any:
        environ = self._base_environ(**request)
        passed: list[bool] = []

        def app(environ: Environ, start_response: Any) -> list[bytes]:
            passed.append(True)
            start_response("200 OK", [])
            return []

        serve(environ, lambda status, headers, exc_info=None: None, app)
        if not passed:
            raise Refused(f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO')}")
        return WSGIRequest(environ)

    def answer_guarded(self: Any, environ: Environ, start_response: Any) -> Any:
        return serve(environ, start_response, lambda *given: answer(self, *given))

    for owner, name, patched in (
        (ClientHandler, "__call__", handle_guarded),
        (RequestFactory, "request", request_guarded),
        (WSGIHandler, "__call__", answer_guarded),
    ):
        setattr(owner, name, patched)


def patch_werkzeug(serve: Callable[[Environ, Any, Any], Any]) -> None:
    """werkzeug's client, and with it Flask's."""
    import werkzeug.test

    run: Any = werkzeug.test.run_wsgi_app

    def run_guarded(app: Any, environ: Environ, buffered: bool = False) -> Any:
        return run(lambda *given: serve(*given, app), environ, buffered)

    werkzeug.test.run_wsgi_app = run_guarded


def main() -> None:
    """Patch what is installed, then run the suite as if nothing had happened."""
    mode, *command = sys.argv[1:]
    counter = Counter()
    if mode == "guarded":
        serve = Gate(counter).serve
    else:

        def serve(environ: Environ, start_response: Any, app: Any) -> Any:
            counter.requests += 1
            return app(environ, start_response)

    patch_werkzeug(serve)
    try:
        patch_django(serve)
    except ImportError:
        print("no Django here", file=sys.stderr)
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        peer_outcomes.watch_unittest()
        sys.argv = command
        sys.path[0] = str(Path(command[0]).resolve().parent)
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
