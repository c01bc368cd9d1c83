"""The guard as the contract tests mount it."""

from __future__ import annotations

from typing import Any

from guard_wsgi import GuardMiddleware, SecurityConfig

INJECTION = "1' UNION SELECT username, password FROM users--"


def settings(**options: Any) -> SecurityConfig:
    """Every default check is on, and the rate limit is out of reach."""
    return SecurityConfig(**{"rate_limit": 1_000_000, **options})


def guard(app: Any, **options: Any) -> GuardMiddleware:
    return GuardMiddleware(app, settings(**options))
