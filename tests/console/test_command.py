"""``guard-wsgi console``, and the example that runs it beside an app."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.cli.tree import main
from guard_wsgi_flask.console.database import Database, DatabaseError
from tests.console.conftest import PASSWORD
from tests.kit.gateway import text_app

EXAMPLES = Path(__file__).parents[2] / "examples"


class Running:
    """The command as a process, with its first output."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "guard_wsgi", "console", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.told = ""
        while "Ctrl-C" not in self.told or ("login?token" not in self.told):
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read() if self.process.stderr else ""
            self.told += line
        found = re.search(r"http://\S+token=\S+", self.told)
        assert found is not None
        self.link = found[0]
        self.url = self.link.split("/login")[0]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_serves_prints_a_link_and_a_key_and_ends(folder: Path) -> None:
    running = Running()
    try:
        session = requests.Session()
        assert session.get(running.link, timeout=20).url == running.url + "/"
        assert session.get(running.url + "/events", timeout=20).status_code == 200
        lines = running.process.stdout
        assert lines is not None
        shown = "".join(lines.readline() for _ in range(3))
        found = re.search(r'agent_api_key="(gw_[^"]+)"', shown)
        assert found is not None
        key = found[1]
        answer = requests.post(
            running.url + "/api/v1/events",
            json={"events": [{"event_type": "ip_blocked"}]},
            headers={"X-API-Key": key},
            timeout=20,
        )
        assert answer.json()["accepted"] == 1
    finally:
        code = running.end()
    assert code == 0
    database = folder / "guard-console.db"
    assert database.stat().st_mode & 0o077 == 0
    again = Running("--log", str(folder / "guard.log"))
    try:
        assert "agent_api_key" not in again.told
    finally:
        again.end()


def test_another_link_can_be_had_on_the_same_machine(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = Running()
    try:
        assert main(["console", "--link"]) == 0
        token = capsys.readouterr().out.strip().split("token=")[1]
        session = requests.Session()
        answer = session.get(f"{running.url}/login?token={token}", timeout=20)
        assert answer.url == running.url + "/"
    finally:
        running.end()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "--password-file"),
        (["--db", "mysql://h/d"], "sqlite:/// and postgresql://"),
        (["--db", "nonsense"], "--db"),
        (["--db", "sqlite:///"], "name of a file"),
        (["--db", "sqlite:////proc/none/x.db"], "No such file"),
        (["--password-file", "nowhere"], "can't be read"),
        (["--add-person", "ann"], "needs --password-file"),
        (["--config", "nowhere.toml"], "nowhere.toml: there is no such file"),
        (["--geo", "nowhere.mmdb"], "nowhere.mmdb: there is no such file"),
        (["--store", "foo://"], "unsupported --store scheme 'foo'"),
        (["--trusted-proxy", "banana"], "--trusted-proxy: 'banana' is neither"),
        (["--allow-host", "http://x"], "--allow-host: 'http://x' is not a host name"),
        (["--role", "admin"], "--role needs --add-person"),
        (["--keep-days", "-1"], "-1"),
        (["--link", "--db", "sqlite:///nowhere.db"], "no database sqlite:///nowhere.db"),
    ],
)
def test_what_can_not_be_served_is_reported_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["console", "--port", "0", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert not (folder / "nowhere.db").exists()
    assert "Traceback" not in told


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_file_that_is_no_database_is_reported_in_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match="can't be opened"):
        Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseError, match="No such file"):
        Database(f"sqlite:///{tmp_path}/nowhere/console.db")
    assert not (tmp_path / "nowhere").exists()


def test_a_person_is_added_from_standard_input(folder: Path) -> None:
    command = [sys.executable, "-m", "guard_wsgi", "console", "--add-person", "ann",
               "--password-file", "people", "--role", "admin"]  # fmt: skip
    done = subprocess.run(
        command, input=PASSWORD + "\n", text=True, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "ann can log in as admin" in done.stdout
    assert (folder / "people").read_text().startswith("ann:admin:scrypt:")


def test_tables_of_another_version_are_left_alone(folder: Path) -> None:
    database = Database("sqlite:///x.db")
    database.set_value("schema_version", "999")
    database.close()
    with pytest.raises(DatabaseError, match="version 999"):
        Database("sqlite:///x.db")


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from examples import flask_app

    yield flask_app
    for name in ("sample_traffic", "flask_app"):
        sys.modules.pop(name, None)


def test_the_example_fills_its_console_with_sample_traffic(
    example: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    options = example.start_console()
    link = capsys.readouterr().out.split()[-1]
    import sample_traffic

    guard = GuardMiddleware(text_app(), SecurityConfig(rate_limit=60, **options))
    server = make_server("127.0.0.1", 0, guard, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        chance = Random(1)
        for _ in range(40):
            sample_traffic.one("127.0.0.1", server.server_port, chance)
        assert guard.services.agent is not None
        assert guard.services.agent.flush_buffer(20)
        session = requests.Session()
        session.get(link, timeout=20)
        lines = session.get(f"{options['agent_endpoint']}/events.json", timeout=20).text
        found = [json.loads(line) for line in lines.splitlines()]
        assert {one["ip_address"] for one in found if one.get("method")} <= {
            *sample_traffic.ATTACKERS,
        }
        assert len(found) > 5
        assert any(one["country"] == "NL" for one in found)
    finally:
        server.shutdown()
        server.server_close()
        guard.close()
