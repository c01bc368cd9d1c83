"""The page of a client, and the app that an exclusion applies to."""

from __future__ import annotations

import re

import pytest

from guard_wsgi.errors import GuardError
from guard_wsgi_flask.console import overview
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.reported_bans import reported_ban
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser
from tests.console.sending import event, send


def test_a_ban_of_the_apps_own_guard_is_shown(
    console: Console, key: NewKey, admin: Browser
) -> None:
    banned = {"reason": "penetration_attempt", "method": "", "action_taken": ""}
    send(
        console, key, event(), event(event_type="ip_banned", metadata={"duration": 3600}, **banned)
    )
    page = admin.get("/client?client=203.0.113.7").text
    assert "by the guard of shop until" in page
    assert "Lift the ban" in page
    send(console, key, event(event_type="ip_unbanned", method="", action_taken=""))
    assert "by the guard of shop" not in admin.get("/client?client=203.0.113.7").text


def test_a_ban_that_has_ended_is_none(console: Console, key: NewKey) -> None:
    old = event(event_type="ip_banned", timestamp="2026-01-02T03:04:05Z",
                metadata={"duration": 3600})  # fmt: skip
    odd = [event(event_type="ip_banned", ip_address=f"192.0.2.{n}", metadata={"duration": seconds})
           for n, seconds in enumerate(("x", -1, None, True, [1]))]  # fmt: skip
    send(console, key, old, *odd)
    database = console.services.database
    for address in ("203.0.113.7", *(f"192.0.2.{n}" for n in range(5))):
        assert reported_ban(database, address, "shop") is None


def test_a_country_that_was_known_stays_known(console: Console, key: NewKey) -> None:
    send(console, key, event(country="DE"))
    send(console, key, event(country=None))
    known = overview.client(console.services.database, "203.0.113.7")
    assert known is not None
    assert known["country"] == "DE"


def test_an_exclusion_of_the_report_is_for_the_app_that_refused(
    console: Console, admin: Browser
) -> None:
    console.services.keys.create("a-first-by-name", "tests")
    shop = console.services.keys.create("shop", "tests")
    send(console, shop, *(event(ip_address=f"203.0.113.{n}") for n in range(5)))
    page = admin.get("/report").text
    form = page[page.index('action="/report/exclude"') :]
    app = re.search(r'name="app" value="([^"]*)"', form)
    assert app is not None
    assert app[1] == "shop"
    # The editor of rules also selects the app with recent events.
    assert "configuration of <b>shop</b>" in admin.get("/rules").text


def test_a_password_in_a_database_url_is_not_reported() -> None:
    with pytest.raises(GuardError) as told:
        Database("mysql://ann:s3cret@db/guard")
    assert "s3cret" not in str(told.value)
