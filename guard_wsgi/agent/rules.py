"""Rules that the collector sends while the app runs. They are accepted whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import asdict, field, fields, frozen

from guard_wsgi.agent import rule_values as read
from guard_wsgi.errors import ConfigError
from guard_wsgi.telemetry.events import utc_now


class RulesError(ConfigError):
    """The rules are not valid; none of them is applied."""


def _rule(reader: Callable[[Any], Any], **options: Any) -> Any:
    """Declare a field with the function that reads it from JSON."""
    return field(metadata={"reader": reader}, **options)


@frozen(slots=True, kw_only=True)
class DynamicRules:
    """One set of rules. Fields that are ``None`` or empty leave the configuration as it is.

    :ivar expires_at: when the configuration gets its own values back; ``None`` for never.
    :ivar ttl: how many seconds to keep the rules before asking the collector again.
    :ivar ip_blacklist: banned for ``ip_ban_duration`` seconds.
    :ivar ip_ban_until: when the ban of an entry of ``ip_blacklist`` ends, if not after
        ``ip_ban_duration``. Collectors for the existing agent do not send it.
    :ivar ip_whitelist: addresses whose bans are lifted.
    :ivar global_rate_limit: requests a ``global_rate_window`` (seconds).
    :ivar endpoint_rate_limits: path to (requests, seconds).
    :ivar detection_exclusions: entries to add to the option of that name. The existing agent does
        not know it either.
    :ivar emergency_mode: only ``emergency_whitelist`` gets through.
    :ivar emergency_whitelist_only: if true, only ``emergency_whitelist`` gets through in an
        emergency; otherwise the addresses of the configuration do as well.
    :ivar message: a text for the log.
    """

    rule_id: str = _rule(read.text, default="default-rule")
    version: int = _rule(read.natural, default=1)
    timestamp: datetime = _rule(read.time, factory=utc_now)
    expires_at: datetime | None = _rule(read.time, default=None)
    ttl: int = _rule(read.natural, default=300)
    ip_blacklist: tuple[str, ...] = _rule(read.each(read.network), default=())
    ip_whitelist: tuple[str, ...] = _rule(read.each(read.network), default=())
    ip_ban_duration: int = _rule(read.positive, default=3600)
    ip_ban_until: Mapping[str, datetime] = _rule(read.times, factory=dict)
    blocked_countries: tuple[str, ...] = _rule(read.each(read.country), default=())
    whitelist_countries: tuple[str, ...] = _rule(read.each(read.country), default=())
    global_rate_limit: int | None = _rule(read.positive, default=None)
    global_rate_window: int | None = _rule(read.positive, default=None)
    endpoint_rate_limits: Mapping[str, tuple[int, int]] = _rule(read.limits, factory=dict)
    blocked_cloud_providers: tuple[str, ...] = _rule(read.each(read.text), default=())
    blocked_user_agents: tuple[str, ...] = _rule(read.each(read.pattern), default=())
    suspicious_patterns: tuple[str, ...] = _rule(read.each(read.pattern), default=())
    detection_exclusions: tuple[Mapping[str, Any], ...] = _rule(read.exclusions, default=())
    enable_penetration_detection: bool | None = _rule(read.boolean, default=None)
    enable_ip_banning: bool | None = _rule(read.boolean, default=None)
    enable_rate_limiting: bool | None = _rule(read.boolean, default=None)
    auto_ban_threshold: int | None = _rule(read.positive, default=None)
    auto_ban_duration: int | None = _rule(read.positive, default=None)
    enable_rate_limit_auto_ban: bool | None = _rule(read.boolean, default=None)
    emergency_mode: bool = _rule(read.boolean, default=False)
    emergency_whitelist: tuple[str, ...] = _rule(read.each(read.network), default=())
    emergency_whitelist_only: bool = _rule(read.boolean, default=False)
    message: str | None = _rule(str, default=None)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> DynamicRules:
        """Read rules from a JSON object. Unknown names are ignored.

        :raises RulesError: with every fault found.
        """
        faults: list[str] = []
        read: dict[str, Any] = {}
        for name, reader in _READERS.items():
            if name in values and (values[name] is not None or name in _REQUIRED):
                try:
                    read[name] = reader(values[name])
                except (ValueError, TypeError, OverflowError) as error:
                    faults.append(f"{name}: {error}")
        if faults:
            raise RulesError(faults)
        return cls(**read)

    def as_wire(self) -> dict[str, Any]:
        """Return the JSON object that :meth:`parse` reads."""
        wire = asdict(self, recurse=False)
        wire["timestamp"] = self.timestamp.isoformat()
        wire["expires_at"] = self.expires_at.isoformat() if self.expires_at else None
        wire["endpoint_rate_limits"] = dict(self.endpoint_rate_limits)
        wire["ip_ban_until"] = {
            target: until.isoformat() for target, until in self.ip_ban_until.items()
        }
        wire["detection_exclusions"] = [dict(entry) for entry in self.detection_exclusions]
        return wire

    def has_expired(self, now: datetime | None = None) -> bool:
        """Whether the rules have expired."""
        return self.expires_at is not None and self.expires_at <= (now or utc_now())

    def replaces(self, other: DynamicRules | None) -> bool:
        """Whether these rules replace the others: they differ and are not older."""
        if other is None or self.rule_id != other.rule_id:
            return True
        if self.version != other.version:
            return self.version > other.version
        mine, its = self.as_wire(), other.as_wire()
        mine["timestamp"] = its["timestamp"] = None  # defaults to the time of the answer
        return bool(mine != its)


@frozen(slots=True)
class RulesAnswer:
    """The collector's answer: it has rules, it has ``none``, they are ``invalid``, or they are
    ``unknown`` because it gave no proper answer."""

    kind: Literal["rules", "none", "invalid", "unknown"]
    rules: DynamicRules | None = None
    detail: str = ""
    ask_again: bool = False
    """The collector holds a request until its answer changes, so the agent may ask again at
    once."""


def read_rules(status: int, body: bytes) -> RulesAnswer:
    """Read an answer to ``GET /api/v1/rules``. Never raises.

    A 204, or a 200 with ``null`` or ``{}``, means that there are no longer any rules. Any other
    status but 200 means nothing: a proxy's 404 must not end an emergency mode.
    """
    if status == 204:
        return RulesAnswer("none")
    if status != 200:
        return RulesAnswer("unknown", detail=f"HTTP {status}")
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        return RulesAnswer("unknown", detail=f"not JSON: {error}")
    if values is None or values == {}:
        return RulesAnswer("none")
    if not isinstance(values, dict):
        return RulesAnswer("invalid", detail="not a JSON object")
    if not values.keys() & _READERS.keys():
        return RulesAnswer("unknown", detail="a JSON object, but no rules")
    try:
        return RulesAnswer("rules", DynamicRules.parse(values))
    except RulesError as error:
        return RulesAnswer("invalid", detail="; ".join(error.faults))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    rule.name: rule.metadata["reader"] for rule in fields(DynamicRules)
}
_REQUIRED = frozenset({"rule_id", "version"})
"""The fields that identify the rules: they must not be null."""
