"""Sends the requests of Django's test client through a guard.

``django.test.Client`` calls its own handler and no WSGI app. Within the block, the guard gets the
request first; where the wrapped app would call Django's handler, the client's handler runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from guard_wsgi.routes.django_app import handlers_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_RUN_KEY = "guard_wsgi.test_client"


@contextmanager
def through(guard: Any) -> Iterator[bool]:
    """Send what ``django.test.Client`` and its subclasses send through the guard.

    :return: whether it does: the guard must find Django's handler in the app that it wraps.
    """
    from django.core.handlers.wsgi import WSGIHandler
    from django.test.client import ClientHandler

    if not handlers_in(guard.app):
        yield False
        return
    handle, serve = ClientHandler.__call__, WSGIHandler.__call__
    # A block within a block has its own guard, not both.
    run = getattr(handle, "__wrapped__", handle)

    @wraps(run)
    def handle_guarded(handler: Any, environ: WSGIEnvironment) -> Any:
        return _guarded(guard, environ, lambda inner: run(handler, inner))

    def serve_guarded(handler: Any, environ: WSGIEnvironment, start: StartResponse) -> Any:
        answer = environ.pop(_RUN_KEY, None)
        return serve(handler, environ, start) if answer is None else answer(environ, start)

    ClientHandler.__call__, WSGIHandler.__call__ = handle_guarded, serve_guarded
    try:
        yield True
    finally:
        ClientHandler.__call__, WSGIHandler.__call__ = handle, serve


def _guarded(
    guard: WSGIApplication, environ: WSGIEnvironment, run: Callable[[WSGIEnvironment], Any]
) -> Any:
    """Return Django's response, as the guard passes it on; or the guard's own."""
    from django.core.handlers.wsgi import WSGIRequest
    from django.http import HttpResponse

    responses: list[Any] = []

    def answer(inner: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        response = run(inner)
        responses.append(response)
        cookies = [("Set-Cookie", one.OutputString()) for one in response.cookies.values()]
        status = f"{response.status_code} {response.reason_phrase}"
        start(status, [*map(_header, response.items()), *cookies])
        if response.streaming:
            return () if response.is_async else response.streaming_content
        return [response.content]

    started: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = int(status.split()[0]), Headers(headers)

    environ[_RUN_KEY] = answer
    body = guard(environ, start)
    status, headers = started
    if not responses:
        response = HttpResponse(_joined(body), status=status)
        response.wsgi_request = WSGIRequest(environ)
    else:
        response = responses[0]
        response.status_code = status
        if not response.streaming:
            _replace(response, _joined(body))
        elif not response.is_async:
            response.streaming_content = body
    for name in [name for name, _ in response.items() if name not in headers]:
        del response[name]
    for name, value in headers:
        if name.lower() != "set-cookie":
            response[name] = value
    return response


def _joined(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _header(pair: tuple[str, Any]) -> tuple[str, str]:
    return pair[0], str(pair[1])


def _replace(response: Any, body: bytes) -> None:
    if body != response.content:
        response.content = body
