"""What the log says about an exceeded limit."""

from __future__ import annotations

from collections.abc import Mapping

from guard_wsgi.state.ratelimit import Limit

EVERYWHERE = "global"
"""The name of the limit that applies where no other one does."""

OPTIONS: Mapping[str, str] = {
    EVERYWHERE: "rate_limit",
    "endpoint": "endpoint_rate_limits",
    "route": "rate_limit of the route",
    "country": "geo_rate_limits of the route",
}
"""The option behind each kind of limit."""


def exceeded(limit: Limit, what: str = "request") -> str:
    """Return the reason of a refusal: the limit and its option."""
    counted = f"1 {what}" if limit.requests == 1 else f"{limit.requests} {what}s"
    return f"over {counted} in {limit.window_seconds} s ({OPTIONS.get(limit.name, limit.name)})"
