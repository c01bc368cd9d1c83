"""The console in a real browser: an attack comes, is understood, is answered.

Debian's Chromium, driven by Playwright. ``.ci/run`` installs it.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import func, select
from werkzeug.serving import make_server

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.serving import Console
from tests.console.payloads import FIELDS, payloads, with_payloads
from tests.console.sending import event, send
from tests.kit.gateway import text_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FOUND = "tr[data-event]:has-text('SQL injection')"
ATTACK = "1' UNION SELECT password FROM users--"

if CHROMIUM is None and os.environ.get("CI"):
    pytest.fail("CI needs Debian's chromium: .ci/run installs it", pytrace=False)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
    pytest.mark.timeout(180),
]


class GuardedApp:
    """An app behind the guard whose agent sends to a console."""

    def __init__(self, console: Console, key: NewKey) -> None:
        self.guard = GuardMiddleware(
            text_app(),
            SecurityConfig(
                enable_agent=True,
                agent_endpoint=console.url,
                agent_api_key=key.text,
                agent_project_id=key.app,
                agent_send_paths=True,
                agent_flush_interval=0.1,
                enable_dynamic_rules=True,
                enable_ip_banning=False,
                # So that a test has other clients than the loopback, which can't be banned.
                trusted_proxies=["127.0.0.1"],
            ),
        )
        self._server = make_server("127.0.0.1", 0, self.guard, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def get(self, path: str = "/", client: str = "203.0.113.7", **headers: str) -> int:
        headers = {"X-Forwarded-For": client, **headers}
        return requests.get(self.url + path, headers=headers, timeout=10).status_code

    def becomes(self, status: int, path: str = "/", seconds: float = 5, **headers: str) -> None:
        deadline = time.monotonic() + seconds
        while (got := self.get(path, **headers)) != status:
            assert time.monotonic() < deadline, f"still {got}"
            time.sleep(0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.guard.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without a sandbox of its own: CI runs as root in a container.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Page:
    """A page that records each of its faults."""

    def __init__(self, chromium: Any, console: Console, **options: Any) -> None:
        self.context = chromium.new_context(**options)
        self.tab = self.context.new_page()
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        self.tab.set_default_timeout(20_000)
        self.tab.on("pageerror", lambda error: self.faults.append(f"error {error}"))
        self.tab.on(
            "console",
            lambda told: self.faults.append(told.text) if told.type in ("error", "warning") else 0,
        )
        self.tab.on("request", lambda asked: self.hosts.add(asked.url.split("/")[2]))
        self.url = console.url
        self.tab.goto(console.link())

    def open(self, path: str) -> Any:
        self.tab.goto(self.url + path)
        return self.tab


@pytest.fixture
def page(chromium: Any, live: Console) -> Iterator[Page]:
    made = Page(chromium, live)
    yield made
    made.context.close()
    assert made.faults == []
    assert made.hosts == {live.url.removeprefix("http://")}


@pytest.fixture
def app(live: Console, key: NewKey) -> Iterator[GuardedApp]:
    made = GuardedApp(live, key)
    assert made.get() == 200
    yield made
    made.close()


def test_an_attack_appears_is_opened_and_its_client_banned(page: Page, app: GuardedApp) -> None:
    tab = page.open("/events")
    tab.wait_for_selector(".live.on")
    assert app.get("/search?q=" + ATTACK) == 400
    tab.wait_for_selector(FOUND)  # without a reload
    tab.click(f"{FOUND} >> nth=0 >> a >> nth=0")
    assert "UNION SELECT" in tab.inner_text("main")
    assert tab.locator("svg.bars rect").count() > 3
    assert app.get() == 200
    tab.select_option("select[name=time]", "1h")
    tab.click("text=Ban 203.0.113.7")
    tab.wait_for_selector(".notice")
    app.becomes(403, seconds=2)
    assert app.get(client="203.0.113.8") == 200
    page.open("/client?client=203.0.113.7")
    tab.click("text=Lift the ban >> nth=0")
    app.becomes(200, seconds=2)


def test_three_clicks_from_the_spike_to_the_ban(page: Page, app: GuardedApp) -> None:
    for _ in range(3):
        app.get("/search?q=" + ATTACK)
    tab = page.open("/")
    tab.wait_for_selector("main a:has-text('203.0.113.7')")
    assert tab.locator(".chart canvas").count() == 1
    tab.click("main a:has-text('/search')")
    tab.click(f"{FOUND} >> nth=0 >> a:has-text('203.0.113.7')")
    tab.click("text=Ban 203.0.113.7")
    app.becomes(403, seconds=2)


def test_a_false_alarm_is_excluded_and_the_same_request_passes(page: Page, app: GuardedApp) -> None:
    assert app.get("/wiki?text=" + ATTACK) == 400
    tab = page.open("/events")
    tab.click(f"{FOUND} >> nth=0 >> a >> nth=0")
    tab.wait_for_selector("text=let 1 through")
    tab.click("text=Not an attack: exclude it")
    tab.wait_for_selector(".notice")
    app.becomes(200, "/wiki?text=" + ATTACK, seconds=2)
    assert app.get("/wiki?other=" + ATTACK) == 400
    assert app.get("/search?text=" + ATTACK) == 400


def test_a_rule_is_previewed_written_and_rolled_back(page: Page, app: GuardedApp) -> None:
    app.get("/search?q=" + ATTACK)
    tab = page.open("/rules")
    tab.fill("textarea[name=blocked_user_agents]", "bad(")
    tab.click("text=Activate")
    assert "regular expression" in tab.inner_text(".fault")
    assert "422" in page.faults.pop()  # the browser's own line about that answer
    tab.fill("textarea[name=blocked_user_agents]", "badbot")
    tab.click("text=Preview on the last day")
    tab.wait_for_selector("#preview >> text=would have refused")
    tab.click("text=Activate")
    tab.wait_for_selector(".notice")
    bad = {"User-Agent": "badbot/1"}
    app.becomes(403, seconds=2, **bad)
    assert app.get() == 200
    tab.click("text=version 1 >> nth=-1")
    assert "badbot" in tab.inner_text("pre >> nth=0")
    page.open("/rules")
    tab.click("text=Remove all rules")
    tab.wait_for_selector(".notice")
    app.becomes(200, seconds=2, **bad)


def test_the_playground_changes_its_mind_with_the_threshold(page: Page) -> None:
    tab = page.open("/playground")
    tab.fill("textarea[name=text]", ATTACK)
    tab.click("text=Try it >> nth=0")
    tab.wait_for_selector("#answer >> .tag.refused")
    tab.click("summary:has-text('Change the configuration')")
    tab.fill("input[name=threshold]", "9")
    tab.click("text=Try it >> nth=0")
    tab.wait_for_selector("#answer >> text=The app would be called")
    tab.click("text=Permalink")
    tab.wait_for_url("**/playground/*")
    assert tab.input_value("textarea[name=text]") == ATTACK
    assert "The app would be called" in tab.inner_text("#answer")


def test_a_key_is_made_shown_once_and_revoked(page: Page, live: Console) -> None:
    tab = page.open("/keys")
    tab.fill("input[name=app]", "blog")
    tab.click("text=Create a key")
    made = tab.inner_text("#made")
    assert 'agent_api_key="gw_' in made
    page.open("/keys")
    assert tab.locator("#made").count() == 0
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.click("text=Revoke")
    tab.wait_for_selector(".notice")
    assert live.services.keys.all()[0]["revoked"]


def test_nothing_that_attackers_write_runs(page: Page, live: Console, key: NewKey) -> None:
    tab = page.tab
    dialogs: list[str] = []
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    texts = payloads("xss")[:240]
    made = with_payloads(texts)
    assert send(live, key, *made).json["accepted"] == len(made)
    for number in range(0, len(texts), 40):
        live.services.audit.record(
            texts[number], texts[number], "ban", texts[number], texts[number]
        )
        live.services.rules.write("shop", {"message": texts[number]}, texts[number], texts[number])
    after = ["/", "/clients?period=week", "/paths", "/report", "/audit", "/rules", "/keys", "/data"]
    after += [f"/events/{number}" for number in range(1, len(made) + 1, 5)]
    after += [f"/playground?event={number}" for number in range(1, len(made) + 1, 20)]
    for path in after:
        page.open(path)
        tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    path = "/events"
    while path:
        page.open(path)
        older = tab.locator("a.button:text-is('Older')")
        path = older.get_attribute("href") if older.count() else ""
    for text in texts[:40]:
        page.open("/events?" + requests.compat.urlencode({"text": text, "client": text}))
    assert dialogs == []
    assert tab.evaluate("window.pwned") is None
    with live.services.database.read() as connection:
        reports = select(func.count()).select_from(schema.csp_reports)
        assert connection.scalar(reports) == 0
    assert len(FIELDS) > 8


PAGES = ("/", "/events", "/events/1", "/clients", "/client?client=203.0.113.7", "/paths", "/report",
         "/rules/effects", "/report/group?app=shop&check=suspicious_activity&path=/search"
         "&category=sqli&location=query&name=q",
         "/rules", "/playground?example=0", "/keys", "/data", "/audit")  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_a_phone_scrolls_one_way(
    chromium: Any, live: Console, key: NewKey, theme: str
) -> None:
    found = find_spec("axe_playwright_python")
    assert found is not None
    assert found.submodule_search_locations is not None
    axe = Path(next(iter(found.submodule_search_locations)), "axe.min.js").read_text()
    send(live, key, event(), event(action_taken="logged_only", country="DE"))
    send(live, key, path="status", body=b'{"status": "degraded", "errors": ["queue"]}')
    live.services.rules.write("shop", {"message": "x"}, "ann", "")
    size = {"width": 360, "height": 740} if theme == "dark" else {"width": 1280, "height": 900}
    page = Page(chromium, live, color_scheme=theme, viewport=size)
    faults = {}
    for path in PAGES:
        tab = page.open(path)
        tab.wait_for_load_state()
        assert tab.evaluate("document.documentElement.dataset.theme") == theme
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        tab.evaluate(axe)
        told = tab.evaluate("axe.run({resultTypes: ['violations']})")
        serious = [
            (one["id"], one["nodes"][0]["html"][:160])
            for one in told["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        if serious:
            faults[path] = serious
    page.context.close()
    assert faults == {}
    assert page.faults == []


def test_the_first_stop_of_the_keyboard_skips_to_the_content(page: Page) -> None:
    tab = page.open("/events")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_times_are_those_of_the_readers_zone(chromium: Any, live: Console, key: NewKey) -> None:
    send(live, key, event(timestamp="2026-01-02T03:04:05Z"))
    page = Page(chromium, live, timezone_id="Asia/Tokyo", locale="en-GB")
    text = page.open("/events/1").inner_text("main time >> nth=0")
    page.context.close()
    assert "12:04:05" in text
