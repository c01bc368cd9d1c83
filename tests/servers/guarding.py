"""The guard as the server tests mount it: every default check on, limits out of the way."""

from __future__ import annotations

from typing import Any


def guard(app: Any, **options: Any) -> Any:
    from guard_wsgi import GuardMiddleware, SecurityConfig

    config = SecurityConfig(
        **{"rate_limit": 1_000_000, "rate_limit_window": 60, **options},
    )
    return GuardMiddleware(app, config)
