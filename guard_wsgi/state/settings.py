"""The settings of a store besides its URI."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

from attrs import field, frozen

from guard_wsgi.network.address import IPV6_CLIENT_PREFIX_BITS
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.options.numbers import number, whole_number
from guard_wsgi.options.quoting import listed, nearest, quoted
from guard_wsgi.options.resolving import checked
from guard_wsgi.options.values import one_of, synchronous, text
from guard_wsgi.state.backend import STRATEGIES, Strategy
from guard_wsgi.state.ban_index import DEFAULT_MAX_BANS
from guard_wsgi.state.clock import SYSTEM_CLOCK, Clock

OutagePolicy = Literal["local", "allow", "deny"]
Feature = Literal["rate_limit", "bans", "counters"]

DEFAULT_MAX_KEYS = 1_000_000
"""The most keys: a server can spare the memory (about 230 MB, reached only under attack)."""

POLICIES: tuple[OutagePolicy, ...] = ("local", "allow", "deny")
FEATURES: tuple[Feature, ...] = ("rate_limit", "bans", "counters")

Change = Literal["degraded", "recovered"]


def failure_policies(values: Mapping[Any, OutagePolicy]) -> Mapping[Feature, OutagePolicy]:
    """Read the policy of each feature while the store is down; ``local`` by default."""
    if not isinstance(values, Mapping):
        raise ValueError(f"must be a table such as {{'bans': 'deny'}}, not {quoted(values)}")
    policies: dict[Feature, OutagePolicy] = dict.fromkeys(FEATURES, "local")
    faults = []
    for feature, policy in values.items():
        if feature not in FEATURES:
            faults.append(
                f"has the unknown feature {quoted(feature)}{nearest(str(feature), FEATURES)}"
            )
        elif policy not in POLICIES:
            faults.append(f"{feature} must be one of {listed(POLICIES)}, not {quoted(policy)}")
        policies[feature] = policy
    if faults:
        raise ValueError("; ".join(faults))
    return MappingProxyType(policies)


@checked
@frozen(kw_only=True)
class StoreSettings:
    """Options of a store, each with the reason of its default.

    ``policies``: what happens to a feature while a remote store is down. ``local``: this process
    counts alone, within its share of the limit if ``worker_count`` is known, and enforces the bans
    it knows. ``allow``: no limits, no bans. ``deny``: ``StoreError``, which the guard answers with
    503. Small values follow ``counters``.

    :raises ConfigError: with every fault.
    """

    # Several applications may share one server; each has its own prefix.
    prefix: str = field(default="guard:", converter=text)
    # Names the file of a bare ``lmdb://``; None: the working directory's name.
    app_name: str | None = None
    # A store in the same network answers in 1 ms; a store that takes 100 ms counts as down.
    timeout_seconds: float = field(default=0.1, validator=number(0, above=True))
    # All store calls of one request together: with the last one's overhead, under 0.15 s.
    request_budget_seconds: float = field(default=0.13, validator=number(0, above=True))
    # O(1) for a key, and without the doubled burst at the edge of fixed windows.
    rate_limit_strategy: Strategy = field(
        default="sliding-window-counter", validator=one_of(*STRATEGIES)
    )
    # local: the site stays up and stays limited, each process counting on its own.
    policies: Mapping[Feature, OutagePolicy] = field(
        default=failure_policies({}), converter=failure_policies
    )
    max_keys: int = field(default=DEFAULT_MAX_KEYS, validator=whole_number(1))
    max_bans: int = field(default=DEFAULT_MAX_BANS, validator=whole_number(1))
    # A ban of an IPv6 address is one of its client, who has at least this network (RFC 6177).
    ipv6_prefix_bits: int = field(default=IPV6_CLIENT_PREFIX_BITS, validator=whole_number(1, 128))
    # Unknown: the whole limit for each worker. A smaller share would refuse legitimate requests.
    worker_count: int | None = field(default=None, validator=whole_number(1, optional=True))
    # Never banned: the trusted proxies. Loopback is never banned either.
    protected: IPSet = IPSet()
    # Called once for each change, in the thread of the request that saw it; must return at once.
    on_change: Callable[[Change, str], None] | None = field(default=None, validator=synchronous)
    # Passed to the client of a remote store; they override our own timeouts.
    options: Mapping[str, object] = MappingProxyType({})
    clock: Clock = SYSTEM_CLOCK

    @staticmethod
    def contradictions(options: Mapping[str, Any], broken: Collection[str]) -> Iterator[str]:
        """Find a budget that is too small for one call."""
        names = ("request_budget_seconds", "timeout_seconds")
        if any(name in broken for name in names):
            return
        if options["request_budget_seconds"] < options["timeout_seconds"]:
            yield "request_budget_seconds must be at least timeout_seconds"
