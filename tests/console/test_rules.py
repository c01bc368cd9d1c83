"""Rules are checked like the guard's own, kept with their history, and delivered at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.agent import DynamicRules
from guard_wsgi_flask.console import overview
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.rulebook import EDITABLE, RulesRefused
from guard_wsgi_flask.console.ruleform import body_of_form, form_of_body
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser
from tests.console.sending import event, send
from tests.kit.gateway import text_app

PROMPT_SECONDS = 15
"""The promise is two seconds. A busy machine may take longer, but no agent that only asks once a
minute or in five does it in this time."""

EVERYTHING: dict[str, str] = {
    "ip_blacklist": "203.0.113.7 until 2099-01-01T00:00:00+00:00\n198.51.100.0/24",
    "ip_whitelist": "192.0.2.1",
    "ip_ban_duration": "60",
    "blocked_countries": "DE\nFR",
    "blocked_cloud_providers": "AWS",
    "blocked_user_agents": "evil.*bot",
    "suspicious_patterns": "needle[0-9]+",
    "detection_exclusions": '[[detection_exclusions]]\npath = "/blog/*"\nbody_fields = ["text"]',
    "global_rate_limit": "50",
    "global_rate_window": "10",
    "endpoint_rate_limits": "/login 5 60\n/a 1 2",
    "auto_ban_threshold": "5",
    "auto_ban_duration": "600",
    "enable_penetration_detection": "yes",
    "enable_ip_banning": "no",
    "enable_rate_limiting": "",
    "enable_rate_limit_auto_ban": "yes",
    "emergency_mode": "on",
    "emergency_whitelist": "192.0.2.0/24",
    "emergency_whitelist_only": "on",
    "expires_at": "2099-01-01T00:00:00+00:00",
    "message": "under attack",
}


def asked(console: Console, key: NewKey, **headers: str) -> requests.Response:
    return requests.get(
        f"{console.url}/api/v1/rules", headers={"X-API-Key": key.text, **headers}, timeout=30
    )


def test_what_the_form_says_is_what_an_agent_reads(
    console: Console, key: NewKey, admin: Browser
) -> None:
    assert admin.post("/rules", app="shop", version="0", **EVERYTHING).status_code == 303
    delivery = console.services.rules.delivery("shop")
    rules = DynamicRules.parse(json.loads(delivery.body))
    assert rules.version == 1
    assert rules.rule_id == "console:shop"
    assert rules.ip_blacklist == ("203.0.113.7", "198.51.100.0/24")
    assert rules.ip_ban_until["203.0.113.7"].year == 2099
    assert rules.endpoint_rate_limits == {"/login": (5, 60), "/a": (1, 2)}
    assert rules.detection_exclusions[0]["body_fields"] == ["text"]
    assert (rules.enable_ip_banning, rules.enable_rate_limiting) == (False, None)
    assert rules.emergency_mode
    assert rules.message == "under attack"


def test_a_form_filled_from_rules_says_the_same_rules(console: Console) -> None:
    body = console.services.rules.checked("shop", body_of_form(EVERYTHING))
    again = console.services.rules.checked("shop", body_of_form(form_of_body(body)))
    assert again == body
    assert set(body) <= set(EDITABLE)


def test_an_empty_form_is_no_rules(console: Console) -> None:
    assert console.services.rules.checked("shop", body_of_form({})) == {}


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("ip_blacklist", "nonsense", "ip_blacklist"),
        ("ip_blacklist", "203.0.113.7 until tomorrow", "ip_ban_until"),
        ("blocked_countries", "Germany", "ISO 3166"),
        ("blocked_user_agents", "(", "regular expression"),
        ("suspicious_patterns", r"(a)\1", "\\1"),
        ("suspicious_patterns", "(", "regular expression"),
        ("blocked_cloud_providers", "Acme", "Acme"),
        ("global_rate_limit", "-1", "whole number"),
        ("global_rate_limit", "0", "global_rate_limit"),
        ("endpoint_rate_limits", "/login 5", "path requests seconds"),
        ("endpoint_rate_limits", "login 5 60", "not a path"),
        ("detection_exclusions", "nonsense", "TOML"),
        ("detection_exclusions", '[[detection_exclusions]]\npath = "/a"', "/a"),
        (
            "detection_exclusions",
            '[[detection_exclusions]]\npath = "/a"\ncategories = ["sql"]',
            "sqli",
        ),
        ("detection_exclusions", "passive_mode = true", "only"),
        ("detection_exclusions", "detection_exclusions = 5", "list"),
        ("expires_at", "soon", "expires_at"),
    ],
)
def test_rules_that_a_guard_would_refuse_are_refused_with_the_reason(
    console: Console, key: NewKey, admin: Browser, field: str, text: str, said: str
) -> None:
    answer = admin.post("/rules", app="shop", version="0", **{field: text})
    assert answer.status_code == 422
    faults = answer.text.split('class="fault"', 1)[1].split("</div>", 1)[0]
    assert said in faults.replace("&#39;", "'")
    assert console.services.rules.current("shop") == (0, {})


def test_a_version_written_in_the_meantime_is_not_overwritten(
    console: Console, key: NewKey, admin: Browser
) -> None:
    admin.post("/rules", app="shop", version="0", message="mine")
    late = admin.post("/rules", app="shop", version="0", message="theirs")
    assert late.status_code == 422
    assert "in the meantime" in late.text
    assert console.services.rules.current("shop")[1]["message"] == "mine"


def test_two_changes_at_once_are_both_kept(console: Console, key: NewKey) -> None:
    book = console.services.rules

    def ban(number: int) -> None:
        def change(body: dict[str, Any]) -> None:
            known = body.get("ip_blacklist", [])
            body["ip_blacklist"] = [*known, f"203.0.113.{number}"]

        book.change("shop", "ann", "", change)

    threads = [threading.Thread(target=ban, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(book.current("shop")[1]["ip_blacklist"]) == 8


CHANGES = """
import sys
from guard_wsgi import SecurityConfig
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.rulebook import RuleBook, ban
book = RuleBook(Database(sys.argv[1]), SecurityConfig)
print("ready", flush=True)
sys.stdin.readline()
for number in range(6):
    book.change("shop", "ann", "", ban(f"203.0.{sys.argv[2]}.{number}", 600))
