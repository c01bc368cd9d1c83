"""The original ``guard-agent``, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest

PACKAGE = "guard-agent==3.2.4"

fcntl = pytest.importorskip("fcntl")


def original_agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the package, installed once a run.

    Where it can't be installed the test is skipped with the reason.
    """
    given = os.environ.get("GUARD_AGENT_PYTHON")
    if given:
        return Path(given)
    # One for all workers of pytest-xdist, whose own directories are side by side.
    shared = tmp_path_factory.getbasetemp().parent
    home = shared / "guard-agent"
    python = home / "bin" / "python"
    with (shared / "guard-agent.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "installed").exists():
            venv.create(home, with_pip=True)
            install = [*(str(python), "-m", "pip", "install", "--quiet"), PACKAGE]
            installed = subprocess.run(install, capture_output=True, text=True, timeout=200)
            if installed.returncode != 0:
                pytest.skip(f"{PACKAGE} does not install here: {installed.stderr.strip()[-200:]}")
            (home / "installed").touch()
    return python


def run_original(python: Path, script: str, argument: str = "", stdin: str = "") -> str:
    done = subprocess.run(
        [str(python), "-c", script, argument],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
