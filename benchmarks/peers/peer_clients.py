"""Run published apps without a suite behind the guard, with the clients that people use.

    python benchmarks/peers/peer_clients.py                 every peer: bare, guarded, and limited
    python benchmarks/peers/peer_clients.py webdav git
    python benchmarks/peers/peer_clients.py --list

Each app runs under a real server (waitress), its client in a process of its own. ``guarded`` is
the default configuration with limits and bans off, so that every refusal shows; ``limited`` is
the default configuration as it is, where a client may come to its limit or be banned. Server and
client come from PyPI into an environment of their own under the cache folder; ``litmus`` and
``git`` from the system (``apt-get install litmus git``). A step that needs what is not there is
named and left out.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from peer_suites import HOOKS, REPOSITORY, Comparison, Run, read_run, report
from peer_verdicts import read_table

from guard_wsgi.patterns.database import CACHE_DIR_VARIABLE, cache_folders

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
from package_corpus_fetch import Fetcher

APPS = Path(__file__).resolve().parent / "peer_apps"
sys.path.insert(0, str(APPS))
PEERS = sorted(
    path.stem.removeprefix("peer_") for path in APPS.glob("peer_*.py") if path.stem != "peer_files"
)
MODES = ("bare", "guarded", "limited")
GUARD = ("attrs", "hyperscan", "limits", "requests", "werkzeug", "waitress")
SECONDS = 900
"""The time limit of a client for all its steps."""
STARTING_SECONDS = 300
"""The time limit of a server until it serves; its first start on a machine compiles patterns."""

SOURCES = {"django": "5.2.19", "wagtail": "8.0.1", "werkzeug": "3.1.9"}
"""Archives with files to send: code, documents, pictures, fonts."""

WHEELS = {
    "gunicorn": "23.0.0",
    "urllib3": "2.5.0",
    "werkzeug": "3.1.3",
    "MarkupSafe": "3.0.2",
    "notebook": "7.4.5",
}
"""Wheels to upload; the last for its scripts, which are sent as files."""


class Peers:
    """Runs apps and their clients, each in an environment of its own under one cache folder."""

    def __init__(self, cache: Path, out: Path, python: Path | None = None) -> None:
        """``python`` runs every peer, where one environment has all that they need."""
        self.fetcher = Fetcher(cache)
        self.out = out
        self.python = python

    def run(self, name: str, mode: str) -> Run:
        """Serve a peer in one mode and drive its client.

        :raises RuntimeError: when the client came to no step at all.
        """
        peer: Any = importlib.import_module(f"peer_{name}")
        python = self.python or self.environment(name, *peer.REQUIREMENTS)
        stem = self.out / f"{name}-{mode}"
        for file in self.out.glob(f"{name}-{mode}.*"):
            file.unlink()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(HOOKS), str(REPOSITORY)]),
            "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
            "PEER_OUTCOMES": f"{stem}.outcomes.jsonl",
            "PEER_COUNTS": f"{stem}.counts.json",
            "PEER_REFUSALS": f"{stem}.refusals.jsonl",
            **(self.given() if peer.SENDS_FILES else {}),
            # Compiled patterns are not in the home that is thrown away.
            CACHE_DIR_VARIABLE: str(next(iter(cache_folders()), "off")),
        }
        with tempfile.TemporaryDirectory() as work, socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(64)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            data, home = Path(work) / "data", Path(work) / "home"
            data.mkdir()
            home.mkdir()
            environment["HOME"] = str(home)
            process = [str(python), str(HOOKS / "peer_process.py")]
            number = str(listener.fileno())
            with (
                open(f"{stem}.server.txt", "wb") as server_log,
                open(f"{stem}.client.txt", "wb") as client_log,
                subprocess.Popen(
                    [*process, "serve", name, mode, number, str(data)],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=server_log,
                    stderr=server_log,
                    pass_fds=[listener.fileno()],
                ) as server,
            ):
                listener.close()  # a server that dies is to be heard of
                begun = time.monotonic()
                while not (Path(work) / "ready").exists() and server.poll() is None:
                    if time.monotonic() - begun > STARTING_SECONDS:
                        break
                    time.sleep(0.1)
                try:
                    subprocess.run(
                        [*process, "drive", name, url, str(home)],
                        env=environment,
                        stdout=client_log,
                        stderr=client_log,
                        timeout=SECONDS,
                        check=False,
                    )
                finally:
                    assert server.stdin is not None
                    server.stdin.close()
                    try:
                        server.wait(20)
                    except subprocess.TimeoutExpired:
                        server.kill()
        run = read_run(stem)
        if run is None:
            logs = [Path(f"{stem}.{who}.txt").read_text()[-1500:] for who in ("client", "server")]
            raise RuntimeError(f"{name} ({mode}) came to nothing:\n" + "\n".join(logs))
        return run

    def environment(self, name: str, *requirements: str) -> Path:
        """The Python of a peer's environment."""
        return self.fetcher.environment(f"peer-{name}", *requirements, *GUARD) / "python"

    def given(self) -> dict[str, str]:
        """The variables that name the files to send."""
        folders = os.pathsep.join(map(str, self.folders()))
        return {"PEER_FILES": folders, "PEER_WHEELS": str(self.wheels())}

    def folders(self) -> list[Path]:
        """Return the folder of files to send."""
        sources = [self.fetcher.sdist(name, version) for name, version in SOURCES.items()]
        wheels = [self.fetcher.wheel(name, WHEELS[name]) for name in ("notebook", "gunicorn")]
        system = [Path("/etc/init.d"), Path("/usr/lib/git-core"), Path("/usr/share/doc/git")]
        return [*sources, *wheels, self.wheels(), *(path for path in system if path.exists())]

    def wheels(self) -> Path:
        """A folder with the wheels to upload, packed as they came."""
        folder = self.fetcher.cache / "peer-wheels"
        for name, version in WHEELS.items():
            kept = folder / f"{name}-{version}"
            if not kept.exists():
                pip = [sys.executable, "-m", "pip", "-qq", "download", "--no-deps"]
                target = ["--only-binary", ":all:", "-d", str(kept), f"{name}=={version}"]
                subprocess.run([*pip, *target], check=True, timeout=300)
        return folder


