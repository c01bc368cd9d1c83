"""The LMDB file: replacement, growth, cleaning, and its path."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from pathlib import Path

import lmdb
import pytest

from guard_wsgi.errors import ConfigError, StoreError
from guard_wsgi.state.backends.lmdb import LMDBStorage
from guard_wsgi.state.backends.lmdb_file import FORMAT, LMDBFile
from guard_wsgi.state.backends.lmdb_path import default_path, path_of
from guard_wsgi.state.clock import NANOSECONDS
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.conftest import FakeClock
from tests.state.workers import run_all


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


def text(path: Path) -> None:
    path.write_text("not a database")


def sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (a)")
    connection.close()


def foreign_lmdb(path: Path) -> None:
    with lmdb.open(str(path), subdir=False) as env, env.begin(write=True) as txn:
        txn.put(b"theirs", b"1")


def older_format(path: Path) -> None:
    with lmdb.open(str(path), subdir=False) as env, env.begin(write=True) as txn:
        txn.put(b"\x00format", b"\xff" * 8 + b"guard-wsgi state 0")


def truncated(path: Path) -> None:
    store = Store.open(f"lmdb://{path}")
    for n in range(5000):
        store.limiter.hit(Limit(10, 3600), str(n))
    store.close()
    os.truncate(path, 64 * 1024)


@pytest.mark.parametrize(
    "spoil",
    [garbage, text, sqlite, foreign_lmdb, older_format, truncated],
    ids=lambda f: f.__name__,
)
def test_a_file_that_is_not_ours_is_set_aside_and_a_fresh_one_begun(
    spoil: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.lmdb"
    assert callable(spoil)
    spoil(path)
    spoiled = path.read_bytes()
    with caplog.at_level(logging.ERROR, "guard_wsgi.state"):
        store = Store.open(f"lmdb://{path}")
    assert store.limiter.hit(Limit(1, 60), "client").allowed
    assert not store.limiter.hit(Limit(1, 60), "client").allowed
    store.close()
    aside = [p for p in tmp_path.iterdir() if ".aside-" in p.name and "-lock" not in p.name]
    assert len(aside) == 1
    # LMDB lengthens the file that it maps; nothing else changes.
    assert aside[0].read_bytes()[: len(spoiled)] == spoiled
    logged = [
        message for message in caplog.messages if not message.startswith("created a new store")
    ]
    assert len(logged) == 1
    assert "can't be used" in logged[0]
    assert aside[0].name in caplog.text
    again = Store.open(f"lmdb://{path}")
    assert not again.limiter.hit(Limit(1, 60), "client").allowed
    again.close()


def test_four_workers_that_find_a_broken_file_end_up_on_one_fresh_file(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    garbage(path)
    script = """
    print("ready", flush=True)
    sys.stdin.readline()
    store = Store.open(sys.argv[1])
    for _ in range(100):
        count = store.counters.increment("counter", 3600)
    print(count)
    """
    counts = run_all(script, [(f"lmdb://{path}",)] * 4)
    assert max(int(count) for count in counts) == 400
    assert len([p for p in tmp_path.iterdir() if ".aside-" in p.name and "lock" not in p.name]) == 1


def test_a_new_store_is_logged_with_its_path_and_an_old_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistyped path makes a store as well, and then bans seem to be lost."""
    with caplog.at_level(logging.WARNING, "guard_wsgi.state"):
        Store.open(f"lmdb://{tmp_path}/guard").close()
        said = f"created a new store at {tmp_path}/guard: it has no bans and no counts yet"
        assert caplog.messages == [said]
        caplog.clear()
        Store.open(f"lmdb://{tmp_path}/guard").close()
        assert caplog.messages == []


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    path.touch()
    store = Store.open(f"lmdb://{path}")
    assert store.counters.increment("counter", 60) == 1
    store.close()
    assert [p.name for p in tmp_path.iterdir() if "aside" in p.name] == []


