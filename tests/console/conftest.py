"""A console with a database of its own, as its pages and as a server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from guard_wsgi_flask.console import ConsoleSettings
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.people import add_person
from guard_wsgi_flask.console.serving import Console

PASSWORD = "correct horse battery"
_CSRF = re.compile(r'name="_csrf" value="([^"]+)"')


class Browser:
    """A client that is logged in, and sends its session's token with every form."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    @property
    def csrf(self) -> str:
        found = _CSRF.search(self.client.get("/audit").text)
        assert found is not None
        return found[1]

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data={"_csrf": self.csrf, **fields})


MakeConsole = Callable[..., Console]


@pytest.fixture
def make_console(tmp_path: Path) -> Iterator[MakeConsole]:
    made: list[Console] = []

    def make(**options: Any) -> Console:
        options.setdefault("database", f"sqlite:///{tmp_path}/console.db")
        made.append(Console(ConsoleSettings(port=0, **options)))
        return made[-1]

    yield make
    for console in made:
        console.close()


@pytest.fixture
def console(make_console: MakeConsole) -> Console:
    return make_console()


@pytest.fixture
def live(console: Console) -> Iterator[Console]:
    """A console that serves on a port."""
    console.start()
    yield console
    console.shutdown()


@pytest.fixture
def key(console: Console) -> NewKey:
    return console.services.keys.create("shop", "tests")


def log_in(console: Console) -> Browser:
    """Logged in with a printed link, so as an admin."""
    client = console.app.test_client()
    answer = client.get("/login", query_string={"token": console.services.people.new_link()})
    assert answer.status_code == 303
    return Browser(client)


@pytest.fixture
def admin(console: Console) -> Browser:
    return log_in(console)


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    path = tmp_path / "people"
    add_person(path, "ann", "admin", PASSWORD)
    add_person(path, "vic", "viewer", PASSWORD)
    return path


def with_password(console: Console, name: str) -> Browser:
    client = console.app.test_client()
    answer = client.post("/login", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 303
    return Browser(client)
