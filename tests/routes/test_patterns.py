"""Path patterns: whichever way an app reads a path, the rules of that reading hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig
from guard_wsgi.request.view import canonical_path, spellings
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
    ],
)
@pytest.mark.parametrize("lax", ["/<path:any>", "/public/<path:any>", "/x/<path:any>"])
def test_the_strictest_rule_of_any_reading_holds(path: str, lax: str) -> None:
    assert status(path, {"/admin/<path:rest>": STRICT, lax: LAX}) == 401


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
