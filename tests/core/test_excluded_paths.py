"""``exclude_paths``: left out of inspection, never out of bans, lists and limits."""

from __future__ import annotations

import pytest

from guard_wsgi import RouteConfig
from tests.core.visiting import INJECTION, Site
from tests.kit.gateway import environ_for, serve

ATTACK = {"q": INJECTION}


def test_an_excluded_path_is_not_inspected() -> None:
    site = Site(exclude_paths=["/docs"])
    assert site.visit("/docs", query_string=ATTACK).code == 200
    assert site.visit("/docs/deeper/page", query_string=ATTACK).code == 200


@pytest.mark.parametrize(
    "path", ["/documents", "/docs2", "/docs/../admin", "/docs/..;/admin", "//docs/../x", "/x/docs"]
)
def test_a_path_that_only_looks_excluded_is_inspected(path: str) -> None:
    site = Site(exclude_paths=["/docs"])
    overrides = {"PATH_INFO": path}
    answer = site.visit("/", query_string=ATTACK, environ_overrides=overrides)
    assert answer.code == 400


def test_bans_lists_and_limits_hold_on_excluded_paths() -> None:
    site = Site(exclude_paths=["/docs"], blacklist=["203.0.113.9"], rate_limit=2)
    assert site.visit("/docs", ip="203.0.113.9").code == 403
    assert [site.visit("/docs").code for _ in range(3)] == [200, 200, 429]
    site.guard.services.store.bans.ban("203.0.113.10", 60, "test")
    assert site.visit("/docs", ip="203.0.113.10").code == 403


def test_the_rules_of_a_route_hold_on_an_excluded_path() -> None:
    route = RouteConfig(required_headers={"X-Team": "required"})
    site = Site(exclude_paths=["/docs"], routes={"/docs": route})
    assert site.visit("/docs").code == 400
    assert site.visit("/docs", headers={"X-Team": "a"}).code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../admin", "/static/..;/admin", "/static/..%2fadmin", "/static/%2e%2e/admin"),
        *("/static/..\\admin", "/static/%252e%252e/admin", "/static/..%5cadmin"),
        *("/static/..\xef\xbc\x8fadmin", "/static/.\xe2\x80\x8b./admin"),
    ],
)
def test_a_path_that_leads_out_of_an_excluded_one_is_not_excluded(path: str) -> None:
    site = Site(exclude_paths=["/static"])
    environ = environ_for("/", query_string=ATTACK)
    environ["PATH_INFO"] = path
    assert serve(site.guard, environ).code == 400
    assert site.visit("/static/a%20b;c", query_string=ATTACK).code == 200
