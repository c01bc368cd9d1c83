"""What one option may hold: converters to immutable values and validators of ranges.

A converter takes what a person writes (a list, a TOML table, a path) and returns the value that
the configuration keeps; a validator only looks. Both raise ``ValueError`` with a sentence that
goes behind the option's name: "must be at least 1, not 0".
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import Attribute, asdict, field, frozen, has
from attrs import fields as attrs_fields

from guard_wsgi.network.ipset import parse_network

MAX_QUOTED_CHARS = 80
"""A fault quotes at most so much of what was given: it ends in logs and terminals."""

UNIX_PEER = "unix"
"""The spelling in ``trusted_proxies`` of a peer without an address: a unix socket."""

CLOUD_PROVIDERS = (
    "AWS",
    "GCP",
    "Azure",
    "DigitalOcean",
    "Linode",
    "Vultr",
    "Oracle",
    "Cloudflare",
)
REGIONAL_PROVIDERS = frozenset({"AWS", "GCP", "Azure", "Oracle"})
"""The providers whose published ranges name regions, so that one can be carved out."""

FORWARDED_HEADERS = (
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-appengine-user-ip",
)
"""The headers in which proxies and content networks are known to name their client."""

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FAILURE_FEATURES = ("rate_limit", "bans", "counters")
THRESHOLD_PRESETS = ("relaxed", "balanced", "strict")
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
"""hstspreload.org takes no site under a year."""

MAX_HEADER_VALUE_CHARS = 8192
"""The usual limit of servers and proxies for one header line."""

STORE_PACKAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "memory": ("", ""),
        "lmdb": ("lmdb", "guard-wsgi[lmdb]"),
        "redis": ("redis", "guard-wsgi[redis]"),
        "rediss": ("redis", "guard-wsgi[redis]"),
        "redis+unix": ("redis", "guard-wsgi[redis]"),
        "redis+sentinel": ("redis", "guard-wsgi[redis]"),
        "redis+cluster": ("redis", "guard-wsgi[redis]"),
        "valkey": ("valkey", "valkey"),
        "valkeys": ("valkey", "valkey"),
        "valkey+unix": ("valkey", "valkey"),
        "valkey+sentinel": ("valkey", "valkey"),
        "valkey+cluster": ("valkey", "valkey"),
        "memcached": ("pymemcache", "pymemcache"),
        "mongodb": ("pymongo", "pymongo"),
        "mongodb+srv": ("pymongo", "pymongo"),
    }
)
"""Scheme of ``store_url`` to the module it needs and what to install for it."""

_COUNTRY = re.compile(r"[A-Z][A-Z0-9]\Z")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2
_HOST = re.compile(r"(?:\*?\.)?(?:[0-9a-z_\-]+(?:\.[0-9a-z_\-]+)*|\[[0-9a-f:.]+\])\Z")
_MEDIA_TYPE = re.compile(r"[!#$&\-^_.+0-9a-z]+/(?:\*|[!#$&\-^_.+0-9a-z]+)\Z")
_NESTED_QUANTIFIER = re.compile(r"\((?:[^()\\]|\\.)*[*+](?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,\d*\})")


@frozen(slots=True)
class ThreatBanConfig:
    """When one category of threat bans by itself: ``threshold`` hits in the window, for
    ``duration`` seconds."""

    threshold: int = field()
    duration: int = field()

    @threshold.validator
    @duration.validator
    def _positive(self, attribute: Attribute[int], value: object) -> None:
        try:
            whole_number(1)(self, attribute, value)
        except ValueError as fault:
            raise ValueError(f"{attribute.name} {fault}") from None


@frozen(slots=True, kw_only=True)
class DetectionExclusion:
    """What detection leaves out on some paths. ``path`` is exact, or a prefix before ``*``.

    Either names (``params``, ``headers``, ``body_fields``) whose values are not looked at, or
    ``categories`` that are not looked for.
    """

    path: str
    params: frozenset[str] = frozenset()
    headers: frozenset[str] = frozenset()
    body_fields: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def covers(self, path: str) -> bool:
        """Whether ``path`` (in its canonical form) is one of those excluded."""
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


def quoted(value: object) -> str:
    """``value`` as a fault shows it: its repr, shortened."""
    text = repr(value)
    return text if len(text) <= MAX_QUOTED_CHARS else f"{text[:MAX_QUOTED_CHARS]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name that looks most like ``name``, or nothing."""
    names = list(known)
    by_lower = {one.lower(): one for one in names}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


