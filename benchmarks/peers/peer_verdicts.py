"""The table of what fails only behind the guard: right, with the reason, mended, or open.

``tests/customers/verdicts.tsv`` has one line a test, step or kind of them, by tabs: whose suite,
the test's id (``*`` stands for any text), the verdict, and why. What is right may fail only
guarded; so may what is open: it is wrong, and known. What was mended must not fail again, nor
may anything that has no line.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from attrs import frozen

TABLE = Path(__file__).resolve().parents[2] / "tests" / "customers" / "verdicts.tsv"
VERDICTS = ("right", "mended", "open")
MAY_FAIL = ("right", "open")


@frozen
class Verdict:
    """One line of the table."""

    peer: str
    test: str
    verdict: str
    reason: str

    def speaks_of(self, peer: str, test: str) -> bool:
        """Whether the line is about a test."""
        # The id of a test may have brackets, which have a meaning in patterns.
        pattern = self.test.replace("[", "[[]")
        return self.peer == peer and fnmatchcase(test, pattern)


def read_table(path: Path = TABLE) -> list[Verdict]:
    """The lines of the table, without comments and the heading.

    :raises ValueError: for a line that is no verdict.
    """
    verdicts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#") or line.startswith("peer\t"):
            continue
        columns = line.split("\t")
        if len(columns) != 4 or columns[2] not in VERDICTS or not all(columns):
            raise ValueError(f"{path.name}:{number}: not peer, test, {' or '.join(VERDICTS)}, why")
        verdicts.append(Verdict(*columns))
    return verdicts


def judge(verdicts: Iterable[Verdict], peer: str, test: str) -> Verdict | None:
    """Return the line about a test, if there is one."""
    return next((line for line in verdicts if line.speaks_of(peer, test)), None)
