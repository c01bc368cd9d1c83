"""The headers that tell a client how much of its limit is left.

Two structured fields of draft-ietf-httpapi-ratelimit-headers-11, still a draft, whose earlier
versions differ; and the older ``X-RateLimit-*`` that many clients read.
"""

from __future__ import annotations

import time
from math import ceil
from typing import Literal

from guard_wsgi.state.ratelimit import Limit

QuotaStyle = Literal["draft", "legacy", "both", "off"]


def quota_headers(
    limit: Limit, remaining: int, reset_seconds: float, style: QuotaStyle
) -> list[tuple[str, str]]:
    """The header pairs for one charged limit, as of now."""
    wait_seconds = max(0, ceil(reset_seconds - 0.001))
    headers: list[tuple[str, str]] = []
    if style in ("draft", "both"):
        headers.append(("RateLimit-Policy", limit.quota_policy))
        headers.append(("RateLimit", f'"{limit.name}";r={remaining};t={wait_seconds}'))
    if style in ("legacy", "both"):
        headers.append(("X-RateLimit-Limit", str(limit.requests)))
        headers.append(("X-RateLimit-Remaining", str(remaining)))
        headers.append(("X-RateLimit-Reset", str(int(time.time()) + wait_seconds)))
    return headers
