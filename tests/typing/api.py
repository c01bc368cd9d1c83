"""The public API as type checkers see it. Nothing here runs: ``mypy`` reads it in CI, and a
change that breaks a line of it breaks users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

import guard_wsgi
from guard_wsgi import (
    AgentConfig,
    BehaviorRule,
    BehaviorRuleConfig,
    Block,
    ConfigError,
    Finding,
    GuardMiddleware,
    GuardRequest,
    GuardResponse,
    MaxMindGeoIP,
    RouteConfig,
    SecurityConfig,
    SecurityDecorator,
    SecurityEvent,
    ThreatBanConfig,
    Verdict,
    guard_agent,
)
from guard_wsgi import testing as guard_testing
from guard_wsgi.resolvers import BottleResolver, DjangoResolver, PatternResolver
from guard_wsgi_flask import FlaskAPIGuard, same_secret

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def verifier(request: GuardRequest, credential: str) -> str | None:
    return "ann" if same_secret(credential, "secret") else None


def validator(request: GuardRequest) -> GuardResponse | None:
    address: str = request.client_ip
    country: str | None = request.country
    return None if address and country else GuardResponse("no", 403)


def modifier(response: GuardResponse) -> GuardResponse:
    response.headers["X-Shop"] = "1"
    return response


def on_block(request: GuardRequest, payload: Any) -> None: ...


def on_error(stage: str, error: Exception, context: Any) -> None: ...


def user_of(request: GuardRequest) -> str | None:
    return request.headers.get("X-User")


class Countries:
    """The least that a source of countries is."""

    def get_country(self, ip: str) -> str | None:
        return "DE" if ip else None


SecurityConfig(geo_ip_handler=Countries())
config = SecurityConfig(
    trusted_proxies=["10.0.0.0/8"],
    blocked_countries={"XX"},
    blacklist=("203.0.113.0/24",),
    geo_ip_handler=MaxMindGeoIP("country.mmdb"),
    endpoint_rate_limits={"/login": (5, 60)},
    rate_limit_key=user_of,
    rate_limit_exempt_when=lambda request: request.path == "/status",
    threat_ban_config={"sqli": ThreatBanConfig(threshold=1, duration=60)},
    global_behavior_rules=[BehaviorRule("usage", 100)],
    custom_request_check=validator,
    custom_response_modifier=modifier,
    auth_verifier=verifier,
    on_block=on_block,
    on_error=on_error,
    security_headers={"preset": "html", "csp": {"default-src": ["'self'"]}},
    enable_agent=True,
    agent_api_key="0123456789",
    agent_timeout=5,
)
stricter: SecurityConfig = config.evolve(rate_limit=100)
from_file: SecurityConfig = SecurityConfig.from_toml("guard.toml")
from_env: SecurityConfig = SecurityConfig.from_env()
agent: AgentConfig | None = config.to_agent_config()
rule: BehaviorRule = BehaviorRuleConfig(rule_type="usage", threshold=3).to_rule()


class Ours(SecurityConfig):
    """A site's own defaults."""

    rate_limit = 100


ours: Ours = Ours().evolve(passive_mode=True)

protect = SecurityDecorator(config)


@protect.require_auth(verifier=verifier)
@protect.rate_limit(5, window=60, key=user_of)
@protect.custom_validation(validator)
def view(number: int) -> str:
    return str(number)


answer: str = view(3)


def guard(app: WSGIApplication) -> GuardMiddleware:
    guarded = GuardMiddleware(app, config, routes={"/admin": RouteConfig(require_https=True)})
    GuardMiddleware(app, config, resolver=PatternResolver({"/a": RouteConfig()}))
    GuardMiddleware(app, config, resolver=DjangoResolver())
    guarded.bans.ban("203.0.113.7", 3600, "abuse")
    statistics: dict[str, int] = guarded.stats()
    guarded.reconfigure(stricter)
    assert statistics
    return guarded


def flask_app() -> FlaskAPIGuard:
    app = Flask(__name__)
    extension = FlaskAPIGuard(app, config=config)
    with guard_testing.controlled(app) as controlled:
        controlled.move_clock(60)
    return extension


def read(verdict: Verdict, environ: dict[str, Any]) -> tuple[Finding, ...]:
    block: Block | None = verdict.block
    reason: str = verdict.reason if block is None else block.message
    return verdict.findings if reason else ()


def tell(event: SecurityEvent) -> str:
    try:
        guard_agent(AgentConfig(api_key="0123456789", buffer_size=10))
    except ConfigError as error:
        return error.faults[0]
    return event.event_type


resolver_of_bottle: type[BottleResolver] = BottleResolver
version: str = guard_wsgi.__version__
