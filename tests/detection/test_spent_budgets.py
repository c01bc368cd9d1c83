"""A request that is too large to inspect completely names the limit, the option, and how to let it
pass on purpose."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityEvent
from guard_wsgi.cli.tree import main
from guard_wsgi.detection.detector import Detector
from tests.core.visiting import INJECTION, Site
from tests.kit.gateway import environ_for, serve, text_app


def many_values() -> dict[str, Any]:
    return {"query_string": "&".join(f"a{n}=it's" for n in range(60))}


def many_characters() -> dict[str, Any]:
    return {"query_string": "q=" + "it's%20fine;%20" * 200}


def deep() -> dict[str, Any]:
    body = '{"a":' * 60 + '"it\'s"' + "}" * 60
    return {"method": "POST", "data": body, "content_type": "application/json"}


SPENT = [
    pytest.param(many_values(), "detection_max_scan_values", 50, id="values"),
    pytest.param(many_characters(), "detection_max_scan_chars", 1024, id="characters"),
    pytest.param(deep(), "detection_max_json_depth", 20, id="depth"),
]
OPTIONS = {
    "detection_max_scan_values": 50,
    "detection_max_scan_chars": 1024,
    "detection_max_json_depth": 20,
}


class Ear:
    wants_metrics = False

    def __init__(self) -> None:
        self.heard: list[SecurityEvent] = []

    def send_event(self, event: SecurityEvent) -> None:
        self.heard.append(event)


@pytest.mark.parametrize(("sent", "option", "figure"), SPENT)
def test_log_and_event_name_the_limit_the_option_and_the_figure(
    sent: dict[str, Any], option: str, figure: int, caplog: pytest.LogCaptureFixture
) -> None:
    site, ear = Site(**OPTIONS), Ear()
    site.guard.services.events.add_sink(ear)
    assert site.visit("/import", **sent).code == 400
    assert f"({option}={figure})" in caplog.messages[-1]
    (event,) = ear.heard
    assert f"({option}={figure})" in event.reason
    (finding,) = event.metadata["findings"]
    assert (finding["category"], finding["option"], finding["figure"]) == (
        *("detection_budget", option, figure),
    )


@pytest.mark.parametrize(("sent", "option", "figure"), SPENT[:2])
def test_inspect_names_them(
    sent: dict[str, Any],
    option: str,
    figure: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "guard.toml"
    config.write_text("\n".join(f"{name} = {value}" for name, value in OPTIONS.items()))
    saved = tmp_path / "saved.http"
    saved.write_text(f"GET /?{sent['query_string']} HTTP/1.1\nHost: a\n\n")
    command = ["inspect", "--request", str(saved), "--config", str(config)]
    assert main(command) == 1
    out = capsys.readouterr().out
    assert f"detection_budget in query: more than {figure}" in out
    assert f"({option}={figure})" in out
    assert main([*command, "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["option"], finding["figure"]) == (option, figure)


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize(("sent", "option", "figure"), SPENT)
def test_what_report_proposes_is_accepted_and_lets_it_pass(
    sent: dict[str, Any],
    option: str,
    figure: int,
    log_format: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = tmp_path / "guard.log"
    guard = GuardMiddleware(
        text_app(), SecurityConfig(**OPTIONS, custom_log_file=str(log), log_format=log_format)
    )
    for number in range(4):
        environ = {**environ_for("/import", **sent), "REMOTE_ADDR": f"203.0.113.{number}"}
        assert serve(guard, environ).code == 400
    guard.close()
    assert main(["report", str(log)]) == 1
    out = capsys.readouterr().out
    assert "suspicious_activity (detection_budget in " in out
    assert f"limit reached: {option}={figure}\n" in out
    proposed = out[out.index("[[") :]
    assert tomllib.loads(proposed) == {
        "detection_exclusions": [{"path": "/import", "categories": ["detection_budget"]}]
    }
    config = tmp_path / "guard.toml"
    config.write_text("\n".join(f"{n} = {v}" for n, v in OPTIONS.items()) + "\n" + proposed)
    assert main(["check", str(config)]) == 0
    site = Site(SecurityConfig.from_toml(config))
    assert site.visit("/import", **sent).code == 200
    assert site.visit("/elsewhere", **sent).code == 400


def test_an_exclusion_of_budgets_excludes_no_attack() -> None:
    site = Site(
        **OPTIONS, detection_exclusions=[{"path": "/import", "categories": ["detection_budget"]}]
    )
    assert site.visit("/import", query_string={"q": INJECTION}).code == 400
    both = {"method": "POST", "data": {"q": INJECTION}, **many_values()}
    assert site.visit("/import", **both).code == 400
    assert site.visit("/import/../other", **many_values()).code == 400


def test_the_sites_own_patterns_can_be_excluded_by_path() -> None:
    site = Site(
        detection_custom_patterns={"codename": r"project bluebird"},
        detection_exclusions=[{"path": "/internal/*", "categories": ["custom"]}],
    )
    said = {"query_string": {"q": "project bluebird"}}
    assert site.visit("/internal/wiki", **said).code == 200
    assert site.visit("/wiki", **said).code == 400


def test_a_body_without_its_end_has_no_option_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nit\'s <b>open'
    kind = "multipart/form-data; boundary=b"
    assert Site().visit(method="POST", data=body, content_type=kind).code == 400
    assert "the last boundary is missing (multipart_end)" in caplog.messages[-1]


def test_a_body_of_which_only_the_beginning_was_inspected_names_the_option(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "guard_wsgi")
    site = Site(detection_max_body_inspect_bytes=1024)
    assert site.visit(method="POST", data=b"x" * 5000, content_type="text/plain").code == 200
    assert "(detection_max_body_inspect_bytes=1024)" in caplog.text


@pytest.mark.parametrize("padding", [" " * 5000, " lorem ipsum" * 8000])
@pytest.mark.parametrize("lines", [1000, 1630, 2500])
def test_a_document_spends_no_budget_of_the_long_field_behind_it(lines: int, padding: str) -> None:
    inspection = Detector().compile()
    code = 'def f(x):\n    return x.y(z) + "a" # or 1=1\n' * lines
    for attack in ("1' UNION SELECT name,password FROM users-- -", "../../../../etc/passwd"):
        body = json.dumps({"comment": code, "z": attack + padding}).encode()
        found = inspection.body(body, content_type="application/json")
        assert "z" in {finding.name for finding in found}, attack
