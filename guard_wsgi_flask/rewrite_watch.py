"""Detects a guard that sees other clients than its app.

A ProxyFix inside of the guard gives the app the client instead of the proxy. If it is hidden
(behind a function, for example), the guard can't find it. Then the guard takes the proxy for every
client, and applies bans, lists and limits to the proxy.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from guard_wsgi.network.client import ClientResolver

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from guard_wsgi.config.security import SecurityConfig

logger = logging.getLogger("guard_wsgi.network")

WATCHED_REQUESTS = 1000
"""How many requests to compare: health checks come first, without a proxy; the first visitor shows
it."""


class RewriteWatch:
    """Compares the app's ``REMOTE_ADDR`` with the guard's client, in the first requests of a
    process.

    :ivar watching: whether :meth:`observe` still needs requests; check it before calling.
    """

    __slots__ = ("_requests", "watching")

    def __init__(self, config: SecurityConfig) -> None:
        # With trusted proxies, the guard finds the client itself.
        self.watching = not config.trusted_proxies
        self._requests = 0

    def observe(self, environ: WSGIEnvironment, client_ip: str, clients: ClientResolver) -> None:
        """Look at one of the first requests, as the app gets it.

        :param client_ip: the guard's client.
        """
        self._requests += 1
        if self._requests >= WATCHED_REQUESTS:
            self.watching = False
        peer = environ.get("REMOTE_ADDR")
        if not peer or peer == client_ip:
            return
        seen = clients.identify({"REMOTE_ADDR": peer}).client_ip  # in canonical spelling
        if seen == client_ip:
            return
        self.watching = False
        logger.error(
            "the app sees the client %s, but the guard saw %s: a middleware between them rewrites"
            " REMOTE_ADDR (ProxyFix?). Bans, lists and limits do NOT apply to the app's clients."
            " Make ProxyFix the outermost layer, app.wsgi_app = ProxyFix(...) before"
            " FlaskAPIGuard(app), or remove it and name the proxy in trusted_proxies",
            seen,
            client_ip,
        )
