"""An exclusion reports what it lets pass, so its cost is visible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.checks.exclusion_reports import REPORTED_A_MINUTE, ExclusionReports
from guard_wsgi.config.exclusion import DetectionExclusion
from guard_wsgi.detection import DetectionSettings
from guard_wsgi.telemetry.bus import EventBus
from tests.kit.gateway import sandwich, serve, text_app

ATTACK = "1' UNION SELECT password FROM users--"
QUERY = "/wiki/page?text=" + quote(ATTACK)


class Told:
    """A sink that keeps reports of exclusions."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def send_event(self, event: Any) -> None:
        if event.event_type == "detection_excluded":
            self.events.append(event)


def guarded(*exclusions: dict[str, Any], **options: Any) -> tuple[Any, Told]:
    told = Told()
    config = SecurityConfig(enable_ip_banning=False, detection_exclusions=exclusions, **options)
    bus = EventBus((told,))
    return sandwich(text_app(), lambda app: GuardMiddleware(app, config, events=bus)), told


def test_what_an_exclusion_lets_pass_is_reported_with_its_reasons() -> None:
    app, told = guarded({"path": "/wiki/*", "params": ["text"]})
    assert serve(app, path=QUERY).code == 200
    (event,) = told.events
    metadata = event.metadata
    assert json.loads(metadata["exclusion"]) == {"path": "/wiki/*", "params": ["text"]}
    assert metadata["count"] == 1
    assert metadata["threat_categories"] == ["sqli"]
    assert metadata["findings"][0]["name"] == "text"
    assert event.ip_address == "203.0.113.7"
    assert event.action_taken == "let_pass"


@pytest.mark.parametrize(
    ("exclusion", "request_options"),
    [
        pytest.param({"categories": ["sqli"]}, {"path": QUERY}, id="a category"),
        pytest.param(
            {"body_fields": ["text"]},
            {"path": "/wiki/page", "method": "POST", "data": {"text": ATTACK}},
            id="a form",
        ),
        pytest.param(
            {"body_fields": ["text"]},
            {"path": "/wiki/page", "method": "POST", "json": {"page": {"text": ATTACK}}},
            id="JSON",
        ),
        pytest.param(
            {"headers": ["X-Query"]},
            {"path": "/wiki/page", "headers": {"X-Query": ATTACK}},
            id="a header",
        ),
        pytest.param(
            {"headers": ["cookie"]},
            {"path": "/wiki/page", "headers": {"Cookie": "q=" + quote(ATTACK)}},
            id="a cookie",
        ),
    ],
)
def test_every_kind_of_exclusion_tells(
    exclusion: dict[str, Any], request_options: dict[str, Any]
) -> None:
    app, told = guarded({"path": "/wiki/*", **exclusion})
    assert serve(app, **request_options).code == 200
    assert len(told.events) == 1


def test_what_is_harmless_or_refused_all_the_same_is_not_reported() -> None:
    app, told = guarded({"path": "/wiki/*", "params": ["text"]})
    assert serve(app, path="/wiki/page?text=a+normal+sentence").code == 200
    assert serve(app, path=QUERY + "&other=" + quote(ATTACK)).code == 400
    assert serve(app, path="/search?text=" + quote(ATTACK)).code == 400
    assert told.events == []


def test_a_site_with_an_exclusion_tells_each_time_whatever_it_remembers() -> None:
    app, told = guarded({"path": "/wiki/*", "params": ["text"], "body_fields": ["text"]})
    for _ in range(3):
        assert serve(app, path=QUERY).code == 200
        assert serve(app, path="/wiki/page", method="POST", data={"text": ATTACK}).code == 200
    assert len(told.events) == 6


def test_a_site_without_exclusions_never_looks_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object) -> None:
        raise AssertionError("nothing is excluded")

    monkeypatch.setattr(ExclusionReports, "may_look", look)
    app, told = guarded()
    assert serve(app, path="/wiki/page?text=it's%20a%20normal%20sentence").code == 200
    assert serve(app, path=QUERY).code == 400
    assert told.events == []


def test_only_the_exclusion_that_it_is_owed_to_is_named() -> None:
    app, told = guarded(
        {"path": "/wiki/*", "params": ["text"]}, {"path": "/wiki/*", "params": ["title"]}
    )
    serve(app, path=QUERY)
    assert [json.loads(event.metadata["exclusion"])["params"] for event in told.events] == [
        ["text"]
    ]


def test_a_flood_is_reported_in_part_and_counted_whole() -> None:
    now = [0.0]
    told: list[int] = []
    counts = ExclusionReports(lambda *_, **metadata: told.append(metadata["count"]), lambda: now[0])
    exclusion = DetectionExclusion(path="/wiki/*", categories=["sqli"])

    class Found:
        category, location, name = "sqli", "query", "q"

    def one() -> None:
        assert counts.may_look()
        counts.report(None, (Found(),), (exclusion,), DetectionSettings())  # type: ignore[arg-type]

    for _ in range(200):
        one()
    assert told == [1] * REPORTED_A_MINUTE
    now[0] = 61.0
    one()
    assert sum(told) == 201


def test_the_log_says_it_too(tmp_path: Path) -> None:
    path = tmp_path / "guard.log"
    config = SecurityConfig(
        detection_exclusions=[{"path": "/wiki/*", "params": ["text"]}],
        custom_log_file=str(path),
        log_format="json",
    )
    guard = GuardMiddleware(text_app(), config)
    serve(guard, path=QUERY)
    guard.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("event") == "detection_excluded"]
    assert line["count"] == 1
    assert "wiki" in line["exclusion"]
    assert line["level"] == "INFO"
