"""A limit of a path holds for every spelling of it that leads to the same view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

import bottle
import flask
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.core.visiting import Site
from tests.kit.gateway import environ_for, serve

SPELLINGS = [
    "/login",
    "/login/",
    "//login",
    "/login//",
    "/./login",
    "/login/.",
    "/a/../login",
    "/../login",
    "/login;jsessionid=1",
    "/x;y/../login",
    "/\\login",
    "/LOGIN",
    "/Login/",
    "/%6cogin",
    "/%6C%6f%67in%2f",
    "/login%20",
    "/login%00",
]


def visit(site: Site, path: str) -> int:
    """Servers pass the path like this: decoded once, otherwise as it was sent."""
    return site.visit(server={"PATH_INFO": unquote(path, "latin-1")}).code


def codes(site: Site, path: str, times: int) -> list[int]:
    return [visit(site, path) for _ in range(times)]


@pytest.mark.parametrize("configured", ["/login", "/login/", "/%6cogin", "//login"])
def test_spellings_share_the_limit_of_a_path(configured: str) -> None:
    site = Site(
        endpoint_rate_limits={configured: (len(SPELLINGS), 60)},
        fail_secure=False,
        enable_penetration_detection=False,
    )
    assert {visit(site, path) for path in SPELLINGS} == {200}
    assert {visit(site, path) for path in SPELLINGS} == {429}
    assert visit(site, "/logout") == 200
    assert visit(site, "/login/help") == 200


def test_paths_that_differ_in_case_may_have_limits_of_their_own() -> None:
    site = Site(endpoint_rate_limits={"/a": (1, 60), "/A": (2, 60)})
    assert codes(site, "/a", 2) == [200, 429]
    assert codes(site, "/A", 3) == [200, 200, 429]


def test_the_root_has_a_limit_and_no_other_path_has_it() -> None:
    site = Site(endpoint_rate_limits={"/": (1, 60)})
    assert [visit(site, path) for path in ("/", "//", "/other", "/other")] == [
        *(200, 429, 200, 200)
    ]


def test_a_path_of_other_letters_than_ascii() -> None:
    site = Site(endpoint_rate_limits={"/stra\xdfe": (1, 60)})
    assert codes(site, "/stra%C3%9Fe/", 2) == [200, 429]


@given(
    st.lists(st.sampled_from(["/", "//", "/./", "/x/../", "/;a/"]), min_size=1, max_size=4),
    st.sampled_from(["login", "LOGIN", "%6cogin", "lo%67in"]),
    st.sampled_from(["", "/", "//"]),
)
def test_however_often_a_spelling_is_twisted(before: list[str], name: str, after: str) -> None:
    site = Site(endpoint_rate_limits={"/login": (1, 60)}, enable_penetration_detection=False)
    assert visit(site, "/login") == 200
    path = "".join(before).replace("/;a/", "/.;a/") + name + after
    assert visit(site, path) == 429


def test_flask_views_reached_in_two_ways_have_one_limit() -> None:
    """The limit is by the rule that Flask matches; no view need carry a rule of the guard's."""
    app = flask.Flask(__name__)
    app.url_map.strict_slashes = False
    app.add_url_rule("/login", view_func=lambda: "in")
    app.add_url_rule("/items/<int:n>", view_func=lambda n: str(n), endpoint="item")
    FlaskAPIGuard(
        app, config=SecurityConfig(endpoint_rate_limits={"/login": (2, 60), "/items/5": (1, 60)})
    )
    client = app.test_client()
    paths = ["/login", "/login/", "/login", "/login/"]
    assert [client.get(path).status_code for path in paths] == [200, 200, 429, 429]
    paths = ["/items/5", "/items/05", "/items/6", "/items/6"]
    assert [client.get(path).status_code for path in paths] == [200, 429, 200, 200]


def test_flask_views_registered_after_the_first_request_count() -> None:
    app = flask.Flask(__name__)
    app.url_map.strict_slashes = False
    FlaskAPIGuard(app, config=SecurityConfig(endpoint_rate_limits={"/items/5": (1, 60)}))
    client = app.test_client()
    assert client.get("/items/05").status_code == 404
    app._got_first_request = False
    app.add_url_rule("/items/<int:n>", view_func=lambda n: str(n), endpoint="item")
    codes = [client.get(path).status_code for path in ("/items/5", "/items/05")]
    assert codes == [200, 429]


def django_app() -> Any:
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import re_path

    class Urls:
        urlpatterns = (
            re_path(r"^(?i:login)", lambda request: HttpResponse("in")),
            re_path(r"^about$", lambda request: HttpResponse("about")),
        )

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", MIDDLEWARE=[], ROOT_URLCONF=Urls)
    import django

    django.setup()
    settings.ROOT_URLCONF = Urls
    return get_wsgi_application(), DjangoResolver(Urls)


def test_a_django_pattern_without_an_end_has_one_limit_for_all_it_takes() -> None:
    app, resolver = django_app()
    config = SecurityConfig(endpoint_rate_limits={"/login": (3, 60)})
    guard = GuardMiddleware(app, config, resolver=resolver)
    paths = ["/login", "/login2", "/LOGIN/x", "/loginABC", "/Login-1", "/about"]
    answers = [serve(guard, environ_for(path)).code for path in paths]
    assert answers == [200, 200, 200, 429, 429, 200]


def test_bottle_routes_have_one_limit_for_what_they_take() -> None:
    app = bottle.Bottle()
    app.route("/items/<n:int>")(lambda n: str(n))
    guard = GuardMiddleware(
        app,
        SecurityConfig(endpoint_rate_limits={"/items/5": (1, 60)}),
        resolver=BottleResolver(app),
    )
    paths = ["/items/5", "/items/05", "/items/6"]
    assert [serve(guard, environ_for(path)).code for path in paths] == [200, 429, 200]


def test_an_app_that_takes_case_for_nothing_is_limited_whatever_the_case() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = environ["PATH_INFO"].lower() == "/login"
        start_response("200 OK" if found else "404 Not Found", [("Content-Type", "text/plain")])
        return [b""]

    site = Site(app=app, endpoint_rate_limits={"/login": (2, 60)})
    paths = ("/login", "/lOgIn", "/LOGIN", "/login")
    assert [visit(site, path) for path in paths] == [200, 200, 429, 429]


def test_the_rest_of_a_limit_is_reported_for_each_spelling() -> None:
    site = Site(endpoint_rate_limits={"/login": (3, 60)})
    site.visit("/login/")
    assert [s.remaining for s in site.guard.limits("203.0.113.7", "//LOGIN")] == [2]
