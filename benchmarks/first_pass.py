"""Measures what each pattern of the first pass adds to a scan and to its database.

    python benchmarks/first_pass.py                  all names, the most expensive first
    python benchmarks/first_pass.py --only shell.    patterns whose name begins so, one by one

Every request waits for this scan (detection/scanning/prefilter.py), so whoever adds a pattern looks
here first. A pattern costs time where its fixed text is common in harmless requests, and costs most
if Hyperscan finds none of two bytes in it: then a machine reads every byte, which takes 0.3 us of
each head. The row of such a pattern says so in all columns.

The script compiles all literals with one name's patterns beside them, and prints the change of the
time of a scan (us) and of the size (bytes) against the literals alone; first the times of the
literals and of the whole first pass. Times are the least of several alternated rounds of processor
time: differences under a twentieth of a scan are noise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hyperscan

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from workloads import WORKLOADS, Workload, make_environ

from guard_wsgi.detection.first_pass import body_bytes
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.scanning.prefilter import JOINER, Named, literals, named_patterns

FLAGS = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_ALLOWEMPTY
AT_ONCE = 8
"""How many databases take turns. More would push each other out of the processor's caches."""
MOST_CHARS = 110
"""Of the row of one pattern."""
ROUNDS = 9
ROUND_SECONDS = 0.003


def texts() -> dict[str, bytes]:
    """The parts of the ordinary workloads, as the first pass scans them."""
    by_name = {workload.name: workload for workload in WORKLOADS}
    return {
        "head": _head(by_name["GET, 12 browser headers"]),
        "query": _head(by_name["GET, 6 query parameters"]),
        "form": _body(by_name["POST form, 10 fields"]),
        "JSON 2k": _body(by_name["POST JSON, 2 KB"]),
        "JSON 64k": _body(by_name["POST JSON, 64 KB"]),
    }


def _head(workload: Workload) -> bytes:
    environ = make_environ(workload, 1)
    keys = [key for key in environ if key.startswith("HTTP_")] + ["PATH_INFO", "QUERY_STRING"]
    return JOINER.join(["", *(environ[key] for key in keys), ""]).replace("+", " ").encode()


def _body(workload: Workload) -> bytes:
    return body_bytes(workload.body, BodyKind.of(workload.content_type))


def compiled(rows: Named) -> tuple[Callable[[bytes], object], int]:
    """Compile patterns. Return what scans a text, and the size."""
    numbers: dict[str, int] = {}
    database: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        [pattern.encode() for _, pattern in rows],
        ids=[numbers.setdefault(name, len(numbers)) for name, _ in rows],
        flags=[FLAGS] * len(rows),
    )
    scratch = hyperscan.Scratch(database)
    return lambda data: database.scan(data, _found, 0, None, scratch), len(
        hyperscan.dumpb(database)
    )


def _found(*_: object) -> bool:
    raise SystemExit("a text of the workloads opens the first pass")


def least(scans: list[Callable[[bytes], object]], data: bytes) -> list[float]:
    """The microseconds of each of several scanners."""
    calls = max(3, int(ROUND_SECONDS / _seconds(scans[0], data, 3)))
    best = [float("inf")] * len(scans)
    for _ in range(ROUNDS):
        for index, scan in enumerate(scans):
            best[index] = min(best[index], _seconds(scan, data, calls) * 1e6)
    return best


def _seconds(scan: Callable[[bytes], object], data: bytes, calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        scan(data)
    return (time.process_time() - began) / calls


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="the beginning of names")
    only = parser.parse_args().only
    plain, _ = literals()
    groups: dict[str, Named] = {}
    for name, pattern in named_patterns():
        if name.startswith(only):
            label = f"{name} {pattern}"[:MOST_CHARS] if only else name
            groups.setdefault(label, []).append((name, pattern))
    data = texts()
    print(f"{'':26} {'bytes':>9}" + "".join(f"{name:>10}" for name in data))
    base = compiled(plain)
    for label, rows in (("literals", plain), ("first pass", [*plain, *named_patterns()])):
        scan, size = compiled(rows)
        print_row(label, size, [least([scan], text)[0] for text in data.values()])
    found = []
    labels = list(groups)
    for at in range(0, len(labels), AT_ONCE):
        some = labels[at : at + AT_ONCE]
        made = [base, *(compiled([*plain, *groups[label]]) for label in some)]
        took = [least([scan for scan, _ in made], text) for text in data.values()]
        for index, label in enumerate(some, 1):
            added = [times[index] - times[0] for times in took]
            found.append((label, made[index][1] - base[1], added))
    for label, size, added in sorted(found, key=lambda row: -sum(row[2][:-1])):
        print_row(label, size, added)
    return 0


def print_row(label: str, size: int, times: list[float]) -> None:
    print(f"{label:26} {size:9d}" + "".join(f"{time:10.2f}" for time in times), flush=True)


if __name__ == "__main__":
    sys.exit(main())
