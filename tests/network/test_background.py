"""The loop beside the requests: one thread a process, none too early, none inherited."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count

import pytest

from guard_wsgi.network.background import BackgroundLoop
from tests.kit.waiting import wait_until

names = count()


class Ticker:
    def __init__(self, step: Callable[[int], float]) -> None:
        self.steps = 0
        self._step = step
        self.name = f"guard-wsgi-test-{next(names)}"
        self.loop = BackgroundLoop(self.name, self.step)

    def step(self) -> float:
        self.steps += 1
        return self._step(self.steps)


def threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_no_thread_before_the_first_request_and_one_for_many_at_once() -> None:
    ticker = Ticker(lambda step: 60.0)
    assert threads(ticker.name) == 0
    barrier = threading.Barrier(8)

    def request() -> None:
        barrier.wait()
        ticker.loop.ensure_running()

    requests = [threading.Thread(target=request) for _ in range(8)]
    for thread in requests:
        thread.start()
    for thread in requests:
        thread.join()
    assert threads(ticker.name) == 1
    ticker.loop.close()
    wait_until(lambda: threads(ticker.name) == 0)


def test_a_closed_loop_stays_closed() -> None:
    ticker = Ticker(lambda step: 60.0)
    ticker.loop.close()
    ticker.loop.ensure_running()
    assert threads(ticker.name) == 0
    assert not ticker.loop.running


def test_waking_runs_the_next_step_now() -> None:
    ticker = Ticker(lambda step: 60.0)
    ticker.loop.ensure_running()
    wait_until(lambda: ticker.steps == 1)
    ticker.loop.wake()
    wait_until(lambda: ticker.steps == 2)
    ticker.loop.close()


def test_a_step_that_fails_is_tried_again() -> None:
    def step(number: int) -> float:
        if number == 1:
            raise RuntimeError("surprise")
        return 60.0

    ticker = Ticker(step)
    ticker.loop.ensure_running()
    wait_until(lambda: ticker.steps == 1)
    ticker.loop.wake()
    wait_until(lambda: ticker.steps == 2)
    ticker.loop.close()


def test_an_object_nobody_uses_any_more_takes_its_thread_with_it() -> None:
    ticker = Ticker(lambda step: 60.0)
    ticker.loop.ensure_running()
    name = ticker.name
    wait_until(lambda: threads(name) == 1)
    del ticker
    gc.collect()
    wait_until(lambda: threads(name) == 0)


def test_where_no_thread_is_to_be_had_requests_go_on_and_a_later_one_tries_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ticker = Ticker(lambda step: 60.0)
    with monkeypatch.context() as limits:

        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        limits.setattr(threading.Thread, "start", refuse)
        for _ in range(10):
            ticker.loop.ensure_running()
    assert caplog.text.count("could not be started") == 1
    assert not ticker.loop.running
    ticker.loop._start_at = 0.0  # a minute later
    ticker.loop.ensure_running()
    wait_until(lambda: ticker.steps == 1)
    ticker.loop.close()


def test_a_forked_worker_has_a_thread_of_its_own() -> None:
    script = """
import os, sys, time
from tests.network.test_background import Ticker, threads
ticker = Ticker(lambda step: 0.01)
ticker.loop.ensure_running()
time.sleep(0.05)
pid = os.fork()
if pid == 0:
    before = ticker.steps
    time.sleep(0.05)
    alone = ticker.steps == before and not ticker.loop.running
    ticker.loop.ensure_running()
    time.sleep(0.1)
    os._exit(0 if alone and ticker.steps > before and threads(ticker.name) == 1 else 1)
deadline = time.monotonic() + 10
while time.monotonic() < deadline:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.01)
sys.exit(2)
"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    assert subprocess.run(command, timeout=30, env=environment, check=False).returncode == 0


def test_a_waiting_loop_does_not_delay_the_exit() -> None:
    script = """
from tests.network.test_background import Ticker
import time
ticker = Ticker(lambda step: 3600.0)
ticker.loop.ensure_running()
time.sleep(0.05)
"""
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    finished = subprocess.run(
        command, timeout=10, env=environment, check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0
    assert finished.stderr == ""
