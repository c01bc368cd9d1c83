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
        # Off: many apps are served behind a proxy that does it already. The redirect is a 308,
        # which keeps method and body.
        default=False,
        converter=flag,
    )
    security_headers: str | Mapping[str, Any] = field(
        # A site of pages; "api" for one of data; a table for single headers; "off".
        default="html",
        converter=tables.security_headers,
    )
    enable_cors: bool = field(
        # Off: without CORS headers no other site reads an answer.
        default=False,
        converter=flag,
    )
    cors_allow_origins: tuple[str, ...] = field(
        # Everybody, once CORS is on and without credentials; name them to allow those.
        default=("*",),
        converter=texts.origins,
    )
    cors_allow_methods: tuple[str, ...] = field(
        # Those of REST; a page may send GET, HEAD and POST unasked anyway.
        default=("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        converter=texts.methods,
    )
    cors_allow_headers: tuple[str, ...] = field(
        # Any, for headers alone are no danger where the origin is allowed.
        default=("*",),
        converter=texts.header_names,
    )
    cors_allow_credentials: bool = field(
        # Off: with it the named origins act as the signed-in user.
        default=False,
        converter=flag,
    )
    cors_expose_headers: tuple[str, ...] = field(
        # None: a page sees the safelisted ones; RateLimit and Retry-After are worth naming.
        default=(),
        converter=texts.header_names,
    )
    cors_max_age: int = field(
        # Ten minutes; browsers cap it at two hours or less. 0 asks before every request.
        default=600,
        validator=whole_number(0),
    )
