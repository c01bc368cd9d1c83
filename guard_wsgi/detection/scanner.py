"""Many patterns over one text in one pass: Hyperscan, or `re` where it has no wheel.

Patterns mean the same to both: bytes, ASCII case ignored, `.` takes newlines, and what counts
is whether a pattern matches anywhere, not where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal, Protocol

from guard_wsgi.detection.later import kept_or_later
from guard_wsgi.errors import ConfigError
from guard_wsgi.patterns.hyperscan_scanner import HyperscanRefused, HyperscanScanner, has_hyperscan

Engine = Literal["auto", "hyperscan", "re"]
_ANY = ("caseless", "dotall")
# Each pattern once. Keeping book of that costs a fifth of the time and half of the memory, so it is
# asked for only where a user's own pattern may match at every character.
_ONCE = (*_ANY, "once")


class PatternRefused(ConfigError):
    """The engine refuses a pattern; the message has its reason."""

    def __init__(self, name: str, pattern: str, reason: str) -> None:
        super().__init__([f"detection pattern {name!r} ({pattern!r}): {reason}"])
        self.name = name
        self.pattern = pattern
        self.reason = reason


class Scanner(Protocol):
    """Which of the compiled patterns match."""

    def scan(self, data: bytes) -> list[int]:
        """Indexes of the patterns that match somewhere in data, each once, unordered."""

    def any(self, data: bytes) -> bool:
        """Whether any pattern matches; stops at the first."""

    def among(
        self, data: bytes, ends: list[int], names: Sequence[str], found: list[set[str]]
    ) -> None:
        """Add the names of the patterns that match in each piece of data, of which some may begin
        in the one before.

        :param ends: of the pieces, in bytes; the last is the length of the data.
        :param names: of the patterns, by their indexes.
        :param found: in each piece.
        """


class Tripwire(Protocol):
    """Whether any of the compiled patterns matches, and where."""

    def any(self, data: bytes) -> bool:
        """Whether any pattern matches; stops at the first."""

    def ends(self, data: bytes, most: int) -> list[int]:
        """Where matches end, in bytes, unordered; stops when there are ``most``."""


def compile_patterns(
    patterns: Sequence[tuple[str, str]], engine: Engine = "auto", *, keep: bool = False
) -> Scanner:
    """Compile (name, pattern) pairs; indexes in answers are positions in `patterns`.

    :param keep: use the compiled form that a build or an earlier process left on disk, or have
        one made: at once for the engine "hyperscan", beside the requests for "auto" (see
        built_in.py). For constants of the package only, whose matches end in few places.

    :raises PatternRefused: with the first refused pattern, and the reason.
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
    """Compile constants of the package for one question only: does anything match?

    Those of one name are one to Hyperscan, which then keeps once what they have in common: a
    quarter of the size, where patterns are alike. For thousands of words it would look for that
    half a minute, and find little.
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
    """The same answer from `re`: what begins with one byte is one pattern, and is looked for only
    in data that has the byte."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        by_beginning: dict[bytes, list[str]] = {}
        for _, pattern in patterns:
            by_beginning.setdefault(_beginning(pattern), []).append(f"(?:{pattern})")
        self._patterns = [
            (byte, re.compile("|".join(those).encode(), re.IGNORECASE | re.DOTALL))
            for byte, those in by_beginning.items()
        ]

    def any(self, data: bytes) -> bool:
        lower = data.lower()
        return any(byte in lower and pattern.search(data) for byte, pattern in self._patterns)

    def ends(self, data: bytes, most: int) -> list[int]:
        lower = data.lower()
        matches = (
            match.end()
            for byte, pattern in self._patterns
            if byte in lower
            for match in pattern.finditer(data)
        )
        return list(islice(matches, most))


def _beginning(pattern: str) -> bytes:
    """Return the byte, in lower case, with which all matches of a pattern begin; empty if there is
    none.

    For patterns of the package: classes in them have no ``]`` that is not escaped.
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
    return char.encode("latin-1").lower()  # of ASCII alone


_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_INSIDE = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]", re.DOTALL)


def _has_alternatives(pattern: str) -> bool:
    """Whether it is several patterns, that is, has a "|" outside of all groups."""
    depth = 0
    for char in _INSIDE.sub("", pattern):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False


class ReScanner:
    """The same answers from `re`, pattern by pattern. Slower, and linear only as far as the
    patterns are: the built-in ones have no nested quantifiers; a text is cut into windows by
    the caller."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        self._searches: list[Callable[[bytes], object]] = []
        for name, pattern in patterns:
            try:
                compiled = re.compile(pattern.encode(), re.IGNORECASE | re.DOTALL)
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
        begins = [0, *ends[:-1]]
        for piece, at, end in zip(found, begins, ends, strict=True):
            piece.update([names[index] for index in self.scan(data[at:end])])
