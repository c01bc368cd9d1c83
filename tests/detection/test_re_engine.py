"""Without Hyperscan, `re` searches windows in a bounded time (WHOLE_CHARS)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanning.families import separable, shortest
from guard_wsgi.detection.scanning.re_forms import for_backtracking
from guard_wsgi.detection.scanning.scanner import SEPARATOR
from guard_wsgi.detection.scoring.window import WHOLE_CHARS
from tests.detection.pump import stopped_after
from tests.detection.structure_pump import pumps

MOST_SECONDS = 2.0
"""Exponential patterns take hours, and those of the fourth power 10 seconds; the slowest takes 0.1,
and any machine is slower at times."""
PIECES = (
    *("'", '"', " ", "  ", ")", "(", "or", "and", "not ", "1", "=", "--", "#", ";", "a", "||"),
    *("select ", "null", "is ", "union ", "sleep(", "in ", "like ", "@a", "between ", "\t", "/*"),
)  # fmt: skip
CHANGED = [
    (re.compile(one.pattern, re.I | re.S), re.compile(other, re.I | re.S))
    for one in INDICATORS
    if (other := for_backtracking(one.pattern)) != one.pattern
]


FAMILIES = sorted({one.name.partition(".")[0] for one in INDICATORS})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("family", FAMILIES)
def test_no_window_takes_long(family: str) -> None:
    slow = []
    for one in INDICATORS:
        if one.name.partition(".")[0] == family:
            pattern = for_backtracking(separable(shortest(one.pattern))).encode()
            search = re.compile(pattern, re.IGNORECASE | re.DOTALL).search
            for prefix, atom in pumps(pattern, re.IGNORECASE | re.DOTALL):
                text = (prefix + atom * (WHOLE_CHARS // len(atom)))[:WHOLE_CHARS] + "~"
                data = (
                    SEPARATOR + text.encode("latin-1", "replace").replace(b"\xff", b"") + SEPARATOR
                )
                with stopped_after(MOST_SECONDS) as time:
                    search(data)
                if time.is_over:
                    slow.append((one.name, prefix, atom))
                    break
    assert slow == []


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_a_form_for_backtracking_takes_the_same_texts(text: str) -> None:
    assert len(CHANGED) > 40
    for pattern, form in CHANGED:
        assert bool(pattern.search(text)) == bool(form.search(text)), pattern.pattern
