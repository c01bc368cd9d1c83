"""The same console on a real PostgreSQL: Debian's, started here."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi_flask.console import ConsoleSettings, overview, retention, search
from guard_wsgi_flask.console.search import Filters
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import log_in
from tests.console.payloads import payloads, with_payloads
from tests.console.sending import event, send

BINARIES = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
USER = "postgres"

if not BINARIES and os.environ.get("CI"):
    pytest.fail("CI needs Debian's postgresql: .ci/run installs it", pytrace=False)
pytestmark = [
    pytest.mark.skipif(not BINARIES, reason="there is no PostgreSQL on this machine"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A server's URL. As root it runs as its own user: it refuses to be root."""
    binaries = Path(BINARIES[-1])
    folder = Path(tempfile.mkdtemp(prefix="guard-postgresql-"))
    options: dict[str, Any] = {"cwd": "/", "capture_output": True, "timeout": 120, "check": True}
    name = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        account = pwd.getpwnam(USER)
        os.chown(folder, account.pw_uid, account.pw_gid)
        options.update(user=USER, group=account.pw_gid, extra_groups=[])
        name = USER
    data = folder / "data"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    subprocess.run([binaries / "initdb", "-A", "trust", "-E", "UTF8", "-N", "-D", data], **options)
    control = [str(binaries / "pg_ctl"), "-D", str(data), "-w"]
    listen = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"
    # Not captured: the server would hold the pipe, and this would wait for its end.
    quiet = {**options, "capture_output": False, "stdout": subprocess.DEVNULL,
             "stderr": subprocess.DEVNULL}  # fmt: skip
    subprocess.run([*control, "-l", str(folder / "log"), "-o", listen, "start"], **quiet)
    try:
        yield f"postgresql://{name}@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def console(postgresql: str) -> Iterator[Console]:
    made = Console(ConsoleSettings(port=0, database=postgresql))
    yield made
    retention.forget(made.services.database, "")
    made.close()


def test_events_are_stored_once_counted_and_found(console: Console) -> None:
    key = console.services.keys.create("shop", "tests")
    first = event(country="DE", metadata={"odd": "\x00 \ud800 🙂"})
    assert send(console, key, first, event()).json["accepted"] == 2
    assert send(console, key, first).json["duplicates"] == 1
    database = console.services.database
    assert len(search.find(database, Filters(country="DE", text="SQLI")).rows) == 1
    (top,) = overview.top(database, "client", "week")
    assert (top.value, top.seen, top.refused) == ("203.0.113.7", 2, 2)
    metric = {"metric_type": "request_count", "value": 3, "endpoint": "/a", "tags": {}}
    send(console, key, path="metrics", metrics=[metric], batch_id="b")
    assert sum(overview.timeline(database, "hour")["requests"] or []) == 3


def test_every_page_is_served(console: Console) -> None:
    key = console.services.keys.create("shop", "tests")
    send(console, key, *with_payloads(payloads()[:60]))
    send(console, key, event(), event(action_taken="logged_only"))
    admin = log_in(console)
    number = search.last_id(console.services.database)
    admin.post("/bans", target="203.0.113.7", time="1h", app="shop")
    for path in ("/", "/?period=month", "/events", "/events?text=select", f"/events/{number}",
                 f"/events/{number}/exclusion", "/clients?period=week", "/paths", "/report",
                 "/client?client=203.0.113.7", "/rules", "/keys", "/audit", "/data",
                 "/events.csv", "/events.json", f"/playground?event={number}"):  # fmt: skip
        assert admin.get(path).status_code == 200, path


def test_batches_at_once_count_right(console: Console) -> None:
    key = console.services.keys.create("shop", "tests")
    shared = [event() for _ in range(40)]

    def sender(number: int) -> None:
        send(console, key, *shared, *(event(ip_address=f"10.0.0.{number}") for _ in range(10)))

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert retention.count(console.services.database) == 100
    (most, *_) = overview.top(console.services.database, "client", "day")
    assert (most.value, most.seen) == ("203.0.113.7", 40)


def test_retention_deletes_the_oldest(console: Console) -> None:
    key = console.services.keys.create("shop", "tests")
    send(console, key, event(timestamp="2026-01-02T03:04:05Z"), event())
    settings = ConsoleSettings(keep_days=1, keep_megabytes=None)
    assert retention.keep(console.services.database, settings) == 1
    assert len(search.find(console.services.database, Filters()).rows) == 1
