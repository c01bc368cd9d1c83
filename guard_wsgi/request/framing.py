"""The length of a body, by RFC 9112 section 6.3 and PEP 3333.

A WSGI server gives it in ``CONTENT_LENGTH``, or sets ``wsgi.input_terminated`` if the stream ends
by itself. On a server that sets neither, reading a chunked body may wait forever.
"""

from __future__ import annotations

from typing import Any, Protocol

from werkzeug.exceptions import RequestEntityTooLarge

from guard_wsgi.errors import GuardError

CHUNK_BYTES = 65_536
"""The chunk size of an unbounded ``read()``: that of a socket buffer."""

_MAX_LENGTH_DIGITS = 19
"""2**63 has 19 digits; longer numbers are an attack on the parser, not a length."""


class FramingError(GuardError, ValueError):
    """The length of the body is ambiguous (RFC 9112, 6.3): answer 400.

    Request smuggling needs a server and a proxy that disagree about the end of a body.
    """


class BodyTooLarge(GuardError, RequestEntityTooLarge):
    """The app read past the size limit of the body. Frameworks on werkzeug answer it with 413."""


class InputStream(Protocol):
    """The methods of ``wsgi.input`` (PEP 3333)."""

    def read(self, size: int = ..., /) -> bytes: ...

    def readline(self, size: int = ..., /) -> bytes: ...


def content_length(environ: dict[str, Any]) -> int | None:
    """Return the declared length of the body in bytes; ``None`` if none is declared.

    :raises FramingError: if ``CONTENT_LENGTH`` is not a plain decimal number (RFC 9110, 8.6: no
        sign, list, white space or digits of another script); if it comes together with a
        ``Transfer-Encoding`` (RFC 9112, 6.1) that no gateway has undone; or if the last transfer
        coding isn't ``chunked`` (RFC 9112, 6.3, rule 4).
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
    """Whether a gateway has joined and counted the chunks, and left the header.

    nginx does so before ``uwsgi_pass``, ``fastcgi_pass`` or ``scgi_pass``. These protocols send the
    length apart from the headers, so that it is unambiguous. Two things that no client can set show
    such a gateway: the variables of nginx's parameter files (Apache sets them, too, but never
    passes a length beside chunks), and gunicorn's reader, since gunicorn reads chunks over HTTP
    with another one.
    """
    if transfer_encoding.strip(" \t").lower() != "chunked":
        return False
    if "REQUEST_SCHEME" in environ and "DOCUMENT_ROOT" in environ:
        return True
    reader = type(getattr(environ.get("wsgi.input"), "reader", None))
    return reader.__module__ == "gunicorn.http.body" and reader.__name__ == "LengthReader"
