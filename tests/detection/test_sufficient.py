"""Evidence that is enough by itself: fast refusals that report and decide the same as slow ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from attrs import evolve

from guard_wsgi.detection import DetectionSettings, Detector, Inspection
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.relaxations.fragments import without_fragments
from guard_wsgi.detection.relaxations.terms import is_term
from guard_wsgi.detection.scanning.scanner import Engine
from guard_wsgi.detection.scoring.model import shipped_model
from guard_wsgi.detection.scoring.sufficient import builtin_sufficient
from guard_wsgi.detection.value import Value
from tests.detection.requests import environ, findings_in
from tests.detection.test_release_gate import SAMPLE, judged

ATTACKS = (
    "1' UNION SELECT username, password FROM users--",
    "' or 1=1 --",
    "<script>alert(1)</script>",
    "javascript:alert(document.domain)",
    "1 and 1=1",
    "x*)(uid=*))(|(uid=*",
)


@pytest.fixture(scope="module")
def thorough() -> Inspection:
    """An inspection for which no evidence is enough by itself."""
    return Detector(model=evolve(shipped_model(), sufficient=())).compile()


@pytest.mark.parametrize("place", ["query", "form"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_plain_attack_is_refused_at_once_and_reported_in_full(
    inspection: Inspection, thorough: Inspection, place: str, attack: str
) -> None:
    (quick,) = findings_in(inspection, place, attack)
    assert not quick.is_whole
    (slow,) = findings_in(thorough, place, attack)
    assert slow.is_whole
    assert inspection.whole((quick,)) == (slow,)
    assert (quick.category, quick.location, quick.name) == (slow.category, slow.location, slow.name)
    assert quick.value == slow.value == attack
    assert set(quick.indicators) <= {one.name for one in INDICATORS}
    assert quick.score >= quick.threshold


def test_what_is_refused_at_once_names_the_field_and_all_that_was_enough(
    inspection: Inspection,
) -> None:
    payload = "1' UNION SELECT a, b FROM users-- <script>alert(1)</script>"
    (found,) = inspection.head(environ(query="user%5Bname%5D=" + quote(payload)))
    assert found.name == "user[name]"
    assert found.indicators[0] == "sql.union_select"
    assert found.indicators[1].startswith("xss.")
    assert not found.is_whole


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM b UNION SELECT c FROM d",  # a query that is whole
        "please show me what <script> tags are for and how your union select works",
        "`' or 1=1` in the docs",
        '{"q": "\' or 1=1 --"}',  # JSON is taken apart
        "https://example.com/?q=' or 1=1 --",
        "a=1&b=' or 1=1 --",
        "' or 1=1 --" + " " * 200,
        "\u2019 or 1=1 \u2014\u2014' or 1=1 --",
    ],
)
def test_a_value_that_needs_a_closer_look_gets_one(
    inspection: Inspection, thorough: Inspection, text: str
) -> None:
    found = findings_in(inspection, "query", text)
    assert all(finding.is_whole for finding in found)
    assert found == findings_in(thorough, "query", text)


def records() -> list[dict[str, Any]]:
    lines = gzip.decompress(SAMPLE.read_bytes()).decode("utf-8", "surrogatepass").splitlines()
    return [json.loads(line) for line in lines]


def test_nobody_is_refused_at_once_who_would_pass_a_closer_look(
    inspection: Inspection, thorough: Inspection
) -> None:
    differing = [
        record["id"]
        for record in records()
        if judged(inspection, record) != judged(thorough, record)
    ]
    assert differing == []


@pytest.mark.parametrize("engine", ["hyperscan", "re"])
def test_whatever_is_refused_unasked_is_no_term_and_has_no_fragment(engine: Engine) -> None:
    sufficient = builtin_sufficient(engine)
    attack = "1' UNION SELECT a FROM b-- x"
    bare = 0
    texts = {text for record in records() for _, text in parse_qsl(record["query"])}
    for text in {text[:300] for text in texts}:
        for each in (text, f"{attack} {text}", f"{text} {attack}", text + attack):
            _, is_bare = sufficient.in_text(each.encode("utf-8", "surrogatepass"))
            if is_bare:
                bare += 1
                assert not is_term(Value("query", "q", each)), each
                assert without_fragments(each) == each
    assert bare > 300


def test_every_indicator_that_is_enough_is_over_the_threshold_alone() -> None:
    model = shipped_model()
    assert model.sufficient
    for name in model.sufficient:
        assert model.weigh((name,)).score >= 1.0, name


@pytest.mark.parametrize(
    "changes",
    [
        {"excluded_params": {"q"}},
        {"categories": {"xss", "path_traversal"}},
        {"threshold": 9.0},
    ],
    ids=["parameter", "category", "threshold"],
)
def test_what_is_excused_by_config_is_not_refused_at_once(
    detector: Detector, changes: dict[str, Any]
) -> None:
    inspection = detector.compile(DetectionSettings(**changes))
    assert findings_in(inspection, "query", ATTACKS[0]) == ()


def test_an_attack_behind_an_excluded_parameter_is_found(detector: Detector) -> None:
    inspection = detector.compile(DetectionSettings(excluded_params={"page"}))
    query = "page=' or 1=1 --&q=' or 2=2 --"
    (finding,) = inspection.head({"PATH_INFO": "/", "QUERY_STRING": query})
    assert finding.name == "q"


def test_a_threshold_above_what_is_enough_weighs_all(detector: Detector) -> None:
    inspection = detector.compile(DetectionSettings(threshold=2.0))
    (finding,) = findings_in(inspection, "query", ATTACKS[0])
    assert finding.is_whole
    assert finding.score >= 2.0


def test_a_users_own_patterns_are_reported_beside_it() -> None:
    inspection = Detector(custom_patterns={"ours": "password"}).compile()
    (finding,) = findings_in(inspection, "query", ATTACKS[0])
    assert finding.category == "custom"
    assert "custom:ours" in finding.indicators


def test_the_engines_agree() -> None:
    slow = Detector(engine="re").compile()
    for attack in ATTACKS:
        (finding,) = findings_in(slow, "query", attack)
        assert not finding.is_whole


def test_the_file_names_only_indicators_there_are() -> None:
    path = Path(__file__).parents[2] / "guard_wsgi" / "detection" / "scoring" / "model.json"
    named = set(json.loads(path.read_text(encoding="utf-8"))["sufficient"])
    assert named <= {one.name for one in INDICATORS}