def report_limits(name: str, run: Run) -> int:
    """Print what limits and bans came to; returns how many requests met a ban."""
    refused = Counter(refusal["check"] for refusal in run.refusals)
    banned, limited = refused.pop("ip_ban", 0), refused.pop("rate_limit", 0)
    print(
        f"{name}, limited: {run.requests} requests, {refused.total()} refused for themselves,"
        f" {limited} over the rate limit, {banned} while banned"
    )
    return banned


def main() -> int:
    """Compare the requested peers; return 1 if something fails only behind the guard without a
    verdict."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peers", nargs="*", help="names; all without any")
    parser.add_argument("--list", action="store_true", help="name the peers")
    parser.add_argument("--out", type=Path, default=Path("peer-clients"))
    parser.add_argument("--cache", type=Path, help="downloads and environments (OUT/cache)")
    options = parser.parse_args()
    if options.list:
        print("\n".join(PEERS))
        return 0
    names = options.peers or PEERS
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        parser.error(f"no peer {', '.join(unknown)}: one of {', '.join(PEERS)}")
    for tool in ("litmus", "git"):
        if shutil.which(tool) is None:
            print(f"no {tool} here: its steps are left out", file=sys.stderr)
    os.nice(5)
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    peers = Peers((options.cache or out / "cache").resolve(), out)
    verdicts = read_table()
    unjudged = 0
    for name in names:
        try:
            bare, *others = [peers.run(name, mode) for mode in MODES]
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            unjudged += 1
            continue
        guarded, limited = others
        unjudged += report(Comparison(name, f"{name}, guarded", bare, guarded), verdicts)
        unjudged += report_limits(name, limited)
        sys.stdout.flush()
    return 1 if unjudged else 0


if __name__ == "__main__":
    sys.exit(main())
