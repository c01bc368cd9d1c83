"""Rules that the collector sends while the app runs. They are accepted whole or not at all."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from attrs import asdict, field, frozen

from guard_wsgi.errors import ConfigError
from guard_wsgi.network.ipset import parse_network
from guard_wsgi.options.numbers import MAX_SECONDS
from guard_wsgi.telemetry.events import utc_now

MAX_ENTRIES = 100_000
"""The most entries of a list: more than any list of addresses in use, and a bound on the cost."""

_COUNTRY = re.compile(r"[A-Z]{2}\Z")


class RulesError(ConfigError):
    """The rules are not valid; none of them is applied."""


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

    rule_id: str = "default-rule"
    version: int = 1
    timestamp: datetime = field(factory=utc_now)
    expires_at: datetime | None = None
    ttl: int = 300
    ip_blacklist: tuple[str, ...] = ()
    ip_whitelist: tuple[str, ...] = ()
    ip_ban_duration: int = 3600
    ip_ban_until: Mapping[str, datetime] = field(factory=dict)
    blocked_countries: tuple[str, ...] = ()
    whitelist_countries: tuple[str, ...] = ()
    global_rate_limit: int | None = None
    global_rate_window: int | None = None
    endpoint_rate_limits: Mapping[str, tuple[int, int]] = field(factory=dict)
    blocked_cloud_providers: tuple[str, ...] = ()
    blocked_user_agents: tuple[str, ...] = ()
    suspicious_patterns: tuple[str, ...] = ()
    detection_exclusions: tuple[Mapping[str, Any], ...] = ()
    enable_penetration_detection: bool | None = None
    enable_ip_banning: bool | None = None
    enable_rate_limiting: bool | None = None
    auto_ban_threshold: int | None = None
    auto_ban_duration: int | None = None
    enable_rate_limit_auto_ban: bool | None = None
    emergency_mode: bool = False
    emergency_whitelist: tuple[str, ...] = ()
    emergency_whitelist_only: bool = False
    message: str | None = None

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
    """The collector holds a question until its answer changes, so the agent may ask again at
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


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be text, not {value!r:.80}")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r:.80}")
    return value


def _positive(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"must be a whole number over 0, not {value!r:.80}")
    if value > MAX_SECONDS:
        raise ValueError(f"must be at most {MAX_SECONDS}")
    return value


def _natural(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be a whole number, not {value!r:.80}")
    return value


def _time(value: Any) -> datetime:
    """Parse ISO 8601 with ``T`` or a space, or seconds since the epoch; UTC if no zone is given."""
    if isinstance(value, datetime):
        when = value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError("no time")
        when = datetime.fromtimestamp(value, UTC)
    else:
        when = datetime.fromisoformat(_text(value).strip().upper())
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _tuple(reader: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise ValueError(f"must be a list, not {value!r:.80}")
        entries = list(value)
        if len(entries) > MAX_ENTRIES:
            raise ValueError(f"{len(entries)} entries; at most {MAX_ENTRIES} are allowed")
        if isinstance(value, (set, frozenset)):
            entries.sort(key=str)
        return tuple(reader(entry) for entry in entries)

    return read


def _network(value: Any) -> str:
    text = _text(value).strip()
    network = parse_network(text)
    return (
        str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
    )


def _country(value: Any) -> str:
    code = _text(value).strip().upper()
    if not _COUNTRY.match(code):
        raise ValueError(f"{value!r:.20} is not an ISO 3166 code")
    return code


def _pattern(value: Any) -> str:
    text = _text(value)
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{value!r:.80} is not a regular expression: {error}") from None
    return text


def _limits(value: Any) -> Mapping[str, tuple[int, int]]:
    if not isinstance(value, Mapping):
        raise ValueError("must map paths to [requests, seconds]")
    limits: dict[str, tuple[int, int]] = {}
    for path, pair in value.items():
        if not isinstance(path, str) or not path.startswith("/"):
            raise ValueError(f"{path!r:.80} is not a path")
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(f"{path}: must be [requests, seconds]")
        limits[path] = (_positive(pair[0]), _positive(pair[1]))
    return MappingProxyType(limits)


def _times(value: Any) -> Mapping[str, datetime]:
    if not isinstance(value, Mapping):
        raise ValueError("must map addresses to times")
    if len(value) > MAX_ENTRIES:
        raise ValueError(f"{len(value)} entries; at most {MAX_ENTRIES} are allowed")
    return MappingProxyType({_network(target): _time(until) for target, until in value.items()})


def _exclusions(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Check the shape of exclusions. Their contents are checked with the resulting
    configuration."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list, not {value!r:.80}")
    if len(value) > MAX_ENTRIES:
        raise ValueError(f"{len(value)} entries; at most {MAX_ENTRIES} are allowed")
    for entry in value:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
            raise ValueError(f"must be an object with a path, not {entry!r:.80}")
    return tuple(MappingProxyType(dict(entry)) for entry in value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "rule_id": _text,
    "version": _natural,
    "timestamp": _time,
    "expires_at": _time,
    "ttl": _natural,
    "ip_blacklist": _tuple(_network),
    "ip_whitelist": _tuple(_network),
    "ip_ban_duration": _positive,
    "ip_ban_until": _times,
    "blocked_countries": _tuple(_country),
    "whitelist_countries": _tuple(_country),
    "global_rate_limit": _positive,
    "global_rate_window": _positive,
    "endpoint_rate_limits": _limits,
    "blocked_cloud_providers": _tuple(_text),
    "blocked_user_agents": _tuple(_pattern),
    "suspicious_patterns": _tuple(_pattern),
    "detection_exclusions": _exclusions,
    "enable_penetration_detection": _boolean,
    "enable_ip_banning": _boolean,
    "enable_rate_limiting": _boolean,
    "auto_ban_threshold": _positive,
    "auto_ban_duration": _positive,
    "enable_rate_limit_auto_ban": _boolean,
    "emergency_mode": _boolean,
    "emergency_whitelist": _tuple(_network),
    "emergency_whitelist_only": _boolean,
    "message": str,
}
_REQUIRED = frozenset({"rule_id", "version"})
"""The fields that identify the rules: they must not be null."""
