"""A view has one limit, whichever of its routes is used."""

from __future__ import annotations

from typing import Any

import bottle
import pytest
from flask import Flask
from flask.views import MethodView

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve
from tests.routes.frameworks import Project


def codes(app: Any, *paths: str, method: str = "GET") -> list[int]:
    return [serve(app, environ_for(path, method=method)).code for path in paths]


def flask_app(add: Any) -> Flask:
    config = SecurityConfig()
    app = Flask(__name__)
    add(app, SecurityDecorator(config))
    FlaskAPIGuard(app, config=config)
    return app


def test_two_endpoints_of_a_function_share_its_limit() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        login = decorate.rate_limit(3)(lambda: "login")
        other = decorate.rate_limit(3)(lambda: "other")
        for name in "ab":
            app.add_url_rule(f"/{name}", name, login)
        app.add_url_rule("/other", "other", other)

    app = flask_app(add)
    assert codes(app, "/a", "/b", "/a", "/b", "/a", "/b") == [200] * 3 + [429] * 3
    assert codes(app, "/other") == [200]


def test_two_endpoints_of_a_function_share_what_is_watched() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        watched = decorate.usage_monitor(3, window=60)(lambda: "watched")
        for name in "ab":
            app.add_url_rule(f"/{name}", name, watched)

    assert codes(flask_app(add), "/a", "/b", "/a", "/b", "/b")[3:] == [403, 403]


def test_functions_of_one_name_are_counted_apart() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        limit = decorate.rate_limit(1)
        for name in "ab":

            def view() -> str:
                return "view"

            app.add_url_rule(f"/{name}", name, limit(view))

    assert codes(flask_app(add), "/a", "/b", "/a", "/b") == [200, 200, 429, 429]


def test_methods_with_limits_of_their_own_are_counted_apart() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        class Login(MethodView):
            @decorate.rate_limit(100)
            def get(self) -> str:
                return "form"

            @decorate.rate_limit(2)
            def post(self) -> str:
                return "in"

        app.add_url_rule("/", view_func=Login.as_view("login"))
        app.add_url_rule("/login", view_func=Login.as_view("again"))

    app = flask_app(add)
    assert codes(app, *["/"] * 5) == [200] * 5
    assert codes(app, "/", "/login", "/", method="POST") == [200, 200, 429]


def test_each_class_that_inherits_a_limit_has_its_own() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        @decorate.rate_limit(1)
        class Base(MethodView):
            def get(self) -> str:
                return "got"

            def post(self) -> str:
                return "posted"

        for name in "ab":
            cls = type(name, (Base,), {})
            app.add_url_rule(f"/{name}", view_func=cls.as_view(name))

    app = flask_app(add)
    assert codes(app, "/a", "/b", "/a", "/b") == [200, 200, 429, 429]
    assert codes(app, "/a", method="POST") == [429]  # one limit for the class


def test_a_django_view_has_one_limit_in_all_languages_and_includes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = Project(
        monkeypatch,
        SecurityConfig(),
        MIDDLEWARE=["django.middleware.locale.LocaleMiddleware"],
    )
    from django.conf.urls.i18n import i18n_patterns
    from django.http import HttpResponse
    from django.urls import include, path

    login = project.decorate.rate_limit(3)(lambda request: HttpResponse("in"))
    urls = [
        *i18n_patterns(path("login", login)),
        path("a/", include([path("login", login)])),
        path("b/", include([path("login", login)])),
    ]
    guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    paths = "/en/login", "/de/login", "/a/login", "/b/login", "/en/login"
    assert codes(guard, *paths) == [200] * 3 + [429] * 2


def test_a_viewset_has_one_limit_in_all_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(monkeypatch, SecurityConfig())
    from django.urls import include, path
    from rest_framework.decorators import action
    from rest_framework.response import Response
    from rest_framework.routers import DefaultRouter
    from rest_framework.viewsets import ViewSet

    @project.decorate.rate_limit(3)
    class Users(ViewSet):
        def create(self, request: Any, format: str | None = None) -> Any:
            return Response("made")

        @project.decorate.rate_limit(2)
        @action(detail=False, methods=["post"])
        def token(self, request: Any, format: str | None = None) -> Any:
            return Response("token")

    router = DefaultRouter()
    router.register("users", Users, basename="users")
    urls = [path("api/", include(router.urls))]
    guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    made = codes(guard, "/api/users/", *["/api/users.json"] * 3, method="POST")
    assert made == [200, 200, 200, 429]
    paths = "/api/users/token/", "/api/users/token.json", "/api/users/token/"
    assert codes(guard, *paths, method="POST") == [200, 200, 429]


def test_two_paths_of_a_bottle_route_share_its_limit() -> None:
    config = SecurityConfig()
    app, mounted = bottle.Bottle(), bottle.Bottle()
    login = SecurityDecorator(config).rate_limit(3)(lambda: "in")
    app.route(["/a", "/b"], callback=login)
    mounted.route("/c", callback=login)
    app.mount("/m/", mounted)
    guard = GuardMiddleware(app, config, resolver=BottleResolver(app))
    assert codes(guard, "/a", "/b", "/m/c", "/a", "/m/c") == [200] * 3 + [429] * 2


def test_what_is_decorated_while_the_app_runs_is_counted_by_its_route() -> None:
    kept: list[Any] = []

    def add(app: Flask, decorate: SecurityDecorator) -> None:
        @app.get("/")
        def view() -> str:
            @decorate.rate_limit(3)
            def inner() -> str:
                return "inner"

            kept.append(inner)
            return str(inner())

    assert codes(flask_app(add), *["/"] * 5) == [200] * 3 + [429] * 2


def test_one_decorator_on_two_views_counts_for_each() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        limit = decorate.rate_limit(3)
        login = limit(lambda: "login")
        app.add_url_rule("/login", "login", login)
        app.add_url_rule("/a", "a", decorate.rate_limit(9)(lambda: login()))
        app.add_url_rule("/b", "b", limit(lambda: login()))

    app = flask_app(add)
    assert codes(app, *["/b"] * 4) == [200] * 3 + [429]
    assert codes(app, *["/a"] * 4) == [200] * 3 + [429]


def test_two_decorators_of_one_configuration_give_no_name_twice() -> None:
    config = SecurityConfig()
    app = Flask(__name__)
    for name in "ab":

        def view() -> str:
            return "view"

        app.add_url_rule(f"/{name}", name, SecurityDecorator(config).rate_limit(1)(view))
    FlaskAPIGuard(app, config=config)
    assert codes(app, "/a", "/b", "/a", "/b") == [200, 200, 429, 429]
