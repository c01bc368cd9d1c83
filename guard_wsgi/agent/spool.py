"""Events on disk, so that neither ``kill -9`` nor a day's outage of the collector loses them.

Every process writes a SQLite file of its own, so no process waits for another's lock, and holds
a lock beside it, which the kernel lets go of however the process ends. A file whose lock
is free belongs to a dead process: one living worker takes the lock and sends what is left, under
the same idempotency keys, then removes the file.

WAL with ``synchronous=NORMAL``: what was written survives the death of the process at once, and
a power failure never corrupts the file, though it may cost the last seconds. Check-points, the
only steps that wait for the disk, run on a connection of the sender's own.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from guard_wsgi.agent.batch import Item
from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.agent.spool_file import SpoolError, SpoolFile
from guard_wsgi.errors import ConfigError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("guard_wsgi.agent")


class Spool:
    """This process's spool file, and those it has inherited from dead processes.

    Opened in the serving process, never before a fork; a child makes a new one.

    :raises SpoolError: when the directory can't be used.
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
        """Items not yet settled, inherited ones included."""
        return self.own.count + sum(file.count for file in self.inherited)

    @property
    def waiting(self) -> int:
        """Items not yet taken, inherited ones included."""
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
        """The next items of one file: own and inherited ones take turns.

        :raises SpoolError: on faults.
        """
        files = [file for file in (self.own, *self.inherited) if file.waiting]
        if not files or max_items <= 0:
            return []
        self._turn += 1
        return files[self._turn % len(files)].take(max_items)

    def settle(self, items: Iterable[Item]) -> None:
        """Forget items, whichever file they are in.

        :raises SpoolError: on faults.
        """
        by_file: dict[SpoolFile, list[Item]] = {}
        for item in items:
            if item.place is not None:
                by_file.setdefault(item.place[0], []).append(item)
        for file, placed in by_file.items():
            file.settle(placed)

    def expire(self) -> int:
        """Forget own items that are too old; how many there were.

        :raises SpoolError: on faults.
        """
        return self.own.expire(self._config.spool_max_age)

    def inherit(self) -> tuple[int, int]:
        """Take over the files of dead processes; how many items came along, and had expired.

        Inherited files that are done are removed.

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
                file = SpoolFile(path, handle)
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
        """Let go of all files. What is left in them is sent by the next process."""
        for file in (self.own, *self.inherited):
            file.close()

    def _create(self) -> SpoolFile:
        while True:
            path = self.directory / f"{uuid4().hex}.db"
            handle = _lock(path.with_suffix(".lock"))
            if handle is not None:
                return SpoolFile(path, handle)

    def _set_aside(self, path: Path, error: SpoolError) -> None:
        log.error("a spool file can't be read and is set aside as .damaged: %s", error)
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(".damaged"))
            os.unlink(path.with_suffix(".lock"))


def directory_of(config: AgentConfig) -> Path:
    """The directory of one collector and project under ``spool_path``.

    :raises ConfigError: on a system without file locks, or without a path.
    """
    if fcntl is None or config.spool_path is None:
        raise ConfigError(["spool_path needs file locks, which this platform lacks"])
    destination = "\n".join((config.endpoint, config.api_key, config.project_id or ""))
    name = hashlib.sha256(destination.encode()).hexdigest()[:16]
    return Path(config.spool_path) / name


def has_leftovers(config: AgentConfig) -> bool:
    """Whether there are files that some process, alive or dead, has written."""
    try:
        return any(directory_of(config).glob("*.db"))
    except OSError:
        return False


def _lock(path: Path) -> int | None:
    """An open handle that holds the lock on this path, or ``None`` when another process has it.

    ``flock``, not a record lock: it holds between two openings in one process as well, and is not
    lost when the other one closes. A forked child shares it until it closes its copy, which is
    the first thing it does.
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
