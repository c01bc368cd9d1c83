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
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, asdict, has

from guard_wsgi.detection.settings import THRESHOLDS
from guard_wsgi.expressions import ExpressionError, Expressions
from guard_wsgi.network.client import UNIX_PEER
from guard_wsgi.network.cloud import PROVIDERS, parse_selection
from guard_wsgi.network.ipset import parse_network

MAX_QUOTED_CHARS = 80
"""A fault quotes at most so much of what was given: it ends in logs and terminals."""

MAX_SCORE = 10
"""A score is 1 at the balanced point; nothing real is ten times as certain."""

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


MAX_HEADER_VALUE_CHARS = 8192
"""The usual limit of servers and proxies for one header line."""

_COUNTRY = re.compile(r"[A-Z][A-Z0-9]\Z")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2
_HOST = re.compile(r"(?:\*?\.)?(?:[0-9a-z_\-]+(?:\.[0-9a-z_\-]+)*|\[[0-9a-f:.]+\])\Z")
_MEDIA_TYPE = re.compile(r"[!#$&\-^_.+0-9a-z]+/(?:\*|[!#$&\-^_.+0-9a-z]+)\Z")


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

    def check(instance: object, attribute: Attribute[Any], value: Iterable[str] | None) -> None:
        unknown = sorted(name for name in value or () if name not in choices)
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


def optional_string_set(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else string_set(values)


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


def optional_countries(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else countries(values)


def _provider(value: str) -> str:
    try:
        (rule,) = parse_selection([value])
    except ValueError as fault:
        raise ValueError(f"holds {fault}{nearest(value.partition(':')[0], PROVIDERS)}") from None
    return ":!".join((rule.provider, *rule.excluded_regions))


def cloud_providers(values: Iterable[str]) -> frozenset[str]:
    """Names of providers in their own spelling, with carve-outs as ``P:!region``."""
    return frozenset(_all_or_faults(values, _provider))


def optional_cloud_providers(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else cloud_providers(values)


# Converters: text that runs or that is sent.


def check_pattern(pattern: str) -> str:
    """A regular expression that is searched in linear time (expressions.py)."""
    try:
        Expressions([pattern])
    except ExpressionError as error:
        raise ValueError(f"holds a pattern that can't serve: {error}") from None
    return pattern


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


def optional_media_types(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else media_types(values)


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


def threshold(value: float | str) -> float | str:
    """A score, or the name of a preset."""
    if isinstance(value, str):
        if value not in THRESHOLDS:
            listed = ", ".join(THRESHOLDS)
            raise ValueError(f"must be a number or one of {listed}, not {quoted(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"must be a number or the name of a preset, not {quoted(value)}")
    if not 0 < value <= MAX_SCORE:
        raise ValueError(f"must be more than 0 and at most {MAX_SCORE}, not {value}")
    return float(value)


def log_level(value: str | None) -> str | None:
    if value is None:
        return None
    level = text(value).upper()
    if level not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, not {quoted(value)}")
    return level


def as_text(value: Any) -> Any:
    """A path as text, anything else as it is."""
    return str(value) if isinstance(value, Path) else value


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
