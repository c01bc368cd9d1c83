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

EXCLUDED_PATHS = (
    "/docs",
    "/redoc",
    "/openapi.json",
    "/openapi.yaml",
    "/favicon.ico",
    "/static",
)
"""The default of ``exclude_paths``."""


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class ModeOptions:
    """Mode, failures and hooks."""

    enabled: bool = field(
        # False lets every request pass untouched. Meant for the tests of an app.
        default=True,
        converter=flag,
    )
    passive_mode: bool = field(
        # True logs and counts what would be refused, and refuses nothing. Start this way on a site
        # with traffic.
        default=False,
        converter=flag,
    )
    fail_secure: bool = field(
        # What happens if a check raises an exception. True: an access check refuses the request.
        # Detection and telemetry let it pass either way.
        default=True,
        converter=flag,
    )
    route_resolution_strict: bool = field(
        # True answers 500 to a request that no route matches, also where the app would answer 404.
        default=False,
        converter=flag,
    )
    exclude_paths: tuple[str, ...] = field(
        # Paths on which most checks are off: the usual paths of documentation and static files.
        # Bans, IP lists, rate limits, emergency mode and a view's own rules still apply there.
        # Detection does too while the option has its default, as a catch-all route may answer
        # there; below paths of your own it does not.
        default=EXCLUDED_PATHS,
        converter=texts.exclude_paths,
    )
    health_paths: tuple[str, ...] = field(
        # Paths of health probes: the endpoints of Kubernetes and the usual names of others. A probe
        # from a private address is answered whatever its Host and user agent are: over plain HTTP,
        # without a limit, in an emergency. Visitors get no exemption there.
        default=("/health", "/healthz", "/livez", "/readyz"),
        converter=texts.paths,
    )
    max_request_size: int | None = field(
        # The most bytes of a body. None: the limit of the server. The guard counts the stream, not
        # only Content-Length.
        default=None,
        validator=whole_number(1, optional=True),
    )
    allowed_content_types: tuple[str, ...] = field(
        # The media types of bodies. Empty: any. A request without a body needs no type.
        default=(),
        converter=texts.media_types,
    )
    unreadable_body: Literal["flag", "block"] = field(
        # The guard can't inspect a body that breaks off or whose end the server does not mark, and
        # no app can read it safely: 411 or 400. "flag" reports it and lets it pass.
        default="block",
        validator=one_of("flag", "block"),
    )
    error_format: Literal["auto", "text", "html", "problem"] = field(
        # The form of refusals. "auto" is what the client prefers: a page for a browser,
        # application/problem+json (RFC 9457) for a client that accepts or sends JSON, plain text
        # for all others.
        default="auto",
        validator=one_of("auto", "text", "html", "problem"),
    )
    custom_error_responses: Mapping[int, str] = field(
        # Body text by status, in place of the guard's own.
        default=_NO_BODIES,
        converter=tables.error_responses,
    )
    custom_request_check: Validator | None = field(
        # Your own function (request) -> GuardResponse | None, the last check before the app. None
        # lets the request pass.
        default=None,
        validator=synchronous,
    )
    custom_response_modifier: ResponseModifier | None = field(
        # Your own function (response) -> GuardResponse, called for every response of the app and of
        # the guard.
        default=None,
        validator=synchronous,
    )
    auth_verifier: Verifier | None = field(
        # Your own function (request, credential) -> principal | None, for routes whose decorator
        # has no verifier.
        default=None,
        validator=synchronous,
    )
    on_error: OnError | None = field(
        # Your own function (stage, exception, context), called for faults of telemetry. Its own
        # exceptions are logged and dropped.
        default=None,
        validator=synchronous,
    )
    on_block: OnBlock | None = field(
        # Your own function (request, payload), called once for each request that is refused or, in
        # passive mode, would be refused.
        default=None,
        validator=synchronous,
    )
