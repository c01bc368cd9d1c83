"""The path of the state file of an ``lmdb:`` URI."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote, urlsplit

from guard_wsgi.errors import ConfigError, StoreError


def path_of(uri: str, app_name: str | None = None) -> Path:
    """Return the file of an ``lmdb:`` URI.

    :raises ConfigError: if it names none.
    """
    parsed = urlsplit(uri)
    if parsed.netloc:
        raise ConfigError(
            [f"store_url: write lmdb:///absolute/path or lmdb://, not lmdb://{parsed.netloc}..."]
        )
    if not parsed.path or parsed.path == "/":
        return default_path(app_name)
    path = Path(unquote(parsed.path))
    return path / "guard.lmdb" if path.is_dir() else path


def missing_file(url: str) -> Path | None:
    """Return the file of a store that is not there yet; ``None`` if it is there, or no file."""
    if not url.startswith("lmdb:"):
        return None
    path = path_of(url)
    return None if path.exists() else path


def default_path(app_name: str | None = None) -> Path:
    """Return a file of this user, named after the app; it is the same for all processes of the app.

    Without a name, the working directory identifies the app: workers and a shell beside them share
    it. A user without a writable home gets a directory under the system's temporary one.

    :raises StoreError: if that directory belongs to someone else.
    """
    if app_name is None:
        here = os.getcwd()
        app_name = (
            f"{os.path.basename(here) or 'app'}-{blake2b(here.encode(), digest_size=4).hexdigest()}"
        )
    file_name = re.sub(r"[^A-Za-z0-9._-]", "_", app_name) + ".lmdb"
    state_home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    directory = Path(state_home, "guard-wsgi")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(directory, os.W_OK | os.X_OK):
            return directory / file_name
    except OSError:
        pass  # no home, or not a writable one: the temporary directory serves
    user = str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    directory = Path(tempfile.gettempdir(), f"guard-wsgi-{user}")
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        status = directory.lstat()
    except OSError as error:
        raise StoreError(f"no directory for the state file: {error}") from error
    # Anyone may create names in the temporary directory, also this one, also as a link.
    if not stat.S_ISDIR(status.st_mode) or (
        sys.platform != "win32" and (status.st_uid != os.getuid() or status.st_mode & 0o022)
    ):
        raise StoreError(
            f"{directory} belongs to another user: set store_url to your own folder, lmdb:///path"
        )
    return directory / file_name
