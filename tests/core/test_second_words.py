"""A route's own rules apply everywhere, whatever the app's functions answer."""

from __future__ import annotations

from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig
from guard_wsgi.network.bots import CRAWLERS
from tests.kit.gateway import environ_for, serve, text_app

INJECTION = "1' UNION SELECT password FROM users--"


def codes(guard: Any, *paths: str, **options: Any) -> list[int]:
    return [serve(guard, environ_for(path, **options)).code for path in paths]


def test_an_emergency_shuts_excluded_paths_too() -> None:
    guard = GuardMiddleware(text_app(), SecurityConfig(emergency_mode=True))
    assert codes(guard, "/", "/docs", "/static/a", "/redoc") == [503] * 4


def test_detection_that_a_route_asks_for_holds_on_excluded_paths() -> None:
    routes = {"/docs/inner": RouteConfig(enable_suspicious_detection=True)}
    config = SecurityConfig(exclude_paths=["/docs"])
    guard = GuardMiddleware(text_app(), config, routes=routes)
    query = {"q": INJECTION}
    assert codes(guard, "/docs/inner", "/docs/other", query_string=query) == [400, 200]


@pytest.mark.parametrize("path", ["/docs/x", "/redoc/x", "/static/x", "/favicon.ico/x"])
def test_a_catch_all_route_below_a_usual_path_is_inspected(path: str) -> None:
    guard = GuardMiddleware(text_app(), SecurityConfig())
    assert codes(guard, path, query_string={"q": INJECTION}) == [400]
    assert codes(guard, path, method="POST", data={"q": INJECTION}) == [400]
    assert codes(guard, path) == [200]


def test_clouds_that_a_route_refuses_are_refused_on_excluded_paths(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from guard_wsgi.services import Services

    monkeypatch.setattr(Services, "cloud_match", lambda self, providers: lambda address: "AWS")
    route = RouteConfig(block_cloud_providers={"AWS"})
    routes = {"/docs/<path:rest>": route, "/x": route}
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes)
    assert codes(guard, "/docs/a", "/x", "/static/a") == [403, 403, 200]
    everywhere = GuardMiddleware(text_app(), SecurityConfig(block_cloud_providers={"AWS"}))
    assert codes(everywhere, "/docs/a", "/x") == [200, 403]


def test_a_health_path_keeps_a_limit_of_its_own() -> None:
    routes = {"/health": RouteConfig(rate_limit=2)}
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes)
    found = []
    for _ in range(3):
        environ = environ_for("/health")
        environ["REMOTE_ADDR"] = "10.0.0.5"
        found.append(serve(guard, environ).code)
    assert found == [200, 200, 429]


def test_a_source_of_countries_that_fails_takes_no_limit_away() -> None:
    class Broken:
        def initialize(self) -> None: ...

        def get_country(self, ip: str) -> str | None:
            raise RuntimeError("being replaced")

        def close(self) -> None: ...

        is_initialized = True

    config = SecurityConfig(geo_ip_handler=Broken())
    routes = {"/": RouteConfig(rate_limit=3, geo_rate_limits={"*": (9, 60)})}
    guard = GuardMiddleware(text_app(), config, routes=routes)
    assert codes(guard, *["/"] * 5) == [200] * 3 + [429] * 2


class _Nameless:
    """Whose text is another one each time."""


class _Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("key", [_Nameless, _Unprintable])
def test_a_key_that_is_none_counts_by_address(key: Any) -> None:
    config = SecurityConfig(rate_limit=2, rate_limit_key=lambda request: key())
    guard = GuardMiddleware(text_app(), config)
    assert codes(guard, *["/"] * 3) == [200, 200, 429]


async def _is_staff(request: Any) -> bool:
    return False


@pytest.mark.parametrize("answer", [_is_staff, lambda request: (False, "no")])
@pytest.mark.filterwarnings("ignore:coroutine")
def test_an_odd_answer_exempts_nobody(answer: Any) -> None:
    exempt = lambda request: answer(request)  # noqa: E731
    guard = GuardMiddleware(text_app(), SecurityConfig(rate_limit=2, rate_limit_exempt_when=exempt))
    assert codes(guard, *["/"] * 3) == [200, 200, 429]


def test_who_shows_credentials_sends_no_preflight() -> None:
    """A browser's preflight carries none; a guess of a password is counted as any other."""
    route = RouteConfig(rate_limit=3, auth_required="bearer", auth_verifier=lambda r, t: None)
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes={"/": route})
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "GET",
        "Authorization": "Bearer guess",
    }
    config = SecurityConfig(rate_limit=3)
    limited = GuardMiddleware(text_app(), config)
    assert codes(guard, "/", method="OPTIONS", headers=headers) == [401]
    assert codes(limited, *["/"] * 5, method="OPTIONS", headers=headers) == [200] * 3 + [429] * 2


def test_a_request_that_an_app_makes_of_another_is_decided_on() -> None:
    def batch(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/batch":
            return guard(dict(environ, PATH_INFO="/admin/x"), start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ran"]

    routes = {"/admin/<path:rest>": RouteConfig(ip_whitelist=["192.0.2.0/24"])}
    guard = GuardMiddleware(batch, SecurityConfig(), routes=routes)
    assert codes(guard, "/other", "/admin/x", "/batch") == [200, 403, 403]


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/ADMIN", "/admin/x", "/x/..;/admin/"])
def test_what_holds_in_a_folder_holds_at_it(path: str) -> None:
    routes = {"/admin/<path:rest>": RouteConfig(ip_whitelist=["192.0.2.0/24"])}
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes)
    assert codes(guard, path, "/administrator") == [403, 200]


def test_a_folder_with_rules_of_its_own_keeps_them() -> None:
    routes = {
        "/admin/<path:rest>": RouteConfig(ip_whitelist=["192.0.2.0/24"]),
        "/admin": RouteConfig(rate_limit=9),
    }
    guard = GuardMiddleware(text_app(), SecurityConfig(), routes=routes)
    assert codes(guard, "/admin", "/admin/x") == [200, 403]


def test_a_translation_is_no_crawler() -> None:
    (google,) = [crawler for crawler in CRAWLERS if crawler.name == "Google"]
    assert not any("google-proxy-1-2-3-4.google.com".endswith(one) for one in google.hosts)
