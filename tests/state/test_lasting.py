"""Faults of a store: after a ban was acknowledged, the client stays out, and nobody stays out for
ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.kit.gateway import environ_for, serve, text_app
from tests.state.conftest import FakeClock, OpenStore
from tests.state.redis_server import RedisServer

BANNED, OTHER = "203.0.113.66", "203.0.113.7"


def visit(guard: GuardMiddleware, ip: str) -> int:
    environ = environ_for("/")
    environ["REMOTE_ADDR"] = ip
    return serve(guard, environ).code


def until_allowed(guard: GuardMiddleware, ip: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while visit(guard, ip) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def paused(server: RedisServer) -> Any:
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGSTOP)
    return lambda: os.kill(server._process.pid, signal.SIGCONT)


def restarted_empty(server: RedisServer) -> Any:
    server.ask("FLUSHALL")
    server.stop()
    server.start()
    return lambda: None


def full(server: RedisServer) -> Any:
    server.ask("CONFIG", "SET", "maxmemory", "1")
    server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    return lambda: server.ask("CONFIG", "SET", "maxmemory", "0")


def read_only(server: RedisServer) -> Any:
    server.ask("REPLICAOF", "127.0.0.1", "1")
    return lambda: server.ask("REPLICAOF", "NO", "ONE")


def of_wrong_types(server: RedisServer) -> Any:
    for name in ("", ":version", ":journal", ":endings"):
        key = f"{{guard_wsgi:bans}}{name}"
        server.ask("DEL", key)
        server.ask("SET", key, "nonsense")
    return lambda: server.ask("FLUSHALL")


@pytest.mark.parametrize("fault", [paused, restarted_empty, full, read_only, of_wrong_types])
def test_a_worker_that_knew_a_ban_keeps_it_through_a_fault_and_after(
    own_redis: RedisServer, fault: Any
) -> None:
    config = SecurityConfig(store_url=own_redis.url, rate_limit=1000)
    guard, other = (GuardMiddleware(text_app(), config) for _ in range(2))
    guard.bans.ban(BANNED, 3600, "test")
    assert {visit(each, BANNED) for each in (guard, other)} == {403}
    assert {visit(each, OTHER) for each in (guard, other)} == {200}
    mend = fault(own_redis)
    try:
        for _ in range(6):
            for each in (guard, other):
                assert visit(each, BANNED) == 403
                assert visit(each, OTHER) == 200
    finally:
        mend()
    deadline = time.monotonic() + 25
    while guard.services.store.degraded or other.services.store.degraded:
        assert {visit(each, BANNED) for each in (guard, other)} == {403}
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # Whoever comes after it knows it as well.
    deadline = time.monotonic() + 10
    while True:
        assert {visit(each, BANNED) for each in (guard, other)} == {403}
        later = GuardMiddleware(text_app(), config)
        code = visit(later, BANNED)
        later.close()
        if code == 403:
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    guard.bans.unban(BANNED)
    until_allowed(guard, BANNED)
    until_allowed(other, BANNED)
    for each in (guard, other):
        each.close()


def test_a_killed_worker_takes_no_ban_with_it(tmp_path: Path) -> None:
    url = f"lmdb://{tmp_path}/s.lmdb"
    script = (
        "import os, signal, sys\n"
        "from guard_wsgi.state.settings import StoreSettings\n"
        "from guard_wsgi.state.store import Store\n"
        "store = Store.open(sys.argv[1], settings=StoreSettings(prefix='guard_wsgi:'))\n"
        "store.bans.ban(sys.argv[2], 3600, 'test'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, url, BANNED], check=False)
    assert done.returncode == -signal.SIGKILL
    guard = GuardMiddleware(text_app(), SecurityConfig(store_url=url))
    assert (visit(guard, BANNED), visit(guard, OTHER)) == (403, 200)
    guard.close()


def test_a_file_that_is_taken_away_takes_no_ban_with_it(tmp_path: Path) -> None:
    config = SecurityConfig(store_url=f"lmdb://{tmp_path}/s.lmdb")
    guard = GuardMiddleware(text_app(), config)
    guard.bans.ban(BANNED, 3600, "test")
    assert visit(guard, BANNED) == 403
    for path in tmp_path.iterdir():
        path.unlink()
    deadline = time.monotonic() + 10
    while True:
        assert visit(guard, BANNED) == 403
        time.sleep(0.1)
        assert time.monotonic() < deadline
        if (tmp_path / "s.lmdb").exists() and not guard.bans._recovery.lost:
            break
    time.sleep(0.6)
    assert visit(guard, BANNED) == 403
    guard.close()


@pytest.mark.parametrize("step_seconds", [-86_400, -5, 5, 86_400])
def test_a_step_of_the_clock_shuts_nobody_out(
    open_store: OpenStore, fake_clock: FakeClock, step_seconds: int
) -> None:
    for kind in ("memory", "lmdb"):
        store = open_store(kind, clock=fake_clock.clock())
        guard = GuardMiddleware(text_app(), SecurityConfig(rate_limit=3), store=store)
        assert [visit(guard, OTHER) for _ in range(4)] == [200, 200, 200, 429]
        store.bans.ban(BANNED, 60, "test")
        fake_clock.wall_ns += step_seconds * 10**9
        assert visit(guard, BANNED) == 403
        fake_clock.advance(130)
        assert visit(guard, OTHER) == 200
        assert visit(guard, BANNED) == 200


def test_ten_thousand_rules_hold_each_for_its_path() -> None:
    strict = RouteConfig(auth_required="bearer", auth_verifier=lambda request, credential: False)
    routes = {f"/item{number}/<path:rest>": strict for number in range(10_000)}
    store = Store.open(settings=StoreSettings())
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes, store=store)
    for path in ("/item0/a", "/item9999/a", "/x/..;/item5000/a"):
        environ = environ_for("/")
        environ["PATH_INFO"] = path
        assert serve(guard, environ).code == 401
    assert serve(guard, path="/other").code == 200
