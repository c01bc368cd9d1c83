"""The first start on a machine: compiled patterns, their folder, and trust in it.

Each test has a copy of the package without compiled patterns, and two patterns instead of the
built-in ones, which take twenty seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT = 100

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="users and locks of Unix")

# Compiles two small patterns, like built_in.py the built-in ones, and records when it does.
SMALL = """
import os, sys, time
from guard_wsgi.detection.scanning.scanner import compile_patterns

PATTERNS = [("a", "abc"), ("b", "x+y")]

if __name__ == "__main__":
    with open(os.environ["COMPILED"], "a") as file:
        file.write("compiled\\n")
    time.sleep(float(os.environ.get("SECONDS", "0.5")))
    compile_patterns(PATTERNS, "hyperscan", keep=True)
"""

SERVE = """
import logging, os, sys, threading, time
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
from guard_wsgi.detection.scanning import pending_scanner
from guard_wsgi.detection.scanning.scanner import compile_patterns
from guard_wsgi.patterns import database
from pathlib import Path
database.PACKAGE_FOLDER = Path(os.environ["PACKAGE_FOLDER"])
pending_scanner.MODULE = "small"
import small
scanner = compile_patterns(small.PATTERNS, keep=True)
kind = type(scanner).__name__
say = lambda *words: os.write(1, (" ".join(map(str, words)) + "\\n").encode())
say(kind, threading.active_count(), scanner.scan(b"..xxy.."))
end = time.monotonic() + 60
while pending_scanner.compiler().waiting and time.monotonic() < end:
    time.sleep(0.05)
say(pending_scanner.compiler().waiting, scanner.scan(b"..xxy.."), scanner.scan(b"..xxz.."))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "small.py").write_text(SMALL)
    (tmp_path / "serve.py").write_text(SERVE)
    return tmp_path