# Validators: called as attrs calls them, with (instance, attribute, value).

Validator = Callable[[Any, "Attribute[Any]", Any], None]


def whole_number(minimum: int, maximum: int | None = None, *, optional: bool = False) -> Validator:
    """An ``int`` in a range; a ``bool`` is none, though Python calls it one."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number, not {quoted(value)}")
        _check_range(value, minimum, maximum)

    return check


def number(
    minimum: float,
    maximum: float | None = None,
    *,
    optional: bool = False,
    above: bool = False,
) -> Validator:
    """A finite number in a range; with ``above`` the minimum itself is out of it."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"must be a number, not {quoted(value)}")
        if not math.isfinite(value):
            raise ValueError(f"must be finite, not {value}")
        if above and value <= minimum:
            raise ValueError(f"must be more than {minimum}, not {value}")
        _check_range(value, minimum, maximum)

    return check


def _check_range(value: float, minimum: float, maximum: float | None) -> None:
    if value < minimum:
        raise ValueError(f"must be at least {minimum}, not {value}")
    if maximum is not None and value > maximum:
        raise ValueError(f"must be at most {maximum}, not {value}")


def one_of(*choices: str, optional: bool = False) -> Validator:
    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        if value not in choices:
            listed = ", ".join(repr(choice) for choice in choices)
            hint = nearest(value, choices) if isinstance(value, str) else ""
            raise ValueError(f"must be one of {listed}, not {quoted(value)}{hint}")

    return check


def each_of(*choices: str) -> Validator:
    """Every name of a collection is a known one."""

    def check(instance: object, attribute: Attribute[Any], value: Iterable[str]) -> None:
        unknown = sorted(name for name in value if name not in choices)
        if unknown:
            raise ValueError(
                "; ".join(f"knows no {quoted(name)}{nearest(name, choices)}" for name in unknown)
            )

    return check


def synchronous(instance: object, attribute: Attribute[Any], value: object) -> None:
    """A callable that answers at once: WSGI has no loop that could await it."""
    if value is None:
        return
    if not callable(value):
        raise ValueError(f"must be callable, not {quoted(value)}")
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(
        getattr(value, "__call__", None)  # noqa: B004  (an instance with an async __call__)
    ):
        raise ValueError("must be synchronous: a WSGI app has no event loop to await it on")


