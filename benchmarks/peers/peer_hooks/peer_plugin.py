"""A plugin of pytest that tells what each test came to.

By itself, as pytest wants to load its plugins before anybody else has.
"""

from __future__ import annotations

from typing import Any


def pytest_runtest_logreport(report: Any) -> None:
    """pytest's hook: a test's call, or what went wrong around it."""
    from peer_outcomes import tell

    if report.when == "call" or report.outcome != "passed":
        tell(report.nodeid, report.outcome)
