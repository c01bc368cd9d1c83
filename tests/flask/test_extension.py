"""The Flask extension: wiring, configuration, error pages, several apps."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Blueprint, Flask, g, jsonify, request
from flask.cli import FlaskGroup
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from guard_wsgi.config.security import DoubtfulOption
from guard_wsgi.doctor.diagnosis import diagnose
from guard_wsgi_flask import ConfigError, FlaskAPIGuard, SecurityConfig, SecurityDecorator

ATTACK = {"q": "1' UNION SELECT username, password FROM users--"}


def simple_app(**options: Any) -> Flask:
    app = Flask(__name__)
    FlaskAPIGuard(app, config=SecurityConfig(**options))
    app.add_url_rule("/", "index", lambda: "hello")
    return app


def test_protects_an_app_in_one_line() -> None:
    client = simple_app().test_client()
    assert client.get("/").data == b"hello"
    assert client.get("/", query_string=ATTACK).status_code == 400
    assert client.post("/", json={"a": {"b": [ATTACK["q"]]}}).status_code == 400


def test_the_module_level_example_of_the_original_runs(tmp_path: Any) -> None:
    from guard_wsgi_flask import IPInfoManager

    app = Flask(__name__)
    config = SecurityConfig(
        geo_ip_handler=IPInfoManager("a_token", str(tmp_path / "country_asn.mmdb")),
        whitelist=["192.168.1.1", "2001:db8::1"],
        blacklist=["10.0.0.1", "2001:db8::2"],
        blocked_countries=["AR", "IT"],
        rate_limit=100,
        custom_log_file=str(tmp_path / "security.log"),
    )
    guard = FlaskAPIGuard(app, config=config)

    @app.route("/")
    def root() -> Any:
        return jsonify(message="Hello World")

    client = app.test_client()
    at = {"REMOTE_ADDR": "192.168.1.1"}
    assert client.get("/", environ_overrides=at).get_json() == {"message": "Hello World"}
    assert client.get("/", environ_overrides={"REMOTE_ADDR": "10.0.0.1"}).status_code == 403
    guard.middleware.close()
    assert "10.0.0.1" in (tmp_path / "security.log").read_text()


def test_the_factory_example_of_the_original_runs() -> None:
    guard = FlaskAPIGuard()

    def create_app() -> Flask:
        app = Flask(__name__)
        guard.init_app(app, config=SecurityConfig(rate_limit=2, enable_cors=True))
        app.add_url_rule("/", "index", lambda: "hello")
        return app

    first, second = create_app().test_client(), create_app().test_client()
    assert [first.get("/").status_code for _ in range(3)] == [200, 200, 429]
    assert second.get("/").status_code == 200
    assert second.get("/").headers["Access-Control-Allow-Origin"] == "*"


def test_one_app_is_guarded_once() -> None:
    app = simple_app()
    with pytest.raises(ConfigError, match="already guarded"):
        FlaskAPIGuard(app)


def test_reads_options_from_the_config_of_the_app() -> None:
    app = Flask(__name__)
    app.config.update(GUARD_RATE_LIMIT=1, GUARD_EXEMPT_IPS=["203.0.113.1"])
    guard = FlaskAPIGuard(app)
    assert guard.config.rate_limit == 1
    assert guard.config.exempt_ips == ("203.0.113.1",)


def test_an_argument_goes_before_the_config_of_the_app() -> None:
    app = Flask(__name__)
    app.config.update(GUARD_RATE_LIMIT=1, GUARD_PASSIVE_MODE=True)
    guard = FlaskAPIGuard(app, config=SecurityConfig(rate_limit=7))
    assert guard.config.rate_limit == 7
    assert guard.config.passive_mode is True


def test_an_unknown_option_in_the_config_of_the_app_is_an_error() -> None:
    app = Flask(__name__)
    app.config["GUARD_RATE_LIMITT"] = 1
    with pytest.raises(ConfigError, match="GUARD_RATE_LIMIT"):
        FlaskAPIGuard(app)


def test_the_config_of_the_app_is_text_as_of_the_environment() -> None:
    app = Flask(__name__)
    app.config.update(
        GUARD_RATE_LIMIT="",
        GUARD_PASSIVE_MODE=" ",
        GUARD_AUTO_BAN_THRESHOLD="7",
        GUARD_WHITELIST="10.0.0.0/8, 192.0.2.1",
        GUARD_BLOCKED_USER_AGENTS="curl,wget",
        GUARD_ENDPOINT_RATE_LIMITS='{"/login": [5, 60]}',
        GUARD_ENFORCE_HTTPS="off",
        GUARD_BLACKLIST=["198.51.100.1"],
    )
    guard = FlaskAPIGuard(app)
    assert guard.config == SecurityConfig(
        auto_ban_threshold=7,
        whitelist=["10.0.0.0/8", "192.0.2.1"],
        blocked_user_agents=["curl", "wget"],
        endpoint_rate_limits={"/login": (5, 60)},
        blacklist=["198.51.100.1"],
    )


def test_names_of_the_app_s_own_are_left_alone_with_a_warning() -> None:
    app = Flask(__name__)
    app.config.update(GUARD_TOKEN="t", GUARD_API_URL="https://a.example", GUARD_RATE_LIMIT=7)
    with pytest.warns(DoubtfulOption, match="app.config.*GUARD_") as caught:
        guard = FlaskAPIGuard(app)
    assert guard.config == SecurityConfig(rate_limit=7)
    assert ["GUARD_TOKEN" in str(each.message) for each in caught] == [True, False]
    assert "https://a.example" not in str(caught[1].message)


def test_faults_of_the_config_of_the_app_name_it() -> None:
    app = Flask(__name__)
    app.config.update(GUARD_RATELIMIT=5, GUARD_PASSIVE_MODE="perhaps", GUARD_AUTO_BAN_THRESHOLD=0)
    with pytest.raises(ConfigError) as caught:
        FlaskAPIGuard(app, config=SecurityConfig())
    text = str(caught.value)
    assert "unknown option app.config['GUARD_RATELIMIT'] (did you mean GUARD_RATE_LIMIT?)" in text
    assert "GUARD_PASSIVE_MODE must be true or false" in text
    assert "auto_ban_threshold" in text


def test_tests_of_an_app_can_switch_the_guard_off() -> None:
    app = Flask(__name__)
    app.config["GUARD_ENABLED"] = False
    FlaskAPIGuard(app, config=SecurityConfig(rate_limit=1))
    app.add_url_rule("/", "index", lambda: "hello")
    client = app.test_client()
    assert [client.get("/", query_string=ATTACK).status_code for _ in range(3)] == [200] * 3


def test_the_guard_decides_before_every_hook_of_the_app() -> None:
    app = Flask(__name__)

    @app.before_request
    def answers_everything() -> str:
        return "from the hook"

    FlaskAPIGuard(app, config=SecurityConfig(blacklist=["203.0.113.9"]))
    client = app.test_client()
    refused = client.get("/", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    assert refused.status_code == 403


def test_the_app_words_its_refusals_by_its_own_error_handlers() -> None:
    app = simple_app(rate_limit=1)

    @app.errorhandler(429)
    def slow_down(error: Any) -> Any:
        return jsonify(error="slow down", rule=error.block.check), 429

    client = app.test_client()
    client.get("/")
    answer = client.get("/")
    assert answer.status_code == 429
    assert answer.get_json() == {"error": "slow down", "rule": "rate_limit"}
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_text_of_the_configuration_reaches_the_app_s_own_page() -> None:
    app = simple_app(blacklist=["127.0.0.1"], custom_error_responses={403: "not you"})
    app.register_error_handler(403, lambda error: (f"page: {error.description}", 403))
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.text) == (403, "page: not you")


def test_the_apps_own_page_can_tell_the_reference() -> None:
    app = simple_app()

    @app.errorhandler(400)
    def refused(error: Any) -> Any:
        return f"please quote {g.guard.request_id}", 400

    answer = app.test_client().get("/", query_string=ATTACK)
    assert answer.text == f"please quote {answer.headers['X-Request-Id']}"


def test_a_handler_for_all_errors_words_refusals_too() -> None:
    app = simple_app()

    @app.errorhandler(Exception)
    def any_error(error: Any) -> Any:
        return f"own page {error.code}", error.code

    answer = app.test_client().get("/", query_string=ATTACK)
    assert (answer.status_code, answer.data) == (400, b"own page 400")


def test_an_error_handler_that_raises_does_not_undo_the_refusal() -> None:
    app = simple_app()

    @app.errorhandler(400)
    def broken(error: Any) -> Any:
        raise RuntimeError("template is missing")

    assert app.test_client().get("/", query_string=ATTACK).status_code == 400


def test_the_verdict_is_at_g() -> None:
    app = simple_app()
    app.add_url_rule("/me/<int:n>", "me", lambda n: f"{g.guard.client_ip} {g.guard.endpoint}")
    assert app.test_client().get("/me/1").data == b"127.0.0.1 me"


def test_what_the_original_leaves_in_g_is_there() -> None:
    """Its client_ip, route_config and request_start_time, for views, hooks and checks."""
    seen: dict[str, Any] = {}
    app = Flask("g")
    config = SecurityConfig(
        rate_limit=9,
        custom_request_check=lambda asked: seen.setdefault("check", (g.client_ip, g.route_config)),
        trusted_proxies=["127.0.0.1"],
    )
    protect = SecurityDecorator(config)

    @app.get("/")
    @protect.rate_limit(5)
    def home() -> dict[str, Any]:
        age = time.time() - g.request_start_time
        return {"ip": g.client_ip, "limit": g.route_config.rate_limit, "new": 0 <= age < 60}

    @app.get("/plain")
    def plain() -> dict[str, Any]:
        return {"ip": g.client_ip, "route": g.route_config}

    @app.after_request
    def after(response: Any) -> Any:
        response.headers["X-Ip"] = g.client_ip
        return response

    seen["check"] = None
    FlaskAPIGuard(app, config=config)
    client = app.test_client()
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    answer = client.get("/", headers=forwarded)
    assert answer.json == {"ip": "203.0.113.7", "limit": 5, "new": True}
    assert answer.headers["X-Ip"] == "203.0.113.7"
    assert client.get("/plain", headers=forwarded).json == {"ip": "203.0.113.7", "route": None}
    assert client.get("/missing", headers=forwarded).headers["X-Ip"] == "203.0.113.7"


def test_they_are_there_where_a_client_goes_around_the_guard() -> None:
    app = Flask("g")
    app.add_url_rule("/", view_func=lambda: str(g.get("client_ip")) + str(g.route_config))
    FlaskAPIGuard(app, config=SecurityConfig())
    app.wsgi_app = Flask.wsgi_app.__get__(app)  # type: ignore[method-assign]
    assert app.test_client().get("/").status_code == 200


def test_the_app_reads_the_whole_body_after_the_guard() -> None:
    app = simple_app()
    app.add_url_rule("/sum", "sum", lambda: str(sum(request.get_json())), methods=["POST"])
    numbers = list(range(50_000))
    assert app.test_client().post("/sum", json=numbers).data == str(sum(numbers)).encode()


def test_says_before_init_app_that_it_has_no_app() -> None:
    with pytest.raises(RuntimeError, match="init_app"):
        FlaskAPIGuard().status()


def test_the_extension_answers_for_the_current_app() -> None:
    guard = FlaskAPIGuard()
    apps = []
    for limit in (3, 4):
        app = Flask(__name__)
        guard.init_app(app, config=SecurityConfig(rate_limit=limit))
        apps.append(app)
    for app, limit in zip(apps, (3, 4), strict=True):
        with app.app_context():
            assert guard.config.rate_limit == limit


def test_bans_by_hand_and_resets() -> None:
    app = Flask(__name__)
    guard = FlaskAPIGuard(app, config=SecurityConfig())
    app.add_url_rule("/", "index", lambda: "hello")
    client = app.test_client()
    guard.bans.ban("203.0.113.0/24", 60, "abuse")
    at = {"REMOTE_ADDR": "203.0.113.5"}
    assert client.get("/", environ_overrides=at).status_code == 403
    assert guard.stats()["request_blocked"] == 1
    guard.reset()
    assert client.get("/", environ_overrides=at).status_code == 200


def test_flask_guard_routes_lists_effective_rules() -> None:
    config = SecurityConfig()
    app = Flask(__name__)
    FlaskAPIGuard(app, config=config)
    decorate = SecurityDecorator(config)
    pages = Blueprint("pages", __name__)

    @pages.route("/secret/<name>")
    @decorate.rate_limit(5, 60)
    def secret(name: str) -> str:
        return name

    app.register_blueprint(pages, url_prefix="/p")

    @decorate.rate_limit(1, 60)
    def forgotten() -> None: ...

    # The flask command does it like this, with the commands of installed packages.
    group = FlaskGroup(create_app=lambda: app)
    outcome = app.test_cli_runner().invoke(group, args=["guard", "routes"])
    assert "/p/secret/<name>" in outcome.output
    assert "rate_limit=5" in outcome.output
    assert "forgotten" in outcome.output
    assert outcome.exit_code == 1


def test_socketio_made_before_the_guard_is_inside_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask(__name__)
    app.add_url_rule("/", "home", lambda: "hello")
    SocketIO(app, async_mode="threading")
    guard = FlaskAPIGuard(app)
    client = app.test_client()
    polling = {"path": "/socket.io/", "query_string": "EIO=4&transport=polling"}
    at = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.7"}}
    assert client.get(**polling, **at).status_code == 200
    guard.bans.ban("203.0.113.7", 60, "test")
    assert client.get(**polling, **at).status_code == 403
    assert "wrapped around" not in caplog.text
    assert "outside-the-guard" not in {piece.code for piece in diagnose(app=app)}


def test_socketio_made_after_the_guard_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask(__name__)
    app.add_url_rule("/", "home", lambda: "hello")
    FlaskAPIGuard(app)
    SocketIO(app, async_mode="threading")
    assert app.test_client().get("/").status_code == 200
    (line,) = [text for text in caplog.messages if "wrapped around" in text]
    assert "flask_socketio._SocketIOMiddleware" in line
    assert "init_app(app), after it" in line
    (advice,) = [piece for piece in diagnose(app=app) if piece.code == "outside-the-guard"]
    assert "flask_socketio._SocketIOMiddleware" in advice.problem
    assert advice.severity == "warning"


@pytest.mark.parametrize("attribute", ["app", "application", "wsgi_app"])
def test_any_layer_around_the_guard_is_reported(attribute: str) -> None:
    class Statics:
        def __init__(self, app: Any) -> None:
            setattr(self, attribute, app)

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return getattr(self, attribute)(environ, start_response)

    app = simple_app()
    app.wsgi_app = Statics(app.wsgi_app)  # type: ignore[method-assign]
    codes = {piece.code for piece in diagnose(app=app)}
    assert "outside-the-guard" in codes
    assert "app-not-guarded" not in codes


def test_what_only_rewrites_the_environ_is_not_outside() -> None:
    app = simple_app()
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    assert "outside-the-guard" not in {piece.code for piece in diagnose(app=app)}
