"""Mode, failures and hooks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.config import texts as texts
from guard_wsgi.options.numbers import flag, whole_number
from guard_wsgi.options.values import one_of, synchronous
from guard_wsgi.request.hook_types import OnBlock, OnError, ResponseModifier, Validator, Verifier

_NO_BODIES: Mapping[int, str] = MappingProxyType({})


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class ModeOptions:
    """Mode, failures and hooks."""

    enabled: bool = field(
        # False passes every request untouched; meant for the tests of an app.
        default=True,
        converter=flag,
    )
    passive_mode: bool = field(
        # True logs and counts what would be refused, and refuses nothing: the way to start on
        # a site with traffic.
        default=False,
        converter=flag,
    )
    fail_secure: bool = field(
        # A check of access that raises denies. Detection and telemetry pass either way.
        default=True,
        converter=flag,
    )
    route_resolution_strict: bool = field(
        # True refuses what no route matches, which turns every 404 into a 500.
        default=False,
        converter=flag,
    )
    exclude_paths: tuple[str, ...] = field(
        # Documentation pages and static files: asked for often, and nothing to attack. Bans,
        # IP lists and rate limits still hold there.
        default=(
            "/docs",
            "/redoc",
            "/openapi.json",
            "/openapi.yaml",
            "/favicon.ico",
            "/static",
        ),
        converter=texts.exclude_paths,
    )
    health_paths: tuple[str, ...] = field(
        # Kubernetes' own endpoints and what most others call theirs. A probe asks for them from a
        # private address, and is answered whatever its Host and user agent, over plain HTTP,
        # without a limit, in an emergency; visitors are treated there as everywhere.
        default=("/health", "/healthz", "/livez", "/readyz"),
        converter=texts.paths,
    )
    max_request_size: int | None = field(
        # None: the server's own limit. Counted on the stream, not only on Content-Length.
        default=None,
        validator=whole_number(1, optional=True),
    )
    allowed_content_types: tuple[str, ...] = field(
        # Empty: any. Requests without a body are not asked for a type.
        default=(),
        converter=texts.media_types,
    )
    unreadable_body: Literal["flag", "block"] = field(
        # A body whose end the server doesn't mark, or that breaks off, can't be inspected, and
        # no app can read it safely either: 411 or 400. "flag" reports it and lets it pass.
        default="block",
        validator=one_of("flag", "block"),
    )
    error_format: Literal["auto", "text", "html", "problem"] = field(
        # As the client asks: a page for a browser, application/problem+json (RFC 9457) for who
        # accepts or sends JSON, plain text for all others.
        default="auto",
        validator=one_of("auto", "text", "html", "problem"),
    )
    custom_error_responses: Mapping[int, str] = field(
        # Body text by status, in place of ours.
        default=_NO_BODIES,
        converter=tables.error_responses,
    )
    custom_request_check: Validator | None = field(
        # (request) -> GuardResponse | None, the last check before the app.
        default=None,
        validator=synchronous,
    )
    custom_response_modifier: ResponseModifier | None = field(
        # (response) -> GuardResponse, for every answer that the guard itself gives.
        default=None,
        validator=synchronous,
    )
    auth_verifier: Verifier | None = field(
        # (request, credential) -> principal | None, for routes whose decorator names none.
        default=None,
        validator=synchronous,
    )
    on_error: OnError | None = field(
        # (stage, exception, context); what it raises goes no further.
        default=None,
        validator=synchronous,
    )
    on_block: OnBlock | None = field(
        # (request, payload), once for each request denied or, in passive mode, flagged.
        default=None,
        validator=synchronous,
    )
