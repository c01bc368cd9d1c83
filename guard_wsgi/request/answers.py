"""The answers of hooks and their meaning.

``None`` and ``True`` let the request pass; ``False`` refuses it with 403. A response is sent as it
is: ours, Flask's and werkzeug's, Django's, Bottle's, or any object with ``status_code``,
``headers`` and a ``body``. The same holds for what a Flask view may return: a tuple of content with
a status, with headers or with both; the content may be a text, a dict or a list (JSON). Content
without a status is a refusal with 403: with 200, a client would believe that it succeeded.
``abort()`` in Flask, Bottle and werkzeug gives its response. Django's exceptions for views give the
refusal that Django would send.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from inspect import isawaitable
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from guard_wsgi.request.response import GuardResponse

REFUSED_STATUS = 403
"""The status of an answer without one."""

HeaderPairs = list[tuple[str, str]]


def passes(answer: object) -> bool:
    """Whether a hook's answer lets the request pass."""
    return answer is None or answer is True


def response_of(answer: object, environ: Mapping[str, Any] | None = None) -> GuardResponse:
    """Make the response of a hook's answer.

    :param environ: the request's environ, from which some exceptions make their response.
    :raises TypeError: if the answer is no response; the error names its type.
    """
    if isinstance(answer, GuardResponse):
        return answer
    if isinstance(answer, HTTPException):
        return _complete(answer.get_response(dict(environ) if environ is not None else None))
    if is_response(answer):
        return _complete(answer)
    if isinstance(answer, tuple):
        return _of_tuple(answer, environ)
    if isinstance(answer, int) and not isinstance(answer, bool) and 400 <= answer <= 599:
        return GuardResponse(b"", answer)
    return _of_content(answer, REFUSED_STATUS)


def is_response(answer: object) -> bool:
    """Whether an object is a response of some framework."""
    return hasattr(answer, "status_code") and hasattr(answer, "headers")


def is_refusal(answer: object) -> bool:
    """Whether a verifier's result means no, rather than a principal: a response, an exception, the
    status of an error, or a tuple that contains one of these or begins with a false value.

    A number between 400 and 599 counts as a status, so a verifier returns such an id as text.
    """
    if isinstance(answer, tuple):
        return not (answer and answer[0]) or any(map(is_refusal, answer))
    if isinstance(answer, int):
        return 400 <= answer <= 599
    return is_response(answer) or isinstance(answer, BaseException)


def raised(error: Exception) -> bool:
    """Whether an exception is a framework's way of answering, not a fault."""
    return isinstance(error, HTTPException) or is_response(error)


def status_in_django(error: Exception) -> int | None:
    """Return the status that Django answers with if a view raises this exception; ``None`` if it is
    a fault.

    Source: https://docs.djangoproject.com/en/stable/ref/exceptions/
    """
    exceptions = sys.modules.get("django.core.exceptions")
    http = sys.modules.get("django.http")
    if exceptions is None or http is None:  # if Django is not imported, it has raised nothing
        return None
    if isinstance(error, http.Http404):
        return 404
    if isinstance(error, exceptions.PermissionDenied):
        return 403
    if isinstance(error, (exceptions.BadRequest, exceptions.SuspiciousOperation)):
        return 400
    return None


def discard(answer: object) -> None:
    """Close a coroutine that nobody will await: otherwise Python warns about it later,
    elsewhere."""
    if isawaitable(answer):
        close = getattr(answer, "close", None)
        if close is not None:
            close()


def _of_content(content: Any, status: int) -> GuardResponse:
    if isinstance(content, (str, bytes)):
        return GuardResponse(content, status)
    if isinstance(content, (dict, list)):
        body = json.dumps(content, default=str)
        return GuardResponse(body, status, [("Content-Type", "application/json")])
    raise TypeError(
        f"a hook returned {type(content).__name__}: return None, True, False or a response"
    )


def _of_tuple(answer: tuple[Any, ...], environ: Mapping[str, Any] | None) -> GuardResponse:
    """Read content with a status, with headers, or with both, as a Flask view returns them."""
    status: Any = None
    headers: Any = None
    if len(answer) == 3:
        content, status, headers = answer
    elif len(answer) == 2:
        content, other = answer
        if isinstance(other, (int, str)):
            status = other
        else:
            headers = other
    else:
        raise TypeError(f"a hook returned a tuple of {len(answer)}, not a response")
    if is_response(content) or isinstance(content, HTTPException):
        response = response_of(content, environ)
    else:
        response = _of_content(content, REFUSED_STATUS)
    code = response.status_code if status is None else int(str(status).split()[0])
    pairs = response.header_list
    if headers is not None:
        added = Headers(headers)
        kept = Headers(pairs)
        for name in {name for name, _ in added}:
            kept.setlist(name, added.getlist(name))
        pairs = kept.to_wsgi_list()
    return GuardResponse(response.body, code, pairs)


def _complete(response: Any) -> GuardResponse:
    """Convert a framework's response, with its whole body."""
    return GuardResponse(_body_of(response), int(response.status_code), _headers_of(response))


def _body_of(response: Any) -> bytes:
    """Return the body, under the framework's name for it."""
    if hasattr(response, "get_data"):
        if getattr(response, "direct_passthrough", False):
            response.direct_passthrough = False  # from send_file: read it all the same
        data = response.get_data()
        return data.encode() if isinstance(data, str) else bytes(data)
    if hasattr(response, "getvalue") and hasattr(response, "streaming"):  # Django's
        return b"".join(response) if response.streaming else bytes(response.content)
    body = getattr(response, "body", b"")
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode(getattr(response, "charset", None) or "utf-8")
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, (dict, list)) and not isinstance(response, GuardResponse):
        chunks: Iterable[Any] = body if isinstance(body, list) else [json.dumps(body)]
    else:
        chunks = body
    return b"".join(chunk.encode() if isinstance(chunk, str) else bytes(chunk) for chunk in chunks)


def _headers_of(response: Any) -> HeaderPairs:
    """All of the headers, cookies included."""
    listed = getattr(response, "headerlist", None)
    if listed is not None:  # Bottle's, cookies included
        return [(str(name), str(value)) for name, value in listed]
    headers = response.headers
    pairs = headers.items() if hasattr(headers, "items") else headers
    named = [(str(name), str(value)) for name, value in pairs or ()]
    cookies: Any = getattr(response, "cookies", None)
    if hasattr(cookies, "values") and hasattr(cookies, "output"):  # Django's SimpleCookie
        named += [("Set-Cookie", morsel.OutputString()) for morsel in cookies.values()]
    # The length is computed when the body is sent.
    return [pair for pair in named if pair[0].lower() != "content-length"]
