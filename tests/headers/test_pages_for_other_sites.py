"""Behind the guard, other sites may still frame pages and embed files if the app allows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bottle
import django
import flask
import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.test import override_settings
from django.urls import path
from django.views.decorators.clickjacking import xframe_options_deny, xframe_options_exempt

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.core.visiting import Site
from tests.kit.gateway import Answer, environ_for, serve, text_app

FRAMES, EMBEDS, OPENER = (
    *("X-Frame-Options", "Cross-Origin-Resource-Policy", "Cross-Origin-Opener-Policy"),
)
ATTACK = {"query_string": {"q": "1' UNION SELECT username, password FROM users--"}}


# -- Django ------------------------------------------------------------------------------------

PROTECT = SecurityDecorator(SecurityConfig())


@xframe_options_exempt
def widget(request: Any) -> HttpResponse:
    return HttpResponse("widget")


@xframe_options_deny
def bank(request: Any) -> HttpResponse:
    return HttpResponse("bank")


@PROTECT.security_headers(cross_origin_resource_policy="cross-origin")
def picture(request: Any) -> HttpResponse:
    return HttpResponse("picture")


class Urls:
    urlpatterns = (
        path("", lambda request: HttpResponse("home")),
        path("widget", widget),
        path("bank", bank),
        path("picture", picture),
    )


class OwnFrames(XFrameOptionsMiddleware):
    """A site's own kind."""


MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


@pytest.fixture
def django_settings() -> Iterator[None]:
    if not settings.configured:
        settings.configure()
    settings.SECRET_KEY = "x"  # one that is empty can't be put back
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=MIDDLEWARE, ALLOWED_HOSTS=["*"]):
        django.setup()
        yield


def by_django(where: str, *, resolver: bool = True, **options: Any) -> Answer:
    guard = GuardMiddleware(
        get_wsgi_application(),
        SecurityConfig(**options),
        resolver=DjangoResolver(Urls) if resolver else None,
    )
    return serve(guard, environ_for(where, **(ATTACK if where == "/attack" else {})))


@pytest.mark.usefixtures("django_settings")
@pytest.mark.parametrize("resolver", [True, False], ids=["with its resolver", "without"])
def test_a_django_view_that_is_exempt_from_frame_options_stays_so(resolver: bool) -> None:
    assert by_django("/widget", resolver=resolver).header(FRAMES) is None
    assert by_django("/bank", resolver=resolver).header(FRAMES) == "DENY"
    assert by_django("/", resolver=resolver).header(FRAMES) == "DENY"  # Django's own default
    assert by_django("/attack", resolver=resolver).header(FRAMES) == "SAMEORIGIN"


@pytest.mark.usefixtures("django_settings")
def test_a_middleware_that_is_one_of_djangos_by_class_counts() -> None:
    own = f"{__name__}.OwnFrames"
    with override_settings(MIDDLEWARE=[own]):
        assert by_django("/widget").header(FRAMES) is None


@pytest.mark.usefixtures("django_settings")
def test_a_django_site_without_the_middleware_has_the_guards_header() -> None:
    with override_settings(MIDDLEWARE=[]):
        assert by_django("/widget").header(FRAMES) == "SAMEORIGIN"
        assert by_django("/").header(OPENER) == "same-origin"


@pytest.mark.usefixtures("django_settings")
def test_what_djangos_settings_switch_off_stays_off() -> None:
    """OAuth windows need it off, which Django spells None."""
    with override_settings(SECURE_CROSS_ORIGIN_OPENER_POLICY=None, SECURE_REFERRER_POLICY=None):
        answer = by_django("/")
    assert answer.header(OPENER) is None
    assert answer.header("Referrer-Policy") is None
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.usefixtures("django_settings")
def test_what_the_configuration_names_is_set_in_django_too() -> None:
    headers = {"frame_options": "DENY"}
    assert by_django("/widget", security_headers=headers).header(FRAMES) == "DENY"


@pytest.mark.usefixtures("django_settings")
def test_a_django_view_may_let_others_embed_its_files() -> None:
    assert by_django("/picture").header(EMBEDS) == "cross-origin"
    assert by_django("/").header(EMBEDS) == "same-origin"


# -- Flask, Bottle, any app --------------------------------------------------------------------


def test_a_flask_view_may_be_framed_and_embedded() -> None:
    config = SecurityConfig()
    protect = SecurityDecorator(config)
    app = flask.Flask(__name__)

    @app.get("/widget")
    @protect.security_headers(frame_options=None, cross_origin_resource_policy="cross-origin")
    def widget() -> str:
        return "widget"

    app.add_url_rule("/", view_func=lambda: "home")
    FlaskAPIGuard(app, config=config)
    client = app.test_client()
    answer = client.get("/widget")
    assert FRAMES not in answer.headers
    assert answer.headers[EMBEDS] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/").headers[FRAMES] == "SAMEORIGIN"
    assert client.get("/widget", **ATTACK).headers[FRAMES] == "SAMEORIGIN"


def test_a_bottle_route_may_be_framed() -> None:
    app = bottle.Bottle()
    app.route("/widget")(PROTECT.security_headers(frame_options=None)(lambda: "widget"))
    guard = GuardMiddleware(app, SecurityConfig(), resolver=BottleResolver(app))
    assert serve(guard, environ_for("/widget")).header(FRAMES) is None


def test_any_app_names_its_routes_by_pattern() -> None:
    routes = {"/files/<name>": RouteConfig(security_headers={"cross_origin_resource_policy": None})}
    site = Site(routes=routes)
    assert site.visit("/files/logo.png").header(EMBEDS) is None
    assert site.visit("/").header(EMBEDS) == "same-origin"


def test_a_route_may_have_headers_where_the_site_has_none() -> None:
    routes = {"/admin": RouteConfig(security_headers={"preset": "html"})}
    site = Site(routes=routes, security_headers="off")
    assert site.visit("/admin").header(FRAMES) == "SAMEORIGIN"
    assert site.visit("/").header(FRAMES) is None


@pytest.mark.parametrize(
    ("sent", "header", "expected"),
    [
        (("Content-Security-Policy", "frame-ancestors https://a.example"), FRAMES, None),
        (("content-security-policy", "default-src 'self'; Frame-Ancestors *"), FRAMES, None),
        (("Content-Security-Policy", "default-src 'self'"), FRAMES, "SAMEORIGIN"),
        (("Content-Security-Policy-Report-Only", "frame-ancestors *"), FRAMES, "SAMEORIGIN"),
        (("Access-Control-Allow-Origin", "*"), EMBEDS, None),
        (("Access-Control-Allow-Origin", "https://a.example"), EMBEDS, "same-origin"),
        ((EMBEDS, "cross-origin"), EMBEDS, "cross-origin"),
        ((FRAMES, "ALLOWALL"), FRAMES, "ALLOWALL"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"exempt_ips": ["192.0.2.1"]}], ids=["fast", "ladder"])
def test_what_an_answer_says_of_other_sites_holds(
    sent: tuple[str, str], header: str, expected: str | None, options: dict[str, Any]
) -> None:
    answer = Site(app=text_app(headers=[sent]), **options).visit()
    assert answer.header(header) == expected
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize(
    ("cors", "expected"),
    [
        ({"cors_allow_origins": ["*"]}, "cross-origin"),
        ({"cors_allow_origins": ["https://a.example"]}, "same-origin"),
    ],
)
def test_answers_that_all_sites_may_read_all_may_embed(cors: Any, expected: str) -> None:
    assert Site(enable_cors=True, **cors).visit().header(EMBEDS) == expected
