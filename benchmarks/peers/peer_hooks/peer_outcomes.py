"""Writes what each test of a suite came to, whichever runner the suite has.

Runs in the suite's own process, under ``unittest`` (Django's runner) or pytest (peer_plugin.py).
One JSON object a line: ``{"test": id, "outcome": "passed" | "failed" | "skipped"}``.
"""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any

METHODS = {
    "addSuccess": "passed",
    "addExpectedFailure": "passed",
    "addFailure": "failed",
    "addError": "failed",
    "addUnexpectedSuccess": "failed",
    "addSkip": "skipped",
}

FILE = Path(os.environ["PEER_OUTCOMES"])
"""Read at once: some tests empty the environment."""

current_test = ""
"""The test that runs now; pytest names its own in the environment."""


def running_test() -> str:
    """The id of the test that runs now, as the outcomes name it."""
    return current_test or os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


def tell(test: str, outcome: str) -> None:
    """Write one outcome."""
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"test": test, "outcome": outcome}) + "\n")


def watch_unittest() -> None:
    """Have every ``unittest`` result tell the outcomes, those of runners' own classes too."""
    result: Any = unittest.TestResult
    start = result.startTest

    def start_test(self: Any, test: Any) -> None:
        global current_test
        current_test = test.id()
        start(self, test)

    result.startTest = start_test
    for name, outcome in METHODS.items():
        setattr(result, name, _telling(getattr(result, name), outcome))
    sub_test = result.addSubTest

    def add_sub_test(self: Any, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            tell(test.id(), "failed")
        sub_test(self, test, subtest, err)

    result.addSubTest = add_sub_test


def _telling(method: Any, outcome: str) -> Any:
    def telling(self: Any, test: Any, *args: Any) -> None:
        tell(test.id(), outcome)
        method(self, test, *args)

    return telling
