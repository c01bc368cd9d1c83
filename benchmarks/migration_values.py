"""Lists the option values that flaskapi-guard accepts and this package does not.

    python benchmarks/migration_values.py --peer VENV/bin/python   # with flaskapi-guard==4.4.0
    python benchmarks/migration_values.py --peer ... --record      # and keep what it takes

Prints the number of pairs and, by option, those that are refused here. The tests hold the record
(tests/migration/taken_there.json) against a table that has a reason for each
(tests/migration/refused.tsv).
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
RECORD = HERE / "tests" / "migration" / "taken_there.json"

ASK_THE_PEER = """
import json, logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
sys.path.insert(0, sys.argv[1])
from values import EXPRESSIONS, taken
from flaskapi_guard import SecurityConfig
found = taken(SecurityConfig, SecurityConfig.model_fields)
print(json.dumps({n: [EXPRESSIONS.index(e) for e in es] for n, es in found.items()}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="an interpreter that has flaskapi-guard 4.4.0")
    parser.add_argument("--record", action="store_true", help="keep what it takes")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    from guard_wsgi import SecurityConfig
    from tests.migration.values import EXPRESSIONS, taken

    if options.peer:
        told = subprocess.run(
            [options.peer, "-c", ASK_THE_PEER, str(RECORD.parent)],
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        ).stdout
        there = json.loads(told.splitlines()[-1])
        if options.record:
            lines = (f'  "{name}": {json.dumps(places)}' for name, places in there.items())
            RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    else:
        there = json.loads(RECORD.read_text())
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    here = taken(SecurityConfig, there)
    refused = {
        name: [e for e in (EXPRESSIONS[place] for place in places) if e not in here[name]]
        for name, places in there.items()
    }
    pairs, left = sum(map(len, there.values())), sum(map(len, refused.values()))
    print(f"flaskapi-guard takes {pairs} pairs of option and value; {left} are refused here")
    for name, expressions in sorted(refused.items(), key=lambda item: -len(item[1])):
        if expressions:
            print(f"{len(expressions):4d} {name}: {', '.join(expressions)[:120]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
