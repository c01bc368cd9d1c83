"""Readers of the values of dynamic rules: from JSON to what `DynamicRules` keeps.

They convert less than options do: `"5"` is not a number here. Programs write rules, so a wrong type
is a fault of the collector. Each raises ``ValueError`` with a text that follows the rule's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from guard_wsgi.network.ipset import parse_network
from guard_wsgi.options.numbers import MAX_SECONDS, whole_number
from guard_wsgi.options.quoting import quoted

MAX_ENTRIES = 100_000
"""The most entries of a list: more than any list of addresses in use, and a bound on the cost."""

_COUNTRY = re.compile(r"[A-Z]{2}\Z")


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be text, not {quoted(value)}")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {quoted(value)}")
    return value


def _whole(minimum: int, maximum: int | None = None) -> Callable[[Any], int]:
    wanted = whole_number(minimum, maximum)

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number, not {quoted(value)}")
        wanted.read(value)
        return value

    return read


positive = _whole(1, MAX_SECONDS)
natural = _whole(0)


def time(value: Any) -> datetime:
    """Parse ISO 8601 with ``T`` or a space, or seconds since the epoch; UTC if no zone is given."""
    if isinstance(value, datetime):
        when = value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"must be a time, not {value}")
        when = datetime.fromtimestamp(value, UTC)
    else:
        when = datetime.fromisoformat(text(value).strip().upper())
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def each(reader: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise ValueError(f"must be a list, not {quoted(value)}")
        entries = list(value)
        if len(entries) > MAX_ENTRIES:
            raise ValueError(f"{len(entries)} entries; at most {MAX_ENTRIES} are allowed")
        if isinstance(value, (set, frozenset)):
            entries.sort(key=str)
        return tuple(reader(entry) for entry in entries)

    return read


def network(value: Any) -> str:
    written = text(value).strip()
    parsed = parse_network(written)
    return str(parsed.network_address) if parsed.prefixlen == parsed.max_prefixlen else str(parsed)


def country(value: Any) -> str:
    code = text(value).strip().upper()
    if not _COUNTRY.match(code):
        raise ValueError(f"{quoted(value)} is not an ISO 3166 code")
    return code


def pattern(value: Any) -> str:
    written = text(value)
    try:
        re.compile(written)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{quoted(value)} is not a regular expression: {error}") from None
    return written


def limits(value: Any) -> Mapping[str, tuple[int, int]]:
    if not isinstance(value, Mapping):
        raise ValueError("must map paths to [requests, seconds]")
    found: dict[str, tuple[int, int]] = {}
    for path, pair in value.items():
        if not isinstance(path, str) or not path.startswith("/"):
            raise ValueError(f"{quoted(path)} is not a path")
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(f"{path}: must be [requests, seconds]")
        found[path] = (positive(pair[0]), positive(pair[1]))
    return MappingProxyType(found)


def times(value: Any) -> Mapping[str, datetime]:
    if not isinstance(value, Mapping):
        raise ValueError("must map addresses to times")
    if len(value) > MAX_ENTRIES:
        raise ValueError(f"{len(value)} entries; at most {MAX_ENTRIES} are allowed")
    return MappingProxyType({network(target): time(until) for target, until in value.items()})


def exclusions(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Check the shape of exclusions. Their contents are checked with the resulting
    configuration."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list, not {quoted(value)}")
    if len(value) > MAX_ENTRIES:
        raise ValueError(f"{len(value)} entries; at most {MAX_ENTRIES} are allowed")
    for entry in value:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
            raise ValueError(f"must be an object with a path, not {quoted(entry)}")
    return tuple(MappingProxyType(dict(entry)) for entry in value)
