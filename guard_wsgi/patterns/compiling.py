"""Compiles databases in the background, once for all processes of a user.

If neither the package nor a cache has compiled patterns for this machine, the first scan starts a
thread. The thread takes a lock that all processes of the user share, and starts a process that
compiles (compiling in the worker would leave it with 90 MB more). It loads each database as soon as
it is on disk. Meanwhile, the caller searches in another way.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, Protocol

from guard_wsgi.forks import threads_run
from guard_wsgi.patterns.database import CACHE_DIR_VARIABLE, writable_folder

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: each process compiles its own
    fcntl = None

logger = logging.getLogger("guard_wsgi.patterns")

POLL_SECONDS: Final = 0.2
"""Seconds between attempts to get the lock. Waiting for it would stop all requests under gevent."""
WAIT_SECONDS: Final = 180.0
"""How long another process may take, nine times the usual; then this one compiles."""
LOCK_NAME: Final = "compiling.lock"

# Pass sys.path on: the app may have changed it, and PYTHONPATH may belong to something else.
_WATCHED: Final = (
    "import os, sys, threading;"
    " threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start();"
)
"""Ends the program when this process ends: its standard input is a pipe from here."""
_PROGRAM: Final = (
    "import runpy, sys; module, *sys.path = sys.argv[1:];"
    " runpy.run_module(module, run_name='__main__')"
)


class Pending(Protocol):
    """A database that is not there yet."""

    def load(self, *folders: Path) -> bool:
        """Load it from disk. Return whether it was there.

        :param folders: further folders to look into.
        """

    def compile(self) -> None:
        """Compile it now, in this process."""


class Compiler:
    """The compilations of a process. At most one thread works on them.

    :param module: a module that compiles everything into ``$GUARD_WSGI_CACHE_DIR`` when run.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._pending: list[Pending] = []
        self._total = 0
        self._own_folders: tuple[Path, ...] = ()
        # setdefault is atomic: only one of several first requests starts the thread. A forked child
        # has another process id, and starts its own.
        self._starters: dict[int, object] = {}

    def add(self, pending: Pending) -> None:
        """Add a database to compile when `begin` is called."""
        self._pending.append(pending)
        self._total += 1

    @property
    def waiting(self) -> int:
        """Count the databases that are not ready yet."""
        return len(self._pending)

    def begin(self) -> None:
        """Start the thread, unless this process has one."""
        token = object()
        process_id = os.getpid()
        if (
            process_id in self._starters
            or self._starters.setdefault(process_id, token) is not token
        ):
            return
        if not threads_run():
            self._work()
            return
        thread = threading.Thread(target=self._work, name="guard-wsgi-compiling", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread is available: the next scan tries again
            del self._starters[process_id]

    def _work(self) -> None:
        started = monotonic()
        with ExitStack() as stack:
            folder = writable_folder()
            if folder is None:
                where = "for this process alone, because there is no cache folder"
                made = stack.enter_context(tempfile.TemporaryDirectory(prefix="guard-wsgi-"))
                folder = Path(made)
                # This folder is trusted, unlike a cache, which is checked as at every start.
                self._own_folders = (folder,)
            else:
                where = f"into {folder}"
            self._take_over()
            if not self._pending:
                return
            logger.warning(
                "detection is slower for about 20 seconds: its patterns are not compiled for this"
                " machine yet. A background process compiles them %s. To avoid this, run"
                " `guard-wsgi warm` when you build the image",
                where,
            )
            while self._pending and monotonic() - started < WAIT_SECONDS:
                with _lock(folder) as descriptor:
                    if descriptor is not None:
                        self._compile_apart(folder, descriptor, started)
                        break
                self._take_over()
                self._log_progress(started)
                sleep(POLL_SECONDS)
            for pending in tuple(self._pending):
                pending.compile()
                self._pending.remove(pending)
                self._log_progress(started)

    def _take_over(self) -> bool:
        """Whether something has become ready."""
        ready = [pending for pending in tuple(self._pending) if pending.load(*self._own_folders)]
        for pending in ready:
            self._pending.remove(pending)
        return bool(ready)

    def _log_progress(self, started: float) -> None:
        logger.info(
            "%d of %d databases of patterns are compiled after %.1f s",
            self._total - len(self._pending),
            self._total,
            monotonic() - started,
        )

    def _compile_apart(self, folder: Path, descriptor: int, started: float) -> None:
        """Let another process compile, and load the result. It inherits the lock, which stays
        locked even if this process ends first.

        If it writes into a cache, it continues without this process. A folder of this process alone
        is useless afterwards, so there the other process ends with this one.
        """
        import subprocess  # here, because usually everything is compiled

        is_own = folder in self._own_folders
        # Another process may have compiled before this one got the lock.
        self._take_over()
        python = _interpreter()
        if not self._pending or python is None:
            return
        try:
            process = subprocess.Popen(
                [python, "-P", "-c", _WATCHED * is_own + _PROGRAM, self._module, *sys.path],
                env={**os.environ, CACHE_DIR_VARIABLE: str(folder)},
                stdin=subprocess.PIPE if is_own else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(descriptor,) if descriptor >= 0 else (),
            )
        except OSError:
            return
        while self._pending and process.poll() is None:
            sleep(POLL_SECONDS)
            if self._take_over():
                self._log_progress(started)
            if monotonic() - started > WAIT_SECONDS:
                process.kill()
        process.communicate()
        if self._take_over():
            self._log_progress(started)


@contextmanager
def _lock(folder: Path) -> Iterator[int | None]:
    """Take the lock of a cache folder; ``None`` if another process has it."""
    if fcntl is None:
        yield -1
        return
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(folder / LOCK_NAME, flags, 0o600)
    except OSError:  # somebody else's file: compile rather than wait
        yield -1
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        yield descriptor
        # Closing alone does not release it: forked children have the descriptor as well.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _interpreter() -> str | None:
    """Return the running Python's path; ``None`` if a server embeds it (uWSGI, mod_wsgi)."""
    folder = "Scripts" if os.name == "nt" else "bin"
    for path in (sys.executable or "", os.path.join(sys.prefix, folder, "python3")):
        if os.path.basename(path).startswith("python") and os.access(path, os.X_OK):
            return path
    return None
