"""A store's client that is too old is an error that names both versions, also in the commands."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from guard_wsgi.state.schemes import SCHEMES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An installed package as another app has pulled it down: first on the path, without what the
    store needs."""
    package = tmp_path / "redis"
    package.mkdir()
    (package / "__init__.py").write_text("from redis import exceptions\n")
    (package / "exceptions.py").write_text("class RedisError(Exception):\n    pass\n")
    said = tmp_path / "redis-2.10.6.dist-info"
    said.mkdir()
    (said / "METADATA").write_text("Metadata-Version: 2.1\nName: redis\nVersion: 2.10.6\n")
    (tmp_path / "shop.py").write_text(
        "from guard_wsgi import GuardMiddleware, SecurityConfig\n"
        "def bare(environ, start_response):\n    return []\n"
        "app = GuardMiddleware(bare, SecurityConfig(store_url='redis://127.0.0.1:1/0'))\n"
    )
    (tmp_path / "guard.toml").write_text("store_url = 'redis://127.0.0.1:1/0'\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}


WHY = "needs redis 5.0 or later; 2.10.6 is installed"


@pytest.mark.parametrize(
    "command",
    [
        ("bans", "list", "--config", "guard.toml"),
        ("bans", "add", "192.0.2.1", "--config", "guard.toml"),
        ("limits", "show", "192.0.2.1", "--config", "guard.toml"),
        ("doctor", "shop:app"),
    ],
)
def test_a_command_says_which_version_is_needed(
    tmp_path: Path, environment: dict[str, str], command: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "guard_wsgi", *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert WHY in said
    assert "Traceback" not in said
    assert done.returncode == 2, said


def test_it_is_one_fault_of_the_configuration(tmp_path: Path, environment: dict[str, str]) -> None:
    program = (
        "from guard_wsgi import ConfigError, SecurityConfig\n"
        "try:\n    SecurityConfig(store_url='redis://h', rate_limit=-1)\n"
        "except ConfigError as error:\n    print(*error.faults, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    faults = done.stdout.splitlines()
    assert len(faults) == 2
    assert f"store_url=redis:// {WHY}" in faults


def test_the_oldest_versions_are_those_that_the_extras_install() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    for scheme in SCHEMES.values():
        if scheme.package:
            (said,) = extras[scheme.extra]
            assert said == f"{scheme.package}>={scheme.since}"
