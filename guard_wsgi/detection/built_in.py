"""The databases of built-in patterns. A build, `guard-wsgi warm` or a background process compiles
them.

Run as a program, this module compiles what is neither in the package nor in the cache folder, and
prints the name of each file that is used (hatch_build.py, patterns/compiling.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from guard_wsgi.detection.scanning.families import builtin_scanners, families
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from guard_wsgi.detection.scanning.scanner import Scanner, Tripwire
from guard_wsgi.detection.scoring.sufficient import builtin_sufficient
from guard_wsgi.patterns.database import PACKAGE_FOLDER, SUFFIX, cache_folders, distrust
from guard_wsgi.patterns.hyperscan_scanner import HyperscanScanner, has_hyperscan

STEPS = 2 + len(families())


def compile_built_in() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Load or compile one group of patterns after the other.

    :return: after each of `STEPS`, its name and the keys of its databases.
    :raises ConfigError: without Hyperscan.
    """
    prefilter = builtin_prefilter("hyperscan")
    yield "first pass", _keys(prefilter.tripwires)
    for family, scanner in builtin_scanners("hyperscan").each():
        yield family[0].name.partition(".")[0], _keys((scanner,))
    yield "sufficient", _keys((builtin_sufficient("hyperscan").warm(),))


def _keys(scanners: tuple[Scanner | Tripwire, ...]) -> tuple[str, ...]:
    return tuple(scanner.key for scanner in scanners if isinstance(scanner, HyperscanScanner))


def where_kept(key: str) -> Path | None:
    """Return the folder that has a compiled database and is trusted; ``None`` if there is none."""
    for folder in (PACKAGE_FOLDER, *cache_folders()):
        if (folder / f"{key}{SUFFIX}").exists() and (
            folder == PACKAGE_FOLDER or distrust(folder) is None
        ):
            return folder
    return None


def main() -> None:
    """Always ends with 0: servers that reap other processes' children interpret other codes."""
    with suppress(OSError, AttributeError):
        os.nice(5)  # requests are served at the same time
    if has_hyperscan():
        for _, keys in compile_built_in():
            for key in keys:
                print(f"{key}{SUFFIX}", flush=True)


if __name__ == "__main__":
    main()