def geo_handler(instance: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not callable(getattr(value, "get_country", None)):
        raise ValueError(f"needs a method get_country(ip), which {quoted(value)} has not")


# Converters: shapes.


def flag(value: bool) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {quoted(value)}")
    return value


def optional_flag(value: bool | None) -> bool | None:
    return None if value is None else flag(value)


def text(value: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {quoted(value)}")
    return value


def optional_text(value: str | None) -> str | None:
    """Text or nothing; blank text is a value somebody forgot to fill in."""
    if value is None:
        return None
    if not text(value).strip():
        raise ValueError("must not be blank: leave it out instead")
    return value


def optional_path(value: str | Path | None) -> Path | None:
    if value is None:
        return None
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a path, not {quoted(value)}")
    return Path(value)


def strings(values: Iterable[str]) -> tuple[str, ...]:
    """Texts in their order; one bare text is refused, for it would be taken letter by letter."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise ValueError(f"must be a list of texts, not {quoted(values)}")
    if isinstance(values, Mapping):
        raise ValueError("must be a list of texts, not a mapping")
    items = sorted(values) if isinstance(values, (set, frozenset)) else list(values)
    for item in items:
        if not isinstance(item, str):
            raise ValueError(f"must hold texts only, not {quoted(item)}")
    return tuple(dict.fromkeys(items))


def string_set(values: Iterable[str]) -> frozenset[str]:
    return frozenset(strings(values))


def lower_set(values: Iterable[str]) -> frozenset[str]:
    """Names whose case says nothing, such as those of headers."""
    return frozenset(value.lower() for value in strings(values))


def optional_lower_set(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else lower_set(values)


def _all_or_faults(values: Iterable[str], convert: Callable[[str], str]) -> tuple[str, ...]:
    """Every item converted, or one ``ValueError`` that lists each item at fault."""
    converted: list[str] = []
    faults: list[str] = []
    for value in strings(values):
        try:
            converted.append(convert(value))
        except ValueError as fault:
            faults.append(str(fault))
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(dict.fromkeys(converted))


# Converters: addresses, countries, providers.


def _network(value: str) -> str:
    try:
        network = parse_network(value)
    except ValueError:
        raise ValueError(f"holds {quoted(value)}, neither an IP address nor a CIDR range") from None
    is_single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_single else str(network)


def networks(values: Iterable[str]) -> tuple[str, ...]:
    """Addresses and CIDR ranges in canonical spelling, host bits masked."""
    return _all_or_faults(values, _network)


def optional_networks(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else networks(values)


def proxies(values: Iterable[str]) -> tuple[str, ...]:
    """Networks, or the word ``unix`` for a peer without an address."""

    def convert(value: str) -> str:
        return UNIX_PEER if value.strip().lower() == UNIX_PEER else _network(value)

    return _all_or_faults(values, convert)


def _country(value: str) -> str:
    code = value.strip().upper()
    if code == "UK":
        raise ValueError("holds 'UK', which ISO 3166 writes 'GB'")
    if not _COUNTRY.match(code):
        raise ValueError(f"holds {quoted(value)}, not an ISO 3166 code of two letters")
    return code


def countries(values: Iterable[str]) -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes, upper-cased."""
    return frozenset(_all_or_faults(values, _country))


def _provider(value: str) -> str:
    name, colon, region = value.partition(":")
    by_lower = {provider.lower(): provider for provider in CLOUD_PROVIDERS}
    provider = by_lower.get(name.strip().lower())
    if provider is None:
        raise ValueError(f"knows no provider {quoted(name)}{nearest(name, CLOUD_PROVIDERS)}")
    if not colon:
        return provider
    region = region.strip().lower()
    if not region.startswith("!") or not region[1:]:
        raise ValueError(f"holds {quoted(value)}: a region is left out with 'AWS:!eu-west-1'")
    if provider not in REGIONAL_PROVIDERS:
        raise ValueError(f"holds {quoted(value)}, but {provider} publishes no regions")
    return f"{provider}:{region}"


def cloud_providers(values: Iterable[str]) -> frozenset[str]:
    """Names of providers in their own spelling, with carve-outs as ``P:!region``."""
    return frozenset(_all_or_faults(values, _provider))


def optional_cloud_providers(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else cloud_providers(values)


# Converters: text that runs or that is sent.


def check_pattern(pattern: str) -> str:
    """A regular expression that is searched in linear time, or a ``ValueError`` with the reason.

    Hyperscan takes only such patterns. Where it has no wheel, the shapes that make ``re``
    exponential are refused instead.
    """
    if not pattern:
        raise ValueError("holds an empty pattern, which matches everything")
    try:
        re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"holds {quoted(pattern)}, not a regular expression: {error}") from None
    reason = _linear_time_refusal(pattern)
    if reason:
        raise ValueError(f"holds {quoted(pattern)}, which can't run in linear time: {reason}")
    return pattern


def _linear_time_refusal(pattern: str) -> str:
    try:
        import hyperscan
    except ImportError:
        if _NESTED_QUANTIFIER.search(pattern):
            return "a repetition within a repetition"
        return ""
    try:
        hyperscan.Database().compile(
            expressions=[pattern.encode()],
            flags=[hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_ALLOWEMPTY],
        )
    except hyperscan.error as error:
        return str(error)
    return ""


def patterns(values: Iterable[str]) -> tuple[str, ...]:
    return _all_or_faults(values, check_pattern)


def custom_patterns(values: Mapping[str, str] | Iterable[str]) -> Mapping[str, str]:
    """Patterns by name; those of a list are named ``custom-1``, ``custom-2``..."""
    if isinstance(values, Mapping):
        named = dict(values)
    else:
        named = {f"custom-{place}": value for place, value in enumerate(strings(values), 1)}
    for name, pattern in named.items():
        if not isinstance(name, str) or not isinstance(pattern, str):
            raise ValueError(f"must map names to patterns, not {quoted({name: pattern})}")
    patterns(named.values())
    return MappingProxyType(named)


def header_name(value: str) -> str:
    """A field name (RFC 9110, 5.1), lower-cased."""
    if not isinstance(value, str) or not _TOKEN.match(value):
        raise ValueError(f"holds {quoted(value)}, not the name of a header")
    return value.lower()


def header_value(value: str) -> str:
    """A field value (RFC 9110, 5.5): no line break, no control character, of Latin-1."""
    if not isinstance(value, str):
        raise ValueError(f"holds {quoted(value)} as the value of a header, which is text")
    if any((ord(char) < 32 and char != "\t") or ord(char) == 127 for char in value):
        raise ValueError(
            f"holds {quoted(value)}: a header has no line breaks or control characters"
        )
    if len(value) > MAX_HEADER_VALUE_CHARS:
        raise ValueError(f"holds a header of more than {MAX_HEADER_VALUE_CHARS} characters")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"holds {quoted(value)}, which Latin-1 can't write") from None
    return value


def forwarded_header(value: str) -> str:
    """The header that names the client; one letter off a known name is taken as a slip."""
    name = header_name(text(value))
    if name not in FORWARDED_HEADERS:
        hint = nearest(name, FORWARDED_HEADERS)
        if hint:
            raise ValueError(f"is {quoted(value)}, which no proxy is known to send{hint}")
    return name


def _host(value: str) -> str:
    host = value.strip().lower().rstrip(".")
    if not _HOST.match(host):
        raise ValueError(f"holds {quoted(value)}, not a host name (no scheme, port or path)")
    return f".{host[2:]}" if host.startswith("*.") else host


def hosts(values: Iterable[str]) -> tuple[str, ...]:
    """Host names, lower-cased; ``.example.com`` and ``*.example.com`` cover all below it."""
    return _all_or_faults(values, _host)


def _origin(value: str) -> str:
    if value == "*":
        return value
    parts = urlsplit(value)
    if value == "null" or not parts.scheme or not parts.netloc or parts.path not in ("", "/"):
        raise ValueError(f"holds {quoted(value)}, not an origin such as 'https://example.com'")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"


def origins(values: Iterable[str]) -> tuple[str, ...]:
    """Origins (RFC 6454) as browsers write them, or ``*``."""
    return _all_or_faults(values, _origin)


def http_url(value: str) -> str:
    parts = urlsplit(text(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"must be an http or https URL, not {quoted(value)}")
    return value


def _method(value: str) -> str:
    if value != "*" and not _TOKEN.match(value):
        raise ValueError(f"holds {quoted(value)}, not an HTTP method")
    return value.upper()


def methods(values: Iterable[str]) -> tuple[str, ...]:
    return _all_or_faults(values, _method)


def header_names(values: Iterable[str]) -> tuple[str, ...]:
    """Field names in the spelling given, for answers that list them; ``*`` is allowed."""

    def convert(value: str) -> str:
        header_name(value)
        return value

    return _all_or_faults(values, convert)


def _media_type(value: str) -> str:
    kind = value.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.match(kind):
        raise ValueError(f"holds {quoted(value)}, not a media type such as 'application/json'")
    return kind


def media_types(values: Iterable[str]) -> tuple[str, ...]:
    """Media types without parameters, lower-cased; ``image/*`` covers all of its kind."""
    return _all_or_faults(values, _media_type)


# Converters: paths.


def normal_path(value: str) -> str:
    """A path as routers see it: one slash between segments, no dots, no slash at its end."""
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(f"holds {quoted(value)}, not a path that starts with '/'")
    segments: list[str] = []
    for segment in value.split("/"):
        if segment == "..":
            if segments:
                segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments)


def _exclude_path(value: str) -> str:
    path = normal_path(value)
    if path == "/" and value != "/":
        raise ValueError(f"holds {quoted(value)}, which comes to '/' and so excludes every path")
    return path


def exclude_paths(values: Iterable[str]) -> tuple[str, ...]:
    return _all_or_faults(values, _exclude_path)


def limit_pair(value: object) -> tuple[int, int]:
    """``(requests, window_seconds)``, both at least 1."""
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(pair) != 2 or any(
        isinstance(part, bool) or not isinstance(part, int) or part < 1 for part in pair
    ):
        raise ValueError(
            f"needs (requests, window in seconds), both at least 1, not {quoted(value)}"
        )
    return pair


def endpoint_limits(
    values: Mapping[str, tuple[int, int]] | Mapping[str, list[int]],
) -> Mapping[str, tuple[int, int]]:
    """Limits by exact path."""
    if not isinstance(values, Mapping):
        raise ValueError(f"must map paths to (requests, window), not {quoted(values)}")
    limits: dict[str, tuple[int, int]] = {}
    faults: list[str] = []
    for path, pair in values.items():
        try:
            limits[normal_path(path)] = limit_pair(pair)
        except ValueError as fault:
            faults.append(f"{quoted(path)} {fault}")
    if faults:
        raise ValueError("; ".join(faults))
    return MappingProxyType(limits)


# Converters: tables.


def error_responses(values: Mapping[int, str] | Mapping[str, str]) -> Mapping[int, str]:
    """Body text by status, 400 to 599; a TOML or JSON key is text and is read as a number."""
    if not isinstance(values, Mapping):
        raise ValueError(f"must map statuses to texts, not {quoted(values)}")
    bodies: dict[int, str] = {}
    for key, body in values.items():
        status = int(key) if isinstance(key, str) and key.isascii() and key.isdigit() else key
        if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status <= 599:
            raise ValueError(f"holds {quoted(key)}, not a status of a refusal (400 to 599)")
        if not isinstance(body, str):
            raise ValueError(f"{status} needs a text, not {quoted(body)}")
        bodies[status] = body
    return MappingProxyType(bodies)


def threat_bans(
    values: Mapping[str, ThreatBanConfig | Mapping[str, int]],
) -> Mapping[str, ThreatBanConfig]:
    """Thresholds by category; a table with ``threshold`` and ``duration`` will do."""
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


def failure_policies(
    values: Mapping[str, Literal["local", "allow", "deny"]],
) -> Mapping[str, Literal["local", "allow", "deny"]]:
    """What serves while the store is down, by feature; a feature left out is ``local``."""
    if not isinstance(values, Mapping):
        raise ValueError(f"must map features to policies, not {quoted(values)}")
    policies: dict[str, Literal["local", "allow", "deny"]] = dict.fromkeys(
        FAILURE_FEATURES, "local"
    )
    for feature, policy in values.items():
        if feature not in FAILURE_FEATURES:
            hint = nearest(str(feature), FAILURE_FEATURES)
            raise ValueError(f"knows no feature {quoted(feature)}{hint}")
        if policy not in ("local", "allow", "deny"):
            raise ValueError(f"{feature} is 'local', 'allow' or 'deny', not {quoted(policy)}")
        policies[feature] = policy
    return MappingProxyType(policies)


def detection_exclusions(
    values: Iterable[DetectionExclusion | Mapping[str, Any]],
) -> tuple[DetectionExclusion, ...]:
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ValueError(f"must be a list of tables, not {quoted(values)}")
    exclusions: list[DetectionExclusion] = []
    faults: list[str] = []
    for value in values:
        try:
            exclusions.append(_exclusion(value))
        except ValueError as fault:
            faults.append(str(fault))
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(exclusions)


def _exclusion(value: DetectionExclusion | Mapping[str, Any]) -> DetectionExclusion:
    if isinstance(value, DetectionExclusion):
        return value
    known = ("path", "params", "headers", "body_fields", "categories")
    if not isinstance(value, Mapping):
        raise ValueError(f"holds {quoted(value)}, not a table with 'path'")
    for key in value:
        if key not in known:
            raise ValueError(f"knows no {quoted(key)}{nearest(str(key), known)}")
    path = value.get("path", "")
    if not isinstance(path, str) or not path.startswith("/") or "*" in path[:-1]:
        raise ValueError(f"needs a 'path' such as '/blog' or '/blog/*', not {quoted(path)}")
    exclusion = DetectionExclusion(
        path=path,
        params=string_set(value.get("params", ())),
        headers=lower_set(value.get("headers", ())),
        body_fields=string_set(value.get("body_fields", ())),
        categories=string_set(value.get("categories", ())),
    )
    names = exclusion.params | exclusion.headers | exclusion.body_fields
    if bool(names) == bool(exclusion.categories):
        raise ValueError(
            f"for {quoted(path)} needs either names (params, headers, body_fields) or categories;"
            " two entries say both"
        )
    return exclusion


def behavior_rules(values: Iterable[Any]) -> tuple[Any, ...]:
    """BehaviorRule objects; a table of a rule's fields will do."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ValueError(f"must be a list of rules, not {quoted(values)}")
    values = tuple(values)
    if not values:
        return ()
    from guard_wsgi.state.behavior import BehaviorRule

    rules: list[BehaviorRule] = []
    faults: list[str] = []
    for value in values:
        if isinstance(value, BehaviorRule):
            rules.append(value)
            continue
        if not isinstance(value, Mapping):
            faults.append(f"holds {quoted(value)}, not a rule or a table of its fields")
            continue
        names = [attribute.name for attribute in attrs_fields(BehaviorRule)]
        unknown = [key for key in value if key not in names]
        if unknown:
            faults.extend(f"knows no {quoted(key)}{nearest(str(key), names)}" for key in unknown)
            continue
        try:
            rules.append(BehaviorRule(**value))
        except (TypeError, ValueError) as fault:
            faults.append(str(fault))
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(rules)


def threshold(value: float | str) -> float | str:
    """A score, or the name of a preset."""
    if isinstance(value, str):
        if value not in THRESHOLD_PRESETS:
            listed = ", ".join(THRESHOLD_PRESETS)
            raise ValueError(f"must be a number or one of {listed}, not {quoted(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"must be a number or the name of a preset, not {quoted(value)}")
    if value <= 0:
        raise ValueError(f"must be more than 0, not {value}")
    return float(value)


def log_level(value: str | None) -> str | None:
    if value is None:
        return None
    level = text(value).upper()
    if level not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, not {quoted(value)}")
    return level


def string_table(values: Mapping[str, str]) -> Mapping[str, str]:
    if not isinstance(values, Mapping) or not all(
        isinstance(key, str) and isinstance(value, str) for key, value in values.items()
    ):
        raise ValueError(f"must map texts to texts, not {quoted(values)}")
    return MappingProxyType(dict(values))


def security_headers(value: str | Mapping[str, Any] | None) -> str | Mapping[str, Any]:
    """A preset's name, or a table of SECURITY_HEADER_KEYS; ``None`` is ``"off"``.

    Anything that could not be sent is refused here, so that no answer fails for it.
    """
    if value is None:
        return "off"
    if isinstance(value, str):
        if value not in HEADER_PRESETS:
            raise ValueError(f"must be a table or one of {HEADER_PRESETS}, not {quoted(value)}")
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table or one of {HEADER_PRESETS}, not {quoted(value)}")
    table: dict[str, Any] = {}
    for key, setting in value.items():
        if key not in SECURITY_HEADER_KEYS:
            raise ValueError(f"knows no {quoted(key)}{nearest(str(key), SECURITY_HEADER_KEYS)}")
        try:
            table[key] = _security_header(key, setting)
        except ValueError as fault:
            raise ValueError(f"{key}: {fault}") from None
    return MappingProxyType(table)


def _security_header(key: str, setting: Any) -> Any:
    if key == "enabled":
        return flag(setting)
    if key == "preset":
        if setting not in HEADER_PRESETS:
            raise ValueError(f"must be one of {HEADER_PRESETS}, not {quoted(setting)}")
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
            header_value(line)
        return custom
    return header_value(setting)


def _hsts(setting: Any) -> Mapping[str, Any]:
    if not isinstance(setting, Mapping):
        raise ValueError(f"must be a table of {HSTS_KEYS}, not {quoted(setting)}")
    table: dict[str, Any] = {"max_age": HSTS_PRELOAD_MIN_SECONDS, "include_subdomains": True}
    table["preload"] = False
    for key, value in setting.items():
        if key not in HSTS_KEYS:
            raise ValueError(f"knows no {quoted(key)}{nearest(str(key), HSTS_KEYS)}")
        table[key] = value
    max_age = table["max_age"]
    if isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0:
        raise ValueError(f"max_age must be seconds, 0 or more, not {quoted(max_age)}")
    flag(table["include_subdomains"])
    if flag(table["preload"]) and (
        max_age < HSTS_PRELOAD_MIN_SECONDS or not table["include_subdomains"]
    ):
        raise ValueError(
            f"preload needs max_age of at least {HSTS_PRELOAD_MIN_SECONDS} and include_subdomains"
        )
    return MappingProxyType(table)


def _csp(setting: Any) -> Mapping[str, tuple[str, ...]] | str:
    """Directives to their sources, or the whole policy as text."""
    if isinstance(setting, str):
        return header_value(setting)
    if not isinstance(setting, Mapping):
        raise ValueError(f"must be a table of directives or text, not {quoted(setting)}")
    directives: dict[str, tuple[str, ...]] = {}
    for directive, sources in setting.items():
        header_name(directive)
        listed = tuple(sources.split()) if isinstance(sources, str) else strings(sources)
        for source in listed:
            if ";" in header_value(source) or "," in source:
                raise ValueError(f"source {quoted(source)} would end its directive")
        directives[directive] = listed
    return MappingProxyType(directives)


def plain(value: Any) -> Any:
    """A value of the configuration as lists, dicts and scalars; what can't be is kept."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if has(type(value)):
        return plain(asdict(value, recurse=False))
    return value
