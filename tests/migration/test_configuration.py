"""The configuration of a flaskapi-guard app is accepted unchanged."""

from __future__ import annotations

import pickle
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pydantic
import pytest
from flask import Flask

from guard_wsgi import (
    AgentConfig,
    BehaviorRule,
    RouteConfig,
    SecurityConfig,
    SecurityDecorator,
    ThreatBanConfig,
)
from guard_wsgi.config.security import DoubtfulOption
from guard_wsgi.errors import ConfigError
from guard_wsgi.options.frozen import ImmutableConfig
from guard_wsgi.options.resolving import options_of
from guard_wsgi_flask import FlaskAPIGuard

KEY = "a key of more than ten"


def test_a_blank_text_for_an_optional_option_is_as_if_nobody_had_set_it() -> None:
    optional = [option for option in options_of(SecurityConfig) if "None" in str(option.type)]
    assert len(optional) > 30
    for option in optional:
        for blank in ("", "  "):
            config = SecurityConfig(**{option.name: blank})
            assert getattr(config, option.name) == option.default, option.name


@pytest.mark.parametrize("value", ["100", " 100 ", "100.0", "1e2", 100.0, Decimal(100)])
def test_a_whole_number_may_be_written_in_any_way(value: Any) -> None:
    config = SecurityConfig(
        rate_limit=value,
        endpoint_rate_limits={"/login": [value, value]},
        threat_ban_config={"xss": {"threshold": value, "duration": value}},
        global_behavior_rules=[{"rule_type": "usage", "threshold": value, "window": value}],
        security_headers={"hsts": {"max_age": value}},
    )
    assert config.rate_limit == 100
    assert type(config.rate_limit) is int
    assert config.endpoint_rate_limits == {"/login": (100, 100)}
    assert config.threat_ban_config["xss"] == ThreatBanConfig(100, 100)
    assert config.global_behavior_rules[0] == BehaviorRule("usage", 100, 100)


@pytest.mark.parametrize("value", ["1.5", Decimal("1.5"), 1.5])
def test_and_so_may_a_number_of_seconds(value: Any) -> None:
    assert SecurityConfig(agent_flush_interval=value).agent_flush_interval == 1.5
    assert AgentConfig(api_key=KEY, flush_interval=value).flush_interval == 1.5


@pytest.mark.parametrize("word", ["true", "True", "on", "YES", "1", "t", 1, 1.0])
def test_a_switch_may_be_a_word(word: Any) -> None:
    assert SecurityConfig(enforce_https=word).enforce_https is True


@pytest.mark.parametrize("word", ["false", "False", "off", "NO", "0", "f", 0])
def test_a_switch_may_be_off_in_a_word(word: Any) -> None:
    assert SecurityConfig(enable_rate_limiting=word).enable_rate_limiting is False


