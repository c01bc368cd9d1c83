"""flask guard bans, limits, emergency, inspect, doctor: on the store of the app itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from guard_wsgi.cli.tree import commands
from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig
from guard_wsgi_flask.commands import guard

Run = Callable[..., tuple[int, str]]


def runner(app: Flask) -> Run:
    cli = app.test_cli_runner()

    def run(*arguments: str) -> tuple[int, str]:
        result = cli.invoke(guard, arguments)
        return result.exit_code, result.output

    return run


def guarded(**options: Any) -> Flask:
    app = Flask(__name__)
    FlaskAPIGuard(app, config=SecurityConfig(**options))
    app.add_url_rule("/", "index", lambda: "hello")
    return app


def test_a_ban_of_the_command_line_holds_in_the_app(tmp_path: Path) -> None:
    app = guarded(store_url=f"lmdb://{tmp_path}/guard")
    run = runner(app)
    client = app.test_client()
    base = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/", environ_base=base).status_code == 200
    assert run("bans", "add", "203.0.113.9", "--for", "2h") == (
        0,
        "203.0.113.9 is banned for 2 h\n",
    )
    assert "203.0.113.9" in run("bans", "list")[1]
    assert client.get("/", environ_base={"REMOTE_ADDR": "203.0.113.10"}).status_code == 200
    assert run("bans", "remove", "203.0.113.9")[0] == 0
    assert run("bans", "remove", "203.0.113.9")[0] == 1
    assert "599 of 600 requests left" in run("limits", "show", "203.0.113.10")[1]
    assert run("emergency", "on", "--for", "5m")[0] == 0
    assert "is on for" in run("emergency", "status")[1]
    assert run("emergency", "off") == (0, "emergency mode is off\n")


def test_what_cannot_be_done_is_one_line_and_a_two() -> None:
    run = runner(guarded())
    code, text = run("bans", "list")
    assert code == 2
    assert text.startswith("Error: store_url is memory://")
    assert run("emergency", "on", "--for", "soon")[0] == 2


def test_an_attack_is_explained() -> None:
    run = runner(guarded())
    code, text = run("inspect", "1' UNION SELECT password FROM users--")
    assert code == 1
    assert "sqli in query 'q'" in text
    assert run("inspect", "a quiet walk") == (0, "passed\n")


def test_the_commands_are_those_of_guard_wsgi() -> None:
    shared = {"bans", "doctor", "emergency", "inspect", "limits"}
    assert shared <= set(commands.commands)
    assert shared <= set(guard.commands)
    # A request in a file, an address and JSON, as with guard-wsgi.
    code, text = runner(guarded())("inspect", "a quiet walk", "--client", "203.0.113.9", "--json")
    assert code == 0
    assert json.loads(text)["passed"] is True


def test_the_deployment_is_looked_at() -> None:
    code, text = runner(guarded(passive_mode=True))("doctor", "--workers", "4")
    assert code in (1, 2)
    assert "passive_mode" in text
    assert "store_url" in text


@pytest.mark.parametrize("arguments", [["bans", "list"], ["doctor"], ["inspect", "x"]])
def test_an_app_without_a_guard_is_reported(arguments: list[str]) -> None:
    code, text = runner(Flask(__name__))(*arguments)
    assert code == 1
    assert "this app has no guard" in text
