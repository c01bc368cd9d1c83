"""A store that comes back empty, in part, or with an older snapshot: acknowledged bans and unbans
still hold in every process, also in those that start afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from guard_wsgi.state.emergency import EmergencyMode, declare, revoke
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.kit.addresses import address
from tests.state.redis_server import RedisServer

BANNED = ("203.0.113.1", "203.0.113.2", "203.0.113.3")
LATER = "203.0.113.4"


class Site:
    """Two workers that have served for a while, and later ones."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.workers = [self.open(), self.open()]

    def open(self) -> Store:
        settings = StoreSettings(timeout_seconds=5.0, request_budget_seconds=5.0)
        return Store.open(self.url, settings=settings)

    def serve(self) -> None:
        for _ in range(6):
            for worker in self.workers:
                worker.bans._refresh_at_ns = 0  # half a second later
                worker.bans.find(address("192.0.2.1"))

    def refused(self) -> list[set[str]]:
        """Whom the two and a fresh worker refuse."""
        fresh = self.open()
        try:
            return [
                {text for text in (*BANNED, LATER) if store.bans.find(address(text)) is not None}
                for store in (*self.workers, fresh)
            ]
        finally:
            fresh.close()

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


@pytest.fixture
def site(own_redis: RedisServer) -> Iterator[Site]:
    site = Site(own_redis.url)
    for target in BANNED:
        site.workers[0].bans.ban(target, 3600, "x")
    site.serve()
    yield site
    site.close()


@pytest.fixture
def server(own_redis: RedisServer) -> Iterator[Any]:
    client = redis.Redis(port=own_redis.port)
    yield client
    client.close()


def flush(server: Any) -> None:
    server.flushall()


def drop(name: bytes) -> Callable[[Any], None]:
    def delete(server: Any) -> None:
        assert server.delete(*[key for key in server.keys("*") if key.endswith(name)]) == 1

    return delete


LOSSES = {
    "everything": flush,
    "the bans alone, evicted": drop(b"bans}"),
    "the version alone": drop(b":version"),
    "the journal alone": drop(b":journal"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("then", ["nothing", "a ban", "an unban of nobody", "an unban"])
def test_bans_outlive_their_store_whatever_reaches_it_first(
    site: Site, server: Any, lose: Callable[[Any], None], then: str
) -> None:
    lose(server)
    expected = set(BANNED)
    other = site.open()
    if then == "a ban":
        other.bans.ban(LATER, 3600, "the first after it")
        expected.add(LATER)
    elif then == "an unban of nobody":
        site.workers[1].bans.unban("192.0.2.200")
    elif then == "an unban":
        other.bans.unban(BANNED[1])
        expected.remove(BANNED[1])
    other.close()
    site.serve()
    assert site.refused() == [expected] * 3


def test_an_older_snapshot_brings_no_lifted_ban_back(site: Site, server: Any) -> None:
    snapshot = {key: server.dump(key) for key in server.keys("*")}
    site.workers[0].bans.unban(BANNED[0])
    site.workers[1].bans.ban(LATER, 3600, "x")
    site.serve()
    server.flushall()
    for key, value in snapshot.items():
        server.restore(key, 0, value)
    site.serve()
    assert site.refused() == [{*BANNED[1:], LATER}] * 3


def test_a_ban_again_is_not_taken_for_the_lifted_one(site: Site) -> None:
    bans = site.workers[0].bans
    ends_at = bans.list()[0].expires_at
    target = bans.list()[0].target
    bans.unban(target)
    bans.ban(target, 3600, "again")
    site.serve()
    assert target in site.refused()[1]
    assert bans.list()[-1].expires_at >= ends_at


def test_an_older_snapshot_brings_no_ended_emergency_back(own_redis: RedisServer) -> None:
    store = Store.open(own_redis.url)
    client = redis.Redis(port=own_redis.port)
    mode = EmergencyMode(store.values, poll_seconds=0)
    declare(store.values, seconds=900, reason="flood")
    assert mode.active
    snapshot = {key: client.dump(key) for key in client.keys("*")}
    revoke(store.values)
    assert not mode.active
    client.flushall()
    for key, value in snapshot.items():
        client.restore(key, 0, value)
    assert not mode.active
    assert not EmergencyMode(store.values, poll_seconds=0).active
    declare(store.values, seconds=900, reason="flood")  # in the same words, and a new one
    assert mode.active
    client.close()
    store.close()


# LMDB ---------------------------------------------------------------------------------------------


@pytest.fixture
def lmdb_site(tmp_path: Path) -> Iterator[Site]:
    site = Site(f"lmdb://{tmp_path}/guard")
    site.workers.pop().close()  # of one process: a file is opened once
    yield site
    site.close()


def test_an_older_copy_of_an_lmdb_file_neither_frees_nor_shuts_out(
    lmdb_site: Site, tmp_path: Path
) -> None:
    bans = lmdb_site.workers[0].bans
    bans.ban(BANNED[0], 3600, "x")
    bans.ban(BANNED[1], 3600, "x")
    lmdb_site.serve()
    names = ("guard", "guard-counts")
    for name in names:
        shutil.copy(tmp_path / name, tmp_path / f"{name}.copy")
    bans.unban(BANNED[0])
    bans.ban(LATER, 3600, "x")
    lmdb_site.serve()
    for name in names:
        os.rename(tmp_path / f"{name}.copy", tmp_path / name)
    lmdb_site.serve()
    assert lmdb_site.refused() == [{BANNED[1], LATER}] * 2
    listed = (
        "from guard_wsgi.state.store import Store\n"
        f"print(*(ban.target for ban in Store.open({lmdb_site.url!r}).bans.list()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", listed], check=True, capture_output=True, text=True
    )
    assert set(said.stdout.split()) == {BANNED[1], LATER}


@pytest.mark.parametrize("read_before", [True, False], ids=["read before", "just banned"])
@pytest.mark.parametrize(
    "rubbish", [b"hello world, this is a log line\n" * 256, b"\x00" * 8192, b"\xff" * 8192]
)
def test_bans_outlive_an_lmdb_file_that_somebody_wrote_over(
    lmdb_site: Site, tmp_path: Path, rubbish: bytes, read_before: bool
) -> None:
    bans = lmdb_site.workers[0].bans
    bans.ban(BANNED[0], 3600, "x")
    if read_before:
        lmdb_site.serve()
    with (tmp_path / "guard").open("r+b") as file:
        file.write(rubbish)
    lmdb_site.serve()
    assert lmdb_site.refused() == [{BANNED[0]}] * 2
    assert not lmdb_site.workers[0].degraded
