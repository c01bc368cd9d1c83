"""Databases that are compiled beside the requests, once for all processes of a user.

On a machine that never ran these patterns, and whose package brings none that fit, the first scan
starts a thread. It holds a lock that all processes of the user share, has a process of its own
compile (which would leave a worker with 90 MB more), and takes over what that leaves on disk, one
database after the other. Meanwhile the caller serves in another way.
"""

from __future__ import annotations

import logging
import os
import subprocess
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
except ImportError:  # Windows: each process compiles for itself
    fcntl = None

logger = logging.getLogger("guard_wsgi.patterns")

POLL_SECONDS: Final = 0.2
"""Polled, not waited for: under gevent a lock that blocks would stop all requests."""
WAIT_SECONDS: Final = 180.0
"""How long another process may take, nine times what it should; then this one compiles."""
LOCK_NAME: Final = "compiling.lock"

# The app may have put anything on its path, and PYTHONPATH may be another's.
_PROGRAM: Final = (
    "import runpy, sys; module, *sys.path = sys.argv[1:];"
    " runpy.run_module(module, run_name='__main__')"
)


class Pending(Protocol):
    """A database that is not there yet."""

    def load(self, *folders: Path) -> bool:
        """Take it over from disk; whether it is there.

        :param folders: more to look into than the usual ones.
        """

    def compile(self) -> None:
        """Compile it here and now."""


class Compiler:
    """What a process has to compile; at most one thread works at it.

    :param module: run as a program, it compiles everything into ``$GUARD_WSGI_CACHE_DIR``.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._pending: list[Pending] = []
        self._total = 0
        self._own_folders: tuple[Path, ...] = ()
        # setdefault is atomic: of several first requests one starts the thread. A forked child
        # has another process id, and starts one of its own.
        self._starters: dict[int, object] = {}

    def add(self, pending: Pending) -> None:
        """Have it compiled when somebody asks for it (`begin`)."""
        self._pending.append(pending)
        self._total += 1

    @property
    def waiting(self) -> int:
        """How many databases are not there yet."""
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
        except RuntimeError:  # no thread to be had: the next scan tries again
            del self._starters[process_id]

    def _work(self) -> None:
        started = monotonic()
        with ExitStack() as stack:
            folder = writable_folder()
            if folder is None:
                where = "for this process alone, as no cache folder can be used"
                made = stack.enter_context(tempfile.TemporaryDirectory(prefix="guard-wsgi-"))
                folder = Path(made)
                # Trusted, other than a cache, which is looked into as every start does.
                self._own_folders = (folder,)
            else:
                where = f"into {folder}"
            self._take_over()
            if not self._pending:
                return
            logger.warning(
                "the patterns of detection are not compiled for this machine yet: %d databases"
                " are compiled in the background, %s, in some twenty seconds. Until then Python's"
                " re looks for them, more slowly. `guard-wsgi warm` compiles them while an image"
                " is built",
                len(self._pending),
                where,
            )
            while self._pending and monotonic() - started < WAIT_SECONDS:
                with _lock(folder) as descriptor:
                    if descriptor is not None:
                        self._compile_apart(folder, descriptor, started)
                        break
                self._take_over()
                self._tell(started)
                sleep(POLL_SECONDS)
            for pending in tuple(self._pending):
                pending.compile()
                self._pending.remove(pending)
                self._tell(started)

    def _take_over(self) -> bool:
        """Whether something has become ready."""
        ready = [pending for pending in tuple(self._pending) if pending.load(*self._own_folders)]
        for pending in ready:
            self._pending.remove(pending)
        return bool(ready)

    def _tell(self, started: float) -> None:
        logger.info(
            "%d of %d databases of patterns are compiled after %.1f s",
            self._total - len(self._pending),
            self._total,
            monotonic() - started,
        )

    def _compile_apart(self, folder: Path, descriptor: int, started: float) -> None:
        """Have another process compile, and take over what it leaves. It has the lock as well, so
        that it stays locked when this process ends first."""
        # Another one may have compiled before this one got the lock.
        self._take_over()
        python = _interpreter()
        if not self._pending or python is None:
            return
        try:
            process = subprocess.Popen(
                [python, "-P", "-c", _PROGRAM, self._module, *sys.path],
                env={**os.environ, CACHE_DIR_VARIABLE: str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(descriptor,) if descriptor >= 0 else (),
            )
        except OSError:
            return
        while self._pending and process.poll() is None:
            sleep(POLL_SECONDS)
            if self._take_over():
                self._tell(started)
            if monotonic() - started > WAIT_SECONDS:
                process.kill()
        process.wait()
        if self._take_over():
            self._tell(started)


@contextmanager
def _lock(folder: Path) -> Iterator[int | None]:
    """Hold the lock of a cache folder; ``None`` if another one holds it."""
    if fcntl is None:
        yield -1
        return
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(folder / LOCK_NAME, flags, 0o600)
    except OSError:  # somebody else's: compile rather than wait
        yield -1
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        yield descriptor
        # Not by closing alone: children of a fork have the descriptor as well.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _interpreter() -> str | None:
    """The Python that runs this, or ``None`` where a server embeds it (uWSGI, mod_wsgi)."""
    folder = "Scripts" if os.name == "nt" else "bin"
    for path in (sys.executable or "", os.path.join(sys.prefix, folder, "python3")):
        if os.path.basename(path).startswith("python") and os.access(path, os.X_OK):
            return path
    return None
