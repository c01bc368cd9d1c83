"""Adds headers to every response, without touching its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.response.cors import Cors
from guard_wsgi.response.headers import (
    Fixed,
    Header,
    SecurityHeaders,
    add_missing,
    has_quota,
)
from guard_wsgi.response.modifying import Modifier
from guard_wsgi.response.quota import QUOTA_HEADERS

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse

HeaderList = list[tuple[str, str]]
Write = Callable[[bytes], object]


class Outgoing:
    """Adds security headers, CORS and quota headers, each only where the app has not set it.

    :ivar security: the fixed headers of the app's answers.
    :ivar quota_headers: makes the headers that report a limit.
    :ivar modifier: the app's ``custom_response_modifier``, if it has one.
    """

    def __init__(self, config: SecurityConfig, left_to_app: frozenset[str] = frozenset()) -> None:
        """:param left_to_app: keys of fixed headers that the app's framework sets itself."""
        self.cors = Cors.from_config(config)
        self._config = config
        self._left_to_app = left_to_app
        self.security = self.security_of(None)
        # No framework adds headers to the guard's own answers.
        self._own = SecurityHeaders.from_config(config) or SecurityHeaders(())
        self.quota_headers = QUOTA_HEADERS[config.rate_limit_headers]
        modify = config.custom_response_modifier
        self.modifier = Modifier(modify) if modify is not None else None
        # Whether the guard's own answers always get the same headers, apart from the quota.
        self.is_constant = self.modifier is None and self.cors is None

    def with_constant(self, headers: HeaderList, is_https: bool) -> HeaderList:
        """Return the headers of the guard's own answer, including the fixed ones."""
        return add_missing(headers, self._own.of(is_https))

    def quota(self, visit: Visit) -> Sequence[Header]:
        """Return the headers that report the limit to which a request was charged."""
        quota = visit.verdict.quota
        return () if quota is None else self.quota_headers(*quota)

    def security_of(self, route: Mapping[str, Any] | None) -> SecurityHeaders:
        """Return the fixed headers of a route's answers, with the route's changes."""
        security = SecurityHeaders.from_config(
            self._config, route=route, left_to_app=self._left_to_app
        )
        return security or SecurityHeaders(())

    def headers(self, request: GuardRequest, headers: HeaderList) -> HeaderList:
        """Return the headers of the app's answer with ours, as a new list: the app may keep its
        own."""
        security = getattr(request.visit, "security", self.security)
        return self._with(security, request.visit, request.environ, headers)

    def own_headers(self, request: GuardRequest, headers: HeaderList) -> HeaderList:
        """Return the headers of the guard's answer with ours."""
        return self._with(self._own, request.visit, request.environ, headers)

    def completed(self, fixed: Fixed, visit: Visit, headers: HeaderList) -> HeaderList:
        """Add our headers that the app has not set, except for CORS."""
        headers = add_missing(headers, fixed)
        quota = visit.verdict.quota
        if quota is not None and not has_quota(headers):
            headers += self.quota_headers(*quota)
        return headers

    def _with(
        self,
        security: SecurityHeaders,
        visit: Visit,
        environ: dict[str, Any],
        headers: HeaderList,
    ) -> HeaderList:
        headers = self.completed(security.of(visit.is_https), visit, headers)
        if self.cors is not None:
            headers = self.cors.add(headers, environ.get("HTTP_ORIGIN"))
        return headers


class Departure(Visit):
    """A visit whose answer gets our headers.

    :ivar origin: the ``Origin`` header of the request. It is set only if CORS is on.
    :ivar outgoing: adds the headers.
    :ivar security: the fixed headers.
    :ivar start_response: the server's, or a wrapper around it.
    """

    __slots__ = ("origin", "outgoing", "security", "start_response")

    origin: str | None
    outgoing: Outgoing
    security: SecurityHeaders
    start_response: StartResponse

    def begin(self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None) -> Write:
        """The ``start_response`` that the app gets.

        ``exc_info`` is passed on only if given, and the server's ``write`` is returned as it is
        (PEP 3333). Only missing headers are added, so an error page that starts the response again
        doesn't get ours twice.
        """
        security, outgoing = self.security, self.outgoing
        names, ours = fixed = security.https if self.is_https else security.plain
        not_ours = security.others
        if type(headers) is not list:  # PEP 3333 requires a list; servers accept more
            headers = list(headers)
        if self.verdict.observed:
            self.verdict.note_status(status, headers)
        for name, _ in headers:
            if name not in not_ours and name.lower() in names:
                headers = outgoing.completed(fixed, self, headers)
                break
        else:
            # The app's headers contain none of ours: append ours, then the quota.
            headers = headers + ours
            quota = self.verdict.quota
            if quota is not None:
                limit, remaining, reset_seconds = quota
                headers += outgoing.quota_headers(limit, remaining, reset_seconds)
        if outgoing.cors is not None:
            headers = outgoing.cors.add(headers, self.origin)
        if exc_info is None:
            return self.start_response(status, headers)
        try:
            return self.start_response(status, headers, exc_info)
        finally:
            exc_info = None  # a traceback and its frame are a reference cycle