def test_a_file_deleted_under_the_workers_is_begun_again_by_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    store = Store.open(f"lmdb://{path}")
    store.bans.ban("192.0.2.7", 60, "test")
    path.unlink()
    Path(f"{path}-lock").unlink()
    store.bans._refresh_at_ns = 0  # half a second later
    assert [ban.target for ban in store.bans.list()] == ["192.0.2.7"]  # another process wrote it
    store.counters.increment("counter", 60)
    assert path.exists()
    store.close()


def test_nothing_is_written_through_the_map_before_the_disk_has_room_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a write kills the process (SIGBUS), and each process after it."""
    path = tmp_path / "state.lmdb"

    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        store = Store.open(f"lmdb://{path}")
        assert [store.limiter.hit(Limit(2, 60), "a").allowed for _ in range(3)] == [1, 1, 0]
        assert store.degraded
        assert not path.exists() or FORMAT not in path.read_bytes()
        assert not path.with_name("state.lmdb-lock").stat().st_size
    store.close()
    store = Store.open(f"lmdb://{path}")
    assert store.limiter.hit(Limit(2, 60), "a").allowed
    assert not store.degraded
    store.close()


def test_the_map_grows_in_every_process_that_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    script = """
    from pathlib import Path
    from guard_wsgi.state.backends.lmdb import LMDBStorage
    from guard_wsgi.state.backends.lmdb_file import FORMAT, LMDBFile
    file = LMDBFile.at(Path(sys.argv[1]), map_bytes=64 * 1024)
    storage = LMDBStorage(file=file)
    print("ready", flush=True)
    sys.stdin.readline()
    take = storage.taker("fixed-window")
    for n in range(8000):
        assert take(f"{sys.argv[2]}:{n}", 10, 3600, 1)[0]
        assert storage.increment("counter", 3600, 1) > 0
    for n in range(8000):
        assert take(f"{sys.argv[2]}:{n}", 10, 3600, 1)[1] == 8, n
    print(file.map_bytes)
    """
    sizes = run_all(script, [(path, n) for n in range(3)])
    assert all(int(size) >= 1024 * 1024 for size in sizes)
    storage = LMDBStorage(f"lmdb://{path}")
    assert storage.counted("counter", 3600) == 24_000
    assert path.stat().st_blocks * 512 >= path.stat().st_size  # taken, not merely promised
    storage.close()


def test_a_process_that_expects_a_small_file_does_not_cut_a_grown_one(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    storage = LMDBStorage(file=LMDBFile.at(path, map_bytes=4 * 1024 * 1024))
    storage.increment("counter", 3600, 1)
    storage.close()
    size = path.stat().st_size
    assert size == 4 * 1024 * 1024
    del storage
    small = LMDBStorage(file=LMDBFile(path, 64 * 1024, 64 * 1024 * 1024))
    assert small.increment("counter", 3600, 1) == 2
    assert path.stat().st_size == size
    small.close()


def test_a_map_that_may_not_grow_is_an_error_and_not_the_end(tmp_path: Path) -> None:
    file = LMDBFile.at(tmp_path / "state.lmdb", map_bytes=64 * 1024, max_map_bytes=128 * 1024)
    storage = LMDBStorage(file=file)
    take = storage.taker("fixed-window")

    def fill() -> None:
        for n in range(10_000):
            take(str(n), 10, 3600, 1)

    with pytest.raises(StoreError, match="can't grow"):
        fill()
    assert take("0", 10, 3600, 1)[:2] == (True, 8)
    storage.close()


def test_a_store_that_can_not_write_counts_in_the_process(tmp_path: Path) -> None:
    path = tmp_path / "state.lmdb"
    file = LMDBFile.at(path, map_bytes=64 * 1024, max_map_bytes=64 * 1024)
    store = Store.open(f"lmdb://{path}")
    assert store._backend._main._file is file  # type: ignore[attr-defined]
    limit = Limit(1, 3600)
    refused = 0
    for n in range(3000):
        assert store.limiter.hit(limit, str(n)).allowed
        refused += not store.limiter.hit(limit, str(n)).allowed
    assert store.degraded
    assert refused >= 2990  # all but those between the last kept and the opening of the breaker
    store.close()


def test_expired_records_are_swept_and_live_ones_kept(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    storage = LMDBStorage(f"lmdb://{tmp_path}/state.lmdb", clock=fake_clock.clock())
    take = storage.taker("fixed-window")
    for n in range(5000):
        take(f"short:{n}", 10, 10, 1)
    take("long", 10, 36_000, 1)
    storage.write_value("value", b"kept", 36_000)
    fake_clock.advance(20)
    for n in range(5000):
        take(f"next:{n}", 10, 10, 1)
    size = storage.size()
    assert size is not None
    assert size <= 5100
    assert take("long", 10, 36_000, 1)[1] == 8
    assert storage.read_value("value") == b"kept"
    storage.close()


def test_more_keys_than_allowed_are_dropped(tmp_path: Path, fake_clock: FakeClock) -> None:
    storage = LMDBStorage(f"lmdb://{tmp_path}/state.lmdb", max_keys=1000, clock=fake_clock.clock())
    take = storage.taker("sliding-window-counter")
    for n in range(10_000):
        take(f"10.0.{n >> 8}.{n & 255}", 10, 3600, 1)
    size = storage.size()
    assert size is not None
    assert size <= 1100
    storage.close()


def test_the_journal_of_bans_is_swept_and_late_readers_read_all(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    url = f"lmdb://{tmp_path}/state.lmdb"
    settings = StoreSettings(clock=fake_clock.clock())
    one, late = Store.open(url, settings=settings), Store.open(url, settings=settings)
    one.bans.ban("192.0.2.1", 100_000, "first")
    one.bans.ban("192.0.2.2", 100_000, "lifted while the other slept")
    assert late.bans.is_banned("192.0.2.2")
    one.bans.unban("192.0.2.2")
    fake_clock.advance(3600)
    for n in range(200):
        one.limiter.hit(Limit(1, 10), str(n))
    one.bans.ban("192.0.2.3", 100_000, "last")
    assert not late.bans.is_banned("192.0.2.2")
    assert [ban.target for ban in late.bans.list()] == ["192.0.2.1", "192.0.2.3"]
    one.close()
    late.close()


def test_a_bare_uri_names_a_file_of_the_user_after_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert path_of("lmdb://", "my shop/2") == tmp_path / "state/guard-wsgi/my_shop_2.lmdb"
    monkeypatch.chdir(tmp_path)
    unnamed = path_of("lmdb://")
    assert unnamed == default_path()
    assert unnamed.parent == tmp_path / "state/guard-wsgi"
    assert unnamed.name.startswith(tmp_path.name)
    store = Store.open("lmdb://")
    store.counters.increment("counter", 60)
    store.close()
    assert stat.S_IMODE(unnamed.stat().st_mode) == 0o600


def test_without_a_home_the_file_lies_in_a_directory_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "file"
    nowhere.touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(nowhere))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    directory = tmp_path / f"guard-wsgi-{os.getuid()}"
    assert default_path("app") == directory / "app.lmdb"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    directory.chmod(0o777)
    with pytest.raises(StoreError, match="another user"):
        default_path("app")
    directory.rmdir()
    directory.symlink_to(tmp_path)
    with pytest.raises(StoreError, match="another user"):
        default_path("app")


def test_a_directory_takes_a_file_of_the_usual_name(tmp_path: Path) -> None:
    assert path_of(f"lmdb://{tmp_path}") == tmp_path / "guard.lmdb"
    assert path_of("lmdb:///a%20b/c.lmdb") == Path("/a b/c.lmdb")
    with pytest.raises(ConfigError, match="lmdb:///"):
        path_of("lmdb://relative/path")


def test_a_path_that_can_not_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/state\.lmdb"):
        LMDBStorage(f"lmdb://{tmp_path}/file/state.lmdb")


def test_a_step_of_the_clock_back_locks_nobody_out(tmp_path: Path, fake_clock: FakeClock) -> None:
    storage = LMDBStorage(f"lmdb://{tmp_path}/state.lmdb", clock=fake_clock.clock())
    take = storage.taker("fixed-window")
    for _ in range(3):
        take("client", 2, 60, 1)
    assert not take("client", 2, 60, 1)[0]
    fake_clock.wall_ns -= 3600 * NANOSECONDS
    assert take("client", 2, 60, 1)[0]
    storage.close()
