"""Compares the answers of two example apps under flaskapi-guard 4.4.0 and under this package.

    python benchmarks/migration.py --peer VENV/bin/python    # a venv with flaskapi-guard==4.4.0
    python benchmarks/migration.py --peer ... --record       # and keep what it answers

Each scenario (tests/migration/scenarios.py) runs in its own process. Every difference is in
tests/migration/differences.tsv with its reason, or the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
MIGRATION = HERE / "tests" / "migration"
RECORD = MIGRATION / "answers_there.json"

ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from scenarios import answers
print(json.dumps(answers(sys.argv[2])))
"""


def ask(python: str, module: str) -> dict[str, list[str]]:
    """Return the answers of a package in an interpreter that has it."""
    told = subprocess.run(
        [python, "-c", ASK, str(MIGRATION), module],
        capture_output=True,
        text=True,
        check=True,
        timeout=1800,
    ).stdout
    found: dict[str, list[str]] = json.loads(told.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="an interpreter that has flaskapi-guard 4.4.0")
    parser.add_argument("--record", action="store_true", help="keep what it answers")
    options = parser.parse_args()
    there = ask(options.peer, "flaskapi_guard") if options.peer else json.loads(RECORD.read_text())
    if options.record:
        RECORD.write_text(json.dumps(there, indent=0) + "\n")
    here = ask(sys.executable, "guard_wsgi_flask")
    lines = (MIGRATION / "differences.tsv").read_text().splitlines()[1:]
    reasons = dict(line.split("\t") for line in lines)
    differing = [name for name in here if here[name] != there.get(name)]
    for name in differing:
        print(f"{name}: {reasons.get(name, 'NO REASON')}")
        print(f"  there: {there.get(name)}\n  here:  {here[name]}")
    print(f"{len(here)} scenarios, {len(here) - len(differing)} with equal answers")
    return int(any(name not in reasons for name in differing))


if __name__ == "__main__":
    raise SystemExit(main())
