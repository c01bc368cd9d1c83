"""Lists the places in which a payload passes that is refused in a query: places x payloads x
frameworks.

    python benchmarks/differential.py [--payloads N] [--missed] [CORPUS...]

Payloads are the values of the queries of attacks in CORPUS (JSON lines, as in tests/detection/
sample.jsonl.gz, which is the default) that the guard refuses as `?q=PAYLOAD`. A payload counts in a
place only if the framework itself reads it from there (tests/detection/differential.py). Requests
go through `GuardMiddleware` with its default options.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.detection.differential import FRAMEWORKS, gates, receives  # noqa: E402
from tests.detection.places import AMONG_TEXT, EXCEPTIONS, PLACES  # noqa: E402

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


def share(refused: int, received: int) -> str:
    return f"{refused}/{received} {refused / received:6.1%}" if received else "-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", nargs="*", type=Path)
    parser.add_argument("--payloads", type=int, default=200)
    parser.add_argument("--missed", action="store_true", help="show those that pass, by place")
    options = parser.parse_args()
    logging.getLogger("guard_wsgi").setLevel(logging.CRITICAL)
    guards = gates()
    refuses = guards["flask"]
    files = options.corpus or [ROOT / "tests" / "detection" / "sample.jsonl.gz"]
    in_query = PLACES["query value"]
    known = [text for text in payloads(files) if refuses(in_query(text))]
    step = len(known) / min(options.payloads, len(known))
    chosen = [known[int(at * step)] for at in range(min(options.payloads, len(known)))]
    # Behind a word, a path or an address is no whole value any more.
    alone = {text for text in chosen if not refuses(in_query(f"tea {text}"))}
    print(f"{len(chosen)} payloads that are refused in a query, {len(alone)} of them only alone")
    print(f"{'place':48}" + "".join(f"{name:>17}" for name in FRAMEWORKS))
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    below: dict[str, list[str]] = defaultdict(list)
    for name, place in PLACES.items():
        counts = {framework: [0, 0] for framework in FRAMEWORKS}
        missed: list[str] = []
        for text in chosen:
            if name in AMONG_TEXT and text in alone:
                continue
            try:
                sent = place(text)
            except ValueError:
                continue  # a payload that can't be written so
            for framework in FRAMEWORKS:
                if receives(framework, sent, text):
                    refused = guards[framework](sent)
                    counts[framework][0] += refused
                    counts[framework][1] += 1
                    if not refused and text not in missed:
                        missed.append(text)
        for framework, (refused_count, received) in counts.items():
            if name not in EXCEPTIONS:
                totals[framework][0] += refused_count
                totals[framework][1] += received
                if refused_count < AIM * received:
                    below[framework].append(name)
        shown = f"{name} *" if name in EXCEPTIONS else f"{name} +" if name in AMONG_TEXT else name
        print(f"{shown:48}" + "".join(f"{share(*cell):>17}" for cell in counts.values()))
        if options.missed and missed:
            print(f"    passes: {[text[:60] for text in missed[:12]]}")
    print(f"{'all':48}" + "".join(f"{share(*cell):>17}" for cell in totals.values()))
    print("* not counted: " + "; ".join(f"{name}: {why}" for name, why in EXCEPTIONS.items()))
    print("+ not counted there: payloads that are attacks only as a whole value")
    for framework in FRAMEWORKS:
        names = below[framework]
        print(f"{framework}: {len(names)} of {len(PLACES)} places below {AIM:.0%} {names or ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
