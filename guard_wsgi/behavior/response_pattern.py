"""The patterns of behaviour rules on responses.

The patterns on a body are matched once, over the beginning that was kept, when that is complete:
texts and expressions together. Matching takes linear time for any body, as a response often repeats
what the client sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from attrs import frozen

from guard_wsgi.patterns.expressions import ExpressionError, Expressions, literal

Kind = Literal["status", "json", "regex", "text"]

_STATUS = re.compile(r"[1-5](?:\d\d|xx)\Z", re.IGNORECASE)


@frozen(slots=True)
class ResponsePattern:
    """A parsed pattern: ``statuses`` for a status pattern, ``path`` and ``text`` for a JSON
    pattern, ``text`` for the others."""

    kind: Kind
    text: str = ""
    statuses: frozenset[int] = frozenset()
    path: tuple[str, ...] = ()

    @property
    def is_status(self) -> bool:
        return self.kind == "status"


def parse_pattern(pattern: str) -> ResponsePattern:
    """:raises ValueError: if the pattern is not valid."""
    if not pattern:
        raise ValueError("a rule of type return_pattern needs a pattern")
    kind, colon, rest = pattern.partition(":")
    if colon and kind == "status":
        return ResponsePattern("status", statuses=_statuses(rest))
    if colon and kind == "json":
        path, equals, value = rest.partition("==")
        keys = tuple(path.strip().split("."))
        if not equals or not all(key.removesuffix("[]") or key == "[]" for key in keys):
            raise ValueError(f"{pattern!r} must have the form json:path.to.key==value")
        return ResponsePattern("json", value.strip().casefold(), path=keys)
    if colon and kind == "regex":
        check_expression(rest)
        return ResponsePattern("regex", rest)
    check_expression(literal(pattern))
    return ResponsePattern("text", pattern)


def _statuses(text: str) -> frozenset[int]:
    statuses: set[int] = set()
    for part in text.split(","):
        code = part.strip()
        if not _STATUS.match(code):
            raise ValueError(
                f"{code!r} is not a status: write status:404, status:401,403, status:4xx"
            )
        if code.isdigit():
            statuses.add(int(code))
        else:
            statuses.update(range(int(code[0]) * 100, int(code[0]) * 100 + 100))
    return frozenset(statuses)


def check_expression(expression: str) -> None:
    """:raises ExpressionError: if it can't be matched in linear time, or matches every response."""
    if not expression:
        raise ExpressionError("an empty expression matches every response")
    Expressions([expression])
    if re.search(expression, ""):
        raise ExpressionError(f"{expression!r} matches the empty text, and so every response")


class BodyPatterns:
    """Body patterns of several rules, compiled together.

    :param patterns: patterns of any kind but ``status``.
    :raises ValueError: if an expression can't be matched in linear time.
    """

    __slots__ = ("_find_texts", "_json", "_places")

    def __init__(self, patterns: Sequence[ResponsePattern]) -> None:
        self._json = [(place, p) for place, p in enumerate(patterns) if p.kind == "json"]
        self._places = [place for place, p in enumerate(patterns) if p.kind != "json"]
        texts = (patterns[place] for place in self._places)
        self._find_texts = Expressions(
            [p.text if p.kind == "regex" else literal(p.text) for p in texts]
        ).find

    def matches(self, body: bytes, *, is_json: bool, is_complete: bool) -> list[int]:
        """Return the indexes of the patterns found. JSON is searched only if it is complete."""
        found = []
        if self._places and body:
            found = [self._places[index] for index in self._find_texts(body)]
        if self._json and is_json and is_complete:
            try:
                document = json.loads(body)
            except (ValueError, RecursionError):
                return found
            found.extend(place for place, p in self._json if _holds(document, p.path, p.text))
        return found


def _holds(value: Any, path: tuple[str, ...], wanted: str) -> bool:
    """Whether the value at a path is ``wanted``; ``key[]`` matches any element of a list."""
    if not path:
        if isinstance(value, (dict, list)):
            return False
        texts = {str(value).casefold()}
        if value is None or isinstance(value, bool):
            texts.add(json.dumps(value))  # "null", as JSON writes it, besides Python's "none"
        return wanted in texts
    key = path[0]
    name = key.removesuffix("[]")
    if name:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    if key.endswith("[]"):
        return isinstance(value, list) and any(_holds(item, path[1:], wanted) for item in value)
    return _holds(value, path[1:], wanted)
