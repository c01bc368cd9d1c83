"""A view's own rules apply wherever the view is and whatever other rules say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bottle
import pytest
from flask import Flask
from flask.views import MethodView

from guard_wsgi import ConfigError, GuardMiddleware, RouteConfig, SecurityConfig, SecurityDecorator
from guard_wsgi.checks.countries_and_clouds import Clouds
from guard_wsgi.network.standing import EXCLUDED
from guard_wsgi.resolvers import BottleResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve

ATTACK = "/docs/share?q=%27%20UNION%20SELECT%20a%20FROM%20b--"
OFFICE = "192.0.2.1"
TOKEN = {"Authorization": "Bearer right"}


def only_right(request: Any, credential: str) -> bool:
    return credential == "right"


def guarded(add: Any, **options: Any) -> Flask:
    config = SecurityConfig(**options)
    app = Flask(__name__)
    add(app, SecurityDecorator(config))
    FlaskAPIGuard(app, config=config)
    return app


def code(app: Any, path: str, address: str = "203.0.113.7", **options: Any) -> int:
    environ = environ_for(path, environ_overrides={"REMOTE_ADDR": address}, **options)
    return serve(app, environ).code


def test_a_view_below_an_excluded_path_keeps_its_own_detection() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        app.add_url_rule("/docs/share", "own", decorate.suspicious_detection(True)(lambda: "x"))
        app.add_url_rule("/docs/other", "other", lambda: "x")

    app = guarded(add, exclude_paths=["/docs"])
    assert code(app, ATTACK) == 400
    assert code(app, ATTACK.replace("share", "other")) == 200


def test_a_view_below_an_excluded_path_keeps_its_own_clouds() -> None:
    guard = GuardMiddleware(lambda environ, start: [], SecurityConfig())
    own = RouteConfig(block_cloud_providers=["AWS"])
    (check,) = (one for one in guard.policy.plan(own).checks if isinstance(one, Clouds))
    assert not check.excused & EXCLUDED
    everywhere = GuardMiddleware(
        lambda environ, start: [], SecurityConfig(block_cloud_providers=["AWS"])
    )
    (check,) = (one for one in everywhere.policy.plan(None).checks if isinstance(one, Clouds))
    assert check.excused & EXCLUDED


@pytest.mark.parametrize("path", ["/", "/docs", "/static/a.css", "/favicon.ico"])
def test_an_emergency_holds_for_excluded_paths(path: str) -> None:
    app = guarded(lambda app, decorate: None, emergency_mode=True)
    assert code(app, path) == 503


@pytest.mark.parametrize("word", ["all", "ip"])
def test_a_bypass_takes_off_the_sites_rules_not_the_views_own(word: str) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        view = decorate.require_ip(whitelist=[OFFICE])(lambda: "x")
        app.add_url_rule("/own", "own", decorate.bypass([word])(view))
        app.add_url_rule("/bypass", "bypass", decorate.bypass([word])(lambda: "x"))

    app = guarded(add, blacklist=["203.0.113.0/24"])
    assert code(app, "/own") == 403
    assert code(app, "/own", OFFICE) == 200
    assert code(app, "/bypass") == 200


def test_a_class_that_bypasses_all_leaves_its_methods_their_rules() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        @decorate.bypass(["all"])
        class Api(MethodView):
            def get(self) -> str:
                return "x"

            @decorate.require_auth("bearer", only_right)
            def delete(self) -> str:
                return "deleted"

            @decorate.rate_limit(2)
            def post(self) -> str:
                return "posted"

        app.add_url_rule("/api", view_func=Api.as_view("api"))

    app = guarded(add)
    assert code(app, "/api?q=%27%20or%201=1--") == 200
    assert code(app, "/api", method="DELETE") == 401
    assert code(app, "/api", method="DELETE", headers=TOKEN) == 200
    assert [code(app, "/api", method="POST") for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_class_has_the_rules_of_all_its_bases(order: tuple[int, int]) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        @decorate.require_auth("bearer", only_right)
        class Staff(MethodView):
            pass

        @decorate.require_ip(whitelist=[OFFICE])
        class Office(MethodView):
            pass

        first, second = ((Staff, Office)[place] for place in order)

        class Page(first, second):  # type: ignore[misc, valid-type]
            def get(self) -> str:
                return "secret"

        app.add_url_rule("/page", view_func=Page.as_view("page"))

    app = guarded(add)
    assert code(app, "/page", headers=TOKEN) == 403
    assert code(app, "/page", OFFICE) == 401
    assert code(app, "/page", OFFICE, headers=TOKEN) == 200


def batch(routes: dict[str, RouteConfig], **options: Any) -> GuardMiddleware:
    """An app that asks itself for a page, as batch endpoints and includes do."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/batch":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"page"]
        inner = dict(environ, PATH_INFO="/admin/x", QUERY_STRING="")
        return guard(inner, start_response)

    guard = GuardMiddleware(app, SecurityConfig(**options), routes=routes)
    return guard


