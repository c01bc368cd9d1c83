"""``custom_response_modifier``: an app's function that may change or replace every answer.

The function gets a complete response. The body is read only if the function reads it; otherwise it
streams past as always.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import chain
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.wsgi import ClosingIterator

from guard_wsgi.request.answers import REFUSED_STATUS, passes, raised, response_of
from guard_wsgi.request.response import GuardResponse

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("guard_wsgi.headers")

HeaderList = list[tuple[str, str]]
AddHeaders = Callable[[HeaderList], HeaderList]


class AppResponse(GuardResponse):
    """An app's response, as ``custom_response_modifier`` gets it.

    :ivar is_replaced: whether the function has replaced the app's body.
    """

    __slots__ = ("_given", "_new", "_read", "is_replaced")

    def __init__(self, status: int, headers: HeaderList, read: Callable[[], bytes]) -> None:
        self.status_code = status
        self._pairs = headers
        self._headers = None
        self._read = read
        self._given: bytes | None = None
        self._new: bytes = b""
        self.is_replaced = False

    @property
    def body(self) -> bytes:
        if self.is_replaced:
            return self._new
        if self._given is None:
            self._given = self._read()
        return self._given

    @body.setter
    def body(self, body: str | bytes | None) -> None:
        self.is_replaced = True
        self._new = body.encode() if isinstance(body, str) else body or b""

    @property
    def is_read(self) -> bool:
        """Whether the function has read the app's body, which is used up then."""
        return self._given is not None


class Modifier:
    """Calls the app's function and handles its answers."""

    def __init__(self, modify: Callable[[Any], Any]) -> None:
        self._modify = modify

    def of(self, response: GuardResponse, add_headers: AddHeaders) -> GuardResponse:
        """Return the function's response; the original response if the function fails.

        ``abort()`` and ``False`` mean the same as in checks.

        :param add_headers: adds the headers that every answer gets to the function's own response.
        """
        status, pairs = response.status_code, response.header_list
        body = None if isinstance(response, AppResponse) else response.body
        try:
            try:
                answer = self._modify(response)
            except Exception as error:
                if not raised(error):
                    raise
                answer = error
            if passes(answer) or answer is response:
                return response
            if answer is False:
                changed = GuardResponse("Forbidden", REFUSED_STATUS)
            else:
                changed = response_of(answer)
            return changed.with_headers(add_headers(_without_length(changed.header_list)))
        except Exception:  # the app's own code may raise; the original response is sent
            logger.exception("custom_response_modifier raised; the response is sent unmodified")
            if isinstance(response, AppResponse):
                response.is_replaced = False
            else:
                response.body = body
            response.status_code = status
            response.headers = Headers(pairs)
            return response

    def around(
        self,
        app: WSGIApplication,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        add_headers: AddHeaders,
        inside: Callable[[], AbstractContextManager[Any]],
        is_modified: Callable[[], bool],
    ) -> Iterable[bytes]:
        """Call the app, hold back the head of its response, and send the function's response.

        :param is_modified: whether the app's framework has called the function itself.
        """
        sending = _Sending(start_response)
        iterable = app(environ, sending)
        if sending.head is None:  # a generator starts the response with its first chunk
            iterable = _begun(iterable, lambda: sending.head is not None)
        if sending.head is None:
            return iterable  # the app started no response: the server handles that
        status, headers = sending.head
        if is_modified():
            sending.send(status, headers)
            return _after(sending.written, iterable)
        chunks = _after(sending.written, iterable)
        response = AppResponse(int(status[:3]), add_headers(headers), lambda: _joined(chunks))
        with inside():
            answer = self.of(response, add_headers)
        if isinstance(answer, AppResponse) and not answer.is_replaced:
            changed = answer.status_code != int(status[:3])
            sending.send(answer.status if changed else status, answer.header_list)
            return [answer.body] if answer.is_read else chunks
        if not response.is_read:
            _close(chunks)
        body = answer.body or b""
        headers = [*_without_length(answer.header_list), ("Content-Length", str(len(body)))]
        sending.send(answer.status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


class _Sending:
    """A ``start_response`` that holds back the head until :meth:`send`."""

    def __init__(self, start_response: StartResponse) -> None:
        self.head: tuple[str, HeaderList] | None = None
        self.written: list[bytes] = []
        self._start_response = start_response
        self._exc_info: OptExcInfo | None = None
        self._is_sent = False

    def __call__(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        if self._is_sent:  # an error page replaces a response that has begun
            return self._start_response(status, headers, exc_info)
        self.head = status, headers
        self._exc_info = exc_info
        return self.written.append

    def send(self, status: str, headers: HeaderList) -> None:
        self._is_sent = True
        if self._exc_info is None:
            self._start_response(status, headers)
        else:
            try:
                self._start_response(status, headers, self._exc_info)
            finally:
                self._exc_info = None


def _begun(iterable: Iterable[bytes], has_begun: Callable[[], bool]) -> Iterable[bytes]:
    """Return the iterable, advanced until the response has begun."""
    iterator = iter(iterable)
    taken: list[bytes] = []
    while not has_begun():
        try:
            taken.append(next(iterator))
        except StopIteration:
            break
    return ClosingIterator(chain(taken, iterator), [lambda: _close(iterable)])


def _after(written: list[bytes], iterable: Iterable[bytes]) -> Iterable[bytes]:
    """Return what was written, then the iterable; the iterable itself if nothing was written."""
    if not written:
        return iterable
    return ClosingIterator(_chained(written, iterable), [lambda: _close(iterable)])


def _chained(written: list[bytes], iterable: Iterable[bytes]) -> Iterator[bytes]:
    yield from written
    yield from iterable


def _joined(chunks: Iterable[bytes]) -> bytes:
    try:
        return b"".join(chunks)
    finally:
        _close(chunks)


def _close(iterable: Any) -> None:
    close = getattr(iterable, "close", None)
    if close is not None:
        close()


def _without_length(headers: HeaderList) -> HeaderList:
    return [pair for pair in headers if pair[0].lower() != "content-length"]
