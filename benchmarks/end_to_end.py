"""Measures how much of bare Flask's throughput remains with the guard, behind a real server.

    python benchmarks/end_to_end.py --seconds 4 --rounds 3

gunicorn with one sync worker serves a bare Flask app and the same app with the default guard (store
in memory); `wrk` requests a page with six parameters and a browser's headers from each in turn. The
script prints, for each Host, requests per second and the worker's processor time per request, which
depends less on other processes. The bar is 0.88 of bare Flask, whatever the Host.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

APP = """
from flask import Flask, request
app = Flask(__name__)

@app.route("/search")
def search():
    return f"{len(request.args)} parameters"
"""
GUARD = """
from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig
FlaskAPIGuard(app, config=SecurityConfig(rate_limit=100_000_000))
"""
QUERY = "/search?q=red+shoes&page=2&sort=price&size=42&color=blue&lang=en"
HOSTS = ("shop.example.com", "127.0.0.1:8000", "10.1.2.3")
HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br",
    "Referer": "https://shop.example.com/",
    "Cookie": "session=5f2c8a1e9b7d4c3a; theme=dark",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Upgrade-Insecure-Requests": "1",
}


@contextmanager
def served(folder: Path, name: str, program: str) -> Iterator[tuple[int, int]]:
    """The port, and the process of the one worker."""
    (folder / f"{name}.py").write_text(program)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--log-level", "error"]
    command += ["--bind", f"127.0.0.1:{port}", f"{name}:app"]
    with subprocess.Popen(command, cwd=folder) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    with urlopen(f"http://127.0.0.1:{port}{QUERY}", timeout=5) as answer:
                        assert answer.status == 200
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.2)
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
            yield port, int(children.split()[0])
        finally:
            server.terminate()
            server.wait(30)


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(port: int, worker: int, host: str, seconds: int) -> tuple[float, float]:
    """Requests a second, and microseconds of the worker's processor time for each."""
    sent = [part for key, value in HEADERS.items() for part in ("-H", f"{key}: {value}")]
    command = ["wrk", "-t1", "-c4", f"-d{seconds}s", "-H", f"Host: {host}", *sent]
    before = processor_seconds(worker)
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{QUERY}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"not all were answered with 200:\n{done.stdout}")
    spent = processor_seconds(worker) - before
    many = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if many is None or rate is None:
        raise SystemExit(done.stdout)
    return float(rate[1]), spent * 1e6 / int(many[1])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed (apt install wrk)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            served(folder, "bare", APP) as bare,
            served(folder, "guarded", APP + GUARD) as guarded,
        ):
            print(f"{'Host':20} {'bare/s':>8} {'guarded/s':>10} {'ratio':>6}", end=" ")
            print(f"{'bare us':>8} {'guarded us':>11} {'ratio':>6}")
            for host in HOSTS:
                pairs = [
                    (load(*bare, host, options.seconds), load(*guarded, host, options.seconds))
                    for _ in range(options.rounds)
                ]
                rates = [[side[0] for side in pair] for pair in pairs]
                costs = [[side[1] for side in pair] for pair in pairs]
                of_rates = statistics.median(after / before for before, after in rates)
                of_costs = statistics.median(before / after for before, after in costs)
                middle = [statistics.median(column) for column in zip(*rates, strict=True)]
                each = [statistics.median(column) for column in zip(*costs, strict=True)]
                print(f"{host:20} {middle[0]:8.0f} {middle[1]:10.0f} {of_rates:6.2f}", end=" ")
                print(f"{each[0]:8.1f} {each[1]:11.1f} {of_costs:6.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
