"""The request for which code runs, if no framework knows it.

Frameworks forget a request when its view has returned, although a generator may still produce the
answer. Plain apps keep no request at all. A decorated function that is called there uses this
module. A guard records its requests only if a view in its process is decorated
(:func:`when_decorated`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from io import BufferedReader, BytesIO, FileIO
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ENVIRON: ContextVar[WSGIEnvironment | None] = ContextVar("guard_wsgi.environ", default=None)
"""Each thread and greenlet has its own; coroutines and ``copy_context`` inherit it."""

_enter, _leave = _ENVIRON.set, _ENVIRON.reset


def current_environ() -> WSGIEnvironment | None:
    """Return the environ of the current request; ``None`` outside of requests and in the app's own
    threads."""
    return _ENVIRON.get()


_NO_CODE = frozenset({list, tuple, FileIO, BufferedReader, BytesIO})
"""Types of complete answers, and of files: no code of the app produces their chunks."""


class ViewRefused(HTTPException):
    """A decorated function has refused a call. Frameworks on werkzeug answer with its ``response``;
    the guard does so if the app does not handle it."""


class CurrentRequest:
    """Make a request the current one within the block."""

    __slots__ = ("_environ", "_token")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ

    def __enter__(self) -> None:
        self._token = _ENVIRON.set(self._environ)

    def __exit__(self, *raised: Any) -> None:
        _ENVIRON.reset(self._token)


class RequestTracker:
    """Wrap an app so that its calls, and its answers while they are produced, run in their
    request."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self._plain: type = Response

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        token = _enter(environ)
        try:
            response = self.app(environ, start_response)
        except ViewRefused as refused:
            made: Any = refused.response
            body, status, headers = made.get_wsgi_response(environ)
            start_response(status, headers, sys.exc_info())
            return body  # type: ignore[no-any-return]
        finally:
            _leave(token)
        verdict = environ.get(ENVIRON_KEY)
        if verdict is not None:
            first = verdict.first or verdict
            if first.observed:
                response = _observed(first, response, environ)
        if type(response) is ClosingIterator:
            if self._is_made(response):
                return response
        elif type(response) in _NO_CODE:
            return response
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(file_wrapper, type) and isinstance(response, file_wrapper):
            return response  # the server itself sends the file
        return (_SizedAnswer if hasattr(response, "__len__") else _Answer)(response, environ)

    def _is_made(self, answer: Any) -> bool:
        """Whether an answer of Flask, or of another app on werkzeug, is complete, as most are."""
        try:
            made = answer._callbacks[-1].__self__
        except (AttributeError, IndexError):
            return False
        kind = type(made)
        if kind is not self._plain:  # an app has one class of responses, or a few
            if not _adds_no_code(kind):
                return False
            self._plain = kind
        return type(made.response) is list and not made._on_close


def _observed(first: Verdict, response: Iterable[bytes], environ: WSGIEnvironment) -> Any:
    """An answer whose body is observed."""
    if first.action != "block":
        for observing in first.observed:
            if observing.wants_body:
                response = observing.tap(response, environ.get("wsgi.file_wrapper"))
    return response


def _adds_no_code(kind: type) -> bool:
    """Whether responses of this class are sent by werkzeug's own code."""
    return (
        issubclass(kind, Response)
        and kind.iter_encoded is Response.iter_encoded
        and kind.close is Response.close
    )


class _Answer:
    """An app's answer: all code of the app in it runs in the request."""

    __slots__ = ("_environ", "_iterable", "_next")

    def __init__(self, iterable: Iterable[bytes], environ: WSGIEnvironment) -> None:
        self._iterable = iterable
        self._environ = environ

        self._next: Callable[[], bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = _enter(self._environ)
        try:
            if self._next is None:
                self._next = iter(self._iterable).__next__
            return self._next()
        finally:
            _leave(token)

    def close(self) -> None:
        close = getattr(self._iterable, "close", None)
        if close is not None:
            token = _enter(self._environ)
            try:
                close()
            finally:
                _leave(token)


class _SizedAnswer(_Answer):
    """The same for a sized answer: servers call ``len()`` to set Content-Length for a response of
    one chunk."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type]


class Guard(Protocol):
    """A listener that is called for the first decorated view."""

    def track_requests(self) -> None:
        """Record requests for decorated functions from now on."""


class _Guards:
    """Guards that wait for the first decorated view in this process."""

    def __init__(self) -> None:
        self._waiting: WeakSet[Guard] = WeakSet()
        self._is_needed = False

    def add(self, guard: Guard) -> None:
        if self._is_needed:
            guard.track_requests()
        else:
            self._waiting.add(guard)

    def need(self) -> None:
        self._is_needed = True
        while self._waiting:
            self._waiting.pop().track_requests()


_GUARDS = _Guards()


def when_decorated(guard: Guard) -> None:
    """Call a guard when the first view is decorated."""
    _GUARDS.add(guard)


def view_decorated() -> None:
    """Call the waiting guards: a view is decorated."""
    _GUARDS.need()
