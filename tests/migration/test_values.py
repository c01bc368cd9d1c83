"""Every value that flaskapi-guard 4.4.0 takes and this package refuses has a reason.

``benchmarks/migration_values.py`` records what it takes; the table says why not here.
"""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import pytest

from guard_wsgi import SecurityConfig
from tests.migration.values import EXPRESSIONS, taken

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def there() -> dict[str, list[str]]:
    record = json.loads((HERE / "taken_there.json").read_text())
    return {name: [EXPRESSIONS[place] for place in places] for name, places in record.items()}


def test_the_table_has_every_refused_pair_with_its_reason_and_no_other(
    there: dict[str, list[str]],
) -> None:
    lines = (HERE / "refused.tsv").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    assert all(len(row) == 3 and row[2] for row in rows)
    told = {(name, expression) for name, expression, _ in rows}
    assert len(told) == len(rows)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            here = taken(SecurityConfig, there)
    finally:
        logging.disable(logging.NOTSET)
    refused = {
        (name, expression)
        for name, expressions in there.items()
        for expression in expressions
        if expression not in here[name]
    }
    assert refused - told == set(), "refused, and the table does not say why"
    assert told - refused == set(), "taken by now: take it off the table"


def test_the_record_is_of_all_its_options(there: dict[str, list[str]]) -> None:
    assert len(there) == 131
    assert sum(map(len, there.values())) > 3000
    assert set(there) <= set(SecurityConfig.model_fields)
