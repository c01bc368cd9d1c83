"""Settings have the documented effect (lesson 10), and a user's own patterns stay hers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from guard_wsgi.detection import (
    CATEGORIES,
    THRESHOLDS,
    DetectionSettings,
    Detector,
    Inspection,
    PatternRefused,
)
from guard_wsgi.errors import ConfigError
from tests.detection.requests import environ, findings_in

SQL = "1' or '1'='1' -- -"
XSS = "<script>alert(1)</script>"


def test_a_finding_tells_where_and_why(inspection: Inspection) -> None:
    body = json.dumps({"user": {"notes": ["fine", SQL]}}).encode()
    (finding,) = inspection.body(body, content_type="application/json")
    assert (finding.category, finding.location, finding.name) == ("sqli", "json", "user.notes[]")
    assert finding.value == SQL
    assert finding.threshold == 1.0 <= finding.score
    assert any(name.startswith("sql.") for name in finding.indicators)


def test_a_finding_keeps_a_piece_of_the_value_only(inspection: Inspection) -> None:
    (finding,) = findings_in(inspection, "form", SQL + "x" * 5000)
    assert len(finding.value) <= 200


def test_excluded_names_are_not_inspected(detector: Detector) -> None:
    tuned = detector.compile(
        DetectionSettings(
            excluded_params={"q"},
            excluded_headers={"X-Search", "cookie"},
            excluded_body_fields={"text", "tags"},
        )
    )
    for place in ("query", "cookie", "header", "form", "json", "multipart"):
        assert findings_in(tuned, place, SQL) == (), place
    assert tuned.head(environ(query="other=" + quote(SQL)))
    assert tuned.head(environ(HTTP_X_OTHER=SQL))
    assert tuned.body(json.dumps({"other": SQL}).encode(), content_type="application/json")


def test_categories_can_be_switched_off(detector: Detector) -> None:
    no_sql = detector.compile(DetectionSettings(categories=CATEGORIES - {"sqli"}))
    only_sql = detector.compile(DetectionSettings(categories={"sqli"}))
    assert not findings_in(no_sql, "query", "1 and 5=5 order by 3")
    assert findings_in(no_sql, "query", XSS)
    assert findings_in(only_sql, "query", SQL)
    assert not findings_in(only_sql, "query", "<svg onload=alert(1)>")


def test_a_stricter_preset_finds_no_less(detector: Detector) -> None:
    assert THRESHOLDS["relaxed"] > THRESHOLDS["balanced"] > THRESHOLDS["strict"]
    for text in (SQL, XSS, "it's", "a or b", "../x", "{{name}}", "select a from b", "cat file"):
        found = [
            len(findings_in(detector.compile(DetectionSettings(threshold=preset)), "query", text))
            for preset in ("relaxed", "balanced", "strict")
        ]
        assert found == sorted(found)


def test_bodies_are_left_alone_on_request(detector: Detector) -> None:
    assert findings_in(detector.compile(DetectionSettings(scan_body=False)), "form", SQL) == ()


def test_nonsense_settings_are_refused_all_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        DetectionSettings(categories={"sqli", "sql"}, threshold="harsh", max_values=0)
    assert len(refused.value.faults) == 3
    with pytest.raises(ConfigError):
        DetectionSettings(threshold=0)


def test_a_pattern_of_ones_own_is_a_finding() -> None:
    mine = Detector({"ticket": r"forbidden-\d+"})
    assert Detector().compile().head(environ(query="q=forbidden-42")) == ()
    (finding,) = mine.compile().head(environ(query="q=forbidden-42"))
    assert (finding.category, finding.indicators[0]) == ("custom", "custom:ticket")
    only_xss = mine.compile(DetectionSettings(categories={"xss"}))
    assert only_xss.head(environ(query="q=x%66orbidden-42"))


def test_an_anchored_pattern_sees_the_value() -> None:
    mine = Detector([r"^secret,value$"]).compile()
    assert mine.head(environ(query="a=1&b=secret%2Cvalue&c=2"))
    assert mine.head(environ(query="a=1&b=secret%2Cvalues&c=2")) == ()


@pytest.mark.parametrize(
    ("pattern", "document"),
    [
        ('say "hi"', rb'{"a": "please say \"hi\" now"}'),
        ("viele gr\u00fc\u00dfe", rb'{"a": "viele gr\u00fc\u00dfe"}'),
        ("example.com/secret", rb'{"a": "example.com\/secret"}'),
    ],
)
def test_a_pattern_sees_the_value_behind_the_escapes_of_json(pattern: str, document: bytes) -> None:
    mine = Detector([pattern]).compile()
    (finding,) = mine.body(document, content_type="application/json")
    assert finding.category == "custom"
    assert mine.body(rb'{"a": "\"hi\" \/ gr\u00fcn"}', content_type="application/json") == ()


def test_patterns_are_added_and_removed_while_serving() -> None:
    detector = Detector()
    before = detector.compile()
    detector.add_pattern("forbidden", name="mine", category="house_rule")
    assert [one.name for one in detector.patterns()] == ["mine"]
    (finding,) = detector.compile().head(environ(query="q=forbidden"))
    assert finding.category == "house_rule"
    assert before.head(environ(query="q=forbidden")) == ()
    assert detector.remove_pattern("mine")
    assert not detector.remove_pattern("mine")
    assert detector.compile().head(environ(query="q=forbidden")) == ()


def test_a_refused_pattern_changes_nothing() -> None:
    detector = Detector(["fine"])
    with pytest.raises(PatternRefused):
        detector.add_pattern(r"(broken")
    assert [one.pattern for one in detector.patterns()] == ["fine"]


def test_a_detector_can_be_made_ready_before_it_serves() -> None:
    detector = Detector()
    detector.warm()
    detector.warm()
    assert findings_in(detector.compile(), "query", SQL)


def test_threads_share_one_inspection(inspection: Inspection) -> None:
    wrong: list[str] = []

    def work() -> None:
        for _ in range(100):
            if not findings_in(inspection, "query", SQL) or findings_in(
                inspection, "query", "it's fine"
            ):
                wrong.append("wrong")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_worker_finds_the_same() -> None:
    program = f"""
import os
from tests.detection.requests import findings_in
from guard_wsgi.detection import Detector
inspection = Detector().compile()
assert findings_in(inspection, "query", {SQL!r})
child = os.fork()
if child == 0:
    os._exit(0 if findings_in(inspection, "query", {SQL!r}) else 1)
assert os.waitpid(child, 0)[1] == 0
assert findings_in(inspection, "query", {XSS!r})
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, timeout=100, check=False)
    assert done.returncode == 0
