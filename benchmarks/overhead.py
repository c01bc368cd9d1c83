"""Measures the cost of the guard, in units of the bare Flask app.

    python benchmarks/overhead.py             the table, against the budgets
    python benchmarks/overhead.py --peer      the same with flaskapi-guard 4.4.0 beside it
    python benchmarks/overhead.py --sketch    the same with the least that a guard could be
    python benchmarks/overhead.py --ladder    the same with a guard that has one extra check
    python benchmarks/overhead.py --hook      the same with a function of the site's own
    python benchmarks/overhead.py --stores    the same with LMDB and Redis as the store
    python benchmarks/overhead.py --stages    what each part of the guard adds
    python benchmarks/overhead.py --profile   the guard's own functions, by time

All requests are WSGI calls in this process; bare and guarded app take turns (workloads.py).
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import logging
import math
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from workloads import (  # noqa: E402
    CLIENTS,
    WORKLOADS,
    App,
    Environ,
    bare_app,
    make_environ,
    measure,
    nothing,
    ratios,
    serve,
)

PEER = "flaskapi-guard==4.4.0"
BUDGETS = {
    "GET, 12 browser headers": (0.25, 0.15),
    "GET, 6 query parameters": (0.25, 0.15),
    "POST JSON, 2 KB": (0.30, 0.18),
    "POST form, 10 fields": (0.25, 0.15),
    "POST JSON, 64 KB": (0.35, 0.18),
    "SQL injection in the query, refused": (0.30, 0.15),
}
"""Workload -> (at most, aim), in bare-Flask units; the others have none."""

FLOOD_REQUESTS = 16
"""How many requests of each client precede the timed refusals. After these, the log has a line for
a client only at each doubling of its requests. A logged refusal has its own row."""


def settings(**options: Any) -> Any:
    """Every default check is on; only the thresholds that would end the run are out of reach."""
    from guard_wsgi import SecurityConfig

    return SecurityConfig(**{"rate_limit": 10**9, "auto_ban_threshold": 10**9, **options})


def guarded(app: App, **options: Any) -> App:
    from guard_wsgi import GuardMiddleware

    return GuardMiddleware(app, settings(**options))


def as_extension() -> App:
    """The same app with the Flask extension, which resolves routes if any view has rules."""
    from guard_wsgi_flask import FlaskAPIGuard

    app = bare_app()
    FlaskAPIGuard(app, config=settings())  # type: ignore[arg-type]
    return app


def sketch(app: App) -> App:
    """The smallest possible guard, in one function: bans, a counter, the first pass of detection
    over head and body, headers. The difference to ours is the cost of the rest: proxies, routes,
    options, counts that are exact in threads, a verdict, a contract kept in all cases."""
    from guard_wsgi.detection.first_pass import StableHeaders, body_bytes
    from guard_wsgi.detection.message.media import BodyKind
    from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
    from guard_wsgi.response.headers import SecurityHeaders

    prefilter = builtin_prefilter("auto")
    look = StableHeaders().head_pass(
        prefilter.matches, prefilter.matches_json, lambda environ: False, 10**9, {}
    )
    names, ours = SecurityHeaders.from_config(settings()).plain  # type: ignore[union-attr]
    banned: set[str] = set()
    counts: dict[str, list[float]] = {}

    def guard(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        client = environ["REMOTE_ADDR"]
        now = time.monotonic()
        window = counts.get(client)
        if window is None or now > window[0]:
            window = counts[client] = [now + 60, 0]
        window[1] += 1
        opened = client in banned or look(environ) is not None
        length = environ.get("CONTENT_LENGTH")
        if length and not opened:
            body = environ["wsgi.input"].read(int(length))
            environ["wsgi.input"] = io.BytesIO(body)
            kind = environ["CONTENT_TYPE"]
            matches = prefilter.matches_json if "json" in kind else prefilter.matches
            opened = matches(body_bytes(body, BodyKind.of(kind)))
        if opened:
            start_response("400 Bad Request", ours)
            return [b"refused"]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            for name, _ in headers:
                if name.lower() in names:
                    break
            return start_response(status, headers + ours)

        return app(environ, start)

    return guard


def begin_flood(app: App) -> None:
    """Let every client attack for a while."""
    for workload in WORKLOADS:
        if workload.refused and not workload.fresh:
            for number in range(FLOOD_REQUESTS * len(CLIENTS)):
                serve(app, make_environ(workload, number))


def with_a_check_more(app: App) -> App:
    """The guard of a site with a check besides the usual ones, here a list of addresses."""
    return guarded(app, blacklist=["192.0.2.0/24"])


def with_a_hook(app: App) -> App:
    """The guard of a site with a function of its own, which does nothing, but is asked in the
    app's context where that is Flask's."""
    return guarded(app, custom_request_check=lambda request: None)


EXTRAS: dict[str, Callable[[App], App]] = {
    "sketch": sketch,
    "ladder": with_a_check_more,
    "hook": with_a_hook,
}
"""Subjects that are measured when they are asked for."""

LMDB_OVER_MEMORY = 0.10
"""The budget of a store for several workers over the store for one process, in units of bare Flask.
Redis has no budget: the network and the server decide the time of a round trip."""


@contextmanager
def stores() -> Iterator[dict[str, Callable[[App], App]]]:
    """Guards over LMDB, and over Redis on this machine if its server is installed."""
    with tempfile.TemporaryDirectory() as name:
        lmdb = f"lmdb://{name}/state.lmdb"
        kinds: dict[str, Callable[[App], App]] = {"lmdb": lambda app: guarded(app, store_url=lmdb)}
        from tests.state.redis_server import RedisServer

        server = RedisServer(Path(name))
        try:
            server.start()
        except (OSError, AssertionError, RuntimeError) as error:
            print(f"without Redis: {error}", file=sys.stderr)
            yield kinds
            return
        try:
            yield {**kinds, "redis": lambda app: guarded(app, store_url=server.url)}
        finally:
            server.stop()


def print_table(rounds: int, peer: bool, extras: dict[str, Callable[[App], App]]) -> bool:
    """Print the table; whether every budget is kept."""
    subjects = {"bare": bare_app(), "guarded": guarded(bare_app())}
    subjects |= {name: make(bare_app()) for name, make in extras.items()}
    for name, app in subjects.items():
        if name not in ("bare", "sketch"):
            begin_flood(app)
    times = measure(subjects, rounds)
    peer_times = measure_peer(max(5, rounds // 20)) if peer else None
    head = f"{'workload':38}{'bare':>9}{'guard':>9}{'ratio':>8}{'quartiles':>15}{'budget':>8}"
    head = f"{head:92}" + "".join(f"{name:>8}" for name in extras)
    print(head + (f"{'peer':>10}" if peer else ""))
    kept = True
    for workload in WORKLOADS:
        row = times[workload.name]
        middle, low, high = ratios(row, "guarded", whole=workload.refused)
        bare = statistics.median(row["bare"])
        most, aim = BUDGETS.get(workload.name, (math.inf, math.inf))
        kept = kept and middle <= most
        verdict = "aim" if middle <= aim else "ok" if middle <= most else "OVER"
        verdict = f"{most:8.2f} {verdict}" if most < math.inf else f"{'-':>8}"
        line = (
            f"{workload.name:38}{bare * 1e6:7.1f}us{bare * middle * 1e6:7.1f}us{middle:8.3f}"
            f"{f'{low:.3f}-{high:.3f}':>15}{verdict}"
        )
        line = f"{line:92}"
        for name in extras:
            of_extra = ratios(row, name, whole=workload.refused)[0]
            line += f"{of_extra:8.3f}"
            if name == "lmdb" and most < math.inf and of_extra - middle > LMDB_OVER_MEMORY:
                kept = False
                line += " OVER"
        if peer_times is not None:
            ratio, _, _ = ratios(peer_times[workload.name], "peer", whole=workload.refused)
            line += f"{ratio:10.0f}"
        print(line)
    print(f"\n{rounds} rounds. 'guard' is the time added, for refused requests the whole time.")
    return kept


def measure_peer(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Time flaskapi-guard in its own environment, built on first use."""
    home = Path(tempfile.gettempdir()) / f"overhead-peer-{os.getuid()}"
    python = home / "bin" / "python"
    if not python.exists():
        print(f"building {home} with {PEER} ...", file=sys.stderr)
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", PEER, "flask"], check=True)
    run = subprocess.run(
        [python, HERE / "peer.py", str(rounds)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=1800,
    )
    times: dict[str, dict[str, list[float]]] = json.loads(run.stdout)
    return times


def stages() -> dict[str, Callable[[App], App]]:
    """Switch parts on one at a time, from a guard with everything off to the default one."""
    off = {
        "enable_penetration_detection": False,
        "security_headers": None,
        "enable_rate_limiting": False,
        "max_request_size": None,
    }
    return {
        "everything off": lambda app: guarded(app, **off),
        "+ headers": lambda app: guarded(app, **{**off, "security_headers": {"enabled": True}}),
        "+ rate limit": lambda app: guarded(
            app, enable_penetration_detection=False, max_request_size=None
        ),
        "+ size limit": lambda app: guarded(app, enable_penetration_detection=False),
        "+ detection, head": lambda app: guarded(app, detection_scan_body=False),
        "+ detection, body": guarded,
    }


def print_stages(rounds: int) -> None:
    """Print what each part adds: microseconds, and units of bare Flask."""
    kinds = stages()
    passing = [workload for workload in WORKLOADS if not workload.refused]
    subjects = {"bare": nothing, **{name: make(nothing) for name, make in kinds.items()}}
    times = measure(subjects, rounds, passing)
    flask = measure({"bare": bare_app()}, rounds, passing)
    print(f"{'':20}" + "".join(f"{workload.name:>26}" for workload in passing))
    before = {workload.name: 0.0 for workload in passing}
    for name in kinds:
        cells = []
        for workload in passing:
            row = times[workload.name]
            mine = statistics.median(row[name]) - statistics.median(row["bare"])
            added, before[workload.name] = mine - before[workload.name], mine
            unit = statistics.median(flask[workload.name]["bare"])
            cells.append(f"{added * 1e6:15.2f}us {added / unit:7.3f}")
        print(f"{name:20}" + "".join(f"{cell:>26}" for cell in cells))
    total = [before[w.name] / statistics.median(flask[w.name]["bare"]) for w in passing]
    print(f"{'all':20}" + "".join(f"{value:26.3f}" for value in total))


def print_profile(calls: int, lines: int, chosen: str) -> None:
    """Print where the guard's own time is spent; the cost of the profiler inflates small
    functions."""
    clients = count()
    for workload in WORKLOADS:
        if chosen and chosen.lower() not in workload.name.lower():
            continue
        app = guarded(nothing)
        for _ in range(200):
            serve(app, make_environ(workload, next(clients)))
        requests = [make_environ(workload, next(clients)) for _ in range(calls)]
        profile = cProfile.Profile()
        profile.enable()
        for environ in requests:
            serve(app, environ)
        profile.disable()
        text = io.StringIO()
        pstats.Stats(profile, stream=text).strip_dirs().sort_stats("tottime").print_stats(lines)
        print(f"== {workload.name}: {calls} calls\n{text.getvalue().strip()}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, help="rounds (default 200, ~20 s)")
    parser.add_argument("--peer", action="store_true", help=f"measure {PEER} as well")
    parser.add_argument("--sketch", action="store_true", help="measure the least guard as well")
    parser.add_argument("--ladder", action="store_true", help="measure one with an extra check")
    parser.add_argument("--hook", action="store_true", help="measure one with a hook as well")
    parser.add_argument("--stores", action="store_true", help="measure LMDB and Redis as well")
    parser.add_argument("--stages", action="store_true", help="what each part of the guard adds")
    parser.add_argument("--profile", action="store_true", help="profile the guard alone")
    parser.add_argument("--only", default="", help="with --profile: workloads whose name has this")
    options = parser.parse_args()
    # Log lines are made and formatted as in production, and then dropped.
    with Path(os.devnull).open("w") as nowhere:
        logging.basicConfig(stream=nowhere, format="%(asctime)s %(name)s %(levelname)s %(message)s")
        if options.profile:
            print_profile(2000, 30, options.only)
            return 0
        if options.stages:
            print_stages(options.rounds)
            return 0
        extras = {name: make for name, make in EXTRAS.items() if getattr(options, name)}
        with stores() if options.stores else nullcontext({}) as kinds:
            return 0 if print_table(options.rounds, options.peer, {**extras, **kinds}) else 1


if __name__ == "__main__":
    raise SystemExit(main())
