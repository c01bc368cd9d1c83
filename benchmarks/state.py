"""Measures the time of a counted request by store and number of keys, and the memory of the counts.

    python benchmarks/state.py                time per hit, memory, throughput
    python benchmarks/state.py --hits         only the first of these
    python benchmarks/state.py --memory       only the second
    python benchmarks/state.py --processes    only the third
    python benchmarks/state.py --many         a million clients and 100,000 bans in each store

A hit is `RateLimiter.hit`: key, strategy, store and answer. Each cell is the best of several
rounds, in processor time of this process, so other processes matter little. Keys are addresses in
random order. Redis is the server of the tests.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage as PlainMemoryStorage
from limits.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter

from guard_wsgi.network.address import parse_address
from guard_wsgi.state.backend import STRATEGIES
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.redis_server import RedisServer

KEYS = (1_000, 10_000, 100_000, 1_000_000)
SAMPLE = 50_000
ROUNDS = 5
HIT_MICROSECONDS = 4.0
GROWTH = 2.0
MEMORY_MEGABYTES = 300
LIMIT = Limit(1_000_000, 600)

Hit = Callable[[str], object]


def addresses(count: int) -> list[str]:
    texts = [f"{10 + (n >> 24)}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(count)]
    random.Random(7).shuffle(texts)
    return texts


def microseconds(hit: Hit, keys: list[str]) -> float:
    for key in keys:
        hit(key)
    order = random.Random(11)
    best = float("inf")
    for _ in range(ROUNDS):
        # New strings, as a request brings them, not strings scattered over the memory.
        sample = [key.encode().decode() for key in order.choices(keys, k=SAMPLE)]
        began = time.process_time()
        for key in sample:
            hit(key)
        best = min(best, (time.process_time() - began) / SAMPLE * 1e6)
    return best


def guard_hit(url: str, strategy: str) -> tuple[Hit, Callable[[], None]]:
    settings = StoreSettings(rate_limit_strategy=strategy, max_keys=4_000_000)  # type: ignore[arg-type]
    store = Store.open(url, settings=settings)
    return lambda key: store.limiter.hit(LIMIT, key), store.close


def plain_hit(strategy: str) -> tuple[Hit, Callable[[], None]]:
    """`limits`' own memory storage, with a cheaper answer: whether, not how long."""
    storage = PlainMemoryStorage()
    kind = FixedWindowRateLimiter if strategy == "fixed-window" else SlidingWindowCounterRateLimiter
    limiter = kind(storage)
    item = RateLimitItemPerMinute(1_000_000, 10)

    def close() -> None:
        storage.timer.cancel()
        storage.reset()

    return lambda key: limiter.hit(item, key), close


def show_hits(directory: Path) -> bool:
    print("Microseconds of processor time for one hit, by number of keys\n")
    print(f"{'store':<16}{'strategy':<26}" + "".join(f"{n:>11,}" for n in KEYS) + "   growth")
    within = True
    for store in ("memory", "lmdb", "limits' memory"):
        for strategy in STRATEGIES:
            plain = store.startswith("limits")
            if strategy == "moving-window" and store != "memory":
                continue  # its cost is the limit's size, not the number of keys
            cells = []
            for count in KEYS:
                if plain and count > 100_000:
                    break  # its timer walks all keys, beside every hit
                if plain:
                    hit, close = plain_hit(strategy)
                else:
                    path = directory / f"{strategy}-{count}.lmdb"
                    hit, close = guard_hit(
                        f"lmdb://{path}" if store == "lmdb" else "memory://", strategy
                    )
                cells.append(microseconds(hit, addresses(count)))
                close()
            growth = cells[-1] / cells[0]
            good = plain or (max(cells) <= HIT_MICROSECONDS and growth < GROWTH)
            within &= good
            print(
                f"{store:<16}{strategy:<26}"
                + "".join(f"{cell:>11.2f}" for cell in cells).ljust(11 * len(KEYS))
                + f"{growth:>8.2f}x{'' if good else '   over'}"
            )
    bans = Store.open().bans
    client = parse_address("192.0.2.7")
    assert client is not None
    for label in ("none", "100,000"):
        began = time.process_time()
        for _ in range(500_000):
            bans.find(client)
        print(
            f"\nlooking up a ban among {label}: {(time.process_time() - began) * 2:.2f} us", end=""
        )
        if label == "none":
            for n in range(100_000):
                bans.ban(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 600, "benchmark")
    print("\n")
    return within


def resident_megabytes() -> float:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def show_memory() -> bool:
    """Run in a separate process, so nothing else is counted."""
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "import benchmarks.state as b\n"
        "hit, _ = b.guard_hit('memory://', sys.argv[1]) if sys.argv[1] != 'plain'"
        " else b.plain_hit('fixed-window')\n"
        "before = b.resident_megabytes()\n"
        "for n in range(1_000_000):\n"
        "    hit(f'{10 + (n >> 24)}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}')\n"
        "print(b.resident_megabytes() - before)\n"
        "import os; sys.stdout.flush(); os._exit(0)"
    )
    root = str(Path(__file__).resolve().parents[1])
    within = True
    print("Megabytes of a million addresses in a window\n")
    for name in ("fixed-window", "sliding-window-counter", "plain"):
        done = subprocess.run(
            [sys.executable, "-c", script, name, root],
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
        )
        megabytes = float(done.stdout)
        good = name == "plain" or megabytes < MEMORY_MEGABYTES
        within &= good
        label = "limits' memory, fixed-window" if name == "plain" else f"memory, {name}"
        print(f"{label:<42}{megabytes:>8.0f}{'' if good else '   over'}")
    print()
    return within