def test_a_request_that_an_app_makes_of_another_is_decided_on_by_itself() -> None:
    app = batch({"/admin/<path:rest>": RouteConfig(ip_whitelist=[OFFICE])})
    assert code(app, "/batch") == 403
    assert code(app, "/batch", OFFICE) == 200
    limited = batch({}, endpoint_rate_limits={"/admin/x": (2, 60)})
    assert [code(limited, "/batch") for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/ADMIN", "/x/../admin", "/admin/a/b"])
def test_a_pattern_for_all_below_a_folder_holds_for_the_folder(path: str) -> None:
    app = batch({"/admin/<path:rest>": RouteConfig(ip_whitelist=[OFFICE])})
    assert code(app, path) == 403
    assert code(app, "/other") == 200


def test_a_folder_with_rules_of_its_own_keeps_them() -> None:
    everybody = RouteConfig(max_request_size=10)
    app = batch({"/admin/<path:rest>": RouteConfig(ip_whitelist=[OFFICE]), "/admin/": everybody})
    assert code(app, "/admin/") == 200
    assert code(app, "/admin/x") == 403


def test_bait_is_seen_in_the_query_and_in_whatever_bottle_takes_for_a_form() -> None:
    config = SecurityConfig()
    decorate = SecurityDecorator(config)
    site = bottle.Bottle()
    site.route("/form", ["GET", "POST"], decorate.honeypot_detection(["website"])(lambda: "x"))
    app = GuardMiddleware(site, config, resolver=BottleResolver(site))
    assert code(app, "/form?name=a&website=") == 200
    assert code(app, "/form?name=a&website=spam") == 403
    for kind in ("text/plain", "application/octet-stream", "text/xml", ""):
        for body, expected in ((b"a=b&website=spam", 403), (b"a=b&website=", 200)):
            options = {"method": "POST", "data": body, "content_type": kind}
            assert code(app, "/form", **options) == expected, kind


class Raising:
    def get_country(self, ip: str) -> str:
        raise RuntimeError("the database is being replaced")


class Listing:
    def get_country(self, ip: str) -> list[str]:
        return ["DE"]


@pytest.mark.parametrize("source", [Raising, Listing])
def test_a_source_of_countries_that_fails_leaves_the_limits(source: Any) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        limited = decorate.geo_rate_limit({"DE": (100, 60), "*": (2, 60)})(lambda: "x")
        app.add_url_rule("/both", "both", decorate.rate_limit(100)(limited))
        app.add_url_rule("/geo", "geo", limited)

    app = guarded(add, geo_ip_handler=source())
    assert [code(app, "/both") for _ in range(3)] == [200, 200, 429]


async def later() -> bool:
    return False


class Nameless:
    pass


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("answer", [lambda: (False, "no"), later, lambda: "yes", Nameless])
def test_only_true_exempts_from_a_limit(answer: Any) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        limit = decorate.rate_limit(2, exempt_when=lambda request: answer())
        app.add_url_rule("/", "page", limit(lambda: "x"))

    assert [code(guarded_app, "/") for guarded_app in [guarded(add)] * 3] == [200, 200, 429]


@pytest.mark.parametrize("answer", [Nameless, Unprintable, later, lambda: iter(())])
def test_a_key_that_is_another_one_each_time_is_none(answer: Any) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        limit = decorate.rate_limit(2, key=lambda request: answer())
        app.add_url_rule("/", "page", limit(lambda: "x"))

    app = guarded(add)
    assert [code(app, "/") for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("answer", [lambda: NotImplemented, lambda: (_ for _ in ())])
def test_a_verifier_admits_by_a_principal_only(answer: Any) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        asked = decorate.require_auth("bearer", lambda request, credential: answer())
        app.add_url_rule("/", "page", asked(lambda: "x"))

    assert code(guarded(add), "/", headers=TOKEN) == 401


@pytest.mark.parametrize("path", ["/api/*", "/login?x=1"])
def test_a_path_limit_that_can_never_match_is_an_error(path: str) -> None:
    with pytest.raises(ConfigError, match="one exact path"):
        SecurityConfig(endpoint_rate_limits={path: (5, 60)})


BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "*/*",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
IN_FRONT = "/?q=%27%20UNION%20SELECT%20a%20FROM%20b--"


@pytest.mark.parametrize(
    "made",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        # The site's own page shows an image that a visitor has put there.
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"},
        {"Referer": "http://blog.example/post"},
        {"Origin": "https://blog.example"},
        {"Origin": "null"},
        # Over plain HTTP, from a page that withholds its address.
        {"Accept": "image/avif,image/webp,image/*,*/*;q=0.8"},
        {"Accept": "text/css,*/*;q=0.1"},
        BROWSER,
        {**BROWSER, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
        {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Site": "same-origin"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
)
def test_what_a_page_makes_a_browser_send_is_refused_and_hardly_bans(made: dict[str, str]) -> None:
    app = guarded(lambda app, decorate: app.add_url_rule("/", "page", lambda: "x"))
    assert {code(app, IN_FRONT, headers=made) for _ in range(20)} == {400}
    assert code(app, "/") == 200


def test_a_link_from_a_page_whose_address_is_an_attack_hardly_bans() -> None:
    app = guarded(lambda app, decorate: app.add_url_rule("/", "page", lambda: "x"))
    made = {"Referer": "http://localhost/" + IN_FRONT}
    assert {code(app, "/", headers=made) for _ in range(20)} == {400}
    assert code(app, "/") == 200


def test_a_cookie_that_another_host_may_have_set_hardly_bans() -> None:
    app = guarded(lambda app, decorate: app.add_url_rule("/", "page", lambda: "x"))
    made = {"Cookie": "theme=' UNION SELECT a FROM b--"}
    assert {code(app, "/", headers=made) for _ in range(20)} == {400}
    assert code(app, "/") == 200


FROM_ELSEWHERE = {"Origin": "https://blog.example", "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    ("method", "sent"),
    [
        # A page may ask whether it may send something; the browser asks without its reader.
        ("OPTIONS", {"Access-Control-Request-Method": "DELETE"}),
        ("OPTIONS", {"Access-Control-Request-Method": "POST", "Sec-Fetch-Mode": "cors"}),
        # <a ping>
        ("POST", {"Content-Type": "text/ping"}),
        # A site may admit other pages, by itself or through the guard.
        ("POST", {"Content-Type": "application/json"}),
        ("POST", {"Content-Type": "application/xml; charset=utf-8"}),
        ("PUT", {"Content-Type": "application/json"}),
        ("DELETE", {}),
    ],
)
@pytest.mark.parametrize("options", [{}, {"enable_cors": True, "cors_allow_origins": ["*"]}])
def test_what_a_page_sends_to_another_site_by_script_hardly_bans(
    method: str, sent: dict[str, str], options: dict[str, Any]
) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        every = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
        app.add_url_rule("/", "page", lambda: "x", methods=every)

    app = guarded(add, **options)
    made = {**FROM_ELSEWHERE, **sent}
    assert {code(app, IN_FRONT, method=method, headers=made) for _ in range(20)} == {400}
    assert code(app, "/") == 200


def test_a_page_that_uses_up_the_limit_of_its_reader_hardly_bans() -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        app.add_url_rule("/", "page", lambda: "x")

    made = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}
    app = guarded(add, rate_limit=1, enable_rate_limit_auto_ban=True)
    assert {code(app, "/", headers=made) for _ in range(20)} == {200, 429}
    assert 403 in [code(app, "/") for _ in range(12)]


def test_a_program_that_says_it_is_a_page_is_banned_in_the_end() -> None:
    app = guarded(lambda app, decorate: app.add_url_rule("/", "page", lambda: "x"))
    assert 403 in [code(app, IN_FRONT, headers=FROM_ELSEWHERE) for _ in range(110)]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Sec-Fetch-Site": "x"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"},
        {"Referer": "http://localhost/form"},
        {"Accept": "text/html,application/xhtml+xml,image/avif,*/*;q=0.8"},
        {**BROWSER, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"},
        {**BROWSER, "User-Agent": "python-requests/2.32.3"},
    ],
)
def test_what_somebody_sends_from_the_site_itself_bans(sent: dict[str, str]) -> None:
    app = guarded(lambda app, decorate: app.add_url_rule("/", "page", lambda: "x"))
    assert 403 in [code(app, IN_FRONT, headers=sent) for _ in range(11)]


def test_a_hook_that_answers_oddly_each_time_is_logged_less_and_less(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def add(app: Flask, decorate: SecurityDecorator) -> None:
        limit = decorate.rate_limit(1000, exempt_when=lambda request: "yes")
        app.add_url_rule("/", "page", limit(lambda: "x"))

    app = guarded(add)
    assert {code(app, "/") for _ in range(40)} == {200}
    lines = [record for record in caplog.records if "must return True or False" in record.message]
    assert len(lines) == 6  # the 1st, 2nd, 4th, 8th, 16th and 32nd
