"""Rules count refusals of the guard itself, and a failing hook exempts nobody."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from guard_wsgi import BehaviorRule, RouteConfig
from tests.core.visiting import Site


def never(request: Any, credential: str) -> bool:
    return False


@pytest.mark.parametrize("scope", ["route", "global"])
def test_who_guesses_passwords_is_banned_by_the_guards_own_401(scope: str) -> None:
    rules = (BehaviorRule("return_pattern", 3, 60, "status:401,403", action="ban"),)
    route = RouteConfig(
        auth_required="bearer",
        auth_verifier=never,
        behavior_rules=rules if scope == "route" else (),
    )
    site = Site(routes={"/login": route}, global_behavior_rules=rules if scope == "global" else ())
    headers = {"Authorization": "Bearer guess"}
    assert [site.visit("/login", headers=headers).code for _ in range(4)] == [401] * 4
    assert site.visit("/").code == 403
    assert site.visit("/", ip="198.51.100.7").code == 200


def test_the_readmes_rule_counts_the_guards_own_403() -> None:
    rules = (BehaviorRule("return_pattern", 3, 600, "status:401,403,404", action="ban"),)
    site = Site(global_behavior_rules=rules, blocked_user_agents=["badbot"])
    for _ in range(4):
        assert site.visit("/", headers={"User-Agent": "badbot"}).code == 403
    assert site.visit("/").code == 403
    (ban,) = site.guard.bans.list()
    until = ban.expires_at
    for _ in range(10):
        site.visit("/")
    assert [ban.expires_at for ban in site.guard.bans.list()] == [until]


def test_a_condition_that_fails_frees_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def broken(request: Any) -> bool:
        raise KeyError("user")

    for options in (
        {"rate_limit": 2, "rate_limit_exempt_when": broken},
        {"routes": {"/": RouteConfig(rate_limit=2, rate_limit_exempt_when=broken)}},
    ):
        site = Site(**options)
        assert [site.visit("/").code for _ in range(3)] == [200, 200, 429]
    assert "rate_limit_exempt_when raised" in caplog.text


def test_a_long_key_costs_no_memory() -> None:
    site = Site(rate_limit=2, rate_limit_key=lambda request: request.headers.get("X-User"))
    for user in ("a" * 8000, "a" * 7999 + "b"):
        codes = [site.visit("/", headers={"X-User": user}).code for _ in range(3)]
        assert codes == [200, 200, 429]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(200):
            site.visit("/", headers={"X-User": f"{'a' * 8000}{number}"})
            site.seen.clear()
        assert tracemalloc.get_traced_memory()[0] - before < 200 * 4000
    finally:
        tracemalloc.stop()
