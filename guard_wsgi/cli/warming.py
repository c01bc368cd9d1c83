"""``guard-wsgi warm``: compile the patterns while an image is built, not at the first start."""

from __future__ import annotations

from time import monotonic
from typing import TextIO

from guard_wsgi.cli.loading import CommandError
from guard_wsgi.detection.built_in import STEPS, compile_built_in, where_kept
from guard_wsgi.patterns.database import CACHE_DIR_VARIABLE, writable_folder
from guard_wsgi.patterns.hyperscan_scanner import has_hyperscan


def warm(out: TextIO) -> int:
    """Compile what is neither in the package nor in a cache. Return 0 if all of it could be
    stored.

    :raises CommandError: if there is no folder to store it in.
    """
    if not has_hyperscan():
        print("Hyperscan is not installed: detection runs on re, and nothing is compiled", file=out)
        return 1
    folder = writable_folder()
    if folder is None:
        raise CommandError(
            "there is no folder to store compiled patterns in: unset"
            f" {CACHE_DIR_VARIABLE}, or name a folder that this user can write to"
        )
    started = monotonic()
    lost = []
    for number, (name, keys) in enumerate(compile_built_in(), 1):
        lost += [key for key in keys if where_kept(key) is None]
        print(f"{number} of {STEPS}: {name}, {monotonic() - started:.1f} s", file=out, flush=True)
    if lost:
        print(f"could not store {len(lost)} databases in {folder}", file=out)
        return 1
    print(f"All patterns are compiled: in the package, or in {folder}", file=out)
    return 0
