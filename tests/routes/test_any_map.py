"""Arbitrary URL maps and paths: a view runs only if its rules were checked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import bottle
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve
from tests.routes.frameworks import Project, verify
from tests.routes.views import WRITTEN, options

MANY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SEGMENTS = ["a", "b", "ab", "\xe9", "<x>", "<rest>"]
JUNK = ["", "a", "b", "ab", "..", ".", ";x", "\xff", "\xc3\xa9", "%61", "\\", "\x00", "A", "a\xff"]

_rules = st.lists(
    st.tuples(
        st.lists(st.sampled_from(SEGMENTS), max_size=3),  # its segments
        st.booleans(),  # whether it ends with a slash
        st.booleans(),  # whether it is protected
        st.sampled_from(sorted(WRITTEN)),  # how it is written
        st.sampled_from(["GET", "POST", "both"]),
    ),
    min_size=1,
    max_size=6,
)
_paths = st.lists(
    st.tuples(
        st.lists(st.sampled_from(JUNK), max_size=5),
        st.booleans(),
        st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "post"]),
    ),
    min_size=1,
    max_size=12,
)

NAMED = ["function", "wraps under", "wraps over", "list", "default"]
"""Written as functions, as REST framework's decorator needs them."""

Rules = list[tuple[list[str], bool, bool, str, str]]
Paths = list[tuple[list[str], bool, str]]


class Trial:
    """Views that report if they run unchecked."""

    def __init__(self, decorate: SecurityDecorator) -> None:
        self._auth = decorate.require_auth(verifier=verify)
        self.unchecked: list[str] = []

    def view(self, name: str, is_protected: bool, written: str, answer: Callable[[], Any]) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            if is_protected:
                self.unchecked.append(name)
            return answer()

        def unmarked(view: Any) -> Any:
            return view

        return WRITTEN[written](self._auth if is_protected else unmarked, run)

    def visit(self, app: Any, paths: Paths) -> None:
        for segments, slash, method in paths:
            environ = environ_for("/")
            environ["REQUEST_METHOD"] = method
            environ["PATH_INFO"] = "/" + "/".join(segments) + ("/" if slash else "")
            serve(app, environ)
            assert self.unchecked == [], environ["PATH_INFO"]


def methods_of(kind: str) -> list[str]:
    return ["GET", "POST"] if kind == "both" else [kind]


def pattern(segments: list[str], slash: bool, spelled: dict[str, str]) -> str:
    # A parameter occurs once in a rule, and a path at its end.
    kept: list[str] = []
    for segment in segments:
        if segment not in kept:
            kept.append(segment)
    if "<rest>" in kept:
        kept = kept[: kept.index("<rest>") + 1]
        slash = False
    text = "/".join(spelled.get(segment, segment) for segment in kept)
    return f"/{text}/" if slash and text else f"/{text}"


@MANY
@given(rules=_rules, paths=_paths)
def test_flask_runs_no_view_unchecked(rules: Rules, paths: Paths) -> None:
    app = Flask(__name__, static_folder=None)
    config = SecurityConfig(**options())
    trial = Trial(SecurityDecorator(config))
    for number, (segments, slash, is_protected, written, kind) in enumerate(rules):
        rule = pattern(segments, slash, {"<rest>": "<path:rest>"})
        view = trial.view(f"{number} {rule}", is_protected, written, lambda: "ran")
        app.add_url_rule(rule, f"view{number}", view, methods=methods_of(kind))
    FlaskAPIGuard(app, config=config)
    trial.visit(app, paths)


@MANY
@given(rules=_rules, paths=_paths, mounted=st.integers(0, 3), junk=st.booleans())
def test_bottle_runs_no_view_unchecked(
    rules: Rules, paths: Paths, mounted: int, junk: bool
) -> None:
    app, child = bottle.Bottle(), bottle.Bottle()
    config = SecurityConfig(**options())
    trial = Trial(SecurityDecorator(config))
    for number, (segments, slash, is_protected, written, kind) in enumerate(rules):
        rule = pattern(segments, slash, {"<rest>": "<rest:path>"})
        view = trial.view(f"{number} {rule}", is_protected, written, lambda: "ran")
        target = child if number < mounted else app
        target.route(rule, methods_of(kind), view, skip=[True] if number == 4 else [])
    if mounted:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            app.mount("/a" if junk else "/a/", child)
    if junk:

        @app.hook("before_request")
        def rewrite() -> None:
            environ = bottle.request.environ
            environ["PATH_INFO"] = environ["PATH_INFO"].replace("/b/", "/")

    guard = GuardMiddleware(app, config, resolver=BottleResolver(app))
    trial.visit(guard, paths)


@MANY
@given(
    rules=_rules, paths=_paths, rewrites=st.sampled_from(["", "path", "urlconf"]), rest=st.data()
)
def test_django_runs_no_view_unchecked(
    rules: Rules, paths: Paths, rewrites: str, rest: Any
) -> None:
    from django.http import HttpResponse
    from django.urls import include, path

    with pytest.MonkeyPatch.context() as monkeypatch:
        middleware = ["any_map.rewriting"] if rewrites else []
        project = Project(monkeypatch, SecurityConfig(**options()), MIDDLEWARE=middleware)
        from rest_framework.decorators import api_view  # settings must be there
        from rest_framework.response import Response

        trial = Trial(project.decorate)
        urls: list[Any] = []
        for number, (segments, slash, is_protected, written, _) in enumerate(rules):
            rule = pattern(segments, slash, {"<x>": "<str:x>", "<rest>": "<path:rest>"})[1:]
            by_rest = written in NAMED and rest.draw(st.booleans())
            answer = (lambda: Response("ran")) if by_rest else (lambda: HttpResponse("ran"))
            view = trial.view(f"{number} {rule}", is_protected, written, answer)
            if by_rest:
                view = api_view(["GET", "POST"])(view)
            urls.append(path(rule, view))
        half = len(urls) // 2
        urls = [*urls[:half], path("b/", include(urls[half:]))]

        def rewriting(get_response: Any) -> Any:
            def respond(request: Any) -> Any:
                if rewrites == "urlconf" and "a" in request.path_info:
                    request.urlconf = "any_map_other"
                elif rewrites == "path":
                    request.path_info = request.path_info.replace("/a/", "/")
                return get_response(request)

            return respond

        project.module("any_map", rewriting=rewriting)
        project.module("any_map_other", urlpatterns=urls[::-1])
        guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
        trial.visit(guard, paths)


@MANY
@given(rules=_rules, paths=_paths)
def test_patterns_hold_for_whatever_an_app_makes_of_a_path(rules: Rules, paths: Paths) -> None:
    from guard_wsgi.request.path_readings import canonical_path

    strict = RouteConfig(auth_required="bearer", auth_verifier=verify)
    lax = RouteConfig(bypassed_checks={"all"})
    routes = {
        pattern(segments, slash, {"<rest>": "<path:rest>"}): strict if is_protected else lax
        for segments, slash, is_protected, *_ in rules
        if "\xe9" not in segments
    }
    exact = {rule for rule, route in routes.items() if route is strict and "<" not in rule}
    reached: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        text = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        for read in (text, canonical_path(text)):
            if read in exact:
                reached.append(read)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    if routes:
        guard = GuardMiddleware(app, SecurityConfig(**options()), routes=routes)
        Trial(SecurityDecorator(SecurityConfig())).visit(guard, paths)
        assert reached == []
