"""Hooks in Django and Bottle, and a Django site's own pages for refusals."""

from __future__ import annotations

import sys
from typing import Any

import bottle
import pytest
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.django_pages import error_page
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from tests.routes.frameworks import Project

ATTACK = "/?q=<script>alert(1)</script>"


def test_a_hook_finds_bottle_s_request_and_answers_in_its_way() -> None:
    app = bottle.Bottle()
    app.route("/", callback=lambda: f"left: {getattr(bottle.request, 'left', None)}")

    def check(request: Any) -> Any:
        bottle.request.left = bottle.request.query.get("a")
        if bottle.request.query.get("deny"):
            return bottle.HTTPResponse("no", 418, {"X-Why": "asked"})
        if bottle.request.query.get("abort"):
            bottle.abort(409, "taken")
        return None

    guarded = GuardMiddleware(
        app, SecurityConfig(custom_request_check=check), resolver=BottleResolver(app)
    )
    client = Client(guarded)
    assert client.get("/?a=b").text == "left: b"
    refused = client.get("/?deny=1")
    assert (refused.status_code, refused.text, refused.headers["X-Why"]) == (418, "no", "asked")
    assert client.get("/?abort=1").status_code == 409


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(
        monkeypatch,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {"429.html": "slow down: {{ message }} ({{ reference }})"},
                        )
                    ]
                },
            }
        ],
    )


def test_a_hook_answers_with_a_response_of_django(project: Project) -> None:
    from django.db import connections
    from django.http import HttpResponse, JsonResponse
    from django.urls import path

    app = project.app([path("", lambda request: HttpResponse("view"))])

    def check(request: Any) -> Any:
        if "json" in request.query_params:
            return JsonResponse({"error": "x"}, status=422)
        if "cookie" in request.query_params:
            response = HttpResponse("no", status=403)
            response.set_cookie("why", "because")
            return response
        return None

    guarded = GuardMiddleware(
        app, SecurityConfig(custom_request_check=check), resolver=DjangoResolver()
    )
    client = Client(guarded)
    assert client.get("/").text == "view"
    answer = client.get("/?json=1")
    assert (answer.status_code, answer.get_json()) == (422, {"error": "x"})
    assert "why=because" in client.get("/?cookie=1").headers["Set-Cookie"]
    assert all(connection.connection is None for connection in connections.all())


@pytest.mark.parametrize(
    ("name", "status"),
    [("PermissionDenied", 403), ("Http404", 404), ("BadRequest", 400), ("DisallowedHost", 400)],
)
def test_a_hook_raises_what_a_view_of_django_may_raise(
    project: Project, name: str, status: int
) -> None:
    from django.core import exceptions
    from django.http import Http404, HttpResponse
    from django.urls import path

    app = project.app([path("", lambda request: HttpResponse("view"))])

    def check(request: Any) -> Any:
        raise Http404 if name == "Http404" else getattr(exceptions, name)("no")

    config = SecurityConfig(custom_request_check=check)
    client = Client(GuardMiddleware(app, config, resolver=DjangoResolver()))
    assert client.get("/").status_code == status


def test_refusals_are_the_site_s_own_pages(project: Project) -> None:
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    def handler403(request: Any, exception: Any) -> Any:
        return HttpResponse(f"our 403 for {request.path}: {exception}", status=403)

    app = project.app([path("", lambda request: HttpResponse("view"))])
    urls: Any = sys.modules[settings.ROOT_URLCONF]
    urls.handler403 = handler403
    guarded = GuardMiddleware(
        app,
        SecurityConfig(rate_limit=1, blocked_user_agents=["badbot"]),
        resolver=DjangoResolver(),
        renderer=error_page,
    )
    client = Client(guarded)
    refused = client.get("/", headers={"User-Agent": "badbot"})
    assert (refused.status_code, refused.text) == (403, "our 403 for /: User-Agent not allowed")
    assert client.get("/").text == "view"
    limited = client.get("/")
    assert limited.status_code == 429
    assert limited.text.startswith("slow down: Too many requests (")
    assert limited.headers["Retry-After"]
    assert limited.headers["X-Request-Id"] in limited.text
    plain = client.get(ATTACK, headers={"Accept": "text/plain"})
    assert "Suspicious activity detected" in plain.text or plain.status_code == 429
