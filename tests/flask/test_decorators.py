"""Rules of single views, in every place of the decorator and for every kind of view."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView, View
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator


def wraps_less(view: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    wrapper.__name__ = view.__name__
    return wrapper


def wrapping(view: Callable[..., Any]) -> Callable[..., Any]:
    return functools.wraps(view)(lambda *args, **kwargs: view(*args, **kwargs))


def verify(request: Any, credential: str) -> bool:
    return credential == "s3cret"


class Case:
    def __init__(self, **options: Any) -> None:
        self.config = SecurityConfig(**options)
        self.app = Flask(__name__)
        self.guard = FlaskAPIGuard(self.app, config=self.config)
        self.decorate = SecurityDecorator(self.config)
        self.client = self.app.test_client()

    def status(self, path: str, method: str = "GET", token: str = "") -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.open(path, method=method, headers=headers).status_code


@pytest.fixture
def case() -> Case:
    return Case()


def test_takes_effect_without_being_wired(case: Case) -> None:
    case.app.route("/x")(case.decorate.require_auth(verifier=verify)(lambda: "x"))
    assert case.status("/x") == 401
    assert case.status("/x", token="s3cret") == 200


def test_takes_effect_above_the_route_too(case: Case) -> None:
    @case.decorate.require_auth(verifier=verify)
    @case.app.route("/x")
    def x() -> str:
        return "x"

    assert case.status("/x") == 401


@pytest.mark.parametrize("wrapper", [wraps_less, wrapping, functools.partial])
def test_takes_effect_under_another_decorator(case: Case, wrapper: Any) -> None:
    guarded = case.decorate.require_auth(verifier=verify)(lambda: "x")
    case.app.add_url_rule("/x", "x", wrapper(guarded))
    assert case.status("/x") == 401
    assert case.status("/x", token="s3cret") == 200


def test_rules_on_both_sides_of_a_wrapper_add_up(case: Case) -> None:
    inner = case.decorate.require_auth(verifier=verify)(lambda: "x")
    outer = case.decorate.require_headers({"X-Team": "required"})(wraps_less(inner))
    case.app.add_url_rule("/x", "x", outer)
    assert case.status("/x") == 400
    case.client.environ_base["HTTP_X_TEAM"] = "a"
    assert case.status("/x") == 401


def test_a_method_of_a_view_class_has_rules_of_its_own(case: Case) -> None:
    decorate = case.decorate

    class Items(MethodView):
        def get(self) -> str:
            return "list"

        @decorate.require_auth(verifier=verify)
        def post(self) -> str:
            return "made"

    case.app.add_url_rule("/items", view_func=Items.as_view("items"))
    assert case.status("/items") == 200
    assert case.status("/items", "POST") == 401
    assert case.status("/items", "POST", "s3cret") == 200


def test_a_view_class_can_be_decorated_whole(case: Case) -> None:
    @case.decorate.require_auth(verifier=verify)
    class Whole(View):
        def dispatch_request(self) -> str:
            return "whole"

    class Listed(MethodView):
        decorators = [case.decorate.require_auth(verifier=verify)]  # noqa: RUF012

        def get(self) -> str:
            return "listed"

    case.app.add_url_rule("/whole", view_func=Whole.as_view("whole"))
    case.app.add_url_rule("/listed", view_func=Listed.as_view("listed"))
    assert case.status("/whole") == 401
    assert case.status("/listed") == 401
    assert case.status("/listed", "HEAD") == 401


def test_works_in_blueprints_inside_blueprints(case: Case) -> None:
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    inner.add_url_rule("/x", "x", case.decorate.require_auth(verifier=verify)(lambda: "x"))
    outer.register_blueprint(inner, url_prefix="/inner")
    case.app.register_blueprint(outer, url_prefix="/outer")
    assert case.status("/outer/inner/x") == 401
    assert case.status("/outer/inner/x", token="s3cret") == 200


def test_works_on_views_added_after_the_guard_and_after_requests(case: Case) -> None:
    assert case.status("/x") == 404
    case.app._got_first_request = False  # Flask itself forbids it; some frameworks on it don't
    case.app.add_url_rule("/x", "x", case.decorate.require_auth(verifier=verify)(lambda: "x"))
    assert case.status("/x") == 401


def test_works_below_a_mount_point(case: Case) -> None:
    case.app.add_url_rule("/x", "x", case.decorate.require_auth(verifier=verify)(lambda: "x"))
    mounted = Client(DispatcherMiddleware(Flask("outer"), {"/shop": case.app}))
    at = {"REMOTE_ADDR": "203.0.113.7"}
    assert mounted.get("/shop/x", environ_overrides=at).status_code == 401
    good = {"Authorization": "Bearer s3cret"}
    assert mounted.get("/shop/x", environ_overrides=at, headers=good).status_code == 200


@pytest.mark.parametrize("path", ["//x", "/./x", "/x/", "/%78"])
def test_no_spelling_reaches_a_view_past_its_rules(case: Case, path: str) -> None:
    case.app.add_url_rule("/x", "x", case.decorate.require_auth(verifier=verify)(lambda: "x"))
    assert case.status(path) in (401, 404, 308)


def test_a_path_that_is_rewritten_behind_the_guard_leads_past_nothing(case: Case) -> None:
    """A middleware between guard and app changes the path: the matched view's rules hold."""
    case.app.add_url_rule("/x", "x", case.decorate.require_auth(verifier=verify)(lambda: "x"))
    case.app.add_url_rule("/open", "open", lambda: "open")
    inner = case.guard.middleware.app

    def rewriting(environ: Any, start_response: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].replace("/alias", "/x")
        return inner(environ, start_response)

    case.guard.middleware.app = rewriting
    assert case.status("/open") == 200
    assert case.status("/alias") == 401
    assert case.status("/alias", token="s3cret") == 200


