"""The counts beside the LMDB file: every key has a place of its own, whatever happens."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import lmdb
import pytest

from guard_wsgi.state.backends.lmdb import LMDBStorage
from guard_wsgi.state.backends.lmdb_counts import COUNT, LMDBCounts, places_given
from guard_wsgi.state.backends.lmdb_file import LMDBFile
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.store import Store
from tests.state.conftest import FakeClock
from tests.state.workers import run, run_all, start

LIMIT = Limit(1000, 3600)


def places(path: Path) -> list[int]:
    """The places of the keys, and the free places, as they are in the file."""
    found: list[int] = []
    with lmdb.open(str(path), subdir=False) as env, env.begin() as txn:
        given = places_given(txn)
        for key, record in txn.cursor():
            if key[:1] in (b"f", b"s"):
                found.append(int.from_bytes(record, "little"))
            elif key.startswith(b"\x00chunk"):
                numbers = memoryview(record)[8:].cast("I")
                found += [number for number in numbers if number]
    assert all(0 < place <= given for place in found)
    return found


def assert_nobody_shares(path: Path) -> None:
    found = places(path)
    assert len(found) == len(set(found))


def test_places_of_expired_keys_are_used_again(tmp_path: Path, fake_clock: FakeClock) -> None:
    path = tmp_path / "state.lmdb"
    file = LMDBFile.at(path, map_bytes=2**20)
    storage = LMDBStorage(file=file, clock=fake_clock.clock())
    take = storage.taker("sliding-window-counter")
    sizes = []
    for round_ in range(8):
        for n in range(3000):
            assert take(f"{round_}:{n}", 10, 10, 1)[1] == 9
        sizes.append(len(file.counts.records))
        fake_clock.advance(60)
    assert sizes[2:] == sizes[2:3] * 6
    storage.close()
    assert_nobody_shares(path)
    assert len(places(path)) <= 10_000


def test_a_forgotten_key_leaves_its_place_to_another(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    store = Store.open(f"lmdb://{path}")
    for n in range(5000):
        store.limiter.hit(LIMIT, str(n))
        store.limiter.clear(LIMIT, str(n))
    assert store.limiter.peek(LIMIT, "1").remaining == 1000
    store.close()
    assert len(places(path)) <= 512


def test_what_is_erased_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    store = Store.open(f"lmdb://{path}")
    for _ in range(3):
        for n in range(2500):
            assert store.limiter.hit(LIMIT, str(n)).remaining == 999
        store.reset()
    store.close()
    assert_nobody_shares(path)
    assert len(places(path)) < 3000


def test_a_process_that_ends_gives_back_what_it_held(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    for n in range(6):
        run("Store.open(sys.argv[1]).limiter.hit(Limit(5, 60), sys.argv[2])", f"lmdb://{path}", n)
    assert len(places(path)) == 128


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_does_not_use_the_places_of_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    script = """
    store = Store.open(sys.argv[1])
    limit = Limit(10, 3600)
    store.limiter.hit(limit, "before")
    children = []
    for child in range(4):
        children.append(os.fork())
        if children[-1] == 0:
            for n in range(500):
                assert store.limiter.hit(limit, f"{child}:{n}").remaining == 9
            os._exit(0)
    for n in range(500):
        assert store.limiter.hit(limit, f"parent:{n}").remaining == 9
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    for who in (0, 1, 2, 3, "parent"):
        for n in range(500):
            assert store.limiter.peek(limit, f"{who}:{n}").remaining == 9
    """
    run(script, f"lmdb://{path}")
    assert_nobody_shares(path)


def test_processes_that_let_it_grow_count_each_key_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    script = """
    from pathlib import Path
    from guard_wsgi.state.backends.lmdb import LMDBStorage
    from guard_wsgi.state.backends.lmdb_file import LMDBFile
    file = LMDBFile.at(Path(sys.argv[1]), map_bytes=64 * 1024)
    take = LMDBStorage(file=file).taker("sliding-window-counter")
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(4000):
        take(f"own {sys.argv[2]}:{n}", 100, 3600, 1)
        take(f"shared {n}", 100, 3600, 1)
    for n in range(4000):
        assert take(f"own {sys.argv[2]}:{n}", 100, 3600, 1)[1] == 98, n
    print(len(file.counts.records))
    """
    sizes = run_all(script, [(path, n) for n in range(3)])
    assert all(int(size) >= 16_000 * COUNT.size for size in sizes)
    storage = LMDBStorage(f"lmdb://{path}")
    view = storage.viewer("sliding-window-counter")
    assert {view(f"shared {n}", 100, 3600)[1] for n in range(4000)} == {97}
    storage.close()
    assert_nobody_shares(path)
    counts = Path(f"{path}-counts").stat()
    assert counts.st_blocks * 512 >= counts.st_size  # taken, not merely promised


def test_processes_killed_at_any_moment_leave_each_key_its_place(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    script = """
    store = Store.open(sys.argv[1])
    short, long = Limit(10, 1), Limit(10**6, 3600)
    print("ready", flush=True)
    n = 0
    while True:
        n += 1
        store.limiter.hit(short, f"{sys.argv[2]}:{n}")  # swept soon
        store.limiter.hit(long, "client")
        if n % 7 == 0:
            store.limiter.clear(short, f"{sys.argv[2]}:{n}")
        if n % 5000 == 0:
            store.reset()
    """
    for round_ in range(6):
        victims = [start(script, f"lmdb://{path}", f"{round_}.{n}") for n in range(2)]
        for victim in victims:
            assert victim.stdout is not None
            assert victim.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0.2, 0.6))
        for victim in victims:
            os.kill(victim.pid, signal.SIGKILL)
            victim.communicate(timeout=10)
        assert_nobody_shares(path)
    store = Store.open(f"lmdb://{path}")
    for n in range(2000):
        assert store.limiter.hit(LIMIT, f"after:{n}").remaining == 999
    assert {store.limiter.peek(LIMIT, f"after:{n}").remaining for n in range(2000)} == {999}
    assert not store.degraded
    store.close()


def test_counts_that_are_not_ours_are_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.lmdb"
    store = Store.open(f"lmdb://{path}")
    store.bans.ban("192.0.2.7", 3600, "test")
    store.limiter.hit(LIMIT, "client")
    store.close()
    theirs = b"somebody's only copy of something"
    Path(f"{path}-counts").write_bytes(theirs)
    with caplog.at_level(logging.ERROR, "guard_wsgi.state"):
        store = Store.open(f"lmdb://{path}")
    assert store.bans.is_banned("192.0.2.7")
    assert store.limiter.hit(LIMIT, "client").remaining == 999
    store.close()
    (aside,) = tmp_path.glob("*.aside-*")
    assert aside.read_bytes() == theirs
    assert aside.name in caplog.text


def test_counts_deleted_under_the_workers_begin_again_for_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    store = Store.open(f"lmdb://{path}")
    for n in range(1000):
        store.limiter.hit(LIMIT, str(n))
    Path(f"{path}-counts").unlink()
    store.bans._refresh_at_ns = 0  # half a second later
    assert store.bans.list() == []
    for n in range(1000):
        assert store.limiter.hit(LIMIT, str(n)).remaining == 999
    assert Path(f"{path}-counts").exists()
    store.close()


def test_a_fresh_lmdb_file_has_fresh_counts(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    counts = Path(f"{path}-counts")
    Store.open(f"lmdb://{path}").close()
    before = counts.stat().st_ino
    with counts.open("ab") as kept:
        path.unlink()
        store = Store.open(f"lmdb://{path}")
        store.limiter.hit(LIMIT, "client")
        assert counts.stat().st_ino != before
        assert os.fstat(kept.fileno()).st_nlink == 0
    store.close()


def test_a_disk_without_room_is_a_failing_store_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.lmdb"
    file = LMDBFile.at(path, map_bytes=2**20)
    store = Store.open(f"lmdb://{path}")
    assert store._backend._main._file is file  # type: ignore[attr-defined]

    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    for n in range(6000):
        assert store.limiter.hit(LIMIT, str(n)).remaining == 999
    assert store.degraded
    assert "No space left" in store.status()["last_error"]
    store.close()


def test_an_aborted_transaction_gives_no_place_twice(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    storage = LMDBStorage(f"lmdb://{path}")
    counts: LMDBCounts = storage._file.counts
    take = storage.taker("fixed-window")
    for n in range(200):
        take(str(n), 100, 3600, 1)

    class Interrupted(Exception):
        pass

    def adds_and_fails(txn: object) -> None:
        for _ in range(300):
            counts.add(txn, 1, 1, 1)
        raise Interrupted

    for _ in range(3):
        with pytest.raises(Interrupted):
            storage._file.write(adds_and_fails)
        for n in range(200, 400):
            take(str(n), 100, 3600, 1)
    assert take("0", 100, 3600, 1)[1] == 98
    storage.close()
    assert_nobody_shares(path)


def test_a_remembered_place_is_not_used_for_a_key_that_was_forgotten(tmp_path: Path) -> None:
    storage = LMDBStorage(f"lmdb://{tmp_path}/state.lmdb")
    for strategy in ("fixed-window", "sliding-window-counter"):
        take, view = storage.taker(strategy), storage.viewer(strategy)
        for _ in range(5):
            take("a", 100, 3600, 1)
        storage.forget(strategy, "a", 3600)
        assert take("b", 100, 3600, 1)[1] == 99  # in the place that was a's
        assert [take("a", 100, 3600, 1)[1] for _ in range(3)] == [99, 98, 97]
        assert view("b", 100, 3600)[1] == 99
    storage.close()
    assert_nobody_shares(tmp_path / "state.lmdb")


def test_counts_that_another_process_erased_are_erased(tmp_path: Path) -> None:
    url = f"lmdb://{tmp_path}/state.lmdb"
    storage = LMDBStorage(url)
    take = storage.taker("sliding-window-counter")
    for key in ("a", "b", "c"):
        for _ in range(5):
            take(key, 100, 3600, 1)
    other = f"""
from guard_wsgi.state.backends.lmdb import LMDBStorage
storage = LMDBStorage({url!r})
storage.erase()
take = storage.taker("sliding-window-counter")
for key in ("x", "a"):
    take(key, 100, 3600, 1)
storage.close()
"""
    subprocess.run([sys.executable, "-c", other], check=True, timeout=60)
    assert [take(key, 100, 3600, 1)[1] for key in ("a", "b", "c", "x", "b")] == [98, 99, 99, 98, 98]
    storage.close()
    assert_nobody_shares(tmp_path / "state.lmdb")
