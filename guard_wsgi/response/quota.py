"""The headers that tell a client how much of its limit is left.

Two structured fields of draft-ietf-httpapi-ratelimit-headers-11, still a draft, whose earlier
versions differ; and the older ``X-RateLimit-*`` that many clients read.
"""

from __future__ import annotations

import time
from typing import Literal

from guard_wsgi.state.ratelimit import Limit

ROUND_UP = 0.999
"""Seconds are told as whole ones, rounded up but for a rounding error."""

QuotaStyle = Literal["draft", "legacy", "both", "off"]


def draft_headers(
    limit: Limit, remaining: int, reset_seconds: float
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Those of the draft."""
    told = f"{limit.quoted};r={remaining};t={int(reset_seconds + ROUND_UP)}"
    return limit.policy_header, ("RateLimit", told)


def quota_headers(
    limit: Limit, remaining: int, reset_seconds: float, style: QuotaStyle
) -> list[tuple[str, str]]:
    """The header pairs for one charged limit, as of now."""
    headers: list[tuple[str, str]] = []
    if style in ("draft", "both"):
        headers += draft_headers(limit, remaining, reset_seconds)
    if style in ("legacy", "both"):
        wait_seconds = int(reset_seconds + ROUND_UP)
        headers.append(("X-RateLimit-Limit", str(limit.requests)))
        headers.append(("X-RateLimit-Remaining", str(remaining)))
        headers.append(("X-RateLimit-Reset", str(int(time.time()) + wait_seconds)))
    return headers
