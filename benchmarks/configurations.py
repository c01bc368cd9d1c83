"""Measures the cost of options that ordinary sites set, in units of bare Flask.

    python benchmarks/configurations.py                 the table, against the budgets
    python benchmarks/configurations.py --only lmdb     the rows whose name has this word

Each row compares a guarded app with the same app bare; they take turns on the same requests. Every
visitor passes, so a row shows the cost of a rule for visitors that it does not refuse.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from workloads import (  # noqa: E402
    WORKLOADS,
    App,
    Environ,
    Workload,
    bare_app,
    nothing,
    time_once,
)

ORDINARY, LMDB, DECORATED = 0.35, 0.38, 0.40
"""The budget for a GET, in units of bare Flask."""
DEFAULT = 0.27

REQUESTS = (WORKLOADS[0], WORKLOADS[2])
"""A page for a browser, and a JSON document."""

EXCLUSIONS = 1000

WARM_ROUNDS = 18
"""After a thousand requests, the extension no longer looks for a ProxyFix inside of it
(rewrite_watch.py)."""

STATUSES = {
    "rule_type": "return_pattern",
    "pattern": "status:401,403,404",
    "threshold": 20,
    "window": 600,
    "action": "ban",
}
"""README's: twenty refused or missing pages in ten minutes ban."""


class Configuration(NamedTuple):
    """A site.

    :ivar guard: puts the guard around an app.
    :ivar at_most: the budget of a GET, ``None`` for none.
    :ivar arrive: what this site's server hands over in another way.
    """

    name: str
    guard: Callable[[Any], App]
    at_most: float | None = ORDINARY
    arrive: Callable[[Environ], object] | None = None


def options(**given: Any) -> Callable[[Any], App]:
    """A guard over WSGI with the defaults and these options."""

    def guard(app: Any) -> App:
        from guard_wsgi import GuardMiddleware, SecurityConfig

        return GuardMiddleware(app, SecurityConfig(**{"rate_limit": 10**9, **given}))

    return guard


def over_tls(environ: Environ) -> None:
    environ["wsgi.url_scheme"] = "https"


def through_a_proxy(environ: Environ) -> None:
    """README's sample: one proxy, which terminates TLS."""
    environ["HTTP_X_FORWARDED_FOR"] = environ["REMOTE_ADDR"]
    environ["HTTP_X_FORWARDED_PROTO"] = "https"
    environ["HTTP_HOST"] = "example.com"
    environ["REMOTE_ADDR"] = "10.0.0.7"


def to_host(environ: Environ) -> None:
    environ["HTTP_HOST"] = "example.com"


def extension(**given: Any) -> Callable[[Any], App]:
    def guard(app: Any) -> App:
        from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig

        FlaskAPIGuard(app, config=SecurityConfig(**{"rate_limit": 10**9, **given}))
        return app  # type: ignore[no-any-return]

    return guard


def decorated(app: Any) -> App:
    """Views with rules of their own, among them the ones that are asked for."""
    from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator

    config = SecurityConfig(rate_limit=10**9)
    protect = SecurityDecorator(config)
    decodings = app.view_functions
    decodings["page"] = protect.rate_limit(10**9, window=60)(decodings["page"])
    decodings["document"] = protect.content_type_filter(["application/json"])(decodings["document"])

    @app.get("/admin")
    @protect.require_ip(whitelist=["192.0.2.0/24"])
    def admin() -> str:
        return "admin"

    FlaskAPIGuard(app, config=config)
    return app  # type: ignore[no-any-return]


def beside_decorated(app: Any) -> App:
    """A view without rules beside one that has some."""
    from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator

    config = SecurityConfig(rate_limit=10**9)
    protect = SecurityDecorator(config)

    @app.get("/admin")
    @protect.require_ip(whitelist=["192.0.2.0/24"])
    def admin() -> str:
        return "admin"

    FlaskAPIGuard(app, config=config)
    return app  # type: ignore[no-any-return]


def exclusions(number: int) -> list[dict[str, Any]]:
    return [{"path": f"/blog/{each}/*", "body_fields": ["text"]} for each in range(number)]


