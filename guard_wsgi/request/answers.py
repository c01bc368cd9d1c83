"""What a hook may answer with, and what it means.

``None`` and ``True`` let the request pass; ``False`` refuses it with 403. A response is sent as
it is: ours, Flask's and werkzeug's, Django's, Bottle's, or any object with ``status_code``,
``headers`` and a ``body``. So is what a Flask view may return: a tuple of content with a status,
with headers or with both, where the content may be a text, a dict or a list (JSON). Content
without a status is a refusal, and so a 403: with 200 a client would take it for success. What
``abort()`` raises in Flask, Bottle and werkzeug is the response that it stands for; what Django
has for views to raise is the refusal that it stands for.
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
"""Of an answer that says nothing of its own status."""

HeaderPairs = list[tuple[str, str]]


def passes(answer: object) -> bool:
    """Whether a hook's answer lets the request pass."""
    return answer is None or answer is True


def response_of(answer: object, environ: Mapping[str, Any] | None = None) -> GuardResponse:
    """The response that a hook's answer stands for.

    :param environ: of the request, for an exception that makes its response of it.
    :raises TypeError: for what stands for none, naming its type.
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
    """Whether what a verifier returned is a way to say no, and nobody's name: a response, an
    exception, the status of an error, or a tuple that has one of these or begins with nothing.

    An id between 400 and 599 as a number reads as a status, too: a verifier returns it as text.
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
    """The status that Django answers with where a view raises an exception; ``None`` where it is
    a fault.

    Source: https://docs.djangoproject.com/en/stable/ref/exceptions/
    """
    exceptions = sys.modules.get("django.core.exceptions")
    http = sys.modules.get("django.http")
    if exceptions is None or http is None:  # what is not imported has not been raised
        return None
    if isinstance(error, http.Http404):
        return 404
    if isinstance(error, exceptions.PermissionDenied):
        return 403
    if isinstance(error, (exceptions.BadRequest, exceptions.SuspiciousOperation)):
        return 400
    return None


def discard(answer: object) -> None:
    """Close a coroutine that nobody will await, or Python warns of it later, elsewhere."""
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
    raise TypeError(f"a hook returned {type(content).__name__}, not a response")


def _of_tuple(answer: tuple[Any, ...], environ: Mapping[str, Any] | None) -> GuardResponse:
    """Content with a status, with headers, or with both, as a Flask view returns them."""
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
    """A response of a framework, with its whole body."""
    return GuardResponse(_body_of(response), int(response.status_code), _headers_of(response))


def _body_of(response: Any) -> bytes:
    """The body, by the name that the framework has for it."""
    if hasattr(response, "get_data"):
        if getattr(response, "direct_passthrough", False):
            response.direct_passthrough = False  # of send_file: read it after all
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
    # A length belongs to a body; it is counted when that is sent.
    return [pair for pair in named if pair[0].lower() != "content-length"]
