"""Rules of single routes: the marks of a decorator on a view, and how rules combine."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import time
from functools import partial, wraps
from typing import Any

import pytest
from flask import Flask
from flask.views import MethodView
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.config.security import DoubtfulOption, SecurityConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.options.resolving import options_of
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.decorated_views import decorated_by
from guard_wsgi.routes.decorator_faults import ARGUMENTS
from guard_wsgi.routes.decorators import SecurityDecorator, route_config_of
from tests.kit.ids import stable


class Atlas:
    def get_country(self, ip: str) -> str | None:
        return "NZ"


def verify(request: Any, credential: str) -> str | None:
    return "somebody"


def decorator(**options: Any) -> SecurityDecorator:
    return SecurityDecorator(SecurityConfig(**options))


def marked(*decorators: Callable[[Any], Any]) -> RouteConfig:
    """Return the rules of a view after the decorators, the innermost first."""

    def view() -> None: ...

    decorated = view
    for each in decorators:
        decorated = each(decorated)
    assert decorated.__wrapped__ is view, "one layer, however many decorators"
    route = route_config_of(decorated)
    assert route_config_of(view) == route
    assert route is not None
    return route


# Every decorator ---------------------------------------------------------------------------------

GUARD = decorator(geo_ip_handler=Atlas(), behavior_scan_response_body=True)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (
            GUARD.require_ip(["10.0.0.1/8"], ["::1"]),
            {"ip_whitelist": ("10.0.0.0/8",), "ip_blacklist": ("::1",)},
        ),
        (GUARD.block_countries(["au"]), {"blocked_countries": {"AU"}}),
        (GUARD.allow_countries(["nz"]), {"whitelist_countries": {"NZ"}}),
        (GUARD.block_clouds(["aws"]), {"block_cloud_providers": {"AWS"}}),
        (GUARD.block_user_agents(["curl"]), {"blocked_user_agents": ("curl",)}),
        (GUARD.bypass(["ip", "clouds"]), {"bypassed_checks": {"ip", "clouds"}}),
        (
            GUARD.require_auth("basic", verifier=verify),
            {"auth_required": "basic", "auth_verifier": verify},
        ),
        (
            GUARD.api_key_auth("X-Key", verifier=verify),
            {
                "api_key_required": True,
                "api_key_header": "X-Key",
                "api_key_verifier": verify,
            },
        ),
        (GUARD.require_authorization_header(), {"authorization_header_required": "bearer"}),
        (GUARD.require_https(), {"require_https": True}),
        (GUARD.require_headers({"X-A": "1"}), {"required_headers": {"X-A": "1"}}),
        (GUARD.require_referrer(["a.example"]), {"require_referrer": ("a.example",)}),
        (
            GUARD.content_type_filter(["Application/JSON"]),
            {"allowed_content_types": ("application/json",)},
        ),
        (GUARD.max_request_size(10), {"max_request_size": 10}),
        (GUARD.custom_validation(verify), {"custom_validators": (verify,)}),
        (GUARD.honeypot_detection(["url"]), {"honeypot_fields": ("url",)}),
        (
            GUARD.rate_limit(5, window=10, cost=2, key=verify, exempt_when=verify),
            {
                "rate_limit": 5,
                "rate_limit_window": 10,
                "rate_limit_cost": 2,
                "rate_limit_key": verify,
                "rate_limit_exempt_when": verify,
            },
        ),
        (
            GUARD.geo_rate_limit({"nz": (5, 10), "*": (1, 1)}),
            {"geo_rate_limits": {"NZ": (5, 10), "*": (1, 1)}},
        ),
        (
            GUARD.usage_monitor(3, window=60, action="log"),
            {"behavior_rules": (BehaviorRule("usage", 3, 60, action="log"),)},
        ),
        (
            GUARD.return_monitor("status:404", 3),
            {
                "behavior_rules": (
                    BehaviorRule("return_pattern", 3, 86_400, "status:404", action="ban"),
                )
            },
        ),
        (
            GUARD.suspicious_frequency(0.5, window=60, action="throttle"),
            {"behavior_rules": (BehaviorRule("frequency", 30, 60, action="throttle"),)},
        ),
        (
            GUARD.behavior_analysis([BehaviorRule("usage", 9)]),
            {"behavior_rules": (BehaviorRule("usage", 9),)},
        ),
        (GUARD.suspicious_detection(False), {"enable_suspicious_detection": False}),
        (GUARD.upload_inspection("strict"), {"upload_inspection": "strict"}),
        (
            GUARD.detection_exclusion(
                headers=["X-A"],
                params=["q"],
                body_fields=["text"],
                enabled_categories=["sqli"],
                scan_body=False,
                semantic_headers=["X-B"],
            ),
            {
                "excluded_detection_headers": {"x-a", "x-b"},
                "excluded_detection_params": {"q"},
                "excluded_detection_body_fields": {"text"},
                "enabled_detection_categories": {"sqli"},
                "detection_scan_body": False,
            },
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_decorator_says_its_rule_and_nothing_else(
    mark: Callable[[Any], Any], said: dict[str, Any]
) -> None:
    assert marked(mark) == RouteConfig(**said)


def test_a_time_window_is_read_with_its_zone() -> None:
    window = marked(GUARD.time_window("22:00", "06:30", "Europe/Berlin")).time_restrictions
    assert window is not None
    assert (window.start, window.end, window.zone.key) == (time(22), time(6, 30), "Europe/Berlin")


def test_all_clouds_are_those_that_host_servers() -> None:
    providers = marked(GUARD.block_clouds()).block_cloud_providers
    assert providers is not None
    assert {"AWS", "GCP", "Azure", "DigitalOcean", "Linode", "Vultr"} <= providers
    assert "Cloudflare" not in providers


# What is refused at decoration -----------------------------------------------------------------


@pytest.mark.parametrize(
    "decorate",
    [
        partial(GUARD.require_ip, whitelist=["office"]),
        partial(GUARD.require_ip),
        partial(GUARD.block_countries, ["Australia"]),
        partial(GUARD.block_countries, []),
        partial(GUARD.block_clouds, ["IBM"]),
        partial(GUARD.block_clouds, []),
        partial(GUARD.block_user_agents, ["("]),
        partial(GUARD.block_user_agents, ["(?<=a)(b*)*c"]),
        partial(GUARD.bypass, ["everything"]),
        partial(GUARD.bypass, "all"),
        partial(GUARD.require_auth),
        partial(GUARD.require_auth, type=" ", verifier=verify),
        partial(GUARD.require_auth, verifier="admin"),
        partial(GUARD.api_key_auth),
        partial(GUARD.api_key_auth, "X Key", verifier=verify),
        partial(GUARD.require_headers, {"X A": "required"}),
        partial(GUARD.require_headers, {}),
        partial(GUARD.require_referrer, []),
        partial(GUARD.require_referrer, "a.example"),
        partial(GUARD.content_type_filter, ["json"]),
        partial(GUARD.max_request_size, 0),
        partial(GUARD.time_window, "9", "17:00"),
        partial(GUARD.time_window, "09:00", "24:00"),
        partial(GUARD.time_window, "09:00", "17:00", "Europe/Atlantis"),
        partial(GUARD.custom_validation, None),
        partial(GUARD.custom_validation, "check"),
        partial(GUARD.honeypot_detection, []),
        partial(GUARD.rate_limit, 0),
        partial(GUARD.rate_limit, 5, window=0),
        partial(GUARD.rate_limit, 5, cost=0),
        partial(GUARD.rate_limit, 5, key="user"),
        partial(GUARD.rate_limit, lambda: None),
        partial(GUARD.geo_rate_limit, {"NZ": (0, 1)}),
        partial(GUARD.geo_rate_limit, {"Kiwi": (1, 1)}),
        partial(GUARD.usage_monitor, 0),
        partial(GUARD.usage_monitor, 3, action="scold"),
        partial(GUARD.return_monitor, "", 3),
        partial(GUARD.suspicious_frequency, 0),
        partial(GUARD.suspicious_frequency, "often"),
        partial(GUARD.behavior_analysis, []),
        partial(GUARD.behavior_analysis, ["usage"]),
        partial(GUARD.detection_exclusion, enabled_categories=["sql"]),
        partial(GUARD.detection_exclusion, params="q"),
        partial(GUARD.suspicious_detection, "maybe"),
    ],
    ids=lambda each: stable(f"{each.func.__name__}{each.args}{each.keywords}"),
)
def test_a_rule_that_could_not_hold_is_refused_at_decoration(decorate: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="fault"):
        decorate()


def test_categories_of_an_exclusion_are_those_that_stay_on_and_the_guard_says_so() -> None:
    with pytest.warns(DoubtfulOption, match=r"leaves only .* on and.*write enabled_categories"):
        rules = marked(GUARD.detection_exclusion(categories=["xss"]))
    assert rules == marked(GUARD.detection_exclusion(enabled_categories=["xss"]))
    assert rules.enabled_detection_categories == {"xss"}
    with pytest.raises(ConfigError, match="keep enabled_categories"):
        GUARD.detection_exclusion(categories=["xss"], enabled_categories=["xss"])


def test_a_verifier_that_would_have_to_be_awaited_is_refused() -> None:
    async def later(request: Any, credential: str) -> bool:
        return True

    with pytest.raises(ConfigError, match="synchronous"):
        GUARD.require_auth(verifier=later)


def test_the_configurations_verifier_will_do() -> None:
    guard = decorator(auth_verifier=verify)
    assert marked(guard.require_auth()).auth_required == "bearer"
    assert marked(guard.api_key_auth()).api_key_required is True


def test_presence_and_proof_of_credentials_are_not_mixed() -> None:
    guard = decorator(auth_verifier=verify)
    with pytest.raises(ConfigError, match="keep one of them"):
        marked(guard.require_auth(), guard.require_authorization_header())
    with pytest.raises(ConfigError, match="keep one of them"):
        marked(guard.require_authorization_header(), guard.api_key_auth())


@pytest.mark.parametrize(
    ("decorate", "fault"),
    [
        (lambda guard: guard.time_window("9", "17"), "@time_window needs a time"),
        (lambda guard: guard.require_ip(["x"]), "@require_ip: whitelist contains 'x'"),
        (lambda guard: guard.content_type_filter(["json"]), "@content_type_filter contains 'json'"),
        (lambda guard: guard.bypass(["foo"]), "@bypass has the unknown name 'foo'; known are all"),
        (lambda guard: guard.usage_monitor(0), "@usage_monitor: max_calls must be at least 1"),
        (lambda guard: guard.return_monitor("status:x", 5), "@return_monitor: pattern: 'x' is not"),
        (lambda guard: guard.custom_validation("x"), "@custom_validation: validator must be"),
        (lambda guard: guard.honeypot_detection([]), "@honeypot_detection needs at least one"),
        (lambda guard: guard.suspicious_frequency(-1), "@suspicious_frequency: max_frequency must"),
        (lambda guard: guard.rate_limit(1, window=0), "@rate_limit: window must be at least 1"),
        (lambda guard: guard.block_countries(["AU"]), "@block_countries needs a source"),
        (lambda guard: guard.geo_rate_limit({"*": (1, 1)}), "@geo_rate_limit needs a source"),
    ],
)
def test_a_fault_names_the_decorator_and_its_argument(decorate: Any, fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        decorate(SecurityDecorator(SecurityConfig()))
    assert raised.value.faults[0].startswith(fault)


def test_each_option_of_a_decorator_has_its_words() -> None:
    """Each option that a decorator passes to ``_marking`` is in the table, except those that can't
    be wrong."""
    source = inspect.getsource(SecurityDecorator)
    given = set(re.findall(r"_marking\(\s*(\w+)=|^            (\w+)=\w+,$", source, re.M))
    names = {first or second for first, second in given} & {
        option.name for option in options_of(RouteConfig)
    }
    assert len(names) > 20
    assert names - set(ARGUMENTS) == {"require_https", "api_key_required", "behavior_rules"}


@pytest.mark.parametrize(
    "decorate",
    [
        lambda guard: guard.block_countries(["AU"]),
        lambda guard: guard.allow_countries(["NZ"]),
        lambda guard: guard.geo_rate_limit({"*": (1, 1)}),
    ],
)
def test_a_country_rule_without_a_source_of_countries_is_refused(decorate: Any) -> None:
    with pytest.raises(ConfigError, match="source of countries"):
        decorate(decorator())


def test_a_body_pattern_without_reading_bodies_is_refused() -> None:
    guard = decorator()
    guard.return_monitor("status:404", 3)
    with pytest.raises(ConfigError, match="behavior_scan_response_body"):
        guard.return_monitor("not found", 3)
    with pytest.raises(ConfigError, match="behavior_scan_response_body"):
        guard.behavior_analysis([BehaviorRule("return_pattern", 1, pattern="regex:x")])


def test_only_views_can_be_decorated() -> None:
    with pytest.raises(TypeError, match="a view is a function or a class"):
        GUARD.require_https()("view")  # type: ignore[type-var]


# Stacking ----------------------------------------------------------------------------------------


def test_the_outermost_wins_where_a_value_can_only_be_one_and_says_so() -> None:
    with pytest.warns(DoubtfulOption, match="two decorators that set rate_limit"):
        route = marked(GUARD.rate_limit(5, window=10), GUARD.rate_limit(7))
    assert (route.rate_limit, route.rate_limit_window) == (7, 60)
    with pytest.warns(DoubtfulOption, match="max_request_size"):
        assert marked(GUARD.max_request_size(5), GUARD.max_request_size(9)).max_request_size == 9
    with pytest.warns(DoubtfulOption, match="enable_suspicious_detection"):
        route = marked(GUARD.suspicious_detection(True), GUARD.suspicious_detection(False))
    assert route.enable_suspicious_detection is False
    marked(GUARD.max_request_size(5), GUARD.max_request_size(5), GUARD.rate_limit(7))


def test_lists_and_tables_extend() -> None:
    def other(request: Any) -> None: ...

    route = marked(
        GUARD.require_headers({"X-A": "1", "X-B": "1"}),
        GUARD.require_headers({"X-B": "2"}),
        GUARD.block_user_agents(["curl"]),
        GUARD.block_user_agents(["wget", "curl"]),
        GUARD.custom_validation(verify),
        GUARD.custom_validation(other),
        GUARD.bypass(["ip"]),
        GUARD.bypass(["clouds"]),
        GUARD.honeypot_detection(["url"]),
        GUARD.honeypot_detection(["fax"]),
        GUARD.usage_monitor(3),
        GUARD.usage_monitor(9),
        GUARD.detection_exclusion(params=["a"]),
        GUARD.detection_exclusion(params=["b"]),
    )
    assert route.required_headers == {"X-A": "1", "X-B": "2"}
    assert route.blocked_user_agents == ("curl", "wget")
    assert route.custom_validators == (verify, other)
    assert route.bypassed_checks == {"ip", "clouds"}
    assert route.honeypot_fields == ("url", "fax")
    assert [rule.threshold for rule in route.behavior_rules] == [3, 9]
    assert route.excluded_detection_params == {"a", "b"}


def test_a_rule_says_nothing_of_other_rules() -> None:
    """Unset means inherit: a rate limit on a route must not switch off its HTTPS rule."""
    route = marked(GUARD.rate_limit(5))
    unset = RouteConfig()
    for option in options_of(RouteConfig):
        if not option.name.startswith("rate_limit"):
            assert getattr(route, option.name) == getattr(unset, option.name), option.name
            assert not getattr(unset, option.name)


_SINGLE: dict[str, st.SearchStrategy[Any]] = {
    "rate_limit": st.none() | st.integers(1, 9),
    "require_https": st.none() | st.booleans(),
    "max_request_size": st.none() | st.integers(1, 9),
    "enable_suspicious_detection": st.none() | st.booleans(),
    "ip_whitelist": st.none() | st.just(("10.0.0.1",)),
}
_overlays = st.fixed_dictionaries(
    {},
    optional={
        **_SINGLE,
        "bypassed_checks": st.sets(st.sampled_from(["ip", "clouds"])),
        "honeypot_fields": st.lists(st.sampled_from(["a", "b"]), unique=True),
        "required_headers": st.dictionaries(st.sampled_from(["X-A", "X-B"]), st.just("1")),
    },
).map(lambda options: RouteConfig(**options))


@given(over=_overlays, under=_overlays, base=_overlays)
def test_laying_overlays_is_associative_and_empty_ones_change_nothing(
    over: RouteConfig, under: RouteConfig, base: RouteConfig
) -> None:
    nothing = RouteConfig()
    assert over.merged_over(nothing) == over == over.merged_over(None)
    assert nothing.merged_over(over) == over
    left = over.merged_over(under).merged_over(base)
    right = over.merged_over(under.merged_over(base))
    for name in (*_SINGLE, "bypassed_checks", "required_headers"):
        assert getattr(left, name) == getattr(right, name)
    for name in _SINGLE:
        mine, theirs = getattr(over, name), getattr(under, name)
        assert getattr(over.merged_over(under), name) == (theirs if mine is None else mine)
    assert set(over.merged_over(under).honeypot_fields) == {
        *over.honeypot_fields,
        *under.honeypot_fields,
    }


def test_a_route_config_reports_every_fault() -> None:
    with pytest.raises(ConfigError) as raised:
        RouteConfig(rate_limit=0, ip_blacklist=["x"], require_htps=True)  # type: ignore[call-arg]
    assert len(raised.value.faults) == 3
    assert "did you mean 'require_https'?" in str(raised.value)


# Finding the rules of a view -------------------------------------------------------------------


def test_a_wrapper_made_with_wraps_keeps_the_rules() -> None:
    @GUARD.require_https()
    def view() -> None: ...

    @wraps(view)
    def wrapper() -> None:
        view()

    assert route_config_of(wrapper) == RouteConfig(require_https=True)


def test_a_decorator_over_a_wrapper_adds_to_the_rules_below() -> None:
    @GUARD.require_https()
    def view() -> None: ...

    @GUARD.max_request_size(5)
    @wraps(view)
    def wrapper() -> None:
        view()

    assert route_config_of(wrapper) == RouteConfig(require_https=True, max_request_size=5)
    assert route_config_of(view) == RouteConfig(require_https=True)


def test_a_wrapper_made_without_wraps_does_not_hide_the_rules() -> None:
    def careless(function: Callable[[], None]) -> Callable[[], None]:
        def wrapper() -> None:
            function()

        return wrapper

    @GUARD.max_request_size(5)
    @careless
    @careless
    @GUARD.require_https()
    def view() -> None: ...

    assert route_config_of(view) == RouteConfig(require_https=True, max_request_size=5)
    assert route_config_of(partial(view)) == route_config_of(view)


def test_a_view_that_calls_another_gets_its_restrictions_and_none_of_its_licences() -> None:
    @GUARD.bypass(["all"])
    @GUARD.suspicious_detection(False)
    @GUARD.detection_exclusion(params=["q"], enabled_categories=["xss"], scan_body=False)
    @GUARD.require_https()
    def trusted() -> None: ...

    def public() -> None:
        trusted()

    assert route_config_of(public) == RouteConfig(require_https=True)
    assert route_config_of(public) is route_config_of(public)
    assert route_config_of(trusted) != route_config_of(public)


def test_arguments_of_a_wrapper_are_not_its_view() -> None:
    @GUARD.bypass(["ip"])
    def fallback() -> None: ...

    def falling_back_to(other: Callable[[], None]) -> Callable[[Any], Any]:
        def decorate(view: Callable[[], None]) -> Callable[[], None]:
            @wraps(view)
            def wrapper() -> None:
                view()
                other()

            return wrapper

        return decorate

    @falling_back_to(fallback)
    @GUARD.require_https()
    def view() -> None: ...

    assert route_config_of(view) == RouteConfig(require_https=True)


def test_a_wrapper_finds_its_own_rules_after_those_below_were_asked_for() -> None:
    @GUARD.require_https()
    def view() -> None: ...

    assert route_config_of(view) == RouteConfig(require_https=True)

    @GUARD.max_request_size(5)
    @wraps(view)
    def wrapper() -> None:
        view()

    assert route_config_of(wrapper) == RouteConfig(require_https=True, max_request_size=5)


def test_a_view_without_rules_has_none() -> None:
    assert route_config_of(lambda: None) is None
    assert route_config_of(GUARD) is None


def test_class_based_views_carry_rules_on_class_and_method() -> None:
    @GUARD.require_https()
    @GUARD.max_request_size(5)
    class Items(MethodView):
        @GUARD.rate_limit(5)
        def get(self) -> str:
            return ""

        @GUARD.max_request_size(9)
        def post(self) -> str:
            return ""

    view = Items.as_view("items")
    assert route_config_of(view, "GET") == RouteConfig(
        require_https=True,
        max_request_size=5,
        rate_limit=5,
        rate_limit_window=60,
        rate_limit_cost=1,
    )
    assert route_config_of(view, "HEAD") == route_config_of(view, "GET")
    assert route_config_of(view, "POST") == RouteConfig(require_https=True, max_request_size=9)
    assert route_config_of(view, "POST") is route_config_of(view, "POST")
    assert route_config_of(view, "GET") is not route_config_of(view, "POST")


def test_class_based_views_carry_rules_from_their_list_of_decorators() -> None:
    class Items(MethodView):
        decorators = (GUARD.require_https(),)

        def get(self) -> str:
            return ""

    view = Items.as_view("items")
    assert route_config_of(view) == RouteConfig(require_https=True)


def test_a_subclass_inherits_the_rules_of_its_base_and_keeps_its_own_to_itself() -> None:
    @GUARD.require_https()
    class Base(MethodView):
        def get(self) -> str:
            return ""

    @GUARD.max_request_size(5)
    class Derived(Base):
        pass

    assert route_config_of(Base.as_view("base")) == RouteConfig(require_https=True)
    assert route_config_of(Derived.as_view("derived")) == RouteConfig(
        require_https=True, max_request_size=5
    )


def test_rules_lie_on_methods_however_they_are_bound() -> None:
    class Shop:
        def buy(self) -> None: ...

        @staticmethod
        def sell() -> None: ...

    shop = Shop()
    assert GUARD.require_https()(shop.buy).__self__ is shop
    assert route_config_of(shop.buy) == RouteConfig(require_https=True)
    GUARD.max_request_size(5)(Shop.sell)
    assert route_config_of(Shop.sell) == RouteConfig(max_request_size=5)


def test_a_decorator_works_under_and_over_a_route() -> None:
    app = Flask(__name__)

    @app.get("/under")
    @GUARD.require_https()
    def under() -> str:
        return ""

    @GUARD.require_https()
    @app.get("/over")
    def over() -> str:
        return ""

    for endpoint in ("under", "over"):
        assert route_config_of(app.view_functions[endpoint]) == RouteConfig(require_https=True)


# The record of marked views --------------------------------------------------------------------


def test_each_marked_view_is_on_record_once_and_can_be_asked_for_by_name() -> None:
    config = SecurityConfig()
    guard = SecurityDecorator(config)

    @guard.require_https()
    @guard.max_request_size(5)
    def view() -> None: ...

    first = view

    @guard.require_https()
    def view() -> None: ...

    assert list(decorated_by(config)) == [first.__wrapped__, view.__wrapped__]
    assert decorated_by(config.evolve(rate_limit=5)) is decorated_by(config)
    base = f"{__name__}.{view.__qualname__}"
    assert guard.get_route_config(base) == RouteConfig(require_https=True, max_request_size=5)
    assert guard.get_route_config(f"{base}#2") == RouteConfig(require_https=True)
    assert guard.get_route_config("nowhere") is None
    assert guard.route_config_revision == 3


def test_two_decorators_of_two_apps_know_their_own_views_only() -> None:
    one, other = decorator(), decorator()

    @one.require_https()
    def view() -> None: ...

    assert list(decorated_by(other.config)) == []
    assert other.get_route_config(f"{__name__}.{view.__qualname__}") is None


def test_rules_are_shown_with_the_names_of_functions() -> None:
    rules = RouteConfig(custom_validators=[_validate], auth_required="bearer", auth_verifier=_known)
    text = repr(rules)
    assert f"custom_validators=({__name__}._validate,)" in text
    assert f"auth_verifier={__name__}._known" in text
    assert " at 0x" not in text


def _validate(request: object) -> None:
    """Let everybody in."""


def _known(request: object, credential: str) -> str:
    return "ann"
