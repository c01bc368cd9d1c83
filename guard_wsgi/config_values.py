"""What one option may hold: shapes and ranges.

A converter takes what a person writes (a list, a TOML table, a path) and returns the value that
the configuration keeps; a validator only looks. Both raise ``ValueError`` with a sentence that
goes behind the option's name: "must be at least 1, not 0".
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import Attribute, asdict, has

from guard_wsgi.detection.settings import THRESHOLDS

MAX_QUOTED_CHARS = 80
"""A fault quotes at most so much of what was given: it ends in logs and terminals."""

MAX_SCORE = 10
"""A score is 1 at the balanced point; nothing real is ten times as certain."""

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


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
    items = sorted(values, key=str) if isinstance(values, (set, frozenset)) else list(values)
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


def all_or_faults(values: Iterable[str], convert: Callable[[str], str]) -> tuple[str, ...]:
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
