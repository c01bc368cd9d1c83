"""guard-wsgi check and serve: a configuration before it is served, an app while it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from guard_wsgi.cli.tree import main
from guard_wsgi.config.rules import store_fault

APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["guard_wsgi"].client_ip.encode()]

def make():
    return app

nothing = 5
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# check -------------------------------------------------------------------------------------------


def test_a_good_file_has_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "guard.toml", "rate_limit = 7\n")
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"{path}: no faults" in out
    assert "rate_limit=7" in out


def test_every_fault_of_a_file_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "guard.toml", "rate_limit = 0\nrate_limt = 1\n")
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"{path}: rate_limit must be at least 1, not 0" in out
    assert "did you mean 'rate_limit'?" in out
    assert "2 faults" in out


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('store_url = "redis://localhost:abc"', "store_url has a port that is not a number"),
        ('store_url = "redis://localhost:99999"', "store_url has a port that is not a number"),
        ('store_url = "redis://[::1"', "store_url has a broken IPv6 address"),
        ('store_url = "memcached://localhost"', "store_url has a host without a port"),
        ('store_url = "memcached://"', "store_url is incomplete"),
        ('store_url = "redis+sentinel://h:26379"', "redis+sentinel://localhost:26379/mymaster"),
        ('store_url = "redis+cluster://a:1,b:x"', "store_url has a port that is not a number"),
        ('store_url = "mongodb://"', "store_url is incomplete"),
        ('store_url = "lmdb://var/lib/guard"', "must be lmdb:///absolute/path, with three slashes"),
        ('muted_check_logs = ["rate_limits"]', "(did you mean 'rate_limit'?)"),
        ('custom_log_file = "/etc/passwd/guard.log"', "'/etc/passwd' is no folder"),
    ],
)
def test_what_a_guard_could_not_start_with_is_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, fault: str
) -> None:
    path = write(tmp_path / "guard.toml", line + "\n")
    assert main(["check", str(path)]) == 1
    assert fault in capsys.readouterr().out


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://user:p%40ss@[::1]:6379/0?x=1",
        "redis+unix:///run/redis.sock",
        "redis+cluster://a:7000,b:7001",
        "valkey+sentinel://a:26379,b:26379/mymaster",
        "memcached://a:11211,b:11211",
        "memcached:///run/memcached.sock",
        "mongodb://a,b:27017/db",
    ],
)
def test_an_url_that_a_store_can_open_is_no_fault(url: str) -> None:
    assert store_fault("store_url", url) == ""


def test_warnings_do_not_fail_a_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "guard.toml", "redis_retries = 3\n")
    assert main(["check", str(path)]) == 0
    assert "warning: redis_retries does nothing" in capsys.readouterr().out


def test_what_the_agent_cannot_work_with_is_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "guard.toml", 'enable_agent = true\nagent_api_key = "short"\n')
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "api_key" in out
    assert "short" not in out.replace("too short", "")


# serve -------------------------------------------------------------------------------------------


@contextmanager
def served(directory: Path, *arguments: str) -> Iterator[str]:
    """The URL of an app that the command serves; the command must end well when it is asked to."""
    process = subprocess.Popen(
        [sys.executable, "-m", "guard_wsgi", "serve", *arguments, "--port", "0"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        match = re.search(r"http://\S+/", line)
        assert match, (line, process.stderr and process.stderr.read())
        yield match[0]
        # Not SIGINT: a test run in the background has it ignored, and children inherit that.
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["shop:app", "shop:make()"])
def test_an_app_is_served_behind_the_guard(tmp_path: Path, name: str) -> None:
    write(tmp_path / "shop.py", APP)
    config = write(tmp_path / "guard.toml", "rate_limit = 4\n")
    with served(tmp_path, name, "--config", str(config)) as url:
        answer = requests.get(url, timeout=10)
        assert (answer.status_code, answer.text) == (200, "127.0.0.1")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert requests.get(url, params={"q": "1' OR '1'='1"}, timeout=10).status_code == 400
        codes = [requests.get(url, timeout=10).status_code for _ in range(4)]
        assert 429 in codes


GUARDED = """
from flask import Flask
from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig
app = Flask(__name__)
FlaskAPIGuard(app, config=SecurityConfig(custom_error_responses={400: "no, thanks"}))
"""


def test_a_guard_that_the_app_brings_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "site_with_guard.py", GUARDED)
    with served(tmp_path, "site_with_guard:app") as url:
        answer = requests.get(url, params={"q": "1' OR '1'='1"}, timeout=10)
        assert answer.status_code == 400
        assert answer.text.startswith("no, thanks\n")
    config = write(tmp_path / "guard.toml", "rate_limit = 4\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["serve", "site_with_guard:app", "--config", str(config)]) == 2
    assert "omit --config" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop", "MODULE:APP"),
        ("shop:", "MODULE:APP"),
        ("nowhere_at_all:app", "there is no module"),
        ("shop:missing", "has no attribute 'missing'"),
        ("shop:nothing", "not a WSGI app"),
    ],
)
def test_an_app_that_is_none_is_reported(
    tmp_path: Path,
    name: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "shop.py", APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    assert main(["serve", name]) == 2
    assert said in capsys.readouterr().err


def test_faults_of_variables_are_reported_before_anything_is_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUARD_RATE_LIMT", "5")
    assert main(["serve", "wsgiref.simple_server:demo_app"]) == 2
    assert "did you mean 'rate_limit'?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["dance"], ["inspect"], ["bans"]])
def test_a_command_that_is_none_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "Usage: guard-wsgi" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["serve", "json:JSONDecoder.decode()"], "without arguments: missing a required argument"),
        (["serve", "shop:app", "--port", "99999"], "99999 is not in the range"),
        (
            ["serve", "wsgiref.simple_server:demo_app", "--host", "h.invalid", "--port", "8001"],
            "can't serve on h.invalid:8001: ",
        ),
        (["doctor", "--workers", "0"], "0 is not in the range"),
    ],
)
def test_what_can_not_be_served_is_reported_in_a_line(
    arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert what in capsys.readouterr().err
