"""SecurityConfig: accepted values, refused values, and the messages."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.behavior.rule import BehaviorRule, BehaviorRuleConfig
from guard_wsgi.config.exclusion import DetectionExclusion
from guard_wsgi.config.security import DoubtfulOption, IgnoredOption, SecurityConfig
from guard_wsgi.config.tables import ThreatBanConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.options.quoting import masked_url
from guard_wsgi.options.resolving import options_of
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.decorated_views import decorated_by
from guard_wsgi.state import schemes
from guard_wsgi.state.schemes import SCHEMES, Scheme
from tests.kit.ids import stable


class Atlas:
    """A country source, as a user would bring one."""

    def get_country(self, ip: str) -> str | None:
        return "NZ"


def faults_of(**options: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        SecurityConfig(**options)
    return raised.value.faults


def test_defaults_need_no_argument_and_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = SecurityConfig()
    assert (config.rate_limit, config.rate_limit_window) == (600, 60)
    assert config.enable_redis is False
    assert config.effective_store_url == "memory://"
    assert config.security_headers == "html"


def test_every_fault_is_reported_at_once() -> None:
    faults = faults_of(
        rate_limit=0,
        rate_limt=5,
        trusted_proxies=["10.0.0.0/8", "proxy.internal", "300.1.1.1"],
        cors_allow_credentials=True,
        enable_agent=True,
        log_format="xml",
    )
    text = "\n".join(faults)
    assert "rate_limit must be at least 1, not 0" in faults
    assert "unknown option 'rate_limt' (did you mean 'rate_limit'?)" in faults
    assert "'proxy.internal'" in text
    assert "'300.1.1.1'" in text
    assert "cors_allow_origins" in text
    assert "enable_agent needs agent_api_key" in faults
    assert "log_format must be one of 'text', 'json', not 'xml'" in faults
    assert len(faults) == 6


def test_a_fault_is_not_repeated_in_other_words() -> None:
    """An unknown key is one fault, not also a missing key."""
    assert len(faults_of(enable_agent=True, agent_api_key=5)) == 1
    assert len(faults_of(cors_allow_credentials="yes")) == 1


def test_a_fault_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="1 fault"):
        SecurityConfig(rate_limit=-1)


@pytest.mark.parametrize(
    "options",
    [
        {"rate_limit": 0},
        {"rate_limit": -5},
        {"rate_limit": 1.5},
        {"rate_limit": True},
        {"rate_limit": "ten"},
        {"rate_limit": "10.5"},
        {"rate_limit": ""},
        {"rate_limit_window": 0},
        {"endpoint_rate_limits": {"/login": (0, 0)}},
        {"endpoint_rate_limits": {"/login": (5,)}},
        {"endpoint_rate_limits": {"": (5, 60)}},
        {"endpoint_rate_limits": [("/login", 5, 60)]},
        {"auto_ban_threshold": 0},
        {"auto_ban_duration": 0},
        {"trusted_proxies": ["nonsense"]},
        {"trusted_proxies": "10.0.0.1"},
        {"trusted_proxy_depth": 0},
        {"forwarded_header": "x-forwared-for"},
        {"forwarded_header": "X Forwarded"},
        {"allowed_hosts": ["https://example.com"]},
        {"allowed_hosts": ["example.com:443"]},
        {"whitelist": ["1.2.3"]},
        {"blacklist": ["10.0.0.0/33"]},
        {"exempt_ips": [7]},
        {"emergency_whitelist": ["everyone"]},
        {"whitelist_countries": ["Germany"], "geo_ip_handler": Atlas()},
        {"blocked_countries": ["UK"], "geo_ip_handler": Atlas()},
        {"blocked_countries": "DE", "geo_ip_handler": Atlas()},
        {"blocked_countries": ["DE"]},
        {"geo_ip_handler": object()},
        {"geo_ip_db_max_age": 60},
        {"block_cloud_providers": ["IBM"]},
        {"block_cloud_providers": ["Cloudflare:!eu"]},
        {"block_cloud_providers": ["AWS:eu-west-1"]},
        {"cloud_ip_refresh_interval": 1},
        {"blocked_user_agents": ["("]},
        {"blocked_user_agents": ["(?<!a)(b+)+c"]},
        {"blocked_user_agents": [""]},
        {"threat_ban_config": {"sql": {"threshold": 1, "duration": 1}}},
        {"threat_ban_config": {"sqli": {"threshold": 0, "duration": 1}}},
        {"threat_ban_config": {"sqli": {"threshold": 1}}},
        {"exclude_paths": ["/static/.."]},
        {"exclude_paths": [""]},
        {"exclude_paths": ["//"]},
        {"custom_error_responses": {200: "fine"}},
        {"custom_error_responses": {403: 1}},
        {"custom_error_responses": {"forbidden": "x"}},
        {"auth_verifier": "admin"},
        {"on_block": 3},
        {"max_request_size": 0},
        {"allowed_content_types": ["json"]},
        {"rate_limit_strategy": "leaky-bucket"},
        {"rate_limit_headers": "all"},
        {"store_url": "memory"},
        {"store_url": "postgres://localhost/x"},
        {"store_timeout": 0},
        {"store_timeout": float("nan")},
        {"store_failure_policy": {"rate_limits": "deny"}},
        {"store_failure_policy": {"bans": "open"}},
        {"store_failure_policy": {"bans": "deny"}, "redis_fail_open": True},
        {"enable_redis": True, "redis_url": None},
        {"enable_redis": True, "store_url": "lmdb:///tmp/x"},
        {"enable_redis": True, "redis_url": "http://localhost"},
        {"redis_socket_timeout": 0},
        {"security_headers": "strict"},
        {"security_headers": {"frame_option": "DENY"}},
        {"security_headers": {"frame_options": "DENY\r\nSet-Cookie: a=b"}},
        {"security_headers": {"custom": {"X-A": "b\nc"}}},
        {"security_headers": {"custom": {"X A": "b"}}},
        {"security_headers": {"hsts": {"max_age": -1}}},
        {"security_headers": {"csp": {"default-src": ["'self'; script-src *"]}}},
        {"cors_allow_origins": ["example.com"]},
        {"cors_allow_origins": ["https://example.com/app"]},
        {"cors_allow_origins": ["null"]},
        {"cors_allow_origins": ["*"], "cors_allow_credentials": True},
        {"cors_allow_origins": ["*", "https://example.com"]},
        {"cors_allow_methods": ["GET POST"]},
        {"cors_max_age": -1},
        {"global_behavior_rules": [{"rule_type": "usage"}]},
        {
            "global_behavior_rules": [
                {"rule_type": "return_pattern", "threshold": 1, "pattern": "x"}
            ]
        },
        {"global_behavior_rules": [{"rule_type": "usage", "threshold": 1, "limit": 2}]},
        {"enabled_detection_categories": ["sql"]},
        {"enabled_detection_categories": "sqli"},
        {"detection_threat_score_threshold": "paranoid"},
        {"detection_threat_score_threshold": 0},
        {"detection_max_body_inspect_bytes": 10},
        {"detection_budget_action": "ignore"},
        {"detection_custom_patterns": ["(a"]},
        {"detection_custom_patterns": {"a": 3}},
        {"detection_exclusions": [{"path": "blog", "params": ["q"]}]},
        {"detection_exclusions": [{"path": "/blog"}]},
        {"detection_exclusions": [{"path": "/b", "params": ["q"], "categories": ["xs"]}]},
        {
            "detection_exclusions": [
                {"path": "/b", "params": ["q"], "categories": ["detection_budget"]}
            ]
        },
        {"detection_exclusions": [{"path": "/b", "param": ["q"]}]},
        {"detection_exclusions": [{"path": "/b", "categories": ["xs"]}]},
        {"log_suspicious_level": "LOUD"},
        {"muted_event_types": ["ip_bannned"]},
        {"muted_metric_types": ["requests"]},
        {"log_sensitive_headers": "authorization"},
        {"agent_endpoint": "guard.example.com"},
        {"agent_flush_interval": 0},
        {"agent_status_interval": 5},
        {"agent_buffer_overflow_policy": "panic"},
        {"enable_dynamic_rules": True},
        {"enable_enrichment": True},
        {"dynamic_rule_interval": 10},
        {"enabled": "maybe"},
        {"enabled": ""},
        {"enabled": 2},
    ],
    ids=lambda each: stable(str(each)),
)
def test_nonsense_is_refused_at_construction(options: dict[str, Any]) -> None:
    assert len(faults_of(**options)) == 1


def test_each_option_refuses_a_value_of_a_foreign_type() -> None:
    """No option swallows just anything; only these hold whatever the user brings."""
    free = {"cloud_ip_store"}
    stranger = object()
    names = [option.name for option in options_of(SecurityConfig)]
    for name in names:
        if name in free:
            SecurityConfig(**{name: stranger})
        else:
            assert any(fault.startswith(name) for fault in faults_of(**{name: stranger}))


_junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.sampled_from(["10.0.0.1", "*", "/", "sqli", "html", "usage"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(st.none() | st.integers() | st.text(max_size=3) | st.binary(max_size=3))
        | st.dictionaries(st.none() | st.integers() | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(data=st.data())
@pytest.mark.parametrize("kind", [SecurityConfig, RouteConfig])
def test_junk_is_a_fault_or_a_value_and_never_another_error(kind: Any, data: st.DataObject) -> None:
    names = st.sampled_from([option.name for option in options_of(kind)])
    options = data.draw(st.dictionaries(names, _junk, min_size=1, max_size=4))
    try:
        made = kind(**options)
    except ConfigError:
        return
    repr(made)
    assert made == made


@pytest.mark.parametrize("hook", ["auth_verifier", "on_block", "rate_limit_key", "on_error"])
def test_a_hook_that_would_have_to_be_awaited_is_refused(hook: str) -> None:
    async def later(*arguments: Any) -> None: ...

    (fault,) = faults_of(**{hook: later})
    assert "synchronous" in fault


def test_collections_become_immutable_and_canonical() -> None:
    networks = ["10.1.2.3/8", "::ffff:192.0.2.1", "2001:DB8::1", "unix"]
    limits = {"/login/": [5, 60], "//a/./b": (1, 1)}
    config = SecurityConfig(
        trusted_proxies=networks,
        endpoint_rate_limits=limits,
        blocked_countries={"nz", "au"},
        geo_ip_handler=Atlas(),
        block_cloud_providers=["aws:!EU-west-1", "gcp"],
        exclude_paths=["/static/", "/a/../health"],
        allowed_content_types=["Application/JSON; charset=utf-8"],
        cors_allow_origins=["HTTPS://Example.COM"],
        allowed_hosts=["*.Example.com", "example.com."],
        custom_error_responses={"403": "No."},
    )
    networks.append("0.0.0.0/0")
    limits["/x"] = [1, 1]
    assert config.trusted_proxies == ("10.0.0.0/8", "192.0.2.1", "2001:db8::1", "unix")
    assert config.endpoint_rate_limits == {"/login": (5, 60), "/a/b": (1, 1)}
    assert config.blocked_countries == frozenset({"NZ", "AU"})
    assert config.block_cloud_providers == frozenset({"AWS:!eu-west-1", "GCP"})
    assert config.exclude_paths == ("/static", "/health")
    assert config.allowed_content_types == ("application/json",)
    assert config.cors_allow_origins == ("https://example.com",)
    assert config.allowed_hosts == (".example.com", "example.com")
    assert config.custom_error_responses == {403: "No."}
    with pytest.raises(TypeError):
        config.endpoint_rate_limits["/y"] = (1, 1)  # type: ignore[index]


def test_no_option_can_be_changed_in_place() -> None:
    config = SecurityConfig()
    with pytest.raises(FrozenInstanceError):
        config.rate_limit = 7  # type: ignore[misc]
    with pytest.raises((FrozenInstanceError, AttributeError)):
        config.rate_limt = 7  # type: ignore[attr-defined]


def test_every_default_survives_its_own_check() -> None:
    """A default is used without being converted, so it must be what conversion would make."""
    config = SecurityConfig()
    again = SecurityConfig.from_mapping(
        {option.name: getattr(config, option.name) for option in options_of(SecurityConfig)}
    )
    assert again == config
    for option in options_of(SecurityConfig):
        value = getattr(config, option.name)
        assert type(getattr(again, option.name)) is type(value), option.name
        assert type(value) not in (list, set, dict), option.name


def test_help_shows_the_options_and_types() -> None:
    parameters = inspect.signature(SecurityConfig).parameters
    assert parameters["rate_limit"].default == 600
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters.values())
    with pytest.raises(TypeError):
        SecurityConfig(5)  # type: ignore[misc]


# Warnings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sync_body_read_max_concurrent", 8),
        ("body_read_timeout", 1.0),
        ("detection_compiler_timeout", 1.0),
        ("detection_max_scan_seconds", 1.0),
        ("detection_pattern_validation_cache_path", "/tmp/cache"),
        ("detection_semantic_threshold", 0.5),
        ("detection_monitor_history_size", 200),
        ("excluded_semantic_detection_headers", ["x-a"]),
        ("redis_retries", 2),
        ("redis_health_check_interval", 9),
        ("redis_fail_open", True),
    ],
)
def test_an_option_that_does_nothing_here_says_why(option: str, value: Any) -> None:
    with pytest.warns(IgnoredOption, match=f"^{option} does nothing: .+") as caught:
        config = SecurityConfig(**{option: value})
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SecurityConfig(**{option: SecurityConfig().to_mapping()[option]})
        config.evolve(rate_limit=5)


@pytest.mark.parametrize(
    "options",
    [
        {"whitelist_countries": ["NZ"], "blocked_countries": ["AU"], "geo_ip_handler": Atlas()},
        {"trusted_proxies": ["0.0.0.0/0"]},
        {"exempt_ips": ["::/0"]},
        {"exclude_paths": ["/"]},
        {"enabled_detection_categories": []},
        {"security_headers": {"hsts": {"max_age": 60, "preload": True}}},
        {"trust_x_forwarded_proto": True},
        {"security_headers": {"csp": {"defaultsrc": ["'self'"]}}},
        {"security_headers": {"csp": {"default-src": ["self"]}}},
        {"enable_agent": True, "agent_api_key": "short"},
    ],
    ids=lambda each: stable(str(each)),
)
def test_a_doubtful_configuration_is_served_with_a_warning(options: dict[str, Any]) -> None:
    with pytest.warns(DoubtfulOption):
        config = SecurityConfig(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config.evolve(rate_limit=5)


# Secrets -----------------------------------------------------------------------------------------

SECRETS = {
    "agent_api_key": "k-very-secret",
    "ipinfo_token": "t-very-secret",
    "redis_url": "redis://:p-very-secret@localhost",
    "agent_project_encryption_key": "e-very-secret",
    "agent_payload_signing_secret": "s-very-secret",
}


def test_repr_names_what_was_set_and_hides_secrets() -> None:
    config = SecurityConfig(rate_limit=7, enable_agent=True, **SECRETS)
    assert "rate_limit=7" in repr(config)
    assert "agent_api_key='***'" in repr(config)
    assert "very-secret" not in repr(config)
    assert "rate_limit_window" not in repr(config)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("lmdb:///var/lib/shop/guard", "lmdb:///var/lib/shop/guard"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("redis://shop:pa/ss@cache:6379/0", "redis://***@cache:6379/0"),
        ("redis://:p@ss@cache", "redis://***@cache"),
        ("redis://cache/0?password=p@ss", "redis://***"),
        ("redis://:pa?ss@cache", "redis://***"),
    ],
)
def test_repr_shows_where_the_store_is_without_a_password(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_repr_shows_the_path_of_a_store() -> None:
    assert (
        repr(SecurityConfig(store_url="lmdb:///srv/x"))
        == "SecurityConfig(store_url='lmdb:///srv/x')"
    )


def test_a_fault_of_an_exclusion_names_the_entry() -> None:
    entries = [{"path": "/a", "params": ["q"]}, {"path": "/b", "fields": ["text"]}]
    with pytest.raises(ConfigError, match=r"detection_exclusions entry 2 has the unknown key"):
        SecurityConfig(detection_exclusions=entries)


@pytest.mark.parametrize("option", [*SECRETS, "store_url"])
def test_a_fault_of_a_secret_does_not_quote_it(option: str) -> None:
    faults = faults_of(**{option: ["very-secret"]})
    assert "very-secret" not in str(faults)


def test_a_fault_of_a_store_does_not_quote_its_password() -> None:
    (fault,) = faults_of(store_url="radis://user:very-secret@localhost")
    assert "very-secret" not in fault
    assert "'radis'" in fault
    (fault,) = faults_of(store_url="very-secret")
    assert "very-secret" not in fault


# Changing and copying ----------------------------------------------------------------------------


def test_evolve_makes_another_one_and_checks_the_whole() -> None:
    config = SecurityConfig(rate_limit=7)
    changed = config.evolve(blacklist=["192.0.2.1"])
    assert (changed.rate_limit, changed.blacklist) == (7, ("192.0.2.1",))
    assert config.blacklist == ()
    assert changed != config
    assert changed.evolve(blacklist=()) == config
    with pytest.raises(ConfigError, match="agent_api_key"):
        config.evolve(enable_agent=True)
    with pytest.raises(ConfigError, match="did you mean 'blacklist'"):
        config.evolve(blaclist=[])


def test_a_copy_is_the_same_and_a_pickled_one_is_equal() -> None:
    config = SecurityConfig(rate_limit=7, endpoint_rate_limits={"/a": (1, 2)})
    assert copy.copy(config) is copy.deepcopy(config) is config
    assert copy.deepcopy({"GUARD": config}) == {"GUARD": config}
    assert pickle.loads(pickle.dumps(config)) == config


def test_evolved_configurations_share_the_record_of_decorated_views() -> None:
    config = SecurityConfig()
    assert decorated_by(config.evolve(rate_limit=3)) is decorated_by(config)
    assert decorated_by(SecurityConfig()) is not decorated_by(config)


def test_tables_of_a_file_make_the_same_objects_as_code() -> None:
    from_file = SecurityConfig(
        threat_ban_config={"sqli": {"threshold": 2, "duration": 60}},
        global_behavior_rules=[{"rule_type": "usage", "threshold": 3, "action": "throttle"}],
        detection_exclusions=[{"path": "/blog/*", "body_fields": ["text"]}],
    )
    from_code = SecurityConfig(
        threat_ban_config={"sqli": ThreatBanConfig(threshold=2, duration=60)},
        global_behavior_rules=[
            BehaviorRuleConfig(rule_type="usage", threshold=3, action="throttle")
        ],
        detection_exclusions=[DetectionExclusion(path="/blog/*", body_fields=frozenset({"text"}))],
    )
    assert from_file == from_code
    (exclusion,) = from_code.detection_exclusions
    loose = DetectionExclusion(path="/blog/*", body_fields=["text"])
    assert hash(loose) == hash(exclusion)
    assert isinstance(from_file.global_behavior_rules[0], BehaviorRule)


@pytest.mark.parametrize(
    ("path", "covered"),
    [("/blog/*", ["/blog/", "/blog/a/b"]), ("/blog", ["/blog"]), ("*", [])],
)
def test_an_exclusion_covers_its_path_only(path: str, covered: list[str]) -> None:
    if path == "*":
        assert faults_of(detection_exclusions=[{"path": path, "params": ["q"]}])
        return
    (exclusion,) = SecurityConfig(
        detection_exclusions=[{"path": path, "params": ["q"]}]
    ).detection_exclusions
    paths = ["/blog", "/blog/", "/blog/a/b", "/blogger", "/", "/a/blog"]
    assert [each for each in paths if exclusion.covers(each)] == covered


# Round trip --------------------------------------------------------------------------------------

_networks = st.lists(
    st.one_of(st.ip_addresses().map(str), st.sampled_from(["10.0.0.0/8", "2001:db8::/32"])),
    max_size=4,
)
_names = st.lists(st.text(min_size=1, max_size=8), max_size=3)
_options = st.fixed_dictionaries(
    {},
    optional={
        "trusted_proxies": _networks,
        "whitelist": st.none() | _networks,
        "blacklist": _networks,
        "rate_limit": st.integers(1, 10**6),
        "rate_limit_window": st.integers(1, 10**6),
        "endpoint_rate_limits": st.dictionaries(
            st.sampled_from(["/", "/a", "/a/b"]),
            st.tuples(st.integers(1, 99), st.integers(1, 99)),
        ),
        "custom_error_responses": st.dictionaries(st.integers(400, 599), st.text()),
        "threat_ban_config": st.dictionaries(
            st.sampled_from(["sqli", "xss", "rate_limit"]),
            st.fixed_dictionaries(
                {"threshold": st.integers(1, 99), "duration": st.integers(1, 99)}
            ),
        ),
        "excluded_detection_params": _names,
        "log_sensitive_headers": _names,
        "detection_threat_score_threshold": st.sampled_from(["relaxed", "strict"])
        | st.floats(0.1, 9),
        "store_timeout": st.floats(0.001, 9),
        "security_headers": st.sampled_from(
            [
                None,
                "api",
                {"preset": "api", "hsts": {"max_age": 5}, "custom": {"X-A": "b"}},
                {"csp": {"default-src": ["'self'"]}, "frame_options": None},
            ]
        ),
        "global_behavior_rules": st.lists(
            st.fixed_dictionaries(
                {
                    "rule_type": st.sampled_from(["usage", "frequency"]),
                    "threshold": st.integers(1, 99),
                }
            ),
            max_size=2,
        ),
        "detection_exclusions": st.lists(
            st.fixed_dictionaries(
                {"path": st.sampled_from(["/a", "/a/*"]), "params": _names.filter(bool)}
            ),
            max_size=2,
        ),
        "enabled": st.booleans(),
        "ipinfo_db_path": st.none() | st.just("a/b.mmdb"),
        "block_cloud_providers": st.none() | st.sets(st.sampled_from(["AWS", "GCP:!us-east1"])),
    },
)


@given(options=_options)
def test_a_mapping_makes_the_configuration_it_came_from(options: dict[str, Any]) -> None:
    config = SecurityConfig(**options)
    mapping = config.to_mapping()
    assert SecurityConfig.from_mapping(mapping) == config
    assert SecurityConfig.from_mapping(mapping).to_mapping() == mapping


@given(networks=_networks)
def test_networks_keep_their_meaning_in_canonical_spelling(networks: list[str]) -> None:
    config = SecurityConfig(blacklist=networks)
    before, after = IPSet(networks), IPSet(config.blacklist)
    assert (before._ranges, len(before)) == (after._ranges, len(after))


def test_a_mapping_holds_plain_values_only() -> None:
    config = SecurityConfig(
        threat_ban_config={"sqli": ThreatBanConfig(1, 2)}, dynamic_rules_cache_path=Path("x")
    )
    plain = (str, int, float, bool, list, dict, type(None))
    mapping = config.to_mapping()
    assert all(isinstance(value, plain) for value in mapping.values())
    assert mapping["threat_ban_config"] == {"sqli": {"threshold": 1, "duration": 2}}
    assert not isinstance(mapping["threat_ban_config"], MappingProxyType)
    pickle.dumps(mapping)


# The store and the agent -------------------------------------------------------------------------


def test_enable_redis_is_another_spelling_of_store_url() -> None:
    assert SecurityConfig(enable_redis=True).effective_store_url == "redis://localhost:6379"
    config = SecurityConfig(enable_redis=True, redis_url="redis://r:1/0", redis_socket_timeout=0.5)
    assert config.effective_store_url == "redis://r:1/0"
    assert config.effective_store_timeout == 0.5
    assert SecurityConfig(redis_url="redis://r:1/0").effective_store_url == "memory://"
    assert SecurityConfig(store_timeout=0.2).effective_store_timeout == 0.2


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_every_store_that_can_be_named_can_be_opened(scheme: Scheme) -> None:
    assert callable(import_module(scheme.module).open_backend)


def test_a_strategy_that_a_store_cannot_keep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemes, "find_spec", lambda name: name)
    options = {"store_url": "memcached://localhost:11211"}
    SecurityConfig(**options)
    (fault,) = faults_of(**options, rate_limit_strategy="moving-window")
    assert "memcached" in fault


def test_options_of_redis_reach_its_client_only() -> None:
    options = {
        "redis_socket_connect_timeout": 0.2,
        "redis_max_connections": 5,
    }
    assert SecurityConfig(enable_redis=True, **options).store_options == {
        "socket_connect_timeout": 0.2,
        "max_connections": 5,
    }
    assert SecurityConfig(enable_redis=True).store_options == {}
    assert SecurityConfig(**options).store_options == {}


def test_a_store_without_its_package_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schemes, "find_spec", lambda name: None)
    assert "guard-wsgi[redis]" in faults_of(store_url="redis://localhost")[0]
    assert "guard-wsgi[lmdb]" in faults_of(store_url="lmdb:///tmp/guard")[0]
    assert "guard-wsgi[memcached]" in faults_of(store_url="memcached://localhost")[0]
    assert "guard-wsgi[crypto]" in faults_of(agent_project_encryption_key="k")[0]
    (fault,) = faults_of(blocked_countries=["NZ"], ipinfo_token="t")
    assert "guard-wsgi[geo]" in fault
    SecurityConfig(blocked_countries=["NZ"], geo_ip_handler=Atlas())
    SecurityConfig(store_url="memory://")


def test_the_agent_gets_its_part_of_the_configuration() -> None:
    def on_error(stage: str, error: BaseException, context: Any) -> None: ...

    config = SecurityConfig(
        enable_agent=True,
        agent_api_key="key-of-the-agent",
        agent_project_id="p",
        agent_endpoint="https://collector.example/api/v1/",
        agent_sensitive_headers=["X-Token"],
        agent_spool_path="spool.db",
        dynamic_rule_interval=120,
        on_error=on_error,
    )
    agent = config.to_agent_config()
    assert isinstance(agent, AgentConfig)
    assert agent.api_key == "key-of-the-agent"
    assert agent.endpoint == "https://collector.example"
    assert agent.sensitive_headers == ("x-token",)
    assert agent.spool_path == "spool.db"
    assert agent.dynamic_rule_interval == 120
    assert agent.on_error is on_error
    assert SecurityConfig().to_agent_config() is None


def test_the_agents_defaults_are_the_same_from_both_sides() -> None:
    config = SecurityConfig(enable_agent=True, agent_api_key="key-of-the-agent")
    assert config.to_agent_config() == AgentConfig(api_key="key-of-the-agent")
