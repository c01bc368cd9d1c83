"""Stores of every kind, opened by the tests' own names for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from attrs import define

from guard_wsgi.state.clock import NANOSECONDS, Clock
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.redis_server import FaultyProxy, RedisServer, free_port

KINDS = ("memory", "lmdb", "redis", "fallback")

OpenStore = Callable[..., Store]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may stop, fill and configure."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def proxy(own_redis: RedisServer) -> Iterator[FaultyProxy]:
    faulty = FaultyProxy(own_redis.port)
    yield faulty
    faulty.close()


@pytest.fixture
def open_store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OpenStore]:
    """Opens stores by kind. Those of one kind share their state, except in memory."""
    stores: list[Store] = []
    prefix = f"test-{uuid4().hex}:"

    def open_one(kind: str, **settings: Any) -> Store:
        if kind == "memory":
            url = "memory://"
        elif kind == "lmdb":
            url = f"lmdb://{tmp_path}/state.lmdb"
        elif kind == "redis":
            url = request.getfixturevalue("redis_server").url
            # A busy machine is no fault of the store; faults are in test_faults.py.
            settings = {"timeout_seconds": 5.0, "request_budget_seconds": 5.0, **settings}
        else:
            url = f"redis://127.0.0.1:{free_port()}/0"
        store = Store.open(url, settings=StoreSettings(prefix=prefix, **settings))
        stores.append(store)
        return store

    yield open_one
    for store in stores:
        store.close()


@define
class FakeClock:
    """Two clocks that the test moves."""

    monotonic_ns: int = 1_000 * NANOSECONDS
    wall_ns: int = 1_700_000_000 * NANOSECONDS

    def advance(self, seconds: float) -> None:
        self.monotonic_ns += int(seconds * NANOSECONDS)
        self.wall_ns += int(seconds * NANOSECONDS)

    def clock(self) -> Clock:
        return Clock(monotonic_ns=lambda: self.monotonic_ns, wall_ns=lambda: self.wall_ns)


@pytest.fixture
def fake_clock() -> FakeClock:
    return FakeClock()
