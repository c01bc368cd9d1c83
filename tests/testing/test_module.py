"""guard_wsgi.testing, as the tests of a site use it."""

from __future__ import annotations

from typing import Any

import falcon.testing
import flask
import pytest
import webtest
from werkzeug.exceptions import Forbidden
from werkzeug.middleware.proxy_fix import ProxyFix

from guard_wsgi import BehaviorRule, GuardMiddleware, SecurityConfig, testing
from guard_wsgi_flask import FlaskAPIGuard, SecurityDecorator
from tests.kit.gateway import text_app

ATTACK = "/?q=1'+UNION+SELECT+username,+password+FROM+users--"


def shop(**options: Any) -> flask.Flask:
    config = SecurityConfig(**options)
    protect = SecurityDecorator(config)
    app = flask.Flask(__name__)

    @app.get("/")
    def home() -> str:
        return "hello"

    @app.post("/login")
    @protect.rate_limit(5, window=60)
    def login() -> str:
        return "in"

    @app.get("/secret")
    def secret() -> str:
        raise Forbidden

    FlaskAPIGuard(app, config=config)
    return app


def test_the_sixth_login_is_refused_and_works_again_a_minute_later() -> None:
    app = shop()
    with testing.controlled(app) as guard:
        client = app.test_client()
        for _ in range(5):
            guard.assert_passed(client.post("/login"))
        refusal = guard.assert_refused(client.post("/login"), check="rate_limit", status=429)
        assert (refusal.path, refusal.reason) == (
            "/login",
            "over 5 requests in 60 s (rate_limit of the route)",
        )
        guard.move_clock(59)
        guard.assert_refused(client.post("/login"))
        guard.move_clock(61)
        guard.assert_passed(client.post("/login"))


@pytest.mark.parametrize("strategy", ["sliding-window-counter", "fixed-window", "moving-window"])
def test_the_clock_moves_for_each_way_of_counting(strategy: str) -> None:
    app = shop(rate_limit_strategy=strategy)
    with testing.controlled(app) as guard:
        client = app.test_client()
        for _ in range(6):
            last = client.post("/login")
        guard.assert_refused(last)
        guard.move_clock(120)
        guard.assert_passed(client.post("/login"))


def test_a_ban_ends_when_the_clock_says_so() -> None:
    app = shop(auto_ban_threshold=2, auto_ban_duration=600)
    with testing.controlled(app) as guard:
        client = app.test_client()
        at = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.7"}}
        for _ in range(2):
            client.get(ATTACK, **at)
        guard.assert_refused(client.get("/", **at), check="ip_ban", status=403)
        guard.move_clock(601)
        guard.assert_passed(client.get("/", **at))


def test_a_behaviour_rule_counts_on_the_clock_of_the_test() -> None:
    rule = BehaviorRule(
        "return_pattern",
        threshold=2,
        window=60,
        pattern="status:403",
        action="ban",
        ban_duration=300,
    )
    app = shop(global_behavior_rules=[rule])
    with testing.controlled(app) as guard:
        client = app.test_client()
        at = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.7"}}
        for _ in range(2):
            client.get("/secret", **at)
            guard.move_clock(61)
        guard.assert_passed(client.get("/", **at))
        for _ in range(3):
            client.get("/secret", **at)
        guard.assert_refused(client.get("/", **at), status=403)


def test_what_one_test_counts_and_bans_is_gone_in_the_next() -> None:
    app = shop(rate_limit=1)
    for _ in range(2):
        with testing.controlled(app) as guard:
            guard.guard.bans.ban("203.0.113.9", 60, "test")
            client = app.test_client()
            guard.assert_passed(client.get("/"))
            guard.assert_refused(client.get("/"))
            guard.reset()
            assert guard.refusals == []
            guard.assert_passed(client.get("/"))
    assert app.test_client().get("/").status_code == 200
    assert testing.guard_of(app).bans.list() == []


def test_off_lets_everything_pass_and_only_within_the_block() -> None:
    app = shop(rate_limit=1)
    client = app.test_client()
    with testing.off(app):
        assert [client.get(ATTACK).status_code for _ in range(3)] == [200] * 3
    assert client.get(ATTACK).status_code == 400


def test_tells_the_apps_own_refusal_from_the_guards() -> None:
    app = shop()
    with testing.controlled(app) as guard:
        answer = app.test_client().get("/secret")
        guard.assert_passed(answer)
        with pytest.raises(AssertionError, match="the app answered 403"):
            guard.assert_refused(answer)


def test_says_what_refused_where_nothing_or_something_else_should_have() -> None:
    app = shop()
    with testing.controlled(app) as guard:
        answer = app.test_client().get(ATTACK)
        with pytest.raises(AssertionError, match="suspicious_activity refused / with 400: sqli"):
            guard.assert_passed(answer)
        with pytest.raises(AssertionError, match="not rate_limit: suspicious_activity"):
            guard.assert_refused(answer, check="rate_limit")
        with pytest.raises(AssertionError, match="not 403: suspicious_activity"):
            guard.assert_refused(answer, status=403)


def test_passive_mode_refuses_nothing_and_tells_the_test() -> None:
    app = shop(passive_mode=True)
    with testing.controlled(app) as guard:
        guard.assert_passed(app.test_client().get(ATTACK))
        (refusal,) = guard.refusals
        assert (refusal.check, refusal.would_have) == ("suspicious_activity", True)


def test_works_with_the_answers_of_other_clients() -> None:
    app = GuardMiddleware(text_app(), SecurityConfig())
    with testing.controlled(app) as guard:
        guard.assert_refused(webtest.TestApp(app).get(ATTACK, status="*"), status=400)
        guard.assert_refused(falcon.testing.TestClient(app).simulate_get(ATTACK), status=400)


def test_finds_the_guard_inside_of_another_middleware() -> None:
    app = ProxyFix(GuardMiddleware(text_app(), SecurityConfig(rate_limit=1)))
    with testing.controlled(app) as guard:
        client = webtest.TestApp(app)
        guard.assert_passed(client.get("/"))
        guard.assert_refused(client.get("/", status="*"), check="rate_limit")


def test_says_so_where_there_is_no_guard() -> None:
    with pytest.raises(LookupError, match="is not guarded"), testing.off(text_app()):
        pass


def test_a_clock_does_not_go_back() -> None:
    with testing.controlled(shop()) as guard, pytest.raises(ValueError, match="only moves forward"):
        guard.move_clock(-1)


def test_a_remote_store_is_not_touched(tmp_path: Any) -> None:
    app = shop(store_url=f"lmdb://{tmp_path}/state", rate_limit=1)
    client = app.test_client()
    assert client.get("/").status_code == 200
    with testing.controlled(app) as guard:
        guard.assert_passed(client.get("/"))
    assert client.get("/").status_code == 429
