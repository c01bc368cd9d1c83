"""Lists the places in which a payload passes that is refused in a query: places x payloads x
frameworks.

    python benchmarks/differential.py [--payloads N] [--missed] [CORPUS...]

Payloads are the values of the queries of attacks in CORPUS (JSON lines, as in tests/detection/
sample.jsonl.gz, which is the default) that the guard refuses as `?q=PAYLOAD`. A payload counts in a
place only if the framework itself reads it from there (tests/detection/differential.py).
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from guard_wsgi.detection import Detector, Inspection  # noqa: E402
from tests.detection.differential import (  # noqa: E402
    EXCEPTIONS,
    FRAMEWORKS,
    PLACES,
    Sent,
    receives,
)

AIM = 0.99


def payloads(files: Iterable[Path]) -> Iterator[str]:
    """Distinct values of the queries of attacks."""
    seen = set()
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["label"] != "attack" or not record.get("query"):
                    continue
                for _, value in parse_qsl(record["query"], errors="replace"):
                    if value not in seen and "\ufffd" not in value and "\x00" not in value:
                        seen.add(value)
                        yield value


def refuses(inspection: Inspection, sent: Sent) -> bool:
    environ = sent.environ()
    found = inspection.head(environ)
    if not found and sent.body:
        limit = inspection.settings.max_body_bytes
        found = inspection.body(
            sent.body[:limit],
            content_type=sent.kind,
            content_encoding=sent.headers.get("HTTP_CONTENT_ENCODING", ""),
            complete=len(sent.body) <= limit,
        )
    return bool(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", nargs="*", type=Path)
    parser.add_argument("--payloads", type=int, default=200)
    parser.add_argument("--missed", action="store_true", help="show one that passes, by place")
    options = parser.parse_args()
    inspection = Detector().compile()
    files = options.corpus or [ROOT / "tests" / "detection" / "sample.jsonl.gz"]
    known = [text for text in payloads(files) if refuses(inspection, PLACES["query value"](text))]
    chosen = known[:: max(len(known) // options.payloads, 1)][: options.payloads]
    print(f"{len(chosen)} payloads that are refused in a query")
    print(f"{'place':44}" + "".join(f"{name:>16}" for name in FRAMEWORKS))
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    below = 0
    for name, place in PLACES.items():
        counts = {framework: [0, 0] for framework in FRAMEWORKS}
        missed = ""
        for text in chosen:
            try:
                sent = place(text)
            except ValueError:
                continue  # a payload that can't be written so
            refused = refuses(inspection, sent)
            for framework in FRAMEWORKS:
                if receives(framework, sent, text):
                    counts[framework][0] += refused
                    counts[framework][1] += 1
                    missed = missed if refused else text
        cells = []
        for framework, (refused_count, received) in counts.items():
            if name not in EXCEPTIONS:
                totals[framework][0] += refused_count
                totals[framework][1] += received
            cells.append(f"{refused_count}/{received}" if received else "-")
        below += name not in EXCEPTIONS and any(one < AIM * all_ for one, all_ in counts.values())
        shown = f"{name} *" if name in EXCEPTIONS else name
        print(f"{shown:44}" + "".join(f"{cell:>16}" for cell in cells))
        if options.missed and missed:
            print(f"    passes: {missed[:120]!r}")
    print(f"{'all':44}" + "".join(f"{one / all_:>15.2%} " for one, all_ in totals.values()))
    print("* not counted: " + "; ".join(f"{name}: {why}" for name, why in EXCEPTIONS.items()))
    print(f"{below} of {len(PLACES)} places below {AIM:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
