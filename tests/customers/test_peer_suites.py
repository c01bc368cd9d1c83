"""Django's own tests run behind the guard; what fails only there is in the table of verdicts.

All suites, and published apps with their real clients, are run by benchmarks/peers/peer_suites.py
and peer_clients.py; here, the packages of Django's that tell most a second.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))

from peer_suites import SUITES, Comparison, Runner  # noqa: E402
from peer_verdicts import MAY_FAIL, judge, read_table  # noqa: E402

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "guard-wsgi-peers"
"""Where Django's source archive is kept from one run to the next."""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Django's quick packages without and with the guard, in this environment."""
    out = tmp_path_factory.mktemp("suites")
    return Runner(CACHE, out, Path(sys.executable)).compare(SUITES["django-quick"])


@pytest.mark.timeout(600)
def test_djangos_own_tests_pass_behind_the_guard_but_those_that_send_attacks(
    compared: Comparison,
) -> None:
    verdicts = read_table()
    unjudged = [
        test
        for test in compared.only_guarded
        if (line := judge(verdicts, "django", test)) is None or line.verdict not in MAY_FAIL
    ]
    assert not unjudged, compared.guarded.refusals


@pytest.mark.timeout(600)
def test_no_request_of_djangos_own_tests_is_refused_but_attacks(compared: Comparison) -> None:
    verdicts = read_table()
    assert compared.guarded.requests > 1_500
    assert compared.guarded.refusals, "nothing at all was refused: is there a guard?"
    for refusal in compared.guarded.refusals:
        line = judge(verdicts, "django", refusal["test"])
        assert line is not None, refusal
        assert line.verdict in MAY_FAIL, refusal


def test_each_verdict_names_one_peer_and_says_why() -> None:
    verdicts = read_table()
    assert len({(line.peer, line.test) for line in verdicts}) == len(verdicts)
    for line in verdicts:
        assert judge(verdicts, line.peer, line.test.replace("*", "x")) == line
