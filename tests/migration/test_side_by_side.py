"""Two example apps answer as under flaskapi-guard 4.4.0, but where a difference has its reason.

``benchmarks/migration.py`` records what it answers, in a venv of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.migration.scenarios import answers

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def here() -> dict[str, list[str]]:
    return answers("guard_wsgi_flask")


@pytest.fixture(scope="module")
def there() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((HERE / "answers_there.json").read_text())
    return found


def test_every_difference_has_its_reason_and_every_reason_a_difference(
    here: dict[str, list[str]], there: dict[str, list[str]]
) -> None:
    lines = (HERE / "differences.tsv").read_text().splitlines()[1:]
    reasons = dict(line.split("\t") for line in lines)
    assert len(reasons) == len(lines)
    assert all(reasons.values())
    # Scenarios that it could not answer in time are left out of the record.
    assert set(there) <= set(here)
    assert len(there) > 100
    differing = {name for name in there if here[name] != there[name]}
    assert differing == set(reasons) & set(there)


def test_no_scenario_fails_to_run(here: dict[str, list[str]]) -> None:
    assert len(here) > 200
    for name, told in here.items():
        assert told != ["died"], name
        assert not any(answer.startswith(("does not start", "raises ")) for answer in told), name
