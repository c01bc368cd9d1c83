"""A refusal on its way to the client.

Plain text for people, ``application/problem+json`` (RFC 9457) for those who ask for JSON. What
is sent names the rule's kind and never what triggered it: an attacker learns nothing by trying.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from guard_wsgi.checks.base import Block
from guard_wsgi.response import GuardResponse

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse

ErrorFormat = Literal["auto", "text", "problem"]

PROBLEM_JSON = "application/problem+json"

PROBLEM_TYPES: Mapping[int, str] = {
    429: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    503: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
}
"""Registered problem types (draft-ietf-httpapi-ratelimit-headers); others are ``about:blank``."""

_JSON_TYPES = (PROBLEM_JSON, "application/json")
_BODILESS = frozenset({204, 304})


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
    else:
        text = custom_texts.get(block.status, block.message)
        if error_format == "problem" or (error_format == "auto" and _wants_json(environ)):
            response = _problem(block.status, text, request_id)
        else:
            response = GuardResponse(text, block.status)
        response.headers["Cache-Control"] = "no-store"
    for name, value in block.headers:
        response.headers[name] = value
    if block.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(int(block.retry_after_seconds))
    return response


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
    if response.status_code in _BODILESS:
        response.headers.remove("Content-Type")
        body = b""
    elif "Content-Length" not in response.headers:
        response.headers["Content-Length"] = str(len(body))
    headers = response.headers.to_wsgi_list()
    if exc_info is None:
        start_response(response.status, headers)
    else:
        start_response(response.status, headers, exc_info)
    if not body or environ["REQUEST_METHOD"] == "HEAD":
        return []
    return [body]


def _problem(status: int, detail: str, request_id: str) -> GuardResponse:
    response = GuardResponse(None, status, {"Content-Type": PROBLEM_JSON})
    problem = {
        "type": PROBLEM_TYPES.get(status, "about:blank"),
        "title": response.status[4:],
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id}",
    }
    response.body = json.dumps(problem).encode()
    return response


def _wants_json(environ: Mapping[str, Any]) -> bool:
    accept = environ.get("HTTP_ACCEPT", "")
    if "json" not in accept:
        return False
    best = parse_accept_header(accept, MIMEAccept).best_match(("text/html", *_JSON_TYPES))
    return best in _JSON_TYPES
