"""Values that Python would evaluate are read by its own parser, which stays silent."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection.language.python_expressions import is_reaching_expression

NUMBERS = ("1", "10_0", "1.", ".5", "1e5", "1E-5", "0xf", "0x1f", "0b1", "0o7", "1j", "1_")
WORDS = ("or", "and", "in", "is", "if", "else", "not", "for", "or2", "OR", "e", "(", ")", "'", '"')
OTHERS = ("open", "open('x')", "[", "]", ".", ",", " ", "\\", "\\d", "f'", "{", "}", "%", "\n")


def charge(characters: int) -> None:
    assert characters > 0


@given(st.lists(st.sampled_from(NUMBERS + WORDS + OTHERS), max_size=12).map("".join))
def test_reading_a_value_warns_of_nothing(text: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        is_reaching_expression(f"open({text}", charge)
        is_reaching_expression(f"{text} or (open)('x')", charge)
    assert warned == []


@pytest.mark.parametrize(
    "text",
    [
        "(open)('/etc/passwd').read()",
        "1or open('/etc/passwd')",
        "0xfor open('/etc/passwd')",
        "list(map(open,['/etc/passwd']))[0]",
        "1if open('x')else 2",
        r"open('\x2fetc\x2fpasswd')",
    ],
)
def test_an_expression_that_reaches_a_file_is_one(text: str) -> None:
    assert is_reaching_expression(text, charge)


@pytest.mark.parametrize("text", ["open(2)", "We are open (Mon-Fri)", "vars()", "open(file)"])
def test_a_page_of_the_manual_and_a_sentence_are_none(text: str) -> None:
    assert not is_reaching_expression(text, charge)
