"""A view that has refused a request refuses it each time that the app calls it again."""

from __future__ import annotations

from typing import Any

import bottle
import pytest
from flask import Flask, Response, after_this_request

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator, testing
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve
from tests.routes.frameworks import TOKEN, Project, verify


class Secret:
    """Counts how often its view ran."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, *args: Any) -> str:
        self.runs += 1
        return "SECRET"


def _flask(secret: Secret) -> Flask:
    app = Flask(__name__)
    config = SecurityConfig()
    auth = SecurityDecorator(config).require_auth(verifier=verify)
    view = auth(lambda: secret())

    def tried() -> str:
        try:
            return str(view())
        except Exception:
            return "no"

    app.add_url_rule("/batch", "batch", lambda: "|".join(tried() for _ in range(3)))
    app.add_url_rule("/view", "view", view)
    app.register_error_handler(401, lambda error: (f"{tried()}{tried()}", 401))

    @app.route("/after")
    def after() -> str:
        @after_this_request
        def add(response: Response) -> Response:
            response.headers["X-Tried"] = tried() + tried()
            return response

        return "open"

    FlaskAPIGuard(app, config=config)
    return app


@pytest.mark.parametrize("path", ["/batch", "/view", "/after"])
def test_flask_asks_at_each_call(path: str) -> None:
    secret = Secret()
    app = _flask(secret)
    answer = serve(app, environ_for(path))
    assert b"SECRET" not in answer.body
    assert "SECRET" not in str(answer.headers)
    assert secret.runs == 0
    serve(app, environ_for(path, headers=TOKEN))
    assert secret.runs > 0


def test_calls_that_are_refused_again_are_reported_once() -> None:
    secret = Secret()
    app = _flask(secret)
    with testing.controlled(app) as guard:
        assert serve(app, environ_for("/batch")).body == b"no|no|no"
        assert [refusal.check for refusal in guard.refusals] == ["authentication"]


@pytest.mark.parametrize("path", ["/batch/", "/awaiting/", "/rest/"])
def test_django_asks_at_each_call(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(monkeypatch, SecurityConfig())
    auth = project.decorate.require_auth(verifier=verify)
    from django.http import HttpResponse
    from django.urls import path as route
    from rest_framework.response import Response as RestResponse
    from rest_framework.viewsets import ViewSet

    secret = Secret()
    view = auth(lambda request: HttpResponse(secret()))

    @auth
    async def awaited(request: Any) -> Any:
        return HttpResponse(secret())

    async def awaiting(request: Any) -> Any:
        answers = [await awaited(request) for _ in range(3)]
        return HttpResponse(b"|".join(answer.content for answer in answers))

    class Rest(ViewSet):
        def list(self, request: Any) -> Any:
            statuses = [self.retrieve(request).status_code for _ in range(3)]
            return RestResponse({"statuses": statuses})

        @auth
        def retrieve(self, request: Any) -> Any:
            return RestResponse(secret())

    def batch(request: Any) -> Any:
        return HttpResponse(b"|".join(view(request).content for _ in range(3)))

    urls = [
        route("batch/", batch),
        route("awaiting/", awaiting),
        route("rest/", Rest.as_view({"get": "list"})),
    ]
    guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    assert b"SECRET" not in serve(guard, environ_for(path)).body
    assert secret.runs == 0
    serve(guard, environ_for(path, headers=TOKEN))
    assert secret.runs == 3


def test_bottle_asks_at_each_call() -> None:
    secret = Secret()
    app = bottle.Bottle()
    config = SecurityConfig()
    view = SecurityDecorator(config).require_auth(verifier=verify)(lambda: secret())

    def batch() -> str:
        said = []
        for _ in range(3):
            try:
                said.append(view())
            except bottle.HTTPResponse as refused:
                said.append(str(refused.status_code))
        return "|".join(said)

    app.route("/batch", callback=batch)
    app.route("/view", callback=view)
    app.error(401)(lambda error: view())
    guard = GuardMiddleware(app, config, resolver=BottleResolver(app))
    assert serve(guard, environ_for("/batch")).body == b"401|401|401"
    assert b"SECRET" not in serve(guard, environ_for("/view")).body
    assert secret.runs == 0
    assert serve(guard, environ_for("/batch", headers=TOKEN)).body == b"SECRET|SECRET|SECRET"
