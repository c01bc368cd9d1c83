"""Real WSGI servers as subprocesses on free ports, with a hard end to each of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.kit.wire import RawAnswer, exchange

SERVERS = (
    "gunicorn-sync",
    "gunicorn-gthread",
    "gunicorn-gevent",
    "waitress",
    "werkzeug",
    "wsgiref",
)
"""Every server the guard is accepted on."""

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 5


class LiveServer:
    """One server with one app, from ``with`` to the end of it.

    The socket listens before the process starts, so a first request waits in its backlog and no
    one polls for a port.

    :param server: one of `SERVERS`.
    :param app: ``module:callable`` or, for a factory, ``module:factory()``.
    :param environment: variables for the subprocess.
    """

    def __init__(self, server: str, app: str, environment: dict[str, str] | None = None) -> None:
        self.server = server
        self.app = app
        self._environment = environment or {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> LiveServer:
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            self.port: int = listener.getsockname()[1]
            descriptor = listener.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kit.serve", self.server, self.app, str(descriptor)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self._environment},
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=[descriptor],
                start_new_session=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._log.close()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL for the whole group."""
        process = self._process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
        if process.stdin is not None:
            process.stdin.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """What the server has printed so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode("utf-8", "replace")

    def exchange(
        self, *parts: bytes, method: str = "GET", timeout_seconds: float = 20
    ) -> RawAnswer:
        """Send raw bytes on a connection of its own and read one answer to its end."""
        try:
            return exchange(self.port, *parts, method=method, timeout_seconds=timeout_seconds)
        except (OSError, AssertionError) as error:
            raise AssertionError(f"{self.server}: {error!r}\n{self.log()[-4000:]}") from error


class ServerPool:
    """Servers started on first use and shared by the tests of one session."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], LiveServer] = {}

    def get(self, server: str, app: str) -> LiveServer:
        key = (server, app)
        if key not in self._running:
            self._running[key] = LiveServer(server, app).__enter__()
        return self._running[key]

    def close(self) -> None:
        while self._running:
            self._running.popitem()[1].__exit__(None, None, None)
