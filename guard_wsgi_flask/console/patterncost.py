"""Bounds the cost of compiling expressions: a viewer must not keep the process busy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from guard_wsgi.errors import ConfigError

MAX_STATES = 4_000
"""The most states that counted repetitions of all expressions may add: some 2 s of compiling."""


def check_patterns(expressions: Iterable[str]) -> None:
    """:raises ConfigError: if they would take too long to compile. A text that is not an expression
    counts nothing: its reader refuses it.
    """
    total = 0
    for expression in expressions:
        total += _states(expression)
        if total > MAX_STATES:
            raise ConfigError(
                [
                    f"{expression!r:.80}: with its repetitions, the expressions add up to"
                    f" more than {MAX_STATES} states, which the console does not compile"
                ]
            )


def texts_in(value: Any) -> Iterator[str]:
    """Yield all texts of a TOML table that may be expressions with counted repetitions."""
    if isinstance(value, str):
        if "{" in value:
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)


def _states(expression: str) -> int:
    """Return how many states the counted repetitions of an expression add."""
    try:
        return max(_written_out(parser.parse(expression)) - len(expression), 0)
    except Exception:  # errors of many kinds: it is not an expression
        return 0


def _written_out(parsed: Any) -> int:
    total = 0
    for operation, argument in parsed:
        name = str(operation)
        if name.endswith("REPEAT"):
            low, high, body = argument
            times = low + 1 if high == parser.MAXREPEAT else high
            total += max(int(times), 1) * _written_out(body)
        elif name == "BRANCH":
            total += sum(_written_out(branch) for branch in argument[1])
        elif name == "SUBPATTERN":
            total += _written_out(argument[-1])
        elif name.startswith("ASSERT") or name == "ATOMIC_GROUP":
            total += _written_out(argument[-1] if name.startswith("ASSERT") else argument)
        else:
            total += 1
    return total
