"""Options that are tables: bans by category, headers by name, exclusions by path.

Converters as in values.py: each returns an immutable value or raises ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from attrs import field, frozen
from attrs import fields as attrs_fields

from guard_wsgi.behavior.rule import BehaviorRule, BehaviorRuleConfig
from guard_wsgi.config.texts import header_name, header_value, patterns, rooted_path
from guard_wsgi.errors import ConfigError
from guard_wsgi.options.numbers import MAX_COUNT, MAX_SECONDS, flag, read_whole, whole_number
from guard_wsgi.options.quoting import listed, nearest, quoted
from guard_wsgi.options.values import strings

HEADER_PRESETS = ("html", "api", "off")

SECURITY_HEADER_KEYS = (
    "enabled",
    "preset",
    "hsts",
    "csp",
    "frame_options",
    "content_type_options",
    "xss_protection",
    "referrer_policy",
    "permissions_policy",
    "cross_origin_opener_policy",
    "cross_origin_resource_policy",
    "cross_origin_embedder_policy",
    "permitted_cross_domain_policies",
    "custom",
)

HSTS_KEYS = ("max_age", "include_subdomains", "preload")
HSTS_PRELOAD_MIN_SECONDS = 31_536_000
"""hstspreload.org accepts no site under a year."""


@frozen(slots=True)
class ThreatBanConfig:
    """A category's own ban: after ``threshold`` hits in the window, for ``duration`` seconds."""

    threshold: int = field()
    duration: int = field()

    def __attrs_post_init__(self) -> None:
        """:raises ValueError: if a value is not a number of at least 1."""
        for name in ("threshold", "duration"):
            try:
                object.__setattr__(self, name, whole_number(1).read(getattr(self, name)))
            except ValueError as fault:
                raise ValueError(f"{name} {fault}") from None


def error_responses(values: Mapping[int, str] | Mapping[str, str]) -> Mapping[int, str]:
    """Read body texts by status, 400 to 599; a TOML or JSON key is text and becomes a number."""
    if not isinstance(values, Mapping):
        raise ValueError(f"must be a table of texts by status, not {quoted(values)}")
    bodies: dict[int, str] = {}
    for key, body in values.items():
        try:
            status = whole_number(400, 599).read(key)
        except ValueError:
            status = None
        if not isinstance(status, int):
            raise ValueError(f"contains {quoted(key)}, not a status of a refusal (400 to 599)")
        if not isinstance(body, str):
            raise ValueError(f"{status} needs a text, not {quoted(body)}")
        bodies[status] = body
    return MappingProxyType(bodies)


def threat_bans(
    values: Mapping[str, ThreatBanConfig | Mapping[str, int]],
) -> Mapping[str, ThreatBanConfig]:
    """Read thresholds by category; a value may be a table with ``threshold`` and ``duration``."""
    if not isinstance(values, Mapping):
        raise ValueError(f"must map categories to thresholds, not {quoted(values)}")
    bans: dict[str, ThreatBanConfig] = {}
    for category, given in values.items():
        if isinstance(given, ThreatBanConfig):
            bans[category] = given
            continue
        if not isinstance(given, Mapping) or set(given) != {"threshold", "duration"}:
            raise ValueError(f"{category} needs 'threshold' and 'duration', not {quoted(given)}")
        try:
            bans[category] = ThreatBanConfig(given["threshold"], given["duration"])
        except ValueError as fault:
            raise ValueError(f"{category} {fault}") from None
    return MappingProxyType(bans)


