"""The guard on gunicorn with four workers: they count and ban together."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.state.workers import ROOT

WORKERS = 4


class Gunicorn:
    """Four workers with the guarded app, until closed."""

    def __init__(self, directory: Path, store_url: str, *options: str, **environment: str) -> None:
        self.view_log = directory / "view.log"
        self.server_log = directory / "server.log"
        with (
            socket.create_server(("127.0.0.1", 0), backlog=1024) as listener,
            self.server_log.open("ab") as log,
        ):
            self.port: int = listener.getsockname()[1]
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "--workers", str(WORKERS)),
                    *("--bind", f"fd://{listener.fileno()}", "--log-level", "warning"),
                    *("--graceful-timeout", "2", "--no-control-socket", *options),
                    "tests.state.guarded_app:app",
                ],
                cwd=ROOT,
                env={
                    **os.environ,
                    "STORE_URL": store_url,
                    "VIEW_LOG": str(self.view_log),
                    **environment,
                },
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        self._wait_for_workers()

    def _wait_for_workers(self) -> None:
        """Until every worker has answered: then all of them take part."""
        deadline = time.monotonic() + 40
        seen: set[str] = set()
        while len(seen) < WORKERS:
            answers = self.get_all("/warm-up", [f"198.51.100.{n}" for n in range(24)])
            seen |= {body for status, body in answers if status == 200}
            assert time.monotonic() < deadline, f"{seen}\n{self.server_log.read_text()}"
        self.view_log.write_text("")

    def get_all(
        self, path: str, clients: list[str], *, kill_after: tuple[int, int] | None = None
    ) -> list[tuple[int, str]]:
        """One request for each client, all under way at once; status (0: cut off) and body.

        :param kill_after: (n, pid): after the n-th answer the process gets SIGKILL.
        """
        selector = selectors.DefaultSelector()
        answers = [b""] * len(clients)
        for n, client in enumerate(clients):
            connection = socket.create_connection(("127.0.0.1", self.port), 30)
            connection.sendall(
                f"GET {path} HTTP/1.0\r\nHost: shop.example\r\n"
                f"User-Agent: test\r\nX-Forwarded-For: {client}\r\n\r\n".encode()
            )
            selector.register(connection, selectors.EVENT_READ, n)
        answered = 0
        with selector:
            while answered < len(clients):
                ready = selector.select(30)
                assert ready, f"{len(clients) - answered} requests hang"
                for key, _ in ready:
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    try:
                        chunk = connection.recv(65536)
                    except ConnectionError:
                        chunk = b""
                    if chunk:
                        answers[key.data] += chunk
                        continue
                    # Closed at once: gunicorn's threads linger until the client has gone.
                    selector.unregister(connection)
                    connection.close()
                    answered += 1
                    if kill_after is not None and answered == kill_after[0]:
                        os.kill(kill_after[1], signal.SIGKILL)
        results = []
        for answer in answers:
            head, _, body = answer.partition(b"\r\n\r\n")
            results.append((int(head.split()[1]) if head else 0, body.decode()))
        return results

    def statuses(self, path: str, client: str, count: int) -> Counter[int]:
        return Counter(status for status, _ in self.get_all(path, [client] * count))

    def viewed(self, path: str) -> int:
        """How many requests reached the app."""
        return self.view_log.read_text().count(f" {path}\n")

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if kind == "lmdb":
        return f"lmdb://{tmp_path}/state.lmdb"
    redis_url: str = request.getfixturevalue("own_redis").url
    return redis_url


@pytest.fixture
def options() -> tuple[str, ...]:
    return ()


@pytest.fixture
def strategy() -> str:
    return "fixed-window"


@pytest.fixture
def server(tmp_path: Path, url: str, options: tuple[str, ...], strategy: str) -> Iterator[Gunicorn]:
    gunicorn = Gunicorn(tmp_path, url, *options, STRATEGY=strategy)
    yield gunicorn
    gunicorn.close()


@pytest.mark.parametrize(
    ("kind", "strategy", "options"),
    [
        ("lmdb", "fixed-window", ()),
        ("lmdb", "sliding-window-counter", ("--preload",)),
        ("lmdb", "moving-window", ("-k", "gthread", "--threads", "8", "--preload")),
        ("redis", "fixed-window", ("--preload",)),
        ("redis", "sliding-window-counter", ("-k", "gevent")),
    ],
)
def test_of_400_requests_at_once_exactly_the_limit_of_100_gets_through(
    server: Gunicorn, kind: str
) -> None:
    if kind == "redis":
        server.statuses("/warm-up", "198.51.100.200", 8)  # scripts loaded, connections made
    statuses = server.statuses("/limited", "192.0.2.7", 400)
    assert statuses == {200: 100, 429: 300}, server.server_log.read_text()
    assert server.viewed("/limited") == 100
    assert server.statuses("/limited", "192.0.2.8", 10) == {200: 10}


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_a_worker_killed_in_the_middle_changes_nothing(server: Gunicorn) -> None:
    victim = int(server.get_all("/who", ["198.51.100.1"])[0][1])
    answers = server.get_all("/limited", ["192.0.2.7"] * 400, kill_after=(20, victim))
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) <= {0, 200, 429}
    # The victim's own requests are lost, but were counted; no other count changed.
    assert statuses[0] <= 2
    assert 100 - statuses[0] <= statuses[200] <= 100
    assert server.statuses("/limited", "192.0.2.7", 40) == {429: 40}
    assert server.statuses("/limited", "192.0.2.8", 40) == {200: 40}


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_a_ban_in_one_worker_holds_in_all_within_a_second_and_after_a_restart(
    server: Gunicorn, tmp_path: Path, url: str
) -> None:
    assert server.statuses("/", "203.0.113.9", 20) == {200: 20}
    assert server.get_all("/ban?203.0.113.0/24", ["198.51.100.1"])[0][0] == 200
    time.sleep(1)
    assert server.statuses("/", "203.0.113.9", 40) == {403: 40}
    assert server.statuses("/", "203.0.114.9", 20) == {200: 20}
    server.close()
    again = Gunicorn(tmp_path, url)
    try:
        assert again.statuses("/", "203.0.113.9", 40) == {403: 40}
    finally:
        again.close()


def test_memory_under_several_workers_is_warned_of(tmp_path: Path) -> None:
    server = Gunicorn(tmp_path, "memory://")
    try:
        log = server.server_log.read_text()
        assert "store_url is memory://, but gunicorn runs several worker processes" in log
        assert 'store_url="lmdb://' in log
    finally:
        server.close()
