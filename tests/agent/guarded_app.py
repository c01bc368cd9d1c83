"""A guarded app whose agent reports to ``$COLLECTOR``; served by the tests of the servers.

It is made at import, so that ``--preload`` makes it in the master. Nothing but ``enable_agent``
and where to: no call for the agent's life.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.middleware import GuardMiddleware

logging.getLogger("guard_wsgi").addHandler(logging.NullHandler())


def plain(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


app = GuardMiddleware(
    plain,
    SecurityConfig(
        blocked_user_agents=("evil",),
        enable_rate_limiting=False,
        enable_agent=True,
        agent_api_key="a-key-of-the-tests",
        agent_endpoint=os.environ["COLLECTOR"],
        agent_install_id="install-of-the-tests",
        agent_flush_interval=float(os.environ.get("FLUSH_INTERVAL", "3600")),
    ),
)

if os.environ.get("EVENT_IN_MASTER"):
    app.services.events.emit("path_excluded", reason="before the fork")
