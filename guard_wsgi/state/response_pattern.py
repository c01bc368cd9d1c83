"""What a behaviour rule looks for in responses.

A pattern on the body is matched once, over the beginning that was kept, when that is complete:
texts and expressions by one pass of Hyperscan, in linear time whatever the body is (a response
often repeats what the client sent). Where Hyperscan is missing, ``re`` searches a smaller part.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

from attrs import field, frozen

RE_MAX_BYTES = 16_384
"""Without Hyperscan: what ``re`` may cost grows faster than the text, so it gets less of it."""

Kind = Literal["status", "json", "regex", "text"]

_STATUS = re.compile(r"[1-5](?:\d\d|xx)\Z", re.IGNORECASE)


@frozen(slots=True)
class ResponsePattern:
    """A pattern, read: ``statuses`` of a status pattern, ``path`` and ``text`` of a JSON one,
    ``text`` of the others."""

    kind: Kind
    text: str = ""
    statuses: frozenset[int] = frozenset()
    path: tuple[str, ...] = ()

    @property
    def is_status(self) -> bool:
        return self.kind == "status"


def parse_pattern(pattern: str) -> ResponsePattern:
    """:raises ValueError: saying what is wrong with it."""
    if not pattern:
        raise ValueError("a rule of type return_pattern needs one")
    kind, colon, rest = pattern.partition(":")
    if colon and kind == "status":
        return ResponsePattern("status", statuses=_statuses(rest))
    if colon and kind == "json":
        path, equals, value = rest.partition("==")
        keys = tuple(path.strip().split("."))
        if not equals or not all(key.removesuffix("[]") or key == "[]" for key in keys):
            raise ValueError(f"{pattern!r} is not of the form json:path.to.key==value")
        return ResponsePattern("json", value.strip().casefold(), path=keys)
    if colon and kind == "regex":
        check_expression(rest)
        return ResponsePattern("regex", rest)
    _compile([("text", pattern)])
    return ResponsePattern("text", pattern)


def _statuses(text: str) -> frozenset[int]:
    statuses: set[int] = set()
    for part in text.split(","):
        code = part.strip()
        if not _STATUS.match(code):
            raise ValueError(f"{code!r} is no status; write status:404, status:401,403, status:4xx")
        if code.isdigit():
            statuses.add(int(code))
        else:
            statuses.update(range(int(code[0]) * 100, int(code[0]) * 100 + 100))
    return frozenset(statuses)


def check_expression(expression: str) -> None:
    """:raises ValueError: when it can't be matched in linear time, or at all."""
    if not expression:
        raise ValueError("an empty expression matches every response")
    if "\0" in expression:
        raise ValueError(f"{expression!r}: write a NUL as \\x00")
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"{expression!r}: {error}") from None
    _compile([("regex", expression)])


class BodyPatterns:
    """The patterns that some rules look for in bodies, compiled together.

    :param patterns: none of kind ``status``.
    :raises ValueError: for an expression that can't be matched in linear time.
    """

    __slots__ = ("_find_texts", "_json", "_places")

    def __init__(self, patterns: Sequence[ResponsePattern]) -> None:
        self._json = [(place, p) for place, p in enumerate(patterns) if p.kind == "json"]
        self._places = [place for place, p in enumerate(patterns) if p.kind != "json"]
        texts = [(patterns[place].kind, patterns[place].text) for place in self._places]
        self._find_texts = _compile(texts) if texts else None

    def matches(self, body: bytes, *, is_json: bool, is_complete: bool) -> list[int]:
        """The places of the patterns found. JSON is looked into only when it is all there."""
        found = []
        if self._find_texts is not None and body:
            found = [self._places[index] for index in self._find_texts(body)]
        if self._json and is_json and is_complete:
            try:
                document = json.loads(body)
            except (ValueError, RecursionError):
                return found
            found.extend(place for place, p in self._json if _holds(document, p.path, p.text))
        return found


def _holds(value: Any, path: tuple[str, ...], wanted: str) -> bool:
    """Whether the value at a path is ``wanted``; at ``key[]``, one of the list's elements."""
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


Finder = Callable[[bytes], list[int]]


def _compile(texts: Sequence[tuple[str, str]]) -> Finder:
    """:raises ValueError: naming the expression that Hyperscan refuses, and why."""
    try:
        import hyperscan
    except ImportError:
        return _compile_re(texts)
    # Hyperscan takes C strings, which end at a NUL.
    expressions = [
        text if kind == "regex" else re.escape(text).replace("\0", "\\x00") for kind, text in texts
    ]
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
    is_unicode = not all(expression.isascii() for expression in expressions)
    if is_unicode:
        flags |= hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_UCP
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[expression.encode() for expression in expressions],
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=[flags] * len(expressions),
        )
    except hyperscan.error as error:
        wanted = ", ".join(repr(text) for _, text in texts)
        raise ValueError(f"{wanted}: not matched in linear time: {error}") from None
    return _Scanner(database, hyperscan.Scratch, is_unicode).find


@frozen(slots=True, eq=False)
class _Scanner:
    """A database, with a scratch for each thread: a scratch is for one scan at a time."""

    database: Any
    new_scratch: Callable[[Any], Any]
    is_unicode: bool
    local: threading.local = field(factory=threading.local)

    def find(self, body: bytes) -> list[int]:
        scratch = getattr(self.local, "scratch", None)
        if scratch is None:
            scratch = self.local.scratch = self.new_scratch(self.database)
        if self.is_unicode:
            # Hyperscan's Unicode mode is undefined on invalid UTF-8.
            body = body.decode("utf-8", "replace").encode()
        found: list[int] = []

        def note(identity: int, start: int, end: int, flags: int, context: object) -> None:
            found.append(identity)

        self.database.scan(body, match_event_handler=note, scratch=scratch)
        return found


def _compile_re(texts: Sequence[tuple[str, str]]) -> Finder:
    expressions = [
        re.compile(text if kind == "regex" else re.escape(text), re.IGNORECASE)
        for kind, text in texts
    ]

    def find(body: bytes) -> list[int]:
        text = body[:RE_MAX_BYTES].decode("utf-8", "replace")
        return [index for index, expression in enumerate(expressions) if expression.search(text)]

    return find
