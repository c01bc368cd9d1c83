"""Measures the cost of a weighed byte, by the kind of document.

    python benchmarks/bytes.py                          all kinds at 38 kB and 240 kB
    python benchmarks/bytes.py --sizes 38000 --only HTML --places JSON,form,text

The guard with default settings reads each kind (documents.py) twice: as a new document, and again.
The script prints processor time per byte of the body (us) and the maximum per request (ms), for the
first and the second look, and the findings (`spent` is the budget). The bars are 0.5 microseconds a
byte, and 150 milliseconds a request.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import process_time

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from documents import DATA, DOCUMENTS, PLACES, WORST, Request

from guard_wsgi.detection import DetectionSettings, Detector, Inspection
from guard_wsgi.detection.finding import BUDGET, Finding

Make = Callable[[Random, int], Request]
MEASURED_BYTES = 300_000
"""How many bytes of one kind and size to measure: more documents if they are short."""


def kinds(places: list[str], only: list[str]) -> dict[str, Make]:
    def placed(name: str, place: str) -> Make:
        document, put = DOCUMENTS[name], PLACES[place]
        return lambda rng, size: put(document(rng, size))

    made = {f"{name}, {place}": placed(name, place) for name in DOCUMENTS for place in places}
    made |= DATA | WORST
    return {name: make for name, make in made.items() if not only or name.partition(",")[0] in only}


def look(inspection: Inspection, request: Request) -> tuple[float, tuple[Finding, ...]]:
    kind, body = request
    began = process_time()
    found = inspection.body(body, content_type=kind)
    return process_time() - began, found


def told(found: tuple[Finding, ...]) -> str:
    if not found:
        return "-"
    spent = [one.indicators[0] for one in found if one.category == BUDGET]
    return f"spent ({spent[0]})" if spent else found[0].category


def measure(detector: Detector, name: str, make: Make, size: int) -> str:
    first = second = worst = worst_again = 0.0
    read = 0
    findings: Counter[str] = Counter()
    for number in range(max(1, min(8, MEASURED_BYTES // size))):
        request = make(Random(f"{name} {number}"), size)
        inspection = detector.compile(DetectionSettings())  # which remembers nothing
        taken, found = look(inspection, request)
        again, _ = look(inspection, request)
        findings[told(found)] += 1
        first, worst = first + taken, max(worst, taken)
        second, worst_again = second + again, max(worst_again, again)
        read += len(request[1])
    said = ", ".join(f"{what} x{many}" if many > 1 else what for what, many in findings.items())
    return (
        f"{name:22} {size:8d} {first * 1e6 / read:7.2f} {worst * 1e3:8.1f}"
        f" {second * 1e6 / read:8.2f} {worst_again * 1e3:8.1f}   {said}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="38000,240000")
    parser.add_argument("--places", default="JSON")
    parser.add_argument("--only", default="", help="names of kinds, with commas between")
    options = parser.parse_args()
    detector = Detector()
    detector.warm()
    look(detector.compile(), ("text/plain", b"<script>alert(1)</script> warm"))
    columns = f"{'bytes':>8} {'us/byte':>7} {'most ms':>8} {'us again':>8} {'ms again':>8}"
    print(f"{'':22} {columns}   found")
    only = [name for name in options.only.split(",") if name]
    for size in map(int, options.sizes.split(",")):
        for name, make in kinds(options.places.split(","), only).items():
            print(measure(detector, name, make, size), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
