"""What the guard adds to every response on its way out, without touching its body."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from guard_wsgi.config import SecurityConfig
from guard_wsgi.headers import Cors, SecurityHeaders
from guard_wsgi.quota import ROUND_UP, quota_headers
from guard_wsgi.request import GuardRequest
from guard_wsgi.response import GuardResponse

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse

logger = logging.getLogger("guard_wsgi.headers")

HeaderList = list[tuple[str, str]]
Write = Callable[[bytes], object]
OnStart = Callable[[str, HeaderList], None]
Wrap = Callable[[GuardRequest, "StartResponse"], "StartResponse"]


class Outgoing:
    """Adds security headers, CORS and quota headers, each only where the app has not set it.

    :ivar varies: whether answers get more than fixed headers and the draft's quota.
    :ivar wrap: from a request and its ``start_response`` to one that adds our headers.
    :ivar asks_proxies: whether a proxy's word for HTTPS is taken.
    """

    def __init__(self, config: SecurityConfig) -> None:
        self.cors = Cors.from_config(config)
        self._security = SecurityHeaders.from_config(config)
        self._quota_style = config.rate_limit_headers
        self._modify = config.custom_response_modifier
        self.asks_proxies = config.trust_x_forwarded_proto
        # What most sites have: fixed headers and the draft's quota.
        is_usual = self._modify is None and self.cors is None and self._quota_style == "draft"
        self.varies = not is_usual
        self._adds_nothing = not (
            self.cors or self._security or self._modify or self._quota_style != "off"
        )
        self.wrap = self._compile_wrap()

    def with_fixed(self, headers: HeaderList, is_https: bool) -> HeaderList:
        """With what every answer gets; all but the quota, where answers do not vary."""
        return headers if self._security is None else self._security.add(headers, is_https)

    def headers(self, request: GuardRequest, headers: HeaderList) -> HeaderList:
        """The response's headers with ours; a new list, as the app may hold on to its own."""
        if self._security is not None:
            headers = self._security.add(headers, request.is_https)
        else:
            headers = list(headers)
        if self._quota_style != "off" and request.quota is not None:
            headers += quota_headers(*request.quota, self._quota_style)
        if self.cors is not None:
            headers = self.cors.add(headers, request.environ)
        return headers

    def _compile_wrap(self) -> Wrap:
        """How a ``start_response`` is made one that adds our headers.

        ``exc_info`` is passed on only when given, and the server's ``write`` is returned as it
        is (PEP 3333). Adding is by absence, so an error page that starts the response anew
        doesn't get ours twice.
        """
        if self._adds_nothing:
            return lambda request, start_response: start_response
        if self.varies or self._security is None:
            return lambda request, start_response: self.wrap_observed(
                request, start_response, None, None
            )
        plain, https, others = self._security.plain, self._security.https, self._security.others
        asks_proxies = self.asks_proxies

        # What `headers` does for most answers of most sites, written out, as each call is felt:
        # the app's headers, none of which is one of ours, then ours, then the quota.
        def wrap(request: GuardRequest, start_response: StartResponse) -> StartResponse:
            is_https = request.environ["wsgi.url_scheme"] == "https"
            if asks_proxies:
                is_https = request.is_https
            names, ours = https if is_https else plain

            def usual_start_response(
                status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
            ) -> Write:
                for name, _ in headers:
                    if name not in others and name.lower() in names:
                        headers = self.headers(request, headers)
                        break
                else:
                    headers = headers + ours
                    if request.quota is not None:
                        limit, remaining, reset_seconds = request.quota
                        left = f"{limit.quoted};r={remaining};t={int(reset_seconds + ROUND_UP)}"
                        headers += (limit.policy_header, ("RateLimit", left))
                if exc_info is None:
                    return start_response(status, headers)
                try:
                    return start_response(status, headers, exc_info)
                finally:
                    exc_info = None  # a traceback that refers to its own frame is a circle

            return usual_start_response

        return wrap

    def wrap_observed(
        self,
        request: GuardRequest,
        start_response: StartResponse,
        on_start: OnStart | None,
        tap_write: Callable[[Write], Write] | None,
    ) -> StartResponse:
        """The same, and it tells ``on_start`` what is sent."""

        def guarded_start_response(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
        ) -> Write:
            headers = self.headers(request, headers)
            if self._modify is not None:
                status, headers = self.modify_head(status, headers)
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

    def modify(self, response: GuardResponse) -> GuardResponse:
        """Let ``custom_response_modifier`` change a response; its faults change nothing."""
        if self._modify is None:
            return response
        try:
            return GuardResponse.coerce(self._modify(response))
        except Exception:  # the app's own code; the response it was given is sent as it is
            logger.exception("custom_response_modifier raised; the response is sent unmodified")
            return response

    def modify_head(self, status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        """The same for the head of an app's response, whose body streams past."""
        head = GuardResponse(None, int(status[:3]), headers)
        before = head.status_code
        head = self.modify(head)
        if head.status_code != before:
            status = head.status
        return status, head.header_list
