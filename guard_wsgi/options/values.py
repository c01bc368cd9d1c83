"""Converters and validators of single options: shapes and ranges.

A converter takes what a person writes (a list, a TOML table, a path) and returns the value that the
configuration keeps. A validator only checks. Both raise ``ValueError`` with a text that follows the
option's name: "must be at least 1, not 0".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, asdict, has

from guard_wsgi.options.quoting import did_you_mean, listed, quoted, unknown_names

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


# Validators: attrs calls them with (instance, attribute, value).

Validator = Callable[[Any, "Attribute[Any]", Any], None]


def one_of(*choices: str, optional: bool = False) -> Validator:
    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        if value not in choices:
            hint = did_you_mean(value, choices) if isinstance(value, str) else ""
            raise ValueError(f"must be one of {listed(choices)}, not {quoted(value)}{hint}")

    return check


def each_of(*choices: str) -> Validator:
    """Check that every name of a collection is known."""

    def check(instance: object, attribute: Attribute[Any], value: Iterable[str] | None) -> None:
        fault = unknown_names(value or (), choices)
        if fault:
            raise ValueError(fault)

    return check


def synchronous(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Check that it is a synchronous callable: WSGI has no event loop that could await it."""
    if value is None:
        return
    if not callable(value):
        hint = "; files and the environment can't contain one" if isinstance(value, str) else ""
        raise ValueError(f"must be a function, not {quoted(value)}{hint}")
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(
        getattr(value, "__call__", None)  # noqa: B004  (an instance with an async __call__)
    ):
        raise ValueError("must be synchronous: a WSGI app has no event loop to await it on")


def geo_handler(instance: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not callable(getattr(value, "get_country", None)):
        raise ValueError(f"needs a method get_country(ip), which {quoted(value)} lacks")


# Converters: shapes.


def text(value: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {quoted(value)}")
    return value


def optional_text(value: str | None) -> str | None:
    return None if value is None else text(value)


def optional_path(value: str | Path | None) -> Path | None:
    if value is None:
        return None
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a path, not {quoted(value)}")
    return Path(value)


def strings(values: Iterable[str]) -> tuple[str, ...]:
    """Read a list of strings. A single string is refused: it would be read letter by letter."""
    if isinstance(values, str):
        raise ValueError(f"must be a list, such as [{quoted(values)}], not a string")
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise ValueError(f"must be a list of strings, not {quoted(values)}")
    if isinstance(values, Mapping) and values:
        raise ValueError("must be a list of strings, not a table")
    items = sorted(values, key=str) if isinstance(values, (set, frozenset)) else list(values)
    for item in items:
        if not isinstance(item, str):
            raise ValueError(f"must contain only strings, not {quoted(item)}")
    return tuple(dict.fromkeys(items))


def string_set(values: Iterable[str]) -> frozenset[str]:
    return frozenset(strings(values))


def optional_string_set(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else string_set(values)


def lower_set(values: Iterable[str]) -> frozenset[str]:
    """Read names whose case does not matter, such as those of headers."""
    return frozenset(value.lower() for value in strings(values))


def optional_lower_set(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else lower_set(values)


def http_url(value: str) -> str:
    try:
        parts = urlsplit(text(value))
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"must be an http or https URL, not {quoted(value)}")
    return value


def all_or_faults(values: Iterable[str], convert: Callable[[str], str]) -> tuple[str, ...]:
    """Convert every item, or raise one ``ValueError`` that lists each item at fault."""
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


def log_level(value: str | None) -> str | None:
    if value is None:
        return None
    level = text(value).strip().upper()
    if level not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, not {quoted(value)}")
    return level


def as_text(value: Any) -> Any:
    """Return a path as text, anything else as it is."""
    return str(value) if isinstance(value, Path) else value


def plain(value: Any) -> Any:
    """Convert a value of the configuration to lists, dicts and scalars; other objects stay as they
    are."""
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
