"""Processes for the tests: a script run by a fresh interpreter, with a hard timeout."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]

PRELUDE = """
import os, signal, sys, time
from guard_wsgi.network.address import parse_address
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a script that finds ``arguments`` in ``sys.argv[1:]``; reads and writes pipes."""
    return subprocess.Popen(
        [
            *(sys.executable, "-c", PRELUDE + textwrap.dedent(script)),
            *(str(argument) for argument in arguments),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout_seconds: float = 60) -> str:
    """Return its output; fail unless it ended well and in time."""
    try:
        out, err = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"hung: {out}{err}") from None
    assert process.returncode == 0, f"exit {process.returncode}: {out}{err}"
    return out.strip()


def run(script: str, *arguments: object, timeout_seconds: float = 60) -> str:
    return finish(start(script, *arguments), timeout_seconds)


def run_all(
    script: str, each: Sequence[Sequence[object]], timeout_seconds: float = 60
) -> list[str]:
    """Run the same script in several processes, which wait until all are ready."""
    processes = [start(script, *arguments) for arguments in each]
    for process in processes:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n", process.communicate(timeout=10)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [finish(process, timeout_seconds) for process in processes]