def test_a_hook_that_answers_first_runs_after_the_rules(case: Case) -> None:
    case.app.before_request(lambda: "hook")
    case.app.add_url_rule("/x", "x", case.decorate.require_auth(verifier=verify)(lambda: "x"))
    assert case.status("/x") == 401


def test_a_decorated_view_keeps_the_global_rules() -> None:
    case = Case(enforce_https=True)
    case.app.add_url_rule("/x", "x", case.decorate.rate_limit(100)(lambda: "x"))
    assert case.status("/x") == 308


def test_names_decorated_functions_that_no_route_reaches(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    @case.decorate.require_auth(verifier=verify)
    def forgotten_view() -> None: ...

    case.app.add_url_rule("/x", "x", case.decorate.rate_limit(5)(lambda: "x"))
    with caplog.at_level(logging.INFO, logger="guard_wsgi.routes"):
        case.status("/x")
    warned = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warned) == 1
    assert "forgotten_view" in warned[0]
    assert any("rate_limit=5" in r.getMessage() for r in caplog.records)


def test_wiring_by_hand_is_harmless(case: Case) -> None:
    case.guard.set_decorator_handler(case.decorate)
    case.app.add_url_rule("/x", "x", case.decorate.require_auth(verifier=verify)(lambda: "x"))
    assert case.status("/x") == 401


def test_a_limit_counts_by_endpoint_and_not_by_path(case: Case) -> None:
    case.app.add_url_rule("/i/<n>", "i", case.decorate.rate_limit(2, 60)(lambda n: n))
    assert [case.status(f"/i/{n}") for n in range(4)] == [200, 200, 429, 429]


def test_a_bypass_of_the_guard_is_no_bypass_of_the_app(case: Case) -> None:
    case.app.add_url_rule("/x", "x", case.decorate.bypass(["all"])(lambda: "x"))

    @case.app.before_request
    def own_authentication() -> tuple[str, int]:
        return "no", 401

    assert case.status("/x") == 401
