"""What the guard adds to every response on its way out, without touching its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.request.hooks import NotAsked
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.response.headers import Cors, SecurityHeaders, has_quota
from guard_wsgi.response.modifying import Modifier
from guard_wsgi.response.quota import quota_headers

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse

HeaderList = list[tuple[str, str]]
Write = Callable[[bytes], object]
OnStart = Callable[[str, HeaderList], None]


class Outgoing:
    """Adds security headers, CORS and quota headers, each only where the app has not set it.

    :ivar varies: whether answers get more than fixed headers and the draft's quota.
    :ivar quota_style: in which headers the quota is told.
    :ivar security: the fixed headers of the app's answers.
    :ivar asks_proxies: whether a proxy's word for HTTPS is taken.
    :ivar modifier: the app's own word on every answer, if it has one.
    """

    def __init__(self, config: SecurityConfig, left_to_app: frozenset[str] = frozenset()) -> None:
        """:param left_to_app: keys of fixed headers that the app's framework sets by itself."""
        self.cors = Cors.from_config(config)
        self._config = config
        self._left_to_app = left_to_app
        self.security = self.security_of(None)
        # No framework stands behind the guard's own answers.
        self._own = SecurityHeaders.from_config(config) or SecurityHeaders(())
        self.quota_style = config.rate_limit_headers
        modify = config.custom_response_modifier
        self.modifier = Modifier(modify) if modify is not None else None
        self.asks_proxies = config.trust_x_forwarded_proto
        # What most sites have: fixed headers and the draft's quota, or none.
        is_usual = (
            self.modifier is None and self.cors is None and self.quota_style in ("draft", "off")
        )
        self.varies = not is_usual

    def with_fixed(self, headers: HeaderList, is_https: bool) -> HeaderList:
        """With what every answer gets; all but the quota, where answers do not vary."""
        return self._own.add(headers, is_https)

    def security_of(self, route: Mapping[str, Any] | None) -> SecurityHeaders:
        """The fixed headers of a route's answers, given what the route says of them."""
        security = SecurityHeaders.from_config(
            self._config, route=route, left_to_app=self._left_to_app
        )
        return security or SecurityHeaders(())

    def headers(self, request: GuardRequest, headers: HeaderList) -> HeaderList:
        """The headers of the app's answer with ours; a new list, as it may hold on to its own."""
        return self._with(request.security or self.security, request, headers)

    def own_headers(self, request: GuardRequest, headers: HeaderList) -> HeaderList:
        """The same for an answer of the guard's."""
        return self._with(self._own, request, headers)

    def _with(
        self, security: SecurityHeaders, request: GuardRequest, headers: HeaderList
    ) -> HeaderList:
        headers = security.add(headers, request.is_https)
        quota = request.verdict.quota or request.quota
        if quota is not None and not has_quota(headers):
            headers += quota_headers(*quota, self.quota_style)
        if self.cors is not None:
            headers = self.cors.add(headers, request.environ)
        return headers

    def wrap(
        self,
        request: GuardRequest,
        start_response: StartResponse,
        on_start: OnStart | None = None,
        tap_write: Callable[[Write], Write] | None = None,
    ) -> StartResponse:
        """A ``start_response`` that adds our headers, and tells ``on_start`` what is sent.

        ``exc_info`` is passed on only when given, and without ``tap_write`` the server's
        ``write`` is returned as it is (PEP 3333). Adding is by absence, so an error page that
        starts the response anew doesn't get ours twice.

        It raises NotAsked where the framework has not asked what was left for it to ask.
        """

        def guarded_start_response(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
        ) -> Write:
            left = request.verdict.deferred
            if left is not None and not left.policy.passive:
                raise NotAsked("the app answered before its own checks had run")
            if self.modifier is None:  # else its answer is what gets them
                headers = self.headers(request, headers)
            if on_start is not None:
                on_start(status, headers)
            if exc_info is None:
                write = start_response(status, headers)
            else:
                try:
                    write = start_response(status, headers, exc_info)
                finally:
                    exc_info = None  # a traceback that refers to its own frame is a circle
            return write if tap_write is None else tap_write(write)

        return guarded_start_response
