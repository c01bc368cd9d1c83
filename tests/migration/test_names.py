"""The exported names of flaskapi-guard and its agent work here as well."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g, request

import guard_wsgi.agent as agent_names
import guard_wsgi_flask as names
from guard_wsgi import BehaviorRule, GuardResponse, SecurityConfig, SecurityDecorator
from guard_wsgi.errors import GuardError
from guard_wsgi_flask import FlaskAPIGuard
from guard_wsgi_flask.registry import _guarded, beforehand

ORIGINAL = (
    "BehaviorRule BehaviorTracker CloudManager FlaskAPIGuard FlaskGuardRequest FlaskGuardResponse"
    " GeoIPHandler GuardRequest GuardResponse IPBanManager IPInfoManager RateLimitManager"
    " RedisHandlerProtocol RedisManager RouteConfig SecurityConfig SecurityDecorator"
    " SecurityHeadersManager cloud_handler ip_ban_manager rate_limit_handler redis_handler"
    " security_headers_manager sus_patterns_handler __version__"
)

AGENT = (
    "AgentConfig AgentHandlerProtocol AgentStatus BufferFullError BufferProtocol CircuitBreaker"
    " DynamicRules EventBatch EventBuffer GuardAgentError GuardAgentHandler HTTPTransport"
    " RateLimiter RedisHandlerProtocol SecurityEvent SecurityMetric SyncGuardAgentHandler"
    " TransportProtocol generate_batch_id get_current_timestamp guard_agent hash_ip"
    " sanitize_headers setup_agent_logging truncate_payload validate_config __version__"
)


def test_every_name_is_there() -> None:
    assert [name for name in ORIGINAL.split() if not hasattr(names, name)] == []
    assert [name for name in AGENT.split() if not hasattr(agent_names, name)] == []


def test_adapters_are_where_they_were() -> None:
    from guard_wsgi_flask import adapters

    assert adapters.FlaskGuardResponse is names.FlaskGuardResponse
    assert adapters.FlaskGuardRequest is names.FlaskGuardRequest
    with Flask("x").test_request_context():
        assert adapters.FlaskResponseFactory().create_response("no", 403).status_code == 403


IN_USE: list[Flask] = []
"""The apps of the running test: an app without a reference disappears at the next garbage
collection."""


def forget() -> None:
    IN_USE.clear()
    _guarded.clear()
    beforehand.forget_bans()
    beforehand.config = SecurityConfig()


@pytest.fixture(autouse=True)
def nobody_else() -> Iterator[None]:
    """Apps of other tests are gone, and so are settings made before there were any. Settings of a
    test do not apply to the apps of later tests, in any order."""
    forget()
    yield
    forget()


def site(**options: Any) -> Any:
    app = Flask("site")
    app.add_url_rule("/", view_func=lambda: "hello")
    FlaskAPIGuard(app, config=SecurityConfig(**options))
    IN_USE.append(app)
    return app


def test_bans_are_those_of_the_guard() -> None:
    app = site()
    assert names.ip_ban_manager.ban_ip("203.0.113.9", 60, "abuse") is True
    assert names.ip_ban_manager.ban_ip("127.0.0.1", 60) is False
    there = {"REMOTE_ADDR": "203.0.113.9"}
    assert app.test_client().get("/", environ_base=there).status_code == 403
    assert names.IPBanManager().is_ip_banned("203.0.113.9")
    names.rate_limit_handler(SecurityConfig()).reset()
    assert names.ip_ban_manager.is_ip_banned("203.0.113.9")
    names.ip_ban_manager.unban_ip("203.0.113.9")
    assert app.test_client().get("/", environ_base=there).status_code == 200
    names.ip_ban_manager.ban_ip("203.0.113.0/24", 60)
    names.ip_ban_manager.reset()
    assert not names.ip_ban_manager.is_ip_banned("203.0.113.9")
    with pytest.raises(ValueError, match="0"):
        names.ip_ban_manager.ban_ip("203.0.113.9", 0)


def test_limits_start_over() -> None:
    app = site(rate_limit=1)
    client = app.test_client()
    assert [client.get("/").status_code for _ in range(2)] == [200, 429]
    names.RateLimitManager().reset()
    assert client.get("/").status_code == 200


def test_a_limit_can_be_counted_by_hand() -> None:
    site(rate_limit=2)
    limits = names.RateLimitManager()
    answers = [
        limits.check_rate_limit(None, "203.0.113.9", lambda status, text: (status, text))
        for _ in range(3)
    ]
    assert answers == [None, None, (429, "Too many requests")]


def test_outside_of_an_app_the_newest_is_meant() -> None:
    first, second = site(), site()
    there = {"REMOTE_ADDR": "203.0.113.9"}

    def statuses() -> list[int]:
        clients = (app.test_client() for app in (first, second))
        return [client.get("/", environ_base=there).status_code for client in clients]

    names.ip_ban_manager.ban_ip("203.0.113.9", 60)
    assert statuses() == [200, 403]
    with first.app_context():
        assert not names.ip_ban_manager.is_ip_banned("203.0.113.9")
        names.ip_ban_manager.ban_ip("203.0.113.9", 60)
    assert statuses() == [403, 403]
    names.ip_ban_manager.reset()
    assert statuses() == [200, 200]


def test_an_app_for_each_test() -> None:
    for _ in range(4):
        app = site()
        assert names.sus_patterns_handler.get_custom_patterns() == []
        assert names.sus_patterns_handler.add_pattern("zzevil[0-9]")
        assert names.ip_ban_manager.ban_ip("203.0.113.9", 60)
        there = {"REMOTE_ADDR": "203.0.113.9"}
        assert app.test_client().get("/", environ_base=there).status_code == 403
        assert app.test_client().get("/?q=zzevil1").status_code == 400


def test_settings_before_there_is_an_app_apply_to_every_app() -> None:
    bans, patterns = names.ip_ban_manager, names.sus_patterns_handler
    assert bans.ban_ip("203.0.113.9", 60, "abuse")
    assert bans.ban_ip("203.0.113.8", 60)
    assert not bans.ban_ip("127.0.0.1", 60)
    assert bans.is_ip_banned("203.0.113.9")
    with pytest.raises(ValueError, match="nobody"):
        bans.ban_ip("nobody", 60)
    bans.unban_ip("203.0.113.8")
    assert patterns.add_pattern("zzevil[0-9]")
    assert patterns.add_pattern("gone")
    assert not patterns.add_pattern("(")
    assert patterns.remove_pattern("gone")
    assert not patterns.remove_pattern("never")
    names.security_headers_manager.configure(frame_options="DENY", csp={"default-src": ["'none'"]})
    for app in (site(), site(detection_custom_patterns=["gone", "other"])):
        client = app.test_client()
        answer = client.get("/", environ_base={"REMOTE_ADDR": "203.0.113.8"})
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert client.get("/", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 403
        assert client.get("/?q=zzevil1").status_code == 400
    assert patterns.get_custom_patterns() == ["gone", "other", "zzevil[0-9]"]
    bans.reset()
    patterns.reset()
    client = site(security_headers={"frame_options": "SAMEORIGIN"}).test_client()
    answer = client.get("/?q=zzevil1", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert (answer.status_code, answer.headers["X-Frame-Options"]) == (200, "SAMEORIGIN")


def test_what_needs_an_app_says_so() -> None:
    names.ip_ban_manager.reset()
    with pytest.raises(GuardError, match="FlaskAPIGuard"):
        names.sus_patterns_handler.detect("x", "203.0.113.9")
    site()
    with Flask("bare").app_context(), pytest.raises(GuardError, match="'bare' is not guarded"):
        names.ip_ban_manager.ban_ip("203.0.113.9", 60)


def test_small_values_are_kept_in_the_store() -> None:
    site()
    store = names.redis_handler(SecurityConfig())
    assert isinstance(store, names.RedisHandlerProtocol)
    assert store.set_key("shop", "a", "text", ttl=60)
    assert store.set_key("shop", "b", {"n": [1]})
    assert (store.get_key("shop", "a"), store.get_key("shop", "b")) == ("text", {"n": [1]})
    assert store.exists("shop", "a")
    assert (store.delete("shop", "a"), store.delete("shop", "a")) == (1, 0)
    assert [store.incr("shop", "count", 60) for _ in range(2)] == [1, 2]
    with pytest.raises(GuardError, match="redis_url"):
        store.keys("*")


def test_detection_can_be_queried_and_changed() -> None:
    app = site()
    patterns = names.sus_patterns_handler
    told = patterns.detect("<script>alert(1)</script>", "203.0.113.9", "query_param:q")
    assert told["is_threat"]
    assert told["threats"][0]["category"] == "xss"
    assert patterns.detect_pattern_match("a book about cats", "203.0.113.9") == (False, None)
    assert patterns.add_pattern("tigers?", custom=True)
    assert patterns.get_custom_patterns() == ["tigers?"]
    assert app.test_client().get("/?q=a+tiger").status_code == 400
    assert patterns.detect_pattern_match("a tiger", "203.0.113.9")[0]
    assert not patterns.add_pattern("(?=x)y")
    assert patterns.remove_pattern("tigers?")
    assert app.test_client().get("/?q=a+tiger").status_code == 200
    assert not patterns.remove_pattern("tigers?")


def test_headers_can_be_read_and_set() -> None:
    app = site(enable_cors=True, cors_allow_origins=["https://a.example"])
    manager = names.security_headers_manager
    assert manager.get_headers()["X-Content-Type-Options"] == "nosniff"
    cors = manager.get_cors_headers("https://a.example")
    assert cors["Access-Control-Allow-Origin"] == "https://a.example"
    assert manager.get_cors_headers("https://b.example") == {}
    manager.configure(frame_options="DENY", hsts_max_age=300, custom_headers={"X-Own": "1"})
    answer = app.test_client().get("/", base_url="https://localhost")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=300")
    assert answer.headers["X-Own"] == "1"


def test_a_report_of_a_browser_becomes_an_event() -> None:
    app = site()
    events = app.extensions["guard_wsgi"].middleware.services.events
    report = {"document-uri": "/", "violated-directive": "script-src", "blocked-uri": "x"}
    assert names.security_headers_manager.validate_csp_report({"csp-report": report})
    assert not names.security_headers_manager.validate_csp_report({"a": 1})
    assert events.counters()["csp_violation"] == 1


def test_clouds_can_be_asked() -> None:
    app = site(block_cloud_providers={"AWS"})
    clouds = names.cloud_handler
    assert clouds.is_cloud_ip("203.0.113.9") is False
    assert clouds.get_cloud_provider_details("203.0.113.9") is None
    with pytest.raises(ValueError, match="not an IP address"):
        clouds.is_cloud_ip("nowhere")
    assert "AWS" in clouds.get_status()
    assert app.test_client().get("/").status_code == 200


def test_behaviour_can_be_tracked_by_hand() -> None:
    app = site()
    tracker = names.BehaviorTracker(SecurityConfig())
    rule = BehaviorRule("usage", 1, action="ban")
    assert [tracker.track_endpoint_usage("/x", "203.0.113.9", rule) for _ in range(2)] == [
        False,
        True,
    ]
    missing = BehaviorRule("return_pattern", 1, pattern="status:404")
    answer = GuardResponse("no", 404)
    assert not tracker.track_return_pattern("/x", "203.0.113.9", GuardResponse("a"), missing)
    assert [tracker.track_return_pattern("/x", "203.0.113.9", answer, missing) for _ in "ab"] == [
        False,
        True,
    ]
    tracker.apply_action(rule, "203.0.113.9", "/x", "too often")
    there = {"REMOTE_ADDR": "203.0.113.9"}
    assert app.test_client().get("/", environ_base=there).status_code == 403


def test_requests_and_responses_have_the_other_names() -> None:
    app = site()
    seen: dict[str, Any] = {}

    def view() -> Any:
        wrapped = names.FlaskGuardRequest(request)
        wrapped.state.left = 1
        seen.update(
            path=wrapped.url_path,
            method=wrapped.method,
            host=wrapped.client_host,
            params=dict(wrapped.query_params),
            body=wrapped.body(),
            left=g.left,
        )
        answer = names.FlaskGuardResponse(app.make_response(("x", 201)))
        seen.update(status=answer.status_code, text=answer.body)
        return "ok"

    app.add_url_rule("/w", view_func=view, methods=["POST"])
    assert app.test_client().post("/w?a=b", data=b"body").text == "ok"
    assert seen == {
        "path": "/w",
        "method": "POST",
        "host": "127.0.0.1",
        "params": {"a": "b"},
        "body": b"body",
        "left": 1,
        "status": 201,
        "text": b"x",
    }


def test_the_extension_is_found_where_it_was() -> None:
    app = Flask("site")
    config = SecurityConfig()
    decorator = SecurityDecorator(config)
    guard = FlaskAPIGuard(app, config=config)
    guard.set_decorator_handler(decorator)
    state = app.extensions["flaskapi_guard"]
    assert dict(state) == {"guard": guard, "config": config, "guard_decorator": decorator}
    assert FlaskAPIGuard().config is None
    assert FlaskAPIGuard(config=config).config is config


def test_a_factory_makes_answers_for_checks() -> None:
    app = Flask("site")
    guard = FlaskAPIGuard()
    factory = guard.guard_response_factory

    def check(asked: Any) -> Any:
        if "away" in asked.query_params:
            return factory.create_redirect_response("https://a.example/", 302)
        return factory.create_response("tea", 418)

    guard.init_app(app, SecurityConfig(custom_request_check=check))
    client = app.test_client()
    assert (client.get("/").status_code, client.get("/").text) == (418, "tea")
    assert client.get("/?away=1").headers["Location"] == "https://a.example/"


def test_events_of_decorators_reach_those_who_listen() -> None:
    app = Flask("site")
    config = SecurityConfig()
    decorator = SecurityDecorator(config)
    decorator.initialize_agent(None)
    decorator.initialize_behavior_tracking(None)

    def view() -> str:
        decorator.send_access_denied_event(request, "not yours", "ownership", item=7)
        decorator.send_authentication_failed_event(request, "no", "bearer")
        decorator.send_rate_limit_event(request, 5, 60)
        decorator.send_decorator_violation_event(request, "custom", "why")
        decorator.send_decorator_event("content_filtered", request, "blocked", "why", "type")
        return "ok"

    app.add_url_rule("/", view_func=view)
    guard = FlaskAPIGuard(app, config=config)
    heard: list[Any] = []

    class Listener:
        def send_event(self, event: Any) -> None:
            heard.append(event)

    guard.middleware.services.events.add_sink(Listener())
    assert app.test_client().get("/").text == "ok"
    assert [event.event_type for event in heard] == [
        "access_denied",
        "authentication_failed",
        "rate_limited",
        "decorator_violation",
        "content_filtered",
    ]
    assert (heard[0].reason, heard[0].decorator_type) == ("not yours", "ownership")
    assert heard[0].metadata["item"] == 7
    assert {event.ip_address for event in heard} == {"127.0.0.1"}


def test_the_agent_s_lines_go_to_the_newest_file_alone(tmp_path: Path) -> None:
    logger = logging.getLogger("guard_wsgi.agent")
    before = list(logger.handlers)
    try:
        for name in ("first", "second"):
            agent_names.setup_agent_logging(str(tmp_path / name))
            logger.warning("to the %s", name)
        assert (tmp_path / "first").read_text().count("to the") == 1
        assert (tmp_path / "second").read_text().count("to the second") == 1
    finally:
        for handler in [each for each in logger.handlers if each not in before]:
            logger.removeHandler(handler)
            handler.close()
