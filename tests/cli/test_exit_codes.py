"""The exit codes of each command are those that docs/commands.md lists."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from guard_wsgi.cli.tree import commands, main
from guard_wsgi.state.store import Store
from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator
from guard_wsgi_flask.commands import guard as flask_commands

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

SQL = "1' UNION SELECT name, password FROM users--"
REFUSED = (
    "2026-01-01 00:00:00 WARNING guard_wsgi: Blocked GET / from 203.0.113.9: banned"
    " [event=check_failed check=ip_ban id=0c5ac96e36774b6d9b1253805df51dfc]\n"
)


def leaves(group: click.Group, above: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{above}{name} ")
        else:
            yield above + name


def rows() -> dict[str, list[str]]:
    """The cells of each command on the page."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in found}


def test_the_page_has_each_command_once() -> None:
    page = rows()
    here, in_flask = set(leaves(commands)), set(leaves(flask_commands))
    assert {*page} == {*here, *in_flask, "report --reference"}
    assert {name for name, cells in page.items() if cells[2]} == in_flask
    assert {name for name, cells in page.items() if cells[2] == "only there"} == in_flask - here


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "guard.toml").write_text(f'store_url = "lmdb://{tmp_path}/guard"\n')
    Store.open(f"lmdb://{tmp_path}/guard").close()
    (tmp_path / "typo.toml").write_text(f'store_url = "lmdb://{tmp_path}/typo/guard"\n')
    (tmp_path / "on.toml").write_text(
        f'store_url = "lmdb://{tmp_path}/guard"\nemergency_mode = true\n'
        'emergency_whitelist = ["203.0.113.1"]\n'
    )
    (tmp_path / "wrong.toml").write_text("rate_limt = 5\n")
    (tmp_path / "doubtful.toml").write_text("enabled_detection_categories = []\n")
    (tmp_path / "down.toml").write_text(f'store_url = "lmdb://{tmp_path}/guard.toml/guard"\n')
    (tmp_path / "quiet.log").write_text("")
    (tmp_path / "loud.log").write_text(REFUSED)
    (tmp_path / "bare_site.py").write_text("def app(environ, start_response): return []\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("bare_site", None)


BAN = ["bans", "add", "203.0.113.9"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "guard.toml"], 0),
        (["check", "doubtful.toml"], 0),
        (["check", "wrong.toml"], 1),
        (["check", "nowhere.toml"], 1),
        (["options", "rate_limit"], 0),
        (["options", "teapot"], 1),
        (["options", "--teapot"], 2),
        (["inspect", "a quiet walk"], 0),
        (["inspect", SQL], 1),
        (["inspect"], 2),
        (["inspect", "--request", "nowhere.http"], 2),
        (["inspect", "--config", "wrong.toml", "walk"], 2),
        (["bans", "list"], 0),
        (["bans", "list", "--config", "down.toml"], 2),
        (["bans", "list", "--config", "nowhere.toml"], 2),
        (["bans", "list", "--config", "typo.toml"], 2),
        (["bans", "remove", "203.0.113.9", "--config", "typo.toml"], 2),
        (["limits", "show", "203.0.113.9", "--config", "typo.toml"], 2),
        (["emergency", "status", "--config", "typo.toml"], 2),
        ([*BAN, "--config", "typo.toml"], 0),
        (BAN, 0),
        ([*BAN, "--for", "soon"], 2),
        (["bans", "add", "127.0.0.1"], 2),
        (["bans", "remove", "203.0.113.10"], 1),
        (["bans", "remove", "somebody"], 2),
        (["limits", "show", "203.0.113.9"], 0),
        (["limits", "show", "somebody"], 2),
        (["emergency", "on", "--for", "1m"], 0),
        (["emergency", "on", "--for", "soon"], 2),
        (["emergency", "status"], 0),
        (["emergency", "status", "--config", "on.toml"], 0),
        (["emergency", "status", "--config", "down.toml"], 2),
        (["emergency", "off"], 0),
        (["emergency", "off", "--config", "on.toml"], 1),
        (["emergency", "off", "--config", "down.toml"], 2),
        (["report", "quiet.log"], 0),
        (["report", "loud.log"], 1),
        (["report", "nowhere.log"], 2),
        (["report", "guard.toml"], 2),
        (["report", "loud.log", "--reference", "0c5ac96e36774b6d9b1253805df51dfc"], 0),
        (["report", "loud.log", "--reference", "f" * 32], 1),
        (["serve", "nowhere:app"], 2),
        (["doctor", "bare_site:app"], 2),
        (["doctor", "nowhere:app"], 2),
        (["console", "--role", "emperor"], 2),
        (["teapot"], 2),
        (["--help"], 0),
        (["--version"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_command_exits_as_the_page_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    monkeypatch.setenv("GUARD_STORE_URL", f"lmdb://{folder}/guard")
    assert main(arguments) == code
    assert (folder / "typo").exists() == (arguments[:3] == BAN and "typo.toml" in arguments)


def test_a_ban_that_another_one_contains_is_not_lifted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARD_STORE_URL", f"lmdb://{folder}/guard")
    for target in ("203.0.113.9", "203.0.113.0/24"):
        assert main(["bans", "add", target]) == 0
    assert main(["bans", "remove", "203.0.113.9"]) == 1
    assert main(["bans", "remove", "203.0.113.0/24"]) == 0
    assert main(["bans", "remove", "203.0.113.0/24"]) == 1


def test_routes_of_flask_exit_with_1_if_rules_are_not_reached() -> None:
    for is_reached in (True, False):
        app = Flask(__name__)
        config = SecurityConfig()
        FlaskAPIGuard(app, config=config)
        protect = SecurityDecorator(config)

        @protect.require_https()
        def view() -> str:
            return "hello"

        if is_reached:
            app.add_url_rule("/", view_func=view)
        done = app.test_cli_runner().invoke(flask_commands, ["routes"])
        assert done.exit_code == (0 if is_reached else 1), done.output
