"""The ways to reach Redis: a socket, a password, Valkey's client, Sentinel, Cluster."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from guard_wsgi.network.address import parse_address
from guard_wsgi.state.backend import STRATEGIES
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.redis_server import RedisServer, free_port, server_binary

CLIENT = parse_address("192.0.2.7")
assert CLIENT is not None


def use_all_of_it(url: str) -> None:
    for strategy in STRATEGIES:
        settings = StoreSettings(
            rate_limit_strategy=strategy, timeout_seconds=5.0, request_budget_seconds=5.0
        )
        one, other = Store.open(url, settings=settings), Store.open(url, settings=settings)
        limit = Limit(3, 3600)
        assert [s.limiter.hit(limit, "a").allowed for s in (one, other) * 2] == [True] * 3 + [False]
        assert other.limiter.peek(limit, "a").remaining == 0
        other.limiter.clear(limit, "a")
        assert one.limiter.hit(limit, "a").allowed
        assert one.counters.increment("c", 60) == 1
        assert other.counters.increment("c", 60) == 2
        other.counters.reset("c", 60)
        one.values.set("v", b"1", 60)
        assert other.values.get("v") == b"1"
        assert CLIENT is not None
        assert other.bans.find(CLIENT) is None
        ban = one.bans.ban("192.0.2.0/24", 60, "test")
        time.sleep(0.55)
        assert other.bans.find(CLIENT) == ban
        one.reset()
        assert other.limiter.peek(limit, "a").remaining == 3
        assert one.bans.list() == []
        assert not one.degraded
        assert not other.degraded
        one.close()
        other.close()


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    server = RedisServer(tmp_path, "--unixsocket", str(path))
    server.start()
    use_all_of_it(f"redis+unix://{path}")
    server.stop()


def test_a_password_and_a_database(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--requirepass", "s3cret")
    server.start()
    use_all_of_it(f"redis://:s3cret@127.0.0.1:{server.port}/5")
    server.stop()


def test_the_client_of_valkey(own_redis: RedisServer) -> None:
    """Its server uses the same protocol as the one here."""
    pytest.importorskip("valkey")
    use_all_of_it(own_redis.url.replace("redis://", "valkey://"))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, "--cluster-enabled", "yes")
    while server.port > 55_000:  # the bus is 10,000 above it
        server = RedisServer(tmp_path, "--cluster-enabled", "yes")
    server.start()
    server.ask("CLUSTER", "ADDSLOTS", *map(str, range(16384)))
    deadline = time.monotonic() + 20
    while b"cluster_state:ok" not in server.ask("CLUSTER", "INFO"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield server
    server.stop()


def test_a_cluster(cluster: RedisServer) -> None:
    use_all_of_it(f"redis+cluster://127.0.0.1:{cluster.port}")


def test_sentinel(own_redis: RedisServer, tmp_path: Path) -> None:
    port = free_port()
    configuration = tmp_path / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
        f"sentinel monitor shop 127.0.0.1 {own_redis.port} 1\n"
    )
    sentinel = subprocess.Popen(
        [server_binary(), str(configuration), "--sentinel"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1)
        use_all_of_it(f"redis+sentinel://127.0.0.1:{port}/shop")
    finally:
        sentinel.kill()
        sentinel.wait(10)
