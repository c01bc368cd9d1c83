"""Names of hosts and origins, in every spelling that means the same."""

from __future__ import annotations

import pytest

from guard_wsgi import RouteConfig, SecurityConfig
from guard_wsgi.errors import ConfigError
from tests.core.visiting import Site


@pytest.mark.parametrize(
    ("allowed", "sent", "is_ours"),
    [
        ("example.com", "Example.COM", True),
        ("example.com", "example.com:8443", True),
        ("example.com", "example.com.", True),
        ("example.com", "EXAMPLE.com.:80", True),
        ("Example.com", "example.com", True),
        ("*.example.com", "A.Example.com", True),
        (".example.com", "example.com", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "XN--BCHER-KVA.example", True),
        ("*.bücher.example", "a.xn--bcher-kva.example", True),
        ("straße.example", "xn--strae-oqa.example", True),
        ("[2001:db8::1]", "[2001:DB8::1]:8080", True),
        ("example.com", "example.com.evil.example", False),
        ("example.com", "evilexample.com", False),
        ("*.example.com", "evilexample.com", False),
        ("example.com", "example.com@evil.example", False),
        ("example.com", "", False),
        ("example.com", "bücher.example", False),
    ],
)
def test_a_host_is_the_same_in_any_case(allowed: str, sent: str, is_ours: bool) -> None:
    site = Site(allowed_hosts=[allowed])
    host = sent.encode().decode("latin-1")
    assert site.visit("/", server={"HTTP_HOST": host}).code == (200 if is_ours else 400)


@pytest.mark.parametrize(
    ("origin", "sent", "is_allowed"),
    [
        ("https://a.example:443", "https://a.example", True),
        ("http://a.example:80", "http://a.example", True),
        ("https://a.example:8443", "https://a.example:8443", True),
        ("https://a.example", "https://a.example:8443", False),
        ("https://*.a.example", "https://b.a.example", True),
        ("https://*.a.example", "https://c.b.A.example", True),
        ("https://*.a.example:8443", "https://b.a.example:8443", True),
        ("https://*.a.example", "https://a.example", False),
        ("https://*.a.example", "http://b.a.example", False),
        ("https://*.a.example", "https://evil-a.example", False),
        ("https://*.a.example", "https://*.a.example", False),
        ("https://*.a.example", "https://evil.example/.a.example", False),
        ("https://*.a.example", "https://evil.example#.a.example", False),
        ("https://*.a.example", "https://x@b.a.example", False),
        ("https://*.a.example", "https://.a.example", False),
        ("https://*.a.example", "https://b.a.example:8443", False),
        ("https://bücher.example", "https://xn--bcher-kva.example", True),
        ("capacitor://localhost", "capacitor://localhost", True),
    ],
)
def test_an_origin_means_what_it_says(origin: str, sent: str, is_allowed: bool) -> None:
    site = Site(enable_cors=True, cors_allow_origins=[origin], cors_allow_credentials=True)
    answer = site.visit("/", headers={"Origin": sent})
    assert (answer.header("Access-Control-Allow-Origin") == sent) is is_allowed


@pytest.mark.parametrize(
    "origin",
    [
        *("https://a.*.example", "https://*", "https://*a.example", "https://a.example/x"),
        *("https://u@a.example", "https://a.example?x", "https://a.example:port", "null"),
        *("a.example", "*.a.example", "https://", "https://a b.example"),
    ],
)
def test_an_origin_that_no_browser_sends_is_an_error(origin: str) -> None:
    with pytest.raises(ConfigError, match="cors_allow_origins"):
        SecurityConfig(enable_cors=True, cors_allow_origins=[origin])


@pytest.mark.parametrize(
    ("domain", "referrer"),
    [
        ("bücher.example", "https://xn--bcher-kva.example/x"),
        ("bücher.example", "https://bücher.example/x"),
        ("xn--bcher-kva.example", "https://a.BÜCHER.example/"),
        ("Shop.example", "https://shop.example."),
    ],
)
def test_a_referrer_is_the_same_in_any_spelling(domain: str, referrer: str) -> None:
    site = Site(routes={"/": RouteConfig(require_referrer=(domain,))})
    wire = referrer.encode().decode("latin-1")
    assert site.visit("/", server={"HTTP_REFERER": wire}).code == 200
    assert site.visit("/", server={"HTTP_REFERER": "https://evil.example/"}).code == 403
