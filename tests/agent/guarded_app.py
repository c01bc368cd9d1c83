"""A guarded app whose agent reports to ``$COLLECTOR``; served by the tests of the servers.

It is made at import, so that ``--preload`` makes it in the master.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

from guard_wsgi.agent import AgentConfig, guard_agent
from guard_wsgi.config import SecurityConfig
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.telemetry.bus import EventBus

logging.getLogger("guard_wsgi").addHandler(logging.NullHandler())

handler = guard_agent(
    AgentConfig(
        api_key="a-key-of-the-tests",
        endpoint=os.environ["COLLECTOR"],
        install_id="install-of-the-tests",
        flush_interval=float(os.environ.get("FLUSH_INTERVAL", "3600")),
    )
)
if os.environ.get("EVENT_IN_MASTER"):
    handler.send_event({"event_type": "master", "reason": "before the fork"})


def plain(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


app = GuardMiddleware(
    plain,
    SecurityConfig(blocked_user_agents=("evil",), enable_rate_limiting=False),
    events=EventBus([handler]),
)
