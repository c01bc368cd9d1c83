"""What a request may cost depends on its length, and what is alike is weighed once."""

from __future__ import annotations

import json
import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection import BUDGET, Detector, Inspection
from guard_wsgi.detection.decoding.decodings import _PERCENT_RUN, _from_percent, _without_percent
from guard_wsgi.detection.finding import Finding
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from guard_wsgi.detection.scoring.window import AROUND_CHARS, windows
from guard_wsgi.detection.value import DENSITY, Budget, BudgetSpent
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
INJECTION = "1' union select password from users-- -"


@pytest.fixture(scope="module")
def inspection() -> Inspection:
    return Detector().compile()


def spent(found: tuple[Finding, ...]) -> list[str]:
    return [one.indicators[0] for one in found if one.category == BUDGET]


def varied(count: int) -> list[str]:
    """Short values with a mark in each, no two alike."""
    return [f"{chr(97 + n % 26)}{n:x}' or {chr(97 + n % 7)}" for n in range(count)]


def test_thousands_of_short_values_with_a_mark_in_each_are_a_finding(
    inspection: Inspection,
) -> None:
    values = varied(3000)
    query = "&".join(f"a{n}={value.replace(' ', '+')}" for n, value in enumerate(values))
    assert spent(inspection.head(environ(query=query))) == [DENSITY]
    assert spent(inspection.body(query.encode(), content_type=FORM)) == [DENSITY]
    cookie = "; ".join(f"a{n}={value}" for n, value in enumerate(values))
    assert spent(inspection.head(environ(HTTP_COOKIE=cookie))) == [DENSITY]


def test_a_hundred_of_them_are_weighed(inspection: Inspection) -> None:
    query = "&".join(f"a{n}={value.replace(' ', '+')}" for n, value in enumerate(varied(100)))
    assert spent(inspection.head(environ(query=query))) == []


def test_short_values_may_cost_less_than_a_long_text(inspection: Inspection) -> None:
    rows = [f"SELECT {one} FROM t" for one in varied(1200)]
    table = json.dumps({"rows": rows}).encode()
    assert spent(inspection.body(table, content_type=JSON)) == [DENSITY]
    text = json.dumps({"text": "\n".join(rows)}).encode()
    assert spent(inspection.body(text, content_type=JSON)) == []


def calls_of(inspection: Inspection, body: bytes) -> int:
    """How many calls of Python's functions it takes to answer: the same on every machine."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        assert spent(inspection.body(body, content_type=JSON)) == [DENSITY]
    finally:
        sys.setprofile(None)
    return calls


def test_a_batch_of_hundreds_of_operations_is_not_read_to_its_end(inspection: Inspection) -> None:
    def batch(count: int) -> bytes:
        operations = [f'{{user{n}{{name(is:"{one}")}}}}' for n, one in enumerate(varied(count))]
        return json.dumps([{"query": one} for one in operations]).encode()

    assert spent(inspection.body(batch(20), content_type=JSON)) == []
    calls_of(inspection, batch(200))
    longer = calls_of(Detector().compile(), batch(900))
    assert longer < 1.5 * calls_of(Detector().compile(), batch(200))


def test_a_longer_request_may_cost_more_up_to_the_limit() -> None:
    short, long, longest = (Budget.of(9, 100_000, more) for more in (10, 10_000, 1_000_000))
    assert short.chars < long.chars < longest.chars == 100_000
    with pytest.raises(BudgetSpent, match=DENSITY):
        short.take_chars(90_000)
    with pytest.raises(BudgetSpent, match="max_chars"):
        longest.take_chars(100_001)


def test_a_compressed_body_may_cost_what_is_in_it() -> None:
    budget = Budget.of(9, 100_000, 10)
    before = budget.chars
    budget.grow(1000)
    assert budget.chars > before
    budget.grow(10**9)
    assert budget.chars == 100_000


@pytest.mark.parametrize("place", [0, 57, 199])
def test_an_attack_among_values_that_are_alike_is_found(inspection: Inspection, place: int) -> None:
    values = ["it's or so"] * 200
    values[place] = INJECTION
    found = inspection.body(
        json.dumps({f"a{n}": one for n, one in enumerate(values)}).encode(), content_type=JSON
    )
    assert [(one.category, one.name) for one in found] == [("sqli", f"a{place}")]


def test_each_of_several_attacks_that_are_alike_is_named(inspection: Inspection) -> None:
    document = {f"a{n}": INJECTION for n in range(4)} | {"b": "it's or so"}
    found = inspection.body(json.dumps(document).encode(), content_type=JSON)
    assert sorted(one.name for one in found) == ["a0", "a1", "a2", "a3"]


def test_a_password_does_not_excuse_the_same_text_in_another_field(
    inspection: Inspection,
) -> None:
    text = "x' or 1=1#"
    secret = {"a1": {"type": "password", "value": text}}
    assert inspection.body(json.dumps({"a2": {"value": text}}).encode(), content_type=JSON)
    both = json.dumps(secret | {"a2": {"type": "text", "value": text}}).encode()
    assert "a2.value" in [one.name for one in inspection.body(both, content_type=JSON)]


@given(st.lists(st.sampled_from(["tea", "' or 1=1", "<script>", "a/b", "=", "\x0b"]), min_size=1))
def test_one_scan_tells_which_of_several_texts_match(texts: list[str]) -> None:
    prefilter = builtin_prefilter("auto")
    pieces = [b"=" + text.encode() + b"\x0b" for text in texts]
    each = {at for at, piece in enumerate(pieces) if prefilter.matches(piece)}
    assert each <= set(prefilter.matching(pieces))


@given(
    st.lists(
        st.sampled_from(["%", "%41", "%c3", "%a9", "%C0%ae", "\u00e9", "a", "%2", "\ud800", "%ff"])
    )
)
def test_percent_signs_are_decoded_alike_at_once_and_row_by_row(parts: list[str]) -> None:
    text = "".join(parts)
    assert _without_percent(text) == _PERCENT_RUN.sub(_from_percent, text)


def test_where_hits_end_at_one_place_the_text_behind_them_is_weighed() -> None:
    """Matches of many patterns at one place do not stand for other places."""
    text = "tea " * 2000 + "mark" + " tea" * 2000

    def hits(data: bytes, most: int) -> list[int]:
        return ([5] * 10**6 + [data.index(b"mark")])[:most]

    found = list(windows(text.replace("tea ", "tee, "), hits))
    assert any("mark" in window.text for window in found)
    assert AROUND_CHARS > 0
