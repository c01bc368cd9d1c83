"""How long a body is, by RFC 9112 section 6.3 and PEP 3333.

A WSGI server says so by ``CONTENT_LENGTH``, or by ``wsgi.input_terminated`` when the stream ends
by itself. A chunked body on a server that sets neither can't be read without the risk of waiting
for ever.
"""

from __future__ import annotations

from typing import Any, Protocol

from werkzeug.exceptions import RequestEntityTooLarge

from guard_wsgi.errors import GuardError

CHUNK_BYTES = 65_536
"""How much of an unbounded ``read()`` is asked for at a time: a socket buffer's worth."""

_MAX_LENGTH_DIGITS = 19
"""2**63 has 19 digits; longer numbers are an attack on the parser, not a length."""


class FramingError(GuardError, ValueError):
    """The request doesn't say in one way how long its body is (RFC 9112, 6.3): answer 400.

    Servers and proxies that disagree about where a body ends are what request smuggling needs.
    """


class BodyTooLarge(GuardError, RequestEntityTooLarge):
    """The app read past the size limit of the body. Frameworks on werkzeug answer 413 by it."""


class InputStream(Protocol):
    """What PEP 3333 asks of ``wsgi.input``."""

    def read(self, size: int = ..., /) -> bytes: ...

    def readline(self, size: int = ..., /) -> bytes: ...


def content_length(environ: dict[str, Any]) -> int | None:
    """The declared length of the body in bytes, or ``None`` when none is declared.

    :raises FramingError: when ``CONTENT_LENGTH`` is not a plain decimal number (RFC 9110, 8.6: a
        sign, a list, white space or another script's digits are not), when it comes together
        with a ``Transfer-Encoding`` (RFC 9112, 6.1) that no gateway has undone, and when the last
        transfer coding isn't ``chunked`` (RFC 9112, 6.3, rule 4).
    """
    transfer_encoding = environ.get("HTTP_TRANSFER_ENCODING")
    declared = environ.get("CONTENT_LENGTH")
    if type(declared) is int:  # a test client's; PEP 3333 has text
        declared = str(declared)
    if transfer_encoding and not (declared and _is_dechunked(environ, transfer_encoding)):
        if declared:
            raise FramingError("Content-Length and Transfer-Encoding in one request")
        if transfer_encoding.rpartition(",")[2].strip(" \t").lower() != "chunked":
            raise FramingError("the last transfer coding is not chunked")
        return None
    if not declared:
        return None
    if (
        not isinstance(declared, str)
        or not (declared.isdigit() and declared.isascii())
        or len(declared) > _MAX_LENGTH_DIGITS
    ):
        raise FramingError("Content-Length is not a number")
    return int(declared)


def _is_dechunked(environ: dict[str, Any], transfer_encoding: str) -> bool:
    """Whether a gateway has put the chunks together, and counted them, and left the header.

    nginx does, before it hands a request on by ``uwsgi_pass``, ``fastcgi_pass`` or ``scgi_pass``.
    Those protocols send the length apart from the headers, so that nobody can disagree about it.
    What no client can set shows that it was one of them: the variables of nginx's parameter
    files (Apache sets them, too, and lets no length through beside chunks), or the reader of
    gunicorn, which reads chunks by another one whenever HTTP brought the header.
    """
    if transfer_encoding.strip(" \t").lower() != "chunked":
        return False
    if "REQUEST_SCHEME" in environ and "DOCUMENT_ROOT" in environ:
        return True
    reader = type(getattr(environ.get("wsgi.input"), "reader", None))
    return reader.__module__ == "gunicorn.http.body" and reader.__name__ == "LengthReader"