"""


def test_two_processes_that_change_rules_lose_no_change(
    console: Console, key: NewKey, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", CHANGES, f"sqlite:///{tmp_path}/console.db"]
    others = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in (1, 2)
    ]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    for other in others:
        other.communicate("go\n", timeout=100)
        assert other.returncode == 0
    version, body = console.services.rules.current("shop")
    assert version == 12
    assert len(body["ip_blacklist"]) == 12


def test_a_roll_back_of_what_somebody_has_changed_meanwhile_is_refused(
    console: Console, key: NewKey, admin: Browser
) -> None:
    for version in range(3):
        admin.post("/rules", app="shop", version=str(version), message=f"of {version}")
    late = admin.post("/rules/1/restore", app="shop", version="2")
    assert late.status_code == 400
    assert "in the meantime" in late.text
    assert admin.post("/rules/1/restore", app="shop", version="3").status_code == 303
    assert console.services.rules.current("shop")[1]["message"] == "of 0"


def test_a_page_says_in_force_only_when_an_agent_has_taken_the_rules(
    console: Console, key: NewKey, admin: Browser
) -> None:
    answer = admin.post("/rules", app="shop", version="0", message="mine")
    page = admin.get(answer.headers["Location"]).text
    assert "In force" not in page
    assert "/rules/taken?app=shop&amp;version=1" in page
    assert "no agent of shop asks for rules" in admin.get("/rules/taken?app=shop&version=1").text
    client = console.app.test_client()
    client.get("/api/v1/rules", headers={"X-API-Key": key.text})
    assert "In force: 1 agent" in admin.get("/rules/taken?app=shop&version=1").text
    assert "Waiting" in admin.get("/rules/taken?app=shop&version=2").text
    late = admin.get("/rules/taken?app=shop&version=2&tries=99").text
    assert "Not active yet" in late


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"ip_blacklist": "0.0.0.0/0"}, "loopback", id="everybody"),
        pytest.param({"ip_blacklist": "127.0.0.1"}, "loopback", id="itself"),
        pytest.param({"expires_at": "2001-01-01T00:00:00Z"}, "in the past", id="over already"),
        pytest.param({"enable_ip_banning": "banana"}, "none of yes, no", id="no such choice"),
        pytest.param({"emergency_mode": "1"}, "none of on", id="no such switch"),
        pytest.param(
            {"endpoint_rate_limits": "/a 1 2\n/a 3 4"}, "has two limits", id="a path twice"
        ),
    ],
)
def test_what_would_have_no_effect_is_refused(
    console: Console, key: NewKey, admin: Browser, fields: dict[str, str], said: str
) -> None:
    for path in ("/rules", "/rules/preview"):
        assert said in admin.post(path, app="shop", version="0", **fields).text
    assert console.services.rules.current("shop")[0] == 0


def test_rules_for_an_app_that_is_not_there_are_written_for_no_other(
    console: Console, key: NewKey, admin: Browser
) -> None:
    assert admin.post("/rules", app="nope", message="x").status_code == 404
    assert admin.post("/rules/0/restore", app="nope").status_code == 404
    assert console.services.rules.current("shop")[0] == 0


def test_the_preview_says_what_holds_for_requests_that_it_can_not_know(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event())
    emergency = admin.post("/rules/preview", app="shop", emergency_mode="on").text
    assert "503 to everybody" in emergency
    off = admin.post("/rules/preview", app="shop", enable_penetration_detection="no").text
    assert "every attack passes" in off
    assert "let <b>1</b>" in off


def test_a_ban_of_a_network_shows_on_its_clients_pages_and_can_be_lifted_there(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event())
    admin.post("/rules", app="shop", version="0", ip_blacklist="203.0.0.0/16")
    for path in ("/client?client=203.0.113.7", "/events/1"):
        page = admin.get(path).text
        assert "with 203.0.0.0/16" in page
        assert "Lift the ban of 203.0.0.0/16" in page
    admin.post("/bans/lift", app="shop", target="203.0.0.0/16")
    assert console.services.rules.current("shop")[1]["ip_whitelist"] == ["203.0.0.0/16"]


class RuledApp:
    """An app that takes its rules from a console, and a client far away."""

    def __init__(self, console: Console, key: NewKey) -> None:
        self.guard = GuardMiddleware(
            text_app(),
            SecurityConfig(
                enable_agent=True,
                agent_endpoint=console.url,
                agent_api_key=key.text,
                agent_project_id="shop",
                enable_dynamic_rules=True,
            ),
        )
        self._client = Client(self.guard)

    def status(self, address: str = "203.0.113.9") -> int:
        return self._client.get("/", environ_base={"REMOTE_ADDR": address}).status_code

    def becomes(self, status: int) -> None:
        deadline = time.monotonic() + PROMPT_SECONDS
        while self.status() != status:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def ruled(live: Console, key: NewKey) -> Iterator[RuledApp]:
    app = RuledApp(live, key)
    assert app.status() == 200
    deadline = time.monotonic() + 20
    while not overview.rule_takers(live.services.database, "shop"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield app
    app.guard.close()


def test_a_ban_that_is_taken_out_or_rolled_back_ends(live: Console, ruled: RuledApp) -> None:
    book = live.services.rules
    for end in ({"ip_blacklist": ["198.51.100.7"]}, {}):
        book.write("shop", {"ip_blacklist": ["203.0.113.0/24", "198.51.100.7"]}, "ann", "")
        ruled.becomes(403)
        book.write("shop", end, "ann", "")
        ruled.becomes(200)
    assert ruled.status("198.51.100.7") == 200
    book.write("shop", {"ip_blacklist": ["203.0.113.0/24"]}, "ann", "")
    ruled.becomes(403)
    ruled.guard.bans.ban("203.0.113.0/24", 60, "by hand")
    book.write("shop", {"blocked_user_agents": ["gone"]}, "ann", "")
    deadline = time.monotonic() + PROMPT_SECONDS
    while ruled.guard.services.ruled.rules.ip_blacklist:  # type: ignore[union-attr]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ruled.status() == 403


def test_what_is_written_after_rules_have_expired_is_heard_at_once(
    live: Console, ruled: RuledApp
) -> None:
    book = live.services.rules
    soon = datetime.now(UTC) + timedelta(seconds=2.5)
    banned = {"ip_blacklist": ["203.0.113.9"]}
    book.write("shop", {**banned, "expires_at": soon.isoformat()}, "ann", "")
    ruled.becomes(403)
    ruled.becomes(200)
    time.sleep(1.5)
    book.write("shop", banned, "ann", "")
    ruled.becomes(403)


def test_the_history_tells_who_and_what_and_takes_back(
    console: Console, key: NewKey, admin: Browser
) -> None:
    admin.post("/rules", app="shop", version="0", message="first", note="because")
    admin.post("/rules", app="shop", version="1", message="second")
    page = admin.get("/rules?app=shop").text
    assert "because" in page
    assert "local" in page
    assert "second" in admin.get("/rules/2?app=shop").text
    admin.post("/rules/1/restore", app="shop")
    version, body = console.services.rules.current("shop")
    assert (version, body) == (3, {"message": "first"})
    admin.post("/rules/0/restore", app="shop")
    assert console.services.rules.current("shop") == (4, {})


def test_the_preview_tells_who_would_have_been_refused_or_let_through(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(
        console,
        key,
        event(),
        event(action_taken="logged_only", ip_address="198.51.100.4", country="DE"),
        event(action_taken="logged_only", user_agent="evil bot", ip_address="198.51.100.5"),
    )
    headers = {"X-CSRF-Token": admin.csrf}

    def previewed(**form: str) -> str:
        answer = admin.client.post("/rules/preview", data={"app": "shop", **form}, headers=headers)
        assert answer.status_code == 200
        return answer.text

    assert "refused <b>1</b> more" in previewed(blocked_countries="DE")
    assert "refused <b>1</b> more" in previewed(blocked_user_agents="EVIL")
    assert "refused <b>2</b> more" in previewed(ip_blacklist="198.51.100.0/24")
    assert "refused <b>2</b> more" in previewed(emergency_mode="on")
    assert "refused <b>0</b> more" in previewed(
        emergency_mode="on", emergency_whitelist="198.51.100.0/24\n203.0.113.0/24"
    )
    assert "let <b>3</b> through" in previewed(
        detection_exclusions=EVERYTHING["detection_exclusions"]
        .replace("/blog/*", "/search")
        .replace("body_fields", "params")
        .replace("text", "q")
    )
    assert "let <b>3</b> through" in previewed(enable_penetration_detection="no")
    assert "would refuse these rules" in previewed(blocked_countries="Germany")
    assert console.services.rules.current("shop") == (0, {})


def test_the_rules_in_force_count_what_they_catch(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event(country="DE"), event(country="FR"), event(action_taken="logged_only"))
    assert "none is a refusal by these rules" in admin.get("/rules/caught?app=shop").text
    admin.post("/rules", app="shop", version="0", blocked_countries="DE")
    assert "blocked_countries DE 1" in admin.get("/rules/caught?app=shop").text


def test_a_pattern_that_would_take_for_ever_does_not(
    console: Console, key: NewKey, admin: Browser
) -> None:
    long = event(user_agent="a" * 500 + "!", endpoint="/" + "a" * 400 + "!")
    send(console, key, *({**long, "idempotency_key": str(number)} for number in range(20)))
    headers = {"X-CSRF-Token": admin.csrf}
    for field in ("blocked_user_agents", "suspicious_patterns"):
        began = time.process_time()
        form = {"app": "shop", field: "^(a+)+$"}
        admin.client.post("/rules/preview", data=form, headers=headers)
        assert time.process_time() - began < 20


def test_a_ban_that_has_ended_is_delivered_to_nobody(console: Console, key: NewKey) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    console.services.rules.write(
        "shop", {"ip_blacklist": ["203.0.113.7"], "ip_ban_until": {"203.0.113.7": soon}}, "a", ""
    )
    first = console.services.rules.delivery("shop")
    assert b"203.0.113.7" in first.body
    time.sleep(1.1)
    later = console.services.rules.delivery("shop")
    assert b"203.0.113.7" not in later.body
    assert later.etag != first.etag


def test_an_agent_that_waits_hears_at_once_and_others_are_answered_at_once(
    live: Console, key: NewKey
) -> None:
    first = asked(live, key)
    assert first.json()["version"] == 0
    etag = first.headers["ETag"]
    assert asked(live, key, **{"If-None-Match": etag}).status_code == 304
    timer = threading.Timer(0.5, live.services.rules.write, ("shop", {"message": "x"}, "a", ""))
    timer.start()
    began = time.monotonic()
    held = asked(live, key, **{"If-None-Match": etag, "Prefer": "wait=20"})
    took = time.monotonic() - began
    timer.join()
    assert held.json()["message"] == "x"
    assert 0.4 < took < 5
    began = time.monotonic()
    same = asked(live, key, **{"If-None-Match": held.headers["ETag"], "Prefer": "wait=1"})
    assert same.status_code == 304
    assert 0.9 < time.monotonic() - began < 5


@pytest.mark.parametrize("prefer", ["wait=", "wait=-1", "wait=99999999", "respond-async", "wait=x"])
def test_an_odd_preference_is_none(live: Console, key: NewKey, prefer: str) -> None:
    etag = asked(live, key).headers["ETag"]
    began = time.monotonic()
    asked(live, key, **{"If-None-Match": etag, "Prefer": prefer})
    assert time.monotonic() - began < 5


def test_emergency_reaches_an_app_at_once_not_at_its_next_poll(live: Console, key: NewKey) -> None:
    guard = GuardMiddleware(
        text_app(),
        SecurityConfig(
            enable_agent=True,
            agent_endpoint=live.url,
            agent_api_key=key.text,
            agent_project_id="shop",
            enable_dynamic_rules=True,
        ),
    )
    client = Client(guard)
    far = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    try:
        assert client.get("/", **far).status_code == 200
        deadline = time.monotonic() + 20
        while not live.services.rules.delivery("shop").version and time.monotonic() < deadline:
            if any(one.rules_at for one in overview.agents(live.services.database)):
                break
            time.sleep(0.05)
        time.sleep(0.5)
        live.services.rules.write("shop", {"emergency_mode": True}, "ann", "")
        began = time.monotonic()
        while client.get("/", **far).status_code != 503:
            assert time.monotonic() - began < PROMPT_SECONDS
            time.sleep(0.02)
        live.services.rules.write("shop", {}, "ann", "")
        began = time.monotonic()
        while client.get("/", **far).status_code != 200:
            assert time.monotonic() - began < PROMPT_SECONDS
            time.sleep(0.02)
    finally:
        guard.close()


def test_rules_are_each_apps_own(console: Console, key: NewKey) -> None:
    console.services.keys.create("blog", "tests")
    console.services.rules.write("shop", {"message": "x"}, "ann", "")
    assert console.services.rules.current("blog") == (0, {})
    with pytest.raises(RulesRefused):
        console.services.rules.write("blog", {"version": 5}, "ann", "")
