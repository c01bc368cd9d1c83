"""Many patterns over one text in one pass: with Hyperscan, or with `re` where it has no wheel.

Patterns mean the same to both: bytes, ASCII without case, `.` matches newlines, and only whether a
pattern matches counts, not where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, Literal, Protocol

from guard_wsgi.detection.scanning.pending_scanner import kept_or_later
from guard_wsgi.detection.scanning.re_forms import for_backtracking
from guard_wsgi.errors import ConfigError
from guard_wsgi.patterns.hyperscan_scanner import HyperscanRefused, HyperscanScanner, has_hyperscan

Engine = Literal["auto", "hyperscan", "re"]
_ANY = ("caseless", "dotall")
# Report each pattern once. Hyperscan's record of that costs a fifth of the time and half of the
# memory, so it is used only where a user's own pattern may match at every character.
_ONCE = (*_ANY, "once")


SEPARATOR: Final = b"\xff\xfe\xff"
"""Separates the texts of a scan: no text in UTF-8 contains its bytes. It has three bytes, because
Hyperscan looks for fixed text first, and then tries anchored patterns only next to a separator.
When it tried them everywhere, they became machines with eight thousand states: a third of all
databases, and a quarter of the time of a scan."""


class PatternRefused(ConfigError):
    """The engine refuses a pattern; the message has its reason."""

    def __init__(self, name: str, pattern: str, reason: str) -> None:
        super().__init__([f"detection pattern {name!r} ({pattern!r}): {reason}"])
        self.name = name
        self.pattern = pattern
        self.reason = reason


class Scanner(Protocol):
    """Tells which of the compiled patterns match."""

    def scan(self, data: bytes) -> list[int]:
        """Return the indexes of the patterns that match anywhere in data, each once, unordered."""

    def any(self, data: bytes) -> bool:
        """Whether any pattern matches; stops at the first."""

    def among(
        self, data: bytes, ends: list[int], names: Sequence[str], found: list[set[str]]
    ) -> None:
        """Add the names of the patterns that match in each piece of data. A match may begin in the
        piece before.

        :param ends: the ends of the pieces, in bytes; the last is the length of the data.
        :param names: the names of the patterns, by their indexes.
        :param found: the names for each piece.
        """


class Tripwire(Protocol):
    """Tells whether any of the compiled patterns matches, and where."""

    def any(self, data: bytes) -> bool:
        """Whether any pattern matches; stops at the first."""

    def ends(self, data: bytes, most: int) -> list[int]:
        """Return where matches end, in bytes, unordered; at most ``most`` of them."""

    def matching(self, pieces: Sequence[bytes]) -> list[int]:
        """The indexes of the pieces that match, in order."""


def compile_patterns(
    patterns: Sequence[tuple[str, str]], engine: Engine = "auto", *, keep: bool = False
) -> Scanner:
    """Compile (name, pattern) pairs; indexes in results are positions in `patterns`.

    :param keep: use the compiled form that a build or an earlier process left on disk, or have one
        made: at once for the engine "hyperscan", in the background for "auto" (see built_in.py).
        For constants of the package only, whose matches end in few places.
    :raises PatternRefused: for the first refused pattern, with the reason.
    :raises ConfigError: if the engine is "hyperscan" and it is not installed.
    """
    if engine == "hyperscan" and not has_hyperscan():
        raise ConfigError(["detection engine: hyperscan is not installed"])
    if engine == "re" or not has_hyperscan():
        return ReScanner(patterns)
    texts = [pattern for _, pattern in patterns]
    options = _ANY if keep else _ONCE
    if keep and engine == "auto":
        return kept_or_later(texts, range(len(texts)), options, lambda: ReScanner(patterns))
    try:
        return HyperscanScanner(texts, range(len(texts)), options, keep=keep)
    except HyperscanRefused as error:
        name, pattern = ("(all)", "...") if error.index is None else patterns[error.index]
        raise PatternRefused(name, pattern, str(error)) from error


def compile_tripwire(patterns: Sequence[tuple[str, str]], engine: Engine = "auto") -> Tripwire:
    """Compile constants of the package for one question only: does any match?

    Patterns of one name become one pattern for Hyperscan, which stores their common parts once: a
    quarter of the size if patterns are alike. For thousands of words it would search for common
    parts for half a minute, and find few.
    """
    if engine == "re" or not has_hyperscan():
        return ReTripwire(patterns)
    firsts: dict[str, int] = {}
    ids = [firsts.setdefault(name, index) for index, (name, _) in enumerate(patterns)]
    texts = [pattern for _, pattern in patterns]
    if engine == "auto":
        return kept_or_later(texts, ids, _ANY, lambda: ReTripwire(patterns))
    return HyperscanScanner(texts, ids, _ANY, keep=True)


class ReTripwire:
    """Gives the same answer with `re`. Patterns that begin with the same byte become one, which
    searches only data that has the byte; so do those that begin with various bytes, and have the
    same rare bytes in them."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        by_bytes: dict[bytes, list[str]] = {}
        for _, pattern in patterns:
            some = _beginning(pattern) or _rare_bytes(pattern)
            by_bytes.setdefault(some, []).append(f"(?:{pattern})")
        self._patterns = [
            (some, re.compile("|".join(those).encode(), re.IGNORECASE | re.DOTALL))
            for some, those in by_bytes.items()
        ]

    def any(self, data: bytes) -> bool:
        return any(pattern.search(data) for pattern in self._possible(data))

    def ends(self, data: bytes, most: int) -> list[int]:
        matches = (
            match.end() for pattern in self._possible(data) for match in pattern.finditer(data)
        )
        return list(islice(matches, most))

    def _possible(self, data: bytes) -> Iterator[re.Pattern[bytes]]:
        lower = data.lower()
        for some, pattern in self._patterns:
            if some in lower or (len(some) > 1 and any(byte in lower for byte in some)):
                yield pattern

    def matching(self, pieces: Sequence[bytes]) -> list[int]:
        return [index for index, piece in enumerate(pieces) if self.any(piece)]


