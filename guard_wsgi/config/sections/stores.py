"""Shared state."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.options import values as values
from guard_wsgi.options.declaring import BLANK_IS_UNSET, SECRET_IN_URL
from guard_wsgi.options.numbers import flag, number, whole_number
from guard_wsgi.options.resolving import same_as
from guard_wsgi.state.settings import Feature, OutagePolicy, StoreSettings


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class StoreOptions:
    """Shared state."""

    store_url: str = field(
        # Where limits, bans and counters are kept: in this process, without any setup. Use
        # "lmdb:///path" for the workers of one machine and "redis://host" for several machines.
        default="memory://",
        converter=values.text,
        metadata=MappingProxyType({**SECRET_IN_URL, **BLANK_IS_UNSET}),
    )
    store_timeout: float = same_as(
        # The longest that a request waits for the store, in seconds. A store on the same network
        # answers in a millisecond.
        StoreSettings,
        "timeout_seconds",
        within=number(0, 10, above=True),
    )
    store_failure_policy: Mapping[Feature, OutagePolicy] = same_as(
        # What happens while the store is down. "local": each process counts alone, which keeps the
        # site up and most of the protection. "deny" is for sites that prefer to be down.
        StoreSettings,
        "policies",
    )
    memory_store_max_keys: int = same_as(
        # The most keys of memory://, about 230 MB. The least recently used keys go first.
        StoreSettings,
        "max_keys",
        within=whole_number(1000),
    )
    max_bans: int = same_as(
        # The most bans that a process keeps in memory, about 50 MB. With memory://, the bans that
        # end first are dropped. With a shared store, the process asks the store about the rest, one
        # round trip per client.
        StoreSettings,
        "max_bans",
    )
    enable_redis: bool = field(
        # Off: a site without Redis must work as installed. True, with redis_url, is the same as
        # store_url.
        default=False,
        converter=flag,
    )
    redis_url: str | None = field(
        # Where Redis listens by default. Used only if enable_redis is true.
        default="redis://localhost:6379",
        converter=values.optional_text,
        metadata=SECRET_IN_URL,
    )
    redis_prefix: str = field(
        # Prefix of every key, in any store.
        default="guard_wsgi:",
        converter=values.text,
    )
    redis_socket_connect_timeout: float | None = field(
        # None: the same as store_timeout.
        default=None,
        validator=number(0, optional=True, above=True),
    )
    redis_socket_timeout: float | None = field(
        # None: the same as store_timeout.
        default=None,
        validator=number(0, optional=True, above=True),
    )
    redis_max_connections: int | None = field(
        # None: the limit of the Redis client.
        default=None,
        validator=whole_number(1, optional=True),
    )
