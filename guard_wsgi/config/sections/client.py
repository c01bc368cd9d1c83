"""The client and the proxies before it."""

from __future__ import annotations

from attrs import field, frozen

from guard_wsgi.config import texts as texts
from guard_wsgi.options.declaring import BLANK_IS_UNSET
from guard_wsgi.options.numbers import flag, whole_number


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class ClientOptions:
    """The client and the proxies before it."""

    trusted_proxies: tuple[str, ...] = field(
        # Nobody: what a proxy says of the client is believed only of those you name.
        default=(),
        converter=texts.proxies,
    )
    trusted_proxy_depth: int = field(
        # One proxy is the common case; counted from the right of X-Forwarded-For.
        default=1,
        validator=whole_number(1),
    )
    trust_x_forwarded_proto: bool = field(
        # Off: not every proxy overwrites the header, and a forged one would switch HTTPS rules.
        default=False,
        converter=flag,
    )
    forwarded_header: str = field(
        # What nearly all proxies send. Exactly one header is read, never a second as fallback:
        # the one your proxy does not overwrite belongs to the attacker.
        default="x-forwarded-for",
        converter=texts.forwarded_header,
        metadata=BLANK_IS_UNSET,
    )
    ipv6_client_prefix: int = field(
        # One customer has at least a /64 (RFC 6177), so limits and counters take it as one.
        default=64,
        validator=whole_number(32, 128),
    )
    allowed_hosts: tuple[str, ...] = field(
        # Empty: any Host. When set, other hosts get 400, and redirects to HTTPS can't be
        # pointed elsewhere by a forged Host.
        default=(),
        converter=texts.hosts,
    )
