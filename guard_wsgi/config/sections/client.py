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
        # Empty: the guard believes X-Forwarded-For only from the proxies that you list here.
        default=(),
        converter=texts.proxies,
    )
    trusted_proxy_depth: int = field(
        # The fewest proxies that a request passes, counted from the right of X-Forwarded-For. One
        # is the common case.
        default=1,
        validator=whole_number(1),
    )
    trust_x_forwarded_proto: bool = field(
        # Whether to believe X-Forwarded-Proto. Off: not every proxy overwrites this header, and a
        # forged one would bypass the HTTPS rules.
        default=False,
        converter=flag,
    )
    forwarded_header: str = field(
        # The header with the client's address. Nearly all proxies send this one. The guard reads
        # exactly one header and has no fallback: a client can forge any header that your proxy does
        # not overwrite.
        default="x-forwarded-for",
        converter=texts.forwarded_header,
        metadata=BLANK_IS_UNSET,
    )
    ipv6_client_prefix: int = field(
        # The bits of an IPv6 address that identify a client. One customer has at least a /64 (RFC
        # 6177), so limits and counters treat a /64 as one client.
        default=64,
        validator=whole_number(32, 128),
    )
    allowed_hosts: tuple[str, ...] = field(
        # Empty: any Host. When set, other hosts get 400, and a forged Host can't redirect anybody
        # elsewhere.
        default=(),
        converter=texts.hosts,
    )