@contextmanager
def configurations() -> Iterator[list[Configuration]]:
    """The table's rows."""
    with tempfile.TemporaryDirectory() as folder, collector() as url:
        agent = {
            "enable_agent": True,
            "agent_endpoint": url,
            "agent_api_key": "gw_benchmark",
            "agent_project_id": "shop",
        }
        yield [
            Configuration("default", options(), DEFAULT),
            Configuration("Flask extension", extension(), DECORATED),
            Configuration("blacklist", options(blacklist=["192.0.2.0/24"])),
            Configuration("exempt_ips", options(exempt_ips=["192.0.2.0/24"])),
            Configuration(
                "endpoint_rate_limits", options(endpoint_rate_limits={"/login": (5, 60)})
            ),
            Configuration(
                "enable_cors",
                options(enable_cors=True, cors_allow_origins=["https://app.example.com"]),
            ),
            Configuration("enforce_https", options(enforce_https=True), arrive=over_tls),
            Configuration("blocked_user_agents", options(blocked_user_agents=["badbot", "curl"])),
            Configuration("allowed_hosts", options(allowed_hosts=["example.com"]), arrive=to_host),
            Configuration("exclude_paths", options(exclude_paths=["/static", "/health"])),
            Configuration("log_request_level", options(log_request_level="INFO")),
            Configuration("rate_limit_headers", options(rate_limit_headers="both")),
            Configuration("lmdb", options(store_url=f"lmdb://{folder}/state.lmdb"), LMDB),
            Configuration("the agent", options(**agent)),
            Configuration(
                "README's proxy",
                options(
                    trusted_proxies=["10.0.0.0/8", "unix"],
                    trusted_proxy_depth=1,
                    trust_x_forwarded_proto=True,
                    allowed_hosts=["example.com"],
                ),
                arrive=through_a_proxy,
            ),
            Configuration(
                "README's exclusions",
                options(
                    detection_exclusions=[
                        {"path": "/blog/*", "body_fields": ["text"]},
                        {"path": "/oauth/callback", "params": ["state"]},
                    ]
                ),
            ),
            Configuration(
                f"{EXCLUSIONS} exclusions", options(detection_exclusions=exclusions(EXCLUSIONS))
            ),
            Configuration(
                f"{EXCLUSIONS} exclude_paths",
                options(exclude_paths=[f"/blog/{each}" for each in range(EXCLUSIONS)]),
            ),
            Configuration("a rule on statuses", options(global_behavior_rules=[STATUSES])),
            Configuration("beside decorated views", beside_decorated, DECORATED),
            Configuration("decorated views", decorated, DECORATED),
            Configuration(
                "custom_request_check", options(custom_request_check=lambda request: None), None
            ),
        ]


@contextmanager
def collector() -> Iterator[str]:
    from agent import Collector

    with Collector() as running:
        yield running.url


def print_table(rows: list[Configuration], rounds: int) -> bool:
    clients = count()

    def once(app: App, workload: Workload, row: Configuration) -> float:
        return time_once(app, workload, clients, row.arrive)

    found: dict[str, list[list[float]]] = {row.name: [[] for _ in REQUESTS] for row in rows}
    for row in rows:
        bare, guarded = bare_app(), row.guard(bare_app())
        for number in range(WARM_ROUNDS + rounds):
            for place, workload in enumerate(REQUESTS):
                harness = once(nothing, workload, row)
                first, second = (bare, guarded) if number % 2 else (guarded, bare)
                one, other = (once(app, workload, row) - harness for app in (first, second))
                without, with_guard = (one, other) if number % 2 else (other, one)
                if number >= WARM_ROUNDS:
                    found[row.name][place].append((with_guard - without) / without)
    print(f"{'configuration':28}" + "".join(f"{w.name:>26}" for w in REQUESTS) + f"{'budget':>8}")
    kept = True
    for row in rows:
        middles = [statistics.median(values) for values in found[row.name]]
        line = f"{row.name:28}" + "".join(f"{middle:26.3f}" for middle in middles)
        if row.at_most is not None:
            over = middles[0] > row.at_most
            kept = kept and not over
            line += f"{row.at_most:8.2f}" + (" OVER" if over else "")
        print(line)
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="", help="rows whose name has this")
    chosen = parser.parse_args()
    with Path(os.devnull).open("w") as nowhere:
        logging.basicConfig(stream=nowhere, format="%(asctime)s %(name)s %(levelname)s %(message)s")
        with configurations() as rows:
            rows = [row for row in rows if any(w in row.name for w in chosen.only.split(","))]
            return 0 if print_table(rows, chosen.rounds) else 1


if __name__ == "__main__":
    raise SystemExit(main())
