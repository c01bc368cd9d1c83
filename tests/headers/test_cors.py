"""CORS: the headers for browsers, and only where they belong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.client import ClientResolver
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.response.cors import Cors

SHOP = "https://shop.example"


def cors(**options: Any) -> Cors:
    made = Cors.from_config(SecurityConfig(enable_cors=True, **options))
    assert made is not None
    return made


def preflight(
    policy: Cors, origin: str = SHOP, method: str = "PUT", headers: str | None = None
) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers (names lower-cased, lists joined) as sent to the browser."""
    environ = {
        "REQUEST_METHOD": "OPTIONS",
        "HTTP_ORIGIN": origin,
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": method,
    }
    if headers is not None:
        environ["HTTP_ACCESS_CONTROL_REQUEST_HEADERS"] = headers
    response = policy.preflight(environ)
    pairs = policy.add(response.headers.to_wsgi_list(), environ.get("HTTP_ORIGIN"))
    return response.status_code, (response.body or b"").decode(), joined(pairs)


def joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    lines: dict[str, list[str]] = {}
    for name, value in pairs:
        lines.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in lines.items()}


def answer(
    policy: Cors, origin: str | None, app: list[tuple[str, str]] | None = None
) -> dict[str, str]:
    environ = {"REQUEST_METHOD": "GET"}
    if origin is not None:
        environ["HTTP_ORIGIN"] = origin
    return joined(policy.add(list(app or []), environ.get("HTTP_ORIGIN")))


def test_it_is_off_by_default() -> None:
    assert Cors.from_config(SecurityConfig()) is None


def test_a_preflight_gets_the_configured_headers_back() -> None:
    policy = cors(
        cors_allow_origins=[SHOP],
        cors_allow_methods=["GET", "PUT"],
        cors_allow_headers=["X-Token", "Content-Type"],
        cors_max_age=60,
    )
    status, text, headers = preflight(policy, headers="x-token, content-type")
    assert (status, text) == (200, "OK")
    assert headers["access-control-allow-origin"] == SHOP
    assert headers["access-control-allow-methods"] == "GET, PUT"
    assert headers["access-control-allow-headers"] == "X-Token, Content-Type"
    assert headers["access-control-max-age"] == "60"
    assert headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in headers


def test_any_header_allowed_means_those_that_were_asked_for() -> None:
    status, _, headers = preflight(cors(), headers="authorization, x-b")
    assert status == 200
    assert headers["access-control-allow-headers"] == "authorization, x-b"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["vary"] == "Access-Control-Request-Headers"


def test_a_zero_max_age_stays_zero() -> None:
    assert preflight(cors(cors_max_age=0))[2]["access-control-max-age"] == "0"


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"origin": "https://evil.example"}, "origin"),
        ({"method": "DELETE"}, "method"),
        ({"headers": "x-other"}, "headers"),
        ({"origin": "null", "method": "DELETE", "headers": "x"}, "origin, method, headers"),
    ],
)
def test_a_preflight_for_more_than_is_allowed_is_refused(asked: dict[str, str], named: str) -> None:
    policy = cors(
        cors_allow_origins=[SHOP], cors_allow_methods=["PUT"], cors_allow_headers=["x-token"]
    )
    status, text, headers = preflight(policy, **asked)
    assert (status, text) == (400, f"Disallowed CORS: {named}")
    assert "access-control-max-age" not in headers
    assert headers["vary"] == "Origin"
    if "origin" in named:
        assert not [name for name in headers if name.startswith("access-control")]


def test_what_a_page_may_send_unasked_is_allowed_in_a_preflight() -> None:
    policy = cors(cors_allow_origins=[SHOP], cors_allow_headers=["x-token"])
    assert preflight(policy, headers="content-type,accept")[0] == 200


def test_an_allowed_origin_may_read_answers_and_no_other() -> None:
    policy = cors(
        cors_allow_origins=[SHOP], cors_allow_credentials=True, cors_expose_headers=["X-Total"]
    )
    assert answer(policy, SHOP) == {
        "vary": "Origin",
        "access-control-allow-origin": SHOP,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "X-Total",
    }
    # Caches must know, or they would hand these to the shop.
    assert answer(policy, "https://evil.example") == {"vary": "Origin"}
    assert answer(policy, None) == {"vary": "Origin"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.evil.example",
        "https://evil-shop.example",
        "http://shop.example",
        "https://shop.example:444",
        "https://shop.example/",
        "null",
        "",
        "*",
    ],
)
def test_an_origin_that_only_looks_like_an_allowed_one_is_none(origin: str) -> None:
    policy = cors(cors_allow_origins=[SHOP])
    assert answer(policy, origin) == {"vary": "Origin"}


def test_an_app_that_answers_for_itself_is_left_alone() -> None:
    app = [("Access-Control-Allow-Origin", "https://other.example")]
    assert answer(cors(cors_allow_origins=[SHOP]), SHOP, app) == joined(app)


@pytest.mark.parametrize("vary", ["Origin", "Accept, origin", "*"])
def test_vary_is_not_said_twice(vary: str) -> None:
    policy = cors(cors_allow_origins=[SHOP])
    assert answer(policy, SHOP, [("Vary", vary)])["vary"] == vary
    assert answer(policy, SHOP, [("Vary", "Accept")])["vary"] == "Accept, Origin"


def test_only_an_options_request_with_both_headers_and_no_body_is_a_preflight() -> None:
    environ = {
        "REQUEST_METHOD": "OPTIONS",
        "HTTP_ORIGIN": SHOP,
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
    }

    def is_preflight(environ: dict[str, Any]) -> bool:
        return GuardRequest(environ, ClientResolver()).is_preflight

    assert is_preflight(environ)
    assert is_preflight({**environ, "CONTENT_LENGTH": "0"})
    assert not is_preflight({**environ, "REQUEST_METHOD": "GET"})
    assert not is_preflight({**environ, "CONTENT_LENGTH": "3"})
    assert not is_preflight({**environ, "HTTP_TRANSFER_ENCODING": "chunked"})
    for name in ("HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_METHOD"):
        assert not is_preflight({key: environ[key] for key in environ if key != name})


@given(text=st.text(), method=st.text(max_size=20))
def test_nothing_of_a_request_breaks_out_of_a_header(text: str, method: str) -> None:
    policy = cors(cors_allow_methods=["*"])
    _, _, headers = preflight(policy, headers=text, method=method)
    for value in headers.values():
        assert not set(value) & set("\r\n\0")
        value.encode("latin-1")


@given(origin=st.text(max_size=40))
def test_no_origin_is_echoed_that_is_not_configured(origin: str) -> None:
    headers = answer(cors(cors_allow_origins=[SHOP]), origin)
    assert headers.get("access-control-allow-origin", SHOP).lower() == SHOP
