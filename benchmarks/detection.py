"""Measures detection: time by source, the share of requests that need a closer look, the worst
inputs, and how many found attacks are still found in wrapped form.

    python benchmarks/detection.py [CORPUS...] [--evasions] [--sample N]

CORPUS as for train_detection.py; without one, the made benign traffic only. Times are the median of
single calls, in microseconds, on this machine: read them against each other.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent / "training"))
from benign_traffic import benign_requests
from labelled import environ_of, load

from guard_wsgi.detection import Detector, Finding, Inspection
from guard_wsgi.detection.first_pass import StableHeaders, body_bytes
from guard_wsgi.detection.message.media import BodyKind

FORM = "application/x-www-form-urlencoded"
ADVERSARIAL = (
    "'",
    "' or ",
    "%27",
    "\\",
    "(",
    ") ",
    "/*",
    "/*!",
    "*/",
    "<",
    "<a ",
    "{{",
    "${",
    "../",
    "&#x27;",
    '"',
    "--",
    ";",
    "`",
    " ",
    "[",
    '{"a":',
    "x'||'",
    "union select ",
    "A1b2",
    "%u0027",
    "\\u0027",
    "'+'",
    "::",
    "@{",
    "<!--",
    "; cat /etc/passwd ",
    "\x00",
    "a=b&",
    "' \t",
    "(select ",
    "${${",
    "<x onx=",
)


def inspect(inspection: Inspection, environ: dict[str, Any]) -> tuple[tuple[Finding, ...], float]:
    """Findings in head and body, and the seconds they took."""
    body = environ["wsgi.input"].read()
    kind = environ.get("CONTENT_TYPE", "")
    start = time.perf_counter()
    found = inspection.head(environ)
    if body:
        found += inspection.body(body, content_type=kind)
    return found, time.perf_counter() - start


def by_source(inspection: Inspection, records: list[dict[str, Any]]) -> None:
    """Time, share of slow paths, and rate of findings for every source."""
    rows: dict[str, list[tuple[float, bool, bool]]] = defaultdict(list)
    for record in records:
        environ = environ_of(record)
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        kind = environ.get("CONTENT_TYPE", "")
        matches = inspection._matches_json if "json" in kind else inspection._matches
        first_pass = StableHeaders().head_pass(
            *(inspection._matches, inspection._matches_json), lambda environ: False, 0, {}
        )
        slow = first_pass(environ) is not None or bool(
            body and matches(body_bytes(body, BodyKind.of(kind)))
        )
        found, seconds = inspect(inspection, environ)
        rows[f"{record['label']} {record['source']}"].append((seconds * 1e6, slow, bool(found)))
    titles = ("n", "median us", "p99 us", "closer look %", "found %")
    widths = (6, 10, 9, 14, 8)
    head = " ".join(f"{title:>{width}s}" for title, width in zip(titles, widths, strict=True))
    print(f"{'source':34s} {head}")
    for name, measured in sorted(rows.items()):
        times = sorted(one[0] for one in measured)
        print(
            f"{name:34s} {len(times):6d} {statistics.median(times):10.1f} "
            f"{times[int(0.99 * (len(times) - 1))]:9.1f} "
            f"{100 * sum(one[1] for one in measured) / len(times):14.1f} "
            f"{100 * sum(one[2] for one in measured) / len(times):8.2f}"
        )


def worst(inspection: Inspection) -> None:
    """The most expensive adversarial input at each size, by kind of body and in the query."""
    print(f"\n{'bytes':>9s} {'worst ms':>9s} {'ns/byte':>8s}  input")
    for size in (1024, 16_384, 65_536, 262_144, 1_048_576):
        found = []
        for unit in ADVERSARIAL:
            text = unit * (size // len(unit))
            for kind in (FORM, "application/json", "text/plain"):
                body = json.dumps({"a": text}).encode() if "json" in kind else text.encode()
                start = time.perf_counter()
                inspection.body(body, content_type=kind)
                found.append((time.perf_counter() - start, f"{unit!r} as {kind}"))
            start = time.perf_counter()
            inspection.head({"PATH_INFO": "/", "QUERY_STRING": "q=" + text[:65_536]})
            found.append((time.perf_counter() - start, f"{unit!r} in the query"))
        seconds, what = max(found)
        print(f"{size:9d} {seconds * 1e3:9.2f} {seconds * 1e9 / size:8.0f}  {what}")


def _comments(payload: str) -> str:
    return payload.replace(" ", "/**/")


def _mixed(payload: str) -> str:
    return "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(payload))


WRAPPINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda payload: payload,
    "percent twice": lambda payload: quote(payload, safe=""),
    "mixed case": _mixed,
    "comments": _comments,
    "plus": lambda payload: payload.replace(" ", "+"),
    "tabs": lambda payload: payload.replace(" ", "\t"),
}


def placed(place: str, payload: str) -> dict[str, Any]:
    """An environ with the payload in a place; the query and forms add one layer of percent."""
    latin = payload.encode("utf-8", "surrogatepass").decode("latin-1")
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/search", "QUERY_STRING": ""}
    body, kind = b"", ""
    escaped = quote(payload.encode("utf-8", "surrogatepass"), safe="")
    if place == "query":
        environ["QUERY_STRING"] = "a=1&q=" + escaped
    elif place == "path":
        environ["PATH_INFO"] = "/items/" + latin
    elif place == "cookie":
        environ["HTTP_COOKIE"] = "theme=dark; p=" + escaped
    elif place == "header":
        environ["HTTP_X_SEARCH"] = latin
    elif place == "form":
        body, kind = ("a=1&q=" + escaped).encode(), FORM
    elif place == "json":
        body, kind = json.dumps({"id": 1, "q": payload}).encode(), "application/json"
    else:
        text = payload.encode("utf-8", "surrogatepass")
        body = b'--X\r\nContent-Disposition: form-data; name="q"\r\n\r\n' + text + b"\r\n--X--\r\n"
        kind = "multipart/form-data; boundary=X"
    return {**environ, "CONTENT_TYPE": kind, "wsgi.input": io.BytesIO(body)}


def evasions(inspection: Inspection, records: list[dict[str, Any]], sample: int) -> None:
    """Recall of distinct payloads by place and wrapping."""
    payloads = sorted(
        {
            record["meta"]["payload"]
            for record in records
            if record["label"] == "attack" and (record.get("meta") or {}).get("payload")
        }
    )
    chosen = payloads[:: max(1, len(payloads) // sample)]
    places = ("query", "form", "json", "multipart", "path", "cookie", "header")
    print(
        f"\n{len(chosen)} payloads found, %\n{'':14s}"
        + "".join(f"{p:>11s}" for p in places)
        + f"{'all':>11s}"
    )
    for name, wrap in WRAPPINGS.items():
        rates = []
        for place in places:
            hits = sum(bool(inspect(inspection, placed(place, wrap(one)))[0]) for one in chosen)
            rates.append(100 * hits / len(chosen))
        print(
            f"{name:14s}" + "".join(f"{r:11.1f}" for r in rates) + f"{statistics.mean(rates):11.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure detection.")
    parser.add_argument("corpus", nargs="*")
    parser.add_argument("--evasions", action="store_true")
    parser.add_argument("--sample", type=int, default=800, help="payloads to wrap")
    arguments = parser.parse_args()
    records = [*load(arguments.corpus), *benign_requests(100)]
    detector = Detector()
    detector.warm()
    inspection = detector.compile()
    if arguments.evasions:
        evasions(inspection, records, arguments.sample)
        return
    by_source(inspection, records)
    worst(inspection)


if __name__ == "__main__":
    main()
