"""``guard-wsgi doctor``, run as a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = """
from guard_wsgi import GuardMiddleware, SecurityConfig
def bare(environ, start_response):
    start_response("200 OK", [])
    return [b""]
def guarded():
    return GuardMiddleware(bare, SecurityConfig(
        enable_penetration_detection=False, emergency_mode=True))
"""


def doctor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "some_app.py").write_text(APP)
    path = os.pathsep.join([str(folder), os.getcwd(), *sys.path])
    plain = {name: value for name, value in os.environ.items() if name != "WEB_CONCURRENCY"}
    return subprocess.run(
        [sys.executable, "-m", "guard_wsgi", "doctor", *arguments],
        cwd=folder,
        env={**plain, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize(
    ("toml", "arguments", "code", "said"),
    [
        ('trusted_proxies = ["10.1.2.3"]', (), 0, ""),
        ("enforce_https = true", (), 1, "set allowed_hosts"),
        ('trusted_proxies = ["52.0.0.0/8"]', (), 2, "any address"),
        ("", ("--workers", "4"), 1, 'store_url="lmdb:///'),
    ],
    ids=["well", "warning", "error", "workers"],
)
def test_a_configuration_is_judged(
    tmp_path: Path, toml: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "guard.toml").write_text(toml)
    answer = doctor(tmp_path, "--config", "guard.toml", *arguments)
    assert (answer.returncode, said in answer.stdout) == (code, True), answer


def test_an_app_is_looked_into(tmp_path: Path) -> None:
    answer = doctor(tmp_path, "some_app:guarded()")
    assert answer.returncode == 1, answer
    assert "emergency_mode=True" in answer.stdout


def test_an_app_without_a_guard_is_an_error(tmp_path: Path) -> None:
    answer = doctor(tmp_path, "some_app:bare")
    assert answer.returncode == 2
    assert "some_app:bare is not guarded" in answer.stdout
