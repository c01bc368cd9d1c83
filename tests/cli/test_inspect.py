"""guard-wsgi inspect: the verdict on a payload or a saved request, and why."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi import SecurityConfig
from guard_wsgi.cli.curl import parse_curl
from guard_wsgi.cli.inspecting import PLACES, climb, described, environ_of, inspect, parse_request
from guard_wsgi.cli.loading import CommandError
from guard_wsgi.cli.tree import main

SQL = "1' UNION SELECT password FROM users--"


@pytest.mark.parametrize("place", PLACES)
def test_an_attack_is_refused_wherever_it_is_placed(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", SQL, "--in", place]) == 1
    out = capsys.readouterr().out
    assert out.startswith("refused: 400 by suspicious_activity\n")
    assert "sqli in" in out
    assert "threshold 1.00" in out
    assert "indicators" in out


def test_a_body_that_is_shorter_than_its_length_is_not_said_to_pass() -> None:
    with pytest.raises(CommandError, match="has 3 of 50 bytes of the body"):
        parse_request(b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nabc")


def test_patterns_are_not_compiled_where_they_can_not_be_stored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUARD_WSGI_CACHE_DIR", "off")
    assert main(["warm"]) == 2
    assert "unset GUARD_WSGI_CACHE_DIR" in capsys.readouterr().err


@pytest.mark.parametrize("place", PLACES)
def test_a_harmless_text_passes_wherever_it_is_placed(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "a quiet walk", "--in", place]) == 0
    assert capsys.readouterr().out == "passed\n"


@pytest.mark.parametrize("place", ["query", "path", "form", "text"])
def test_a_payload_that_is_no_text_is_inspected(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "\udcff" + SQL, "--in", place]) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("GUARD_ENABLED", "false"), ("GUARD_PASSIVE_MODE", "true")]
)
def test_what_the_guard_would_let_pass_is_not_said_to_be_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    main(["inspect", SQL])
    assert capsys.readouterr().out.startswith("passed, as " + name.removeprefix("GUARD_").lower())


def test_a_place_that_is_none_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", SQL, "--in", "body"]) == 2
    assert "one of query, path" in capsys.readouterr().err


def test_the_verdict_is_written_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", SQL, "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["status"] == 400
    (finding,) = verdict["findings"]
    assert (finding["location"], finding["name"], finding["value"]) == ("query", "q", SQL)
    assert finding["score"] > finding["threshold"]
    assert len(finding["indicators"]) > 3, "all evidence is told, not only what was enough"
    weights = list(finding["indicators"].values())
    assert all(weight > 0 for weight in weights)
    assert weights == sorted(weights, reverse=True)


def test_a_pattern_of_ones_own_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUARD_DETECTION_CUSTOM_PATTERNS", '{"internal": "secret-project"}')
    assert main(["inspect", "the secret-project plan"]) == 1
    out = capsys.readouterr().out
    assert "custom in query 'q'" in out
    assert "+0.00  custom:internal" in out


RAW = (
    "POST /login?next=%2Fhome HTTP/1.1\r\n"
    "Host: shop.example\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "Cookie: a=1\r\n"
    "\r\n"
    "user=ann&password=1'%20OR%20'1'%3D'1"
)


@pytest.mark.parametrize("raw", [RAW, RAW.replace("\r\n", "\n")])
def test_a_saved_request_is_judged_as_a_whole(
    raw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "request.http"
    path.write_bytes(raw.encode())
    assert main(["inspect", "--request", str(path)]) == 1
    assert "sqli in form 'password'" in capsys.readouterr().out


def test_a_request_is_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = b"GET /?q=hello HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert main(["inspect", "--request", "-"]) == 0
    assert capsys.readouterr().out == "passed\n"


@pytest.mark.parametrize("raw", ["", "hello", "GET / HTTP/1.1\r\nno header\r\n\r\n", "\r\n\r\n"])
def test_what_is_no_request_is_reported(
    raw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "request.http"
    path.write_bytes(raw.encode())
    assert main(["inspect", "--request", str(path)]) == 2
    assert capsys.readouterr().err.lower().startswith("error: not a")


def test_bytes_of_a_saved_request_stay_as_they_were() -> None:
    raw = "GET /caf\xe9/%E9?q=\xe9 HTTP/1.1\r\nX-A: \xe9\x85b\r\n\r\n\xe9"
    environ = parse_request(raw.encode("latin-1"))
    assert environ["PATH_INFO"] == "/caf\xe9/\xe9"
    assert environ["QUERY_STRING"] == "q=\xe9"
    assert environ["HTTP_X_A"] == "\xe9\x85b"
    assert environ["wsgi.input"].read() == b"\xe9"
    assert parse_request("GET /café HTTP/1.1\n\n".encode())["PATH_INFO"] == "/caf\xc3\xa9"


@given(
    head=st.sampled_from([b"GET / HTTP/1.1\r\n", b"POST http://[::1 HTTP/1.1\r\n", b"* *\n", b""]),
    rest=st.binary(max_size=60),
)
def test_any_bytes_are_read_or_refused(head: bytes, rest: bytes) -> None:
    try:
        environ = parse_request(head + rest)
    except CommandError:
        return
    assert environ["PATH_INFO"].startswith("/")
    for key, value in environ.items():
        if isinstance(value, str):
            (key + value).encode("latin-1")


def test_all_rules_of_a_configuration_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.toml"
    path.write_text('blacklist = ["203.0.113.0/24"]\nstore_url = "redis://nowhere.invalid"\n')
    options = ["inspect", "hello", "--config", str(path)]
    assert main(options) == 0
    assert main([*options, "--client", "203.0.113.9"]) == 1
    out = capsys.readouterr().out
    assert "refused: 403 by ip_security" in out
    assert "is in blacklist" in out


@pytest.mark.parametrize("try_out", [inspect, climb])
def test_a_trial_leaves_the_state_of_others_alone(
    try_out: Callable[[dict[str, Any], SecurityConfig], object],
    tmp_path: Path,
) -> None:
    config = SecurityConfig(store_url=f"lmdb://{tmp_path}/state")
    try_out(environ_of("GET", "/?q=%3Cscript%3Ealert(1)%3C/script%3E"), config)
    assert not list(tmp_path.iterdir())


def test_a_client_that_is_no_address_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "hello", "--client", "somebody"]) == 2
    assert "'somebody' is not an IP address" in capsys.readouterr().err


def test_passive_mode_does_not_hide_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUARD_PASSIVE_MODE", "true")
    assert main(["inspect", SQL]) == 1


def test_a_file_that_is_missing_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--request", "nowhere.http"]) == 2
    assert "nowhere.http" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["inspect", "1' OR '1'='1"], ["options"]])
def test_a_reader_that_has_read_enough_is_no_error(arguments: list[str]) -> None:
    """``guard-wsgi inspect ... | head -1``."""
    with subprocess.Popen(
        [sys.executable, "-m", "guard_wsgi", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read()
        code = process.wait(60)
    assert complaint == b""
    assert code in (0, 1, 141)


def test_a_raw_request_may_end_with_its_last_header_and_a_line_end() -> None:
    for end in ("", "\n", "\r\n", "\n\n"):
        environ = parse_request(f"GET /x HTTP/1.1\nHost: x\nUser-Agent: a{end}".encode())
        assert environ["HTTP_USER_AGENT"] == "a"


def test_curl_takes_a_form_string_as_it_is_and_says_what_it_does_not_read() -> None:
    environ = parse_curl("curl http://x/ --form-string 'a=<b>' --form-string c=@d -F e=f")
    body = environ["wsgi.input"].read()
    assert b"<b>" in body
    assert b"@d" in body
    for command, said in (
        ("curl http://x/ -F a=@b", "names a file"),
        ("curl http://x/ -H @headers", "names a file"),
        ('curl ^"http://x/^" ^\n  -H ^"A: b^"', "POSIX"),
    ):
        with pytest.raises(CommandError, match=said):
            parse_curl(command)


def test_the_help_lists_the_places(capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert ", ".join(PLACES[:-1]) + f" or {PLACES[-1]}" in text


def test_a_row_of_tokens_is_written_for_people() -> None:
    assert described("t:^ n OR n $end") == "tokens '(start) n OR n (end)'"
    assert described("t:^ & sql.logic_same") == "the value begins & sql.logic_same"
    assert described("t:n = n") == "tokens 'n = n'"
