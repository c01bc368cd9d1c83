"""What can be said about a store besides its URI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from guard_wsgi.errors import ConfigError
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.backend import STRATEGIES, Strategy
from guard_wsgi.state.backends.memory import DEFAULT_MAX_KEYS
from guard_wsgi.state.ban_index import DEFAULT_MAX_BANS
from guard_wsgi.state.clock import SYSTEM_CLOCK, Clock

Policy = Literal["local", "allow", "deny"]
Feature = Literal["rate_limit", "bans", "counters"]

POLICIES: tuple[Policy, ...] = ("local", "allow", "deny")
FEATURES: tuple[Feature, ...] = ("rate_limit", "bans", "counters")

Change = Literal["degraded", "recovered"]


def _policies(given: Mapping[Feature, Policy]) -> Mapping[Feature, Policy]:
    # local: the site stays up and stays limited, each process counting on its own.
    defaults: dict[Feature, Policy] = dict.fromkeys(FEATURES, "local")
    return MappingProxyType({**defaults, **given})


@frozen(kw_only=True)
class StoreSettings:
    """Options of a store, each with the reason of its default.

    ``policies``: what happens to a feature while a remote store is down. ``local``: this process
    counts alone, within its share of the limit when ``worker_count`` is known, and the bans it
    knows hold. ``allow``: not limited, not banned. ``deny``: ``StoreError``, which the guard
    answers with 503. Small values follow ``counters``.

    :raises ConfigError: with every fault.
    """

    # Several applications may share one server; each has its own prefix.
    prefix: str = "guard:"
    # Names the file of a bare ``lmdb://``; None: the working directory's name.
    app_name: str | None = None
    # A store in the same network answers in 1 ms; one that takes 100 ms is down for a guard.
    timeout_seconds: float = 0.1
    # All store calls of one request together: with the last one's overhead, under 0.15 s.
    request_budget_seconds: float = 0.13
    # O(1) for a key, and without the doubled burst at the edge of fixed windows.
    rate_limit_strategy: Strategy = "sliding-window-counter"
    policies: Mapping[Feature, Policy] = field(factory=dict, converter=_policies)
    max_keys: int = DEFAULT_MAX_KEYS
    max_bans: int = DEFAULT_MAX_BANS
    # Unknown: the whole limit for each worker. A smaller share would refuse rightful requests.
    worker_count: int | None = None
    # Never banned: the trusted proxies. Loopback never is, without being named.
    protected: IPSet = field(factory=IPSet)
    # Called once for each change, in the thread of the request that saw it; must return at once.
    on_change: Callable[[Change, str], None] | None = None
    # Handed to the client of a remote store, over our own time-outs.
    options: Mapping[str, object] = field(factory=dict)
    clock: Clock = SYSTEM_CLOCK

    def __attrs_post_init__(self) -> None:
        faults = []
        if self.rate_limit_strategy not in STRATEGIES:
            faults.append(
                f"rate_limit_strategy: {self.rate_limit_strategy!r} is none of"
                f" {', '.join(STRATEGIES)}"
            )
        for feature, policy in self.policies.items():
            if feature not in FEATURES:
                faults.append(f"policies: {feature!r} is none of {', '.join(FEATURES)}")
            elif policy not in POLICIES:
                faults.append(f"policies: {policy!r} is none of {', '.join(POLICIES)}")
        if not self.timeout_seconds > 0:
            faults.append("timeout_seconds must be positive")
        if self.request_budget_seconds < self.timeout_seconds:
            faults.append("request_budget_seconds must be at least timeout_seconds")
        for name in ("max_keys", "max_bans"):
            if getattr(self, name) < 1:
                faults.append(f"{name} must be at least 1")
        if self.worker_count is not None and self.worker_count < 1:
            faults.append("worker_count must be at least 1")
        if faults:
            raise ConfigError(faults)
