"""A link on another site that gives a visitor a session; a cookie between another one's quotes."""

# ruff: noqa: E501  (tables of cases)
from __future__ import annotations

from typing import Any

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import environ

ELSEWHERE = "https://other.example.net/offer"


def link(query: str, page: str, path: str = "/", host: str = "shop.example.com") -> dict[str, Any]:
    return environ(path=path, query=query, HTTP_HOST=host, HTTP_REFERER=page)


@pytest.mark.parametrize(
    "query",
    [
        *("PHPSESSID=abc", "a=1&jsessionid=74B0CB414BD7", "connect.sid=s%3Aj8jK9", "cfid=1&cftoken=2"),
        *("ASPSESSIONIDQQ=GKFP", "asp.net_sessionid=a", "laravel_session=ey", "ci_session=a", "koa:sess=a"),
        *("__host-next-auth.session-token=a", "connect%2esid=a", "_session_id=a", "%70hpsessid=a"),
    ],
)  # fmt: skip
def test_a_session_in_a_link_from_another_site_is_refused_and_bans_nobody(
    inspection: Inspection, query: str
) -> None:
    finding, *_ = inspection.head(link(query, ELSEWHERE))
    assert finding.category == "code_injection"
    assert not finding.is_certain, "the visitor has only followed a link"


def test_a_general_name_counts_where_somebody_logs_in(inspection: Inspection) -> None:
    assert inspection.head(link("session-id=3", ELSEWHERE, path="/login"))
    assert not inspection.head(link("session-id=3", ELSEWHERE, path="/cart"))


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("PHPSESSID=abc", "https://shop.example.com/cart"),
        ("PHPSESSID=abc", "https://www.example.com/"),
        ("PHPSESSID=abc", ""),
        ("PHPSESSID=abc", "about:blank"),
        ("session_id=cs_test_a1b2c3", "https://checkout.stripe.com/"),
        ("sessionId=CS451F2AB1ED897A94&redirectResult=X6XtfGC3", "https://checkoutshopper-live.adyen.com/"),
        ("session_state=2f-1&code=4", "https://login.example.net/"),
        ("PHPSESSID=", ELSEWHERE),
        ("my_phpsessid=1", ELSEWHERE),
        ("sort=phpsessid", ELSEWHERE),
    ],
)  # fmt: skip
def test_links_that_give_nobody_a_session_pass(
    inspection: Inspection, query: str, page: str
) -> None:
    assert not inspection.head(link(query, page))


def test_the_hosts_of_one_site_are_no_other_site(inspection: Inspection) -> None:
    query, page = "PHPSESSID=abc", "https://login.example.com/"
    assert not inspection.head(link(query, page, host="shop.example.com:8443"))
    assert inspection.head(link(query, page, host="127.0.0.1"))
    assert not inspection.head(link(query, "http://127.0.0.1:8000/x", host="127.0.0.1:8000"))


def test_the_cookie_of_a_session_passes_beside_a_link_from_another_site(
    inspection: Inspection,
) -> None:
    for cookie in ("PHPSESSID=abc; a=1", "a=1; connect.sid=s%3Aabc", "sessionid=1"):
        head = environ(query="page=2", HTTP_REFERER=ELSEWHERE, HTTP_COOKIE=cookie)
        assert not inspection.head(head)


@pytest.mark.parametrize(
    "cookie",
    ['$Version=1; session="deadbeef; PHPSESSID=secret; dummy=qaz"', '$Version="1"; a="b"; c="d; sid=1"'],
)  # fmt: skip
def test_a_cookie_between_the_quotes_of_another_is_refused(
    inspection: Inspection, cookie: str
) -> None:
    assert inspection.head(environ(HTTP_COOKIE=cookie))


def test_cookies_of_rfc_2965_pass(inspection: Inspection) -> None:
    cookie = '$Version="1"; part="Rocket_Launcher_0001"; $Path="/acme"; ship="FedEx"; $Path="/acme"'
    assert not inspection.head(environ(HTTP_COOKIE=cookie))
