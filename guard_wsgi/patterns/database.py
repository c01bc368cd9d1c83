"""Compiled Hyperscan databases on disk.

Compiling the built-in patterns takes some twenty seconds, loading them takes milliseconds.
Databases are in three kinds of places:

- in the package (`PACKAGE_FOLDER`), where a build puts them (hatch_build.py);
- in the user's cache folder: `$GUARD_WSGI_CACHE_DIR`, else `$XDG_CACHE_HOME/guard-wsgi`, else
  `~/.cache/guard-wsgi`. `GUARD_WSGI_CACHE_DIR=off` keeps nothing;
- if that is not writable, in this user's folder among the temporary files.

A file's name is a digest of patterns, flags, processor and Hyperscan's version, so a database of
other patterns is never loaded. A file in a cache is used only if it and its folder belong to this
user or to root and nobody else can write to them. Hyperscan itself checks version and CRC. Any
fault leads to compiling, never to an error.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from guard_wsgi.files import replaced

hyperscan: Any
try:
    import hyperscan
except ImportError:  # no wheel for this interpreter: nothing is compiled, nothing is kept
    hyperscan = None

logger = logging.getLogger("guard_wsgi.patterns")

CACHE_DIR_VARIABLE = "GUARD_WSGI_CACHE_DIR"
"""It belongs to the machine, not to a guard: it is read before there is a configuration."""

PACKAGE_FOLDER: Final = Path(__file__).with_name("compiled")
"""A part of the package, and as trusted as its code."""

SUFFIX: Final = ".hsdb"


def cache_folders() -> tuple[Path, ...]:
    """Return the cache folders, the preferred one first; none if the cache is off."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE, "")
    if chosen.lower() in ("off", "0", "no"):
        return ()
    if chosen:
        return Path(chosen), _temporary_folder()
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        home = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:  # no home directory
        return (_temporary_folder(),)
    return home / "guard-wsgi", _temporary_folder()


def _temporary_folder() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"guard-wsgi-{user}"


def writable_folder() -> Path | None:
    """Return the first cache folder that is trusted and writable; create it if needed."""
    for folder in cache_folders():
        try:
            # Others may read it: nothing in it is secret, and root may fill it for an app's user.
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError:
            continue
        if distrust(folder) is None and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return None


def distrust(folder: Path) -> str | None:
    """Say why a cache folder is not trusted; ``None`` if it is.

    :raises OSError: if there is no such folder.
    """
    # Among the temporary files, anybody may have made a link.
    status = os.lstat(folder) if folder == _temporary_folder() else os.stat(folder)
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is not a folder"
    return None if _is_private(status) else f"{folder} {_WRITABLE}"


_WRITABLE: Final = "belongs to another user, or others can write to it"


def database_key(patterns: Sequence[bytes], ids: Sequence[int], flags: int) -> str:
    """Return a name for the compiled form of these patterns with this Hyperscan on this
    processor."""
    machine = f"{hyperscan.__version__} {platform.machine()} {sys.byteorder} {sys.maxsize}"
    digest = hashlib.sha256(f"{machine} {flags} {list(ids)}".encode())
    for pattern in patterns:
        digest.update(len(pattern).to_bytes(4, "big") + pattern)
    return digest.hexdigest()


def load_database(key: str, *also: Path) -> Any | None:
    """Load the database of this name, or return ``None``.

    :param also: further folders of this process.
    """
    for folder in (PACKAGE_FOLDER, *also):
        database = _read(folder / f"{key}{SUFFIX}", is_ours=True)
        if database is not None:
            return database
    for folder in cache_folders():
        try:
            reason = distrust(folder)
        except OSError:
            continue
        if reason is not None:
            logger.warning("the cache of compiled patterns is not used: %s", reason)
            continue
        database = _read(folder / f"{key}{SUFFIX}", is_ours=False)
        if database is not None:
            return database
    return None


def _read(path: Path, *, is_ours: bool) -> Any | None:
    try:
        with open(path, "rb") as file:
            if not is_ours and not _is_private(os.fstat(file.fileno())):
                logger.warning("a file of compiled patterns is not used: %s %s", path, _WRITABLE)
                return None
            data = file.read()
    except OSError:
        return None
    try:
        database = hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
        del data
        _give_back()
        return database
    except (ValueError, hyperscan.error) as error:
        logger.warning("a file of compiled patterns is not used: %s is damaged (%s)", path, error)
        return None


def _give_back() -> None:
    """Return the memory into which a file was read: the GNU C library keeps freed memory that is
    below used memory, 5 MB after all files."""
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def save_database(key: str, database: Any) -> None:
    """Store a database atomically, so that no reader sees half of it."""
    folder = writable_folder()
    if folder is None:
        return
    try:
        with replaced(folder / f"{key}{SUFFIX}", mode=0o644) as file:
            file.write(hyperscan.dumpb(database))
    except (OSError, hyperscan.error) as error:
        logger.warning("could not store the compiled patterns: %s", error)


def _is_private(status: os.stat_result) -> bool:
    """Whether only this user or root can have written it."""
    is_known = not hasattr(os, "getuid") or status.st_uid in (os.getuid(), 0)
    return is_known and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
