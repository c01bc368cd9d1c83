"""Faults: a full disk, a locked database, slow clients."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from guard_wsgi_flask.console import people, serving
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import PASSWORD, Browser, MakeConsole
from tests.console.sending import event, send


def _limit_pages(console: Console, pages: int) -> None:
    """SQLite's own limit for a file: over it, SQLite reports the same as for a full disk."""
    engine = console.services.database._engine
    engine.dispose()

    from sqlalchemy import event as hooks

    @hooks.listens_for(engine, "connect")
    def _limit(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_on_a_full_disk_agents_keep_what_they_have_and_pages_still_show(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event())
    _limit_pages(console, 1)
    filler = [event(reason="x" * 2000) for _ in range(100)]
    answer = send(console, key, *filler)
    assert answer.status_code == 503
    assert answer.json["success"] is False
    assert answer.headers["Retry-After"]
    page = admin.get("/events")
    assert page.status_code == 200
    assert "SQL injection" in page.text
    while admin.post("/keys", app="a" * 60).status_code == 200:  # the room that is left
        pass
    refused = admin.post("/keys", app="blog")
    assert refused.status_code == 503
    assert "disk may be full" in refused.text
    _limit_pages(console, 1_000_000)
    assert send(console, key, *filler).json["accepted"] == 100


def test_while_another_program_holds_the_database_agents_must_retry(
    make_console: MakeConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guard_wsgi_flask.console.database.BUSY_SECONDS", 0.2)
    console = make_console()
    key = console.services.keys.create("shop", "tests")
    with closing(sqlite3.connect(tmp_path / "console.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert send(console, key, event()).status_code == 503
        assert console.app.test_client().get("/healthz").status_code == 200
        other.execute("ROLLBACK")
    assert send(console, key, event()).json["accepted"] == 1


def test_a_missing_database_is_reported_to_open_pages(
    console: Console, admin: Browser, tmp_path: Path
) -> None:
    console.services.database.close()
    for path in tmp_path.glob("console.db*"):
        path.unlink()
    (tmp_path / "console.db").mkdir()
    assert console.app.test_client().get("/healthz").status_code == 503
    page = admin.get("/")
    assert page.status_code == 503
    assert "does not answer" in page.text


def test_hundreds_of_live_pages_leave_room_for_others(live: Console) -> None:
    session = requests.Session()
    session.get(live.link(), timeout=10)
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    port = int(live.url.rpartition(":")[2])
    streams = []
    try:
        for _ in range(200):
            stream = socket.create_connection(("127.0.0.1", port), timeout=10)
            stream.sendall(f"GET /live HTTP/1.1\r\nHost: {live.url[7:]}\r\n"
                           f"Cookie: {cookie}\r\n\r\n".encode())  # fmt: skip
            streams.append(stream)
        assert session.get(live.url + "/events", timeout=20).status_code == 200
    finally:
        for stream in streams:
            stream.close()


def test_a_client_that_stays_silent_is_let_go(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving._Handler, "timeout", 0.3)
    console.start()
    try:
        port = int(console.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            assert slow.recv(1000) == b""
    finally:
        console.shutdown()


@pytest.fixture
def of_eight_connections(
    make_console: MakeConsole, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Console]:
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 8)
    console = make_console()
    console.start()
    yield console
    console.shutdown()


def test_connections_have_a_bound(of_eight_connections: Console) -> None:
    live = of_eight_connections
    port = int(live.url.rpartition(":")[2])
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(8)]
    deadline = time.monotonic() + 10
    while live._server._free.acquire(blocking=False):  # all eight are being served
        live._server._free.release()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one_more:
        one_more.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert _received(one_more) == b""
    for one in held:
        one.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            assert requests.get(live.url + "/healthz", timeout=10).status_code == 200
            return
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1000)
    except ConnectionResetError:
        return b""


def test_few_passwords_are_checked_at_a_time(
    make_console: MakeConsole, passwords: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "CHECK_SECONDS", 0.05)
    console = make_console(password_file=passwords)
    checking = console.services.people._checking
    for _ in range(people.MAX_CHECKS):
        assert checking.acquire(blocking=False)
    client = console.app.test_client()
    answer = client.post("/login", data={"name": "ann", "password": PASSWORD})
    assert answer.status_code == 503
    assert "too many people" in answer.text
    checking.release()
    answer = client.post("/login", data={"name": "ann", "password": PASSWORD})
    assert answer.status_code == 303


def test_who_logs_in_gets_another_session_and_the_old_one_ends(console: Console) -> None:
    client = console.app.test_client()
    client.get("/login", query_string={"token": console.services.people.new_link()})
    first = client.get_cookie(console.services.people.cookie)
    client.get("/login", query_string={"token": console.services.people.new_link()})
    second = client.get_cookie(console.services.people.cookie)
    assert first is not None
    assert second is not None
    assert first.value != second.value
    assert console.services.people.find(first.value) is None
    planted = console.app.test_client()
    planted.set_cookie(console.services.people.cookie, "planted-by-somebody")
    planted.get("/login", query_string={"token": console.services.people.new_link()})
    held = planted.get_cookie(console.services.people.cookie)
    assert held is not None
    assert held.value != "planted-by-somebody"
