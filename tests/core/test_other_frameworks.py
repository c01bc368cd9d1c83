"""The same decorators on Django views and Bottle routes, by the frameworks' own routers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import bottle
import pytest

from guard_wsgi import SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from tests.core.visiting import INJECTION, Site


def verify(request: Any, credential: str) -> bool:
    return credential == "s3cret"


CONFIG = SecurityConfig()
decorate = SecurityDecorator(CONFIG)
TOKEN = {"Authorization": "Bearer s3cret"}


@pytest.fixture
def django_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import django
    from django.conf import settings

    # Another test of this process may have configured Django for itself.
    if not settings.configured:
        settings.configure()
    settings.SECRET_KEY = "x"  # can't be read while it is empty, so not be put back either
    own = {"ROOT_URLCONF": "guarded_urls", "ALLOWED_HOSTS": ["*"]}
    for name, value in {**own, "MIDDLEWARE": []}.items():
        monkeypatch.setattr(settings, name, value, raising=False)
    django.setup()
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path
    from django.views import View

    @decorate.require_auth(verifier=verify)
    def secret(request: Any, name: str) -> Any:
        return HttpResponse(f"secret {name}")

    class Items(View):
        def get(self, request: Any) -> Any:
            return HttpResponse("items")

        @decorate.require_auth(verifier=verify)
        def post(self, request: Any) -> Any:
            return HttpResponse(request.body)

    urls = ModuleType("guarded_urls")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("secret/<str:name>/", secret),
        path("items/", Items.as_view()),
        path("echo/", lambda request: HttpResponse(request.POST.get("a", ""))),
    ]
    sys.modules["guarded_urls"] = urls
    yield get_wsgi_application()
    del sys.modules["guarded_urls"]


def test_django_views_have_rules_of_their_own(django_app: Any) -> None:
    site = Site(CONFIG, resolver=DjangoResolver(), app=django_app)
    assert site.visit("/secret/a/").code == 401
    assert site.visit("/secret/a/", headers=TOKEN).body == b"secret a"
    assert site.visit("/items/").body == b"items"
    assert site.visit("/items/", method="POST", data=b"x").code == 401
    posted = site.visit("/items/", method="POST", data=b"x", headers=TOKEN)
    assert posted.body == b"x"
    assert site.seen[-1]["guard_wsgi"].endpoint == "/items/"
    assert site.visit("/nowhere/").code == 404


def test_django_reads_the_form_after_the_guard(django_app: Any) -> None:
    site = Site(CONFIG, resolver=DjangoResolver(), app=django_app)
    assert site.visit("/echo/", method="POST", data={"a": "hello"}).body == b"hello"
    assert site.visit("/echo/", method="POST", data={"a": INJECTION}).code == 400


def test_bottle_routes_have_rules_of_their_own() -> None:
    app = bottle.Bottle()

    @app.route("/secret/<name>")
    @decorate.require_auth(verifier=verify)
    def secret(name: str) -> str:
        return f"secret {name}"

    @app.post("/echo")
    def echo() -> str:
        return str(bottle.request.forms.get("a"))

    site = Site(CONFIG, resolver=BottleResolver(app), app=app)
    assert site.visit("/secret/a").code == 401
    assert site.visit("/secret/a", headers=TOKEN).body == b"secret a"
    assert site.seen[-1]["guard_wsgi"].endpoint == "/secret/<name>"
    assert site.visit("/echo", method="POST", data={"a": "hello"}).body == b"hello"
    assert site.visit("/echo", method="POST", data={"a": INJECTION}).code == 400
    assert site.visit("/nowhere").code == 404
