"""Countries and networks from databases, routes and their limits from agents, work that goes on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bottle
import pytest
from flask import Flask

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig, SecurityDecorator
from guard_wsgi_flask import FlaskAPIGuard
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.logreader import LogReader
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser, MakeConsole, log_in
from tests.console.sending import event, send
from tests.kit.gateway import serve, text_app
from tests.network.databases import ipinfo, maxmind


def test_a_database_tells_countries_and_networks_that_guards_do_not(
    make_console: MakeConsole, tmp_path: Path
) -> None:
    lands = maxmind(tmp_path / "country.mmdb", {"203.0.113.0/24": "NL"})
    networks = ipinfo(tmp_path / "asn.mmdb", {"203.0.113.0/24": "FR", "198.51.100.0/24": "DE"})
    console = make_console(geo=(lands, networks))
    key = console.services.keys.create("shop", "tests")
    send(
        console,
        key,
        event(),
        event(ip_address="198.51.100.9"),
        event(ip_address="198.51.100.8", country="US"),
        event(ip_address="127.0.0.1"),
    )
    admin = log_in(console)
    page = admin.get("/clients").text
    assert "AS1103 SURF B.V." in page
    assert 'data-label="refused">3<' in page.split("<h2>Networks</h2>")[1]
    assert "SURF" in admin.get("/client?client=203.0.113.7").text
    found = csv.DictReader(io.StringIO(admin.get("/events.csv").text))
    assert {row["client"]: row["country"] for row in found} == {
        "203.0.113.7": "NL",
        "198.51.100.9": "DE",
        "198.51.100.8": "US",
        "127.0.0.1": "",
    }


def test_without_a_database_the_pages_say_how_to_have_one(
    console: Console, key: NewKey, admin: Browser
) -> None:
    send(console, key, event())
    assert "--geo" in admin.get("/clients").text
    assert "not known" in admin.get("/client?client=203.0.113.7").text


# Routes ------------------------------------------------------------------------------------------


def _flask(config: SecurityConfig, guard: SecurityDecorator) -> GuardMiddleware:
    app = Flask(__name__)

    @app.post("/login")
    @guard.rate_limit(5, window=60)
    def login() -> str:
        return ""

    @app.get("/items/<int:number>")
    def item(number: int) -> str:
        return ""

    return FlaskAPIGuard(app, config=config).middleware


def _bottle(config: SecurityConfig, guard: SecurityDecorator) -> GuardMiddleware:
    from guard_wsgi.bottle import BottleResolver

    app = bottle.Bottle()
    app.post("/login")(guard.rate_limit(5, window=60)(lambda: ""))
    app.get("/items/<number:int>")(lambda number: "")
    return GuardMiddleware(app, config, resolver=BottleResolver(app))


def _patterns(config: SecurityConfig, guard: SecurityDecorator) -> GuardMiddleware:
    routes = {
        "/login": RouteConfig(rate_limit=5, rate_limit_window=60),
        "/items/<int:number>": RouteConfig(),
    }
    return GuardMiddleware(text_app(), config, routes=routes)


@pytest.mark.parametrize("made", [_flask, _bottle, _patterns])
def test_routes_without_a_limit_are_known_with_what_decorators_say(
    live: Console, key: NewKey, made: Callable[..., GuardMiddleware]
) -> None:
    config = SecurityConfig(
        enable_agent=True,
        agent_endpoint=live.url,
        agent_api_key=key.text,
        agent_project_id=f"shop-{made.__name__}",
    )
    guard = made(config, SecurityDecorator(config))
    serve(guard, path="/")
    agent = guard.services.agent
    assert agent is not None
    status = json.dumps(agent.get_status().as_wire()).encode()
    assert send(live, key, path="status", body=status).status_code == 200
    send(live, key, event(endpoint="/login", method="POST"))
    page = log_in(live).get("/paths").text
    guard.close()
    unlimited = page.split("Routes without their own limit", 1)[1]
    assert "/items/&lt;" in unlimited
    assert "/login<" not in unlimited
    assert "5 in 60 s" in page


@pytest.mark.parametrize("routes", [5, ["/a"], {"/a": {"b": 1}}, {"/" + "a" * 300_000: ""}])
def test_odd_routes_break_no_page(
    console: Console, key: NewKey, admin: Browser, routes: Any
) -> None:
    body = json.dumps({"status": "degraded", "routes": routes}).encode()
    assert send(console, key, path="status", body=body).status_code == 200
    assert admin.get("/paths").status_code == 200
    assert "degraded" in admin.get("/").text


# Work --------------------------------------------------------------------------------------------


def test_an_export_and_a_log_that_is_read_show_how_far_they_are(
    make_console: MakeConsole, tmp_path: Path
) -> None:
    log = tmp_path / "guard.log"
    line = json.dumps({"event": "rate_limited", "client_ip": "203.0.113.7"}) + "\n"
    log.write_text(line * 50)
    console = make_console(log=log)
    admin = log_in(console)
    assert "load delay:1s" in admin.get("/data/work").text
    assert "0 %" in admin.get("/data/work").text
    LogReader(log, console.services.database, console.services.intake).read_on()
    assert "new lines follow" in admin.get("/data/work").text
    export = admin.get("/events.json")
    assert len(export.text.splitlines()) == 50
    page = admin.get("/data/work").text
    assert "export events.jsonl by local" in page
    assert "50 of about 50" in page.replace("\n", " ")
    assert "done in" in page
