"""A browser asks before it sends: that is no request of its user's, and no way past the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask
import pytest

from guard_wsgi import BehaviorRule, GuardResponse, RouteConfig, SecurityConfig
from guard_wsgi.checks.traffic import PREFLIGHTS_OF_A_CHOSEN_LIMIT
from guard_wsgi_flask import FlaskAPIGuard, SecurityDecorator
from tests.core.visiting import INJECTION, Site

PREFLIGHT = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
ALLOWED = ("Access-Control-Allow-Origin", "https://shop.example")


def answers_itself(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An app with CORS of its own, as most have."""
    start_response("200 OK", [ALLOWED, ("Content-Type", "text/plain")])
    return [b""]


def ask(site: Site, path: str = "/", **options: Any) -> int:
    headers = {**PREFLIGHT, **options.pop("headers", {})}
    return site.visit(path, method="OPTIONS", headers=headers, **options).code


def test_preflights_use_up_no_limit_and_are_not_limited() -> None:
    site = Site(app=answers_itself)
    for _ in range(700):
        answer = site.visit(method="OPTIONS", headers=PREFLIGHT)
        assert (answer.code, answer.header(ALLOWED[0])) == (200, ALLOWED[1])
    (left,) = site.guard.limits("203.0.113.7")
    assert left.remaining == 600


@pytest.mark.parametrize("cors", [True, False], ids=["the guard answers", "the app answers"])
@pytest.mark.parametrize(
    "options",
    [
        {"rate_limit": 3},
        {"endpoint_rate_limits": {"/login": (3, 60)}},
        {"routes": {"/login": RouteConfig(rate_limit=3)}},
    ],
    ids=["global", "path", "route"],
)
def test_a_page_that_asks_before_each_request_gets_each_answer(
    cors: bool, options: dict[str, Any]
) -> None:
    site = Site(app=answers_itself, enable_cors=cors, **options)
    asked, sent = [], []
    for _ in range(5):
        asked.append(ask(site, "/login"))
        sent.append(site.visit("/login", method="POST", headers={"Origin": ALLOWED[1]}).code)
    assert asked == [200] * 5
    assert sent == [200] * 3 + [429] * 2


def test_a_flood_of_preflights_does_not_reach_the_app_without_end() -> None:
    site = Site(app=answers_itself, endpoint_rate_limits={"/redeem": (2, 60)})
    codes = [ask(site, "/redeem", query_string={"code": str(n)}) for n in range(30)]
    assert codes == [200] * 4 + [204] * 26
    assert len(site.seen) == 2 * PREFLIGHTS_OF_A_CHOSEN_LIMIT
    last = site.visit("/redeem", method="OPTIONS", headers=PREFLIGHT)
    assert last.header(ALLOWED[0]) is None
    assert len(last.header("X-Request-Id") or "") == 32


def test_what_only_looks_like_a_preflight_is_limited() -> None:
    site = Site(app=answers_itself, rate_limit=2)
    for headers in ({"Origin": "https://a.example"}, {"Access-Control-Request-Method": "POST"}):
        site.guard.reset()
        codes = [site.visit(method="OPTIONS", headers=headers).code for _ in range(3)]
        assert codes == [200, 200, 429]
    site.guard.reset()
    codes = [ask(site, data=b"code=1234") for _ in range(3)]
    assert codes == [200, 200, 429]
    codes = [site.visit(method="GET", headers=PREFLIGHT).code for _ in range(3)]
    assert codes == [429] * 3


@pytest.mark.parametrize("cors", [True, False])
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"blacklist": ["203.0.113.7"]}, 403),
        ({"emergency_mode": True}, 503),
        ({"allowed_hosts": ["other.example"]}, 400),
        ({"blocked_user_agents": ["scanner"]}, 403),
    ],
)
def test_who_is_kept_out_is_kept_out_with_preflights(
    cors: bool, options: dict[str, Any], code: int
) -> None:
    site = Site(enable_cors=cors, **options)
    assert ask(site, headers={"User-Agent": "scanner"}) == code


@pytest.mark.parametrize("cors", [True, False])
def test_the_banned_stay_banned_and_attacks_are_found(cors: bool) -> None:
    site = Site(enable_cors=cors)
    assert ask(site, query_string={"q": INJECTION}) == 400
    site.guard.bans.ban("203.0.113.7", 60, "test")
    assert ask(site) == 403


def test_nothing_but_the_guard_is_asked_where_the_guard_answers() -> None:
    """Credentials, hooks and HTTPS are for the request that follows; no redirect passes."""
    rule = BehaviorRule("frequency", threshold=2, window=60, action="ban")
    route = RouteConfig(
        auth_required="bearer",
        auth_verifier=lambda request, token: None,
        required_headers={"X-Key": "required"},
        behavior_rules=(rule,),
    )
    site = Site(
        enable_cors=True,
        enforce_https=True,
        custom_request_check=lambda request: GuardResponse("sign in", 401),
        routes={"/api": route},
    )
    assert {ask(site, "/api") for _ in range(10)} == {200}
    assert site.seen == []
    assert site.visit("/api", base_url="https://localhost/").code == 400


def test_what_a_route_lets_pass_its_preflights_may_have() -> None:
    route = RouteConfig(excluded_detection_params={"q"})
    site = Site(enable_cors=True, routes={"/search": route})
    assert ask(site, "/search", query_string={"q": INJECTION}) == 200
    assert ask(site, "/other", query_string={"q": INJECTION}) == 400


def test_credentials_are_asked_of_an_app_that_acts_on_options() -> None:
    """If the app answers, only the app knows whether it acts: the rules apply."""
    route = RouteConfig(auth_required="bearer", auth_verifier=lambda request, token: None)
    assert ask(Site(routes={"/api": route}), "/api") == 401


def flask_app() -> flask.Flask:
    config = SecurityConfig()
    protect = SecurityDecorator(config)
    app = flask.Flask(__name__)

    @app.post("/api")
    @protect.api_key_auth(verifier=lambda request, key: None)
    @protect.rate_limit(2, window=60)
    @protect.detection_exclusion(params=["q"])
    def api() -> str:
        return "reached"

    @app.route("/acts", methods=["POST", "OPTIONS"])
    @protect.api_key_auth(verifier=lambda request, key: None)
    def acts() -> str:
        return "reached"

    @app.after_request
    def allow(response: flask.Response) -> flask.Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    FlaskAPIGuard(app, config=config)
    return app


def test_flask_answers_preflights_of_a_view_that_wants_credentials() -> None:
    client = flask_app().test_client()
    for _ in range(3):
        answer = client.options("/api", headers=PREFLIGHT)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
        assert answer.data == b""
    assert client.options("/api", headers=PREFLIGHT, query_string={"q": INJECTION}).status == (
        "200 OK"
    )
    assert client.post("/api", headers={"X-API-Key": "wrong"}).status_code == 401


def test_a_flask_view_that_answers_options_itself_is_guarded_for_them() -> None:
    client = flask_app().test_client()
    assert client.options("/acts", headers=PREFLIGHT).status_code == 401
    assert client.options("/acts", headers={**PREFLIGHT, "X-API-Key": "wrong"}).status_code == 401
