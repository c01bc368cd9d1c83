"""The app the acceptance tests serve: one guard, configured by the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from guard_wsgi import GuardMiddleware, SecurityConfig

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def view(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/ban":
        app.bans.ban(environ["QUERY_STRING"], 3600, "from a view")
    with open(os.environ["VIEW_LOG"], "a") as log:
        log.write(f"{os.getpid()} {path}\n")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


app = GuardMiddleware(
    view,
    SecurityConfig(
        store_url=os.environ["STORE_URL"],
        rate_limit=int(os.environ.get("RATE_LIMIT", "100")),
        rate_limit_window=600,
        # 400 requests at once on a busy machine are slow for no fault of the store.
        store_timeout=3.0,
        rate_limit_strategy=os.environ.get("STRATEGY", "fixed-window"),
        trusted_proxies=("127.0.0.1",),
        enable_penetration_detection=False,  # state is what is tested here
    ),
)
