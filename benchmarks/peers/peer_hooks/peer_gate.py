"""One guard with the default configuration for all requests of a process, and what it refuses.

A refused request is written to ``PEER_REFUSALS``, one JSON object a line, in the form of the
labelled corpora; how many requests came, to ``PEER_COUNTS``.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import peer_outcomes

Environ = dict[str, Any]

COUNTS = Path(os.environ["PEER_COUNTS"])
REFUSALS = Path(os.environ["PEER_REFUSALS"])


class Counter:
    """How many requests a suite made; written when its process ends."""

    def __init__(self) -> None:
        self.requests = 0
        self.refused = 0
        atexit.register(self.write)

    def write(self) -> None:
        COUNTS.write_text(json.dumps({"requests": self.requests, "refused": self.refused}))


class Gate:
    """One guard for all requests of a process, around an app that changes with each call."""

    def __init__(self, counter: Counter, limited: bool = False) -> None:
        """``limited`` leaves limits and bans on, as they are by default."""
        from guard_wsgi import GuardMiddleware, SecurityConfig

        # Somebody listens, so all evidence is told and not only what was enough.
        config = SecurityConfig(on_block=lambda request, payload: None)
        if not limited:
            config = config.evolve(enable_rate_limiting=False, enable_ip_banning=False)
        self.counter = counter
        self.app = threading.local()
        self.guard = GuardMiddleware(lambda environ, start: self.app.now(environ, start), config)

    def serve(self, environ: Environ, start_response: Any, app: Any) -> Any:
        """Let the guard decide, and then ``app``."""
        before = getattr(self.app, "now", None)
        reached: list[bool] = []

        def inner(environ: Environ, start_response: Any) -> Any:
            reached.append(True)
            self.app.now = before
            return app(environ, start_response)

        self.app.now = inner
        self.counter.requests += 1
        try:
            response = self.guard(environ, start_response)
        finally:
            self.app.now = before
        if not reached:
            self.counter.refused += 1
            record(environ)
        return response


def record(environ: Environ) -> None:
    """Write a refused request down, whole."""
    from guard_wsgi.request.verdict import ENVIRON_KEY

    verdict = environ[ENVIRON_KEY]
    try:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    except (ValueError, OSError, AssertionError):
        body = b""
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").title(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    made = {
        "test": peer_outcomes.running_test(),
        "method": environ["REQUEST_METHOD"],
        "path": quote_from_bytes(
            str(environ.get("PATH_INFO", "")).encode("latin-1", "replace"),
            safe="/:@!$&'()*+,;=~",
        ),
        "query": str(environ.get("QUERY_STRING", "")),
        "headers": headers,
        "body": base64.b64encode(body).decode(),
        "body_enc": "base64",
        "status": verdict.block.status,
        "check": verdict.check,
        "reason": verdict.reason,
        "findings": [
            {
                "category": finding.category,
                "location": finding.location,
                "name": finding.name,
                "value": finding.value[:400],
                "score": round(finding.score, 2),
                "evidence": list(finding.indicators),
            }
            for finding in verdict.findings
        ],
    }
    with REFUSALS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(made) + "\n")