@pytest.mark.parametrize("value", ["many", "", "1.5", "1,000", True, None, "0x10", "nan", [1]])
def test_what_is_no_number_is_an_error_that_names_it(value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        SecurityConfig(rate_limit=value)
    assert "rate_limit" in str(caught.value)
    assert repr(value) in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        SecurityConfig(rate_limit="many", enforce_https="maybe", agent_timeout="soon")
    assert len(caught.value.faults) == 3


def test_a_rule_of_a_view_takes_text_as_well() -> None:
    guard = SecurityDecorator(SecurityConfig())

    @guard.rate_limit("5", "60")  # type: ignore[arg-type]
    @guard.max_request_size("1024")  # type: ignore[arg-type]
    @guard.require_headers({"X-Version": 1})  # type: ignore[dict-item]
    @guard.time_window("9:00", "17:30")
    @guard.usage_monitor("10", "60", action="log")  # type: ignore[arg-type]
    @guard.suspicious_frequency("0.5", "300")  # type: ignore[arg-type]
    def view() -> str:
        return ""

    route = guard.get_route_config(f"{__name__}.{view.__qualname__}")
    assert route is not None
    assert (route.rate_limit, route.rate_limit_window, route.max_request_size) == (5, 60, 1024)
    assert route.required_headers == {"X-Version": "1"}
    assert route.time_restrictions is not None
    assert route.time_restrictions.start.isoformat() == "09:00:00"
    assert sorted(rule.threshold for rule in route.behavior_rules) == [10, 150]


@pytest.mark.parametrize("value", ["", " ", "five", "0", True])
def test_but_a_rule_that_says_nothing_is_refused(value: Any) -> None:
    """A view whose limit is left blank must not look as if it had one."""
    guard = SecurityDecorator(SecurityConfig())
    with pytest.raises(ConfigError):
        guard.rate_limit(value, "60") if value is not None else guard.require_auth(
            " ", lambda *_: 1
        )


def test_none_and_an_empty_table_stand_for_an_empty_list() -> None:
    for empty in (None, {}, [], "", set()):
        config = SecurityConfig(whitelist_countries=empty, blacklist=empty, trusted_proxies=empty)
        assert config.whitelist_countries == frozenset()
        assert config.blacklist == ()


def test_a_path_may_lack_its_slash() -> None:
    config = SecurityConfig(exclude_paths=["health"], endpoint_rate_limits={"login": (5, 60)})
    assert config.exclude_paths == ("/health",)
    assert config.endpoint_rate_limits == {"/login": (5, 60)}


def test_the_original_s_maxima_hold() -> None:
    SecurityConfig(
        trusted_proxy_depth=64,
        agent_flush_interval=86_400,
        agent_timeout=3600,
        redis_socket_timeout=120,
        cors_max_age=10**6,
    )


def test_a_header_that_asks_for_preload_too_early_is_sent_without_it() -> None:
    with pytest.warns(DoubtfulOption, match="hstspreload"):
        config = SecurityConfig(security_headers={"hsts": {"max_age": 300, "preload": True}})
    app = Flask("preload")
    FlaskAPIGuard(app, config=config)
    answer = app.test_client().get("/", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"] == "max-age=300; includeSubDomains"


def test_telemetry_without_its_package_costs_a_line_not_the_site(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    monkeypatch.setitem(sys.modules, "logfire", None)
    app = Flask("dark")
    FlaskAPIGuard(app, config=SecurityConfig(enable_otel=True, enable_logfire=True))
    assert app.test_client().get("/").status_code == 404
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [line for line in lines if "pip install" in line] == lines
    assert len(lines) == 2


# The environment.

PAGE = {"GUARD_API_KEY": KEY, "GUARD_PROJECT_ID": "p1", "GUARD_CORE_URL": "http://127.0.0.1:9"}


def test_the_page_s_variables_mean_what_the_page_means() -> None:
    config = SecurityConfig.from_env(environ=PAGE)
    assert config.agent_api_key == KEY
    assert config.agent_project_id == "p1"
    assert config.agent_endpoint == "http://127.0.0.1:9"
    assert config.enable_agent is True


def test_blank_ones_mean_nothing() -> None:
    config = SecurityConfig.from_env(environ=dict.fromkeys(PAGE, ""))
    assert config == SecurityConfig()


def test_a_variable_of_the_option_s_own_name_goes_before() -> None:
    own = {"GUARD_AGENT_API_KEY": "another key of ten", "GUARD_ENABLE_AGENT": "off"}
    config = SecurityConfig.from_env(environ={**PAGE, **own})
    assert config.agent_api_key == "another key of ten"
    assert config.enable_agent is False


KUBERNETES = {
    "GUARD_PORT": "tcp://10.96.0.17:8080",
    "GUARD_SERVICE_HOST": "10.96.0.17",
    "GUARD_SERVICE_PORT": "8080",
    "GUARD_SERVICE_PORT_HTTP_METRICS": "8080",
    "GUARD_PORT_8080_TCP": "tcp://10.96.0.17:8080",
    "GUARD_PORT_8080_TCP_PROTO": "tcp",
    "GUARD_PORT_8080_TCP_PORT": "8080",
    "GUARD_PORT_8080_TCP_ADDR": "10.96.0.17",
    "GUARD_REDIS_SERVICE_HOST": "10.96.0.18",
}


def test_the_variables_that_kubernetes_makes_of_a_service_are_left_alone() -> None:
    with pytest.warns(DoubtfulOption, match="Kubernetes") as caught:
        config = SecurityConfig.from_env(environ={**KUBERNETES, "GUARD_RATE_LIMIT": "7"})
    assert config == SecurityConfig(rate_limit=7)
    assert len(caught) == 1


def test_any_other_variable_is_still_a_slip() -> None:
    with pytest.raises(ConfigError, match="did you mean 'rate_limit'"):
        SecurityConfig.from_env(environ={"GUARD_RATE_LIMT": "7"})


def test_the_app_s_own_configuration_reads_them_alike() -> None:
    app = Flask("configured")
    app.config.update(PAGE)
    app.config.update(KUBERNETES)
    with pytest.warns(DoubtfulOption, match="Kubernetes"):
        guard = FlaskAPIGuard(app)
    assert guard.config is not None
    assert guard.config.agent_api_key == KEY
    assert guard.config.enable_agent is True


# User agents.


def served_to(agent: str, *patterns: str) -> int:
    app = Flask("agents")
    app.add_url_rule("/", view_func=lambda: "x")
    FlaskAPIGuard(app, config=SecurityConfig(blocked_user_agents=list(patterns)))
    status: int = app.test_client().get("/", headers={"User-Agent": agent}).status_code
    return status


@pytest.mark.parametrize(
    ("pattern", "refused", "passes"),
    [
        ("^(?!Mozilla)", "curl/8", "Mozilla/5.0"),
        (r"(?<!Apple)WebKit", "WebKit/1", "AppleWebKit/1"),
        (r"(?=.*bot)(?=.*crawl)", "a bot that crawls", "a bot that sits"),
        (r"^(\w+) \1\b", "same same word", "not the same word"),
    ],
)
def test_look_around_serves_for_user_agents(pattern: str, refused: str, passes: str) -> None:
    assert served_to(refused, "sqlmap", pattern) == 403
    assert served_to(passes, "sqlmap", pattern) == 200
    assert served_to("sqlmap/1.8 Mozilla", "sqlmap", pattern) == 403


@pytest.mark.parametrize(
    "pattern",
    [
        "(?!x)(a+)+$",
        "(?!x)(a|a)*$",
        "(?!x)(.*,)*x",
        ".*a.*b.*(?=c)",
        r"(?!x)(?:a*b*)*c",
        r"(a)\1+x.*y.*z",
    ],
)
def test_but_not_what_backtracks_without_end(pattern: str) -> None:
    with pytest.raises(ConfigError, match="repe"):
        SecurityConfig(blocked_user_agents=[pattern])


def test_what_is_accepted_is_searched_in_milliseconds() -> None:
    """The worst accepted expression on the worst user agent: the bound has room for a busy machine,
    and is a hundredth of the time of an expression with one more power."""
    from time import thread_time

    from guard_wsgi.patterns.expressions import Expressions

    for pattern in ("^(?!.*a.*b)c", "a.*(?=c)", "(?<!b)a+c", r"(.)\1x"):
        expressions = Expressions([pattern], backtracks_on=512)
        for text in ("a" * 512, "ab" * 256, "b" + "a" * 511):
            began = thread_time()
            expressions.first(text)
            assert thread_time() - began < 0.5


# A model, unchanged.


def test_assigning_says_how_to_change_a_configuration() -> None:
    config = SecurityConfig()
    with pytest.raises(ImmutableConfig, match=r"config\.evolve\(rate_limit=\.\.\.\)"):
        config.rate_limit = 5  # type: ignore[misc]
    with pytest.raises(AttributeError, match="evolve"):
        del config.rate_limit  # type: ignore[misc]
    assert config == SecurityConfig()


IN_PLACE: list[tuple[str, Any]] = [
    ("blocked_user_agents", lambda value: value.append("x")),
    ("blocked_user_agents", lambda value: value.extend(["x"])),
    ("trusted_proxies", lambda value: value.remove("10.0.0.0/8")),
    ("exclude_paths", lambda value: value.clear()),
    ("exclude_paths", lambda value: value.__setitem__(0, "/x")),
    ("exclude_paths", lambda value: value.__delitem__(0)),
    ("blocked_countries", lambda value: value.append("DE")),
    ("blocked_countries", lambda value: value.add("DE")),
    ("enabled_detection_categories", lambda value: value.discard("xss")),
    ("security_headers", lambda value: value.__setitem__("frame_options", "DENY")),
    ("security_headers", lambda value: value.pop("frame_options")),
    ("endpoint_rate_limits", lambda value: value.update({"/": (1, 2)})),
    ("endpoint_rate_limits", lambda value: value.setdefault("/", (1, 2))),
    ("custom_error_responses", lambda value: value.clear()),
    ("custom_error_responses", lambda value: value.__delitem__(403)),
]


@pytest.mark.parametrize(("option", "change"), IN_PLACE)
def test_changing_a_collection_in_place_says_how_to_change_it(option: str, change: Any) -> None:
    given: dict[str, Any] = {
        "security_headers": {"frame_options": "DENY"},
        "trusted_proxies": ["10.0.0.0/8"],
        "custom_error_responses": {403: "no"},
    }
    config = SecurityConfig(**given)
    with pytest.raises(ImmutableConfig, match=rf"{option} .*config\.evolve\({option}=.*model_copy"):
        change(getattr(config, option))
    assert config == SecurityConfig(**given)


def test_assigning_to_the_rules_of_a_view_says_how_to_change_them() -> None:
    route = RouteConfig(rate_limit=5)
    with pytest.raises(ImmutableConfig, match=r"RouteConfig\(rate_limit=\.\.\.\)"):
        route.rate_limit = 6  # type: ignore[misc]
    with pytest.raises(ImmutableConfig, match="decorator"):
        del route.rate_limit
    assert route == RouteConfig(rate_limit=5)


def test_collections_are_what_they_were_otherwise() -> None:
    config = SecurityConfig(
        cors_allow_origins=["https://a.example"], endpoint_rate_limits={"/login": (5, 60)}
    )
    assert config.cors_allow_origins == ("https://a.example",)
    assert not hasattr(config.cors_allow_origins, "append")
    assert [*config.cors_allow_origins, "b"] == config.cors_allow_origins + ["b"]  # noqa: RUF005
    assert ["b"] + config.cors_allow_origins == ["b", "https://a.example"]  # type: ignore[operator]  # noqa: RUF005
    copied = deepcopy(config.endpoint_rate_limits)
    copied["/"] = (1, 2)  # type: ignore[index]
    assert config.endpoint_rate_limits == {"/login": (5, 60)}
    assert pickle.loads(pickle.dumps(config)) == config
    for option in options_of(SecurityConfig):
        value = getattr(config, option.name)
        if isinstance(value, (tuple, frozenset, dict)):
            again = pickle.loads(pickle.dumps(value))
            assert again == value == deepcopy(value), option.name


def test_what_pydantic_would_call_is_refused_where_it_is_written() -> None:
    def checked(cls: Any, value: Any) -> Any:
        return value

    def after(self: Any, context: Any = None) -> Any:
        return self

    ignored: dict[str, Any] = {
        "field": pydantic.field_validator("rate_limit", check_fields=False)(classmethod(checked)),
        "model": pydantic.model_validator(mode="after")(after),
        "before": pydantic.model_validator(mode="before")(classmethod(checked)),
        "shown": pydantic.computed_field(property(after)),
        "written": pydantic.field_serializer("rate_limit", check_fields=False)(after),
        "rate_limit": pydantic.Field(default=5),
        "_private": pydantic.PrivateAttr(default=5),
        "model_post_init": after,
    }
    for name, value in ignored.items():
        with pytest.raises(ConfigError, match=rf"Ours\.{name} .*pydantic.*__init__"):
            type("Ours", (SecurityConfig,), {name: value})


def test_an_init_of_a_subclass_is_called() -> None:
    class Ours(SecurityConfig):
        def __init__(self, **options: Any) -> None:
            options["rate_limit"] = min(options.get("rate_limit", 20), 20)
            super().__init__(**options)

    assert Ours(rate_limit=100).rate_limit == 20


def test_the_words_of_a_model_work() -> None:
    config = SecurityConfig(rate_limit=7, agent_api_key=KEY)
    assert config.model_copy(update={"rate_limit": 8}).rate_limit == 8
    assert config.model_copy(deep=True) == config
    assert config.model_dump()["rate_limit"] == 7
    assert config.model_dump(include={"rate_limit"}) == {"rate_limit": 7}
    assert config.model_dump(exclude_defaults=True) == {"rate_limit": 7, "agent_api_key": KEY}
    assert "rate_limit" not in config.model_dump(exclude={"rate_limit"})
    assert SecurityConfig.model_validate({"rate_limit": "7", "agent_api_key": KEY}) == config
    assert SecurityConfig.model_validate(config) is config
    assert SecurityConfig.model_fields["rate_limit"].default == 600
    assert config.revision == 0
    assert '"rate_limit": 7' in config.model_dump_json()
    assert config.json() == config.model_dump_json()
    assert SecurityConfig.model_validate_json(config.model_dump_json()) == config
    assert SecurityConfig.parse_raw(b'{"rate_limit": "7"}').rate_limit == 7
    assert SecurityConfig.parse_obj({"rate_limit": 7}).rate_limit == 7
    assert SecurityConfig.model_validate_strings({"rate_limit": "7"}).rate_limit == 7
    assert SecurityConfig.model_construct(rate_limit=7).rate_limit == 7
    assert config.model_fields_set == {"rate_limit", "agent_api_key"}
    assert dict(config) == config.model_dump()
    for what in ("{", "[1]", "7"):
        with pytest.raises(ConfigError, match=r"not.* JSON"):
            SecurityConfig.model_validate_json(what)
    with pytest.raises(ConfigError, match="many"):
        SecurityConfig.model_construct(rate_limit="many")
    with pytest.raises(ConfigError, match="many"):
        config.model_copy(update={"rate_limit": "many"})


def test_a_route_is_copied_and_pickled_as_the_configuration_is() -> None:
    route = RouteConfig(
        rate_limit=5,
        required_headers={"X-Key": "1"},
        geo_rate_limits={"DE": (5, 60)},
        security_headers={"csp": {"default-src": ["'self'"]}},
        time_restrictions=("09:00", "17:00"),
        blocked_user_agents=["curl"],
        behavior_rules=[BehaviorRule("usage", 5, 60)],
    )
    assert pickle.loads(pickle.dumps(route)) == route
    assert deepcopy(route) == route
    assert pickle.loads(pickle.dumps(RouteConfig())) == RouteConfig()


def test_a_subclass_gives_options_other_defaults() -> None:
    class Ours(SecurityConfig):
        rate_limit: int = 77
        passive_mode = True

    class Theirs(Ours):
        rate_limit = "88"  # type: ignore[assignment]

    assert (Ours().rate_limit, Ours().passive_mode) == (77, True)
    assert Ours(rate_limit=5).rate_limit == 5
    assert (Theirs().rate_limit, Theirs().passive_mode) == (88, True)
    assert Ours().evolve(rate_limit_window=5).rate_limit == 77
    assert Ours.model_fields["rate_limit"].default == 77
    app = Flask("ours")
    FlaskAPIGuard(app, config=Ours())
    assert "q=77" in app.test_client().get("/").headers["RateLimit-Policy"]


def test_and_is_refused_where_they_make_no_sense() -> None:
    class Ours(SecurityConfig):
        rate_limit = 0

    with pytest.raises(ConfigError, match="rate_limit"):
        Ours()


def test_paths_are_taken_as_text_or_as_paths(tmp_path: Path) -> None:
    assert SecurityConfig(ipinfo_db_path=str(tmp_path)) == SecurityConfig(ipinfo_db_path=tmp_path)
