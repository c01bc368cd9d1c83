"""Nothing that reads a request takes the square of its length (benchmarks/pump.py prints all)."""

from __future__ import annotations

import re
from functools import partial

import pytest

from guard_wsgi.detection import DetectionSettings, Detector, Inspection
from tests.detection.pump import (
    ATOMS,
    BOUNDED,
    MOST_GROWTH,
    _patterns_in,
    entries,
    growth,
    growths_of_pattern,
    guard_entries,
    methods_of,
    patterns,
)
from tests.detection.structure_pump import pumps

ENTRY_BYTES = 3000
LARGE_BYTES = 16_000
"""A body of this size is read piece by piece, and findings are then located in the whole."""


@pytest.fixture(scope="module")
def unbounded() -> Inspection:
    """An inspection whose budget does not end slow code."""
    return Detector().compile(DetectionSettings(max_values=10**7, max_chars=10**9))


@pytest.mark.timeout(300)
def test_every_pattern_is_linear() -> None:
    found = {}
    for name, pattern in patterns():
        if name not in BOUNDED:
            for prefix, atom, more in growths_of_pattern(pattern, methods_of(name)):
                if more > MOST_GROWTH:
                    found[name] = prefix, atom, round(more, 1)
                    break
    assert found == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(entries(Detector().compile())))
def test_every_way_in_is_linear(unbounded: Inspection, name: str) -> None:
    act = entries(unbounded)[name]
    act("warm <script>")
    size = LARGE_BYTES if name.endswith("before an attack") else ENTRY_BYTES
    found = {}
    for atom in ATOMS:
        more = growth(act, "", atom, size)
        if more > MOST_GROWTH:
            found[atom] = round(more, 1)
    assert found == {}


@pytest.mark.timeout(300)
def test_every_way_into_the_other_checks_is_linear() -> None:
    found = {}
    for name, act in guard_entries().items():
        for atom in ATOMS:
            more = growth(act, "", atom, ENTRY_BYTES)
            if more > MOST_GROWTH:
                found[name] = atom, round(more, 1)
    assert found == {}


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("(?:a|aa)+b", {"aa", "a"}),
        (r"x[\w-]*[\d.]*-?;", {"0"}),
        (r"'\s*\)*\s*--", {" ", "'\n"}),
    ],
)
def test_growing_texts_come_from_the_structure_of_a_pattern(pattern: str, texts: set[str]) -> None:
    assert texts <= {atom for _, atom in pumps(pattern, 0)}
    grown = growths_of_pattern(re.compile(pattern), {"search"})
    assert any(more > MOST_GROWTH for _, _, more in grown)


def test_patterns_are_found_wherever_they_are_kept() -> None:
    names = {name for name, _ in patterns()}
    assert {"detection.formats.graphql._TOKEN", "cli.log_lines._FINDING"} <= names
    kept = re.compile("a+b")

    class Holder:
        pattern = re.compile("b+c")

    def closure() -> object:
        return lambda text: kept.search(text)

    Holder.__module__ = "here"
    inside = (kept.match, {"a": [closure()]}, partial(re.compile("c+d").sub, ""), Holder)
    found = {one.pattern for one in _patterns_in(inside, "here", set())}
    assert found == {"a+b", "b+c", "c+d"}


def test_growth_tells_the_square_from_the_line() -> None:
    def square(text: str) -> int:
        return sum(text.count("ab", start) for start in range(len(text)))

    def line(text: str) -> int:
        return sum(len(text) for _ in range(len(text) * 20))

    assert growth(square, "", "a", 3000) > MOST_GROWTH
    assert growth(line, "", "a", 3000) < MOST_GROWTH
