"""One LMDB file that the processes of a machine share.

Each process opens it once (LMDB's locks are per process, and a second open would release the first
lock). A forked child opens it again. It grows when it is full, and is set aside if it is broken or
another program's. It is written through the map without syncing: it survives the end of every
process, even by ``kill -9``. A crash of the operating system may break it, and then a new one is
made.
"""

from __future__ import annotations

import atexit
import logging
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from os import getpid
from pathlib import Path
from typing import Any, TypeVar

import lmdb

from guard_wsgi.errors import StoreError
from guard_wsgi.state.backends.lmdb_counts import NEVER, LMDBCounts, allocate, places_given
from guard_wsgi.state.backends.lmdb_lock import _LOCK_SECONDS, exclusive
from guard_wsgi.state.backends.lmdb_open import OpenFiles, closed, log_new, open_environment
from guard_wsgi.state.fork_pauses import pause_during_fork

log = logging.getLogger("guard_wsgi.state")

INITIAL_MAP_BYTES = 16 * 2**20
"""The first size: room for about 200,000 keys. The disk space is reserved at once, because a write
through the map without space would kill the process. A tenth as much is for 65,000 counts."""

MAX_MAP_BYTES = 4 * 2**30
"""The largest size: about 40 million keys. For more, use a server."""

FORMAT = b"guard-wsgi state 2"

FORMAT_KEY = b"\x00format"

ATTEMPTS = range(10)
"""How often a transaction is tried again after an obstacle was removed. While other processes let
the file grow, three or more obstacles follow each other."""

_FORKS_UNSEEN = "uwsgi" in sys.modules
"""uWSGI forks in C, without the hooks of `os.register_at_fork`: only the process id shows it."""

_BROKEN = (
    lmdb.CorruptedError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.VersionMismatchError,
)

FAILURES = (lmdb.Error, struct.error)
"""Errors that `LMDBFile.repair` may fix. The second: a count is beyond the end of the map."""

Result = TypeVar("Result")

_open_files = OpenFiles()


