"""The id of this installation: the same after restarts and for every worker.

It is in the same file as the existing agent's id, so that a move to this agent is not a new
installation.
"""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid4, uuid5

from guard_wsgi.files import create, replaced

log = logging.getLogger("guard_wsgi.agent")

MAX_ID_CHARS = 128


def install_id(directory: Path | None = None) -> str:
    """Read the id, or generate one and write it. Never raises.

    If the file can't be written, as in a read-only container, the id is derived from the host's
    name, which is at least the same for all workers.

    :param directory: ``~/.guard-agent`` by default.
    """
    try:
        directory = directory if directory is not None else Path.home() / ".guard-agent"
        path = directory / "install-id"
        found = _read(path)
        if found is not None:
            return found
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _write_once(path, str(uuid4()))
    except (OSError, RuntimeError) as error:  # RuntimeError: no home directory at all
        log.info("could not store the install id (%s); using one derived from the host name", error)
        return str(uuid5(NAMESPACE_DNS, socket.gethostname()))


def _read(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="ascii", errors="strict").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return text if text and text.isprintable() and len(text) <= MAX_ID_CHARS else None


def _write_once(path: Path, new: str) -> str:
    """Write the id. If several workers start at once, one writes and all return the same id."""
    data = f"{new}\n".encode("ascii")
    if not create(path, data):
        found = _read(path)
        if found is not None:
            return found
        with replaced(path) as file:  # the file holds no valid id
            file.write(data)
    return new