def behavior_rules(
    values: Iterable[BehaviorRule | BehaviorRuleConfig | Mapping[str, Any]],
) -> tuple[BehaviorRule, ...]:
    """Read behaviour rules; an entry may be a table of a rule's fields."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ValueError(f"must be a list of rules, not {quoted(values)}")
    rules: list[BehaviorRule] = []
    faults: list[str] = []
    values = tuple(values)
    for number, value in enumerate(values, start=1):
        which = f"rule {number}: " if len(values) > 1 else ""
        try:
            rules.append(_behavior_rule(value))
        except ConfigError as error:
            faults.extend(which + fault for fault in error.faults)
        except ValueError as error:
            faults.append(f"{which}{error}")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(rules)


def _behavior_rule(value: BehaviorRule | BehaviorRuleConfig | Mapping[str, Any]) -> BehaviorRule:
    if isinstance(value, BehaviorRule):
        return value
    if isinstance(value, BehaviorRuleConfig):
        return value.to_rule()
    if not isinstance(value, Mapping):
        raise ValueError(f"contains {quoted(value)}, not a rule or a table of its fields")
    names = [attribute.name for attribute in attrs_fields(BehaviorRule)]
    for key in value:
        if key not in names:
            raise ValueError(f"has the unknown key {quoted(key)}{nearest(str(key), names)}")
    missing = [name for name in ("rule_type", "threshold") if name not in value]
    if missing:
        raise ValueError(f"has a rule without {' and '.join(missing)}: {quoted(value)}")
    return BehaviorRule(**value)


def string_table(values: Mapping[str, str]) -> Mapping[str, str]:
    """Read texts by name; a number becomes its text."""
    if not isinstance(values, Mapping) or not all(
        isinstance(key, str)
        and isinstance(value, (str, int, float, Decimal))
        and not isinstance(value, bool)
        for key, value in values.items()
    ):
        raise ValueError(f"must be a table of strings ({{'name': 'value'}}), not {quoted(values)}")
    return MappingProxyType({key: str(value) for key, value in values.items()})


def security_headers(value: str | Mapping[str, Any] | None) -> str | Mapping[str, Any]:
    """Read a preset's name, or a table of SECURITY_HEADER_KEYS; ``None`` is ``"off"``.

    Values that can't be sent are refused here, so that no answer fails because of them.
    """
    if value is None:
        return "off"
    if isinstance(value, str) and value in HEADER_PRESETS:
        return value
    if not isinstance(value, Mapping):
        presets = listed(HEADER_PRESETS)
        raise ValueError(f"must be a table or one of {presets}, not {quoted(value)}")
    table: dict[str, Any] = {}
    for key, setting in value.items():
        if key not in SECURITY_HEADER_KEYS:
            raise ValueError(
                f"has the unknown key {quoted(key)}{nearest(str(key), SECURITY_HEADER_KEYS)}"
            )
        try:
            table[key] = _security_header(key, setting)
        except ValueError as fault:
            raise ValueError(f"{key}: {fault}") from None
    return MappingProxyType(table)


def optional_security_headers(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Read the headers of a route: a table, or ``None`` for no change."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table of headers, not {quoted(value)}")
    table = security_headers(value)
    assert not isinstance(table, str)
    return table


def _security_header(key: str, setting: Any) -> Any:
    if key == "enabled":
        return flag(setting)
    if key == "preset":
        if setting not in HEADER_PRESETS:
            raise ValueError(f"must be one of {listed(HEADER_PRESETS)}, not {quoted(setting)}")
        return setting
    if setting is None or setting is False or setting == "":
        return None
    if key == "hsts":
        return _hsts(setting)
    if key == "csp":
        return _csp(setting)
    if key == "custom":
        custom = string_table(setting)
        for name, line in custom.items():
            header_name(name)
            try:
                header_value(line)
            except ValueError as fault:
                raise ValueError(f"header {name}: {fault}") from None
        return custom
    return header_value(setting)


def _hsts(setting: Any) -> Mapping[str, Any]:
    if not isinstance(setting, Mapping):
        raise ValueError(f"must be a table of {listed(HSTS_KEYS)}, not {quoted(setting)}")
    table: dict[str, Any] = {"max_age": HSTS_PRELOAD_MIN_SECONDS, "include_subdomains": True}
    table["preload"] = False
    for key, value in setting.items():
        if key not in HSTS_KEYS:
            raise ValueError(f"has the unknown key {quoted(key)}{nearest(str(key), HSTS_KEYS)}")
        table[key] = value
    try:
        table["max_age"] = whole_number(0).read(table["max_age"])
    except ValueError:
        raise ValueError(
            f"max_age must be seconds, 0 or more, not {quoted(table['max_age'])}"
        ) from None
    table["include_subdomains"] = flag(table["include_subdomains"])
    table["preload"] = flag(table["preload"])
    return MappingProxyType(table)


def may_be_preloaded(hsts: Mapping[str, Any]) -> bool:
    """Whether hstspreload.org would accept a site with this header."""
    return bool(hsts["max_age"] >= HSTS_PRELOAD_MIN_SECONDS and hsts["include_subdomains"])


def _csp(setting: Any) -> Mapping[str, tuple[str, ...]] | str:
    """Read a table of directives and sources, or the whole policy as text."""
    if isinstance(setting, str):
        return header_value(setting)
    if not isinstance(setting, Mapping):
        raise ValueError(f"must be a table of directives or text, not {quoted(setting)}")
    directives: dict[str, tuple[str, ...]] = {}
    for directive, sources in setting.items():
        header_name(directive)
        given = tuple(sources.split()) if isinstance(sources, str) else strings(sources)
        for source in given:
            if ";" in header_value(source) or "," in source:
                raise ValueError(
                    f"source {quoted(source)} contains ';' or ',', which ends the directive"
                )
        directives[directive] = given
    return MappingProxyType(directives)


def limit_pair(value: object) -> tuple[int, int]:
    """Read ``(requests, window_seconds)``, both at least 1."""
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    try:
        requests, window_seconds = (read_whole(part) for part in pair)
    except ValueError:
        requests = window_seconds = 0
    if requests < 1 or window_seconds < 1:
        raise ValueError(
            f"needs (requests, window in seconds), both at least 1, not {quoted(value)}"
        )
    if requests > MAX_COUNT or window_seconds > MAX_SECONDS:
        raise ValueError(f"needs at most {MAX_COUNT} requests in {MAX_SECONDS} s")
    return requests, window_seconds


def _exact_path(path: str) -> str:
    rooted = rooted_path(path)
    if "*" in rooted or "?" in rooted:
        raise ValueError("must be one exact path, without a pattern and without a query")
    return rooted


def endpoint_limits(
    values: Mapping[str, tuple[int, int]] | Mapping[str, list[int]],
) -> Mapping[str, tuple[int, int]]:
    """Read limits by exact path."""
    if not isinstance(values, Mapping):
        raise ValueError(f"must map paths to (requests, window), not {quoted(values)}")
    limits: dict[str, tuple[int, int]] = {}
    faults: list[str] = []
    for path, pair in values.items():
        try:
            limits[_exact_path(path)] = limit_pair(pair)
        except ValueError as fault:
            faults.append(f"{quoted(path)} {fault}")
    if faults:
        raise ValueError("; ".join(faults))
    return MappingProxyType(limits)


def custom_patterns(values: Mapping[str, str] | Iterable[str]) -> Mapping[str, str]:
    """Read patterns by name; those of a list get the names ``custom-1``, ``custom-2``..."""
    if isinstance(values, Mapping):
        named = dict(values)
    else:
        named = {f"custom-{place}": value for place, value in enumerate(strings(values), 1)}
    for name, pattern in named.items():
        if not isinstance(name, str) or not isinstance(pattern, str):
            raise ValueError(f"must map names to patterns, not {quoted({name: pattern})}")
    patterns(named.values())
    return MappingProxyType(named)
