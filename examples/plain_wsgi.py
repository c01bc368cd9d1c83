"""The guard around a plain WSGI app, with rules for a part of its paths.

Run it with ``guard-wsgi serve examples.plain_wsgi:app``, or on any WSGI server.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    verdict = environ["guard_wsgi"]
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"hello, {verdict.client_ip}\n".encode()]


app = GuardMiddleware(
    site,
    SecurityConfig(rate_limit=300),
    routes={
        "/admin/<path:rest>": RouteConfig(ip_whitelist=["127.0.0.1", "::1"]),
        "/login": RouteConfig(rate_limit=5, rate_limit_window=60),
    },
)
