"""The effects of the options of rate limits, behaviour rules and shared state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi import BehaviorRule
from tests.effects.site import VISITOR, LiveSite, MovingClock
from tests.state.redis_server import FaultyProxy, RedisServer, free_port

OTHER = "89.160.20.112"


def test_rate_limit() -> None:
    with LiveSite({"rate_limit": 2}) as site:
        assert site.statuses(3) == [200, 200, 429]
        assert site.visit(ip=OTHER).status == 200


def test_rate_limit_window() -> None:
    clock = MovingClock()
    options = {"rate_limit": 1, "rate_limit_window": 10, "rate_limit_strategy": "fixed-window"}
    with LiveSite(options, store=clock.store(rate_limit_strategy="fixed-window")) as site:
        assert site.statuses(2) == [200, 429]
        clock.sleep(11)
        assert site.visit().status == 200


def test_enable_rate_limiting() -> None:
    options = {"rate_limit": 1, "endpoint_rate_limits": {"/login": (1, 60)}}
    with LiveSite({**options, "enable_rate_limiting": False}) as site:
        assert site.statuses(3) == [200, 200, 200]
        assert site.statuses(3, "/login") == [401, 401, 401]


def test_endpoint_rate_limits() -> None:
    with LiveSite({"endpoint_rate_limits": {"/only": (1, 60)}}) as site:
        assert site.statuses(2, "/only") == [200, 429]
        assert site.statuses(2, "/other") == [200, 200]


@pytest.mark.parametrize(
    ("strategy", "after_the_window"),
    [("fixed-window", [200, 200]), ("moving-window", [200, 429])],
)
def test_rate_limit_strategy(strategy: str, after_the_window: list[int]) -> None:
    """Two requests a minute, made at its first and its last second: are two more let in soon?"""
    with LiveSite({"rate_limit": 2, "rate_limit_strategy": strategy}) as site:
        assert site.guard.status()["store"]["strategy"] == strategy
    clock = MovingClock()
    store = clock.store(rate_limit_strategy=strategy)
    with LiveSite({"rate_limit": 2, "rate_limit_strategy": strategy}, store=store) as site:
        assert site.visit().status == 200
        clock.sleep(50)
        assert site.visit().status == 200
        clock.sleep(15)
        assert site.statuses(2) == after_the_window


def test_rate_limit_key() -> None:
    def tenant(request: Any) -> str:
        return str(request.headers.get("X-Tenant", ""))

    with LiveSite({"rate_limit": 1, "rate_limit_key": tenant}) as site:
        assert site.visit(headers={"X-Tenant": "a"}).status == 200
        assert site.visit(headers={"X-Tenant": "b"}).status == 200
        assert site.visit(headers={"X-Tenant": "a"}, ip=OTHER).status == 429


def test_rate_limit_exempt_when() -> None:
    options = {"rate_limit": 1, "rate_limit_exempt_when": lambda r: r.path == "/health"}
    with LiveSite(options) as site:
        assert site.statuses(3, "/health") == [200, 200, 200]
        assert site.statuses(2, "/") == [200, 429]


def test_rate_limit_headers() -> None:
    seen: dict[str, list[str]] = {}
    for style in ("draft", "legacy", "both", "off"):
        with LiveSite({"rate_limit": 5, "rate_limit_headers": style}) as site:
            answer = site.visit()
            names = {name for name, _ in answer.headers}
            seen[style] = sorted(n for n in names if "ratelimit" in n)
    legacy = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
    draft = ["ratelimit", "ratelimit-policy"]
    assert seen == {"draft": draft, "legacy": legacy, "both": [*draft, *legacy], "off": []}


# -- behaviour -------------------------------------------------------------------------------


@pytest.mark.parametrize("rule_type", ["usage", "frequency", "return_pattern"])
def test_global_behavior_rules(rule_type: Any) -> None:
    pattern = "status:200" if rule_type == "return_pattern" else None
    rule = BehaviorRule(rule_type, 2, 60, pattern, "ban")
    with LiveSite({"global_behavior_rules": [rule]}) as site:
        statuses = site.statuses(4)
        assert statuses[:2] == [200, 200]
        assert statuses[-1] == 403
        assert site.visit(ip=OTHER).status == 200


def test_a_rule_for_suspicious_clients_is_stricter_with_those_who_attacked() -> None:
    rule = BehaviorRule("usage", 6, 60, action="throttle", correlate_with_detection=True)
    options = {"global_behavior_rules": [rule], "enable_penetration_detection": True}
    attack = "/?id=1'%20UNION%20SELECT%20username,password%20FROM%20users--"
    with LiveSite(options) as site:
        assert site.statuses(7) == [200] * 6 + [429]
        assert site.visit(attack, ip=OTHER).status == 400
        assert site.statuses(4, ip=OTHER) == [200, 200, 200, 429]


def saying(text: bytes) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [text]

    return app


def test_behavior_scan_response_body() -> None:
    rule = BehaviorRule("return_pattern", 1, 60, "wrong code", "ban")
    options = {"global_behavior_rules": [rule], "behavior_scan_response_body": True}
    with LiveSite(options, app=saying(b"Wrong code!")) as site:
        assert site.statuses(3) == [200, 200, 403]
    with LiveSite(options, app=saying(b"Right code!")) as site:
        assert site.statuses(3) == [200, 200, 200]


def test_behavior_max_response_body_inspect_bytes() -> None:
    rule = BehaviorRule("return_pattern", 1, 60, "wrong code", "ban")
    options = {
        "global_behavior_rules": [rule],
        "behavior_scan_response_body": True,
        "behavior_max_response_body_inspect_bytes": 1024,
    }
    with LiveSite(options, app=saying(b" " * 1000 + b"Wrong code!")) as site:
        assert site.statuses(3) == [200, 200, 403]
    with LiveSite(options, app=saying(b" " * 1020 + b"Wrong code!")) as site:
        assert site.statuses(3) == [200, 200, 200]


# -- shared state ----------------------------------------------------------------------------


def test_store_url(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    url = f"lmdb://{tmp_path}/guard.lmdb"
    with LiveSite({"rate_limit": 2, "store_url": url}) as site:
        assert site.statuses(3) == [200, 200, 429]
    with LiveSite({"rate_limit": 2, "store_url": url}) as site:
        assert site.visit().status == 429, "a restart forgets nothing"


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    pytest.importorskip("redis")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_enable_redis_and_redis_url_and_redis_prefix(redis_server: RedisServer) -> None:
    options = {
        "rate_limit": 1,
        "enable_redis": True,
        "redis_url": redis_server.url,
        "redis_prefix": "shop:",
    }
    with LiveSite(options) as one, LiveSite(options) as other:
        assert one.visit().status == 200
        assert other.visit().status == 429, "they count together"
        assert b"shop:" in redis_server.ask("KEYS", "*")
    with LiveSite({**options, "redis_prefix": "blog:"}) as apart:
        assert apart.visit().status == 200


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[FaultyProxy]:
    faulty = FaultyProxy(redis_server.port)
    yield faulty
    faulty.close()


def seconds_for_a_visit(site: LiveSite) -> float:
    began = time.monotonic()
    site.visit()
    return time.monotonic() - began


@pytest.mark.parametrize("name", ["store_timeout", "redis_socket_timeout"])
def test_store_timeout_and_redis_socket_timeout(name: str, proxy: FaultyProxy) -> None:
    url = f"redis://127.0.0.1:{proxy.port}/0"
    waited = {}
    for seconds in (0.05, 1.0):
        proxy.fault = "none"
        with LiveSite({"store_url": url, name: seconds}) as site:
            assert site.visit().status == 200
            proxy.fault = "silent"
            waited[seconds] = seconds_for_a_visit(site)
    assert waited[1.0] > 0.9
    assert waited[0.05] < waited[1.0]


@pytest.mark.parametrize(
    ("policy", "statuses"),
    [("local", [200, 429]), ("allow", [200, 200]), ("deny", [503, 503])],
)
def test_store_failure_policy(policy: str, statuses: list[int]) -> None:
    pytest.importorskip("redis")
    url = f"redis://127.0.0.1:{free_port()}/0"
    policies = {"rate_limit": policy}
    options = {"rate_limit": 1, "store_url": url, "store_failure_policy": policies}
    with LiveSite(options) as site:
        assert site.statuses(2) == statuses
        if policy == "deny":
            assert int(site.visit().header("Retry-After") or 0) > 0


def test_redis_socket_connect_timeout_and_redis_max_connections(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import limits.storage

    given: dict[str, Any] = {}
    original = limits.storage.storage_from_string

    def spy(url: str, **options: Any) -> Any:
        given.update(options)
        return original(url, **options)

    monkeypatch.setattr("guard_wsgi.state.backends.redis_client.storage_from_string", spy)
    options = {
        "store_url": redis_server.url,
        "redis_socket_connect_timeout": 0.25,
        "redis_max_connections": 7,
    }
    with LiveSite(options) as site:
        assert site.visit().status == 200
        assert site.guard.status()["store"]["state"] == "ok"
    assert given["socket_connect_timeout"] == 0.25
    assert given["max_connections"] == 7


def test_memory_store_max_keys() -> None:
    with LiveSite({"rate_limit": 1, "memory_store_max_keys": 1000}) as site:
        assert site.statuses(2, ip=VISITOR) == [200, 429]
        for number in range(1100):
            environ = {
                "REMOTE_ADDR": "127.0.0.1",
                "HTTP_X_FORWARDED_FOR": f"9.9.{number // 250}.{number % 250}",
                "REQUEST_METHOD": "GET",
                "PATH_INFO": "/",
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "wsgi.url_scheme": "http",
            }
            list(site.guard(environ, lambda *_: lambda _: None))
        assert site.visit(ip=VISITOR).status == 200, "its key made room for others"


def test_max_bans() -> None:
    with LiveSite({"max_bans": 3}) as site:
        for number in range(5):
            site.guard.bans.ban(f"9.9.9.{number}", 60 + number, "scan")
        assert [ban.target for ban in site.guard.bans.list()] == ["9.9.9.2", "9.9.9.3", "9.9.9.4"]
        status = site.guard.status()["store"]
        assert (status["max_bans"], status["bans_dropped"]) == (3, 2)
        assert not status["bans_complete"]
