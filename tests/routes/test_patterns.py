"""Path patterns: the rules of every reading of a path apply."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig
from guard_wsgi.request.path_readings import canonical_path, spellings
from tests.kit.gateway import environ_for, serve, text_app

STRICT = RouteConfig(auth_required="bearer", auth_verifier=lambda request, credential: False)
LAX = RouteConfig(bypassed_checks={"all"})


def status(path: str, routes: dict[str, RouteConfig]) -> int:
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes)
    environ = environ_for("/")
    environ["PATH_INFO"] = path
    return serve(guard, environ).code


@pytest.mark.parametrize(
    "path",
    [
        *("/admin/y", "/x/../admin/y", "/admin//y", "/public/..;/admin/y", "//admin/y"),
        *("/public/%2e%2e/admin/y", "/public\\..\\admin/y", "/public/./../admin/y"),
        *("/admin;a=b/y", "/public/x/../../admin/y", "/admin/\xff", "/ad\xffmin/y"),
        *("/public//../admin/y", "/%61dmin/y", "/public/;/../admin/y", "/public/..%2fadmin/y"),
        *(
            "/ADMIN/y",
            "/Admin/y",
            "/public/../aDMIN/y",
            "/ADM\xc4\xb1N/y",
        ),
        *("/admin./y", "/admin /y", "/ admin/y", "/admin%2e/y", "/admin%20./y", "/admin\t/y"),
        *("/%2561dmin/y", "/public/%252e%252e/admin/y", "/%252561dmin/y", "/public/..%255cadmin/y"),
        *("/admin/\x00", "/ad\xc2\xadmin/y", "/ad\xe2\x80\x8bmin/y", "/\xef\xbd\x81dmin/y"),
        *(
            "/admin\xef\xbc\x8fy",
            "/public/..\xef\xbc\xbcadmin/y",
            "/ad%E2%80%8Bmin/y",
        ),
        *("http://h/admin/y", "/http://h/admin/y", "HTTPS://h:443/ADMIN/y", "//h/../admin/y"),
    ],
)
@pytest.mark.parametrize("lax", ["/<path:any>", "/public/<path:any>", "/x/<path:any>"])
def test_the_strictest_rule_of_any_reading_holds(path: str, lax: str) -> None:
    assert status(path, {"/admin/<path:rest>": STRICT, lax: LAX}) == 401


@pytest.mark.parametrize("end", ["", "?", "?a", "#a", "%3Fa", "%00", "%00/x", "\x00.png", ".", " "])
@pytest.mark.parametrize("path", ["/admin", "/ADMIN", "/x/../admin", "/admin;x"])
def test_a_path_ends_where_any_parser_ends_it(path: str, end: str) -> None:
    assert status(path + end, {"/admin": STRICT, "/<path:any>": LAX}) == 401


def test_patterns_that_differ_by_case_hold_together() -> None:
    routes = {"/Admin/<Name>": STRICT, "/admin/<name>": RouteConfig(require_https=True)}
    assert status("/Admin/a", routes) == 401
    assert status("/admin/a", routes) == 308
    routes["/admin/<name>"] = LAX
    assert status("/Admin/a", routes) == 401
    assert status("/files/A", {"/files/<name>": LAX}) == 200


def test_a_licence_for_one_reading_is_none_for_another() -> None:
    assert status("/public/a;b", {"/public/<path:any>": LAX}) == 200
    environ = {"query_string": "q=<script>alert(1)</script>"}
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes={"/public/<path:any>": LAX})
    assert serve(guard, path="/public/a", **environ).code == 200
    assert serve(guard, path="/public/../a", **environ).code == 400


def test_every_spelling_of_a_path_is_counted_together() -> None:
    routes = {"/few/<path:rest>": RouteConfig(rate_limit=3), "/<path:any>": RouteConfig()}
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes)
    codes = []
    for path in ("/few/a", "/few//a", "/x/../few/a", "/few/;x/a", "//few/a"):
        environ: dict[str, Any] = environ_for("/")
        environ["PATH_INFO"] = path
        codes.append(serve(guard, environ).code)
    assert codes.count(200) <= 3
    assert codes[-1] == 429


_segments = st.sampled_from(["a", "b", "..", ".", "", ";x", "a;y", "%2e%2e", "\\", "\xff"])


@given(st.lists(_segments, max_size=6).map(lambda parts: "/" + "/".join(parts)))
def test_the_readings_of_a_path_hold_its_canonical_one_and_are_few(path: str) -> None:
    found = spellings(path)
    decoded = path.encode("latin-1").decode("utf-8", "replace")
    assert canonical_path(decoded).rstrip("/") in {reading.rstrip("/") for reading in found}
    assert len(found) <= 64


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        (
            "/Reports/AdminOnly",
            [
                "/Reports/AdminOnly",
                "/reports/adminonly",
                "/REPORTS/adminonly",
                "/reports/adminonly/",
            ],
        ),
        ("/Ab/<path:rest>", ["/ab/x", "/ab", "/AB/", "/Ab/x/"]),
        ("/<any(Admin,Root):who>/x", ["/admin/x", "/ROOT/x", "/Admin/x"]),
        (
            "/files/<path:p>/private",
            [f"/files/a/private{end}" for end in ("", "/", "//", "%2f", "\\", ";x/", "/.")],
        ),
        ("/files/<path:p>/private/", ["/files/a/private", "/files/a/b/private//"]),
        (
            "/api/<int:number>/secret",
            [
                f"/api/{number}/secret"
                for number in ("1", "01", "+1", "-1", "1_0", "%201", "\xd9\xa1")
            ],
        ),
        ("/api/<float:n>", [f"/api/{n}" for n in ("1.5", "1", "+1.", ".5", "1e3", "inf", "-NaN")]),
        (
            "/u/<uuid:who>",
            [
                "/u/12345678-1234-1234-1234-123456789abc",
                "/u/12345678123412341234123456789ABC",
                "/u/{12345678-1234-1234-1234-123456789abc}",
                "/u/urn:uuid:12345678-1234-1234-1234-123456789abc",
            ],
        ),
    ],
)
def test_what_an_app_may_read_as_a_patterns_path_has_its_rules(
    pattern: str, paths: list[str]
) -> None:
    for path in paths:
        assert status(path, {pattern: STRICT}) == 401, path
        assert status(path, {pattern: STRICT, "/<path:any>": LAX}) == 401, path


def test_a_number_that_is_none_has_the_rules_of_names() -> None:
    routes = {"/x/<int:number>": LAX, "/x/<float:number>": LAX, "/x/<uuid:id>": LAX}
    for path in ("/x/bob", "/x/1__0", "/x/_1", "/x/1e", "/x/" + "g" * 32):
        assert status(path, {**routes, "/x/<name>": STRICT}) == 401, path


@pytest.mark.parametrize("path", ["/LOGIN", "/login/", "/x/../Login", "/%6cogin"])
def test_a_limit_is_one_in_every_spelling(path: str) -> None:
    routes = {"/<path:any>": RouteConfig(rate_limit=1000), "/login": RouteConfig(rate_limit=3)}
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes)

    def visit(spelling: str) -> int:
        environ: dict[str, Any] = environ_for("/")
        environ["PATH_INFO"] = spelling
        return serve(guard, environ).code

    assert [visit("/login") for _ in range(4)] == [200, 200, 200, 429]
    assert visit(path) == 429
    assert visit("/other") == 200