def _beginning(pattern: str) -> bytes:
    """Return the byte, in lower case, with which all matches of a pattern begin; empty if there is
    none.

    Only for patterns of the package: their classes have no ``]`` without an escape.
    """
    if pattern[0] != "\\":
        char, rest = pattern[0], pattern[1:]
        if char in ".^$|?*+()[{":
            return b""
    elif pattern[1] == "x":
        char, rest = chr(int(pattern[2:4], 16)), pattern[4:]
    elif pattern[1] in _CONTROLS:
        char, rest = _CONTROLS[pattern[1]], pattern[2:]
    else:
        char, rest = pattern[1], pattern[2:]
        if char.isalnum():  # a class, or a boundary
            return b""
    if rest.startswith(("?", "*", "{")) or _has_alternatives(rest):
        return b""
    return char.encode("latin-1").lower()  # ASCII only


_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_INSIDE = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]", re.DOTALL)


def _has_alternatives(pattern: str) -> bool:
    """Whether a pattern has alternatives: a "|" outside of all groups."""
    depth = 0
    for char in _INSIDE.sub("", pattern):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False


_RARE: Final = frozenset((*b"\x00\r\n`@^~|$%<>{}[]()\\!#&*+;=?'/", *range(0x80, 0x100)))
"""Bytes that most data lack."""


def _rare_bytes(pattern: str) -> bytes:
    """Return rare bytes: every match of the pattern contains at least one of them. Empty if there
    are none."""
    rarest = _rarest(parser.parse(pattern.encode()))
    return bytes(sorted(rarest)) if rarest <= _RARE else b""


def _needed_bytes(tree: Iterable[Any]) -> Iterator[frozenset[int]]:
    """Sets of bytes: whatever a parsed pattern matches has a byte of each."""
    for kind, value in tree:
        if kind is kinds.LITERAL:
            yield frozenset((value,))
        elif kind is kinds.IN:
            if all(one is kinds.LITERAL for one, _ in value):
                yield frozenset(byte for _, byte in value)
        elif kind is kinds.SUBPATTERN or (kind is kinds.MAX_REPEAT and value[0]):
            yield from _needed_bytes(value[-1])
        elif kind is kinds.BRANCH:
            yield frozenset().union(*map(_rarest, value[1]))


def _rarest(tree: Iterable[Any]) -> frozenset[int]:
    """The smallest set of rare bytes such that a match contains at least one; any byte if there is
    none."""
    rare = [any_of for any_of in _needed_bytes(tree) if any_of <= _RARE]
    return min(rare, key=len, default=frozenset(range(0x100)))


class ReScanner:
    """Gives the same answers with `re`, pattern by pattern. This is slower, and linear only if the
    patterns are: the built-in ones have no nested quantifiers, and the caller cuts text into
    windows."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        self._searches: list[Callable[[bytes], object]] = []
        for name, pattern in patterns:
            try:
                compiled = re.compile(for_backtracking(pattern).encode(), re.IGNORECASE | re.DOTALL)
            except re.error as error:
                raise PatternRefused(name, pattern, str(error)) from error
            self._searches.append(compiled.search)

    def scan(self, data: bytes) -> list[int]:
        return [index for index, search in enumerate(self._searches) if search(data)]

    def any(self, data: bytes) -> bool:
        return any(search(data) for search in self._searches)

    def among(
        self, data: bytes, ends: list[int], names: Sequence[str], found: list[set[str]]
    ) -> None:
        begins = [0, *[end - len(SEPARATOR) for end in ends[:-1]]]
        for piece, at, end in zip(found, begins, ends, strict=True):
            piece.update([names[index] for index in self.scan(data[max(at, 0) : end])])
