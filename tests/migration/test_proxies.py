"""ProxyFix and the guard: one client, whoever is put on first."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from guard_wsgi import ConfigError, GuardMiddleware, SecurityConfig
from guard_wsgi.doctor import diagnose
from guard_wsgi_flask import FlaskAPIGuard

PROXY = {"REMOTE_ADDR": "10.0.0.2"}


class Prefix:
    def __init__(self, app: Any) -> None:
        self.wsgi = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.wsgi(environ, start_response)


def before(app: Flask, **options: Any) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig(**options))


def after(app: Flask, **options: Any) -> None:
    FlaskAPIGuard(app, config=SecurityConfig(**options))
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]


def beneath_another(app: Flask, **options: Any) -> None:
    app.wsgi_app = Prefix(ProxyFix(app.wsgi_app))  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig(**options))


@pytest.mark.parametrize("set_up", [before, after, beneath_another])
def test_a_ban_keeps_out_nobody_but_the_client_that_the_app_sees(set_up: Any) -> None:
    app = Flask("shop")
    app.add_url_rule("/", view_func=lambda: request.remote_addr or "")
    set_up(app, auto_ban_threshold=3)
    client = app.test_client()

    def visit(address: str, path: str = "/") -> Any:
        return client.get(path, headers={"X-Forwarded-For": address}, environ_base=PROXY)

    for _ in range(4):
        visit("203.0.113.9", "/?q=<script>alert(1)</script>")
    assert visit("203.0.113.9").status_code == 403
    assert visit("198.51.100.7").text == "198.51.100.7"


@pytest.mark.parametrize(
    ("fix", "options", "named"),
    [
        ({"x_for": 1}, {"trusted_proxies": ["10.0.0.0/8"]}, "leave out trusted_proxies"),
        (
            {"x_for": 0, "x_proto": 1},
            {"trusted_proxies": ["10.0.0.0/8"], "trust_x_forwarded_proto": True},
            "trust_x_forwarded_proto",
        ),
    ],
)
def test_two_readers_of_one_header_are_an_error_at_the_start(
    fix: Any, options: Any, named: str
) -> None:
    app = Flask("shop")
    app.wsgi_app = ProxyFix(app.wsgi_app, **fix)  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match=named):
        FlaskAPIGuard(app, config=SecurityConfig(**options))


def test_readers_of_two_headers_are_none() -> None:
    app = Flask("shop")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1)  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig(trusted_proxies=["10.0.0.0/8"]))


def test_a_fix_put_on_later_is_told_of_at_the_first_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask("shop")
    after(app, trusted_proxies=["10.0.0.0/8"])
    with caplog.at_level(logging.ERROR, "guard_wsgi"):
        app.test_client().get("/")
    assert [r for r in caplog.records if "both read X-Forwarded-For" in r.getMessage()]
    assert "proxy-handled-twice" in {piece.code for piece in diagnose(app=app)}


def test_the_doctor_knows_a_guard_that_can_not_see_what_the_app_sees() -> None:
    app = Flask("shop")
    guarded = GuardMiddleware(ProxyFix(app.wsgi_app), SecurityConfig())
    found = {piece.code: piece for piece in diagnose(app=guarded)}
    assert found["proxy-fix-inside"].severity == "error"
    assert "ProxyFix(GuardMiddleware(app" in found["proxy-fix-inside"].remedy


def test_the_doctor_finds_nothing_where_all_is_well() -> None:
    for set_up in (before, after, beneath_another):
        app = Flask("shop")
        set_up(app)
        names = {piece.code for piece in diagnose(app=app)}
        assert not {"proxy-fix-inside", "proxy-handled-twice", "app-not-guarded"} & names
