"""Counts are exact over processes, forks, restarts and processes killed in the middle."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from guard_wsgi.state.backend import STRATEGIES
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.redis_server import RedisServer
from tests.state.workers import finish, run, run_all, start

shared_stores = pytest.mark.parametrize("kind", ["lmdb", "redis"])


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if kind == "lmdb":
        return f"lmdb://{tmp_path}/state.lmdb"
    server: RedisServer = request.getfixturevalue("own_redis")
    return server.url


SETTINGS = "timeout_seconds=5.0, request_budget_seconds=5.0"

HAMMER = f"""
url, strategy = sys.argv[1:3]
store = Store.open(url, settings=StoreSettings(rate_limit_strategy=strategy, {SETTINGS}))
limit = Limit(1000, 3600)
print("ready", flush=True)
sys.stdin.readline()
allowed = sum(store.limiter.hit(limit, "client").allowed for _ in range(500))
for _ in range(500):
    count = store.counters.increment("counter", 3600)
assert not store.degraded
print(allowed)
"""


@shared_stores
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_four_processes_get_exactly_the_limit(kind: str, url: str, strategy: str) -> None:
    allowed = [int(out) for out in run_all(HAMMER, [(url, strategy)] * 4)]
    assert sum(allowed) == 1000
    assert (
        run(
            f"store = Store.open(sys.argv[1], settings=StoreSettings({SETTINGS}))\n"
            "print(store.counters.value('counter', 3600))",
            url,
        )
        == "2000"
    )


@pytest.mark.parametrize("kind", ["lmdb"])
def test_a_restart_keeps_counts_and_bans(kind: str, url: str) -> None:
    script = f"""
    store = Store.open(sys.argv[1], settings=StoreSettings({SETTINGS}))
    print(store.limiter.hit(Limit(10, 3600), "client").remaining, len(store.bans.list()))
    store.bans.ban("192.0.2.7", 3600, "test")
    """
    assert [run(script, url) for _ in range(3)] == ["9 0", "8 1", "7 1"]


@pytest.mark.parametrize("kind", ["lmdb"])
def test_a_process_killed_in_the_middle_of_writing_blocks_nobody_and_loses_nothing(
    kind: str, url: str
) -> None:
    victim_script = """
    store = Store.open(sys.argv[1])
    n = 0
    while True:
        n += 1
        assert store.counters.increment("counter", 3600) >= n
        store.bans.ban(f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", 3600, "test")
        if n % 100 == 0:
            print(n, flush=True)
    """
    counted = 0
    for _ in range(5):
        victim = start(victim_script, url)
        assert victim.stdout is not None
        told = [int(victim.stdout.readline()) for _ in range(3)][-1]
        os.kill(victim.pid, signal.SIGKILL)
        victim.communicate(timeout=10)
        after = int(
            run(
                """
                store = Store.open(sys.argv[1])
                assert not store.degraded
                assert store.bans.is_banned("10.0.0.100")
                assert store.limiter.hit(Limit(10**6, 3600), "other").allowed
                print(store.counters.value("counter", 3600))
                """,
                url,
                timeout_seconds=20,
            )
        )
        assert after >= counted + told
        counted = after


@pytest.mark.parametrize("kind", ["lmdb"])
def test_a_process_killed_inside_a_transaction_blocks_nobody(kind: str, url: str) -> None:
    victim = start(
        """
        store = Store.open(sys.argv[1])
        store.counters.increment("counter", 3600, 5)
        def work(txn):
            txn.put(b"c half", b"written" * 10)
            print("inside", flush=True)
            time.sleep(60)
        store._backend._main._file.write(work)
        """,
        url,
    )
    assert victim.stdout is not None
    assert victim.stdout.readline() == "inside\n"
    waiting = start(
        """
        store = Store.open(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        print(store.counters.increment("counter", 3600))
        """,
        url,
    )
    assert waiting.stdout is not None
    assert waiting.stdin is not None
    # Opening the file waits for the writer too, so the victim must go first.
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate(timeout=10)
    assert waiting.stdout.readline() == "ready\n"
    waiting.stdin.write("go\n")
    assert finish(waiting, 20) == "6"


FORKS = f"""
import threading
sys.setswitchinterval(0.02)  # several forks while a thread waits in the middle of something
from guard_wsgi.state.backend import STRATEGIES
url = sys.argv[1]
store = Store.open(url, settings=StoreSettings({SETTINGS}))
limit = Limit(10**6, 3600)
bans, stop = store.bans, threading.Event()

def traffic():
    address = parse_address("192.0.2.7")
    while not stop.is_set():
        store.limiter.hit(limit, "client")
        bans.find(address)
        store.counters.increment("noise", 3600)

threads = [threading.Thread(target=traffic) for _ in range(4)]
for thread in threads:
    thread.start()
children = []
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        for _ in range(50):
            count = store.counters.increment("counter", 3600)
            assert store.limiter.hit(limit, "client").allowed
        bans.ban("192.0.2.7", 60, "from a child")
        assert bans.is_banned("192.0.2.7")
        assert not store.degraded
        os._exit(0)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
stop.set()
for thread in threads:
    thread.join(10)
assert codes == [0] * 20, codes
print(store.counters.value("counter", 3600))
"""


@pytest.mark.parametrize("kind", ["memory", "lmdb", "redis"])
def test_children_forked_while_threads_count_neither_hang_nor_lose_counts(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = "memory://"
    if kind == "lmdb":
        url = f"lmdb://{tmp_path}/state.lmdb"
    elif kind == "redis":
        url = request.getfixturevalue("own_redis").url
    counted = run(FORKS, url, timeout_seconds=60)
    assert counted == ("0" if kind == "memory" else "1000")


@pytest.mark.parametrize("kind", ["lmdb"])
def test_a_store_opened_before_the_fork_serves_every_child(kind: str, url: str) -> None:
    allowed = run(
        """
        store = Store.open(sys.argv[1], settings=StoreSettings(rate_limit_strategy="fixed-window"))
        limit = Limit(100, 3600)
        store.limiter.hit(limit, "client")
        read, write = os.pipe()
        for _ in range(4):
            if os.fork() == 0:
                signal.alarm(20)
                n = sum(store.limiter.hit(limit, "client").allowed for _ in range(100))
                os.write(write, f"{n}\\n".encode())
                os._exit(0)
        for _ in range(4):
            assert os.wait()[1] == 0
        print(sum(map(int, os.read(read, 1000).split())))
        """,
        url,
    )
    assert allowed == "99"


def test_two_stores_on_one_file_in_one_process_share_it(tmp_path: Path) -> None:
    url = f"lmdb://{tmp_path}/state.lmdb"
    one, other = Store.open(url), Store.open(f"lmdb://{tmp_path}/../{tmp_path.name}/state.lmdb")
    limit = Limit(2, 60)
    assert one.limiter.hit(limit, "client").remaining == 1
    assert other.limiter.hit(limit, "client").remaining == 0
    one.close()
    assert not other.limiter.hit(limit, "client").allowed
    assert one.limiter.peek(limit, "client").remaining == 0
    other.close()


def test_memory_is_each_stores_own() -> None:
    one, other = Store.open(settings=StoreSettings()), Store.open()
    limit = Limit(1, 60)
    assert one.limiter.hit(limit, "client").allowed
    assert other.limiter.hit(limit, "client").allowed
    one.bans.ban("192.0.2.7", 60, "test")
    assert not other.bans.is_banned("192.0.2.7")
