"""Rate limits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.options.numbers import MAX_COUNT, MAX_SECONDS, flag, whole_number
from guard_wsgi.options.resolving import same_as
from guard_wsgi.options.values import one_of, synchronous
from guard_wsgi.request.hook_types import LimitExemption, LimitKey
from guard_wsgi.state.backend import Strategy
from guard_wsgi.state.settings import StoreSettings

_NO_LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType({})

DEFAULT_RATE_LIMIT = 600
DEFAULT_RATE_LIMIT_WINDOW = 60
DEFAULT_LIMIT = (DEFAULT_RATE_LIMIT, DEFAULT_RATE_LIMIT_WINDOW)
"""The default limit: requests, and the seconds in which they are counted."""


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class LimitOptions:
    """Rate limits."""

    enable_rate_limiting: bool = field(
        # The master switch. False turns off the limits of routes and endpoints as well.
        default=True,
        converter=flag,
    )
    rate_limit: int = field(
        # The requests that a client may send within the window. 600 a minute: a page with all its
        # files passes, an office behind one address passes, a flood does not. This default is not
        # enforced in tests of the app.
        default=DEFAULT_RATE_LIMIT,
        validator=whole_number(1, MAX_COUNT),
    )
    rate_limit_window: int = field(
        # Seconds of the window. A minute is long enough to even out the burst of a page, and short
        # enough to wait for.
        default=DEFAULT_RATE_LIMIT_WINDOW,
        validator=whole_number(1, MAX_SECONDS),
    )
    endpoint_rate_limits: Mapping[str, tuple[int, int]] = field(
        # {"/login": (5, 60)} allows five requests in sixty seconds on that path, in any spelling.
        default=_NO_LIMITS,
        converter=tables.endpoint_limits,
    )
    rate_limit_strategy: Strategy = same_as(
        # How hits are counted. A sliding counter takes constant memory per client, without the
        # double burst where two fixed windows meet.
        StoreSettings,
        "rate_limit_strategy",
    )
    rate_limit_key: LimitKey | None = field(
        # Your own function (request) -> the key to count by, for example the user. None: the
        # client's address.
        default=None,
        validator=synchronous,
    )
    rate_limit_exempt_when: LimitExemption | None = field(
        # Your own function (request) -> True for a request that is not counted.
        default=None,
        validator=synchronous,
    )
    rate_limit_headers: Literal["draft", "legacy", "both", "off"] = field(
        # Headers that tell clients their limit. "draft": RateLimit and RateLimit-Policy
        # (draft-ietf-httpapi-ratelimit-headers-11). "legacy" sends X-RateLimit-*.
        default="draft",
        validator=one_of("draft", "legacy", "both", "off"),
    )
