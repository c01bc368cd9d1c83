"""Many short values are scanned together; the findings are those of each value by itself."""

from __future__ import annotations

import random
import re
from itertools import accumulate
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import DetectionSettings, Detector, Inspection
from guard_wsgi.detection.finding import Finding
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanning.families import builtin_scanners, separable
from guard_wsgi.detection.scanning.scanner import SEPARATOR
from guard_wsgi.detection.scoring.scorer import MIN_SCREENED
from tests.detection.pump import ATOMS

EXAMPLES = sorted({example for one in INDICATORS for example in one.examples})
HARMLESS = ("tea", "O'Brien", "it's 5 > 4", "<b>", "a & b", "C:\\new", "50% off", "-- \n", "x\n")
VALUE = st.one_of(
    st.sampled_from((*EXAMPLES, *HARMLESS)),
    st.lists(st.sampled_from(ATOMS), max_size=6).map("".join),
)


@given(st.lists(VALUE, min_size=2, max_size=12))
@settings(deadline=None)
def test_together_what_each_has_alone(texts: list[str]) -> None:
    scanners = builtin_scanners("auto")
    pieces = [text.encode() + SEPARATOR for text in texts]
    ends = list(accumulate(map(len, pieces), initial=len(SEPARATOR)))[1:]
    together = scanners.among(SEPARATOR + b"".join(pieces), ends)
    for text, found in zip(texts, together, strict=True):
        assert found == {one.name for one in scanners.read(text.encode())}, text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a$", b"a"),
        (r"[$^]\^\$$", b"$^$"),
        (r"(?:^|x)[^]^]$", b"y\n"),
        (r"^\\$", b"\\"),
        (r"^.\S\W\D$", b"ab c"),
    ],
)
def test_anchors_hold_beside_a_separator(pattern: str, text: bytes) -> None:
    made = re.compile(separable(pattern).encode())
    assert made.search(SEPARATOR + text + SEPARATOR)
    assert made.search(b"b" + SEPARATOR + text + SEPARATOR + b"b")
    assert not made.search(SEPARATOR + b"b" + text + b"b" + SEPARATOR)


@pytest.mark.parametrize("pattern", ["a.", ".a", r"\Wa", r"a\S", r"\Da", "[^b]a", "a[^b]"])
def test_nothing_takes_a_part_of_a_separator(pattern: str) -> None:
    assert not re.search(separable(pattern).encode(), SEPARATOR + b"a" + SEPARATOR)


def test_a_class_that_is_negated_inside_of_another_is_refused() -> None:
    with pytest.raises(ValueError, match="negated class"):
        separable(r"a[\W_]")


def found_in(inspection: Inspection, pairs: list[tuple[str, str]]) -> set[Finding]:
    body = urlencode(pairs).encode()
    return set(inspection.body(body, content_type="application/x-www-form-urlencoded"))


def test_an_attack_among_many_values_is_found_as_it_is_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = random.Random(1)
    detector = Detector()
    for attack in rng.sample(EXAMPLES, 60):
        pairs = [(f"a{n}", f"{rng.choice(HARMLESS)} {n}") for n in range(40)]
        pairs.insert(rng.randrange(30), ("item", attack))
        with monkeypatch.context() as patched:
            patched.setattr("guard_wsgi.detection.scoring.scorer.MIN_SCREENED", 10**9)
            alone = found_in(detector.compile(DetectionSettings()), pairs)
        assert found_in(detector.compile(DetectionSettings()), pairs) == alone
    assert MIN_SCREENED < 40
