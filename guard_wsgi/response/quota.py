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
"""Seconds are whole numbers, rounded up but for a rounding error."""

QuotaStyle = Literal["draft", "legacy", "both", "off"]


Header = tuple[str, str]
QuotaTeller = Callable[[Limit, int, float], tuple[Header, ...]]
"""From a limit, what remains of it, and the seconds until it is whole again."""


def draft_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """Those of the draft."""
    value = f"{limit.quoted};r={remaining};t={int(reset_seconds + ROUND_UP)}"
    return limit.policy_header, ("RateLimit", value)


def legacy_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """The older ones."""
    wait_seconds = int(reset_seconds + ROUND_UP)
    return (
        ("X-RateLimit-Limit", str(limit.requests)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(int(time.time()) + wait_seconds)),
    )


def both_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """The draft's, then the older ones."""
    return (
        *draft_headers(limit, remaining, reset_seconds),
        *legacy_headers(limit, remaining, reset_seconds),
    )


def no_headers(limit: Limit, remaining: int, reset_seconds: float) -> tuple[Header, ...]:
    """For who wants none."""
    return ()


QUOTA_TELLERS: Mapping[QuotaStyle, QuotaTeller] = MappingProxyType(
    {
        "draft": draft_headers,
        "legacy": legacy_headers,
        "both": both_headers,
        "off": no_headers,
    }
)
"""What makes the header pairs for one charged limit, as of now."""
