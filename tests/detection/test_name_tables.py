"""Patterns with tables of names are found as if Hyperscan knew the tables."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.indicators.indicator import Indicator
from guard_wsgi.detection.scanning.families import builtin_scanners, separable, shortest
from guard_wsgi.detection.scanning.name_tables import (
    by_first_letter,
    without_retries,
    without_tables,
)
from guard_wsgi.detection.scanning.scanner import SEPARATOR

WIDENED = tuple(one for one in INDICATORS if without_tables(one.pattern) != one.pattern)
NAMES = "|".join(f"name{number}" for number in range(40))


def expression(pattern: str) -> re.Pattern[bytes]:
    return re.compile(separable(shortest(pattern)).encode(), re.IGNORECASE | re.DOTALL)


def test_some_patterns_have_tables() -> None:
    assert len(WIDENED) > 10


@pytest.mark.parametrize("one", WIDENED, ids=lambda one: one.name)
def test_a_pattern_without_its_tables_matches_whatever_the_pattern_matches(one: Indicator) -> None:
    wide, exact = expression(without_tables(one.pattern)), expression(one.pattern)
    for other in INDICATORS:
        for example in other.examples:
            data = SEPARATOR + example.encode() + SEPARATOR
            assert wide.search(data) or not exact.search(data), example


@pytest.mark.parametrize("one", WIDENED, ids=lambda one: one.name)
def test_a_pattern_whose_tables_are_grouped_matches_the_same(one: Indicator) -> None:
    pattern = separable(shortest(one.pattern))
    assert by_first_letter(pattern) != pattern
    grouped = re.compile(by_first_letter(pattern).encode(), re.IGNORECASE | re.DOTALL)
    exact = expression(one.pattern)
    for other in INDICATORS:
        for example in other.examples:
            for text in (example, example[:-1], example[1:], example + "x"):
                data = SEPARATOR + text.encode() + SEPARATOR
                assert bool(grouped.match(data)) == bool(exact.match(data)), text


@pytest.mark.parametrize("one", WIDENED, ids=lambda one: one.name)
def test_a_name_that_is_not_in_the_table_is_not_found(one: Indicator) -> None:
    scanners = builtin_scanners("auto")
    exact = expression(one.pattern)
    for example in one.examples:
        assert one in scanners.read(example.encode())
        odd = re.sub(r"[a-zA-Z]{2,}", "qqzzqq", example).encode()
        assert (one in scanners.read(odd)) == bool(exact.search(SEPARATOR + odd + SEPARATOR))


def test_each_text_of_many_is_confirmed_by_itself() -> None:
    scanners = builtin_scanners("auto")
    texts = (b"visudo", b"wisudo", b"visudo", b"")
    data, ends = SEPARATOR, []
    for text in texts:
        data += text + SEPARATOR
        ends.append(len(data))
    found = scanners.among(data, ends)
    assert ["shell.admin_alone" in names for names in found] == [True, False, True, False]


def test_a_second_reading_of_a_text_is_confirmed_too() -> None:
    data = SEPARATOR + b"x%20y" + SEPARATOR + b"visudo" + SEPARATOR
    assert "shell.admin_alone" in builtin_scanners("auto").among(data, [len(data)])[0]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(rf"(?:{NAMES})x", id="it may begin anywhere"),
        pytest.param(rf"^(?:{NAMES})|(?:{NAMES})x", id="a part may begin anywhere"),
        pytest.param("^(?:a|b|c)x", id="a short list"),
        pytest.param(rf"^(?:{NAMES}|a b)x", id="a blank in a name"),
        pytest.param(rf"^(?:{NAMES}|.)x", id="any character"),
        pytest.param(rf"^(?:{NAMES}|[^a])x", id="a negated class"),
        pytest.param(rf"^(?:{NAMES}|[+-9])x", id="a range of marks"),
        pytest.param(rf"^(?:{NAMES}|)x", id="an empty name"),
        pytest.param(rf"^(?:{NAMES}|a?)x", id="a name that may be empty"),
        pytest.param(rf"^(?:{NAMES}|(?:a|b)?)x", id="a group that may be missing"),
        pytest.param(rf"^(?:{NAMES}|\s)x", id="white space"),
    ],
)
def test_other_patterns_stay_as_they_are(pattern: str) -> None:
    assert without_tables(pattern) == pattern


def test_a_table_becomes_any_name() -> None:
    assert without_tables(
        rf"^\s*(?:{NAMES}|mkfs(?:\.\w+)?|(?:un)?zip|(?:a|b)_c|g\+\+|python[\d.]*)\s"
    ) == (r"^\s*[\w.+-]+\s")


PIECES = (
    *("'", '"', " ", "\t", ";", "|", "||", "&", "`", "(", "$(", "\\", "^", "@", "{", ".", "/"),
    *("htop", "visudo", "phpinfo", "()", "sudo ", "time ", "bin/", "\n", " -a", ".exe", "1", "a"),
)
BOTH = [
    (expression(one.pattern), re.compile(fast.encode(), re.IGNORECASE | re.DOTALL))
    for one in WIDENED
    if (fast := without_retries(slow := separable(shortest(one.pattern)))) != slow
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_quotes_before_a_name_are_taken_once_without_a_difference(text: str) -> None:
    assert len(BOTH) > 8
    data = SEPARATOR + text.encode() + SEPARATOR
    for slow, fast in BOTH:
        assert bool(slow.match(data)) == bool(fast.match(data)), slow.pattern[:60]
