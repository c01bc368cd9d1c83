"""guard-wsgi report: a week of passive mode in one page, with exclusions to copy."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi.cli.reporting import general, indicator_names
from guard_wsgi.cli.tree import main
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.middleware import GuardMiddleware
from tests.kit.gateway import environ_for, serve, text_app

HARMLESS_CODE = "UNION SELECT name, password FROM users WHERE id='1' OR '1'='1' --"


def log_of(path: Path, log_format: str, **options: Any) -> Path:
    """A log as a guard writes it: an editor's form that three people use, and one attacker."""
    config = SecurityConfig(
        passive_mode=True, custom_log_file=str(path), log_format=log_format, **options
    )
    guard = GuardMiddleware(text_app(), config)
    for number in range(4):
        client = {"REMOTE_ADDR": f"203.0.113.{number}"}
        form = environ_for(f"/blog/{number}", method="POST", data={"text": HARMLESS_CODE})
        serve(guard, {**form, **client})
        serve(guard, {**environ_for("/"), **client})
    attack = environ_for("/search", query_string={"q": HARMLESS_CODE})
    for _ in range(5):
        serve(guard, {**attack, "REMOTE_ADDR": "198.51.100.66"})
        attack = environ_for("/search", query_string={"q": HARMLESS_CODE})
    guard.close()
    return path


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_log_is_grouped_and_exclusions_are_proposed(
    log_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = log_of(tmp_path / "guard.log", log_format)
    assert main(["report", str(path)]) == 1
    out = capsys.readouterr().out
    assert "suspicious_activity (sqli in form 'text') on /blog/*\n" in out
    assert "4 would have been refused, from 4 clients" in out
    assert "suspicious_activity (sqli in query 'q') on /search\n" in out
    assert "5 would have been refused, from 1 client\n" in out
    proposed = tomllib.loads(out[out.index("[[") :])
    entry = {"path": "/blog/*", "body_fields": ["text"], "categories": ["sqli"]}
    assert proposed == {"detection_exclusions": [entry]}
    (exclusion,) = SecurityConfig(**proposed).detection_exclusions
    assert exclusion.as_entry() == entry


def test_what_is_proposed_lets_the_form_pass_and_the_attack_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["report", str(log_of(tmp_path / "guard.log", "json"))])
    out = capsys.readouterr().out
    proposed = tomllib.loads(out[out.index("[[") :])
    again = log_of(tmp_path / "again.log", "json", **proposed)
    main(["report", str(again)])
    out = capsys.readouterr().out
    assert "/blog" not in out
    assert "/search" in out


def test_refusals_of_other_checks_are_counted_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.log"
    config = SecurityConfig(
        blacklist=["203.0.113.0/24"], custom_log_file=str(path), log_format="json"
    )
    guard = GuardMiddleware(text_app(), config)
    assert serve(guard, {**environ_for("/"), "REMOTE_ADDR": "203.0.113.9"}).code == 403
    guard.close()
    assert main(["report", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("ip_security on /\n    1 refused, from 1 client\n")
    assert "[[" not in out


def test_a_scan_of_endless_paths_stays_a_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = '{"action": "request_blocked", "check": "x", "path": "/p-%s", "client_ip": "%d"}\n'
    lines = (entry % ("".join(chr(97 + int(digit)) for digit in str(n)), n) for n in range(21_000))
    monkeypatch.setattr("sys.stdin", lines)
    assert main(["report", "-"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("x on (other paths)\n    1000 refused, from 1000 clients\n")
    assert len(out.splitlines()) < 200
    assert "and 19951 more, with 19951 requests" in out


def test_lines_of_others_and_broken_ones_are_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = '{"action": "logged_only"\n{"a": 1}\n[1]\nnull\nGET / 200\n{"action": ["x"]}\n\n'
    lines += "2026-01-01 INFO site: started\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert main(["report", "-"]) == 0
    assert "no refusals" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["def app(environ):\n    pass\n", '{"name": "shop"}\n'])
def test_a_file_that_is_no_log_is_not_said_to_be_free_of_refusals(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["report", "-"]) == 2
    assert "lines is a log line" in capsys.readouterr().err


def test_an_empty_log_is_reported_as_empty(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["report", "-"]) == 0
    assert "the log is empty" in capsys.readouterr().out


def test_a_missing_log_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "nowhere.log"]) == 2
    assert "nowhere.log" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/blog", "/blog"),
        ("/item/17", "/item/*"),
        ("/item/17/edit", "/item/*"),
        ("/u/0b2e6a3e-6f0c-4f2b-9d5e-0f5a3c1d2e4f/x", "/u/*"),
        ("/files/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/files/*"),
        ("/the-quick-brown-fox-jumps-over", "/the-quick-brown-fox-jumps-over"),
        ("/v1/users", "/v1/users"),
    ],
)
def test_paths_that_differ_by_an_identity_are_one(path: str, expected: str) -> None:
    assert general(path) == expected


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_storm_is_counted_by_its_requests_and_not_by_its_lines(
    log_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.log"
    config = SecurityConfig(custom_log_file=str(path), log_format=log_format, rate_limit=5)
    guard = GuardMiddleware(text_app(), config)
    for _ in range(5 + 70):
        serve(guard, {**environ_for("/"), "REMOTE_ADDR": "203.0.113.9"})
    guard.close()
    assert len(path.read_text().splitlines()) == 13, "ten, the 16th, the 32nd and the 64th"
    assert main(["report", str(path)]) == 1
    assert "at least 64 refused, from 1 client\n" in capsys.readouterr().out


def test_names_of_tokens_are_written_for_people_and_not_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert indicator_names("t:/ w / file.loopback t:^ sql.quote & name:q t:n = n") == [
        "t:/ w /",
        "file.loopback",
        "t:^",
        "sql.quote & name:q",
        "t:n = n",
    ]
    main(["report", str(log_of(tmp_path / "guard.log", "json"))])
    assert "t:" not in capsys.readouterr().out.replace("last:", "")
