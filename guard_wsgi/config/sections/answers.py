"""HTTPS, security headers, CORS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.config import texts as texts
from guard_wsgi.options.numbers import flag, whole_number


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class AnswerOptions:
    """HTTPS, security headers, CORS."""

    enforce_https: bool = field(
        # Whether plain HTTP is redirected to HTTPS, by a 308, which keeps method and body. Off:
        # many apps run behind a proxy that redirects already.
        default=False,
        converter=flag,
    )
    security_headers: str | Mapping[str, Any] = field(
        # The security headers of answers. "html" is for a site of pages, "api" for a site of data,
        # a table sets single headers, "off" sets none.
        default="html",
        converter=tables.security_headers,
    )
    enable_cors: bool = field(
        # Whether the guard sends CORS headers and answers preflights. Off: then no other site can
        # read an answer.
        default=False,
        converter=flag,
    )
    cors_allow_origins: tuple[str, ...] = field(
        # The origins that may read answers. "*": any origin, if credentials are off. List origins
        # to allow only those.
        default=("*",),
        converter=texts.origins,
    )
    cors_allow_methods: tuple[str, ...] = field(
        # The methods of REST. A page may send GET, HEAD and POST without asking anyway.
        default=("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        converter=texts.methods,
    )
    cors_allow_headers: tuple[str, ...] = field(
        # The request headers that a page may send. "*": any, because headers are harmless if the
        # origin is allowed.
        default=("*",),
        converter=texts.header_names,
    )
    cors_allow_credentials: bool = field(
        # Whether a page of an allowed origin may send cookies. Off: with it, the origins can act as
        # the signed-in user.
        default=False,
        converter=flag,
    )
    cors_expose_headers: tuple[str, ...] = field(
        # Response headers that a page may read. Empty: the safelisted headers only. RateLimit and
        # Retry-After are worth adding.
        default=(),
        converter=texts.header_names,
    )
    cors_max_age: int = field(
        # Seconds that a browser may remember a preflight. Ten minutes; browsers cap it at two hours
        # or less. 0 makes them ask before every request.
        default=600,
        validator=whole_number(0),
    )
