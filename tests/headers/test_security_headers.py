"""The security headers of answers: which, when, and never in place of the app's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.response.headers import HEADER_NAMES, SecurityHeaders
from tests.core.visiting import Site
from tests.kit.gateway import text_app


def sent(
    setting: Any, app: list[tuple[str, str]] | None = None, https: bool = True
) -> dict[str, str]:
    """Return the headers that a client gets, with names in lower case."""
    headers = SecurityHeaders.from_config(SecurityConfig(security_headers=setting))
    pairs = list(app or [])
    if headers is not None:
        pairs = headers.add(pairs, https)
    names = [name.lower() for name, _ in pairs]
    assert len(set(names)) == len(names), "a header was sent twice"
    return {name.lower(): value for name, value in pairs}


def test_pages_get_the_headers_that_browsers_act_on() -> None:
    assert sent("html") == {
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
        "x-xss-protection": "0",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": "geolocation=(), microphone=(), camera=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "x-permitted-cross-domain-policies": "none",
    }


def test_data_gets_headers_that_forbid_to_use_it_as_a_page() -> None:
    headers = sent("api")
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_strict_transport_security_is_sent_over_https_only() -> None:
    assert "strict-transport-security" not in sent("html", https=False)
    assert "x-content-type-options" in sent("html", https=False)


def test_embedding_is_restricted_on_request_only() -> None:
    assert "cross-origin-embedder-policy" not in sent("html")
    headers = sent({"cross_origin_embedder_policy": "require-corp"})
    assert headers["cross-origin-embedder-policy"] == "require-corp"


def test_what_the_app_has_set_is_kept_whatever_its_case() -> None:
    app = [("x-frame-options", "DENY"), ("STRICT-TRANSPORT-SECURITY", "max-age=1"), ("A", "b")]
    headers = sent("html", app)
    assert headers["x-frame-options"] == "DENY"
    assert headers["strict-transport-security"] == "max-age=1"
    assert headers["a"] == "b"
    assert headers["x-content-type-options"] == "nosniff"


def test_headers_of_many_apps_are_kept_if_the_guard_sets_them_too() -> None:
    site = Site(
        security_headers={"custom": {"Cache-Control": "no-store", "Server": "none"}},
        app=text_app(headers=[("Cache-Control", "max-age=60")]),
    )
    answer = site.visit("/")
    assert [value for name, value in answer.headers if name == "Cache-Control"] == ["max-age=60"]
    assert answer.header("Server") == "none"


@pytest.mark.parametrize("setting", [None, "off", {"enabled": False}, {"preset": "off"}])
def test_headers_can_be_switched_off(setting: Any) -> None:
    assert sent(setting) == {}


@pytest.mark.parametrize("key", [*HEADER_NAMES, "hsts"])
@pytest.mark.parametrize("nothing", [None, "", False])
def test_each_header_can_be_left_out(key: str, nothing: Any) -> None:
    name = HEADER_NAMES.get(key, "Strict-Transport-Security").lower()
    assert name not in sent({"preset": "api", key: nothing})
    assert name not in sent({"preset": "html", key: nothing})


def test_the_table_of_the_existing_system_still_says_what_it_said() -> None:
    headers = sent(
        {
            "enabled": True,
            "hsts": {"max_age": 63072000, "include_subdomains": True, "preload": True},
            "csp": {"default-src": ["'self'"], "img-src": ["'self'", "data:"]},
            "frame_options": "DENY",
            "content_type_options": "nosniff",
            "xss_protection": "1; mode=block",
            "referrer_policy": "no-referrer",
            "permissions_policy": "geolocation=()",
            "custom": {"X-Powered-By": "patience"},
        }
    )
    assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains; preload"
    assert headers["content-security-policy"] == "default-src 'self'; img-src 'self' data:"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-xss-protection"] == "1; mode=block"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"] == "geolocation=()"
    assert headers["x-powered-by"] == "patience"


def test_a_directive_without_sources_and_a_policy_as_text_are_taken() -> None:
    table = {"csp": {"default-src": "'self' https:", "upgrade-insecure-requests": []}}
    expected = "default-src 'self' https:; upgrade-insecure-requests"
    assert sent(table)["content-security-policy"] == expected
    assert sent({"csp": "default-src 'none'"})["content-security-policy"] == "default-src 'none'"


def test_a_custom_header_wins_over_that_of_the_preset() -> None:
    assert sent({"custom": {"x-frame-options": "DENY"}})["x-frame-options"] == "DENY"
    table = {"preset": "api", "custom": {"Cache-Control": "private"}}
    assert sent(table)["cache-control"] == "private"


def test_data_for_other_origins_may_be_read_by_them() -> None:
    config = SecurityConfig(security_headers="api", enable_cors=True)
    headers = SecurityHeaders.from_config(config)
    assert headers is not None
    assert ("Cross-Origin-Resource-Policy", "cross-origin") in headers.add([], True)


@given(
    app=st.lists(
        st.tuples(
            st.sampled_from(
                ["X-Frame-Options", "x-frame-options", "Vary", "Set-Cookie", "REFERRER-POLICY"]
            ),
            st.text(max_size=5),
        ),
        max_size=6,
    ),
    https=st.booleans(),
)
def test_adding_keeps_the_apps_headers_and_adds_none_twice(
    app: list[tuple[str, str]], https: bool
) -> None:
    headers = SecurityHeaders.from_setting("html")
    assert headers is not None
    given_headers = list(app)
    once = headers.add(given_headers, https)
    assert given_headers == app
    assert once[: len(app)] == app
    assert headers.add(once, https) == once
