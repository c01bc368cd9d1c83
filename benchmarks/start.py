"""Measures a start: time to the first answer, memory over bare Flask, sizes on disk.

    python benchmarks/start.py

Each figure is the median of three processes; the cold start is one run. CPU time is printed beside
clock time, which depends on other processes. "Fresh" is a machine without compiled patterns, and a
copy of the package without any: `re` serves, and another process compiles.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from guard_wsgi.detection.built_in import compile_built_in, where_kept
from guard_wsgi.patterns.database import CACHE_DIR_VARIABLE, PACKAGE_FOLDER, SUFFIX

TIMEOUT_SECONDS: Final = 300

BARE: Final = """
import os, sys
from flask import Flask, request
app = Flask(__name__)

@app.route("/", methods=["GET", "POST"])
def index():
    return "hello"
"""

GUARDED: Final = """
from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig
FlaskAPIGuard(app, config=SecurityConfig())
"""

ANSWER: Final = """
import io, logging, time
logging.disable()

def ask(query):
    said = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": query, "SCRIPT_NAME": "",
        "REMOTE_ADDR": "203.0.113.9", "SERVER_NAME": "shop.example.com", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "shop.example.com",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for chunk in app.wsgi_app(environ, lambda status, headers, error=None: said.append(status)):
        pass
    return said[0]

assert ask("page=1") == "200 OK"
os.write(1, b"answered\\n")
"""

REFUSE: Final = """
assert ask("q=1'+union+select+password+from+users--")[:3] == "400"
"""

WAIT: Final = """
from guard_wsgi.detection.scanning import pending_scanner
end = time.monotonic() + 250
while pending_scanner.compiler().waiting and time.monotonic() < end:
    time.sleep(0.1)
assert not pending_scanner.compiler().waiting
"""

MEMORY: Final = """
ask("q=1'+union+select+password+from+users--")
print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
"""


ROOT: Final = Path(__file__).parents[1]


def environment(folder: str, package: Path) -> dict[str, str]:
    return {**os.environ, CACHE_DIR_VARIABLE: folder, "PYTHONPATH": str(package)}


def first_answer(program: str, folder: str, package: Path) -> tuple[float, float]:
    """Seconds by the clock and of CPU time from the start of a process to its first answer."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(folder, package),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - started
        process.wait(TIMEOUT_SECONDS)
    if line != b"answered\n" or process.returncode:
        raise SystemExit("the process ended without an answer")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def memory(program: str, folder: str, package: Path) -> float:
    """Megabytes that a process has after some requests."""
    done = subprocess.run(
        [sys.executable, "-c", program + MEMORY],
        env=environment(folder, package),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    return int(done.stdout.split()[-1]) / 1e6


def print_start(name: str, program: str, folder: str, package: Path, runs: int = 3) -> None:
    pairs = [first_answer(program, folder, package) for _ in range(runs)]
    seconds, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name:<44}{seconds:6.2f} s{cpu:8.2f} s of CPU time")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        bare, guarded = BARE + ANSWER, BARE + GUARDED + ANSWER
        copy = Path(folder, "package")
        for name in ("guard_wsgi", "guard_wsgi_flask"):
            ignored = shutil.ignore_patterns("compiled")
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        first_answer(guarded, "off", copy)  # compiles Python's own bytecode
        print("from the start of a process to its first answer")
        print_start("  bare Flask", bare, folder, ROOT)
        # Check a refusal as well: attacks do not pass while patterns are compiled.
        print_start("  guarded, a fresh machine", guarded + REFUSE, f"{folder}/fresh", copy, 1)
        compiled = memory(guarded + WAIT, f"{folder}/cache", copy)
        print_start("  guarded, the second start", guarded, f"{folder}/cache", copy)
        print_start("  guarded, compiled in the package", guarded, f"{folder}/none", ROOT)
        plain = memory(bare, folder, ROOT)
        loaded = memory(guarded, f"{folder}/cache", copy)
        print("memory of a worker over bare Flask")
        print(f"  bare Flask {plain:.1f} MB")
        print(f"  guarded, loaded {loaded - plain:+.1f} MB")
        print(f"  guarded, the worker that had patterns compiled {compiled - plain:+.1f} MB")
    os.environ.pop("TMPDIR")
    print("compiled patterns on disk")
    total = 0
    for name, keys in compile_built_in():
        for key in keys:
            size = ((where_kept(key) or PACKAGE_FOLDER) / f"{key}{SUFFIX}").stat().st_size
            total += size
            print(f"  {name:<14}{size / 1e6:6.2f} MB")
    print(f"  {'together':<14}{total / 1e6:6.2f} MB")


if __name__ == "__main__":
    main()
