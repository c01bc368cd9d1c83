"""Measures how the time to read a request grows with its length.

    python benchmarks/pump.py

Each compiled pattern of the package and each entry of detection reads a prefix and a repeated atom,
n and 2n characters (tests/detection/pump.py). The script prints the worst growth of processor time,
unless the time is negligible: 2 is linear, 4 is quadratic.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guard_wsgi.detection import DetectionSettings, Detector
from tests.detection.pump import (
    ATOMS,
    BOUNDED,
    MOST_GROWTH,
    entries,
    growth,
    growths_of_pattern,
    guard_entries,
    methods_of,
    patterns,
)

SIZE = 3000
PREFIXES = ("", '"', "<a", "q=")


def main() -> int:
    worst = 0.0
    for name, pattern in patterns():
        growths = sorted(growths_of_pattern(pattern, methods_of(name)), key=lambda one: -one[2])
        for prefix, atom, more in growths[:1]:
            reason = BOUNDED.get(name, "")
            print(f"{name:48} {more:5.1f}  {prefix!r} {atom!r}  {reason}")
            worst = max(worst, 0.0 if reason else more)
    inspection = Detector().compile(DetectionSettings(max_values=10**7, max_chars=10**9))
    for name, act in (entries(inspection) | guard_entries()).items():
        act("warm <script>")
        found = [
            (growth(act, prefix, atom, SIZE), prefix, atom) for prefix in PREFIXES for atom in ATOMS
        ]
        more, prefix, atom = max(found)
        print(f"{name:48} {more:5.1f}  {prefix!r} {atom!r}")
        worst = max(worst, more)
    print(f"worst growth: {worst:.1f}, {MOST_GROWTH:.1f} allowed")
    return int(worst > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
