"""A refusal on its way to the client.

Plain text for people, ``application/problem+json`` (RFC 9457) for those who ask for JSON. What
is sent names the rule's kind and never what triggered it: an attacker learns nothing by trying.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from guard_wsgi.checks.base import Block
from guard_wsgi.config import SecurityConfig
from guard_wsgi.outgoing import HeaderList, Outgoing
from guard_wsgi.quota import draft_headers
from guard_wsgi.request import GuardRequest
from guard_wsgi.response import GuardResponse

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse

ErrorFormat = Literal["auto", "text", "problem"]

TEXT = "text/plain; charset=utf-8"
PROBLEM_JSON = "application/problem+json"

PROBLEM_TYPES: Mapping[int, str] = {
    429: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    503: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
}
"""Registered problem types (draft-ietf-httpapi-ratelimit-headers); others are ``about:blank``."""

_JSON_TYPES = (PROBLEM_JSON, "application/json")
_BODILESS = frozenset({204, 304})
_ENTITY_HEADERS = frozenset({"content-type", "content-length"})


MAX_READY = 256
"""Of the answers made once: their texts come from the configuration and are few."""


class Refusals:
    """The refusals of one configuration. Most are the same bytes each time, and are made once."""

    def __init__(self, config: SecurityConfig, outgoing: Outgoing) -> None:
        self._custom_texts = config.custom_error_responses
        self._error_format = config.error_format
        self._outgoing = outgoing
        self._may_be_ready = config.error_format != "problem" and not outgoing.varies
        self._tells_quota = outgoing.quota_style == "draft"
        self._ready: dict[tuple[int, str, bool], tuple[str, HeaderList, bytes]] = {}

    def send(
        self,
        block: Block,
        request: GuardRequest,
        start_response: StartResponse,
        exc_info: OptExcInfo | None = None,
    ) -> Iterable[bytes]:
        """Answer with what the block says."""
        environ = request.environ
        if (
            self._may_be_ready
            and exc_info is None
            and block.response is None
            and not block.headers
            and "json" not in environ.get("HTTP_ACCEPT", "")
            and environ["REQUEST_METHOD"] != "HEAD"
        ):
            is_https = environ["wsgi.url_scheme"] == "https"
            if self._outgoing.asks_proxies:
                is_https = request.is_https
            key = (block.status, block.message, is_https)
            status, headers, body = self._ready.get(key) or self._make_ready(key, block, request)
            # A list of its own, as servers may change what they are given.
            headers = headers.copy()
            if block.retry_after_seconds is not None:
                headers += _retry_after(block)
            if request.quota is not None and self._tells_quota:
                headers += draft_headers(*request.quota)
            start_response(status, headers)
            return [body]
        response = self.response(block, request)
        return self.send_response(response, request, start_response, exc_info)

    def response(self, block: Block, request: GuardRequest) -> GuardResponse:
        """The answer that the block asks for, without what every answer gets."""
        return refuse(
            block,
            request.environ,
            request_id=request.request_id,
            custom_texts=self._custom_texts,
            error_format=self._error_format,
        )

    def send_response(
        self,
        response: GuardResponse,
        request: GuardRequest,
        start_response: StartResponse,
        exc_info: OptExcInfo | None = None,
    ) -> Iterable[bytes]:
        """Answer with a response of any origin."""
        outgoing = self._outgoing
        headers = outgoing.headers(request, response.header_list)
        response = outgoing.modify(response.with_headers(headers))
        return send(response, request.environ, start_response, exc_info)

    def _make_ready(
        self, key: tuple[int, str, bool], block: Block, request: GuardRequest
    ) -> tuple[str, HeaderList, bytes]:
        alike = Block(status=block.status, message=block.message, check=block.check)
        response = self.response(alike, request)
        body = response.body or b""
        headers = self._outgoing.with_fixed(response.header_list, request.is_https)
        headers.append(("Content-Length", str(len(body))))
        ready = response.status, headers, body
        if len(self._ready) < MAX_READY:
            self._ready[key] = ready
        return ready


def refuse(
    block: Block,
    environ: Mapping[str, Any],
    *,
    request_id: str,
    custom_texts: Mapping[int, str],
    error_format: ErrorFormat = "auto",
) -> GuardResponse:
    """The response for a block: a hook's own, or ours by status, message and what is accepted."""
    if block.response is not None:
        response = block.response
        for name, value in _own_headers(block):
            response.headers[name] = value
        return response
    text = custom_texts.get(block.status, block.message)
    if error_format == "problem" or (error_format == "auto" and _wants_json(environ)):
        kind, body = PROBLEM_JSON, _problem(block.status, text, request_id)
    else:
        kind, body = TEXT, text.encode()
    headers = [("Content-Type", kind), ("Cache-Control", "no-store"), *_own_headers(block)]
    return GuardResponse(body, block.status, headers)


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
    """Start the response and return its body; none on HEAD, whose headers stay those of GET.

    ``exc_info`` replaces a response that the app has started (PEP 3333).

    Some servers (waitress, wsgiref) send whatever a HEAD answer carries, so it must carry nothing.
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


def _problem(status: int, detail: str, request_id: str) -> bytes:
    problem = {
        "type": PROBLEM_TYPES.get(status, "about:blank"),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{UUID(hex=request_id, version=4)}",
    }
    return json.dumps(problem).encode()


def _wants_json(environ: Mapping[str, Any]) -> bool:
    accept = environ.get("HTTP_ACCEPT", "")
    if "json" not in accept:
        return False
    best = parse_accept_header(accept, MIMEAccept).best_match(("text/html", *_JSON_TYPES))
    return best in _JSON_TYPES
