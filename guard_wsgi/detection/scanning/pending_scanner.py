"""Patterns of the package that are still being compiled: Python's `re` answers meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from guard_wsgi.patterns.compiling import Compiler
from guard_wsgi.patterns.hyperscan_scanner import (
    HyperscanRefused,
    HyperscanScanner,
    key_of,
)

logger = logging.getLogger("guard_wsgi.patterns")

MODULE = "guard_wsgi.detection.built_in"


@lru_cache(maxsize=1)
def compiler() -> Compiler:
    """Return the compiler. There is one per process: it makes constants that all detectors
    share."""
    return Compiler(MODULE)


def kept_or_later(
    patterns: Sequence[str],
    ids: Sequence[int],
    options: Collection[str],
    make_plain: Callable[[], Any],
) -> HyperscanScanner | PendingScanner:
    """Return the scanner whose compiled form is on disk, or one that is compiled in the background.

    :param make_plain: makes the scanner that answers meanwhile.
    """
    key = key_of(patterns, ids, options)
    load = partial(HyperscanScanner.kept, key, ids)
    scanner = load()
    if scanner is not None:
        return scanner
    make = partial(HyperscanScanner, patterns, ids, options, keep=True)
    return PendingScanner(load, make, make_plain, patterns)


class PendingScanner:
    """A scanner that uses `re` first and then Hyperscan.

    Nothing is compiled before the first scan: a command that serves nothing, and a process that
    only forks, need neither.
    """

    def __init__(
        self,
        load: Callable[..., HyperscanScanner | None],
        make: Callable[[], HyperscanScanner],
        make_plain: Callable[[], Any],
        patterns: Sequence[str] = (),
    ) -> None:
        """:param patterns: for the message, if Hyperscan refuses one."""
        self._load = load
        self._patterns = patterns
        self._make: Callable[[], HyperscanScanner] | None = make
        self._make_plain: Callable[[], Any] | None = make_plain
        self._plain: Any = None
        self._ready: HyperscanScanner | None = None
        compiler().add(self)

    def scan(self, data: bytes) -> list[int]:
        hits: list[int] = self._now().scan(data)
        return hits

    def any(self, data: bytes) -> bool:
        found: bool = self._now().any(data)
        return found

    def among(
        self, data: bytes, ends: list[int], names: Sequence[str], found: list[set[str]]
    ) -> None:
        self._now().among(data, ends, names, found)

    def ends(self, data: bytes, most: int) -> list[int]:
        ends: list[int] = self._now().ends(data, most)
        return ends

    def matching(self, pieces: Sequence[bytes]) -> list[int]:
        found: list[int] = self._now().matching(pieces)
        return found

    def _now(self) -> Any:
        if self._ready is None:
            compiler().begin()
            plain, make_plain = self._plain, self._make_plain
            if plain is None and make_plain is not None:
                plain = self._plain = make_plain()
            if plain is not None and self._ready is None:
                return plain
        return self._ready

    def load(self, *folders: Path) -> bool:
        """Load the compiled form from disk. Return whether it is there."""
        scanner = self._load(*folders)
        if scanner is not None:
            self._serve(scanner)
        return scanner is not None

    def compile(self) -> None:
        """Compile now, in this process. A refused pattern is logged once, and `re` stays in use."""
        if self._make is not None:
            try:
                self._serve(self._make())
            except HyperscanRefused as error:
                self._make = None
                refused = "all" if error.index is None else repr(self._patterns[error.index])
                logger.error(
                    "a pattern of detection can't be compiled: %s (%s). Python's re searches for"
                    " the patterns of its family, more slowly",
                    refused,
                    error,
                )

    def _serve(self, scanner: HyperscanScanner) -> None:
        # Set `_ready` first: `_now` is read without a lock.
        self._ready = scanner
        self._make = self._make_plain = self._plain = None
