"""Sends a refusal to the client.

The answer names the kind of rule, never what triggered it: an attacker learns nothing by trying. It
has a reference, with which the operator finds the log line and the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.request.block import Block
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.response.outgoing import HeaderList, Outgoing
from guard_wsgi.response.refusal_formats import (
    MEDIA_TYPES,
    Formats,
    Kind,
    around_reference,
    filled,
    template,
)

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse

REFERENCE_HEADER = "X-Request-Id"
"""The name that proxies, servers and frameworks use; there is no standard."""

_BODILESS = frozenset({204, 304})
_ENTITY_HEADERS = frozenset({"content-type", "content-length"})

MAX_READY = 256
"""How many prepared answers to keep: their texts come from the configuration and are few."""


Ready = tuple[str, HeaderList, bytes, "tuple[bytes, bytes] | None"]
"""Status, headers, the body's template, and its parts around the reference."""


class Refusals:
    """Makes the refusals of one configuration. Most are always the same bytes, and are made
    once."""

    def __init__(self, config: SecurityConfig, outgoing: Outgoing) -> None:
        self._custom_texts = config.custom_error_responses
        self._formats = Formats(config.error_format)
        self._outgoing = outgoing
        self._may_be_ready = outgoing.is_constant
        self._ready: dict[tuple[Kind, int, str, bool], Ready] = {}

    def send(
        self,
        block: Block,
        request: GuardRequest,
        start_response: StartResponse,
        exc_info: OptExcInfo | None = None,
    ) -> Iterable[bytes]:
        """Answer with a refusal."""
        environ = request.environ
        if (
            self._may_be_ready
            and exc_info is None
            and block.response is None
            and not block.headers
            and environ["REQUEST_METHOD"] != "HEAD"
        ):
            visit = request.visit
            key = (self._formats.of(environ), block.status, block.message, visit.is_https)
            ready = self._ready.get(key) or self._make_ready(key, block, request)
            status, headers, body, around = ready
            # Copy the list, as servers may change it.
            headers = headers.copy()
            reference = request.request_id
            headers.append((REFERENCE_HEADER, reference))
            if block.retry_after_seconds is not None:
                headers += _retry_after(block)
            headers += self._outgoing.quota(visit)
            start_response(status, headers)
            if around is None:
                return [filled(body, reference)]
            return [around[0] + reference.encode() + around[1]]
        response = self.response(block, request)
        return self.send_response(response, request, start_response, exc_info)

    def response(self, block: Block, request: GuardRequest) -> GuardResponse:
        """Make the answer of a refusal, without the headers that every answer gets."""
        reference = request.request_id
        if block.response is not None:
            response = block.response
            for name, value in _own_headers(block):
                response.headers[name] = value
            return with_reference(response, reference)
        kind = self._formats.of(request.environ)
        headers = [
            ("Content-Type", MEDIA_TYPES[kind]),
            ("Cache-Control", "no-store"),
            (REFERENCE_HEADER, reference),
            *_own_headers(block),
        ]
        body = filled(self._template(kind, block), reference)
        return GuardResponse(body, block.status, headers)

    def send_response(
        self,
        response: GuardResponse,
        request: GuardRequest,
        start_response: StartResponse,
        exc_info: OptExcInfo | None = None,
    ) -> Iterable[bytes]:
        """Answer with a given response."""
        outgoing = self._outgoing

        def add_headers(headers: HeaderList) -> HeaderList:
            return outgoing.own_headers(request, headers)

        response = response.with_headers(add_headers(response.header_list))
        if outgoing.modifier is not None:
            response = outgoing.modifier.of(response, add_headers)
            del response.headers["Content-Length"]  # the length of the former body
        return send(response, request.environ, start_response, exc_info)

    def _template(self, kind: Kind, block: Block) -> bytes:
        status = block.status
        return template(kind, status, self._custom_texts.get(status, block.message))

    def _make_ready(
        self, key: tuple[Kind, int, str, bool], block: Block, request: GuardRequest
    ) -> Ready:
        """Prepare an answer without its reference, whose length is always the same."""
        kind = key[0]
        body = self._template(kind, block)
        headers = [("Content-Type", MEDIA_TYPES[kind]), ("Cache-Control", "no-store")]
        headers = self._outgoing.with_constant(headers, request.is_https)
        headers.append(("Content-Length", str(len(filled(body, request.request_id)))))
        status = GuardResponse(None, block.status, headers).status
        ready = status, headers, body, around_reference(body)
        if len(self._ready) < MAX_READY:
            self._ready[key] = ready
        return ready


def with_reference(response: GuardResponse, reference: str) -> GuardResponse:
    """Add the reference to a refusal that the app or its framework made, if it has none."""
    headers = response.header_list
    if not any(name.lower() == "x-request-id" for name, _ in headers):
        headers.append((REFERENCE_HEADER, reference))
    # Make a new response: the app may reuse the same one each time.
    return response.with_headers(headers)


def _own_headers(block: Block) -> list[tuple[str, str]]:
    return [*block.headers, *_retry_after(block)]


def _retry_after(block: Block) -> list[tuple[str, str]]:
    if block.retry_after_seconds is None:
        return []
    return [("Retry-After", str(int(block.retry_after_seconds)))]


def send(
    response: GuardResponse,
    environ: Mapping[str, Any],
    start_response: StartResponse,
    exc_info: OptExcInfo | None = None,
) -> Iterable[bytes]:
    """Start the response and return its body; no body on HEAD, with the headers of a GET.

    ``exc_info`` replaces a response that the app has started (PEP 3333). Some servers (waitress,
    wsgiref) send the body of a HEAD answer, so it must be empty.
    """
    body = response.body or b""
    headers = response.header_list
    if response.status_code in _BODILESS:
        headers = [pair for pair in headers if pair[0].lower() not in _ENTITY_HEADERS]
        body = b""
    elif not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("Content-Length", str(len(body))))
    if exc_info is None:
        start_response(response.status, headers)
    else:
        start_response(response.status, headers, exc_info)
    if not body or environ["REQUEST_METHOD"] == "HEAD":
        return []
    return [body]
