"""Nothing grows without bound, and nothing goes before its time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from guard_wsgi_flask.console import ConsoleSettings, retention, schema, search
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.search import Filters
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser
from tests.console.sending import event, send


def test_what_is_too_old_goes_with_its_counts(console: Console, key: NewKey) -> None:
    send(console, key, event(timestamp="2026-01-02T03:04:05Z", ip_address="198.51.100.9"), event())
    database = console.services.database
    assert retention.keep(database, ConsoleSettings(keep_days=None, keep_megabytes=None)) == 0
    assert retention.count(database) == 2
    assert retention.keep(database, ConsoleSettings(keep_days=1, keep_megabytes=None)) == 1
    assert [row["client"] for row in search.find(database, Filters()).rows] == ["203.0.113.7"]
    assert retention.count(database) == 1


def test_what_is_too_much_goes_the_oldest_first(console: Console, key: NewKey) -> None:
    for _ in range(20):
        send(console, key, *(event(user_agent="x" * 1000) for _ in range(400)))
    database = console.services.database
    before = database.size_bytes()
    assert before > 8_000_000
    newest = search.find(database, Filters()).rows[0]["id"]
    gone = retention.keep(database, ConsoleSettings(keep_days=None, keep_megabytes=before * 0.5e-6))
    assert 0 < gone < 8000
    assert database.size_bytes() <= before * 0.5
    assert search.find(database, Filters()).rows[0]["id"] == newest


def test_a_server_of_ones_own_keeps_within_the_bounds_too(
    console: Console, key: NewKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "INTERVAL_SECONDS", 0.05)
    old = event(timestamp="2026-01-02T03:04:05Z")
    send(console, key, old)  # starts the thread: nobody has called serve()
    deadline = time.monotonic() + 10
    while search.find(console.services.database, Filters()).rows:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_was_deleted_and_is_sent_again_is_new(console: Console, key: NewKey) -> None:
    old = event()
    send(console, key, old)
    retention.forget(console.services.database, "")
    assert send(console, key, old).json["accepted"] == 1


def _stored(console: Console) -> int:
    with console.services.database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(schema.events)) or 0)


def test_the_newest_stay_when_there_is_too_much_and_the_file_shrinks(
    console: Console, key: NewKey, tmp_path: Path
) -> None:
    for _ in range(12):
        send(console, key, *(event(note="x" * 4000) for _ in range(100)))
    path = tmp_path / "console.db"
    console.services.database.shrink()
    before = path.stat().st_size
    retention.keep(console.services.database, ConsoleSettings(keep_megabytes=2.5))
    left = _stored(console)
    assert 100 < left < 1000
    assert retention.count(console.services.database) == left
    assert console.services.database.size_bytes() <= 2_500_000
    assert path.stat().st_size < before * 0.8
    assert search.last_id(console.services.database) == 1200


def test_what_is_deleted_is_in_no_file_any_more(
    console: Console, key: NewKey, admin: Browser, tmp_path: Path
) -> None:
    send(console, key, event(), *(event(ip_address="198.51.100.77") for _ in range(50)))
    admin.post("/data/delete", client="198.51.100.77")
    assert retention.count(console.services.database) == 1
    # Once in the audit log, with what was deleted.
    held = b"".join(file.read_bytes() for file in tmp_path.glob("console.db*"))
    assert held.count(b"198.51.100.77") <= 2
    assert admin.get("/data").text.count("<dd>1</dd>")
