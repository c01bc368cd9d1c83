"""Run other packages' own test suites behind the guard, and name what fails only there.

    python benchmarks/peers/peer_suites.py                       every suite
    python benchmarks/peers/peer_suites.py django-quick          what continuous integration runs
    python benchmarks/peers/peer_suites.py --list

Each request that a suite's test client makes passes one ``GuardMiddleware`` with the default
configuration, limits and bans off, in the suite's own process (``peer_hooks``). What fails so is
run again bare: what passes then fails only guarded. Suites come as source archives from PyPI, at
pinned versions, each into an environment of its own under the cache folder. Per suite the output
folder gets the outcomes of both runs, the counts, and the refused requests as JSON lines.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
from package_corpus_fetch import Fetcher
from peer_suites_catalogue import SUITES, Suite
from peer_verdicts import MAY_FAIL, Verdict, judge, read_table

REPOSITORY = Path(__file__).resolve().parents[2]
HOOKS = Path(__file__).resolve().parent / "peer_hooks"


@frozen
class Run:
    """The result of one run of a suite.

    :ivar outcomes: test ids to ``"passed"``, ``"failed"`` or ``"skipped"``; a failure stays a
        failure.
    :ivar requests: how many requests its clients made.
    :ivar refusals: the refused requests.
    """

    outcomes: Mapping[str, str]
    requests: int
    refusals: list[dict[str, Any]]

    @property
    def failed(self) -> list[str]:
        """The tests that failed, in order of their names, but modules that could not be loaded."""
        return sorted(
            test
            for test, outcome in self.outcomes.items()
            if outcome == "failed" and not test.startswith("unittest.loader.")
        )


@frozen
class Comparison:
    """A suite without and with the guard.

    :ivar peer: the owner of the tests, as in the table of verdicts.
    :ivar name: the name in reports.
    """

    peer: str
    name: str
    bare: Run
    guarded: Run

    @property
    def only_guarded(self) -> list[str]:
        """Return the tests that fail only behind the guard."""
        return [test for test in self.guarded.failed if self.bare.outcomes.get(test) != "failed"]


def read_run(stem: Path) -> Run | None:
    """Read the files of a run; ``None`` if there was none."""
    outcomes_file, refusals_file = Path(f"{stem}.outcomes.jsonl"), Path(f"{stem}.refusals.jsonl")
    counts_file = Path(f"{stem}.counts.json")
    if not outcomes_file.exists() or not counts_file.exists():
        return None
    outcomes: dict[str, str] = {}
    for line in outcomes_file.read_text().splitlines():
        told = json.loads(line)
        if outcomes.get(told["test"]) != "failed":
            outcomes[told["test"]] = told["outcome"]
    refusals = refusals_file.read_text().splitlines() if refusals_file.exists() else []
    requests = json.loads(counts_file.read_text())["requests"]
    return Run(outcomes, requests, [json.loads(line) for line in refusals])


class Runner:
    """Runs suites in environments of their own, under one cache folder."""

    def __init__(self, cache: Path, out: Path, python: Path | None = None) -> None:
        """``python`` runs every suite, where one environment has all that they need."""
        self.fetcher = Fetcher(cache)
        self.out = out
        self.python = python

    def compare(self, suite: Suite) -> Comparison:
        """Run a suite guarded, and bare what failed of it."""
        self.out.mkdir(parents=True, exist_ok=True)
        guarded = self.run(suite, "guarded", suite.tests)
        # "setUpClass (package.Class)" names no test, but the class of some.
        failed = sorted({re.sub(r"^\w+ \((.+)\)$", r"\1", test) for test in guarded.failed})
        bare = self.run(suite, "bare", failed) if failed else Run({}, 0, [])
        return Comparison(suite.package, suite.name, bare, guarded)

    def run(self, suite: Suite, mode: str, tests: list[str]) -> Run:
        """Run some tests of a suite once.

        :raises RuntimeError: when it came to no end; its output is in the message.
        """
        root = self.root(suite)
        stem = self.stem(suite, mode)
        for file in self.out.glob(f"{stem.name}.*"):
            file.unlink()
        output_file = Path(f"{stem}.txt")
        python = self.python or self.environment(suite)
        given = {name: text.format(root=root) for name, text in suite.environment.items()}
        paths = [str(HOOKS), str(REPOSITORY), given.pop("PYTHONPATH", "")]
        environment = {
            **os.environ,
            **given,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PEER_OUTCOMES": f"{stem}.outcomes.jsonl",
            "PEER_COUNTS": f"{stem}.counts.json",
            "PEER_REFUSALS": f"{stem}.refusals.jsonl",
        }
        with output_file.open("wb") as output:
            ran = subprocess.run(
                [str(python), str(HOOKS / "guarded_client.py"), mode, *suite.command, *tests],
                cwd=root / suite.folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=suite.timeout,
                check=False,  # a suite's own failures are compared, not reported
            )
        run = read_run(stem)
        if run is None or ran.returncode not in (0, 1):
            raise RuntimeError(
                f"{suite.name} ({mode}) came to no end:\n{output_file.read_text()[-3000:]}"
            )
        return run

    def stem(self, suite: Suite, mode: str) -> Path:
        """The prefix of a run's files."""
        return self.out / f"{suite.name}-{suite.version}-{mode}"

    def root(self, suite: Suite) -> Path:
        """The unpacked source archive of a suite."""
        (root,) = self.fetcher.sdist(suite.package, suite.version).iterdir()
        return root

    def environment(self, suite: Suite) -> Path:
        """The Python of a suite's environment."""
        guard = ("attrs", "hyperscan", "limits", "requests", "werkzeug")
        name = f"suite-{suite.package}"
        return self.fetcher.environment(name, *suite.requirements, *guard) / "python"


