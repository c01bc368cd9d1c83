"""Many patterns over one text in one pass: Hyperscan, or `re` where it has no wheel.

Patterns mean the same to both: bytes, ASCII case ignored, `.` takes newlines, and what counts
is whether a pattern matches anywhere, not where.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from guard_wsgi.detection.database import database_key, load_database, save_database
from guard_wsgi.errors import ConfigError

hyperscan: Any
try:
    import hyperscan
except ImportError:  # no wheel: PyPy, musl on rare machines
    hyperscan = None

Engine = Literal["auto", "hyperscan", "re"]


class PatternRefused(ConfigError):
    """A pattern the engine can't take, with the engine's reason."""

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


def has_hyperscan() -> bool:
    """Whether the Hyperscan engine can be used here."""
    return hyperscan is not None


def compile_patterns(
    patterns: Sequence[tuple[str, str]], engine: Engine = "auto", *, keep: bool = False
) -> Scanner:
    """Compile (name, pattern) pairs; indexes in answers are positions in `patterns`.

    :param keep: use the compiled form left on disk by an earlier process, or leave one
        (see database.py). For constants of the package only.

    :raises PatternRefused: naming the first pattern that can't be taken, and why.
    :raises ConfigError: when "hyperscan" is asked for and not installed.
    """
    if engine == "hyperscan" and hyperscan is None:
        raise ConfigError(["detection engine: hyperscan is not installed"])
    if engine == "re" or hyperscan is None:
        return ReScanner(patterns)
    return HyperscanScanner(patterns, keep=keep)


def compile_literals(words: Sequence[str], engine: Engine = "auto") -> Scanner:
    """Compile plain strings, ASCII case ignored; Latin-1 characters stand for their byte."""
    if engine == "re" or hyperscan is None:
        joined = "|".join(re.escape(word) for word in words)
        return ReScanner([("literals", joined)], "latin-1")
    return HyperscanScanner([(word, word) for word in words], literal=True, keep=True)


class _ThreadScratch(threading.local):
    """A scratch belongs to one thread. A forked child has a copy of its own of that of the
    thread that forked, which can't have been scanning; the other threads are not in the child.
    """

    scratch: Any = None


def _stop(*_: object) -> bool:
    return True


class HyperscanScanner:
    """One database, scanned in time linear in the text."""

    def __init__(
        self, patterns: Sequence[tuple[str, str]], literal: bool = False, keep: bool = False
    ) -> None:
        flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
        if not literal:
            flags |= hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_ALLOWEMPTY
        encoded = [text.encode("latin-1" if literal else "utf-8") for _, text in patterns]
        key = database_key(encoded, flags, literal)
        self._database: Any = load_database(key) if keep else None
        if self._database is None:
            self._database = self._compile(patterns, encoded, flags, literal)
            if keep:
                save_database(key, self._database)
        self._local = _ThreadScratch()

    @staticmethod
    def _compile(
        patterns: Sequence[tuple[str, str]], encoded: list[bytes], flags: int, literal: bool
    ) -> Any:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(
                encoded,
                ids=list(range(len(encoded))),
                flags=[flags] * len(encoded),
                literal=literal,
            )
        except hyperscan.error as error:
            raise _find_refused(patterns, flags, error) from error
        return database

    def _scratch(self) -> Any:
        local = self._local
        if local.scratch is None:
            local.scratch = hyperscan.Scratch(self._database)
        return local.scratch

    def scan(self, data: bytes) -> list[int]:
        hits: list[int] = []
        append = hits.append

        def note(index: int, *_: object) -> None:
            append(index)

        self._database.scan(data, match_event_handler=note, scratch=self._scratch())
        return hits

    def any(self, data: bytes) -> bool:
        scratch = self._local.scratch or self._scratch()
        try:
            self._database.scan(data, _stop, scratch=scratch)
        except hyperscan.ScanTerminated:
            return True
        return False


def _find_refused(
    patterns: Sequence[tuple[str, str]], flags: int, error: Exception
) -> PatternRefused:
    """Compile one by one to name the pattern; the error of the whole set does not."""
    for name, pattern in patterns:
        try:
            hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
                [pattern.encode("utf-8")], ids=[0], flags=[flags]
            )
        except hyperscan.error as one:
            return PatternRefused(name, pattern, str(one))
    return PatternRefused("(all)", "...", str(error))


class ReScanner:
    """The same answers from `re`, pattern by pattern. Slower, and linear only as far as the
    patterns are: the built-in ones have no nested quantifiers; a text is cut into windows by
    the caller."""

    def __init__(self, patterns: Sequence[tuple[str, str]], encoding: str = "utf-8") -> None:
        self._searches: list[Callable[[bytes], object]] = []
        for name, pattern in patterns:
            try:
                compiled = re.compile(pattern.encode(encoding), re.IGNORECASE | re.DOTALL)
            except re.error as error:
                raise PatternRefused(name, pattern, str(error)) from error
            self._searches.append(compiled.search)

    def scan(self, data: bytes) -> list[int]:
        return [index for index, search in enumerate(self._searches) if search(data)]

    def any(self, data: bytes) -> bool:
        return any(search(data) for search in self._searches)
