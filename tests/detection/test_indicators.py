"""Each indicator is one row: its pattern, its patterns for the first pass, and examples of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from guard_wsgi.detection.decoding.decodings import decodings
from guard_wsgi.detection.first_pass import value_bytes
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanning.families import builtin_scanners
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from guard_wsgi.detection.scoring.model import shipped_model

SCANNERS, PREFILTER, MODEL = builtin_scanners("auto"), builtin_prefilter("auto"), shipped_model()


def found_in(text: str) -> Iterator[str]:
    for view in decodings(text):
        for one in SCANNERS.read(view.text.encode("utf-8", "surrogatepass")):
            yield one.name


@pytest.mark.parametrize("name", [one.name for one in INDICATORS])
def test_each_example_opens_the_first_pass_and_is_found(name: str) -> None:
    (indicator,) = (one for one in INDICATORS if one.name == name)
    assert indicator.examples, "an indicator without an example shows nothing"
    for example in indicator.examples:
        assert PREFILTER.matches(value_bytes(example)), example
        assert name in set(found_in(example)), example


def test_an_indicator_that_was_not_learned_of_weighs_what_its_author_gave_it() -> None:
    assert {one.name for one in INDICATORS} <= set(MODEL.weights)
    assert MODEL.weights["sql.union_table"] > 0