def start(place: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(place / "serve.py")],
        env={
            **os.environ,
            "GUARD_WSGI_CACHE_DIR": str(place / "cache"),
            "COMPILED": str(place / "compiled.txt"),
            "PACKAGE_FOLDER": str(place / "package"),
            "PYTHONPATH": f"{place}{os.pathsep}{ROOT}",
            "TMPDIR": str(place),
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    out, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors
    return out.splitlines(), errors


def compilations(place: Path) -> int:
    path = place / "compiled.txt"
    return len(path.read_text().splitlines()) if path.exists() else 0


FOUND = "0 [1] []"


def test_requests_are_answered_before_anything_is_compiled_and_the_log_says_so(
    place: Path,
) -> None:
    lines, errors = ended(start(place))
    # One thread: nothing starts before the first scan, which `re` answers.
    assert lines == ["PendingScanner 1 [1]", FOUND]
    assert compilations(place) == 1
    assert "WARNING detection is slower for about 20 seconds" in errors
    assert "INFO 1 of 1 databases of patterns are compiled after" in errors


def test_the_second_start_compiles_nothing(place: Path) -> None:
    ended(start(place))
    lines, errors = ended(start(place))
    assert lines == ["HyperscanScanner 1 [1]", FOUND]
    assert compilations(place) == 1
    assert errors == ""


def test_workers_that_start_at_once_compile_once(place: Path) -> None:
    workers = [start(place, SECONDS="3") for _ in range(4)]
    for worker in workers:
        lines, _ = ended(worker)
        assert lines[1] == FOUND
    assert compilations(place) == 1


def test_a_worker_that_ends_early_leaves_its_work_to_the_others(place: Path) -> None:
    first = start(place, SECONDS="5")
    assert first.stdout is not None
    first.stdout.readline()
    for _ in range(600):
        if compilations(place):
            break
        try:
            first.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    first.kill()
    first.communicate(timeout=TIMEOUT)
    lines, _ = ended(start(place, SECONDS="5"))
    assert lines[1] == FOUND
    assert compilations(place) == 1


def test_a_compilation_for_one_process_ends_with_it(place: Path) -> None:
    process = start(place, GUARD_WSGI_CACHE_DIR="off", SECONDS="60")
    for _ in range(600):
        if compilations(place):
            break
        time.sleep(0.1)
    (child,) = children_of(process.pid)
    process.kill()
    process.communicate(timeout=TIMEOUT)
    for _ in range(200):
        if not is_running(child):
            break
        time.sleep(0.1)
    assert not is_running(child)


def children_of(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    threads = [path / "children" for path in listed.parents[1].iterdir()]
    return [int(child) for path in threads for child in path.read_text().split()]


def is_running(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_what_the_package_brings_needs_no_cache(place: Path) -> None:
    ended(start(place))
    (place / "cache").rename(place / "package")
    lines, errors = ended(start(place, GUARD_WSGI_CACHE_DIR="off"))
    assert lines == ["HyperscanScanner 1 [1]", FOUND]
    assert errors == ""


@pytest.mark.parametrize("where", ["cache", "package"])
@pytest.mark.parametrize("damage", ["short", "flipped", "empty", "of another version"])
def test_a_damaged_file_is_reported_and_compiled_again(
    place: Path, where: str, damage: str
) -> None:
    ended(start(place))
    if where == "package":
        (place / "cache").rename(place / "package")
    (file,) = (place / where).glob("*.hsdb")
    data = bytearray(file.read_bytes())
    if damage == "short":
        del data[len(data) // 2 :]
    elif damage == "flipped":
        data[len(data) * 3 // 4] ^= 0x10
    elif damage == "empty":
        data.clear()
    else:
        data[5] ^= 0x01
    file.write_bytes(data)
    lines, errors = ended(start(place))
    assert lines == ["PendingScanner 1 [1]", FOUND]
    assert f"{file} is damaged" in errors
    assert compilations(place) == 2


@pytest.mark.parametrize("of", ["file", "folder"])
def test_what_others_can_write_to_is_never_used(place: Path, of: str) -> None:
    ended(start(place))
    (file,) = (place / "cache").glob("*.hsdb")
    (file if of == "file" else file.parent).chmod(0o777)
    lines, errors = ended(start(place))
    assert lines == ["PendingScanner 1 [1]", FOUND]
    assert "others can write to it" in errors
    assert compilations(place) == 2


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives away")
@pytest.mark.parametrize(("owner", "is_used"), [(0, True), (1234, True), (4321, False)])
def test_a_cache_of_root_is_trusted_and_one_of_another_user_is_not(
    place: Path, owner: int, is_used: bool
) -> None:
    ended(start(place))
    (file,) = (place / "cache").glob("*.hsdb")
    assert file.stat().st_mode & 0o777 == 0o644
    for path in (file.parent, file):
        os.chown(path, owner, owner)
    program = f"""
import os, sys
from pathlib import Path
from guard_wsgi.patterns import database
database.PACKAGE_FOLDER = Path("/nonexistent")
os.setuid(1234)
print(database.load_database({file.stem!r}) is not None)
"""
    # Its parents are of root's temporary files: made passable for the other user.
    for parent in place.parents:
        if parent.owner() == "root" and parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o111)
    place.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "GUARD_WSGI_CACHE_DIR": str(place / "cache"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )
    assert done.stdout.strip() == str(is_used), done.stderr


def test_a_folder_that_cannot_be_made_is_replaced_by_one_among_the_temporary_files(
    place: Path,
) -> None:
    (place / "cache").write_text("a file")
    ended(start(place))
    lines, _ = ended(start(place))
    assert lines == ["HyperscanScanner 1 [1]", FOUND]
    (folder,) = place.glob("guard-wsgi-*")
    assert folder.stat().st_mode & 0o022 == 0


def test_a_link_among_the_temporary_files_is_not_followed(place: Path) -> None:
    (place / "cache").write_text("a file")
    (place / "elsewhere").mkdir()
    (place / f"guard-wsgi-{os.getuid()}").symlink_to(place / "elsewhere")
    lines, _ = ended(start(place))
    assert lines[1] == FOUND
    assert list((place / "elsewhere").iterdir()) == []


def test_nothing_is_kept_where_that_is_turned_off(place: Path) -> None:
    lines, errors = ended(start(place, GUARD_WSGI_CACHE_DIR="off"))
    assert lines == ["PendingScanner 1 [1]", FOUND]
    assert "for this process alone" in errors
    assert list(place.rglob("*.hsdb")) == []


def test_a_program_that_fails_leaves_the_work_to_the_process(place: Path) -> None:
    lines, _ = ended(start(place, SECONDS="no number"))
    assert lines == ["PendingScanner 1 [1]", FOUND]


def test_without_threads_the_first_scan_compiles(place: Path) -> None:
    program = (place / "serve.py").read_text()
    uwsgi = 'import sys, types\nsys.modules["uwsgi"] = types.ModuleType("uwsgi")\n'
    uwsgi += 'sys.modules["uwsgi"].opt = {b"http": b":1"}\n'
    (place / "serve.py").write_text(uwsgi + program)
    lines, _ = ended(start(place))
    assert lines == ["PendingScanner 1 [1]", FOUND]


def test_each_forked_worker_takes_over_what_one_compiles(place: Path) -> None:
    program = (place / "serve.py").read_text()
    # Before anything is scanned, as a server that preloads the app does.
    fork = "children = [os.fork() for _ in range(2)]\nkind = type(scanner).__name__\n"
    program = program.replace("kind = type(scanner).__name__\n", fork)
    program += "[os.waitpid(child, 0) for child in children if child]\n"
    (place / "serve.py").write_text(program)
    lines, _ = ended(start(place, SECONDS="2"))
    assert sorted(lines) == [FOUND] * 4 + ["PendingScanner 1 [1]"] * 4
    assert compilations(place) == 1
