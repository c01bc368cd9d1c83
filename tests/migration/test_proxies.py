"""ProxyFix and the guard see one client, in either order."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.profiler import ProfilerMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from guard_wsgi import ConfigError, GuardMiddleware, SecurityConfig
from guard_wsgi.doctor.diagnosis import diagnose
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


def around_another(app: Flask, **options: Any) -> None:
    app.wsgi_app = ProxyFix(Prefix(app.wsgi_app))  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig(**options))


def twice(app: Flask, **options: Any) -> None:
    app.wsgi_app = ProxyFix(Prefix(ProxyFix(app.wsgi_app)))  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig(**options))


def beneath_a_profiler(app: Flask, **options: Any) -> None:
    fixed = ProxyFix(app.wsgi_app)
    app.wsgi_app = ProfilerMiddleware(fixed, stream=None)  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig(**options))


@pytest.mark.parametrize("set_up", [before, after, around_another, twice, beneath_a_profiler])
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


def mounting(app: Any) -> Any:
    api = Flask("api")
    api.add_url_rule("/x", view_func=lambda: "api")
    return DispatcherMiddleware(app, {"/api": api})


class ServingFiles:
    def __init__(self, app: Any) -> None:
        self.application = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith("/api"):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"a file"]
        return self.application(environ, start_response)


@pytest.mark.parametrize("answering", [mounting, ServingFiles])
def test_what_answers_beside_the_app_is_guarded_inside_of_proxy_fix(answering: Any) -> None:
    app = Flask("shop")
    app.add_url_rule("/", view_func=lambda: "home")
    app.wsgi_app = ProxyFix(answering(app.wsgi_app))  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig(blacklist=["203.0.113.9"]))
    client = app.test_client()
    for path in ("/", "/api/x"):
        for address, status in (("203.0.113.9", 403), ("198.51.100.7", 200)):
            headers = {"X-Forwarded-For": address}
            answer = client.get(path, headers=headers, environ_base=PROXY)
            assert answer.status_code == status, (path, address)
    attack = client.get("/api/x?q=<script>alert(1)</script>", environ_base=PROXY)
    assert attack.status_code == 400


@pytest.mark.parametrize("answering", [mounting, ServingFiles, Prefix])
@pytest.mark.parametrize("outer", [None, {"x_for": 2}])
def test_a_proxy_fix_beneath_what_may_answer_is_an_error_at_the_start(
    answering: Any, outer: dict[str, int] | None
) -> None:
    app = Flask("shop")
    wrapped = answering(ProxyFix(app.wsgi_app))
    app.wsgi_app = (  # type: ignore[method-assign]
        wrapped if outer is None else ProxyFix(wrapped, **outer)
    )
    unguarded = app.wsgi_app
    with pytest.raises(ConfigError, match="Make ProxyFix the outermost") as raised:
        FlaskAPIGuard(app, config=SecurityConfig())
    assert type(wrapped).__name__ in str(raised.value)
    assert app.wsgi_app is unguarded


def test_a_guard_that_reads_what_proxies_say_stands_around_a_fix_of_other_headers() -> None:
    app = Flask("shop")
    fixed = ProxyFix(app.wsgi_app, x_for=0, x_proto=1)
    app.wsgi_app = mounting(fixed)  # type: ignore[method-assign]
    config = SecurityConfig(trusted_proxies=["10.0.0.0/8"], blacklist=["203.0.113.9"])
    FlaskAPIGuard(app, config=config)
    headers = {"X-Forwarded-For": "203.0.113.9"}
    answer = app.test_client().get("/api/x", headers=headers, environ_base=PROXY)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("fix", "options", "named"),
    [
        ({"x_for": 1}, {"trusted_proxies": ["10.0.0.0/8"]}, "remove trusted_proxies"),
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


def test_a_fix_put_on_later_is_reported_at_the_first_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask("shop")
    after(app, trusted_proxies=["10.0.0.0/8"])
    with caplog.at_level(logging.ERROR, "guard_wsgi"):
        app.test_client().get("/")
    assert [r for r in caplog.records if "both read X-Forwarded-For" in r.getMessage()]
    assert "proxy-handled-twice" in {piece.code for piece in diagnose(app=app)}


def hidden(app: Any) -> Any:
    def called(environ: Any, start_response: Any) -> Any:
        return app(environ, start_response)

    return called


@pytest.mark.parametrize("is_hidden", [True, False])
def test_a_fix_that_can_not_be_found_is_reported_once(
    is_hidden: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = Flask("shop")
    fixed = ProxyFix(app.wsgi_app)
    app.wsgi_app = hidden(fixed) if is_hidden else fixed  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=SecurityConfig())
    client = app.test_client()
    with caplog.at_level(logging.ERROR, "guard_wsgi"):
        client.get("/health", environ_base=PROXY)
        assert not caplog.records
        for last in range(3):
            client.get("/", headers={"X-Forwarded-For": f"203.0.113.{last}"}, environ_base=PROXY)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == is_hidden
    for message in told:
        assert "the app sees the client 203.0.113.0, but the guard saw 10.0.0.2" in message


@pytest.mark.parametrize("peer", ["::ffff:203.0.113.7", "2001:DB8::1", "0.0.0.0", "", "unix"])
def test_an_address_in_another_spelling_is_no_other_client(
    peer: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Flask("shop")
    FlaskAPIGuard(app, config=SecurityConfig())
    with caplog.at_level(logging.ERROR, "guard_wsgi"):
        app.test_client().get("/", environ_base={"REMOTE_ADDR": peer})
    assert not caplog.records


def test_the_doctor_knows_a_guard_that_can_not_see_what_the_app_sees() -> None:
    app = Flask("shop")
    guarded = GuardMiddleware(ProxyFix(app.wsgi_app), SecurityConfig())
    found = {piece.code: piece for piece in diagnose(app=guarded)}
    assert found["proxy-fix-inside"].severity == "error"
    assert "ProxyFix(GuardMiddleware(app" in found["proxy-fix-inside"].remedy


def test_the_doctor_finds_nothing_where_all_is_well() -> None:
    for set_up in (before, after, around_another):
        app = Flask("shop")
        set_up(app)
        names = {piece.code for piece in diagnose(app=app)}
        assert not {"proxy-fix-inside", "proxy-handled-twice", "app-not-guarded"} & names
