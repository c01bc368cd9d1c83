"""A view that the app calls more than once in a request is counted each time, and sees the same
request everywhere."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask, g, request
from flask.views import MethodView
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator, testing
from guard_wsgi.resolvers import DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve
from tests.routes.frameworks import TOKEN, Project


def named(request: Any, credential: str) -> str | None:
    return f"owner of {credential}" if credential.startswith("s3cret") else None


class Shop:
    """A Flask app, and how often its limited view ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.config = SecurityConfig()
        self.protect = SecurityDecorator(self.config)
        self.app = Flask(__name__)

    def run(self, *args: Any, **kwargs: Any) -> str:
        self.runs += 1
        return "ran"

    def visit(self, path: str = "/", **options: Any) -> int:
        if "guard_wsgi" not in self.app.extensions:
            FlaskAPIGuard(self.app, config=self.config)
        return serve(self.app, environ_for(path, **options)).code


def tries(view: Any, times: int) -> str:
    for _ in range(times):
        try:
            view()
        except Exception:
            continue
    return "done"


def test_a_batch_of_calls_uses_up_a_limit() -> None:
    shop = Shop()

    def other() -> str:
        return shop.run()

    other.__qualname__ = "other"  # as one that no function makes: it is counted by its name
    other = shop.protect.rate_limit(5)(other)
    shop.app.add_url_rule("/login", "login", other)
    shop.app.add_url_rule("/", "batch", lambda: tries(other, 100))
    assert shop.visit() == 200
    assert shop.runs == 5
    assert shop.visit() == 200
    assert shop.visit("/login") == 429
    assert shop.runs == 5


def test_a_rule_on_usage_counts_each_call() -> None:
    shop = Shop()

    @shop.protect.usage_monitor(5, window=60, action="ban")
    def watched() -> str:
        return shop.run()

    shop.app.add_url_rule("/", "batch", lambda: tries(watched, 100))
    assert shop.visit() == 200
    assert shop.runs == 5
    assert shop.visit() == 403


def test_a_method_that_goes_on_in_its_base_is_one_call() -> None:
    shop = Shop()
    limited = shop.protect.rate_limit(2)

    class Base(MethodView):
        @limited
        def get(self) -> str:
            return shop.run()

    @limited
    class View(Base):
        @limited
        def get(self) -> str:
            return super().get()

    shop.app.add_url_rule("/", view_func=View.as_view("view"))
    assert [shop.visit() for _ in range(3)] == [200, 200, 429]
    assert shop.runs == 2


def test_a_class_that_is_called_again_counts_again() -> None:
    shop = Shop()

    class View(MethodView):
        def get(self) -> str:
            return shop.run()

    View.__qualname__ = "View"
    shop.protect.rate_limit(5)(View)
    shop.app.add_url_rule("/view", view_func=View.as_view("view"))
    shop.app.add_url_rule("/", "batch", lambda: tries(View.as_view("again"), 100))
    shop.app.add_url_rule("/methods", "methods", lambda: tries(View().get, 100))
    assert shop.visit() == 200
    assert shop.runs == 5
    assert shop.visit("/methods") == 200
    assert shop.runs == 5


def test_django_counts_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(monkeypatch, SecurityConfig())
    from django.http import HttpResponse
    from django.urls import path

    runs: list[int] = []

    @project.decorate.rate_limit(5)
    def login(request: Any) -> Any:
        runs.append(1)
        return HttpResponse("in")

    def batch(request: Any) -> Any:
        return HttpResponse(",".join(str(login(request).status_code) for _ in range(9)))

    guard = GuardMiddleware(
        project.app([path("", batch)]), project.config, resolver=DjangoResolver()
    )
    assert serve(guard, environ_for("/")).body == b"200,200,200,200,200,429,429,429,429"
    assert len(runs) == 5


def test_a_called_view_finds_its_principal_wherever_it_looks() -> None:
    shop = Shop()
    said: list[Any] = []

    @shop.protect.require_auth(verifier=named)
    def secret() -> str:
        said.append((g.guard.principal, request.environ["guard_wsgi"].principal))
        return "secret"

    shop.app.add_url_rule("/", "open", lambda: secret())
    assert shop.visit(headers=TOKEN) == 200
    assert said == [("owner of s3cret", "owner of s3cret")]


def test_the_answers_of_views_that_were_not_predicted_are_watched() -> None:
    shop = Shop()
    shop.config = SecurityConfig(behavior_scan_response_body=True)
    shop.protect = SecurityDecorator(shop.config)

    @shop.protect.return_monitor("status:418", 3, window=60, action="ban")
    def pot() -> Any:
        return "teapot", 418

    @shop.protect.return_monitor("no such user", 3, window=60, action="ban")
    def users() -> Any:
        return "no such user"

    shop.app.add_url_rule("/pot", "pot", pot)
    shop.app.add_url_rule("/users", "users", users)
    shop.app.add_url_rule("/call/<name>", "call", lambda name: {"pot": pot, "users": users}[name]())
    inner = shop.app.wsgi_app

    def rewriting(environ: Any, start_response: Any) -> Any:
        environ["PATH_INFO"] = environ.pop("HTTP_X_REWRITE", environ["PATH_INFO"])
        return inner(environ, start_response)

    shop.app.wsgi_app = rewriting  # type: ignore[method-assign]
    ways: list[tuple[str, dict[str, str]]] = [
        *(("/none", {"X-Rewrite": path}) for path in ("/pot", "/users")),
        *((path, {}) for path in ("/pot", "/users", "/call/pot", "/call/users")),
    ]
    FlaskAPIGuard(shop.app, config=shop.config)
    with testing.controlled(shop.app) as guard:
        for path, headers in ways:
            codes = [shop.visit(path, headers=headers) for _ in range(5)]
            assert codes[3] in (200, 418), (path, headers)
            assert codes[4] == 403, (path, headers)
            guard.reset()


def test_a_decorated_view_behind_no_guard_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    lone = Flask("lone")
    view = shop.protect.require_auth(verifier=named)(lambda: shop.run())
    lone.add_url_rule("/s", "s", view)
    site = DispatcherMiddleware(shop.app, {"/lone": lone})
    with caplog.at_level(logging.WARNING, "guard_wsgi.routes"):
        for _ in range(3):
            assert serve(site, environ_for("/lone/s")).code == 200
    told = [record.getMessage() for record in caplog.records]
    assert len([line for line in told if "no guard has seen" in line]) == 1
    caplog.clear()
    # A guard that is switched off has seen the request.
    other = shop.protect.require_auth(verifier=named)(lambda: shop.run())
    shop.app.add_url_rule("/", "off", other)
    FlaskAPIGuard(shop.app, config=shop.config)
    with testing.off(shop.app), caplog.at_level(logging.WARNING, "guard_wsgi.routes"):
        assert serve(shop.app, environ_for("/")).code == 200
    assert not [record for record in caplog.records if "not checked" in record.getMessage()]