class LMDBFile:
    """Get it from `LMDBFile.at`, so that a process opens a path only once."""

    def __init__(
        self, path: Path, map_bytes: int, max_map_bytes: int, must_open: bool = True
    ) -> None:
        self.path = path
        #: Held for every transaction: the map may only grow between them. Replaced after a fork.
        self.lock = threading.Lock()
        #: Begins a transaction, as `lmdb.Environment.begin`; replaced when the file is reopened.
        self.begin: Callable[..., Any] = closed
        #: Where the counts are.
        self.counts = LMDBCounts(path.with_name(f"{path.name}-counts"), map_bytes * 3 // 32)
        self._map_bytes = map_bytes
        self._max_map_bytes = max_map_bytes
        self._pid = 0
        self._inode = 0
        self._env: Any = None
        try:
            self._open()
        except StoreError as error:
            if must_open:
                raise
            log.error("the store can't be opened, trying again with each use: %s", error)
        pause_during_fork(self)

    @classmethod
    def at(
        cls,
        path: Path,
        map_bytes: int = INITIAL_MAP_BYTES,
        max_map_bytes: int = MAX_MAP_BYTES,
        *,
        must_open: bool = True,
    ) -> LMDBFile:
        """Return the file at ``path``, which this process opens now or has opened before.

        :raises StoreError: if it must be open, and can't be opened or created.
        """
        key = os.path.realpath(path)
        with _open_files.lock:
            found = _open_files.by_path.get(key)
            if found is None:
                found = cls(Path(key), map_bytes, max_map_bytes, must_open)
                _open_files.by_path[key] = found
            return found

    # -- fork ---------------------------------------------------------------------------------

    def before_fork(self) -> None:
        self.lock.acquire()

    def after_fork_in_parent(self) -> None:
        self.lock.release()

    def after_fork_in_child(self) -> None:
        # No transaction is under way (`before_fork`), so the parent's environment can be closed
        # here, which LMDB wants before the file is opened again; the next use does that.
        self.lock = threading.Lock()
        self._close_env()

    # -- transactions -------------------------------------------------------------------------

    def write(self, work: Callable[..., Result], *args: Any) -> Result:
        """Run ``work(transaction, *args)`` in a write transaction and commit it.

        ``work`` may run again from the start if the map has to grow.

        :raises StoreError: if the file can't be written.
        """
        for _ in ATTEMPTS:
            with self.lock:
                txn = None
                try:
                    txn = self.begin(None, None, True)
                    result = work(txn, *args)
                    txn.commit()
                    return result
                except FAILURES as raised:
                    self.abort(txn)
                    self.repair(raised)
                except BaseException:
                    self.abort(txn)
                    raise
        raise StoreError(f"state file {self.path} can't be written")

    def abort(self, txn: Any) -> None:
        """Abort a write transaction, if it was begun."""
        self.counts.aborted()
        if txn is not None:
            txn.abort()

    def read(self, work: Callable[..., Result], *args: Any) -> Result:
        """Run ``work(transaction, *args)`` in a read transaction.

        :raises StoreError: when the file can't be read.
        """
        for _ in ATTEMPTS:
            with self.lock:
                try:
                    with self.begin() as txn:
                        return work(txn, *args)
                except lmdb.Error as raised:
                    self.repair(raised)
        raise StoreError(f"state file {self.path} can't be read")

    def repair(self, error: lmdb.Error | struct.error) -> None:
        """Fix the cause of an error, so that the next attempt succeeds. The lock is held.

        :raises StoreError: if it can't be fixed.
        """
        if self._env is None or self._pid != getpid():
            self._open()
        elif isinstance(error, struct.error):
            self.counts.follow()
        elif isinstance(error, lmdb.MapFullError):
            self._grow()
        elif isinstance(error, lmdb.MapResizedError):
            self._follow_growth()
        elif isinstance(error, lmdb.ReadersFullError):
            self._env.reader_check()
        elif isinstance(error, _BROKEN):
            self._replace(str(error))
        elif isinstance(error, lmdb.PanicError):
            self._open()
        else:
            if type(error) is lmdb.Error:
                # An error of the system, or LMDB has given the file up: the next use opens it
                # again.
                self._close_env()
            raise StoreError(f"state file {self.path}: {error}") from error

    def check(self) -> None:
        """Free resources of dead processes, and notice a replaced file.

        :raises StoreError: if the file at the path can't be opened.
        """
        with self.lock:
            if self._env is not None and self._pid == getpid():
                try:
                    status = os.stat(self.path)
                    same = status.st_ino == self._inode and self.counts.is_at_its_path()
                except OSError:
                    same = False
                # Another program has truncated the file: reading or writing beyond its end kills
                # the process.
                is_cut = same and (status.st_size < self._map_bytes or self.counts.is_cut())
                if same and not is_cut:
                    try:
                        self._env.reader_check()
                    except lmdb.Error as error:
                        self.repair(error)
                    return
                if is_cut:
                    self._replace("it was truncated while it was open")
                    return
                self._close_env()
            self._open()

    @property
    def map_bytes(self) -> int:
        """The current size of the map, which is that of the file."""
        return self._map_bytes

    def close(self) -> None:
        """Flush and close. The next use opens it again."""
        with self.lock:
            if self._env is not None and self._pid == getpid():
                self._give_back()
                self._env.sync(True)
            self._close_env()

    def give_back(self) -> None:
        """Return this process's reserves to the others."""
        if self.lock.acquire(timeout=_LOCK_SECONDS):
            try:
                if self._env is not None and self._pid == getpid():
                    self._give_back()
            finally:
                self.lock.release()

    def __del__(self) -> None:
        # A store without references keeps nothing from others.
        self.give_back()

    def _give_back(self) -> None:
        if self.counts.holds_places:
            with suppress(lmdb.Error), self._env.begin(write=True) as txn:
                self.counts.give_back(txn)

    # -- opening, growing, replacing (with the lock held) -------------------------------------

    def _open(self) -> None:
        self._close_env()
        for _ in ATTEMPTS:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            except OSError as error:
                raise StoreError(f"state file {self.path}: {error.strerror}") from error
            try:
                with exclusive(fd, self.path):
                    status = os.fstat(fd)
                    try:
                        if os.stat(self.path).st_ino != status.st_ino:
                            continue  # set aside while this process waited for the lock
                    except FileNotFoundError:
                        continue
                    reason = self._open_env(fd, status.st_size)
                    if reason is None:
                        self._inode = status.st_ino
                        self._pid = getpid()
                        return
                    self._close_env()
                    self._set_aside(reason)
            finally:
                os.close(fd)
        raise StoreError(f"state file {self.path} can't be opened")

    def _open_env(self, fd: int, file_bytes: int) -> str | None:
        """Open the file. Return why it is not usable; ``None`` if it is."""
        # Never less than the file: LMDB would cut it to the map, under others who use the rest.
        self._map_bytes = max(self._map_bytes, file_bytes)
        try:
            self._env = open_environment(self.path, fd, self._map_bytes)
            self.begin = self._begin_in_this_process if _FORKS_UNSEEN else self._env.begin
            info, page_bytes = self._env.info(), self._env.stat()["psize"]
            if 0 < file_bytes < (info["last_pgno"] + 1) * page_bytes:
                return "it is shorter than its header says"
            with self._env.begin(write=True) as txn:
                stored = txn.get(FORMAT_KEY)
                is_new = stored is None and txn.stat()["entries"] == 0
                if is_new:
                    txn.put(FORMAT_KEY, NEVER + FORMAT)
                elif stored != NEVER + FORMAT:
                    return "another program, or another version of this one, wrote it"
                self.counts.open(anew=is_new, places=places_given(txn))
            if is_new:
                log_new(self.path)
        except _BROKEN as error:
            return str(error)
        except (lmdb.Error, OSError) as error:
            self._close_env()
            raise StoreError(f"state file {self.path}: {error}") from error
        return None

    def _begin_in_this_process(self, *args: Any) -> Any:
        if self._pid != getpid():
            raise lmdb.Error("opened before a fork")
        return self._env.begin(*args)

    def _close_env(self) -> None:
        env, self._env, self.begin, self._pid = self._env, None, closed, 0
        self.counts.close()
        if env is not None:
            env.close()

    def _set_aside(self, reason: str) -> None:
        aside = self.path.with_name(f"{self.path.name}.aside-{time.time_ns()}")
        try:
            os.rename(self.path, aside)
            lock_file = Path(f"{self.path}-lock")
            if lock_file.exists():
                os.rename(lock_file, f"{aside}-lock")
        except OSError as error:
            raise StoreError(f"state file {self.path} can't be set aside: {error}") from error
        log.error(
            "state file %s can't be used (%s): kept as %s, starting without counts and bans",
            self.path,
            reason,
            aside.name,
            extra={"path": str(self.path), "aside": str(aside)},
        )

    def _replace(self, reason: str) -> None:
        """Set a broken file aside, unless another process did, and open a new one."""
        inode = self._inode
        self._close_env()
        try:
            fd = os.open(self.path, os.O_RDWR)
        except OSError:
            fd = -1
        if fd >= 0:
            try:
                with exclusive(fd, self.path):
                    if os.fstat(fd).st_ino == inode == os.stat(self.path).st_ino:
                        self._set_aside(reason)
            except FileNotFoundError:
                pass  # another process set it aside between the two calls
            finally:
                os.close(fd)
        self._open()

    def _grow(self) -> None:
        with self._sized() as (fd, file_bytes):
            wanted = max(2 * self._map_bytes, file_bytes)
            if wanted > self._max_map_bytes:
                raise lmdb.MapFullError(f"{self.path} has reached {self._max_map_bytes} bytes")
            allocate(fd, wanted)
            self._env.set_mapsize(wanted)
            self._map_bytes = wanted

    def _follow_growth(self) -> None:
        # Not set_mapsize(0): that takes the size of the last commit, and would cut the file
        # under a process that is growing it further.
        with self._sized() as (_, file_bytes):
            has_grown = file_bytes > self._map_bytes
            if has_grown:
                self._env.set_mapsize(file_bytes)
                self._map_bytes = file_bytes
        if not has_grown:
            self._replace("its header names pages beyond its end")

    @contextmanager
    def _sized(self) -> Iterator[tuple[int, int]]:
        try:
            fd = os.open(self.path, os.O_RDWR)
            try:
                with exclusive(fd, self.path):
                    yield fd, os.fstat(fd).st_size
            finally:
                os.close(fd)
        except (OSError, lmdb.Error) as error:
            raise StoreError(f"state file {self.path} can't grow: {error}") from error


def _give_back_at_exit() -> None:
    for file in list(_open_files.by_path.values()):
        file.give_back()


atexit.register(_give_back_at_exit)
