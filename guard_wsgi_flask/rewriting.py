"""Notices a guard that does not see the clients that its app sees.

A ProxyFix that stands inside of the guard, where it can't be found by looking (behind a function,
say), gives the app the client in place of the proxy. The guard took the proxy for every client
then, and its bans, lists and limits hold for that.
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
"""Health checks come first, by no proxy; the first visitor tells."""


class RewriteWatch:
    """Compares the app's ``REMOTE_ADDR`` with the client that the guard took, in the first
    requests of a process.

    :ivar watching: whether :meth:`observe` still wants requests; to be asked before calling it.
    """

    __slots__ = ("_requests", "watching")

    def __init__(self, config: SecurityConfig) -> None:
        # With proxies of its own to trust the guard finds the client by itself.
        self.watching = not config.trusted_proxies
        self._requests = 0

    def observe(self, environ: WSGIEnvironment, client_ip: str, clients: ClientResolver) -> None:
        """One more of the first requests, as the app is given it.

        :param client_ip: what the guard took for the client.
        """
        self._requests += 1
        if self._requests >= WATCHED_REQUESTS:
            self.watching = False
        peer = environ.get("REMOTE_ADDR")
        if not peer or peer == client_ip:
            return
        seen = clients.identify({"REMOTE_ADDR": peer}).client_ip  # in its one spelling
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