def report(comparison: Comparison, verdicts: list[Verdict]) -> int:
    """Print the result of a comparison; return how many failures have no verdict."""
    bare, guarded = comparison.bare, comparison.guarded
    only_guarded = comparison.only_guarded
    judged = {test: judge(verdicts, comparison.peer, test) for test in only_guarded}
    known = {test: line for test, line in judged.items() if line and line.verdict in MAY_FAIL}
    right = [test for test, line in known.items() if line.verdict == "right"]
    print(
        f"{comparison.name}: {len(guarded.outcomes)} tests, {len(bare.failed)} failed bare, too,"
        f" {len(only_guarded)} only guarded, {len(right)} of them rightly;"
        f" {guarded.requests} requests, {len(guarded.refusals)} refused"
    )
    for test in only_guarded:
        print(f"  fails only guarded: {test}")
        line = known.get(test)
        print(f"    {f'{line.verdict}: {line.reason}' if line else 'NOT JUDGED'}")
    for refusal in guarded.refusals:
        print(f"  refused: {refusal['method']} {refusal['path'][:80]} in {refusal['test'] or '-'}")
        print(f"    {refusal['check']}: {refusal['reason'][:160]}")
        for finding in refusal["findings"]:
            print(
                f"    {finding['category']} {finding['score']} in {finding['location']}"
                f" {finding['name']!r}: {finding['value'][:120]!r} {finding['evidence']}"
            )
    return len(only_guarded) - len(known)


def main() -> int:
    """Compare the requested suites; return 1 if something fails only behind the guard without a
    verdict."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", help="names; all but the quick ones without any")
    parser.add_argument("--list", action="store_true", help="name the suites")
    parser.add_argument("--out", type=Path, default=Path("peer-suites"))
    parser.add_argument("--cache", type=Path, help="downloads and environments (OUT/cache)")
    options = parser.parse_args()
    if options.list:
        print("\n".join(SUITES))
        return 0
    names = options.suites or [name for name in SUITES if not name.endswith("-quick")]
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        parser.error(f"no suite {', '.join(unknown)}: one of {', '.join(SUITES)}")
    if shutil.which("nice"):
        os.nice(5)
    out = options.out.resolve()
    runner = Runner((options.cache or out / "cache").resolve(), out)
    verdicts = read_table()
    unjudged = 0
    for name in names:
        try:
            comparison = runner.compare(SUITES[name])
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            unjudged += 1
            continue
        unjudged += report(comparison, verdicts)
        sys.stdout.flush()
    return 1 if unjudged else 0


if __name__ == "__main__":
    sys.exit(main())
