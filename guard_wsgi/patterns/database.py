"""Compiled Hyperscan databases on disk.

Compiling the built-in indicators takes seconds, loading them milliseconds, and every worker
and every command would pay again. What is compiled once is kept in the user's cache folder
(`$GUARD_WSGI_CACHE_DIR`, else `$XDG_CACHE_HOME/guard-wsgi`, else `~/.cache/guard-wsgi`;
`GUARD_WSGI_CACHE_DIR=off` keeps nothing). A file is used only if it belongs to this user and
nobody else can write to it or its folder; Hyperscan itself checks version, processor and CRC.
Any fault on the way means compiling, never an error.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guard_wsgi.files import replaced

hyperscan: Any
try:
    import hyperscan
except ImportError:  # no wheel for this interpreter: nothing is compiled, nothing is kept
    hyperscan = None

CACHE_DIR_VARIABLE = "GUARD_WSGI_CACHE_DIR"
"""Of the machine, not of a guard: read before there is a configuration."""


def cache_folder() -> Path | None:
    """Where compiled databases are kept; None when nowhere."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE, "")
    if chosen.lower() in ("off", "0", "no"):
        return None
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "guard-wsgi"
    except RuntimeError:  # no home directory
        return None


def database_key(patterns: Sequence[bytes], ids: Sequence[int], flags: int) -> str:
    """A name for the compiled form of these patterns with this Hyperscan."""
    digest = hashlib.sha256(f"{hyperscan.__version__} {flags} {list(ids)}".encode())
    for pattern in patterns:
        digest.update(len(pattern).to_bytes(4, "big") + pattern)
    return digest.hexdigest()


def load_database(key: str) -> Any | None:
    """The kept database of this name, or None."""
    folder = cache_folder()
    if folder is None:
        return None
    try:
        if not _is_private(os.stat(folder)):
            return None
        with open(folder / f"{key}.hsdb", "rb") as file:
            if not _is_private(os.fstat(file.fileno())):
                return None
            return hyperscan.loadb(file.read(), hyperscan.HS_MODE_BLOCK)
    except (OSError, ValueError, hyperscan.error):
        return None


def save_database(key: str, database: Any) -> None:
    """Keep a database: written aside and moved into place, so that no reader sees half."""
    folder = cache_folder()
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(os.stat(folder)):
            return
        with replaced(folder / f"{key}.hsdb") as file:
            file.write(hyperscan.dumpb(database))
    except (OSError, hyperscan.error):
        return


def _is_private(status: os.stat_result) -> bool:
    """Whether only this user could have written it."""
    mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return mine and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
