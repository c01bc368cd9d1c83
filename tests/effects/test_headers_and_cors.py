"""The effects of the options of HTTPS, security headers and CORS."""

from __future__ import annotations

from typing import Any

from tests.effects.site import LiveSite
from tests.kit.wire import RawAnswer

SHOP, STRANGER = "https://shop.example", "https://stranger.example"
CORS = {"enable_cors": True, "cors_allow_origins": [SHOP]}


def preflight(
    site: LiveSite, method: str = "PUT", headers: str = "", origin: str = SHOP
) -> RawAnswer:
    sent = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        sent["Access-Control-Request-Headers"] = headers
    return site.visit("/", method="OPTIONS", headers=sent)


def listed(answer: RawAnswer, name: str) -> set[str]:
    return {part.strip().lower() for part in (answer.header(name) or "").split(",")}


def test_enforce_https() -> None:
    with LiveSite({"enforce_https": True, "allowed_hosts": ["localhost"]}) as site:
        answer = site.visit("/cart?item=7")
        assert answer.status == 308
        assert answer.header("Location") == "https://localhost/cart?item=7"


def test_security_headers() -> None:
    seen: dict[str, tuple[str | None, str | None]] = {}
    settings: dict[str, Any] = {
        "html": "html",
        "api": "api",
        "off": "off",
        "table": {"frame_options": "DENY", "csp": {"default-src": ["'self'"]}},
    }
    for name, value in settings.items():
        with LiveSite({"security_headers": value}) as site:
            answer = site.visit()
            seen[name] = (
                answer.header("X-Frame-Options"),
                answer.header("Content-Security-Policy"),
            )
    assert seen == {
        "html": ("SAMEORIGIN", None),
        "api": ("DENY", "default-src 'none'; frame-ancestors 'none'"),
        "off": (None, None),
        "table": ("DENY", "default-src 'self'"),
    }


def test_enable_cors() -> None:
    with LiveSite({**CORS, "enable_cors": False}) as site:
        answer = site.visit(headers={"Origin": SHOP})
        assert answer.header("Access-Control-Allow-Origin") is None
    with LiveSite(CORS) as site:
        answer = site.visit(headers={"Origin": SHOP})
        assert answer.header("Access-Control-Allow-Origin") == SHOP


def test_cors_allow_origins() -> None:
    with LiveSite({"enable_cors": True, "cors_allow_origins": [SHOP]}) as site:
        assert preflight(site).status in (200, 204)
        assert preflight(site, origin=STRANGER).status == 400
        answer = site.visit(headers={"Origin": STRANGER})
        assert answer.header("Access-Control-Allow-Origin") is None


def test_cors_allow_methods() -> None:
    with LiveSite({**CORS, "cors_allow_methods": ["GET", "PUT"]}) as site:
        assert preflight(site, "PUT").status in (200, 204)
        assert preflight(site, "DELETE").status == 400
        assert "put" in listed(preflight(site, "PUT"), "Access-Control-Allow-Methods")


def test_cors_allow_headers() -> None:
    with LiveSite({**CORS, "cors_allow_headers": ["X-Token"]}) as site:
        answer = preflight(site, headers="x-token")
        assert answer.status in (200, 204)
        assert "x-token" in listed(answer, "Access-Control-Allow-Headers")
        assert preflight(site, headers="x-other").status == 400


def test_cors_allow_credentials() -> None:
    for allowed, expected in ((True, "true"), (False, None)):
        with LiveSite({**CORS, "cors_allow_credentials": allowed}) as site:
            answer = site.visit(headers={"Origin": SHOP})
            assert answer.header("Access-Control-Allow-Credentials") == expected


def test_cors_expose_headers() -> None:
    with LiveSite({**CORS, "cors_expose_headers": ["X-Total"]}) as site:
        answer = site.visit(headers={"Origin": SHOP})
        assert listed(answer, "Access-Control-Expose-Headers") == {"x-total"}


def test_cors_max_age() -> None:
    for seconds in (0, 120):
        with LiveSite({**CORS, "cors_max_age": seconds}) as site:
            assert preflight(site).header("Access-Control-Max-Age") == str(seconds)
