"""Access: who may log in, and who may change something."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import time_machine

from guard_wsgi.errors import GuardError
from guard_wsgi_flask.console import ConsoleSettings, create_app
from guard_wsgi_flask.console.people import PasswordFileError, add_person
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import PASSWORD, Browser, MakeConsole, log_in, with_password

OPEN = {"static", "login.page", "login.enter", "now.health", "admin.csp_report"}


def _rules(console: Console) -> list[tuple[str, str, str]]:
    """Every (method, path, endpoint) of the console, with values for the variables."""
    found = []
    for rule in console.app.url_map.iter_rules():
        path = re.sub(r"<int(?:\(.*?\))?:\w+>", "1", rule.rule)
        path = path.replace("<slug>", "x").replace("<path:filename>", "console.css")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found.append((method, path, rule.endpoint))
    return found


def test_every_page_asks_who_it_is(console: Console) -> None:
    client = console.app.test_client()
    asked = 0
    for method, path, endpoint in _rules(console):
        if endpoint in OPEN:
            continue
        answer = client.open(path, method=method)
        expected = {401} if endpoint.startswith("wire.") or method != "GET" else {303}
        assert answer.status_code in expected, (method, path)
        asked += 1
    assert asked > 25


def test_every_change_asks_for_the_sessions_token(console: Console, admin: Browser) -> None:
    tried = 0
    for method, path, endpoint in _rules(console):
        if method == "GET" or endpoint in OPEN or endpoint.startswith("wire."):
            continue
        assert admin.client.open(path, method=method).status_code == 403, path
        wrong = {"X-CSRF-Token": "x" * 43}
        assert admin.client.open(path, method=method, headers=wrong).status_code == 403, path
        tried += 1
    assert tried >= 10


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_forms_change_nothing(admin: Browser, headers: dict[str, str]) -> None:
    data = {"_csrf": admin.csrf, "app": "shop"}
    assert admin.client.post("/keys", data=data, headers=headers).status_code == 403
    assert admin.client.post("/login", data=data, headers=headers).status_code == 403
    assert admin.client.post("/keys", data=data).status_code == 200


def test_a_printed_link_works_once(console: Console) -> None:
    token = console.services.people.new_link()
    client = console.app.test_client()
    ahead = client.get(f"/login?token={token}", headers={"Sec-Purpose": "prefetch"})
    assert ahead.status_code == 200
    assert client.get(f"/login?token={token}").status_code == 303
    assert client.get("/").status_code == 200
    assert console.app.test_client().get(f"/login?token={token}").status_code == 403


def test_a_printed_link_grows_old(console: Console) -> None:
    token = console.services.people.new_link()
    with time_machine.travel(__import__("time").time() + 3601, tick=False):
        assert console.app.test_client().get(f"/login?token={token}").status_code == 403


def test_a_session_ends(console: Console, admin: Browser) -> None:
    assert admin.get("/").status_code == 200
    with time_machine.travel(__import__("time").time() + 13 * 3600, tick=False):
        assert admin.get("/").status_code == 303
    admin.post("/logout")
    assert admin.get("/").status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Console) -> None:
    token = console.services.people.new_link()
    answer = console.app.test_client().get(f"/login?token={token}")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert token not in cookie
    over_tls = console.app.test_client().get(
        f"/login?token={console.services.people.new_link()}", base_url="https://localhost/"
    )
    assert "Secure" in over_tls.headers["Set-Cookie"]


def test_behind_a_proxy_the_client_is_whom_it_names(make_console: MakeConsole) -> None:
    console = make_console(trusted_proxies=("127.0.0.1",), hosts=("guard.example.com",))
    answer = console.app.test_client().get(
        f"/login?token={console.services.people.new_link()}",
        headers={"Host": "guard.example.com", "X-Forwarded-For": "198.51.100.9",
                 "X-Forwarded-Proto": "https"},
    )  # fmt: skip
    assert answer.status_code == 303
    assert "Secure" in answer.headers["Set-Cookie"]
    assert console.services.audit.latest()[0]["address"] == "198.51.100.9"
    alone = make_console(database=console.services.settings.database)
    answer = alone.app.test_client().get(
        f"/login?token={alone.services.people.new_link()}",
        headers={"X-Forwarded-For": "198.51.100.9", "X-Forwarded-Proto": "https"},
    )
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert alone.services.audit.latest()[0]["address"] == "127.0.0.1"


def test_viewers_look_and_change_nothing(make_console: MakeConsole, passwords: Path) -> None:
    console = make_console(password_file=passwords)
    console.services.keys.create("shop", "tests")
    viewer = with_password(console, "vic")
    for method, path, endpoint in _rules(console):
        if endpoint in OPEN or endpoint.startswith(("wire.", "login.")) or "stream" in endpoint:
            continue
        if endpoint == "now.live":
            continue
        if method == "GET":
            assert viewer.get(path).status_code in (200, 404), path
        elif endpoint not in ("playground.try_out", "playground.keep", "rules.show_preview"):
            assert viewer.post(path).status_code == 403, path
    assert with_password(console, "ann").post("/keys", app="new").status_code == 200


def test_wrong_passwords_are_refused_alike_and_limited(
    make_console: MakeConsole, passwords: Path
) -> None:
    console = make_console(password_file=passwords)
    client = console.app.test_client()
    wrong = client.post("/login", data={"name": "ann", "password": "wrong"})
    unknown = client.post("/login", data={"name": "nobody", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text == unknown.text
    codes = [
        client.post("/login", data={"name": "ann", "password": f"guess {n}"}).status_code
        for n in range(9)
    ]
    assert 429 in codes
    refused = [row for row in console.services.audit.latest() if row["action"] == "login refused"]
    assert len(refused) >= 2


def test_somebody_taken_out_of_the_file_is_out(make_console: MakeConsole, passwords: Path) -> None:
    console = make_console(password_file=passwords)
    ann = with_password(console, "ann")
    assert ann.get("/").status_code == 200
    add_person(passwords, "ann", "viewer", PASSWORD)
    assert ann.get("/").status_code == 303


def test_beyond_this_machine_a_password_file_is_needed(tmp_path: Path, passwords: Path) -> None:
    database = f"sqlite:///{tmp_path}/c.db"
    for host in ("0.0.0.0", "::", "192.0.2.1", "console.example"):
        with pytest.raises(GuardError, match="password-file"):
            create_app(ConsoleSettings(host=host, database=database))
        create_app(ConsoleSettings(host=host, database=database, password_file=passwords))


@pytest.mark.parametrize(
    "text", ["", "ann", "ann:admin:plain", "ann:root:scrypt:x", ":admin:scrypt:x"]
)
def test_a_password_file_that_is_none_stops_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people"
    path.write_text(text)
    with pytest.raises(PasswordFileError):
        create_app(ConsoleSettings(database=f"sqlite:///{tmp_path}/c.db", password_file=path))


def test_short_passwords_and_odd_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "people"
    for name, password in (
        ("ann", "short"),
        ("a:b", PASSWORD),
        ("local", PASSWORD),
        ("", PASSWORD),
    ):
        with pytest.raises(PasswordFileError):
            add_person(path, name, "admin", password)
    add_person(path, "ann", "admin", PASSWORD)
    assert path.stat().st_mode & 0o077 == 0
    assert PASSWORD not in path.read_text()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "["])
def test_a_name_that_somebody_points_here_is_not_ours(console: Console, host: str) -> None:
    client = console.app.test_client()
    assert client.get("/login", headers={"Host": host}).status_code == 400
    for ours in ("localhost:8600", "127.0.0.1", "[::1]:8600"):
        assert client.get("/login", headers={"Host": ours}).status_code == 200


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "x"]
)
def test_after_logging_in_nobody_is_sent_away(console: Console, target: str) -> None:
    token = console.services.people.new_link()
    answer = console.app.test_client().get("/login", query_string={"token": token, "next": target})
    assert answer.headers["Location"] == "/"


def test_every_answer_has_the_strict_policy(console: Console, admin: Browser) -> None:
    for path in ("/", "/events", "/login", "/static/console.js", "/nowhere", "/events.csv"):
        with admin.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "http" not in policy


def test_what_admins_do_is_written_down(console: Console, admin: Browser) -> None:
    admin.post("/keys", app="shop")
    admin.post("/bans", target="203.0.113.9", time="1h", app="shop")
    admin.post("/bans/lift", target="203.0.113.9", app="shop")
    actions = [row["action"] for row in console.services.audit.latest()]
    assert actions == ["unban", "ban", "create key", "login"]
    assert "203.0.113.9" in admin.get("/audit").text


def test_two_consoles_share_a_database(make_console: MakeConsole) -> None:
    first, second = make_console(), make_console()
    browser = log_in(first)
    cookie: Any = browser.client.get_cookie(first.services.people.cookie)
    other = second.app.test_client()
    other.set_cookie(cookie.key, cookie.value)
    assert other.get("/").status_code == 200


def test_a_changed_password_ends_the_sessions_of_its_owner(
    make_console: MakeConsole, passwords: Path
) -> None:
    console = make_console(password_file=passwords)
    ann, vic = with_password(console, "ann"), with_password(console, "vic")
    assert vic.get("/").status_code == 200
    add_person(passwords, "vic", "viewer", PASSWORD)
    assert vic.get("/").status_code == 303
    assert ann.get("/").status_code == 200
    assert with_password(console, "vic").get("/").status_code == 200


def test_consoles_on_one_machine_have_cookies_of_their_own(
    make_console: MakeConsole, tmp_path: Path
) -> None:
    one = make_console()
    other = make_console(database=f"sqlite:///{tmp_path}/other.db")
    assert one.services.people.cookie != other.services.people.cookie


def test_who_only_asks_for_the_head_of_the_link_does_not_spend_it(console: Console) -> None:
    link = {"token": console.services.people.new_link()}
    client = console.app.test_client()
    client.head("/login", query_string=link)
    assert client.get("/login", query_string=link).status_code == 303
    assert client.get("/login", query_string=link).headers["Location"] == "/"
