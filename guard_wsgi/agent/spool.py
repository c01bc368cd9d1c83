"""Events on disk, so that neither ``kill -9`` nor a day's outage of the collector loses them.

Every process writes its own SQLite file, so no process waits for another's lock. It holds a lock
beside the file, which the kernel releases however the process ends. A file whose lock is free
belongs to a dead process: one living worker takes the lock, sends what is left under the same
idempotency keys, then removes the file.

The mode is WAL with ``synchronous=NORMAL``: a written event survives the death of the process, and
a power failure never corrupts the file, though it may cost the last seconds. Only check-points wait
for the disk; they run on the sender's own connection.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from guard_wsgi.agent.batch import Item
from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.spool_errors import SpoolError
from guard_wsgi.errors import ConfigError

if TYPE_CHECKING:
    from guard_wsgi.agent.spool_file import SpoolFile

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("guard_wsgi.agent")


class Spool:
    """This process's spool file, and the files that it has inherited from dead processes.

    The serving process opens it, never before a fork; a child makes a new one.

    :raises SpoolError: if the directory can't be used.
    """

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self.directory = directory_of(config)
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SpoolError(f"{self.directory}: {error}") from error
        self.own = self._create()
        self.inherited: list[SpoolFile] = []
        self._turn = 0

    @property
    def count(self) -> int:
        """Count items that are not settled yet, with the inherited ones."""
        return self.own.count + sum(file.count for file in self.inherited)

    @property
    def waiting(self) -> int:
        """Count items that are not taken yet, with the inherited ones."""
        return self.own.waiting + sum(file.waiting for file in self.inherited)

    @property
    def bytes(self) -> int:
        return self.own.bytes + sum(file.bytes for file in self.inherited)

    def append(self, item: Item) -> None:
        """Write one item of this process.

        :raises SpoolFull: :raises SpoolError:
        """
        self.own.append(item, self._config.spool_max_bytes)

    def take(self, max_items: int) -> list[Item]:
        """Take the next items of one file: own and inherited files take turns.

        :raises SpoolError: on faults.
        """
        files = [file for file in (self.own, *self.inherited) if file.waiting]
        if not files or max_items <= 0:
            return []
        self._turn += 1
        return files[self._turn % len(files)].take(max_items)

    def settle(self, items: Iterable[Item]) -> None:
        """Remove items, whichever file they are in.

        :raises SpoolError: on faults.
        """
        by_file: dict[SpoolFile, list[Item]] = {}
        for item in items:
            if item.place is not None:
                by_file.setdefault(item.place[0], []).append(item)
        for file, placed in by_file.items():
            file.settle(placed)

    def expire(self) -> int:
        """Remove own items that are too old. Return how many there were.

        :raises SpoolError: on faults.
        """
        return self.own.expire(self._config.spool_max_age)

    def inherit(self) -> tuple[int, int]:
        """Take over the files of dead processes. Return how many items they hold, and how many
        expired.

        Inherited files that are empty are removed.

        :raises SpoolError: on faults.
        """
        for file in [file for file in self.inherited if file.count == 0]:
            self.inherited.remove(file)
            file.close()
        mine = {self.own.path, *(file.path for file in self.inherited)}
        found = expired = 0
        for path in sorted(self.directory.glob("*.db")):
            handle = _lock(path.with_suffix(".lock")) if path not in mine else None
            if handle is None:
                continue
            try:
                file = _file(path, handle)
            except SpoolError as error:
                self._set_aside(path, error)
                continue
            expired += file.expire(self._config.spool_max_age)
            found += file.count
            self.inherited.append(file)
        return found, expired

    def checkpoint(self) -> None:
        """See :meth:`SpoolFile.checkpoint`."""
        self.own.checkpoint()

    def abandon(self) -> None:
        """See :meth:`SpoolFile.abandon`."""
        for file in (self.own, *self.inherited):
            file.abandon()

    def close(self) -> None:
        """Close all files. The next process sends what is left in them."""
        for file in (self.own, *self.inherited):
            file.close()

    def _create(self) -> SpoolFile:
        while True:
            path = self.directory / f"{uuid4().hex}.db"
            handle = _lock(path.with_suffix(".lock"))
            if handle is not None:
                return _file(path, handle)

    def _set_aside(self, path: Path, error: SpoolError) -> None:
        log.error("could not read %s (%s): renamed it to .damaged", path, error)
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(".damaged"))
            os.unlink(path.with_suffix(".lock"))


def _file(path: Path, lock_handle: int) -> SpoolFile:
    from guard_wsgi.agent.spool_file import SpoolFile  # SQLite is a megabyte of every worker's

    return SpoolFile(path, lock_handle)


def directory_of(config: AgentConfig) -> Path:
    """Return the directory of one collector and project under ``spool_path``.

    :raises ConfigError: on a system without file locks, or without a path.
    """
    if fcntl is None or config.spool_path is None:
        raise ConfigError(["spool_path needs file locks, which this platform lacks"])
    destination = "\n".join((config.endpoint, config.api_key, config.project_id or ""))
    name = hashlib.sha256(destination.encode()).hexdigest()[:16]
    return Path(config.spool_path) / name


def has_leftovers(config: AgentConfig) -> bool:
    """Whether any process, alive or dead, has written files there."""
    try:
        return any(directory_of(config).glob("*.db"))
    except OSError:
        return False


def _lock(path: Path) -> int | None:
    """Return an open handle that holds the lock on this path; ``None`` if another process has it.

    It is a ``flock``, not a record lock: it also works between two handles of one process, and
    closing one handle does not release the other. A forked child shares the lock until it closes
    its copy, which is the first thing it does.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SpoolError(f"{path}: {error}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The last owner may have removed the file between our open and our lock.
        if os.fstat(handle).st_ino == os.stat(path).st_ino:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None
