"""The agent inside real servers. The existing agent hangs the first request under preload, and
loses the last events of every worker."""

from __future__ import annotations

import http.client
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.agent.collector import Collector, Reply
from tests.agent.processes import ROOT, environment

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed"
)

START_SECONDS = 20.0


def get(port: int, user_agent: str, timeout: float = 10.0) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", "/", headers={"User-Agent": user_agent})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


@contextmanager
def serving(
    arguments: list[str], collector: Collector, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server on a socket that listens before it starts, so no one polls for a port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        port = listener.getsockname()[1]
        bound = [argument.replace("{fd}", str(listener.fileno())) for argument in arguments]
        log = tempfile.TemporaryFile()  # noqa: SIM115 (closed below)
        process = subprocess.Popen(
            bound,
            env=environment(collector.url, **variables),
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    try:
        yield process, port
    finally:
        # Also the rest of its group: without a master, uWSGI's first worker ends alone.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        log.seek(0)
        output = log.read().decode(errors="replace")
        log.close()
        print(output)  # pytest shows it with a failure
        assert "Traceback" not in output


def gunicorn(*arguments: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind=fd://{fd}",
        "--workers=2",
        "--graceful-timeout=5",
        *arguments,
        "tests.agent.guarded_app:app",
    ]


WORKERS = {
    "sync": ["--worker-class=sync"],
    "gthread": ["--worker-class=gthread", "--threads=4"],
    "gevent": ["--worker-class=gevent"],
}


@pytest.mark.parametrize("preload", [False, True], ids=["", "preload"])
@pytest.mark.parametrize("kind", WORKERS)
def test_every_event_arrives_once_by_the_end_of_the_workers(
    collector: Collector, kind: str, preload: bool
) -> None:
    """Nothing is sent before the workers end, so the end of each must send its own."""
    if kind == "gevent":
        pytest.importorskip("gevent")
    arguments = gunicorn(*WORKERS[kind], *(["--preload"] if preload else []))
    with serving(arguments, collector) as (process, port):
        assert get(port, "mild", START_SECONDS) == 200
        assert [get(port, f"evil {number}") for number in range(20)] == [403] * 20
        assert collector.events == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    agents = sorted(told["user_agent"] for told in collector.events)
    assert agents == sorted(f"evil {number}" for number in range(20))
    assert len({told["idempotency_key"] for told in collector.events}) == 20
    counted = [m["value"] for m in collector.metrics if m["metric_type"] == "request_count"]
    assert sum(counted) == 21


@pytest.mark.parametrize("kind", ["gthread", "gevent"])
def test_what_the_master_queued_before_the_fork_is_sent_once(
    collector: Collector, kind: str
) -> None:
    if kind == "gevent":
        pytest.importorskip("gevent")
    arguments = gunicorn(*WORKERS[kind], "--preload")
    with serving(arguments, collector, EVENT_IN_MASTER="1", FLUSH_INTERVAL="0.2") as (
        process,
        port,
    ):
        assert get(port, "evil", START_SECONDS) == 403
        assert collector.wait_for(lambda: len(collector.events) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert sorted(told["event_type"] for told in collector.events) == [
        "path_excluded",
        "user_agent_blocked",
    ]


def test_a_collector_that_hangs_holds_up_neither_requests_nor_the_end(
    collector: Collector,
) -> None:
    collector.default = Reply(hang=60)
    arguments = gunicorn(*WORKERS["gthread"], "--preload")
    with serving(arguments, collector, FLUSH_INTERVAL="0.05") as (process, port):
        assert get(port, "evil", START_SECONDS) == 403
        assert [get(port, "evil") for _ in range(50)] == [403] * 50
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        # exit_timeout is 1 s; the collector answers after 60 s and the agent's timeout is 10 s.
        assert time.monotonic() - began < 8


@pytest.fixture(scope="module")
def uwsgi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """uWSGI from its binary wheel, outside of the tests' own environment."""
    if sys.platform != "linux":
        pytest.skip("pyuwsgi has wheels for Linux only")
    target = tmp_path_factory.mktemp("uwsgi")
    installed = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target)),
            *("--only-binary=:all:", "--no-deps", "pyuwsgi"),
        ],
        capture_output=True,
        text=True,
        timeout=100,
    )
    if installed.returncode != 0:
        pytest.skip(f"pyuwsgi does not install here: {installed.stderr.strip()[-200:]}")
    return target


UWSGI = {
    "no fork hooks": ["--master", "--enable-threads"],
    "no threads": ["--master"],
    "no master": ["--enable-threads"],
    "threads and hooks": ["--master", "--threads=2", "--py-call-uwsgi-fork-hooks"],
    "lazy apps": ["--master", "--enable-threads", "--lazy-apps"],
}


def uwsgi_command(installed: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-c"),
        "import sys; sys.path.insert(0, sys.argv[1]); import pyuwsgi; pyuwsgi.run(sys.argv[2:])",
        str(installed),
        *("--http-socket=fd://{fd}", "--processes=2", "--die-on-term"),
        *("--module=tests.agent.guarded_app:app", "--worker-reload-mercy=5"),
        *options,
    ]


@pytest.mark.parametrize("kind", UWSGI)
def test_uwsgi_workers_send_their_own_and_the_masters_once(
    collector: Collector, uwsgi: Path, kind: str
) -> None:
    """Without its fork hooks uWSGI forks behind Python's back, and any thread that the master
    runs may hold the interpreter's lock then: the workers would wait for it forever."""
    # With --lazy-apps, each worker loads the app itself.
    expected = Counter(user_agent_blocked=10, path_excluded=2 if kind == "lazy apps" else 1)

    def told() -> Counter[str]:
        return Counter(event["event_type"] for event in collector.events)

    with serving(
        uwsgi_command(uwsgi, *UWSGI[kind]), collector, FLUSH_INTERVAL="0.2", EVENT_IN_MASTER="1"
    ) as (process, port):
        assert get(port, "evil 0", START_SECONDS) == 403
        assert [get(port, f"evil {number}") for number in range(1, 10)] == [403] * 9
        if kind != "no threads":
            assert collector.wait_for(lambda: told() == expected)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    # Without threads all is sent at the end, and uWSGI ends a worker that has only just answered
    # without Python's exit hooks.
    assert told() == expected or kind == "no threads"
    assert told() <= expected
    keys = [told["idempotency_key"] for told in collector.events]
    assert len(keys) == len(set(keys))


def test_uwsgi_workers_that_are_forked_again_serve_and_send(
    collector: Collector, uwsgi: Path
) -> None:
    with serving(
        uwsgi_command(uwsgi, *UWSGI["no fork hooks"]),
        collector,
        FLUSH_INTERVAL="0.05",
        EVENT_IN_MASTER="1",
    ) as (process, port):
        assert get(port, "evil 0", START_SECONDS) == 403
        assert collector.wait_for(lambda: _reported(collector, "user_agent_blocked") == 1)
        first = _children(process.pid)
        for worker in first:
            os.kill(worker, signal.SIGKILL)
        assert get(port, "evil 1", START_SECONDS) == 403
        assert collector.wait_for(lambda: _reported(collector, "user_agent_blocked") == 2)
        # A worker that is being forked when the master has to end outlives it.
        deadline = time.monotonic() + START_SECONDS
        while len(set(_children(process.pid)) - set(first)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert _reported(collector, "path_excluded") == 1


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _reported(collector: Collector, event_type: str) -> int:
    return sum(told["event_type"] == event_type for told in collector.events)
