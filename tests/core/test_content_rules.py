"""Size, media types, headers, referrers, hours, hosts, HTTPS."""

from __future__ import annotations

import io
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from guard_wsgi import RouteConfig
from guard_wsgi.checks.circumstances import TimeWindow
from tests.core.visiting import Site


def at_root(**options: object) -> Site:
    return Site(routes={"/": RouteConfig(**options)})  # type: ignore[arg-type]


def test_refuses_a_body_that_says_it_is_too_large() -> None:
    site = Site(max_request_size=100)
    assert site.visit(method="POST", data=b"x" * 101).code == 413
    assert site.visit(method="POST", data=b"x" * 100).code == 200


def test_a_route_may_take_more_than_the_rest() -> None:
    site = Site(max_request_size=10, routes={"/upload": RouteConfig(max_request_size=1000)})
    assert site.visit("/upload", method="POST", data=b"x" * 500).code == 200
    assert site.visit("/", method="POST", data=b"x" * 500).code == 413


def test_refuses_a_chunked_body_that_goes_on_past_the_limit() -> None:
    def reading_app(environ, start_response):  # type: ignore[no-untyped-def]
        environ["wsgi.input"].read(100_000)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []

    site = Site(max_request_size=1000, app=reading_app)
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    for size, code in ((1000, 200), (1001, 413)):
        server = {**chunked, "wsgi.input": io.BytesIO(b"x" * size)}
        assert site.visit(method="POST", server=server).code == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("", 415),
    ],
)
def test_admits_the_named_media_types_in_any_case(kind: str, code: int) -> None:
    site = at_root(allowed_content_types=("application/json",))
    answer = site.visit(method="POST", data=b"{}", content_type=kind)
    assert answer.code == code


def test_asks_no_media_type_of_a_request_without_a_body() -> None:
    site = at_root(allowed_content_types=("application/json",))
    assert site.visit().code == 200


def test_asks_for_headers_and_for_their_values() -> None:
    site = at_root(required_headers={"X-Team": "required", "X-Version": "2"})
    missing = site.visit()
    assert (missing.code, missing.message) == (400, b"Missing required header: X-Team")
    wrong = site.visit(headers={"X-Team": "a", "X-Version": "1"})
    assert wrong.message == b"Header 'X-Version' does not match the required value"
    assert site.visit(headers={"X-Team": "a", "X-Version": "2"}).code == 200


@pytest.mark.parametrize(
    ("referrer", "code"),
    [
        ("https://example.com/page", 200),
        ("https://shop.example.com:8443/", 200),
        ("https://example.com.evil.net/", 403),
        ("https://notexample.com/", 403),
        ("https://evil.net/?https://example.com", 403),
        ("http://[broken", 403),
        ("", 403),
    ],
)
def test_admits_referrers_of_a_domain_and_below(referrer: str, code: int) -> None:
    site = at_root(require_referrer=("https://example.com",))
    headers = {"Referer": referrer} if referrer else {}
    assert site.visit(headers=headers).code == code


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "end", "utc", "admitted"),
    [
        pytest.param("09:00", "17:00", "2026-01-15T07:59:59", False, id="before"),
        pytest.param("09:00", "17:00", "2026-01-15T08:00:00", True, id="first second"),
        pytest.param("09:00", "17:00", "2026-01-15T16:00:59", True, id="last minute"),
        pytest.param("09:00", "17:00", "2026-01-15T16:01:00", False, id="after"),
        pytest.param("09:00", "17:00", "2026-07-15T07:00:00", True, id="summer time"),
        pytest.param("22:00", "06:00", "2026-01-15T23:30:00", True, id="over midnight"),
        pytest.param("22:00", "06:00", "2026-01-15T12:00:00", False, id="noon, over midnight"),
        pytest.param(
            "02:15", "02:45", "2026-10-25T00:30:00", True, id="the hour before the change"
        ),
        pytest.param("02:15", "02:45", "2026-10-25T01:30:00", True, id="the same hour, again"),
        pytest.param("03:00", "04:00", "2026-03-29T01:00:00", True, id="the hour that is skipped"),
    ],
)
def test_a_window_of_the_day_in_its_own_time_zone(
    start: str, end: str, utc: str, admitted: bool
) -> None:
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    window = TimeWindow(time.fromisoformat(start), time.fromisoformat(end), BERLIN, lambda: now)
    assert (window.refusal(None) is None) is admitted  # type: ignore[arg-type]
    assert window.passes({}, None) is admitted  # type: ignore[arg-type]


def test_answers_403_outside_the_hours() -> None:
    now = datetime.now(UTC)
    never = f"{(now.hour + 12) % 24:02}:00"
    site = at_root(time_restrictions=(never, never, "UTC"))
    assert site.visit().message == b"Access not allowed at this time"


def test_sends_http_to_https_and_keeps_method_path_and_query() -> None:
    site = Site(enforce_https=True)
    answer = site.visit("/a%20b?x=1&y=%C3%A4", method="POST", data=b"1")
    assert answer.code == 308
    assert answer.header("Location") == "https://localhost/a%20b?x=1&y=%C3%A4"
    assert site.visit(base_url="https://localhost/").code == 200


def test_redirects_to_no_host_that_is_not_ours() -> None:
    site = Site(enforce_https=True, allowed_hosts=["example.com", ".shop.example.com"])
    assert site.visit(base_url="http://evil.net/").code == 400
    answer = site.visit(base_url="http://de.shop.example.com/")
    assert answer.header("Location") == "https://de.shop.example.com/"
    assert site.visit(base_url="https://evil.net/").code == 400


def test_a_decorated_route_keeps_the_global_https_rule() -> None:
    site = Site(enforce_https=True, routes={"/": RouteConfig(rate_limit=5)})
    assert site.visit().code == 308


def test_a_route_alone_can_ask_for_https() -> None:
    site = Site(routes={"/pay": RouteConfig(require_https=True)})
    assert site.visit("/pay").code == 308
    assert site.visit("/").code == 200


@pytest.mark.parametrize("length", ["-3", "abc", "3,3", "+3", "1e3", "٣", "9" * 40])
def test_refuses_a_length_that_is_none(length: str) -> None:
    from guard_wsgi import GuardMiddleware, SecurityConfig
    from tests.kit.gateway import environ_for, serve, text_app

    environ = environ_for("/", method="POST", data=b"abc")
    environ["CONTENT_LENGTH"] = length
    answer = serve(GuardMiddleware(text_app(), SecurityConfig()), environ)
    assert answer.code == 400


def test_refuses_a_length_beside_chunked() -> None:
    overrides = {"HTTP_TRANSFER_ENCODING": "chunked"}
    site = Site()
    assert site.visit(method="POST", data=b"abc", environ_overrides=overrides).code == 400


def test_a_filled_bait_field_gives_a_robot_away() -> None:
    site = at_root(honeypot_fields=("website",))
    person = {"name": "Ada", "website": ""}
    robot = {"name": "Ada", "website": "http://spam.example"}
    assert site.visit(method="POST", data=person).code == 200
    assert site.visit(method="POST", data=robot).code == 403
    assert site.visit(method="POST", json=person).code == 200
    assert site.visit(method="POST", json=robot).code == 403
    multipart = {"website": "x", "file": (io.BytesIO(b"1"), "a.txt")}
    assert site.visit(method="POST", data=multipart).code == 403
