"""Measures the cost of the guard for harmless requests of public sources, by source.

    python benchmarks/traffic.py CORPUS.jsonl...

The files are those of package_corpus.py, or in its form, packed or not. Each benign request is
served by a bare Flask app that reads its query, form or JSON, and by the same app behind a guard,
alternated in one process: by three guards that have never seen it, and twice more by one of them,
like health probes, beacons and saved drafts. The lowest processor time of each counts. The script
prints for each source: the mean added time at the first look, in microseconds and in units of the
bare app; the same for repeated requests; the 99th percentile at the first look; and the number of
refused requests, which do not count. Bars: 0.8 as the mean of the sources, 3 for the worst, and 1
ms + 20 us a kB for the percentile.
"""

from __future__ import annotations

import gzip
import json
import logging
import sys
from collections import defaultdict
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parent / "training"))

from flask import Flask, request
from labelled import environ_of

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig

MOST_OF_A_SOURCE = 300
MEAN, WORST = 0.8, 3.0


def reading_app(name: str) -> Flask:
    app = Flask(name)

    @app.before_request
    def read() -> str:
        fields = len(request.args)
        if request.mimetype.endswith("json"):
            request.get_json(silent=True)
        elif request.method in ("POST", "PUT", "PATCH"):
            fields += len(request.form) + len(request.files)
        return f"ok {fields}"

    return app


def request_of(record: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the whole environ of a server on port 80, and the body."""
    environ = environ_of(record)
    body: bytes = environ.pop("wsgi.input").read()
    server: dict[str, Any] = {
        "SCRIPT_NAME": "",
        "SERVER_NAME": "shop.example.com",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "198.51.100.23",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return server | environ | {"CONTENT_LENGTH": str(len(body))}, body


def serve(app: Any, environ: dict[str, Any], body: bytes) -> tuple[float, str]:
    statuses: list[str] = []
    made = environ | {"wsgi.input": BytesIO(body)}
    began = process_time()
    answer = app(made, lambda status, headers, error=None: statuses.append(status))
    for _ in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()
    return process_time() - began, statuses[-1]


def main() -> int:
    logging.disable(logging.CRITICAL)
    bare, guarded = reading_app("bare"), [reading_app(f"guarded{n}") for n in range(3)]
    config = SecurityConfig(rate_limit=10_000_000, rate_limit_window=60, enable_ip_banning=False)
    for app in guarded:
        FlaskAPIGuard(app, config=config)
    sources: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name in sys.argv[1:]:
        with gzip.open(name, "rt") if name.endswith(".gz") else open(name) as file:
            for record in map(json.loads, file):
                if record["label"] == "benign":
                    sources[record["source"]].append(record)
    # Patterns are compiled at the first suspicious value.
    for app in guarded:
        serve(app, *request_of(next(iter(sources.values()))[0] | {"query": "q=<script>"}))
    columns = f"{'refused':>7} {'added us':>8} {'first':>6} {'again':>6} {'p99 us':>8}"
    print(f"{'source':28} {'n':>4} {columns}")
    firsts, over = [], []
    for source, records in sources.items():
        base = first = again = 0.0
        added, refused, longest = [], 0, 0
        for record in records[:: max(1, len(records) // MOST_OF_A_SOURCE)]:
            environ, body = request_of(record)
            looks = []
            least = 9.0
            for app in guarded:
                least = min(least, serve(bare, environ, body)[0])
                looks.append(serve(app, environ, body))
            seconds, status = min(looks)
            if status[:3] in ("400", "403", "413", "415"):
                refused += 1
                continue
            base, first = base + least, first + seconds - least
            again += min(serve(guarded[0], environ, body)[0] for _ in range(2)) - least
            added.append(seconds - least)
            longest = max(longest, len(body) + len(environ["QUERY_STRING"]))
        if not added:
            continue
        percentile = sorted(added)[min(len(added) - 1, int(len(added) * 0.99))]
        firsts.append(first / base)
        if firsts[-1] > WORST or percentile > 1e-3 + 20e-6 * longest / 1000:
            over.append(source)
        print(
            f"{source:28} {len(added):4} {refused:7} {first / len(added) * 1e6:8.1f}"
            f" {first / base:6.2f} {again / base:6.2f} {percentile * 1e6:8.0f}",
            flush=True,
        )
    mean = sum(firsts) / len(firsts)
    print(f"mean of {len(firsts)} sources at the first look: {mean:.2f}")
    print(f"over their bars: {', '.join(over) or 'none'}")
    return int(mean > MEAN or bool(over))


if __name__ == "__main__":
    sys.exit(main())
