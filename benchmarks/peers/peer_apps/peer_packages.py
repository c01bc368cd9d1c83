"""A package index: pypiserver, with twine and pip, and wheels and archives of known packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REQUIREMENTS = ("pypiserver", "twine", "pip")
SENDS_FILES = True


def app(folder: Path) -> Any:
    """An index that anybody may upload to."""
    from pypiserver import app as index

    return index(roots=[folder], authenticate=[], password_file=".", disable_fallback=True)


def drive(url: str, folder: Path, step: Any) -> None:
    """Upload, search and install."""

    def run(*command: str) -> None:
        ran = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=180,
            check=False,
        )
        assert ran.returncode == 0, (ran.stdout + ran.stderr)[-600:]

    wheels = sorted(Path(os.environ["PEER_WHEELS"]).rglob("*.whl"))
    credentials = ("-u", "ann", "-p", "s3cret", "--disable-progress-bar", "--non-interactive")
    for wheel in wheels:
        target = ("--repository-url", url + "/", *credentials, str(wheel))
        step(f"uploads {wheel.name}", lambda target=target: run("twine", "upload", *target))
    index = ("-i", url + "/simple/", "--trusted-host", "127.0.0.1", "--no-deps", "-q")
    for wheel in wheels:
        name = wheel.name.split("-")[0]
        step(
            f"downloads {name}",
            lambda name=name: run("pip", "download", *index, "-d", str(folder / "got"), name),
        )
