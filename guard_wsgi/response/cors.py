"""CORS: which other origins may read answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.response.headers import COMMON_NAMES, HEADER_NAMES, Header

_LABELS = re.compile(r"[0-9a-z_-]+(?:\.[0-9a-z_-]+)*")
"""The longest host name."""

SAFELISTED_HEADERS = frozenset({"accept", "accept-language", "content-language", "content-type"})
"""Headers that a page may send anywhere without asking (Fetch, "CORS-safelisted
request-header")."""

_NOT_OF_CORS = frozenset(
    {
        *COMMON_NAMES,
        *HEADER_NAMES.values(),
        "Strict-Transport-Security",
        "RateLimit",
        "RateLimit-Policy",
    }
) - {"Vary"}
"""Names, as most answers have them, that say nothing of CORS."""


@frozen(slots=True, kw_only=True)
class Cors:
    """Says which other origins may read answers (the Fetch standard's CORS protocol).

    It serves preflight answers, the app's answers and the guard's own refusals.

    :ivar origins: lower-cased; ``https://*.example.com`` covers all hosts below; ``None`` covers
        all.
    :ivar request_headers: as configured; ``None`` for all.
    """

    origins: frozenset[str] | None
    methods: tuple[str, ...]
    request_headers: tuple[str, ...] | None
    credentials: bool = False
    exposed_headers: tuple[str, ...] = ()
    max_age_seconds: int = 600
    _allowed_headers: frozenset[str] = field(init=False)
    _static: tuple[Header, ...] = field(init=False)
    _below: tuple[tuple[str, str], ...] = field(init=False)

    @_below.default
    def _wildcards(self) -> tuple[tuple[str, str], ...]:
        parted = (origin.partition("*") for origin in self.origins or ())
        return tuple((scheme, host) for scheme, star, host in parted if star)

    @_allowed_headers.default
    def _lower_names(self) -> frozenset[str]:
        return SAFELISTED_HEADERS.union(name.lower() for name in self.request_headers or ())

    @_static.default
    def _besides_origin(self) -> tuple[Header, ...]:
        pairs: list[Header] = []
        if self.credentials:
            pairs.append(("Access-Control-Allow-Credentials", "true"))
        if self.exposed_headers:
            pairs.append(("Access-Control-Expose-Headers", ", ".join(self.exposed_headers)))
        return tuple(pairs)

    @classmethod
    def from_config(cls, config: SecurityConfig) -> Cors | None:
        """Build from a configuration; ``None`` if ``enable_cors`` is off."""
        if not config.enable_cors:
            return None
        origins = frozenset(config.cors_allow_origins)
        headers = config.cors_allow_headers
        return cls(
            origins=None if "*" in origins else origins,
            methods=config.cors_allow_methods,
            request_headers=None if "*" in headers else headers,
            credentials=config.cors_allow_credentials,
            exposed_headers=config.cors_expose_headers,
            max_age_seconds=config.cors_max_age,
        )

    def allows(self, origin: str) -> bool:
        if self.origins is None:
            return True
        origin = origin.lower()
        if origin in self.origins:
            return "*" not in origin
        return any(
            origin.startswith(scheme)
            and origin.endswith(host)
            and _LABELS.fullmatch(origin, len(scheme), len(origin) - len(host)) is not None
            for scheme, host in self._below
        )

    def preflight(self, environ: Mapping[str, Any]) -> GuardResponse:
        """Make the answer to a preflight: 200, or 400 with the reason."""
        method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
        asked = _header_list(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        refused = []
        if not self.allows(environ.get("HTTP_ORIGIN", "")):
            refused.append("origin")
        if "*" not in self.methods and method not in self.methods:
            refused.append("method")
        if self.request_headers is not None and not self._allowed_headers.issuperset(
            name.lower() for name in asked
        ):
            refused.append("headers")
        if refused:
            response = GuardResponse(f"Disallowed CORS: {', '.join(refused)}", 400)
        else:
            response = GuardResponse("OK", 200)
        if "origin" in refused:
            return response
        methods = (method,) if "*" in self.methods and _is_token(method) else self.methods
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        # "*" does not cover Authorization, and covers nothing with credentials (Fetch, 3.3.5).
        headers = asked if self.request_headers is None else self.request_headers
        if headers:
            response.headers["Access-Control-Allow-Headers"] = ", ".join(headers)
        if self.request_headers is None:
            response.headers.add("Vary", "Access-Control-Request-Headers")
        if not refused:
            response.headers["Access-Control-Max-Age"] = str(self.max_age_seconds)
        return response

    def add(self, headers: list[Header], origin: str | None) -> list[Header]:
        """Return a new list: ``headers``, then the headers that let an allowed origin read the
        answer.

        An app that answers CORS itself keeps its headers. If the answer depends on the origin, it
        has ``Vary``, even if the request had no origin or a foreign one: otherwise a cache would
        give one origin's answer to another.
        """
        varies = self.origins is not None
        for name, value in headers:
            if name in _NOT_OF_CORS:
                continue
            lower = name.lower()
            if lower == "access-control-allow-origin":
                return headers
            if lower == "vary" and varies:
                listed = [item.strip().lower() for item in value.split(",")]
                varies = "origin" not in listed and "*" not in listed
        added: list[Header] = [("Vary", "Origin")] if varies else []
        if self.origins is None:
            added.append(("Access-Control-Allow-Origin", "*"))
            added.extend(self._static)
        else:
            if origin is not None and self.allows(origin):
                added.append(("Access-Control-Allow-Origin", origin))
                added.extend(self._static)
        return headers + added


def _header_list(value: str) -> tuple[str, ...]:
    """Split a list of header names; texts that can't be names stay out of our answer."""
    names = (name.strip() for name in value.split(","))
    return tuple(name for name in names if _is_token(name))


def _is_token(text: str) -> bool:
    """Whether it can be the name of a method or header; the rarer characters of RFC 9110 are not
    allowed."""
    return text.isascii() and text.replace("-", "").replace("_", "").isalnum()
