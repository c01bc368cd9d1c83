"""Real WSGI servers as subprocesses on free ports, with a hard end to each of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.kit.wire import RawAnswer, exchange

SERVERS = (
    "gunicorn-sync",
    "gunicorn-gthread",
    "gunicorn-gevent",
    "waitress",
    "werkzeug",
    "wsgiref",
)
"""Every server that the guard supports."""

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 5


class Endpoint:
    """One app on one port of a server.

    :ivar server: one of `SERVERS`.
    :ivar app: ``module:callable`` or, for a factory, ``module:factory()``.
    """

    def __init__(self, server: str, app: str, log: IO[bytes]) -> None:
        self.server = server
        self.app = app
        self.port = 0
        self._log = log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Return the server's output so far."""
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


class LiveServer(Endpoint):
    """One server process, from ``with`` to the end of it.

    The sockets listen before the process starts, so a first request waits in its backlog and no
    one polls for a port.

    :param environment: variables for the subprocess.
    :param beside: further apps, which the same process serves on ports of their own.
    """

    def __init__(
        self,
        server: str,
        app: str,
        environment: dict[str, str] | None = None,
        *,
        beside: Sequence[str] = (),
    ) -> None:
        log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        super().__init__(server, app, log)
        self._environment = environment or {}
        self.endpoints: dict[str, Endpoint] = {app: self}
        self.endpoints.update((name, Endpoint(server, name, log)) for name in beside)

    def __enter__(self) -> LiveServer:
        arguments = []
        with ExitStack() as listening:
            descriptors = []
            for name, endpoint in self.endpoints.items():
                listener = listening.enter_context(
                    socket.create_server(("127.0.0.1", 0), backlog=256)
                )
                endpoint.port = listener.getsockname()[1]
                descriptors.append(listener.fileno())
                arguments += [name, str(listener.fileno())]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kit.serve", self.server, *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self._environment},
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=descriptors,
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


class ServerPool:
    """Servers that start on first use; the tests of one session share them.

    :param apps: the apps of each server, in one process.
    """

    def __init__(self, *apps: str) -> None:
        self._apps = apps
        self._running: dict[str, LiveServer] = {}

    def get(self, server: str, app: str) -> Endpoint:
        if server not in self._running:
            first, *others = self._apps
            self._running[server] = LiveServer(server, first, beside=others).__enter__()
        return self._running[server].endpoints[app]

    def close(self) -> None:
        while self._running:
            self._running.popitem()[1].__exit__(None, None, None)