MANY = """
import sys, time; sys.path.insert(0, sys.argv[2])
import benchmarks.state as b
from guard_wsgi.network.address import parse_address
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
url, clients, bans = sys.argv[1], int(sys.argv[3]), int(sys.argv[4])
calm = dict(timeout_seconds=5.0, request_budget_seconds=10.0)

def of(n): return f"{10 + (n >> 24)}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"

def timed(count, work):
    began = time.perf_counter()
    for n in range(count):
        store.begin_request()
        work(n)
    return (time.perf_counter() - began) / count * 1e6

before = b.resident_megabytes()
store = Store.open(url, settings=StoreSettings(**calm))
cells = [timed(clients, lambda n: store.limiter.hit(b.LIMIT, of(n)))]
cells.append(timed(20_000, lambda n: store.limiter.hit(b.LIMIT, of(n * 48_611 % clients))))
cells.append(b.resident_megabytes() - before)
before = b.resident_megabytes()
cells.append(timed(bans, lambda n: store.bans.ban(of(n), 3600, "benchmark")))
cells.append(b.resident_megabytes() - before)
known = [parse_address(of(n * 7919 % bans)) for n in range(20_000)]
free = [parse_address(f"192.0.2.{n % 256}") for n in range(20_000)]
cells.append(timed(20_000, lambda n: store.bans.find(known[n])))
cells.append(timed(20_000, lambda n: store.bans.find(free[n])))
# Another worker, that has not read them yet: its first request, and how long until it has.
if store.scheme == "memory":
    cells += [0.0, 0.0, 0]
else:
    if store.scheme == "lmdb":
        store.close()
    fresh = Store.open(url, settings=StoreSettings(**calm))
    began = time.perf_counter()
    let_through = fresh.bans.find(known[1]) is None
    cells.append((time.perf_counter() - began) * 1e3)
    while not fresh.status()["bans_complete"]:
        fresh.begin_request()
        let_through += fresh.bans.find(known[1]) is None
        fresh.bans.find(free[0])
    cells += [time.perf_counter() - began, let_through]
print(*cells)
"""


def show_many(directory: Path, clients: int = 1_000_000, bans: int = 100_000) -> bool:
    print(f"{clients:,} clients and {bans:,} bans, by wall clock, each store in its own process\n")
    names = ("hit, new", "hit, known", "MB", "ban", "MB", "find", "find none", "1st ms", "all s")
    print(f"{'store':<10}" + "".join(f"{name:>11}" for name in names) + "   let through")
    within = True
    root = str(Path(__file__).resolve().parents[1])
    with redis(directory) as redis_url:
        urls = {"memory": "memory://", "lmdb": f"lmdb://{directory}/many.lmdb", "redis": redis_url}
        for name, url in urls.items():
            command = [sys.executable, "-c", MANY, url, root, str(clients), str(bans)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            *cells, let_through = map(float, done.stdout.split())
            within &= not let_through
            print(
                f"{name:<10}"
                + "".join(f"{cell:>11.2f}" for cell in cells)
                + f"{let_through:>14.0f}"
            )
    print("\nMicroseconds but for MB, ms and s. 'MB' is what the process grows by.\n")
    return within


WORKER = """
import sys, time; sys.path.insert(0, sys.argv[3])
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.store import Store
store = Store.open(sys.argv[1])
limit, keys = Limit(10**9, 600), sys.argv[2].split(",")
for key in keys:
    store.limiter.hit(limit, key)
print("ready", flush=True); sys.stdin.readline()
count, end = 0, time.monotonic() + 2.0
while time.monotonic() < end:
    for key in keys:
        store.limiter.hit(limit, key)
    count += len(keys)
assert not store.degraded
print(count / 2.0)
"""


def throughput(url: str, processes: int, keys: str) -> float:
    root = str(Path(__file__).resolve().parents[1])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, keys, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    total = 0.0
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        total += float(process.communicate(timeout=60)[0])
    return total


@contextmanager
def redis(directory: Path) -> Iterator[str]:
    server = RedisServer(directory)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def show_processes(directory: Path) -> None:
    print(f"Hits a second of all processes together ({os.cpu_count()} cores)\n")
    print(f"{'store':<10}{'keys':<16}" + "".join(f"{n:>11} pr." for n in range(1, 5)))
    many = ",".join(f"192.0.2.{n}" for n in range(100))
    with redis(directory) as redis_url:
        for store, url in (("lmdb", f"lmdb://{directory}/throughput.lmdb"), ("redis", redis_url)):
            for label, keys in (("one for all", "192.0.2.1"), ("a hundred", many)):
                cells = [throughput(url, processes, keys) for processes in range(1, 5)]
                print(f"{store:<10}{label:<16}" + "".join(f"{cell:>15,.0f}" for cell in cells))
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for part in ("hits", "memory", "processes", "many"):
        parser.add_argument(f"--{part}", action="store_true")
    chosen = parser.parse_args()
    everything = not (chosen.hits or chosen.memory or chosen.processes or chosen.many)
    within = True
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if everything or chosen.hits:
            within &= show_hits(directory)
        if everything or chosen.memory:
            within &= show_memory()
        if everything or chosen.processes:
            show_processes(directory)
        if everything or chosen.many:
            within &= show_many(directory)
    print("within the budgets" if within else "over a budget")
    return 0 if within else 1


if __name__ == "__main__":
    raise SystemExit(main())
