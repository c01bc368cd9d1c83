"""The effect of relaxed rules, and similar refusals: counts and advice."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import quote

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser, MakeConsole, log_in
from tests.console.sending import FINDING, event, send
from tests.kit.gateway import serve, text_app

ENTRY = {"path": "/wiki/*", "params": ["text"]}
NAME = json.dumps(ENTRY, sort_keys=True)
ATTACK = "1' UNION SELECT password FROM users--"


def let_through(**changes: Any) -> dict[str, Any]:
    metadata = {"exclusion": NAME, "count": 1, **changes.pop("metadata", {})}
    return event(
        event_type="detection_excluded",
        action_taken="let_pass",
        endpoint="/wiki/page",
        metadata={"check": None, **metadata},
        **changes,
    )


def _row(page: str, cell: str) -> str:
    return next(row for row in page.split("<tr>") if cell in row)


def test_an_exclusion_counts_what_it_lets_through_and_can_be_taken_away(
    console: Console, key: NewKey, admin: Browser
) -> None:
    unused = {"path": "/blog", "categories": ["xss"]}
    body = {"detection_exclusions": [ENTRY, unused]}
    console.services.rules.write("shop", body, "ann", "")
    send(console, key, let_through(), let_through(metadata={"count": 41}, ip_address="192.0.2.1"))
    page = admin.get("/rules/effects?app=shop").text
    row = _row(page, "/wiki/*")
    assert ">42<" in row
    assert "the rules" in row
    assert re.search(r'clients">2<', row)
    assert "nothing yet" in _row(page, "/blog")
    shown = admin.get(re.search(r'href="([^"]+kind=detection[^"]+)"', row)[1].replace("&amp;", "&"))  # type: ignore[index]
    assert shown.text.count("data-event=") == 2
    assert admin.post("/rules/exclusions/remove", app="shop", entry=NAME).status_code == 303
    assert console.services.rules.current("shop")[1] == {"detection_exclusions": [unused]}
    assert "no longer active" in _row(admin.get("/rules/effects?app=shop").text, "/wiki/*")
    again = admin.post("/rules/exclusions/remove", app="shop", entry=NAME)
    assert again.status_code == 400
    assert "already removed" in again.text


@pytest.mark.parametrize("count", [None, True, "9", -5, 1.5, [1]])
def test_an_odd_count_is_one(console: Console, key: NewKey, admin: Browser, count: Any) -> None:
    send(console, key, let_through(metadata={"count": count}))
    assert ">1<" in _row(admin.get("/rules/effects").text, "/wiki/*")


@pytest.mark.parametrize(
    "name", ["<b>", "[1]", "{}", '{"path": 1}', '{"path": "/a", "params": 5}', "[" * 9000, "null"]
)
def test_an_odd_name_of_an_exclusion_is_shown_as_it_is(
    console: Console, key: NewKey, admin: Browser, name: str
) -> None:
    send(console, key, let_through(metadata={"exclusion": name}))
    page = admin.get("/rules/effects")
    assert page.status_code == 200
    assert "no longer active" in page.text


def test_exclusions_of_the_configuration_are_shown_with_what_a_real_guard_says(
    make_console: MakeConsole, tmp_path: Any
) -> None:
    config = tmp_path / "guard.toml"
    config.write_text('[[detection_exclusions]]\npath = "/wiki/*"\nparams = ["text"]\n')
    console = make_console(config=config)
    console.start()
    key = console.services.keys.create("shop", "tests")
    guard = GuardMiddleware(
        text_app(),
        SecurityConfig(
            detection_exclusions=[ENTRY],
            enable_agent=True,
            agent_endpoint=console.url,
            agent_api_key=key.text,
            agent_project_id="shop",
            agent_send_paths=True,
            agent_flush_interval=0.1,
        ),
    )
    for _ in range(3):
        assert serve(guard, path="/wiki/page?text=" + quote(ATTACK)).code == 200
    try:
        admin = log_in(console)
        row = ""
        deadline = time.monotonic() + 20
        while ">3<" not in row:
            assert time.monotonic() < deadline, row
            time.sleep(0.1)
            row = _row(admin.get("/rules/effects").text, "/wiki/*")
        assert "guard.toml" in row
    finally:
        guard.close()
        console.shutdown()


def test_rules_count_what_each_of_their_entries_refuses(
    console: Console, key: NewKey, admin: Browser
) -> None:
    body = {
        "ip_blacklist": ["203.0.113.7", "198.51.100.0/24"],
        "blocked_user_agents": ["curl", "badbot"],
        "endpoint_rate_limits": {"/login": [5, 60]},
    }
    console.services.rules.write("shop", body, "ann", "")
    limited = {"check": "rate_limit", "findings": [], "threat_categories": []}
    send(
        console,
        key,
        event(),
        event(ip_address="198.51.100.9"),
        event(ip_address="192.0.2.5", user_agent="badbot/1"),
        event(ip_address="192.0.2.5", user_agent="x", endpoint="/login", metadata=limited),
    )
    page = admin.get("/rules/effects?app=shop").text
    for name in ("203.0.113.7", "198.51.100.0/24", "badbot", "/login"):
        assert 'refused">1<' in _row(page, f">{name}<")


# Look-alikes -------------------------------------------------------------------------------------


def _noise(console: Console, key: NewKey) -> None:
    """A form that is misjudged: many clients, two kinds of evidence; and an attacker."""
    select = {**FINDING, "name": "text", "value": "select a union rep", "indicators": "sql.words"}
    made = [
        event(ip_address=f"192.0.2.{number}", endpoint="/wiki/1", metadata={"findings": [select]})
        for number in range(1, 6)
    ]
    other = {**select, "value": "drop table talk", "indicators": "sql.drop"}
    made += [event(ip_address="192.0.2.9", endpoint="/wiki/2", metadata={"findings": [other]})] * 1
    send(console, key, *made, event())


def test_a_noisy_rule_is_looked_at_in_groups_and_excluded(
    console: Console, key: NewKey, admin: Browser
) -> None:
    _noise(console, key)
    report = admin.get("/report").text
    href = re.search(r'href="(/report/group\?[^"]*wiki[^"]*)"', report)
    assert href is not None
    page = admin.get(href[1].replace("&amp;", "&")).text
    kinds = page.split("<tbody>", 1)[1].split("</tbody>", 1)[0].split("<tr>")[1:]
    assert len(kinds) == 2
    assert "select a union rep" in kinds[0]
    assert 'requests">5<' in kinds[0]
    assert "drop table talk" in kinds[1]
    assert "let <b>6</b> through" in page
    offered = re.search(r'name="entry" value="([^"]+)"', page)
    assert offered is not None
    text = offered[1].replace("&#34;", '"')
    answer = admin.post("/report/exclude", app="shop", entry=text, back="/rules/effects?app=shop")
    assert answer.status_code == 303
    assert "/wiki/*" in admin.get(answer.headers["Location"]).text
    rules = console.services.rules.current("shop")[1]
    entry = {"path": "/wiki/*", "params": ["text"], "categories": ["sqli"]}
    assert rules == {"detection_exclusions": [entry]}


def test_an_event_leads_to_its_look_alikes(console: Console, key: NewKey, admin: Browser) -> None:
    _noise(console, key)
    page = admin.get("/events/1").text
    href = re.search(r'href="(/report/group\?[^"]*)"', page)
    assert href is not None
    assert "select a union rep" in admin.get(href[1].replace("&amp;", "&")).text


def test_a_group_that_is_not_there_says_what_to_do(console: Console, admin: Browser) -> None:
    page = admin.get("/report/group?path=/nowhere&check=x").text
    assert "Choose a longer period" in page


def test_what_else_an_exclusion_lets_pass_is_reported(
    console: Console, key: NewKey, admin: Browser
) -> None:
    form = {**FINDING, "location": "form"}
    script = {**FINDING, "category": "xss", "value": "<script>", "indicators": "xss.script"}
    found = ([{**form, "location": "json"}], [script], [{**form, "category": "xss"}], [form])
    send(console, key, *(event(metadata={"findings": findings}) for findings in found))
    page = admin.get(
        "/report/group?check=suspicious_activity&path=/search&category=sqli"
        "&location=form&name=q&app=shop"
    ).text
    assert "let <b>2</b> through" in page
    assert "other requests with the same kind of attack" in page
