"""The headers that show a client how much of its limit is left.

Two structured fields of draft-ietf-httpapi-ratelimit-headers-11, still a draft, whose earlier
versions differ; and the older ``X-RateLimit-*`` that many clients read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from guard_wsgi.state.ratelimit import Limit

ROUND_UP = 0.999
"""Seconds are rounded up to whole numbers; this allows for a rounding error."""

QuotaStyle = Literal["draft", "legacy", "both", "off"]


Header = tuple[str, str]
MakeQuotaHeaders = Callable[[Limit, int, float], tuple[Header, ...]]
"""Makes headers from a limit, what remains of it, and the seconds until it is full again."""


def draft_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """Make the headers of the draft."""
    value = f"{limit.quoted};r={remaining};t={int(reset_seconds + ROUND_UP)}"
    return limit.policy_header, ("RateLimit", value)


def legacy_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """Make the older headers."""
    wait_seconds = int(reset_seconds + ROUND_UP)
    return (
        ("X-RateLimit-Limit", str(limit.requests)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(int(time.time()) + wait_seconds)),
    )


def both_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """Make the draft's headers, then the older ones."""
    return (
        *draft_headers(limit, remaining, reset_seconds),
        *legacy_headers(limit, remaining, reset_seconds),
    )


def no_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """Make none."""
    return ()


QUOTA_HEADERS: Mapping[QuotaStyle, MakeQuotaHeaders] = MappingProxyType(
    {
        "draft": draft_headers,
        "legacy": legacy_headers,
        "both": both_headers,
        "off": no_headers,
    }
)
"""The functions that make the headers for a charged limit."""
