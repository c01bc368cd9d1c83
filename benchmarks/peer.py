"""Times flaskapi-guard; run by ``overhead.py --peer`` in a virtual environment of its own.

Prints one JSON object: workload -> subject -> seconds per request, one a round.
"""

from __future__ import annotations

import json
import logging
import sys

from workloads import WORKLOADS, bare_app, measure


def guarded_app():  # type: ignore[no-untyped-def]
    from flaskapi_guard import FlaskAPIGuard, SecurityConfig

    app = bare_app()
    config = SecurityConfig(
        enable_redis=False,
        rate_limit=10**9,
        auto_ban_threshold=10**9,  # every refused request is to be inspected, not just banned
    )
    FlaskAPIGuard(app, config=config)
    return app


def main() -> None:
    rounds = int(sys.argv[1])
    logging.disable(logging.CRITICAL)
    # One request takes tens of milliseconds, so a few calls per round are exact enough.
    workloads = [workload._replace(calls=3) for workload in WORKLOADS]
    json.dump(measure({"bare": bare_app(), "peer": guarded_app()}, rounds, workloads), sys.stdout)


if __name__ == "__main__":
    main()
