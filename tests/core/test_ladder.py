"""The ladder is described once, and no check refuses a request that it let pass."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi import (
    BehaviorRule,
    GuardMiddleware,
    GuardRequest,
    RouteConfig,
    SecurityConfig,
    checks,
)
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.custom import CustomRequestCheck
from guard_wsgi.errors import ConfigError
from guard_wsgi.ladder.ladder import BYPASSES, LADDER, require_known_checks
from guard_wsgi.ladder.splice import is_called, spliced
from guard_wsgi.request.block import Block
from guard_wsgi.request.visit import Visit, arrive
from guard_wsgi.routes.bypass import BYPASS_NAMES
from tests.core.visiting import INJECTION
from tests.kit.gateway import Environ, environ_for, text_app

README = Path(__file__).parents[2] / "README.md"

BANNED = "198.51.100.66"
CLIENTS = ("203.0.113.7", "198.51.100.1", "2001:db8::7", "127.0.0.1", "52.94.76.1", BANNED, "")


class Places:
    """Knows where a client is by the first letter of its address."""

    def get_country(self, ip: str) -> str | None:
        return {"2": "DE", "1": "US"}.get(ip[:1])


class Ranges:
    """The ranges of one cloud provider, always the same."""

    def get(self, provider: str) -> set[str] | None:
        return {"52.94.76.0/24"}

    def set(self, provider: str, ranges: set[str], ttl: int) -> None:
        pass

    def clear(self) -> None:
        pass


class Setting(NamedTuple):
    """Options and a route that give a ladder a check."""

    options: Mapping[str, Any] = MappingProxyType({})
    route: Mapping[str, Any] = MappingProxyType({})

    def __str__(self) -> str:
        return ", ".join([*self.options, *self.route]) or "defaults"


def hour(of: datetime) -> str:
    return f"{of:%H:%M}"


NOW = datetime.now(UTC)
RULES = {"usage": "log", "frequency": "throttle"}
SETTINGS = (
    Setting(),
    Setting({"passive_mode": True}),
    Setting({"emergency_mode": True, "emergency_whitelist": ["203.0.113.7"]}),
    Setting({"blacklist": ["198.51.100.0/24"]}),
    Setting({"whitelist": ["203.0.113.7"]}),
    Setting({}, {"ip_blacklist": ["198.51.100.0/24"]}),
    Setting({}, {"ip_whitelist": ["203.0.113.0/24"]}),
    Setting({"blocked_countries": ["DE"], "geo_ip_handler": Places()}),
    Setting({"geo_ip_handler": Places()}, {"whitelist_countries": ["DE"]}),
    Setting({"block_cloud_providers": ["AWS"], "cloud_ip_store": Ranges()}),
    Setting({"allowed_hosts": ["example.com", ".example.org"]}),
    Setting({"enforce_https": True}),
    Setting({}, {"require_https": True}),
    Setting({"trusted_proxies": ["127.0.0.1"], "trust_x_forwarded_proto": True,
             "enforce_https": True}),
    Setting({"max_request_size": 12}),
    Setting({"allowed_content_types": ["application/json"]}),
    Setting({}, {"required_headers": {"X-Key": "required", "Content-Type": "text/plain"}}),
    Setting({}, {"authorization_header_required": "bearer"}),
    Setting({}, {"auth_required": "bearer", "auth_verifier": lambda request, token: token == "t"}),
    Setting({}, {"require_referrer": ["example.com"]}),
    Setting({}, {"time_restrictions": {"start": hour(NOW - timedelta(hours=3)),
                                       "end": hour(NOW + timedelta(hours=3))}}),
    Setting({}, {"time_restrictions": {"start": hour(NOW + timedelta(hours=3)),
                                       "end": hour(NOW + timedelta(hours=6))}}),
    Setting({"blocked_user_agents": ["bot", "^$"]}),
    Setting({"rate_limit": 2, "enable_rate_limit_auto_ban": True}),
    Setting({"endpoint_rate_limits": {"/page": (1, 60)}}),
    Setting({}, {"rate_limit": 1}),
    Setting({}, {"rate_limit": 4, "rate_limit_cost": 3}),
    Setting({"geo_ip_handler": Places()}, {"geo_rate_limits": {"DE": (1, 60), "*": (2, 60)}}),
    Setting({"rate_limit": 1}, {"rate_limit_key": lambda request: "all"}),
    Setting({"detection_exclusions": [{"path": "/page", "params": ["q"]}]}),
    Setting({"detection_budget_action": "flag", "detection_max_scan_values": 2}),
    Setting({"detection_max_body_inspect_bytes": 1024, "detection_oversized_body": "block"}),
    Setting({"upload_inspection": "strict"}),
    Setting({}, {"honeypot_fields": ["website"]}),
    *(Setting({"global_behavior_rules": [BehaviorRule(kind, 1, 60, action=action)]})
      for kind in ("usage", "frequency") for action in ("log", "throttle", "ban")),
    Setting({}, {"custom_validators": [lambda request: "website" not in request.fields]}),
    Setting({"custom_request_check": lambda request: request.path == "/"}),
)  # fmt: skip


def guard_of(setting: Setting) -> GuardMiddleware:
    config = SecurityConfig(**{"auto_ban_threshold": 2, **setting.options})
    guard = GuardMiddleware(text_app(), config)
    if setting.options.get("block_cloud_providers"):
        guard.services.clouds.load()
    guard.bans.ban(BANNED, 3600, "test")
    return guard


@contextmanager
def twins(setting: Setting) -> Iterator[list[tuple[GuardMiddleware, tuple[Check, ...]]]]:
    """Two guards alike, each with a state of its own."""
    guards = [guard_of(setting) for _ in range(2)]
    route = RouteConfig(**setting.route)
    try:
        yield [(guard, guard.policy.plan(route).checks) for guard in guards]
    finally:
        for guard in guards:
            guard.close()


def texts() -> st.SearchStrategy[str]:
    return st.sampled_from(["", "page=2", urlencode({"q": "it's tea & cake"}), "q=1&q=2&q=3",
                            urlencode({"q": INJECTION}), urlencode({"website": "x"})])  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> Callable[[], Environ]:
    body = draw(texts()).encode()
    declared = draw(st.sampled_from([str(len(body))] * 4 + ["", "0", "7", "-1", "9" * 25]))
    server: dict[str, Any] = {
        "REQUEST_METHOD": draw(st.sampled_from(["GET", "POST", "PUT", "OPTIONS", "HEAD"])),
        "PATH_INFO": draw(st.sampled_from(["/", "/page", "//page/", "/health", "/\xe9"])),
        "QUERY_STRING": draw(texts()),
        "REMOTE_ADDR": draw(st.sampled_from(CLIENTS)),
        "wsgi.url_scheme": draw(st.sampled_from(["http", "https"])),
    }
    if draw(st.booleans()):
        server["wsgi.input_terminated"] = True
    if server["REQUEST_METHOD"] in ("POST", "PUT") or draw(st.integers(0, 4)) == 0:
        server["CONTENT_LENGTH"] = declared
        server["CONTENT_TYPE"] = draw(
            st.sampled_from(
                [
                    "application/x-www-form-urlencoded",
                    "text/plain",
                    "",
                    "application/json; charset=utf-8",
                ]
            )
        )
    headers = {
        "Host": st.sampled_from(["example.com", "EXAMPLE.com:8080", "a.example.org", "evil.example",
                                 "example.com.evil", "[::1]:80"]),
        "User-Agent": st.sampled_from(["Mozilla/5.0", "badbot", ""]),
        "Referer": st.sampled_from(["https://example.com/a", "https://a.example.com", "x", "//["]),
        "X-Key": st.sampled_from(["1", ""]),
        "Authorization": st.sampled_from(["Bearer t", "Bearer x", "bearer ", "Basic eDp5"]),
        "X-Forwarded-For": st.sampled_from(["198.51.100.1", "x", "203.0.113.7, 127.0.0.1"]),
        "X-Forwarded-Proto": st.sampled_from(["https", "http", "https, http"]),
        "Origin": st.just("https://a.example"),
        "Access-Control-Request-Method": st.just("GET"),
        "Transfer-Encoding": st.just("chunked"),
        "Content-Encoding": st.just("gzip"),
    }  # fmt: skip
    names = draw(st.sets(st.sampled_from(sorted(headers)), max_size=5))
    sent = {f"HTTP_{name.upper().replace('-', '_')}": draw(headers[name]) for name in sorted(names)}

    def make() -> Environ:
        return environ_for("/") | server | sent | {"wsgi.input": io.BytesIO(body)}

    return make


def told(block: Block | None) -> Any:
    return None if block is None else (block.check, block.status, block.event)


def climbed(guard: GuardMiddleware, environ: Environ) -> GuardRequest:
    policy = guard.policy
    visit = arrive(environ, policy.clients, guard, Visit())
    visit.verdict.endpoint = "page"
    policy.listed_paths.excuse(environ, visit)
    return GuardRequest(environ, policy.clients, policy.country_of, guard, visit)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@settings(max_examples=25, deadline=None)
@given(made=st.lists(requests(), min_size=4, max_size=8))
def test_what_a_check_lets_pass_it_does_not_refuse(
    made: list[Callable[[], Environ]], setting: Setting
) -> None:
    """And if it does not let a request pass, it refuses it as if ``passes`` had not been asked."""
    with twins(setting) as ((asked, asked_checks), (other, other_checks)):
        for make in made:
            request, same = climbed(asked, make()), climbed(other, make())
            for check, twin in zip(asked_checks, other_checks, strict=True):
                if check.excused & request.visit.standing:
                    continue
                passes = check.passes(request.environ, request.visit)
                refusal = twin.refusal(same)
                if passes:
                    assert refusal is None, (check.name, told(refusal))
                else:
                    assert told(check.refusal(request)) == told(refusal)
                if refusal is not None:
                    break


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@settings(max_examples=6, deadline=None)
@given(made=st.lists(requests(), min_size=4, max_size=8))
def test_the_one_function_says_what_the_checks_say(
    made: list[Callable[[], Environ]], setting: Setting
) -> None:
    with twins(setting) as ((asked, asked_checks), (other, other_checks)):
        ask = spliced(asked_checks)
        for make in made:
            request, same = climbed(asked, make()), climbed(other, make())
            assert ask(request.environ, request.visit) == first_no(other_checks, same)
            assert request.quota == same.quota or request.quota is not None is not same.quota
            assert bool(request.visit.found) == bool(same.visit.found)


def first_no(checks: tuple[Check, ...], request: GuardRequest) -> int | None:
    for place, check in enumerate(checks):
        try:
            if not check.passes(request.environ, request.visit):
                return place
        except Exception:
            return place
    return None


def test_every_check_is_spliced_and_none_called() -> None:
    for kind in LADDER:
        assert not is_called(kind), kind


class Picky(CustomRequestCheck):
    """A check whose method contains a nested name, so it must be called."""

    def passes(self, environ: Environ, visit: Visit) -> bool:
        return all(name in environ for name in ("PATH_INFO", "test.good"))


def test_what_cannot_be_spliced_is_called() -> None:
    ask = spliced((Picky(lambda request: None), Picky(lambda request: None)))
    visit = Visit()
    assert ask({"PATH_INFO": "/", "test.good": 1}, visit) is None
    assert ask({"PATH_INFO": "/"}, visit) == 0
    assert is_called(Picky)


def test_a_check_that_raises_is_the_one_that_says_no() -> None:
    class Broken(Picky):
        def passes(self, environ: Environ, visit: Visit) -> bool:
            return bool(environ["nothing"])

    ask = spliced((Picky(lambda request: None), Broken(lambda request: None)))
    assert ask({"PATH_INFO": "/", "test.good": 1}, Visit()) == 1


def test_the_settings_give_every_check_of_the_ladder() -> None:
    given_checks = set()
    for setting in SETTINGS:
        with twins(setting) as ((_, checks), _):
            given_checks |= {type(check) for check in checks}
    missing = [check.__name__ for check in LADDER if check not in given_checks]
    assert missing == [], "add a Setting that switches the check on to SETTINGS"


def test_every_check_of_a_family_is_on_the_ladder() -> None:
    """A check is described in its own file only: its class, and its place in ``CHECKS``."""
    found = [
        check
        for path in sorted(Path(checks.__path__[0]).glob("*.py"))
        for check in vars(import_module(f"{checks.__name__}.{path.stem}")).values()
        if isinstance(check, type) and issubclass(check, Check) and not isabstract(check)
    ]
    missing = [check.__name__ for check in found if check not in LADDER]
    assert missing == [], "add the check to CHECKS at the end of its file in checks/"
    assert len(LADDER) == len(set(LADDER))


@pytest.mark.parametrize("check", LADDER, ids=lambda check: check.__name__)
def test_a_check_has_a_name_that_can_be_muted_and_says_what_it_does(check: type[Check]) -> None:
    require_known_checks(SecurityConfig(muted_check_logs=[check.name]))
    assert check.__doc__


def test_a_guard_refuses_to_mute_an_unknown_check() -> None:
    with pytest.raises(ConfigError, match=r"muted_check_logs has the unknown name 'rate_limits'"):
        GuardMiddleware(text_app(), SecurityConfig(muted_check_logs=["rate_limits"]))
    guard = GuardMiddleware(text_app(), SecurityConfig(muted_check_logs=["cloud_ip_refresh"]))
    with pytest.raises(ConfigError, match="rate_limit'"):
        guard.reconfigure(SecurityConfig(muted_check_logs=["rate_limits"]))
    guard.close()


def test_every_word_of_bypass_takes_a_check_off() -> None:
    assert {word.value for word, checks in BYPASSES.items() if checks} == {*BYPASS_NAMES} - {"all"}


WORDS = {
    "client_address_unresolved": "the client's address",
    "ip_ban": "bans",
    "emergency_mode": "emergency mode",
    "ip_security": "address lists",
    "country": "countries",
    "cloud_provider": "cloud providers",
    "allowed_hosts": "the host names you allow",
    "https_enforcement": "HTTPS",
    "framing": "framing",
    "request_size_content": "size and media type",
    "required_headers": "required headers",
    "authentication": "credentials",
    "referrer": "referrer",
    "time_window": "time of day",
    "user_agent": "user agent",
    "rate_limit": "rate limits",
    "suspicious_activity": "attacks in path, query, cookies and headers",
    "honeypot": "honeypot fields",
    "behavior": "behaviour rules",
    "custom_validators": "your own validators",
    "custom_request": "custom_request_check",
}
"""What README calls each check."""


def test_readme_lists_the_ladder_in_its_order() -> None:
    text = README.read_text(encoding="utf-8").partition("A request climbs a ladder")[2]
    text = text.partition("Then your app runs")[0]
    names = list(dict.fromkeys(check.name for check in LADDER))
    assert list(WORDS) == names, "add the check to WORDS, with README's words for it"
    places = [text.find(WORDS[name]) for name in names]
    missing = [WORDS[name] for name, place in zip(names, places, strict=True) if place < 0]
    assert missing == [], "add these words to README, 'How it works', in the ladder's order"
    assert places == sorted(places)
